"""Requests to Cohere's chat, after its documentation: its SDK is not among the test dependencies."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class ImageUrl(TypedDict):
    url: str
    detail: NotRequired[Literal["auto", "low", "high"]]


class ImagePart(TypedDict):
    type: Literal["image_url"]
    image_url: ImageUrl


class ThinkingPart(TypedDict):
    type: Literal["thinking"]
    thinking: str


class Document(TypedDict):
    data: dict[str, Any]
    id: NotRequired[str]


class DocumentPart(TypedDict):
    type: Literal["document"]
    document: Document


class UserMessage(TypedDict):
    role: Literal["user"]
    content: str | list[TextPart | ImagePart]


class SystemMessage(TypedDict):
    role: Literal["system"]
    content: str | list[TextPart]


class CalledFunction(TypedDict):
    name: str
    arguments: str


class ToolCallPart(TypedDict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(TypedDict):
    role: Literal["assistant"]
    content: NotRequired[str | list[TextPart | ThinkingPart]]
    tool_calls: NotRequired[list[ToolCallPart]]
    tool_plan: NotRequired[str]
    citations: NotRequired[list[dict[str, Any]]]


class ToolMessage(TypedDict):
    role: Literal["tool"]
    tool_call_id: str
    content: str | list[TextPart | DocumentPart]


class Function(TypedDict):
    name: str
    description: NotRequired[str]
    parameters: dict[str, Any]


class Tool(TypedDict):
    type: Literal["function"]
    function: Function


class ResponseFormat(TypedDict):
    type: Literal["text", "json_object"]
    json_schema: NotRequired[dict[str, Any]]


class Thinking(TypedDict):
    type: Literal["enabled", "disabled"]
    token_budget: NotRequired[int]


class ChatRequest(TypedDict):
    model: str
    messages: list[UserMessage | AssistantMessage | SystemMessage | ToolMessage]
    stream: NotRequired[bool]
    tools: NotRequired[list[Tool]]
    strict_tools: NotRequired[bool]
    documents: NotRequired[list[Any]]
    citation_options: NotRequired[dict[str, Any]]
    response_format: NotRequired[ResponseFormat]
    safety_mode: NotRequired[Literal["CONTEXTUAL", "STRICT", "OFF"]]
    max_tokens: NotRequired[int]
    stop_sequences: NotRequired[list[str]]
    temperature: NotRequired[float]
    seed: NotRequired[int]
    frequency_penalty: NotRequired[float]
    presence_penalty: NotRequired[float]
    k: NotRequired[int]
    p: NotRequired[float]
    logprobs: NotRequired[bool]
    tool_choice: NotRequired[Literal["REQUIRED", "NONE"]]
    thinking: NotRequired[Thinking]
    priority: NotRequired[int]

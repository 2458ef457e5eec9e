"""The official SDKs over their own mock transport, and a server behind it that speaks all of their formats."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from google.genai import types

from aigw import Chunk, ToolCallDelta, Usage
from aigw.wire import anthropic_messages, gemini, openai_chat, openai_responses

WIRES = {
    "/v1/chat/completions": openai_chat,
    "/v1/responses": openai_responses,
    "/v1/messages": anthropic_messages,
}
ANSWER = (
    Chunk("The sky "),
    Chunk("is blue."),
    Chunk(tool_calls=(ToolCallDelta(0, "call_1", "look", '{"up": true}'),)),
    Chunk(finish_reason="tool_calls", usage=Usage(11, 7, cached=3)),
)
TEXT = "The sky is blue."


class Server:
    """Answers every request in its own format; or as the script says, first.

    Args:
        script: responses for the first requests.
    """

    def __init__(self, *script: httpx2.Response):
        self._script = list(script)
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer."""
        body = json.loads(request.content)
        self.requests.append(body)
        if self._script:
            return self._script.pop(0)
        wire: Any = WIRES.get(request.url.path, gemini)
        if not (body.get("stream") or "stream" in request.url.path):
            return httpx2.Response(200, json=wire.render_response(ANSWER, id="answer-1", model="m"))
        renderer = wire.StreamRenderer(id="answer-1", model="m")
        data = b"".join([*map(renderer.render, ANSWER), renderer.finish()])
        return httpx2.Response(200, content=data, headers={"content-type": "text/event-stream"})

    @property
    def http(self) -> httpx2.Client:
        """A blocking client of this server."""
        return httpx2.Client(transport=httpx2.MockTransport(self))

    @property
    def async_http(self) -> httpx2.AsyncClient:
        """A client of this server for event loops."""
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))

    @property
    def openai(self) -> openai.OpenAI:
        """The SDK of OpenAI."""
        return openai.OpenAI(api_key="key", http_client=self.http, max_retries=0)

    @property
    def async_openai(self) -> openai.AsyncOpenAI:
        """Its async client."""
        return openai.AsyncOpenAI(api_key="key", http_client=self.async_http, max_retries=0)

    @property
    def anthropic(self) -> anthropic.Anthropic:
        """The SDK of Anthropic."""
        return anthropic.Anthropic(api_key="key", http_client=self.http, max_retries=0)

    @property
    def async_anthropic(self) -> anthropic.AsyncAnthropic:
        """Its async client."""
        return anthropic.AsyncAnthropic(api_key="key", http_client=self.async_http, max_retries=0)

    @property
    def google(self) -> genai.Client:
        """The SDK of Google; its async client is ``.aio``."""
        options = types.HttpOptions(httpx_client=self.http, httpx_async_client=self.async_http)
        return genai.Client(api_key="key", http_options=options)

"""OpenAI chat completions, as the official SDK's types and the servers' own habits have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from aigw.errors import NotFound, Overloaded, ServerError
from contract.oracles.openai_failures import failures  # noqa: F401  (part of what an oracle has)
from contract.oracles.openai_flavours import Flavour, flavour_of
from contract.oracles.strict import Judge
from contract.said import SIGNATURE, Called, Counts, Numbers, Request, Said, halves, parsed, sprinkled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract-model"
ID = "chatcmpl-1"
ANSWERS_AS = "contract-model-2026-09-01"
KEY = ("authorization", "Bearer ")
RAW_ARGUMENTS = (True, True)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"
JUDGES = {False: Judge(CompletionCreateParamsNonStreaming), True: Judge(CompletionCreateParamsStreaming)}

FINISHES = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "function_call",
}


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the server takes."""
    assert body.get("stream", False) is streamed
    JUDGES[streamed].check(_without_extensions(body, flavour_of(provider)))


def _without_extensions(body: Any, flavour: Flavour) -> Any:
    """Take out what this server knows beyond OpenAI's own API."""
    kept = {name: value for name, value in body.items() if name not in flavour.sends}
    kept["messages"] = [_plain_message(message, flavour) for message in body["messages"]]
    return kept


def _plain_message(message: Any, flavour: Flavour) -> Any:
    kept = {name: value for name, value in message.items() if name != flavour.back or name == "content"}
    if isinstance(kept.get("content"), list):
        known = flavour.parts | ({"image_url"} if flavour.tool_images and message["role"] == "tool" else set())
        kept["content"] = [part for part in kept["content"] if part["type"] not in known]
    return kept


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    flavour = flavour_of(provider)
    request = Request([], stream=body.get("stream", False))
    numbers = Numbers()
    for message in body["messages"]:
        request.items += _read_message(message, numbers, request)
        request.thoughts += _read_thoughts(message, flavour)
    for tool in body.get("tools", ()):
        function = tool["function"]
        request.tools[function["name"]] = (function.get("description", ""), function["parameters"])
        request.marks |= {"strict"} if function.get("strict") else set()
    choice = body.get("tool_choice")
    request.choice = choice["function"]["name"] if isinstance(choice, dict) else choice
    request.parallel = body.get("parallel_tool_calls")
    if body.get("response_format", {}).get("type") == "json_schema":
        request.schema = body["response_format"]["json_schema"]["schema"]
    names = {"temperature": "temperature", "top_p": "top_p", "seed": "seed", "random_seed": "seed", "n": "n"}
    names |= {"max_completion_tokens": "max_tokens", "max_tokens": "max_tokens", "stop": "stop"}
    names |= {"reasoning_effort": "reasoning"}
    request.settings = {ours: body[name] for name, ours in names.items() if name in body}
    return request


def _read_message(message: Any, numbers: Numbers, request: Request) -> Iterator[tuple[Any, ...]]:
    role = {"developer": "system"}.get(message["role"], message["role"])
    if "name" in message:
        request.marks.add(message["name"])
    for part in message["content"] if isinstance(message.get("content"), list) else ():
        request.marks.add(part.get("image_url", {}).get("detail"))
    if role == "tool":
        number = numbers.of_result(message["tool_call_id"])
        text = "".join(item[1] for item in _read_content(message["content"], "text") if item[0] == "text")
        if text.startswith("Error"):
            request.failed.append(number)
            text = text.removeprefix("Error:").lstrip()
        yield "result", number, text
        yield from (item for item in _read_content(message["content"], "text") if item[0] != "text")
        return
    yield from _read_content(message.get("content"), role)
    for call in message.get("tool_calls", ()):
        assert len(call["id"]) > 0
        yield "call", numbers.of_call(call["id"]), call["function"]["name"], parsed(call["function"]["arguments"])


def _read_content(content: Any, speaker: str) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}] if content else []
    for part in content or ():
        if part["type"] == "text":
            yield speaker, part["text"]
        elif part["type"] == "image_url":
            yield "image", part["image_url"]["url"]
        elif part["type"] == "file":
            yield "file", part["file"].get("file_data") or part["file"]["file_id"]
        elif part["type"] == "document_url":
            yield "file", part["document_url"]


def _read_thoughts(message: Any, flavour: Flavour) -> list[Any]:
    if flavour.back == "content":
        content = message.get("content")
        return [part for part in content if part["type"] == "thinking"] if isinstance(content, list) else []
    if flavour.back == "reasoning_details":
        return list(message.get(flavour.back, ()))
    return [message[flavour.back]] if message.get(flavour.back) else []


def thinks(provider: str) -> bool:
    """Tell whether the server shows reasoning."""
    return bool(flavour_of(provider).reasoning)


def back(said: Said, provider: str) -> list[Any]:
    """Return the reasoning of an answer as the server wants to see it again; nothing where it does not."""
    flavour = flavour_of(provider)
    if flavour.back == "content":
        return [_thinking(said.thought)]
    if flavour.back == "reasoning_details":
        return [_HIDDEN if said.hidden else _details(said.thought, SIGNATURE)]
    return [said.thought] if flavour.back else []


def hides(provider: str) -> bool:
    """Only OpenRouter's blocks may be encrypted."""
    return flavour_of(provider).back == "reasoning_details"


_HIDDEN = {"type": "reasoning.encrypted", "data": SIGNATURE, "id": "rs_1", "format": "openai-responses-v1", "index": 0}


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _details(text: str, signature: str | None) -> dict[str, Any]:
    block = {"type": "reasoning.text", "text": text, "format": "anthropic-claude-v1", "index": 0}
    return block if signature is None else {**block, "signature": signature}


def signs(provider: str) -> bool:
    """Tell whether what goes back holds `SIGNATURE`."""
    return flavour_of(provider).back == "reasoning_details"


def tells(provider: str) -> frozenset[str]:
    """Name the finer counts that the server tells."""
    return flavour_of(provider).tells


def finishes(provider: str) -> Mapping[str, str]:
    """Return the finish reasons and what they must become."""
    return {**FINISHES, **flavour_of(provider).finishes}


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    flavour = flavour_of(provider)
    body: dict[str, Any] = {
        "id": ID,
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": ANSWERS_AS,
        "choices": [_choice(said, 0, said.text, flavour)],
        **flavour.fields,
    }
    body["choices"] += [_choice(Said(text), at, text, flavour) for at, text in enumerate(said.also, 1)]
    if said.counts is not None:
        body["usage"] = _usage(said.counts, flavour)
    if said.finish is None and not isinstance(body["choices"][0]["message"]["content"], list):
        ChatCompletion.model_validate(body)
    return json.dumps(sprinkled(body, frozenset()) if said.strange else body).encode()


def _choice(said: Said, index: int, text: str, flavour: Flavour) -> dict[str, Any]:
    content: Any = text or None
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if said.thought and flavour.reasoning == "content":
        message["content"] = [_thinking(said.thought), {"type": "text", "text": text}]
    elif said.thought and flavour.reasoning:
        message[flavour.reasoning] = said.thought
    if said.hidden:
        message["reasoning_details"] = [_HIDDEN]
    elif said.thought and flavour.back == "reasoning_details":
        message["reasoning_details"] = [_details(said.thought, SIGNATURE)]
    if said.calls:
        message["tool_calls"] = [_call(call) for call in said.calls]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _reason(said), **flavour.choice}


def _call(call: Called) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _reason(said: Said) -> str:
    return said.finish or ("tool_calls" if said.calls else "stop")


def _usage(counts: Counts, flavour: Flavour) -> dict[str, Any]:
    apart = counts.reasoning if flavour.usage == "apart" else 0
    usage: dict[str, Any] = {
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output - apart,
        "total_tokens": counts.input + counts.output,
    }
    details = {"cached": ("cached_tokens", counts.cached), "written": ("cache_write_tokens", counts.written)}
    told = {name: count for key, (name, count) in details.items() if key in flavour.tells}
    if flavour.usage == "hits":
        told = {}
        usage["prompt_cache_hit_tokens"] = counts.cached
        usage["prompt_cache_miss_tokens"] = counts.input - counts.cached
    if told:
        usage["prompt_tokens_details"] = {**told, "audio_tokens": 0}
    if "reasoning" in flavour.tells:
        usage["completion_tokens_details"] = {"reasoning_tokens": counts.reasoning, "audio_tokens": 0}
    return usage


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, event by event."""
    flavour = flavour_of(provider)
    usage = None if said.counts is None else _usage(said.counts, flavour)
    chunks = [*_deltas(said, 0, flavour)]
    for at, text in enumerate(said.also, 1):
        chunks += _deltas(Said(text), at, flavour)
    if usage is not None and flavour.usage_in == "own":
        chunks.append({"choices": [], "usage": usage})
    written = []
    for at, chunk in enumerate(chunks):
        given = flavour.usage_in == "each" or (flavour.usage_in == "last" and at == len(chunks) - 1)
        event = {
            "id": ID,
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": ANSWERS_AS,
            **chunk,
            **({"usage": usage} if given and usage is not None else {}),
            **flavour.fields,
        }
        if said.finish is None and not (said.thought and flavour.reasoning == "content"):
            ChatCompletionChunk.model_validate(event)
        written.append(event)
    if said.strange:
        written = [sprinkled(event, frozenset()) for event in written]
    body = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in written]
    if said.strange:
        body[1:1] = [b": keep-alive\n\n", b'event: x.unheard_of\ndata: {"x": 1}\n\n']
        body[4:4] = [b'data: {"id":"chatcmpl-1","object":"x.unheard_of","x_unheard_of":{"since":2027}}\n\n']
    return [*flavour.head, *body, DONE]


def _deltas(said: Said, index: int, flavour: Flavour) -> Iterator[dict[str, Any]]:
    def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish, **flavour.choice}
        return {"choices": [choice]}

    yield chunk(role="assistant", content="")
    for delta in _thought_deltas(said, flavour):
        yield chunk(**delta)
    for piece in said.pieces:
        yield chunk(content=piece)
    for at, call in enumerate(said.calls):
        whole_call = _call(call)
        if flavour.same_index:
            yield chunk(tool_calls=[{"index": 0, **whole_call}])
            continue
        whole_call["function"]["arguments"] = ""
        yield chunk(tool_calls=[{"index": at, **whole_call}])
        for piece in halves(call.arguments):
            yield chunk(tool_calls=[{"index": at, "function": {"arguments": piece}}])
    yield chunk(_reason(said))


def _thought_deltas(said: Said, flavour: Flavour) -> Iterator[dict[str, Any]]:
    in_blocks = flavour.back == "reasoning_details"
    if said.hidden:
        yield {"content": "", "reasoning_details": [_HIDDEN]}
    for piece in halves(said.thought) if flavour.reasoning else ():
        if flavour.reasoning == "content":
            yield {"content": [_thinking(piece)]}
        elif in_blocks:
            yield {"content": "", flavour.reasoning: piece, "reasoning_details": [_details(piece, None)]}
        else:
            yield {flavour.reasoning: piece}
    if said.thought and in_blocks:
        yield {"content": "", "reasoning_details": [_details("", SIGNATURE)]}


def as_event(body: bytes) -> bytes:
    """Write a body as the event of a stream."""
    return b"data: " + body + b"\n\n"


LATE_FAILURES = {
    "server_error": (
        (
            b'data: {"error":{"message":"The server had an error while processing your request. Sorry about that!",'
            b'"type":"server_error","param":null,"code":null}}\n\n'
        ),
        ServerError,
    ),
    "numbered": (
        (
            b'data: {"error":{"object":"error","message":"EngineCore encountered an issue.",'
            b'"type":"Internal Server Error","param":null,"code":500}}\n\n'
        ),
        ServerError,
    ),
    "named": (
        (
            b'event: error\ndata: {"error":{"message":"Service unavailable","type":"internal_server_error",'
            b'"code":"503","status_code":503}}\n\n'
        ),
        Overloaded,
    ),
    "with a choice": (
        (
            b'data: {"id":"gen-1","object":"chat.completion.chunk","created":1790000000,"model":"m","provider":"X",'
            b'"error":{"code":404,"message":"Model not found"},'
            b'"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}\n\n'
        ),
        NotFound,
    ),
}
"""Errors in the middle of a stream: OpenAI's, vLLM's, Groq's, OpenRouter's."""

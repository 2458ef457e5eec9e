"""Anthropic Messages, as the types of the official SDK have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter

from aigw.errors import Overloaded, ProviderRateLimited, ServerError
from contract.oracles.anthropic_failures import failures  # noqa: F401  (part of what an oracle has)
from contract.oracles.strict import Judge
from contract.said import SIGNATURE, Called, Counts, Numbers, Request, Said, halves, parsed, sprinkled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract-model"
ID = "msg_01XFDUDYJgAACzvnptvVoYEL"
ANSWERS_AS = "contract-model-20260901"
KEY = ("x-api-key", "")
RAW_ARGUMENTS = (False, True)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "text/event-stream; charset=utf-8"
SEALED = frozenset({"input"})
JUDGES = {False: Judge(MessageCreateParamsNonStreaming), True: Judge(MessageCreateParamsStreaming)}
EVENT = TypeAdapter(RawMessageStreamEvent)
SAMPLING = frozenset({"temperature", "top_p", "top_k"})
"""The newest models do not take them, and so the SDK's types have them no more; they are on the wire all the same."""

FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "pause_turn": "pause_turn",
}


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the server takes."""
    assert body.get("stream", False) is streamed
    kept = {name: value for name, value in body.items() if name not in SAMPLING}
    if provider == "vertex":
        assert kept.pop("anthropic_version") == "vertex-2023-10-16"
        assert "model" not in kept, "the URL names the model"
        kept["model"] = MODEL
    JUDGES[streamed].check(kept)
    assert body["messages"][0]["role"] == "user"
    assert all(message["content"] for message in body["messages"])
    _check_results(body["messages"])


def _check_results(messages: Any) -> None:
    """The results of all calls of a message stand first in the next one."""
    for message, following in zip(messages, [*messages[1:], None], strict=True):
        blocks = message["content"] if isinstance(message["content"], list) else []
        called = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if called and following is not None:
            assert following["role"] == "user"
            kinds = [block["type"] for block in following["content"]]
            first = following["content"][: len(called)]
            assert kinds[: len(called)] == ["tool_result"] * len(called)
            assert sorted(block["tool_use_id"] for block in first) == sorted(called)


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    request = Request([], stream=body.get("stream", False))
    numbers = Numbers()
    request.items += _read_content(body.get("system"), "system", numbers, request)
    for message in body["messages"]:
        request.items += _read_content(message["content"], message["role"], numbers, request)
    for tool in body.get("tools", ()):
        request.tools[tool["name"]] = (tool.get("description", ""), tool["input_schema"])
        request.marks |= {"strict"} if tool.get("strict") else set()
    if choice := body.get("tool_choice"):
        kinds = {"any": "required", "tool": choice.get("name")}
        request.choice = kinds.get(choice["type"], choice["type"])
        if "disable_parallel_tool_use" in choice:
            request.parallel = not choice["disable_parallel_tool_use"]
    config = body.get("output_config", {})
    request.schema = config.get("format", {}).get("schema")
    names = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens", "stop_sequences": "stop"}
    request.settings = {ours: body[name] for name, ours in names.items() if name in body}
    thinking = body.get("thinking", {})
    if thinking.get("type") == "disabled":
        request.settings["reasoning"] = "none"
    elif thinking or "effort" in config:
        little = thinking.get("budget_tokens", 0) <= 4096
        request.settings["reasoning"] = config.get("effort", "low" if little else "high")
    return request


def _read_content(content: Any, speaker: str, numbers: Numbers, request: Request) -> Iterator[tuple[Any, ...]]:
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        kind = block["type"]
        if kind == "text":
            yield speaker, block["text"]
        elif kind in {"image", "document"}:
            yield "image" if kind == "image" else "file", _read_source(block["source"])
        elif kind == "tool_use":
            yield "call", numbers.of_call(block["id"]), block["name"], block["input"]
        elif kind == "tool_result":
            number = numbers.of_result(block["tool_use_id"])
            if block.get("is_error"):
                request.failed.append(number)
            inner = [*_read_content(block.get("content"), "text", numbers, request)]
            yield "result", number, "".join(item[1] for item in inner if item[0] == "text")
            yield from (item for item in inner if item[0] != "text")
        elif kind in {"thinking", "redacted_thinking"}:
            request.thoughts.append(block)


def _read_source(source: Any) -> str:
    if source["type"] == "base64":
        return f"data:{source['media_type']};base64,{source['data']}"
    return source.get("url") or source["file_id"]


def thinks(provider: str) -> bool:
    """It shows its thinking."""
    return True


def signs(provider: str) -> bool:
    """What goes back holds `SIGNATURE`."""
    return True


def back(said: Said, provider: str) -> list[Any]:
    """The block goes back unchanged."""
    return [_thinking(said)]


def hides(provider: str) -> bool:
    """It may redact its thinking."""
    return True


def tells(provider: str) -> frozenset[str]:
    """It tells everything."""
    return frozenset({"cached", "written", "reasoning"})


def finishes(provider: str) -> Mapping[str, str]:
    """Return the finish reasons and what they must become."""
    return FINISHES


def _thinking(said: Said) -> dict[str, Any]:
    if said.hidden:
        return {"type": "redacted_thinking", "data": SIGNATURE}
    return {"type": "thinking", "thinking": said.thought, "signature": SIGNATURE}


def _call(call: Called, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _reason(said: Said) -> str:
    return said.finish or ("tool_use" if said.calls else "end_turn")


def _usage(counts: Counts | None, output: int | None = None) -> dict[str, Any]:
    if counts is None:
        return {"input_tokens": 0, "output_tokens": 0}
    return {
        "input_tokens": counts.input - counts.cached - counts.written,
        "cache_read_input_tokens": counts.cached,
        "cache_creation_input_tokens": counts.written,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": counts.output if output is None else output,
        "service_tier": "standard",
        **({"output_tokens_details": {"thinking_tokens": counts.reasoning}} if output is None else {}),
    }


def _message(said: Said, content: list[Any], *, over: bool) -> dict[str, Any]:
    return {
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": ANSWERS_AS,
        "content": content,
        "stop_reason": _reason(said) if over else None,
        "stop_sequence": None,
        "usage": _usage(said.counts, None if over else 1),
    }


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    content: list[Any] = [{"type": "x_unheard_of", "since": 2027}] if said.strange else []
    content += [_thinking(said)] if said.thought or said.hidden else []
    content += [{"type": "text", "text": said.text, "citations": None}] if said.text else []
    content += [_call(call, parsed(call.arguments or "{}")) for call in said.calls]
    body = _message(said, content, over=True)
    if said.strange:
        return json.dumps(sprinkled(body, SEALED)).encode()
    if said.finish in (None, *FINISHES):
        Message.model_validate(body)
    return json.dumps(body).encode()


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, event by event."""
    made = [{"type": "message_start", "message": _message(said, [], over=False)}, {"type": "ping"}]
    for index, (block, deltas) in enumerate(_blocks(said)):
        made.append({"type": "content_block_start", "index": index, "content_block": block})
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": _reason(said), "stop_sequence": None}
    made.append({"type": "message_delta", "delta": delta, "usage": _usage(said.counts)})
    made.append({"type": "message_stop"})
    if said.strange:
        made = [sprinkled(event, SEALED) for event in made]
        made.insert(2, {"type": "x_unheard_of", "since": 2027})
    elif said.finish in (None, *FINISHES):
        for event in made:
            if event["type"] != "ping":
                EVENT.validate_python(event)
    return [as_event(json.dumps(event).encode(), event["type"]) for event in made]


def _blocks(said: Said) -> Iterator[tuple[Any, list[Any]]]:
    if said.strange:
        yield {"type": "x_unheard_of", "since": 2027}, [{"type": "x_unheard_of_delta", "more": 1}]
    if said.hidden:
        yield _thinking(said), []
    elif said.thought:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in halves(said.thought)]
        signed = {"type": "signature_delta", "signature": SIGNATURE}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signed]
    if said.text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in said.pieces]
    for call in said.calls:
        written = ["", *halves(call.arguments)]
        yield _call(call, {}), [{"type": "input_json_delta", "partial_json": piece} for piece in written]


def as_event(body: bytes, name: str = "error") -> bytes:
    """Write a body as the event of a stream."""
    return f"event: {name}\ndata: ".encode() + body + b"\n\n"


def _late(kind: str, message: str) -> bytes:
    error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    return as_event(json.dumps(error).encode())


LATE_FAILURES = {
    "overloaded": (_late("overloaded_error", "Overloaded"), Overloaded),
    "internal": (_late("api_error", "Internal server error"), ServerError),
    "too fast": (
        _late("rate_limit_error", "Number of request tokens has exceeded your rate limit"),
        ProviderRateLimited,
    ),
}
"""Errors in the middle of a stream."""

"""Cohere's chat, version 2, after its documentation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderRateLimited,
    ServerError,
    TimedOut,
)
from contract.oracles.cohere_types import ChatRequest
from contract.oracles.strict import Judge
from contract.said import Called, Counts, Failure, Numbers, Request, Said, halves, parsed, sprinkled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract-model"
ID = "c14c80c3-18eb-4519-9460-6c92edd8cfb4"
ANSWERS_AS = None
"""An answer does not say which model gave it."""
KEY = ("authorization", "Bearer ")
RAW_ARGUMENTS = (True, True)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "text/event-stream"
JUDGE = Judge(ChatRequest)

FINISHES = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the server takes."""
    assert body.get("stream", False) is streamed
    JUDGE.check(body)
    assert not (body.get("tools") and "json_schema" in body.get("response_format", {})), "documented as not supported"


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    request = Request([], stream=body.get("stream", False))
    numbers = Numbers()
    for message in body["messages"]:
        request.items += _read_message(message, numbers, request)
    for tool in body.get("tools", ()):
        function = tool["function"]
        request.tools[function["name"]] = (function.get("description", ""), function["parameters"])
    request.marks |= {"strict"} if body.get("strict_tools") else set()
    for message in body["messages"]:
        for part in message["content"] if isinstance(message.get("content"), list) else ():
            request.marks.add(part.get("image_url", {}).get("detail"))
    request.choice = {"REQUIRED": "required", "NONE": "none"}.get(body.get("tool_choice", ""))
    request.schema = body.get("response_format", {}).get("json_schema")
    names = {"temperature": "temperature", "p": "top_p", "max_tokens": "max_tokens", "stop_sequences": "stop"}
    names |= {"seed": "seed"}
    request.settings = {ours: body[name] for name, ours in names.items() if name in body}
    if thinking := body.get("thinking"):
        little = thinking.get("token_budget", 10**6) <= 4096
        request.settings["reasoning"] = "none" if thinking["type"] == "disabled" else "low" if little else "high"
    return request


def _read_message(message: Any, numbers: Numbers, request: Request) -> Iterator[tuple[Any, ...]]:
    role, content = message["role"], message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    if role == "tool":
        number = numbers.of_result(message["tool_call_id"])
        texts = [part["text"] if part["type"] == "text" else _document(part["document"]["data"]) for part in parts]
        text = "".join(texts)
        if text.startswith("Error"):
            request.failed.append(number)
            text = text.removeprefix("Error:").lstrip()
        yield "result", number, text
        return
    for part in parts:
        if part["type"] == "thinking":
            request.thoughts.append(part)
        elif part["type"] == "image_url":
            yield "image", part["image_url"]["url"]
        elif part["type"] == "text" and part["text"]:
            yield role, part["text"]
    if message.get("tool_plan"):
        yield role, message["tool_plan"]
    for call in message.get("tool_calls", ()):
        yield "call", numbers.of_call(call["id"]), call["function"]["name"], parsed(call["function"]["arguments"])


def _document(data: Any) -> str:
    return "".join(value for value in data.values() if isinstance(value, str))


def thinks(provider: str) -> bool:
    """It shows its thinking."""
    return True


def signs(provider: str) -> bool:
    """It signs nothing."""
    return False


def back(said: Said, provider: str) -> list[Any]:
    """The part goes back as it came."""
    return [_thinking(said.thought)]


def hides(provider: str) -> bool:
    """It hides nothing."""
    return False


def tells(provider: str) -> frozenset[str]:
    """It tells what came from its cache."""
    return frozenset({"cached"})


def finishes(provider: str) -> Mapping[str, str]:
    """Return the finish reasons and what they must become."""
    return FINISHES


def _thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text}


def _call(call: Called, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _reason(said: Said) -> str:
    return said.finish or ("TOOL_CALL" if said.calls else "COMPLETE")


def _usage(counts: Counts | None) -> dict[str, Any]:
    if counts is None:
        return {}
    tokens = {"input_tokens": float(counts.input), "output_tokens": float(counts.output)}
    billed = {"input_tokens": 9.0, "output_tokens": float(counts.output)}
    return {"usage": {"billed_units": billed, "tokens": tokens, "cached_tokens": float(counts.cached)}}


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    content: list[Any] = [{"type": "x_unheard_of", "since": 2027}] if said.strange else []
    content += [_thinking(said.thought)] if said.thought else []
    content += [{"type": "text", "text": said.text}] if said.text else []
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if said.calls:
        message["tool_calls"] = [_call(call, call.arguments) for call in said.calls]
    body = {"id": ID, "message": message, "finish_reason": _reason(said), **_usage(said.counts)}
    return json.dumps(sprinkled(body, frozenset()) if said.strange else body).encode()


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, event by event."""
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    made: list[Any] = [{"type": "message-start", "id": ID, "delta": {"message": empty}}]
    for index, (block, pieces) in enumerate(_contents(said)):
        start = {"message": {"content": block}}
        made.append({"type": "content-start", "index": index, "delta": start})
        deltas = [{"message": {"content": piece}} for piece in pieces]
        made += [{"type": "content-delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content-end", "index": index})
    for index, call in enumerate(said.calls):
        start = {"message": {"tool_calls": _call(call, "")}}
        made.append({"type": "tool-call-start", "index": index, "delta": start})
        deltas = [{"message": {"tool_calls": {"function": {"arguments": piece}}}} for piece in halves(call.arguments)]
        made += [{"type": "tool-call-delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "tool-call-end", "index": index})
    made.append({"type": "message-end", "id": ID, "delta": {"finish_reason": _reason(said), **_usage(said.counts)}})
    if said.strange:
        made = [sprinkled(event, frozenset()) for event in made]
        made.insert(1, {"type": "x-unheard-of", "since": 2027})
    return [as_event(json.dumps(event).encode(), event["type"]) for event in made]


def _contents(said: Said) -> Iterator[tuple[Any, list[Any]]]:
    if said.strange:
        yield {"type": "x_unheard_of", "since": 2027}, [{"more": 1}]
    if said.thought:
        yield {"type": "thinking", "thinking": ""}, [{"thinking": piece} for piece in halves(said.thought)]
    if said.text:
        yield {"type": "text", "text": ""}, [{"text": piece} for piece in said.pieces]


def as_event(body: bytes, name: str = "message-end") -> bytes:
    """Write a body as the event of a stream."""
    return f"event: {name}\ndata: ".encode() + body + b"\n\n"


def _late(reason: str) -> bytes:
    end = {"type": "message-end", "id": ID, "delta": {"finish_reason": reason, "error": "it failed", **_usage(None)}}
    return as_event(json.dumps(end).encode())


LATE_FAILURES = {"error": (_late("ERROR"), ServerError), "timeout": (_late("TIMEOUT"), TimedOut)}
"""Errors in the middle of a stream: the reason why it ends."""


def _said(message: str) -> dict[str, Any]:
    return {"id": "b5a1c0e4", "message": message}


FAILURES = (
    Failure("wrong key", 401, _said("invalid api token"), AuthenticationFailed),
    Failure("no key", 401, _said("no api key supplied"), AuthenticationFailed),
    Failure("expired key", 498, _said("invalid api token"), AuthenticationFailed),
    Failure("wrong request", 400, _said("invalid request: message must be at least 1 token long."), BadRequest),
    Failure("not processed", 422, _said("messages[0].role must be one of"), BadRequest),
    Failure(
        "too long",
        400,
        _said(
            "too many tokens: total number of tokens in the prompt cannot exceed 256000 - received 300012. Try using "
            "a shorter prompt."
        ),
        ContextTooLong,
    ),
    Failure("not allowed", 403, _said("you are not allowed to do this"), PermissionDenied),
    Failure(
        "no such model",
        404,
        _said("model 'x' not found, make sure the correct model ID was used and that you have access to the model."),
        NotFound,
    ),
    Failure(
        "too fast",
        429,
        _said(
            "You are using a Trial key, which is limited to 20 API calls / minute. You can continue to use the Trial "
            "key for free or upgrade to a Production key with higher rate limits."
        ),
        ProviderRateLimited,
    ),
    Failure("it broke", 500, _said("internal server error, this has been reported to our developers."), ServerError),
    Failure("no capacity", 503, _said("service unavailable"), Overloaded),
    Failure("slow", 504, b"stream timeout", TimedOut),
)


def failures(provider: str) -> tuple[Failure, ...]:
    """Return the failures of a server."""
    return FAILURES

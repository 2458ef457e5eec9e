"""OpenAI Responses, as the types of the official SDK have it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import TypeAdapter

from aigw.errors import Overloaded, ProviderRateLimited, ServerError
from contract.oracles.openai_failures import failures  # noqa: F401  (they share them)
from contract.oracles.strict import Judge
from contract.said import SIGNATURE, Called, Counts, Numbers, Request, Said, halves, parsed, sprinkled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL = "contract-model"
ID = "resp_67ccd2bed1ec8190"
ANSWERS_AS = "contract-model-2026-09-01"
KEY = ("authorization", "Bearer ")
RAW_ARGUMENTS = (True, True)
"""Whether arguments that are no JSON can come, whole and as a stream."""
STREAM_TYPE = "text/event-stream; charset=utf-8"
JUDGES = {False: Judge(ResponseCreateParamsNonStreaming), True: Judge(ResponseCreateParamsStreaming)}
EVENT = TypeAdapter(ResponseStreamEvent)

FINISHES = {"completed": "stop", "max_output_tokens": "length", "content_filter": "content_filter"}
"""The first is a status, the others say why an answer is incomplete."""


def check(body: Any, provider: str, *, streamed: bool) -> None:
    """Raise if a request is none that the server takes."""
    assert body.get("stream", False) is streamed
    JUDGES[streamed].check(body)


def read(body: Any, provider: str) -> Request:
    """Return what a body says."""
    request = Request([], stream=body.get("stream", False))
    if "instructions" in body:
        request.items.append(("system", body["instructions"]))
    numbers = Numbers()
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        request.items += _read_item(item, numbers, request)
    for tool in body.get("tools", ()):
        request.tools[tool["name"]] = (tool.get("description") or "", tool["parameters"])
        request.marks |= {"strict"} if tool.get("strict") else set()
    choice = body.get("tool_choice")
    request.choice = choice["name"] if isinstance(choice, dict) else choice
    request.parallel = body.get("parallel_tool_calls")
    request.schema = body.get("text", {}).get("format", {}).get("schema")
    names = {"temperature": "temperature", "top_p": "top_p", "max_output_tokens": "max_tokens"}
    request.settings = {ours: body[name] for name, ours in names.items() if name in body}
    if "effort" in body.get("reasoning", {}):
        request.settings["reasoning"] = body["reasoning"]["effort"]
    return request


def _read_item(item: Any, numbers: Numbers, request: Request) -> Iterator[tuple[Any, ...]]:
    kind = item.get("type", "message")
    if kind == "message":
        for part in item["content"] if isinstance(item["content"], list) else ():
            request.marks.add(part.get("detail"))
        yield from _read_content(item["content"], {"developer": "system"}.get(item["role"], item["role"]))
    elif kind == "function_call":
        yield "call", numbers.of_call(item["call_id"]), item["name"], parsed(item["arguments"])
    elif kind == "function_call_output":
        number = numbers.of_result(item["call_id"])
        inner = [*_read_content(item["output"], "text")]
        text = "".join(part[1] for part in inner if part[0] == "text")
        if text.startswith("Error"):
            request.failed.append(number)
            text = text.removeprefix("Error:").lstrip()
        yield "result", number, text
        yield from (part for part in inner if part[0] != "text")
    elif kind == "reasoning":
        texts = [piece["text"] for piece in (*item["summary"], *item.get("content", ()))]
        request.thoughts.append((*texts, item.get("encrypted_content")))


def _read_content(content: Any, speaker: str) -> Iterator[tuple[Any, ...]]:
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}] if content else []
    for part in content:
        if part["type"] in {"input_text", "output_text"}:
            yield speaker, part["text"]
        elif part["type"] == "input_image":
            yield "image", part["image_url"]
        elif part["type"] == "input_file":
            yield "file", part.get("file_data") or part.get("file_url") or part["file_id"]


def thinks(provider: str) -> bool:
    """It shows summaries of its reasoning."""
    return True


def signs(provider: str) -> bool:
    """What goes back holds `SIGNATURE`."""
    return True


def back(said: Said, provider: str) -> list[Any]:
    """The item goes back with its summary and what it is signed with."""
    return [(SIGNATURE,)] if said.hidden else [(said.thought, SIGNATURE)]


def hides(provider: str) -> bool:
    """It may show no summary."""
    return True


def tells(provider: str) -> frozenset[str]:
    """It tells everything."""
    return frozenset({"cached", "written", "reasoning"})


def finishes(provider: str) -> Mapping[str, str]:
    """Return the finish reasons and what they must become."""
    return FINISHES


def _reasoning(said: Said) -> dict[str, Any]:
    summary = [] if said.hidden else [{"type": "summary_text", "text": said.thought}]
    return {"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": SIGNATURE}


def _spoken(text: str, status: str = "completed") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": content}


def _call(call: Called, at: int, status: str = "completed") -> dict[str, Any]:
    given = {"call_id": call.id, "name": call.name, "arguments": call.arguments if status == "completed" else ""}
    return {"id": f"fc_{at}", "type": "function_call", "status": status, **given}


def _output(said: Said) -> list[Any]:
    output: list[Any] = [{"id": "x_1", "type": "x_unheard_of", "since": 2027}] if said.strange else []
    output += [_reasoning(said)] if said.thought or said.hidden else []
    output += [_spoken(said.text)] if said.text else []
    return output + [_call(call, at) for at, call in enumerate(said.calls)]


def _response(said: Said, output: list[Any], status: str) -> dict[str, Any]:
    reason = None if said.finish in (None, "completed") else said.finish
    over = status == "over"
    return {
        "id": ID,
        "object": "response",
        "created_at": 1_790_000_000,
        "status": ("incomplete" if reason else "completed") if over else status,
        "error": None,
        "incomplete_details": {"reason": reason} if over and reason else None,
        "instructions": None,
        "metadata": {},
        "model": ANSWERS_AS,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": _usage(said.counts) if over and said.counts is not None else None,
    }


def _usage(counts: Counts) -> dict[str, Any]:
    return {
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": counts.written},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    }


def whole(said: Said, provider: str) -> bytes:
    """Write a whole answer."""
    body = _response(said, _output(said), "over")
    if said.strange:
        return json.dumps(sprinkled(body, frozenset())).encode()
    if said.finish in (None, *FINISHES):
        Response.model_validate(body)
    return json.dumps(body).encode()


def events(said: Said, provider: str) -> list[bytes]:
    """Write a streamed answer, event by event."""
    made = [
        {"type": "response.created", "response": _response(said, [], "in_progress")},
        {"type": "response.in_progress", "response": _response(said, [], "in_progress")},
    ]
    for at, item in enumerate(_output(said)):
        made += [{"output_index": at, **event} for event in _item_events(item, said)]
    end = _response(said, _output(said), "over")
    made.append({"type": f"response.{end['status']}", "response": end})
    for number, event in enumerate(made):
        event["sequence_number"] = number
    if said.strange:
        made = [sprinkled(event, frozenset()) for event in made]
        made.insert(2, {"type": "response.x_unheard_of", "sequence_number": 99, "since": 2027})
    elif said.finish in (None, *FINISHES):
        for event in made:
            EVENT.validate_python(event)
    return [as_event(json.dumps(event).encode(), event["type"]) for event in made]


def _item_events(item: Any, said: Said) -> Iterator[dict[str, Any]]:
    kind = item["type"]
    begun = {"reasoning": {**item, "summary": []}, "message": _spoken("", "in_progress")}
    if kind == "function_call":
        begun[kind] = {**item, "arguments": "", "status": "in_progress"}
    yield {"type": "response.output_item.added", "item": begun.get(kind, item)}
    identity = {"item_id": item["id"]}
    if kind == "reasoning" and not said.hidden:
        yield from _summary_events(said, identity)
    elif kind == "message":
        yield from _text_events(item, said, identity)
    elif kind == "function_call":
        for piece in halves(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", "delta": piece, **identity}
        done = {"arguments": item["arguments"], "name": item["name"], **identity}
        yield {"type": "response.function_call_arguments.done", **done}
    yield {"type": "response.output_item.done", "item": item}


def _summary_events(said: Said, identity: Any) -> Iterator[dict[str, Any]]:
    place = {"summary_index": 0, **identity}
    empty, full = ({"type": "summary_text", "text": text} for text in ("", said.thought))
    yield {"type": "response.reasoning_summary_part.added", "part": empty, **place}
    for piece in halves(said.thought):
        yield {"type": "response.reasoning_summary_text.delta", "delta": piece, **place}
    yield {"type": "response.reasoning_summary_text.done", "text": said.thought, **place}
    yield {"type": "response.reasoning_summary_part.done", "part": full, **place}


def _text_events(item: Any, said: Said, identity: Any) -> Iterator[dict[str, Any]]:
    place = {"content_index": 0, **identity}
    (full,) = item["content"]
    yield {"type": "response.content_part.added", "part": {**full, "text": ""}, **place}
    for piece in said.pieces:
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": [], **place}
    yield {"type": "response.output_text.done", "text": said.text, "logprobs": [], **place}
    yield {"type": "response.content_part.done", "part": full, **place}


def as_event(body: bytes, name: str = "error") -> bytes:
    """Write a body as the event of a stream."""
    return f"event: {name}\ndata: ".encode() + body + b"\n\n"


def _failed(code: str, message: str) -> bytes:
    body = _response(Said(), [], "failed") | {"error": {"code": code, "message": message}}
    event = {"type": "response.failed", "sequence_number": 50, "response": body}
    return as_event(json.dumps(event).encode(), "response.failed")


LATE_FAILURES = {
    "error": (
        as_event(
            b'{"type":"error","code":"server_error","message":"An error occurred while processing your request.",'
            b'"param":null,"sequence_number":50}'
        ),
        ServerError,
    ),
    "failed": (_failed("server_error", "The model failed to generate a response."), ServerError),
    "too fast": (_failed("rate_limit_exceeded", "Rate limit reached for gpt-5.5."), ProviderRateLimited),
    "overloaded": (_failed("server_is_overloaded", "Our servers are currently overloaded."), Overloaded),
}
"""Errors in the middle of a stream."""

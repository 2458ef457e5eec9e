"""The events of a stream, written as OpenAI's server writes them; independent of the renderer that is tested."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHELLS = {
    "message": {"content": [], "status": "in_progress"},
    "reasoning": {"summary": []},
    "function_call": {"arguments": "", "status": "in_progress"},
    "custom_tool_call": {"input": ""},
}


def events(response: dict, pieces: int = 2) -> Iterator[dict]:
    """Yield every event of an answer, without ``sequence_number``; each text comes in so many pieces."""
    head = {**response, "output": [], "usage": None, "status": "in_progress", "incomplete_details": None}
    yield {"type": "response.created", "response": head}
    yield {"type": "response.in_progress", "response": head}
    for index, item in enumerate(response["output"]):
        place = {"item_id": item["id"], "output_index": index}
        shell = {name: value for name, value in item.items() if name not in ("encrypted_content", "content")}
        started = {**shell, **copy.deepcopy(_SHELLS.get(item["type"], {}))}
        yield {"type": "response.output_item.added", "output_index": index, "item": started}
        yield from _inner(item, place, pieces)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response['status']}", "response": response}


def _inner(item: dict, place: dict, pieces: int) -> Iterator[dict]:
    if item["type"] == "message":
        for at, part in enumerate(item["content"]):
            yield from _content(part, {**place, "content_index": at}, pieces)
    elif item["type"] == "reasoning":
        for at, part in enumerate(item["summary"]):
            where = {**place, "summary_index": at}
            yield {"type": "response.reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
            yield from _text("reasoning_summary_text", part["text"], where, pieces)
            yield {"type": "response.reasoning_summary_part.done", **where, "part": part}
        for at, part in enumerate(item.get("content", ())):
            where = {**place, "content_index": at}
            yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
            yield from _text("reasoning_text", part["text"], where, pieces)
            yield {"type": "response.content_part.done", **where, "part": part}
    elif item["type"] == "function_call":
        yield from _text("function_call_arguments", item["arguments"], place, pieces, "arguments")
    elif item["type"] == "custom_tool_call":
        yield from _text("custom_tool_call_input", item["input"], place, pieces, "input")
    else:
        yield {"type": f"response.{item['type']}.searching", **place}


def _content(part: dict, where: dict, pieces: int) -> Iterator[dict]:
    if part["type"] == "refusal":
        yield {"type": "response.content_part.added", **where, "part": {"type": "refusal", "refusal": ""}}
        yield from _text("refusal", part["refusal"], where, pieces, "refusal")
    else:
        started = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        yield {"type": "response.content_part.added", **where, "part": started}
        for event in _text("output_text", part["text"], where, pieces):
            yield {**event, "logprobs": []}
        for at, annotation in enumerate(part["annotations"]):
            added = {"annotation_index": at, "annotation": annotation}
            yield {"type": "response.output_text.annotation.added", **where, **added}
    yield {"type": "response.content_part.done", **where, "part": part}


def _text(kind: str, text: str, where: dict, pieces: int, whole: str = "text") -> Iterator[dict]:
    step = max(1, -(-len(text) // pieces)) if pieces else len(text) + 1
    for start in range(0, len(text), step) if pieces else ():
        yield {"type": f"response.{kind}.delta", **where, "delta": text[start : start + step], "obfuscation": "x"}
    yield {"type": f"response.{kind}.done", **where, whole: text}


def sse(*found: dict) -> bytes:
    """Write events, named and numbered."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n".encode()
        for number, event in enumerate(found)
    )

"""The events of a stream that tell of the output: what each of them says to a `Reader`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk
from aigw.wire.fields import checked, rest
from aigw.wire.openai_responses.dialect import WIRE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.wire.openai_responses.reader import Item, Reader

    Handler = Callable[[Reader, Mapping[str, Any]], list[Chunk]]


def _added(reader: Reader, data: Mapping[str, Any]) -> list[Chunk]:
    item = data.get("item")
    if item is None:  # some servers announce an item and do not say what it is
        return []
    known = reader.added(checked(item, dict, "item"), data.get("output_index"))
    return [passed_on(data)] if known is None else known


def passed_on(data: Mapping[str, Any]) -> Chunk:
    """Keep an event that aigw does not model."""
    return Chunk(extra={"events": [rest(data, ("sequence_number",))]}, wire=WIRE)


def _delta_of(data: Mapping[str, Any], name: str = "delta") -> str:
    return checked(data.get(name) or "", str, name)


def _at(data: Mapping[str, Any], name: str) -> int:
    index = data.get(name)
    return index if type(index) is int else 0


def _of(kind: str) -> Callable[[Reader, Mapping[str, Any]], Item]:
    """Make a function that finds the item of a type that an event belongs to."""
    return lambda reader, data: reader.find(kind, data.get("item_id"), data.get("output_index"))


_message: Final = _of("message")
_reasoning: Final = _of("reasoning")
_function: Final = _of("function_call")
_custom: Final = _of("custom_tool_call")


def _content_done(reader: Reader, data: Mapping[str, Any]) -> list[Chunk]:
    part = checked(data.get("part"), dict, "part")
    item = (_reasoning if part.get("type") == "reasoning_text" else _message)(reader, data)
    return reader.content_done(item, _at(data, "content_index"), part)


HANDLERS: Final[Mapping[str, Handler]] = {
    "response.output_item.added": _added,
    "response.output_item.done": lambda reader, data: reader.done(data.get("item"), data.get("output_index")),
    "response.content_part.added": lambda _reader, _data: [],
    "response.content_part.done": _content_done,
    "response.output_text.delta": lambda reader, data: reader.said(
        _message(reader, data), _at(data, "content_index"), _delta_of(data)
    ),
    "response.output_text.done": lambda reader, data: reader.text_done(
        _message(reader, data), _at(data, "content_index"), _delta_of(data, "text")
    ),
    "response.refusal.delta": lambda reader, data: reader.refused(
        _message(reader, data), _at(data, "content_index"), _delta_of(data)
    ),
    "response.refusal.done": lambda reader, data: reader.refusal_done(
        _message(reader, data), _at(data, "content_index"), _delta_of(data, "refusal")
    ),
    "response.reasoning_summary_part.added": lambda _reader, _data: [],
    "response.reasoning_summary_part.done": lambda _reader, _data: [],
    "response.reasoning_summary_text.delta": lambda reader, data: reader.thought(
        _reasoning(reader, data), "summary_text", _at(data, "summary_index"), _delta_of(data)
    ),
    "response.reasoning_summary_text.done": lambda reader, data: reader.thought_done(
        _reasoning(reader, data), "summary_text", _at(data, "summary_index"), _delta_of(data, "text")
    ),
    "response.reasoning_text.delta": lambda reader, data: reader.thought(
        _reasoning(reader, data), "reasoning_text", _at(data, "content_index"), _delta_of(data)
    ),
    "response.reasoning_text.done": lambda reader, data: reader.thought_done(
        _reasoning(reader, data), "reasoning_text", _at(data, "content_index"), _delta_of(data, "text")
    ),
    "response.function_call_arguments.delta": lambda reader, data: reader.called(
        _function(reader, data), _delta_of(data)
    ),
    "response.function_call_arguments.done": lambda reader, data: reader.call_done(
        _function(reader, data), _delta_of(data, "arguments")
    ),
    "response.custom_tool_call_input.delta": lambda reader, data: reader.called(_custom(reader, data), _delta_of(data)),
    "response.custom_tool_call_input.done": lambda reader, data: reader.call_done(
        _custom(reader, data), _delta_of(data, "input")
    ),
}
"""What to do with an event that tells of the output."""

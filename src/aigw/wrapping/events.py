"""What a wrapped generator gives out, as chunks: texts, the stream events of the known SDKs, or anything else."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk
from aigw.errors import AigwError
from aigw.wrapping.plain import plain
from aigw.wrapping.results import guessed, read_result, wire_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_ANTHROPIC: Final = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "ping",
    }
)
_OF_COHERE: Final = ("message-", "content-", "tool-plan-", "tool-call-", "citation-")
_OF_BEDROCK: Final = frozenset(
    {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
)


class EventReader:
    """Reads the items of one stream, in their order."""

    __slots__ = ("_parser", "_wire")

    def __init__(self) -> None:
        self._wire = ""
        self._parser: Any = None

    def read(self, item: Any) -> list[Chunk]:
        """Return what an item says; an item in no known format counts as its text."""
        if isinstance(item, str):
            return [Chunk(item)]
        if isinstance(item, Chunk):
            return [item]
        try:
            data = plain(item)
            if isinstance(data, dict) and data.get("type") == "chunk" and isinstance(data.get("chunk"), dict):
                data = data["chunk"]  # the helpers of OpenAI's SDK put them into events of their own
            wire = event_wire_of(data)
            if wire:
                return self._feed(wire, data)
        except Exception:  # noqa: BLE001  (whatever it is, the caller gets his item; what was not read is estimated)
            return []
        if self._wire:
            return []  # the helpers of the SDKs say everything twice, the second time in events of their own
        return read_result(item) if wire_of(data) else [guessed(item)]

    def finish(self) -> list[Chunk]:
        """Return what the last items held back. A function may end early: where the stream was cut is its business."""
        try:
            return self._parser.finish() if self._parser is not None else []
        except AigwError:
            return []

    def _feed(self, wire: str, data: Mapping[str, Any]) -> list[Chunk]:
        from pydantic_core import to_json

        if wire != self._wire:
            self._wire = wire
            self._parser = import_module(f"aigw.wire.{wire}").StreamParser()
        if wire != "bedrock_converse":
            return list(self._parser.feed(b"data: " + to_json(data) + b"\n\n"))
        from aigw.wire.bedrock_converse.eventstream import render_frame

        chunks: list[Chunk] = []
        for name, event in data.items():
            chunks += self._parser.feed(render_frame({":message-type": "event", ":event-type": name}, to_json(event)))
        return chunks


def event_wire_of(data: Any) -> str:
    """Tell of which format an event is; empty if of none that is known."""
    if not isinstance(data, dict):
        return ""
    kind, choices = data.get("type"), data.get("choices")
    name = kind if isinstance(kind, str) else ""
    signs = {
        "openai_chat": isinstance(choices, list) and not any("message" in choice for choice in choices),
        "openai_responses": name.startswith("response."),
        "gemini": isinstance(data.get("candidates"), list) or isinstance(data.get("usageMetadata"), dict),
        "anthropic_messages": name in _OF_ANTHROPIC,
        "bedrock_converse": bool(data) and data.keys() <= _OF_BEDROCK,
        "cohere_chat": name.startswith(_OF_COHERE),
    }
    return next((wire for wire, found in signs.items() if found), "")

"""Chunks of an answer, to content blocks: as the events of a stream, which also make up whole blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Other, Part, Reasoning, Text, ToolCall
from aigw.wire.anthropic_messages.dialect import WIRE
from aigw.wire.anthropic_messages.parse_messages import REDACTED
from aigw.wire.anthropic_messages.read_blocks import join_fields
from aigw.wire.anthropic_messages.sources import write_file, write_image
from aigw.wire.arguments import write_arguments
from aigw.wire.fields import rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aigw.chunk import Chunk, ToolCallDelta

Events = list[dict[str, Any]]

_NOTHING: Final[Mapping[str, Any]] = {}
_FIELDS: Final = "fields_delta"
"""The type of a delta that brings fields which have none of their own; readers that do not know it pass over it."""


class BlockWriter:
    """Turns chunks into the events of content blocks: one block begins when the one before has ended.

    A piece of a tool call that comes when another block has begun already goes out for its own index all the same.
    """

    __slots__ = ("_calls", "_index", "_kind")

    def __init__(self) -> None:
        self._index = -1
        self._kind = ""
        self._calls: dict[int, int] = {}

    @property
    def has_calls(self) -> bool:
        """Whether there was a tool call."""
        return bool(self._calls)

    def plain_at(self, chunk: Chunk) -> int | None:
        """Return the index of the open text if the chunk does nothing but go on with it, as most do."""
        if (
            self._kind != "text"
            or not chunk.text
            or chunk.extra
            or chunk.reasoning
            or chunk.refusal
            or chunk.tool_calls
            or chunk.parts
        ):
            return None
        return self._index

    def write(self, chunk: Chunk) -> Events:
        """Return the events that a chunk makes."""
        own = chunk.wire in ("", WIRE)
        extra = (chunk.extra if own else None) or _NOTHING
        events: Events = []
        if extra.get("new_part"):
            events += self.close()
        if chunk.reasoning:
            events += self._grow("thinking", {"thinking": chunk.reasoning})
        fields = extra.get("part") or _NOTHING
        if text := chunk.text + chunk.refusal:
            events += self._begin_text(fields)
            events += self._grow("text", {"text": text})
        elif fields:
            events += self._fields(fields)
        if unknown := extra.get("delta"):
            kind = str(unknown.get("type", "")).removesuffix("_delta")
            if kind in ("text", "thinking"):
                events += self._grow(kind, {kind: "", **unknown})
        for call in chunk.tool_calls:
            events += self._call(call, own=own)
        for part in chunk.parts:
            events += self._part(part, own=own)
        return events

    def close(self) -> Events:
        """End the open block."""
        if not self._kind:
            return []
        self._kind = ""
        return [{"type": "content_block_stop", "index": self._index}]

    def _begin(self, block: dict[str, Any]) -> Events:
        events = self.close()
        self._index += 1
        self._kind = block["type"]
        return [*events, {"type": "content_block_start", "index": self._index, "content_block": block}]

    def _delta(self, kind: str, fields: Mapping[str, Any], index: int | None = None) -> dict[str, Any]:
        where = self._index if index is None else index
        return {"type": "content_block_delta", "index": where, "delta": {"type": kind, **fields}}

    def _grow(self, kind: str, fields: Mapping[str, Any]) -> Events:
        """Go on with the text or the thinking, or begin it."""
        began: Events = []
        if self._kind != kind:
            began = self._begin({"type": "text", "text": ""} if kind == "text" else _thinking())
        return [*began, self._delta(f"{kind}_delta", fields)]

    def _begin_text(self, fields: Mapping[str, Any]) -> Events:
        """Begin a text with these fields, or put them to the one that is open."""
        if self._kind == "text":
            return self._fields(fields)
        others = {name: value for name, value in fields.items() if name != "citations"}
        citations = {"citations": fields["citations"]} if "citations" in fields else _NOTHING
        return [*self._begin({"type": "text", "text": "", **others}), *self._fields(citations)]

    def _fields(self, fields: Mapping[str, Any]) -> Events:
        """Put unknown fields to the open block, a text if there is none."""
        if not fields:
            return []
        events: Events = [] if self._kind else self._begin({"type": "text", "text": ""})
        others = dict(fields)
        citations = others.pop("citations", None)
        if isinstance(citations, list):
            events += [self._delta("citations_delta", {"citation": citation}) for citation in citations]
        elif citations is not None:
            others["citations"] = citations
        return [*events, self._delta(_FIELDS, others)] if others else events

    def _call(self, call: ToolCallDelta, *, own: bool) -> Events:
        events: Events = []
        extra = (call.extra if own else None) or _NOTHING
        index = self._calls.get(call.index)
        if index is None:
            identity = call.id or f"call_{len(self._calls)}"
            block = {"type": "tool_use", "id": identity, "name": call.name or "", "input": {}, **extra}
            events += self._begin(block)
            index = self._calls[call.index] = self._index
        elif extra:
            events.append(self._delta(_FIELDS, extra, index))
        if call.arguments:
            events.append(self._delta("input_json_delta", {"partial_json": call.arguments}, index))
        return events

    def _part(self, part: Part, *, own: bool) -> Events:
        """Write a part that came whole. One that only another format knows is left out."""
        extra = part.extra if own and not isinstance(part, Other) else _NOTHING
        if isinstance(part, Reasoning):
            return self._reasoning(part, own=own)
        block: dict[str, Any] | None = None
        if isinstance(part, Text):
            block = {"type": "text", "text": part.text, **extra}
        elif isinstance(part, ToolCall):
            self._calls[-1 - len(self._calls)] = self._index + 1
            arguments = write_arguments(part.arguments)
            block = {"type": "tool_use", "id": part.id, "name": part.name, "input": arguments, **extra}
        elif isinstance(part, Image):
            block = write_image(part, extra)
        elif isinstance(part, File):
            block = write_file(part, extra, own=own)[0]
        elif isinstance(part, Other) and own:
            block = dict(part.data)
        return [] if block is None else [*self._begin({"type": "text", **block}), *self.close()]

    def _reasoning(self, part: Reasoning, *, own: bool) -> Events:
        extra = dict(part.extra) if own else {}
        if extra.get("type") == REDACTED:
            return [*self._begin({"data": part.signature or "", **extra}), *self.close()]
        events: Events = []
        if self._kind != "thinking" or part.text:
            events += self._begin(_thinking())
        if part.text:
            events += self._grow("thinking", {"thinking": part.text})
        if part.signature and own:
            events.append(self._delta("signature_delta", {"signature": part.signature}))
        return [*events, *self._fields(extra), *self.close()]


def _thinking() -> dict[str, Any]:
    return {"type": "thinking", "thinking": "", "signature": ""}


def whole_blocks(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put the events of a `BlockWriter` together to whole blocks."""
    blocks: list[dict[str, Any]] = []
    arguments: dict[int, list[str]] = {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(dict(event["content_block"]))
        elif event["type"] == "content_block_delta":
            block = blocks[event["index"]]
            delta = event["delta"]
            kind = delta["type"]
            if kind == "input_json_delta":
                arguments.setdefault(event["index"], []).append(delta["partial_json"])
            elif kind == "citations_delta":
                block["citations"] = [*block.get("citations", ()), delta["citation"]]
            else:
                _apply(block, kind, delta)
    for index, pieces in arguments.items():
        blocks[index]["input"] = write_arguments("".join(pieces))
    return blocks


def _apply(block: dict[str, Any], kind: str, delta: Mapping[str, Any]) -> None:
    grows = {"text_delta": "text", "thinking_delta": "thinking"}.get(kind)
    if grows is not None:
        block[grows] += delta[grows]
    else:
        join_fields(block, rest(delta, ("type",)))

"""From chunks to the events of a stream, of which a whole answer can be made too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Other, Reasoning, Text, ToolCall
from aigw.wire.bedrock_converse.dialect import WIRE, Dialect
from aigw.wire.bedrock_converse.folding import NO_METRICS, split
from aigw.wire.bedrock_converse.media import kind_of, write_source
from aigw.wire.bedrock_converse.usage import STOP_REASON, render_usage, write_reason
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.chunk import Chunk, ToolCallDelta
    from aigw.message import Part
    from aigw.wire.bedrock_converse.folding import Event

METADATA: Final = frozenset({"metrics", "trace", "performanceConfig", "serviceTier"})
"""Fields that stand in the event ``metadata`` of a stream."""

_INNER: Final = ("part", "message", "usage", "events", STOP_REASON)
_TEXT: Final = "text"
_REASONING: Final = "reasoningContent"


class Events:
    """Turns chunks into events, one block of content after the other.

    Args:
        dialect: names the provider whose signatures the client gets: those of others are nothing to it.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._begun = False
        self._next = 0
        self._open: tuple[str, int] | None = None
        self._calls: dict[int, int] = {}  # blocks of tool calls that are open, by the index of the call
        self._seen_calls = False
        self._stopped = False
        self._metadata: dict[str, Any] = {}

    def write(self, chunk: Chunk) -> list[Event]:
        """Return the events of a chunk; what comes after the end is kept for `finish`."""
        if chunk.index:
            return []
        own = not chunk.wire or chunk.wire == WIRE
        extra = (chunk.extra or {}) if own else {}
        events = self._begin(extra)
        if chunk.reasoning:
            events += self._piece(_REASONING, {_REASONING: {"text": chunk.reasoning}})
        events += self._text(chunk.text + chunk.refusal, extra.get("part") or {})
        for delta in chunk.tool_calls:
            events += self._call(delta, own=own)
        for part in chunk.parts:
            events += self._part(part, own=own)
        events += [(name, payload) for event in extra.get("events", ()) for name, payload in event.items()]
        whole = rest(extra, _INNER)
        if chunk.finish_reason is not None:
            reason = extra.get(STOP_REASON) or write_reason(chunk.finish_reason)
            events += self._stop({STOP_REASON: reason, **rest(whole, METADATA)})
            whole = {name: value for name, value in whole.items() if name in METADATA}
        self._metadata.update(whole)
        if chunk.usage is not None:
            self._metadata["usage"] = render_usage(chunk.usage, extra.get("usage"))
        elif extra.get("usage"):
            self._metadata["usage"] = dict(extra["usage"])
        return events

    def finish(self) -> list[Event]:
        """Return the end: the reason, if no chunk has told one, and the metadata, if there is any."""
        events = self._begin({})
        if not self._stopped:
            events += self._stop({STOP_REASON: "tool_use" if self._seen_calls else "end_turn"})
        if self._metadata:
            events.append(("metadata", {"metrics": NO_METRICS, **self._metadata}))
        return events

    def _begin(self, extra: Mapping[str, Any]) -> list[Event]:
        unknown = extra.get("message")
        if self._begun:
            return []
        self._begun = True
        return [("messageStart", {"role": "assistant", **(unknown or {})})]

    def _stop(self, payload: dict[str, Any]) -> list[Event]:
        self._stopped = True
        return [*self._close(), ("messageStop", payload)]

    def _close(self) -> list[Event]:
        """Close the blocks that are open."""
        indices = [*([self._open[1]] if self._open else []), *self._calls.values()]
        self._open = None
        self._calls = {}
        return [("contentBlockStop", {"contentBlockIndex": index}) for index in indices]

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _piece(self, kind: str, delta: dict[str, Any]) -> list[Event]:
        """Go on with the block if it is of this kind, else begin one."""
        events: list[Event] = []
        if self._open is None or self._open[0] != kind:
            events = self._close()
            self._open = (kind, self._new())
        return [*events, _delta(self._open[1], delta)]

    def _text(self, text: str, fields: Mapping[str, Any]) -> list[Event]:
        beside = rest(fields, ("citations", "cachePoint"))
        events = self._piece(_TEXT, {"text": text, **beside}) if text or beside else []
        for citation in fields.get("citations") or ():
            events += self._piece(_TEXT, {"citation": citation})
        return events

    def _call(self, delta: ToolCallDelta, *, own: bool) -> list[Event]:
        events: list[Event] = []
        self._seen_calls = True
        index = self._calls.get(delta.index)
        if index is None:
            events = self._close() if self._open else []
            index = self._calls[delta.index] = self._new()
            start = {"toolUseId": delta.id or f"call_{delta.index}", "name": delta.name or ""}
            more = dict(delta.extra or {}) if own else {}
            block = merge({"toolUse": start}, more)
            events.append(("contentBlockStart", {"start": block, "contentBlockIndex": index}))
        if delta.arguments:
            events.append(_delta(index, {"toolUse": {"input": delta.arguments}}))
        return events

    def _part(self, part: Part, *, own: bool) -> list[Event]:
        if isinstance(part, Reasoning):
            return self._reasoning(part)
        if isinstance(part, Text):
            return self._text(part.text, part.extra if own else {})
        block: dict[str, Any] | None = None
        if isinstance(part, ToolCall):
            block = {"toolUse": {"toolUseId": part.id, "name": part.name, "input": part.arguments}}
        elif isinstance(part, (Image, File)) and part.url is not None:
            kind = kind_of(part.url)
            written = write_source(kind, part.url, own=own)
            block = None if written is None else merge({kind: written}, part.extra if own else {})
        elif isinstance(part, Other) and own:
            block = dict(part.data)
        return [] if block is None else self._block(block)

    def _reasoning(self, part: Reasoning) -> list[Event]:
        ours = part.signature is not None and part.provider == self._dialect.provider
        if "redactedContent" in part.extra:
            return self._block({_REASONING: {"redactedContent": part.signature}}) if ours else []
        events: list[Event] = []
        if part.text:
            events = self._close() + self._piece(_REASONING, {_REASONING: {"text": part.text}})
        if ours:
            events += self._piece(_REASONING, {_REASONING: {"signature": part.signature}})
        return events + (self._close() if self._open and self._open[0] == _REASONING else [])

    def _block(self, block: Mapping[str, Any]) -> list[Event]:
        """Write a whole block in the way in which its kind is streamed."""
        events = self._close()
        index = self._new()
        start, delta = split(block)
        if start:
            events.append(("contentBlockStart", {"start": start, "contentBlockIndex": index}))
        return [*events, _delta(index, delta), ("contentBlockStop", {"contentBlockIndex": index})]


def _delta(index: int, delta: dict[str, Any]) -> Event:
    return "contentBlockDelta", {"delta": delta, "contentBlockIndex": index}

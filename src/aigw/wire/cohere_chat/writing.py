"""Chunks as the events of a streamed answer in Cohere's chat format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import Other, Part, Reasoning, Text, ToolCall
from aigw.wire.cohere_chat.answer import INNER
from aigw.wire.cohere_chat.dialect import WIRE
from aigw.wire.cohere_chat.events import LOGPROBS
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN, is_plan
from aigw.wire.cohere_chat.reasons import FINISH, write_reason
from aigw.wire.cohere_chat.usage import render_usage
from aigw.wire.fields import rest
from aigw.wire.openai_chat.parts import write_tool_call
from aigw.wire.whole import own_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Final[Mapping[str, Any]] = {}
_BLOCKS: Final = ("text", "thinking")
_NO_WHOLE: Final = INNER | {LOGPROBS}

Event = dict[str, Any]


class EventWriter:
    """Writes chunk after chunk as events. The last event is made by `finish`, because usage may come late.

    Only the first of several answers is written: this format has no more.

    Args:
        identity: id of the answer; that of the first chunk if empty.
    """

    __slots__ = (
        "_calls",
        "_citations",
        "_counts",
        "_events",
        "_extra",
        "_identity",
        "_index",
        "_open",
        "_open_call",
        "_reason",
        "_usage",
    )

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._events: list[Event] = []
        self._open = ""  # the kind of the block that is being written: text, thinking or the plan
        self._index = -1  # of the last block
        self._calls: dict[int, int] = {}
        self._open_call: int | None = None
        self._citations = 0
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._counts: Mapping[str, Any] = _NOTHING  # those that Usage does not model
        self._extra: dict[str, Any] | None = None  # unknown fields of the whole answer; None until it has begun

    def write(self, chunk: Chunk) -> list[Event]:
        """Return the events that a chunk is."""
        if chunk.index:
            return []
        extra = own_extra(chunk, WIRE)
        self._events = []
        message = extra.get("message")
        if self._extra is None:
            self._begin(chunk, message)
        elif message:
            self._extra["message"] = {**self._extra.get("message", {}), **message}
        fields = extra.get("part") or _NOTHING
        self._say(chunk, fields)
        self._cite(fields)
        for part in chunk.parts:
            self._part(part, known=chunk.wire in ("", WIRE))
        self._events += extra.get("events") or ()
        self._keep(chunk, extra)
        return self._events

    def _begin(self, chunk: Chunk, message: Mapping[str, Any] | None) -> None:
        self._extra = {}
        identity = self._identity or chunk.id
        start: Event = {"type": "message-start", "delta": {"message": {"role": "assistant", **(message or {})}}}
        self._events.append({"id": identity, **start} if identity else start)

    def _say(self, chunk: Chunk, fields: Mapping[str, Any]) -> None:
        unknown = rest(fields, ("type", CITATIONS)) if fields else {}
        if chunk.reasoning:
            if is_plan(fields):
                self._turn("plan")
                self._add("tool-plan-delta", {PLAN: chunk.reasoning})
            else:
                self._turn("thinking")
                self._delta({"thinking": chunk.reasoning, **unknown})
                unknown = {}
        if text := chunk.text or chunk.refusal:
            self._turn("text")
            self._delta({"text": text, **unknown})
        elif unknown:
            self._turn(self._open if self._open in _BLOCKS else "text")
            self._delta(unknown)
        for call in chunk.tool_calls:
            self._call(call, known=chunk.wire in ("", WIRE))

    def _keep(self, chunk: Chunk, extra: Mapping[str, Any]) -> None:
        """Remember what belongs to the end, or put it to the first event that this chunk made."""
        assert self._extra is not None
        if chunk.finish_reason is not None:
            self._reason = chunk.finish_reason
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not extra:
            return
        self._counts = extra.get("usage") or self._counts
        if FINISH in extra:
            self._extra[FINISH] = extra[FINISH]
        whole = rest(extra, _NO_WHOLE)
        items = extra.get(LOGPROBS)
        last = self._events[-1] if self._events else None
        if last is None or chunk.finish_reason is not None or chunk.usage is not None:
            self._extra.update(whole if items is None else {**whole, LOGPROBS: items})
        else:
            last.update(whole)
            if items is not None:
                last[LOGPROBS] = items[0] if isinstance(items, list) and len(items) == 1 else items

    def _turn(self, kind: str) -> None:
        """Close the block that is open, and open one of this kind, unless it is open already."""
        if self._open == kind:
            return
        self._close()
        self._open = kind
        if kind in _BLOCKS:
            self._index += 1
            self._add("content-start", {"content": {"type": kind, kind: ""}}, self._index)

    def _close(self, fields: Mapping[str, Any] = _NOTHING) -> None:
        if self._open in _BLOCKS:
            self._events.append({"type": "content-end", "index": self._index, **fields})
        self._open = ""
        if self._open_call is not None:
            self._events.append({"type": "tool-call-end", "index": self._open_call})
            self._open_call = None

    def _delta(self, content: Mapping[str, Any]) -> None:
        self._add("content-delta", {"content": dict(content)}, self._index)

    def _add(self, kind: str, message: Mapping[str, Any], index: int | None = None) -> None:
        place = {} if index is None else {"index": index}
        self._events.append({"type": kind, **place, "delta": {"message": message}})

    def _call(self, call: ToolCallDelta, *, known: bool) -> None:
        extra = call.extra if known else None
        if call.index in self._calls:
            rendered = write_tool_call(call.id, call.name, call.arguments, extra)
            self._add("tool-call-delta", {"tool_calls": rendered}, self._calls[call.index])
            return
        self._close()
        position = self._calls[call.index] = self._open_call = len(self._calls)
        rendered = write_tool_call(call.id or f"call_{position}", call.name, call.arguments, extra)
        self._add("tool-call-start", {"tool_calls": rendered}, position)

    def _cite(self, fields: Mapping[str, Any]) -> None:
        citations = fields.get(CITATIONS)
        for citation in citations if isinstance(citations, list) else ():
            self._add("citation-start", {CITATIONS: citation}, self._citations)
            self._events.append({"type": "citation-end", "index": self._citations})
            self._citations += 1

    def _part(self, part: Part, *, known: bool) -> None:
        if isinstance(part, Reasoning):
            self._reasoning(part, part.extra if known else _NOTHING)
        elif isinstance(part, Text):
            self._turn("text")
            self._delta({"text": part.text, **(rest(part.extra, (CITATIONS,)) if known else {})})
            self._cite(part.extra if known else _NOTHING)
        elif isinstance(part, ToolCall):
            index = max(self._calls, default=-1) + 1
            self._call(ToolCallDelta(index, part.id, part.name, part.arguments, part.extra), known=known)
        elif known and isinstance(part, Other):
            self._close()
            self._index += 1
            self._add("content-start", {"content": dict(part.data)}, self._index)
            self._events.append({"type": "content-end", "index": self._index})

    def _reasoning(self, part: Reasoning, extra: Mapping[str, Any]) -> None:
        """Write reasoning that came whole, or the end of what came in pieces."""
        if part.text:
            self._close()
        if part.text and is_plan(extra):
            self._turn("plan")
            self._add("tool-plan-delta", {PLAN: part.text})
        elif self._open != "plan":
            self._turn("thinking")
            if part.text:
                self._delta({"thinking": part.text})
        self._cite(extra)
        self._close(rest(extra, ("type", CITATIONS)))

    def finish(self) -> list[Event]:
        """Return the last events."""
        self._events = []
        if self._extra is None:
            self._begin(Chunk(), None)
        self._close()
        assert self._extra is not None
        delta: dict[str, Any] = {
            FINISH: write_reason(self._reason, self._extra, calls=bool(self._calls)),
            **rest(self._extra, (FINISH,)),
        }
        if self._usage is not None:
            delta["usage"] = render_usage(self._usage, self._counts)
        elif self._counts:
            delta["usage"] = dict(self._counts)
        self._events.append({"type": "message-end", "delta": delta})
        return self._events

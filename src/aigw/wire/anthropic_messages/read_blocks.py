"""Content blocks of an answer, to chunks: whole ones, and those that come in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Chunk, ToolCallDelta
from aigw.message import Other, Reasoning, Text
from aigw.wire.anthropic_messages.dialect import WIRE
from aigw.wire.anthropic_messages.parse_messages import REDACTED
from aigw.wire.anthropic_messages.tools import read_input
from aigw.wire.arguments import write_arguments
from aigw.wire.fields import optional, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = Chunk(wire=WIRE)
_KIND_OF_DELTA: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "tool_use"}


class _Open:
    """A block whose end has not come."""

    __slots__ = ("block", "done", "fields", "kind", "new_part", "number", "pieces", "seen")

    def __init__(self, kind: str, block: dict[str, Any]) -> None:
        self.kind = kind
        self.block = block
        self.fields: dict[str, Any] = {}
        self.pieces: list[str] = []
        self.number = 0
        self.new_part = False
        self.seen = False
        self.done = False


class BlockReader:
    """Turns the blocks of one answer into chunks.

    Args:
        provider: the provider whose signatures its thinking has.
    """

    __slots__ = ("_after_text", "_calls", "_open", "_provider")

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._open: dict[int, _Open] = {}
        self._calls = 0
        self._after_text = False

    def whole(self, block: dict[str, Any]) -> list[Chunk]:
        """Read a block that came in one piece: a chunk, or none for a text without text.

        Raises:
            ConfigError: a field has the wrong type.
        """
        open_ = self._begin(block)
        began = self._start(open_)
        ended = self._stop(open_)
        if open_.kind == "tool_use":
            (start,), (end,) = began[0].tool_calls, ended[0].tool_calls
            call = ToolCallDelta(start.index, start.id, start.name, end.arguments, start.extra)
            return [began[0].evolve(tool_calls=(call,))]
        if open_.kind == "thinking" and began and ended:
            return [began[0].evolve(parts=ended[0].parts)]
        return began + ended

    def start(self, index: int, block: dict[str, Any]) -> list[Chunk]:
        """Begin a block, and end those whose end the server forgot; pieces of several calls may come mixed."""
        ended = [chunk for at in self._open if self._is_over(at, index) for chunk in self.stop(at)]
        open_ = self._open[index] = self._begin(block)
        return ended + self._start(open_)

    def _is_over(self, at: int, index: int) -> bool:
        return at == index or self._open[at].kind != "tool_use"

    def delta(self, index: int, delta: dict[str, Any]) -> list[Chunk]:
        """Go on with a block; one that never began begins here, if the delta tells its kind."""
        kind = delta.get("type")
        open_ = self._open.get(index)
        if open_ is None:
            if kind not in _KIND_OF_DELTA:
                return []
            return self.start(index, {"type": _KIND_OF_DELTA[kind]}) + self.delta(index, delta)
        if open_.kind == "text":
            return self._text_delta(open_, kind, delta)
        if open_.kind == "thinking":
            return self._thinking_delta(open_, kind, delta)
        if open_.kind == "tool_use":
            return self._call_delta(open_, kind, delta)
        self._other_delta(open_, kind, delta)
        return []

    def stop(self, index: int) -> list[Chunk]:
        """End a block."""
        open_ = self._open.get(index)
        return [] if open_ is None or open_.done else self._stop(open_)

    def close(self) -> list[Chunk]:
        """End the blocks whose end the server forgot."""
        return [chunk for index in self._open for chunk in self.stop(index)]

    def _begin(self, block: dict[str, Any]) -> _Open:
        kind = optional(block, "type", str) or "text"
        open_ = _Open(kind, block)
        if kind == "text":
            open_.new_part = self._after_text
        elif kind == "tool_use":
            open_.number = self._calls
            self._calls += 1
        else:
            open_.block = dict(block)
        self._after_text = False
        return open_

    def _start(self, open_: _Open) -> list[Chunk]:
        block = open_.block
        if open_.kind == "text":
            open_.fields = rest(block, ("type", "text"))
            if open_.fields.get("citations") == []:  # a list that citations may come into
                del open_.fields["citations"]
            return self._text(open_, optional(block, "text", str) or "")
        if open_.kind == "thinking":
            open_.fields = rest(block, ("type", "thinking", "signature"))
            text = optional(block, "thinking", str)
            open_.seen = bool(text)
            return [Chunk(reasoning=text, wire=WIRE)] if text else []
        if open_.kind == "tool_use":
            identity = optional(block, "id", str) or f"call_{open_.number}"
            extra = rest(block, ("type", "id", "name", "input"))
            call = ToolCallDelta(open_.number, identity, optional(block, "name", str), "", extra or None)
            return [Chunk(tool_calls=(call,), wire=WIRE)]
        return []

    def _text(self, open_: _Open, text: str) -> list[Chunk]:
        if not text:
            return []
        self._after_text = open_.seen = True
        if not open_.new_part and not open_.fields:
            return [_TEXT.evolve(text=text)]
        extra: dict[str, Any] = {"new_part": True} if open_.new_part else {}
        if open_.fields:
            extra["part"] = open_.fields
        open_.new_part = False
        open_.fields = {}
        return [Chunk(text, extra=extra, wire=WIRE)]

    def _text_delta(self, open_: _Open, kind: Any, delta: dict[str, Any]) -> list[Chunk]:
        if kind == "text_delta":
            if len(delta) == 2:  # noqa: PLR2004  (type, text: nothing else)
                return self._text(open_, optional(delta, "text", str) or "")
            return self._text(open_, optional(delta, "text", str) or "") + _unknown(delta, "text")
        fields = {"citations": [delta.get("citation")]} if kind == "citations_delta" else rest(delta, ("type",))
        if open_.seen:
            return [Chunk(extra={"part": fields}, wire=WIRE)] if fields else []
        join_fields(open_.fields, fields)
        return []

    def _thinking_delta(self, open_: _Open, kind: Any, delta: dict[str, Any]) -> list[Chunk]:
        if kind == "thinking_delta":
            text = optional(delta, "thinking", str) or ""
            open_.seen = open_.seen or bool(text)
            said = [Chunk(reasoning=text, wire=WIRE)] if text else []
            return said + _unknown(delta, "thinking")
        if kind == "signature_delta":
            open_.block["signature"] = optional(delta, "signature", str)
        else:
            join_fields(open_.fields, rest(delta, ("type",)))
        return []

    def _call_delta(self, open_: _Open, kind: Any, delta: dict[str, Any]) -> list[Chunk]:
        if kind != "input_json_delta":
            fields = rest(delta, ("type",))
            call = ToolCallDelta(open_.number, extra=fields)
            return [Chunk(tool_calls=(call,), wire=WIRE)] if fields else []
        piece = optional(delta, "partial_json", str)
        if not piece:
            return []
        open_.seen = True
        return [Chunk(tool_calls=(ToolCallDelta(open_.number, arguments=piece),), wire=WIRE)]

    def _other_delta(self, open_: _Open, kind: Any, delta: dict[str, Any]) -> None:
        if kind == "input_json_delta":
            open_.pieces.append(optional(delta, "partial_json", str) or "")
        elif kind == "citations_delta":
            join_fields(open_.block, {"citations": [delta.get("citation")]})
        else:
            for name, value in rest(delta, ("type",)).items():
                there = open_.block.get(name)
                both = isinstance(there, str) and isinstance(value, str)
                join_fields(open_.block, {name: f"{there}{value}" if both else value})

    def _stop(self, open_: _Open) -> list[Chunk]:
        open_.done = True
        block = open_.block
        if open_.kind == "text":
            parts: tuple[Any, ...] = (Text("", open_.fields),) if open_.fields else ()
        elif open_.kind == "thinking":
            signature = optional(block, "signature", str) or None
            known = open_.seen or signature or open_.fields
            parts = (Reasoning("", signature, self._provider, open_.fields),) if known else ()
        elif open_.kind == "tool_use":
            if open_.seen:
                return []
            call = ToolCallDelta(open_.number, arguments=read_input(block.get("input")))
            return [Chunk(tool_calls=(call,), wire=WIRE)]
        elif open_.kind == REDACTED:
            extra = {"type": REDACTED, **rest(block, ("type", "data"))}
            parts = (Reasoning("", optional(block, "data", str), self._provider, extra),)
        else:
            if pieces := "".join(open_.pieces):
                block["input"] = write_arguments(pieces)
            parts = (Other(block),)
        return [Chunk(parts=parts, wire=WIRE)] if parts else []


def _unknown(delta: Mapping[str, Any], field: str) -> list[Chunk]:
    """Pass on what a delta has beyond its text; the type tells which block it goes on with."""
    fields = rest(delta, (field,))
    return [Chunk(extra={"delta": fields}, wire=WIRE)] if len(fields) > 1 else []


def join_fields(fields: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put unknown fields to others, in place: lists grow, of others the last counts."""
    for name, value in more.items():
        there = fields.get(name)
        fields[name] = [*there, *value] if isinstance(there, list) and isinstance(value, list) else value

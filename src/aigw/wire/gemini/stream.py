"""Streamed answers in Gemini's format: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.chunk import Chunk, ToolCallDelta, join_deltas
from aigw.wire.gemini.answer import EventReader
from aigw.wire.gemini.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.gemini.errors import classify
from aigw.wire.gemini.parts import Writer
from aigw.wire.gemini.render import (
    end_of,
    is_own,
    render_candidate,
    render_whole_fields,
    says_something,
    write_chunk,
)
from aigw.wire.sse import render_event
from aigw.wire.streams import JsonEventParser

if TYPE_CHECKING:
    from aigw.message import ToolCall
    from aigw.wire.sse import Event

_LONGEST_TAIL: Final = 16_384
"""Bytes at the end of a body in which an error may stand that is no event."""


class StreamParser(JsonEventParser):
    """Reads a stream from its bytes, split anywhere.

    The format has no mark for its end. The proper end is the end of the body after every candidate that was seen has
    its finish reason. Several candidates of which one never began cannot be told from fewer candidates.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_reader", "_tail")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(classify, dialect.provider, model)
        self._reader = EventReader(dialect, model)
        self._tail = b""

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete; see `EventParser.feed`.

        Raises:
            BadResponse: an event is not JSON or no answer.
            ContentFiltered: the prompt was blocked.
            ProviderError: the provider sent an error.
        """
        self._tail = (self._tail + data)[-_LONGEST_TAIL:]
        return super().feed(data)

    def finish(self) -> list[Chunk]:
        """Tell that the body is over; see `EventParser.finish`.

        Raises:
            BadResponse: that was not the proper end of the stream.
            ProviderError: what `feed` still had to raise, or an error that stands behind the last event as it is.
        """
        if self._failure is None and not self.ended:
            self._check_tail()
        chunks = super().finish()
        self.ended = True
        return chunks

    def _is_over(self) -> bool:
        return bool(self._reader.finished) and self._reader.finished == self._reader.seen

    def _read_event(self, event: Event) -> list[Chunk]:
        return self._reader.read(self._json(event)) if event.data else []

    def _check_tail(self) -> None:
        """Look for an error that the server wrote behind the events, as JSON in lines of its own."""
        lines = self._tail.replace(b"\r\n", b"\n").split(b"\n")
        start = max((at + 1 for at, line in enumerate(lines) if line.startswith(b"data:")), default=0)
        text = b"\n".join(lines[start:]).strip()
        if text[:1] not in (b"{", b"["):
            return
        try:
            value = from_json(text)
        except ValueError:
            return  # cut, which the caller will notice
        said = value[0] if isinstance(value, list) and value else value
        if isinstance(said, dict) and said.get("error"):
            self._failure = self._error(text)
            raise self._failure


class StreamRenderer:
    """Writes chunks as a stream, an event for each.

    A function call goes out in one piece. Its pieces are held until it is complete, which for those of other formats is
    when the candidate ends.

    Args:
        id: id of the answer, where a chunk has none.
        model: the model, where a chunk names none.
        created: when it was made; not told.
        dialect: names the provider whose thought signatures the client gets.
    """

    __slots__ = ("_begun", "_dialect", "_held", "_id", "_model")

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002  (the name of the field in the other formats)
        model: str = "",
        created: int = 0,  # noqa: ARG002  (this format does not tell it; all formats are called alike)
        dialect: Dialect = DEFAULT,
    ) -> None:
        self._id = id
        self._model = model
        self._dialect = dialect
        self._begun: dict[int, bool] = {}  # candidates, and whether they have ended
        self._held: dict[tuple[int, int], list[tuple[ToolCallDelta, bool]]] = {}

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; empty for one that says nothing, or holds only a piece of a function call."""
        writer = Writer(self._dialect.provider)
        write_chunk(chunk, self._due(chunk), writer, self._dialect)
        event = render_whole_fields(chunk)
        if writer.parts or (says_something(chunk) and not chunk.tool_calls) or chunk.finish_reason is not None:
            event["candidates"] = [render_candidate(chunk.index, writer.parts, chunk.finish_reason, [chunk])]
            self._begun[chunk.index] = self._begun.get(chunk.index, False) or chunk.finish_reason is not None
        return self._event(event, chunk) if event else b""

    def finish(self) -> bytes:
        """Render the end: calls that are still held, and an end for each candidate that has none."""
        rendered = []
        for index in sorted({index for index, _ in self._held}):
            writer = Writer(self._dialect.provider)
            write_chunk(Chunk(), self._release(index), writer, self._dialect)
            rendered.append(self._event({"candidates": [render_candidate(index, writer.parts, "tool_calls", [])]}))
            self._begun[index] = True
        open_ones = [index for index, ended in self._begun.items() if not ended]
        if open_ones:
            rendered.append(self._event({"candidates": [end_of(index) for index in open_ones]}))
        return b"".join(rendered)

    def _due(self, chunk: Chunk) -> list[tuple[ToolCall, bool]]:
        """Hold the pieces of calls; return the calls that are complete with this chunk."""
        due = []
        for delta in chunk.tool_calls:
            place = (chunk.index, delta.index)
            self._held.setdefault(place, []).append((delta, is_own(chunk)))
            if chunk.wire == WIRE and delta.arguments:  # this format gives the arguments in one piece
                due.append(_join(self._held.pop(place)))
        return due if chunk.finish_reason is None else due + self._release(chunk.index)

    def _release(self, index: int) -> list[tuple[ToolCall, bool]]:
        places = sorted(place for place in self._held if place[0] == index)
        return [_join(self._held.pop(place)) for place in places]

    def _event(self, event: dict[str, Any], chunk: Chunk | None = None) -> bytes:
        model = (chunk.model if chunk else None) or self._model
        identity = (chunk.id if chunk else None) or self._id
        if model:
            event["modelVersion"] = model
        if identity:
            event["responseId"] = identity
        return render_event(to_json(event))


def _join(held: list[tuple[ToolCallDelta, bool]]) -> tuple[ToolCall, bool]:
    return join_deltas([delta for delta, _ in held]), held[0][1]

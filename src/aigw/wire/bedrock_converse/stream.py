"""Streamed answers of the Converse API: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic_core import from_json, to_json

from aigw.wire.bedrock_converse.dialect import DEFAULT, Dialect
from aigw.wire.bedrock_converse.errors import classify_exception
from aigw.wire.bedrock_converse.events import Events
from aigw.wire.bedrock_converse.eventstream import EventStream, Frame, render_frame
from aigw.wire.bedrock_converse.reading import Reader
from aigw.wire.fields import checked
from aigw.wire.streams import EventParser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.chunk import Chunk
    from aigw.wire.bedrock_converse.folding import Event

_FAILURES: Final = {"exception": ":exception-type", "error": ":error-code"}


class StreamParser(EventParser[Frame]):
    """Reads a stream from its bytes, split anywhere.

    The proper end is the event ``metadata``, or the end of the body after ``messageStop``.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_reader",)

    _EXPECTED: ClassVar[str] = "one of the Converse API"

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(EventStream(), dialect.provider, model)
        self._reader = Reader(dialect)

    def _is_over(self) -> bool:
        return self._reader.stopped

    def _read_event(self, event: Frame) -> list[Chunk]:
        failure = _FAILURES.get(str(event.headers.get(":message-type")))
        if failure is not None:
            said = event.payload or to_json({"message": str(event.headers.get(":error-message", ""))})
            code = str(event.headers.get(failure, ""))
            raise classify_exception(code, said, provider=self._provider, model=self._model)
        name = str(event.headers.get(":event-type", ""))
        try:
            payload: Any = from_json(event.payload)
        except ValueError as error:
            raise self._bad("an event of the stream is not valid JSON") from error
        chunks = self._reader.read(name, checked(payload, dict, "it"))
        self.ended = self._reader.ended
        return chunks


class StreamRenderer:
    """Writes chunks as a stream.

    Args:
        id: not used: the format has no place for it.
        model: not used either.
        created: not used either.
        dialect: names the provider whose signatures the client gets.
    """

    __slots__ = ("_events",)

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002, ARG002  (the other formats have it)
        model: str = "",  # noqa: ARG002  (the same)
        created: int = 0,  # noqa: ARG002  (the same)
        dialect: Dialect = DEFAULT,
    ) -> None:
        self._events = Events(dialect)

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; empty for a chunk that says nothing, or only what comes at the end."""
        return _render(self._events.write(chunk))

    def finish(self) -> bytes:
        """Render the end: the stop reason, if no chunk has told one, and usage and the like, if there is any."""
        return _render(self._events.finish())


def _render(events: Iterable[Event]) -> bytes:
    return b"".join([render_event(name, payload) for name, payload in events])


def render_event(name: str, payload: Any) -> bytes:
    """Render one event as its frame."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return render_frame(headers, to_json(payload))

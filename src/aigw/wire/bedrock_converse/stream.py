"""Streamed answers of the Converse API: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.errors import BadResponse, ConfigError, ProviderError
from aigw.wire.bedrock_converse.dialect import DEFAULT, Dialect
from aigw.wire.bedrock_converse.errors import classify_exception
from aigw.wire.bedrock_converse.events import Events
from aigw.wire.bedrock_converse.eventstream import EventStream, Frame, render_frame
from aigw.wire.bedrock_converse.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.chunk import Chunk
    from aigw.wire.bedrock_converse.folding import Event

_FAILURES: Final = {"exception": ":exception-type", "error": ":error-code"}


class StreamParser:
    """Reads a stream from its bytes, split anywhere.

    The proper end is the event ``metadata``, or the end of the body after ``messageStop``.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_dialect", "_failure", "_frames", "_model", "_reader")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        self._dialect = dialect
        self._model = model
        self._frames = EventStream()
        self._reader = Reader(dialect)
        self._failure: ProviderError | None = None

    @property
    def ended(self) -> bool:
        """Whether the last event has come; what follows is ignored."""
        return self._reader.ended

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete.

        Chunks before something wrong in the same bytes are returned first; the error is raised by the next `feed` or
        `finish`.

        Raises:
            BadResponse: the bytes are no event stream, or an event makes no sense.
            ProviderError: the provider sent an exception.
        """
        if self._failure is not None:
            raise self._failure
        return [] if self.ended else self._read(self._frames.feed(data))

    def finish(self) -> list[Chunk]:
        """Tell that the body is over. There are no chunks left.

        Raises:
            BadResponse: that was not the proper end of the stream.
            ProviderError: what `feed` still had to raise.
        """
        if self._failure is not None:
            raise self._failure
        if self.ended or (self._reader.stopped and not self._frames.pending):
            return []
        self._failure = self._bad("the stream ended before its end")
        raise self._failure

    def _read(self, frames: Iterable[Frame]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for frame in frames:
                chunks += self._parse(frame)
                if self.ended:
                    break
        except ProviderError as error:
            error.provider = self._dialect.provider
            error.model = self._model
            self._failure = error
            if not chunks:
                raise
        return chunks

    def _parse(self, frame: Frame) -> list[Chunk]:
        failure = _FAILURES.get(str(frame.headers.get(":message-type")))
        if failure is not None:
            said = frame.payload or to_json({"message": str(frame.headers.get(":error-message", ""))})
            code = str(frame.headers.get(failure, ""))
            raise classify_exception(code, said, provider=self._dialect.provider, model=self._model)
        name = str(frame.headers.get(":event-type", ""))
        try:
            payload: Any = from_json(frame.payload)
        except ValueError as error:
            raise self._bad("an event of the stream is not valid JSON") from error
        if not isinstance(payload, dict):
            raise self._bad("an event of the stream is not an object")
        try:
            return self._reader.read(name, payload)
        except (
            ConfigError
        ) as error:  # the checks of requests serve here too, but a wrong answer is the provider's fault
            message = f"an event of the stream is not one of the Converse API: {error}"
        raise self._bad(message)

    def _bad(self, message: str) -> BadResponse:
        return BadResponse(message, provider=self._dialect.provider, model=self._model)


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

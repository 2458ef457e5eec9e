"""Streamed answers from the wire in Cohere's chat format: bytes to chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from aigw.errors import BadResponse, ConfigError, ProviderError
from aigw.wire.cohere_chat.dialect import DEFAULT, Dialect
from aigw.wire.cohere_chat.errors import classify
from aigw.wire.cohere_chat.events import EventReader
from aigw.wire.cohere_chat.reasons import failure
from aigw.wire.fields import checked
from aigw.wire.sse import Event, EventStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.chunk import Chunk

_DONE = b"[DONE]"


class StreamParser:
    """Reads a stream from its bytes, split anywhere.

    The proper end is the event ``message-end``; the ``[DONE]`` that may follow it says nothing.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_dialect", "_events", "_failure", "_model", "_reader")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        self._dialect = dialect
        self._model = model
        self._events = EventStream()
        self._reader = EventReader(dialect.provider)
        self._failure: ProviderError | None = None

    @property
    def ended(self) -> bool:
        """``message-end`` has come; what follows is ignored."""
        return self._reader.ended

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete.

        Chunks before something wrong in the same bytes are returned first; the error is raised by the next `feed` or
        `finish`.

        Raises:
            BadResponse: an event is not JSON or does not fit the format.
            ProviderError: the provider sent an error, or the generation failed.
        """
        if self._failure is not None:
            raise self._failure
        return [] if self.ended else self._read(self._events.feed(data))

    def finish(self) -> list[Chunk]:
        """Tell that the body is over; return what its last event holds if only its end was missing.

        Raises:
            BadResponse: that was not the proper end of the stream.
            ProviderError: what `feed` still had to raise.
        """
        if self._failure is not None:
            raise self._failure
        if self.ended:
            return []
        try:
            chunks = self._read(self._events.finish())
        except BadResponse as error:
            raise self._cut() from error
        if not self._reader.ended:
            raise self._cut()
        return chunks

    def _read(self, events: Iterable[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for event in events:
                if event.data and not event.data.startswith(_DONE):
                    chunks += self._parse(event)
                    if self.ended:
                        break
        except ProviderError as error:
            self._failure = error
            if not chunks:
                raise
        return chunks

    def _parse(self, event: Event) -> list[Chunk]:
        try:
            data = checked(self._json(event), dict, "it")
            delta = data.get("delta")
            failed = failure(delta if isinstance(delta, dict) else data, self._dialect.provider, self._model)
            if failed is None and event.event == "error":
                failed = classify(200, {}, event.data, provider=self._dialect.provider, model=self._model)
            if failed is not None:
                raise failed
            return self._reader.read(data, event.event)
        except ConfigError as error:
            raise self._bad(f"an event of the stream is not one of Cohere's: {error}") from None

    def _json(self, event: Event) -> Any:
        try:
            return from_json(event.data)
        except ValueError as error:
            if event.event == "error":
                raise classify(200, {}, event.data, provider=self._dialect.provider, model=self._model) from None
            raise self._bad("an event of the stream is not valid JSON") from error

    def _bad(self, message: str) -> BadResponse:
        return BadResponse(message, provider=self._dialect.provider, model=self._model)

    def _cut(self) -> BadResponse:
        self._failure = self._bad("the stream ended before its end")
        return self._failure

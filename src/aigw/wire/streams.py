"""The frame of all stream parsers: bytes in, chunks out, and what becomes of something wrong in between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic_core import from_json

from aigw.errors import BadResponse, ConfigError, ProviderError
from aigw.wire.sse import Event, EventStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aigw.chunk import Chunk

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)


class Events(Protocol[E_co]):
    """Cuts a stream of bytes into events."""

    def feed(self, data: bytes) -> Iterable[E_co]:
        """Take the next bytes, give the events that they complete; raises BadResponse where they are damaged."""
        ...

    def finish(self) -> Iterable[E_co]:
        """Tell that the body is over, give what its end completes; raises BadResponse where an event is cut."""
        ...


class EventParser(ABC, Generic[E]):
    """Reads a stream of events, split anywhere. A format says what its events mean.

    Args:
        events: cuts the bytes into events.
        provider: name of the provider, for errors.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_events", "_failure", "_model", "_provider", "ended")

    _EXPECTED: ClassVar[str] = "what it should be"
    """What an event should be, for errors."""

    def __init__(self, events: Events[E], provider: str, model: str) -> None:
        self._events = events
        self._provider = provider
        self._model = model
        self._failure: ProviderError | None = None
        self.ended = False
        """The format's own end has come; what follows is ignored."""

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete.

        Chunks before something wrong in the same bytes are returned first; the error is raised by the next `feed` or
        `finish`.

        Raises:
            BadResponse: the stream is not what the format says.
            ProviderError: the provider sent an error.
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
        if not self._is_over():
            raise self._cut()
        return chunks

    @abstractmethod
    def _read_event(self, event: E) -> list[Chunk]:
        """Read one event; set `ended` if it is the last.

        Raises:
            ConfigError: a field is not what it should be.
            ProviderError: the event is an error, or makes no sense.
        """

    def _is_over(self) -> bool:
        """Tell whether the body may end here."""
        return self.ended

    def _read(self, events: Iterable[E]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for event in events:
                chunks += self._read_event(event)
                if self.ended:
                    break
        except ConfigError as error:  # the checks of requests serve here too, but the provider is at fault
            self._failure = self._bad(f"an event of the stream is not {self._EXPECTED}: {error}")
        except ProviderError as error:
            error.provider, error.model = self._provider, self._model  # what cuts the bytes knows neither
            self._failure = error
        if self._failure is not None and not chunks:
            raise self._failure
        return chunks

    def _bad(self, message: str) -> BadResponse:
        return BadResponse(message, provider=self._provider, model=self._model)

    def _cut(self) -> BadResponse:
        self._failure = self._bad("the stream ended before its end")
        return self._failure


class JsonEventParser(EventParser[Event]):
    """Reads a stream of server-sent events whose data is JSON.

    Args:
        classify: makes an error of what the provider says of one; see `Failures.classify`.
        provider: name of the provider, for errors.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_classify",)

    def __init__(self, classify: Callable[..., ProviderError], provider: str, model: str) -> None:
        super().__init__(EventStream(), provider, model)
        self._classify = classify

    def _json(self, event: Event) -> Any:
        try:
            return from_json(event.data)
        except ValueError as error:
            if event.event == "error":
                raise self._error(event.data) from None
            raise self._bad("an event of the stream is not valid JSON") from error

    def _error(self, body: bytes) -> ProviderError:
        """Make the error that an event tells of."""
        return self._classify(200, {}, body, provider=self._provider, model=self._model)

"""Streamed answers in the format of OpenAI Responses: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.chunk import Chunk
from aigw.errors import BadResponse, ConfigError, ProviderError
from aigw.wire.fields import checked, rest
from aigw.wire.openai_responses.answer import Whole, parse_end, parse_head, raise_failure
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.errors import classify
from aigw.wire.openai_responses.events import HANDLERS, passed_on
from aigw.wire.openai_responses.items import made_up_id
from aigw.wire.openai_responses.output import Output
from aigw.wire.openai_responses.reader import Reader
from aigw.wire.sse import Event, EventStream, render_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DONE: Final = b"[DONE]"
_ENDS: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_BEGINNINGS: Final = frozenset({"created", "queued", "in_progress"})
_QUIET: Final = frozenset({"ping", "keepalive", "response.output_text.annotation.added"})
"""What keeps a connection alive, and what is said again when a text is complete."""


class StreamParser:
    """Reads a stream from its bytes, split anywhere.

    Its proper end is an event with the answer as it is at its end: ``response.completed``, ``response.incomplete``,
    ``response.cancelled`` or ``response.failed``. What was not streamed is taken from there.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        self._dialect = dialect
        self._model = model
        self._events = EventStream()
        self._reader = Reader(dialect)
        self._failure: ProviderError | None = None
        self._told: dict[str, Any] = {}  # what belongs to the whole answer, as far as it was handed out
        self.ended = False
        """The end has come; what follows is ignored."""

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete.

        Chunks before something wrong in the same bytes are returned first; the error is raised by the next `feed` or
        `finish`.

        Raises:
            BadResponse: an event is not JSON or not what the format says.
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

    def _is_over(self) -> bool:
        return self.ended

    def _read(self, events: Iterable[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for event in events:
                chunks += self._handle(event)
                if self.ended:
                    break
        except ProviderError as error:
            self._failure = error
            if not chunks:
                raise
        return chunks

    def _handle(self, event: Event) -> list[Chunk]:
        if not event.data or event.data.startswith(_DONE):
            return []
        try:
            data = from_json(event.data)
        except ValueError as error:
            if event.event == "error":
                raise self._error(event.data) from None
            raise self._bad("an event of the stream is not valid JSON") from error
        if not isinstance(data, dict):
            if event.event in _QUIET:
                return []
            raise self._error(event.data) if event.event == "error" else self._bad("an event is not an object")
        kind = data.get("type") or event.event
        if kind == "error" or (data.get("error") and data.get("type") is None):
            raise self._error(event.data)
        if not isinstance(kind, str):
            raise self._bad("an event of the stream has no type")
        try:
            return self._parse(kind, data)
        except ConfigError as error:  # the checks of requests serve here too, but the provider is at fault
            raise self._bad(f"an event of the stream is not what it should be: {error}") from None

    def _parse(self, kind: str, data: Mapping[str, Any]) -> list[Chunk]:
        handler = HANDLERS.get(kind)
        if handler is not None:
            return handler(self._reader, data)
        name = kind.removeprefix("response.")
        if name in _BEGINNINGS or name in _ENDS:
            response = checked(data.get("response"), dict, "response")
            return self._end(response, data) if name in _ENDS else self._begin(response)
        return [] if kind in _QUIET else [passed_on(data)]

    def _begin(self, response: Mapping[str, Any]) -> list[Chunk]:
        identity, model, extra = parse_head(response)
        head = {"id": identity, "model": model, **extra}
        if all(self._told.get(name) == value for name, value in head.items()):
            return []
        self._told.update(head)
        return [Chunk(id=identity, model=model, extra=extra or None, wire=WIRE)]

    def _end(self, response: Mapping[str, Any], data: Mapping[str, Any]) -> list[Chunk]:
        if data.get("type") == "response.failed":
            response = {**response, "status": "failed"}
        raise_failure(response, self._dialect, self._model)
        chunks = self._reader.rest(checked(response.get("output") or [], list, "output"))
        end = parse_end(response, has_calls=self._reader.has_calls)
        beside = rest(data, ("type", "response", "sequence_number"))
        extra = {**(end.extra or {}), **beside}
        news = {name: value for name, value in extra.items() if self._told.get(name) != value}
        self.ended = True
        last = end.evolve(
            id=None if end.id == self._told.get("id") else end.id,
            model=None if end.model == self._told.get("model") else end.model,
            extra=news or None,
        )
        return [*chunks, last]

    def _error(self, body: bytes) -> ProviderError:
        return classify(200, {}, body, provider=self._dialect.provider, model=self._model)

    def _bad(self, message: str) -> BadResponse:
        return BadResponse(message, provider=self._dialect.provider, model=self._model)

    def _cut(self) -> BadResponse:
        self._failure = self._bad("the stream ended before its end")
        return self._failure


class StreamRenderer:
    """Writes chunks as a stream: every event that the format demands, numbered, with one id for all of it.

    Args:
        id: id of the answer; that of the first chunk if empty.
        model: the model; that of the first chunk if empty.
        created: when it was made, in seconds since 1970.
        dialect: whose signatures are written as they are; those of other providers are wrapped.
    """

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002  (the name of the field)
        model: str = "",
        created: int = 0,
        dialect: Dialect = DEFAULT,
    ) -> None:
        self._id = id
        self._model = model
        self._created = created
        self._dialect = dialect
        self._number = 0
        self._answer: tuple[Whole, Output] | None = None

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; empty for a chunk that tells only what comes at the end."""
        if self._answer is not None:
            whole, output = self._answer
            whole.add(chunk)
            return self._written(output.add(chunk))
        identity = self._id or chunk.id or made_up_id("response", "", 0)
        whole = Whole(identity, self._model or chunk.model or "", self._created)
        output = Output(identity, self._dialect)
        self._answer = whole, output
        whole.add(chunk)
        started = whole.render((), "in_progress")
        names = ("response.created", "response.in_progress")
        return self._written([{"type": name, "response": started} for name in names] + output.add(chunk))

    def finish(self) -> bytes:
        """Render the end: what was still open, and the whole answer."""
        if self._answer is None:
            return self.render(Chunk()) + self.finish()
        whole, output = self._answer
        events = output.finish(whole.status)
        end = {"type": f"response.{whole.status}", "response": whole.render(output.items)}
        return self._written([*events, end])

    def _written(self, events: Iterable[dict[str, Any]]) -> bytes:
        written = []
        for event in events:
            written.append(render_event(to_json({**event, "sequence_number": self._number}), str(event.get("type"))))
            self._number += 1
        return b"".join(written)

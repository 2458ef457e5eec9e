"""Streamed answers in the format of OpenAI Responses: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk
from aigw.wire.fields import checked, rest
from aigw.wire.openai_responses.answer import Whole, parse_end, parse_head, raise_failure
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.errors import classify
from aigw.wire.openai_responses.events import HANDLERS, passed_on
from aigw.wire.openai_responses.items import made_up_id
from aigw.wire.openai_responses.output import Output
from aigw.wire.openai_responses.reader import Reader
from aigw.wire.sse import DONE, Event, render_event
from aigw.wire.streams import JsonEventParser

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ENDS: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_BEGINNINGS: Final = frozenset({"created", "queued", "in_progress"})
_QUIET: Final = frozenset({"ping", "keepalive", "response.output_text.annotation.added"})
"""What keeps a connection alive, and what is said again when a text is complete."""


class StreamParser(JsonEventParser):
    """Reads a stream from its bytes, split anywhere.

    Its proper end is an event with the answer as it is at its end: ``response.completed``, ``response.incomplete``,
    ``response.cancelled`` or ``response.failed``. What was not streamed is taken from there.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_dialect", "_reader", "_told")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(classify, dialect.provider, model)
        self._dialect = dialect
        self._reader = Reader(dialect)
        self._told: dict[str, Any] = {}  # what belongs to the whole answer, as far as it was handed out

    def _read_event(self, event: Event) -> list[Chunk]:
        if not event.data or event.data.startswith(DONE):
            return []
        data = self._json(event)
        if not isinstance(data, dict):
            if event.event in _QUIET:
                return []
            raise self._error(event.data) if event.event == "error" else self._bad("an event is not an object")
        kind = data.get("type") or event.event
        if kind == "error" or (data.get("error") and data.get("type") is None):
            raise self._error(event.data)
        if not isinstance(kind, str):
            raise self._bad("an event of the stream has no type")
        return self._parse(kind, data)

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

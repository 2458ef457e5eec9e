"""Writing answers in Cohere's chat format, whole ones and streams; reading them is in `answer` and `stream`.

A whole answer is put together from the events of its stream, so that both say the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic_core import to_json

from aigw.wire.cohere_chat.dialect import DEFAULT, Dialect
from aigw.wire.cohere_chat.events import LOGPROBS, join_block
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN
from aigw.wire.cohere_chat.writing import Event, EventWriter
from aigw.wire.fields import merge, rest
from aigw.wire.sse import render_event
from aigw.wire.whole import id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aigw.chunk import Chunk

_EVENT: Final = ("type", "index", "delta", "id")


def render_response(
    chunks: Sequence[Chunk],
    *,
    id: str = "",  # noqa: A002  (the name of the field)
    model: str = "",  # noqa: ARG001  (every format has it; these answers do not name their model)
    created: int = 0,  # noqa: ARG001  (nor when they were made)
    dialect: Dialect = DEFAULT,  # noqa: ARG001  (all servers answer alike)
) -> dict[str, Any]:
    """Render a whole answer, from the chunks of a whole answer or of a stream.

    Events of a stream that aigw does not know are left out.

    Args:
        chunks: all its chunks; of several answers the first.
        id: its id, where the chunks have none.
        model: not used.
        created: not used.
        dialect: not used.
    """
    writer = EventWriter(id_of(chunks, id))
    whole = _Whole()
    for chunk in chunks:
        for event in writer.write(chunk):
            whole.add(event)
    for event in writer.finish():
        whole.add(event)
    return whole.done()


class StreamRenderer:
    """Writes chunks as a stream. Only the first of several answers is written.

    Args:
        id: id of the answer; that of the first chunk if empty.
        model: not used: these answers do not name their model.
        created: not used.
        dialect: not used: all servers answer alike.
    """

    __slots__ = ("_writer",)

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002  (the name of the field)
        model: str = "",  # noqa: ARG002  (every format has it)
        created: int = 0,  # noqa: ARG002
        dialect: Dialect = DEFAULT,  # noqa: ARG002
    ) -> None:
        self._writer = EventWriter(id)

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; its finish reason and usage come at the end."""
        return _stream(self._writer.write(chunk))

    def finish(self) -> bytes:
        """Render the end: ``message-end`` with the usage, and ``[DONE]``."""
        return _stream(self._writer.finish()) + render_event(b"[DONE]")


def _stream(events: Iterable[Event]) -> bytes:
    return b"".join([render_event(to_json(event), event.get("type")) for event in events])


class _Whole:
    """Puts a whole answer together from the events of its stream."""

    def __init__(self) -> None:
        self._body: dict[str, Any] = {"id": ""}
        self._message: dict[str, Any] = {}
        self._blocks: list[dict[str, Any]] = []
        self._calls: list[dict[str, Any]] = []

    def add(self, event: Event) -> None:
        """Take the next event; one that aigw does not know is left out."""
        kind, fields = event.get("type"), rest(event, _EVENT)
        if kind == "content-end":
            self._blocks[-1].update(fields)
        elif (handle := self._HANDLERS.get(kind)) is not None:
            handle(self, event, (event.get("delta") or {}).get("message") or {})
            self._add_fields(fields)

    def done(self) -> dict[str, Any]:
        """Return the answer."""
        if self._blocks or not self._calls:
            self._message["content"] = self._blocks
        if self._calls:
            self._message["tool_calls"] = self._calls
        return {**self._body, "message": self._message}

    def _add_fields(self, fields: Mapping[str, Any]) -> None:
        """Add unknown fields of the whole answer."""
        for name, value in fields.items():
            if name == LOGPROBS:
                self._body.setdefault(name, []).extend(value if isinstance(value, list) else [value])
            else:
                self._body[name] = value

    def _start(self, event: Event, message: dict[str, Any]) -> None:
        self._body["id"] = event.get("id", "")
        self._message.update(message)

    def _start_block(self, _event: Event, message: dict[str, Any]) -> None:
        self._blocks.append(message["content"])

    def _go_on(self, _event: Event, message: dict[str, Any]) -> None:
        join_block(self._blocks[-1], message["content"])

    def _plan(self, _event: Event, message: dict[str, Any]) -> None:
        self._message[PLAN] = self._message.get(PLAN, "") + message[PLAN]

    def _start_call(self, _event: Event, message: dict[str, Any]) -> None:
        self._calls.append(message["tool_calls"])

    def _go_on_with_call(self, event: Event, message: dict[str, Any]) -> None:
        """The arguments grow, of anything else the last counts."""
        call, piece = self._calls[event["index"]], message["tool_calls"]
        written = call.get("function", {}).get("arguments", "")
        added = piece.get("function", {}).get("arguments", "")
        merge(call, piece)
        if "function" in call:
            call["function"]["arguments"] = written + added

    def _cite(self, _event: Event, message: dict[str, Any]) -> None:
        self._message.setdefault(CITATIONS, []).append(message[CITATIONS])

    def _end(self, event: Event, message: dict[str, Any]) -> None:
        merge(self._message, message)
        self._add_fields(rest(event["delta"], ("message",)))

    _HANDLERS: ClassVar[Mapping[Any, Callable[[_Whole, Event, dict[str, Any]], None]]] = MappingProxyType(
        {
            "message-start": _start,
            "content-start": _start_block,
            "content-delta": _go_on,
            "tool-plan-delta": _plan,
            "tool-call-start": _start_call,
            "tool-call-delta": _go_on_with_call,
            "citation-start": _cite,
            "message-end": _end,
        }
    )

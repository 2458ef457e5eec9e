"""Streamed answers in the format of Anthropic Messages: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.chunk import Chunk
from aigw.wire.anthropic_messages.answer import read_finish, refusal_or, usage_of, whole_extra, write_finish
from aigw.wire.anthropic_messages.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.anthropic_messages.errors import classify
from aigw.wire.anthropic_messages.read_blocks import BlockReader
from aigw.wire.anthropic_messages.usage import parse_usage, render_usage, usage_rest
from aigw.wire.anthropic_messages.write_blocks import BlockWriter
from aigw.wire.fields import checked, optional, rest
from aigw.wire.sse import DONE, Event, render_event
from aigw.wire.streams import JsonEventParser

if TYPE_CHECKING:
    from collections.abc import Mapping

_BESIDE_DELTA: Final = ("context_management", "input_transformations")
"""Fields that stand beside the ``delta`` of the last event, not in it."""
_START_ONLY: Final = ("stop_reason", "stop_sequence", "stop_details")
"""Fields that are empty at the start of an answer, and are told at its end."""


class StreamParser(JsonEventParser):
    """Reads a stream from its bytes, split anywhere. Its proper end is the event ``message_stop``.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_reader", "_usage")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(classify, dialect.provider, model)
        self._reader = BlockReader(dialect.provider)
        self._usage: dict[str, Any] = {}

    def _read_event(self, event: Event) -> list[Chunk]:
        if not event.data or event.data.startswith(DONE):  # the second: servers that speak OpenAI's format as well
            return []
        data = checked(self._json(event), dict, "it")
        kind = data.get("type") or event.event
        if kind == "content_block_delta":
            return self._reader.delta(_index(data), checked(data.get("delta"), dict, "delta"))
        if kind == "error" or event.event == "error" or data.get("error"):
            raise self._error(event.data)
        return self._other(kind, data)

    def _other(self, kind: Any, data: Mapping[str, Any]) -> list[Chunk]:
        if kind == "content_block_start":
            return self._reader.start(_index(data), checked(data.get("content_block"), dict, "content_block"))
        if kind == "content_block_stop":
            return self._reader.stop(_index(data))
        if kind == "message_start":
            return self._start(checked(data.get("message"), dict, "message"))
        if kind == "message_delta":
            return [*self._reader.close(), self._delta(data)]
        if kind == "message_stop":
            self.ended = True
            return self._reader.close()
        return []

    def _start(self, message: Mapping[str, Any]) -> list[Chunk]:
        _, extra = read_finish(message)
        first = Chunk(
            id=optional(message, "id", str) or None,
            model=optional(message, "model", str) or None,
            usage=self._count(message, extra),
            extra=extra or None,
            wire=WIRE,
        )
        blocks = optional(message, "content", list) or ()
        return [first, *(chunk for block in blocks for chunk in self._reader.whole(checked(block, dict, "content")))]

    def _delta(self, data: Mapping[str, Any]) -> Chunk:
        finish, extra = read_finish(optional(data, "delta", dict) or {})
        extra.update(rest(data, ("type", "delta", "usage")))
        return Chunk(finish_reason=finish, usage=self._count(data, extra), extra=extra or None, wire=WIRE)

    def _count(self, data: Mapping[str, Any], extra: dict[str, Any]) -> Any:
        """Read the usage so far. Each count is a total, and one that is not told again stays as it was."""
        usage = data.get("usage")
        if not isinstance(usage, dict):
            return None
        self._usage.update(rest(usage, ()))
        if left := usage_rest(self._usage):
            extra["usage"] = left
        return parse_usage(self._usage)


def _index(data: Mapping[str, Any]) -> int:
    return optional(data, "index", int) or 0


class StreamRenderer:
    """Writes chunks as a stream of events with names. Usage and finish reason come with its end.

    Of several answers only the first is rendered, because this format has no others.

    Args:
        id: id of the answer; that of the first chunk if empty.
        model: the model; that of the first chunk if empty.
        created: not told by this format.
        include_usage: not used: this format always tells the usage.
        dialect: not used by this format.
    """

    __slots__ = ("_end", "_finish", "_id", "_model", "_refused", "_started", "_usage", "_writer")

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002  (the name of the field)
        model: str = "",
        created: int = 0,  # noqa: ARG002  (the signature is the same for all formats)
        include_usage: bool = True,  # noqa: ARG002
        dialect: Dialect = DEFAULT,  # noqa: ARG002
    ) -> None:
        self._id = id
        self._model = model
        self._writer = BlockWriter()
        self._started = False
        self._refused = False
        self._finish = Chunk()
        self._usage: dict[str, Any] = {"output_tokens": 0}
        self._end: dict[str, Any] = {}

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; empty for a chunk that says nothing, or only what comes at the end."""
        if chunk.index != 0:
            return b""
        if chunk.usage is None and chunk.finish_reason is None and (at := self._writer.plain_at(chunk)) is not None:
            return _TEXT % (at, to_json(chunk.text))  # the short way, which most chunks go
        events: list[dict[str, Any]] = []
        extra = whole_extra(chunk)
        if not self._started:
            events.append(self._start(chunk, extra))
        self._end.update(extra)
        self._refused = self._refused or bool(chunk.refusal)
        if chunk.finish_reason is not None:
            self._finish = chunk
        if chunk.usage is not None:
            self._usage = usage_of(chunk)
        return b"".join(map(_render, [*events, *self._writer.write(chunk)]))

    def finish(self) -> bytes:
        """Render the end: finish reason, usage, and ``message_stop``."""
        events = [] if self._started else [self._start(Chunk(), {})]
        stop = write_finish(self._finish, has_calls=self._writer.has_calls)
        beside: dict[str, Any] = {name: self._end.pop(name) for name in _BESIDE_DELTA if name in self._end}
        delta = {"stop_sequence": None, **self._end, "stop_reason": refusal_or(stop, refused=self._refused)}
        end: dict[str, Any] = {"type": "message_delta", "delta": delta, "usage": self._usage, **beside}
        return b"".join(map(_render, [*events, *self._writer.close(), end, {"type": "message_stop"}]))

    def _start(self, chunk: Chunk, extra: dict[str, Any]) -> dict[str, Any]:
        """Return the first event; what it tells of the unknown fields is not told again."""
        self._started = True
        message: dict[str, Any] = {
            "id": self._id or chunk.id or "",
            "type": "message",
            "role": "assistant",
            "model": self._model or chunk.model or "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": render_usage(None) if chunk.usage is None else usage_of(chunk),
        }
        if chunk.finish_reason is None:
            message.update({name: extra.pop(name) for name in list(extra) if name not in _START_ONLY})
        return {"type": "message_start", "message": message}


_TEXT: Final = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%b}}\n\n'
)
"""The event of a piece of text, as `_render` would write it."""


def _render(event: dict[str, Any]) -> bytes:
    return render_event(to_json(event), event["type"])

"""Streamed answers from the wire in Cohere's chat format: bytes to chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aigw.wire.cohere_chat.dialect import DEFAULT, Dialect
from aigw.wire.cohere_chat.errors import classify
from aigw.wire.cohere_chat.events import EventReader
from aigw.wire.cohere_chat.reasons import failure
from aigw.wire.fields import checked
from aigw.wire.sse import DONE
from aigw.wire.streams import JsonEventParser

if TYPE_CHECKING:
    from aigw.chunk import Chunk
    from aigw.wire.sse import Event


class StreamParser(JsonEventParser):
    """Reads a stream from its bytes, split anywhere.

    The proper end is the event ``message-end``; the ``[DONE]`` that may follow it says nothing.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_reader",)

    _EXPECTED: ClassVar[str] = "one of Cohere's"

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(classify, dialect.provider, model)
        self._reader = EventReader(dialect.provider)

    def _read_event(self, event: Event) -> list[Chunk]:
        if not event.data or event.data.startswith(DONE):
            return []
        data = checked(self._json(event), dict, "it")
        delta = data.get("delta")
        failed = failure(delta if isinstance(delta, dict) else data, self._provider, self._model)
        if failed is None and event.event == "error":
            failed = self._error(event.data)
        if failed is not None:
            raise failed
        chunks = self._reader.read(data, event.event)
        self.ended = self._reader.ended
        return chunks

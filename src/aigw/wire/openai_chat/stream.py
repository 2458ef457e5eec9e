"""Streamed answers in the format of OpenAI chat completions: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from aigw.wire.openai_chat.answer import parse_event
from aigw.wire.openai_chat.dialect import DEFAULT, Dialect
from aigw.wire.openai_chat.errors import classify
from aigw.wire.openai_chat.indexes import Indexes
from aigw.wire.openai_chat.reasoning import Thoughts
from aigw.wire.openai_chat.render import known_extra, render_delta, says_something, whole_rest
from aigw.wire.openai_chat.repeats import Repeats
from aigw.wire.sse import DONE, Event, render_event
from aigw.wire.streams import JsonEventParser
from aigw.wire.usage import render_usage

if TYPE_CHECKING:
    from aigw.chunk import Chunk

_PARTS = ("choices", "error", "usage")


class StreamParser(JsonEventParser):
    """Reads a stream from its bytes, split anywhere.

    The proper end is ``[DONE]``, or the end of the body after every choice that was seen has its finish reason. Several
    choices of which one never began cannot be told from fewer choices.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = ("_dialect", "_finished", "_indexes", "_repeats", "_seen", "_thoughts")

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        super().__init__(classify, dialect.provider, model)
        self._dialect = dialect
        self._repeats = Repeats()
        self._indexes = Indexes()
        self._thoughts = None if dialect.reasoning_back is None else Thoughts(dialect)
        self._seen: set[int] = set()
        self._finished: set[int] = set()

    def finish(self) -> list[Chunk]:
        """Tell that the body is over; return what its last event holds if only its end was missing.

        Raises:
            BadResponse: that was not the proper end of the stream.
            ProviderError: what `feed` still had to raise.
        """
        return super().finish() + self._rest()

    def _is_over(self) -> bool:
        return self.ended or bool(self._finished and self._finished == self._seen)

    def _read_event(self, event: Event) -> list[Chunk]:
        if event.data.startswith(DONE):
            self.ended = True
            return self._rest()
        if event.event is not None:
            return self._settle(self._parse_named(event))
        if not event.data:
            return []
        data = self._json(event)
        chunk = self._repeats.read(data)
        if chunk is None:
            return self._settle(self._parse(data))
        return [chunk] if self._thoughts is None else self._thoughts.read(chunk)

    def _parse(self, data: Any) -> list[Chunk]:
        chunks = parse_event(data, self._dialect, self._model)
        self._repeats.remember(data, chunks)
        return chunks

    def _settle(self, chunks: list[Chunk]) -> list[Chunk]:
        """Note which choices have begun and ended; set right what an event alone cannot know."""
        for at, chunk in enumerate(chunks):
            if chunk.finish_reason is not None:
                self._finished.add(chunk.index)
            self._seen.add(chunk.index)
            if chunk.tool_calls:
                chunks[at] = self._indexes.read(chunk)
        if self._thoughts is None:
            return chunks
        return [marked for chunk in chunks for marked in self._thoughts.read(chunk)]

    def _rest(self) -> list[Chunk]:
        return [] if self._thoughts is None else self._thoughts.finish()

    def _parse_named(self, event: Event) -> list[Chunk]:
        """Read an event with a name, which this format does not have: an error, a ping, or a chunk all the same."""
        data = None if event.event == "error" else self._json(event)
        if isinstance(data, dict) and any(data.get(part) for part in _PARTS):
            return parse_event(data, self._dialect, self._model)
        if event.event == "error":
            raise self._error(event.data)
        return []


class StreamRenderer:
    """Writes chunks as a stream: one id and time for all of it, usage in an event of its own before the end.

    Args:
        id: id of the answer; that of the first chunk if empty.
        model: the model; that of the first chunk if empty.
        created: when it was made, in seconds since 1970.
        include_usage: whether the client asked for usage.
        dialect: names the field for readable reasoning.
    """

    __slots__ = ("_begun", "_created", "_dialect", "_id", "_include_usage", "_model", "_usage")

    def __init__(
        self,
        *,
        id: str = "",  # noqa: A002  (the name of the field)
        model: str = "",
        created: int = 0,
        include_usage: bool = True,
        dialect: Dialect = DEFAULT,
    ) -> None:
        self._id: str | None = id or None
        self._model: str | None = model or None
        self._created = created
        self._include_usage = include_usage
        self._dialect = dialect
        self._begun: set[int] = set()
        self._usage: dict[str, Any] | None = None

    def render(self, chunk: Chunk) -> bytes:
        """Render one chunk; empty for a chunk that says nothing, or only usage, which comes at the end."""
        if self._id is None:
            self._id = chunk.id or ""
        if self._model is None:
            self._model = chunk.model or ""
        if chunk.usage is not None:
            self._usage = render_usage(chunk.usage, known_extra(chunk).get("usage"))
        extra = whole_rest(chunk)
        if not says_something(chunk) and (extra or chunk.usage is not None or chunk.index in self._begun):
            return self._event([], extra) if extra else b""
        choice: dict[str, Any] = {"index": chunk.index, "delta": {}, "finish_reason": chunk.finish_reason}
        if chunk.index not in self._begun:
            self._begun.add(chunk.index)
            choice["delta"]["role"] = "assistant"
        choice["delta"].update(render_delta(chunk, self._dialect))
        if chunk.extra:
            choice.update(known_extra(chunk).get("choice") or {})
        return self._event([choice], extra)

    def finish(self) -> bytes:
        """Render the end: usage, if the client asked for it and there is any, and ``[DONE]``."""
        done = render_event(DONE)
        if self._usage is None or not self._include_usage:
            return done
        return self._event([], {"usage": self._usage}) + done

    def _event(self, choices: list[dict[str, Any]], extra: dict[str, Any]) -> bytes:
        data: dict[str, Any] = {
            "id": self._id or "",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model or "",
            "choices": choices,
            **extra,
        }
        return render_event(to_json(data))

"""Streamed answers in the format of OpenAI chat completions: bytes to chunks and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from aigw.errors import BadResponse, ProviderError
from aigw.wire.openai_chat.answer import parse_event
from aigw.wire.openai_chat.dialect import DEFAULT, Dialect
from aigw.wire.openai_chat.errors import classify
from aigw.wire.openai_chat.indexes import Indexes
from aigw.wire.openai_chat.reasoning import Thoughts
from aigw.wire.openai_chat.render import known_extra, render_delta, says_something, whole_rest
from aigw.wire.openai_chat.repeats import Repeats
from aigw.wire.sse import Event, EventStream, render_event
from aigw.wire.usage import render_usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.chunk import Chunk

_DONE = b"[DONE]"
_PARTS = ("choices", "error", "usage")


class StreamParser:
    """Reads a stream from its bytes, split anywhere.

    The proper end is ``[DONE]``, or the end of the body after every choice that was seen has its finish reason. Several
    choices of which one never began cannot be told from fewer choices.

    Args:
        dialect: how the server differs.
        model: the model that was asked for, for errors.
    """

    __slots__ = (
        "_dialect", "_events", "_failure", "_finished", "_indexes", "_model", "_repeats", "_seen", "_thoughts", "ended",
    )  # fmt: skip

    def __init__(self, dialect: Dialect = DEFAULT, model: str = "") -> None:
        self._dialect = dialect
        self._model = model
        self._events = EventStream()
        self._repeats = Repeats()
        self._indexes = Indexes()
        self._thoughts = None if dialect.reasoning_back is None else Thoughts(dialect)
        self._failure: ProviderError | None = None
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self.ended = False
        """``[DONE]`` has come; what follows is ignored."""

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes, return the chunks that they complete.

        Chunks before something wrong in the same bytes are returned first; the error is raised by the next `feed` or
        `finish`.

        Raises:
            BadResponse: an event is not JSON or no chunk of a chat completion.
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
        return chunks + self._rest()

    def _is_over(self) -> bool:
        return self.ended or bool(self._finished and self._finished == self._seen)

    def _read(self, events: Iterable[Event]) -> list[Chunk]:
        chunks: list[Chunk] = []
        try:
            for event in events:
                if event.data.startswith(_DONE):
                    self.ended = True
                    chunks += self._rest()
                    break
                if event.event is not None:
                    chunks += self._settle(self._parse_named(event))
                elif event.data:
                    data = self._json(event.data)
                    chunk = self._repeats.read(data)
                    if chunk is None:
                        chunks += self._settle(self._parse(data))
                    elif self._thoughts is None:
                        chunks.append(chunk)
                    else:
                        chunks += self._thoughts.read(chunk)
        except ProviderError as error:
            self._failure = error
            if not chunks:
                raise
        return chunks

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
        data = None if event.event == "error" else self._json(event.data)
        if isinstance(data, dict) and any(data.get(part) for part in _PARTS):
            return parse_event(data, self._dialect, self._model)
        if event.event == "error":
            raise classify(200, {}, event.data, provider=self._dialect.provider, model=self._model)
        return []

    def _json(self, data: bytes) -> Any:
        try:
            return from_json(data)
        except ValueError as error:
            raise self._bad("an event of the stream is not valid JSON") from error

    def _bad(self, message: str) -> BadResponse:
        return BadResponse(message, provider=self._dialect.provider, model=self._model)

    def _cut(self) -> BadResponse:
        self._failure = self._bad("the stream ended before its end")
        return self._failure


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
        done = render_event(_DONE)
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

"""The script of one answer: its steps, and the source that follows them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aigw.call import UNSET, Call, Unset
from aigw.chunk import Chunk, Usage
from aigw.errors import ProviderError
from aigw.testing.fake_model import count_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

Failure = BaseException | type[BaseException]
Step = str | Chunk | float | Failure
"""A step of a stream: a text, a chunk as it is, seconds to sleep, or an error to raise at this point."""

Outcome = str | Chunk | Failure | Sequence[Step] | Callable[[Call], "Outcome"]
"""What comes of one call: see `ScriptedProvider`."""


def check_outcome(outcome: object, where: str) -> None:
    """Refuse what is no outcome.

    Raises:
        TypeError: names `where` it stands.
    """
    if isinstance(outcome, (str, Chunk)) or is_failure(outcome):
        return
    if isinstance(outcome, Sequence) and not isinstance(outcome, (bytes, bytearray)):
        for position, step in enumerate(outcome):
            if not isinstance(step, (str, Chunk, int, float)) and not is_failure(step):
                raise TypeError(
                    f"{where}, step {position}: a {type(step).__name__} is no step; "
                    "give a str, a Chunk, seconds to sleep, or an error"
                )
    elif isinstance(outcome, type) or not callable(outcome):
        raise TypeError(
            f"{where}: {outcome!r} is no outcome; "
            "give a str, a Chunk, an error, a list of steps, or a function of the call"
        )


def is_failure(outcome: object) -> bool:
    """Tell whether it is an error, or a class of errors."""
    return isinstance(outcome, BaseException) or (isinstance(outcome, type) and issubclass(outcome, BaseException))


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who gives an answer, as its chunks and errors tell it.

    Args:
        provider: name of the provider.
        model: the model.
        id: id of the answer.
        usage: what it tells of the usage; ``UNSET`` counts words, ``None`` tells nothing.
    """

    provider: str
    model: str
    id: str
    usage: Usage | Unset | None = UNSET

    def failure(self, scripted: Failure) -> BaseException:
        """Make the error to raise: a new one each time, so that no traceback or trace stays with the script."""
        error = scripted("scripted failure") if isinstance(scripted, type) else copy.copy(scripted)
        if isinstance(error, ProviderError):
            error.provider = error.provider or self.provider
            error.model = error.model or self.model
        return error

    def usage_of(self, call: Call, chunks: Iterable[Chunk]) -> Usage | None:
        """Tell the usage of an answer."""
        if self.usage is not UNSET:
            return self.usage
        asked = " ".join([*(message.text for message in call.messages), *call.inputs])
        said = "".join([chunk.text for chunk in chunks])
        return Usage(input=count_tokens(asked), output=count_tokens(said))


class ScriptedSource:
    """Follows the steps of one answer.

    Streamed, every text is a chunk, and a last chunk tells finish reason and usage where the script did not. Not
    streamed, all steps are gone through before anything is given out, and what they said is one chunk.

    Args:
        call: the call that is answered.
        steps: the steps.
        by: who answers.
        when_closed: called once, when the source was read to its end or closed.
    """

    def __init__(self, call: Call, steps: Iterable[Step], by: Answerer, when_closed: Callable[[], None]) -> None:
        self._call = call
        self._steps = deque(steps)
        self._by = by
        self._when_closed = when_closed
        self._said: list[Chunk] = []
        self._finished = False
        self._closed = False
        self._whole: deque[Chunk] | None = None

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` at the end.

        Raises:
            RuntimeError: it was closed before its end.
        """
        if self._closed:
            raise RuntimeError("a ScriptedProvider's source was read after it was over or closed")
        if self._call.stream and self._call.operation == "chat":
            chunk = await self._next()
        else:
            if self._whole is None:
                self._whole = await self._everything()
            chunk = self._whole.popleft() if self._whole else None
        if chunk is None:
            await self.close()
        return chunk

    async def close(self) -> None:
        """Let go. Closing twice is fine."""
        if not self._closed:
            self._closed = True
            self._when_closed()

    async def _next(self) -> Chunk | None:
        while self._steps:
            step = self._steps.popleft()
            if isinstance(step, (int, float)):
                await self._call.clock.sleep(step)
            elif isinstance(step, (str, Chunk)):
                chunk = Chunk(step, id=self._by.id, model=self._by.model) if isinstance(step, str) else step
                self._said.append(chunk)
                return chunk
            else:
                raise self._by.failure(step)
        if self._finished:
            return None
        self._finished = True
        return self._last_chunk()

    def _last_chunk(self) -> Chunk | None:
        """Tell what the script did not tell."""
        reason = usage = None
        if self._call.operation == "chat" and not any(chunk.finish_reason for chunk in self._said):
            reason = "tool_calls" if any(chunk.tool_calls for chunk in self._said) else "stop"
        if not any(chunk.usage for chunk in self._said):
            usage = self._by.usage_of(self._call, self._said)
        if reason is None and usage is None:
            return None
        return Chunk(finish_reason=reason, usage=usage, id=self._by.id, model=self._by.model)

    async def _everything(self) -> deque[Chunk]:
        chunks: dict[int, Chunk] = {}
        while (chunk := await self._next()) is not None:
            known = chunks.get(chunk.index)
            chunks[chunk.index] = chunk if known is None else _joined(known, chunk)
        return deque(
            replace(chunk, id=chunk.id or self._by.id, model=chunk.model or self._by.model) for chunk in chunks.values()
        )


def _joined(first: Chunk, then: Chunk) -> Chunk:
    """Join two chunks of one answer into one."""
    return Chunk(
        text=first.text + then.text,
        reasoning=first.reasoning + then.reasoning,
        tool_calls=first.tool_calls + then.tool_calls,
        refusal=first.refusal + then.refusal,
        finish_reason=then.finish_reason or first.finish_reason,
        usage=then.usage or first.usage,
        index=first.index,
        parts=first.parts + then.parts,
        vectors=first.vectors + then.vectors,
        ranking=first.ranking + then.ranking,
        verdicts=first.verdicts + then.verdicts,
        id=first.id or then.id,
        model=first.model or then.model,
        extra={**(first.extra or {}), **(then.extra or {})} or None,
        wire=first.wire or then.wire,
    )

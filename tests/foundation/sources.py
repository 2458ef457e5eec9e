"""Sources of replies that follow a script and keep book of how they are used."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from aigw.chunk import Chunk


class Wait(Enum):
    """A point of a script at which the source waits, and what becomes of the reader there."""

    GOES_ON = "goes on"
    CANCELLED = "cancelled"
    THROWN_AWAY = "thrown away"


class _Suspension:
    def __await__(self):
        yield self


class ScriptedSource:
    """Gives out chunks and raises errors in the order of its script.

    Args:
        script: chunks, errors and waits.
    """

    def __init__(self, script: Any) -> None:
        self._script = list(script)
        self.given: list[Chunk] = []
        """What it gave out."""
        self.ended = False
        """It was read to its proper end."""
        self.failed = False
        self.closed = 0
        """How often it was closed."""
        self.waits_for: Wait | None = None

    async def read(self) -> Chunk | None:
        assert not self.over, "a source is not read after it is over"
        while self._script:
            step = self._script.pop(0)
            if isinstance(step, Chunk):
                self.given.append(step)
                return step
            if isinstance(step, Wait):
                self.waits_for = step
                try:
                    await _Suspension()
                except BaseException:
                    self.failed = True
                    raise
            else:
                self.failed = True
                raise step
        self.ended = True
        return None

    async def close(self) -> None:
        self.closed += 1

    @property
    def over(self) -> bool:
        """Nothing comes from it any more."""
        return self.ended or self.failed or self.closed > 0

    @property
    def let_go(self) -> bool:
        """It was read to its end or closed: nothing is left open."""
        return self.ended or self.closed > 0


class ThrownAwayError(Exception):
    """A coroutine was thrown away while it waited, as a garbage collector does it."""


def run(coroutine: Any, source: ScriptedSource) -> Any:
    """Run a coroutine that waits only at the waits of the source's script, and do there what the script says."""
    try:
        coroutine.send(None)
        while True:
            if source.waits_for is Wait.THROWN_AWAY:
                coroutine.close()
                raise ThrownAwayError
            if source.waits_for is Wait.CANCELLED:
                coroutine.throw(asyncio.CancelledError())
            else:
                coroutine.send(None)
    except StopIteration as stop:
        return stop.value

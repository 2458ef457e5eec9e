"""Sources of replies that follow a script and keep book of how they are used."""

from __future__ import annotations

import asyncio
from collections import deque
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
        together: so many chunks come at once: one is returned by `read`, the others are ready.
    """

    def __init__(self, script: Any, *, together: int = 1) -> None:
        self._script = list(script)
        self._together = together
        self._came: list[Chunk] = []
        self.ready: deque[Chunk] = deque()
        self.ended = False
        """It was read to its proper end."""
        self.failed = False
        self.closed = 0
        """How often it was closed."""
        self.waits_for: Wait | None = None

    async def read(self) -> Chunk | None:
        assert not self.over, "a source is not read after it is over"
        assert not self.ready, "a source is not asked for more while something is ready"
        while self._script:
            step = self._script.pop(0)
            if isinstance(step, Chunk):
                self._came.append(step)
                while self._script and isinstance(self._script[0], Chunk) and len(self.ready) < self._together - 1:
                    self.ready.append(self._script.pop(0))
                self._came.extend(self.ready)
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
    def given(self) -> list[Chunk]:
        """What was taken from it."""
        return self._came[: len(self._came) - len(self.ready)]

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

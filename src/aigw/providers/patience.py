"""How long an attempt may still wait: its `Timeouts`, and the call's deadline over all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from aigw.errors import AigwError, DeadlineExceeded, TimedOut

if TYPE_CHECKING:
    from aigw.call import Call

ROUNDING = 0.002
"""Seconds that a timer may go off before the deadline that it was set for."""


class Patience:
    """The limits of one attempt, from its start.

    Args:
        call: the call; its `timeouts` and `deadline` count.
    """

    __slots__ = ("_between", "_clock", "_deadline", "_end", "_next", "connect")

    def __init__(self, call: Call) -> None:
        timeouts = call.timeouts
        self._clock = call.clock
        now = self._clock.now()
        self._deadline = math.inf if call.deadline is None else call.deadline
        self._end = min(_after(now, timeouts.total), self._deadline)
        self._between = timeouts.between_chunks if call.stream else None
        self._next = min(_after(now, timeouts.first_chunk if call.stream else None), self._end)
        self.connect = timeouts.connect
        """Seconds for connecting."""

    def left(self) -> float | None:
        """Seconds until something must have come; ``None`` is no limit."""
        return None if self._next == math.inf else self._next - self._clock.now()

    def progress(self) -> None:
        """Wait for the next chunk from now on."""
        self._next = min(_after(self._clock.now(), self._between), self._end)

    def over(self) -> bool:
        """Tell whether the time for the next thing is over."""
        return self._next <= self._clock.now()

    def judge(self, error: TimedOut) -> AigwError:
        """Blame the right one: the target was too slow, or the caller's own deadline came before its limits."""
        if self._deadline > self._clock.now() + ROUNDING:
            return error
        refusal = DeadlineExceeded("the deadline of the call came before the answer", policy="Deadline")
        refusal.__cause__ = error
        return refusal


def _after(now: float, seconds: float | None) -> float:
    return math.inf if seconds is None else now + seconds

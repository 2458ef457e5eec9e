"""`Load`: how many calls a target serves at once before it slows down, learned from how its pace goes with its load.

A straight line is laid through what was seen (calls in flight against seconds for a unit of work), by least squares in
which the past fades. A server with slots gets slower with every call beyond them; a public API does not. Until enough
was seen the line is that of a small server.
"""

from __future__ import annotations

import math
from typing import Final

MEMORY: Final = 60.0
"""Seconds after which an observation counts for a third."""

FEW: Final = 4.0
MANY: Final = 32.0
"""Between these is what is believed."""

_DOUBT: Final = 4.0
"""How much the line of a small server counts against what was seen: as a variance of calls in flight."""

_ENOUGH: Final = 5.0
"""Observations before anything is believed."""


class Load:
    """The line through what was seen of one target. Not safe for threads: whoever owns it holds a lock."""

    __slots__ = ("_at", "_count", "_x", "_xx", "_xy", "_y", "at_once")

    def __init__(self) -> None:
        self._count = self._x = self._y = self._xx = self._xy = self._at = 0.0
        self.at_once = FEW
        """Calls that it serves at once: with so many in flight it takes twice as long as with none."""

    def add(self, in_flight: int, pace: float, now: float) -> None:
        """Take note of an answer.

        Args:
            in_flight: calls that the target was serving when the call began.
            pace: seconds that a unit of work took.
            now: the time.
        """
        fade = math.exp((self._at - now) / MEMORY)
        self._at = now
        self._count = self._count * fade + 1
        self._x = self._x * fade + in_flight
        self._y = self._y * fade + pace
        self._xx = self._xx * fade + in_flight * in_flight
        self._xy = self._xy * fade + in_flight * pace
        self.at_once = self._found() if self._count >= _ENOUGH else FEW

    def _found(self) -> float:
        mean, pace = self._x / self._count, self._y / self._count
        variance = max(self._xx / self._count - mean * mean, 0.0)
        together = self._xy / self._count - mean * pace
        slope = (together + _DOUBT * pace / (FEW + mean)) / (variance + _DOUBT)
        if slope <= 0:
            return MANY
        return min(max((pace - slope * mean) / slope, FEW), MANY)

    def crowding(self, in_flight: int) -> float:
        """Tell how many times as long a call takes because of so many others that we have there, as far as is known.

        Half of what the line says, as a factor: whether we or others keep a server busy cannot be told apart by looking
        at it. Put all of it down to us, and the servers that many clients share look idle; put nothing down to us, and
        our own calls count twice, in the pace and in what is in flight.

        Args:
            in_flight: calls that it was serving when the call began.
        """
        return math.sqrt(1.0 + in_flight / self.at_once)

"""`Vegas`: how many calls a server should get at once, found out by how long its first chunks take.

The idea of TCP Vegas: with *n* calls at once and a shortest known time *m*, a time *t* means that about
``n (1 - m / t)`` of them stood in a line inside the server. A short line means room for more, a long one too many.
Only times to the first chunk tell of that: the time of a whole answer is mostly its length.

No two calls are alike, and one time says little: long prompts take longer, with no line at all. So *t* is the lower
quartile of the last times, and *m* the least of such quartiles. A line delays them all; what delays some is not seen.

Source: Brakmo and Peterson, TCP Vegas (1995), as Netflix's concurrency-limits applies it to servers.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from typing import Final

FORGETTING: Final = 600.0
"""Seconds after which the shortest time is learned anew: the server, or what is asked of it, may have changed."""

WINDOW: Final = 40
"""Times that are looked at together; nothing is known from fewer than half of them."""

SHORT: Final = 3.0
LONG: Final = 6.0
"""Calls in the line, for each digit of the limit: below the one it grows, above the other it shrinks. Quartiles differ
by chance, and what looks like a line by chance alone is longer where the limit is higher."""

HASTE: Final = 3.0
"""How many times as fast it shrinks at most, where the line is so many times too long: the server has got slower."""

SHRINKING: Final = 0.9
"""What is left of the limit when the server says that it is too busy."""


class Vegas:
    """The limit of one server. Not safe for threads: whoever owns it holds a lock.

    Args:
        start: the limit at first.
        least: it never goes below.
        most: nor above.
    """

    __slots__ = (
        "_heard",
        "_known_since",
        "_least",
        "_limit",
        "_most",
        "_newest",
        "_pressed",
        "_shortest",
        "_sorted",
        "_start",
    )

    def __init__(self, *, start: float = 8.0, least: float = 2.0, most: float = 256.0) -> None:
        self._limit = self._start = min(max(start, least), most)
        self._least = least
        self._most = most
        self._shortest: float | None = None
        self._known_since = 0.0
        self._pressed = float("-inf")
        self._heard = float("-inf")
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    @property
    def limit(self) -> int:
        """Calls that it may get at once."""
        return int(self._limit)

    def first_chunk(self, seconds: float, in_flight: int, now: float) -> None:
        """Take note of a time to a first chunk.

        Args:
            seconds: how long it took.
            in_flight: calls that the server had when this one began, itself included.
            now: the time.
        """
        self._heard = now
        usual = self._usual(seconds)
        if usual is None:
            return
        if self._shortest is None or usual < self._shortest or now - self._known_since >= FORGETTING:
            self._shortest = usual
            self._known_since = now
        if in_flight * 2 < self._limit:  # it is not the limit that holds
            return
        line = self._line(usual)
        if line < SHORT:
            self._set(self._limit + 1.0 / self._limit)
        elif line > LONG:
            self._shrink(line)

    def no_first_chunk(self, seconds: float, in_flight: int) -> None:
        """Take note that nobody waits any more for a first chunk that had not come.

        It would have taken longer still, so this can show a line that is too long, but never a short one.

        Args:
            seconds: how long it was waited for.
            in_flight: as in `first_chunk`.
        """
        line = self._line(seconds)
        if in_flight * 2 >= self._limit and line > LONG:
            self._shrink(line)

    def answered(self, in_flight: int, now: float) -> None:
        """Take note of an answer that came as a whole, whose time tells nothing of a line.

        Where there are no streams, such answers bring back what refusals took, up to the limit of the start: nothing
        would tell when more is too much.

        Args:
            in_flight: as in `first_chunk`.
            now: the time.
        """
        if in_flight * 2 >= self._limit and self._limit < self._start and now - self._heard >= FORGETTING:
            self._set(min(self._limit + 1.0 / self._limit, self._start))

    def overloaded(self, seconds: float, now: float) -> None:
        """Take note that the server refused or was too slow; what comes within one more of its times counts once.

        Args:
            seconds: how long the failure took.
            now: the time.
        """
        if now - self._pressed < max(seconds, self._shortest or 0.0):
            return
        self._pressed = now
        self._set(self._limit * SHRINKING)

    def _usual(self, seconds: float) -> float | None:
        """Add a time, and return the lower quartile of the last ones."""
        self._newest.append(seconds)
        insort(self._sorted, seconds)
        if len(self._newest) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._newest.popleft())]
        number = len(self._sorted)
        return self._sorted[number // 4] if number > WINDOW // 2 else None

    def _line(self, seconds: float) -> float:
        """Return how many stood in the line, for each digit of the limit."""
        if self._shortest is None or seconds <= 0:
            return 0.0
        return self._limit * (1.0 - self._shortest / seconds) / max(1.0, math.log10(self._limit))

    def _shrink(self, line: float) -> None:
        self._set(self._limit - min(line / LONG, HASTE) / self._limit)

    def _set(self, limit: float) -> None:
        self._limit = min(max(limit, self._least), self._most)

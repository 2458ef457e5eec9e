"""`Health`: how quick and how sound a target has been lately, in numbers that can be compared between targets.

The time of an answer is mostly its length, so times are counted for each unit of work: a token of the answer, and a
fixed number of them for the work before the first one. Everything is an average over time, in which what was seen
*t* seconds ago counts ``exp(-t / 20)`` as much.
"""

from __future__ import annotations

import math
from typing import Final

MEMORY: Final = 20.0
"""Seconds after which an observation counts for a third."""

LEAST_GAIN: Final = 0.05
"""What a new observation counts at least, where many come at once."""

FORGIVING: Final = 60.0
"""Seconds in which a target that serves nothing comes two thirds of the way back to the best of its pool."""

TEMPTING: Final = 0.9
"""The share of the best pace that it comes back to: a little better than the best, or it would never be tried."""

FAILING: Final = 10.0
"""How many times as slow as it was a target is taken to be that only fails."""

FIRST_WORK: Final = 65.0
"""Tokens that the work before the first token is worth, until it was seen."""

_MOST_FIRST_WORK: Final = 1000.0


class Average:
    """An average over time, in which the past fades."""

    __slots__ = ("at", "value")

    def __init__(self) -> None:
        self.value: float | None = None
        self.at = 0.0

    def add(self, value: float, now: float) -> None:
        """Take note of a value."""
        if self.value is None:
            self.value = value
        else:
            gain = max(LEAST_GAIN, 1.0 - math.exp((self.at - now) / MEMORY))
            self.value += gain * (value - self.value)
        self.at = now


class Health:
    """What was seen of one target. Not safe for threads: whoever owns it holds a lock."""

    __slots__ = ("_errors", "_first", "_pace", "_token", "failures", "successes")

    def __init__(self) -> None:
        self._pace = Average()
        self._first = Average()
        self._token = Average()
        self._errors = Average()
        self.successes = 0
        self.failures = 0

    def succeeded(self, now: float, seconds: float, output: int, first: float | None = None) -> float:
        """Take note of an answer; return the seconds that it took for a unit of work.

        Args:
            now: the time.
            seconds: how long it took.
            output: its tokens.
            first: seconds to its first chunk, of a stream.
        """
        self.successes += 1
        self._errors.add(0.0, now)
        if first is not None and output > 1 and seconds > first:
            self._first.add(first, now)
            self._token.add((seconds - first) / output, now)
        pace = seconds / (self.first_work + output)
        self._pace.add(pace, now)
        return pace

    def failed(self, now: float, seconds: float) -> None:
        """Take note of a failure. It counts as a slow answer, so that failing fast does not draw more calls."""
        self.failures += 1
        self._errors.add(1.0, now)
        if self._pace.value is not None:
            self._pace.add(max(seconds / self.first_work, 2 * self._pace.value), now)

    @property
    def first_work(self) -> float:
        """What the work before the first token is worth, in tokens."""
        first, token = self._first.value, self._token.value
        if first is None or not token:
            return FIRST_WORK
        return min(max(first / token, 1.0), _MOST_FIRST_WORK)

    @property
    def first_chunk(self) -> float | None:
        """Seconds to the first chunk; ``None`` where no stream was seen."""
        return self._first.value

    @property
    def error_rate(self) -> float:
        """Share of attempts that failed lately, from 0 to 1."""
        return self._errors.value or 0.0

    @property
    def pace(self) -> float | None:
        """Seconds for a unit of work; ``None`` where nothing was seen."""
        return self._pace.value

    def expected_pace(self, now: float, best: float | None, *, idle: bool) -> float:
        """Return the pace to expect of the next call.

        Args:
            now: the time.
            best: the pace of the quickest target of the pool; ``None`` where none is known.
            idle: it serves nothing now. Then what was seen fades towards `best`, so that one that has recovered is
                found out; one that is not known is taken for as quick as the best.
        """
        pace = self._pace.value
        if pace is None:
            pace = best or 0.0
        elif best is not None and idle and pace > best:
            low = TEMPTING * best
            pace = low + (pace - low) * math.exp((self._pace.at - now) / FORGIVING)
        if not self._errors.value:
            return pace
        return pace * (1 + (FAILING - 1) * self._errors.value * math.exp((self._errors.at - now) / FORGIVING))

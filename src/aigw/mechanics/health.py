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
"""Seconds in which a target that serves nothing comes two thirds of the way back to what is usual of it."""

FORGETTING: Final = 600.0
"""Seconds in which what is usual of it comes two thirds of the way to the best of its pool."""

LONG_MEMORY: Final = 1800.0
"""Seconds in which a pace that has become worse becomes the usual one, by two thirds of its logarithm."""

TEMPTING: Final = 0.9
"""The share of a pace that it comes back to, and that of the best which one is taken for that is not known: a little
better, or neither would ever be tried."""

FAILING: Final = 10.0
"""How many times as slow as it was a target is taken to be that only fails."""

FIRST_WORK: Final = 65.0
"""Tokens that the work before the first token is worth, until it was seen."""

_MOST_FIRST_WORK: Final = 1000.0

_ERRORS: Final = 0.001
"""A share of failures that is none."""


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

    __slots__ = ("_errors", "_first", "_pace", "_token", "_usual", "failures", "is_troubled", "pace", "successes")

    def __init__(self) -> None:
        self._pace = Average()
        self._first = Average()
        self._token = Average()
        self._errors = Average()
        self._usual = Average()
        self.successes = 0
        self.failures = 0
        self.pace: float | None = None
        """Seconds for a unit of work, alone; ``None`` where nothing was seen."""
        self.is_troubled = False
        """Whether anything failed lately, so that `trouble` is worth to be asked for."""

    def succeeded(
        self, now: float, seconds: float, output: int, first: float | None = None, *, crowding: float = 1.0
    ) -> float:
        """Take note of an answer; return the seconds that it took for a unit of work.

        Args:
            now: the time.
            seconds: how long it took.
            output: its tokens.
            first: seconds to its first chunk, of a stream.
            crowding: how many times as long it took because of the other calls that we had there, as is thought. The
                pace is without that: who compares targets by it adds what they are doing at that time.
        """
        self.successes += 1
        self._errors.add(0.0, now)
        self.is_troubled = self.error_rate > _ERRORS
        if first is not None and output > 1 and seconds > first:
            self._first.add(first, now)
            self._token.add((seconds - first) / output, now)
        pace = seconds / (self.first_work + output)
        self._pace.add(pace / crowding, now)
        self.pace = self._pace.value
        self._learn_usual(now)
        return pace

    def failed(self, now: float, seconds: float) -> None:
        """Take note of a failure. It counts as a slow answer, so that failing fast does not draw more calls."""
        self.failures += 1
        self._errors.add(1.0, now)
        self.is_troubled = True
        if self._pace.value is not None:
            self._pace.add(max(seconds / self.first_work, 2 * self._pace.value), now)
            self.pace = self._pace.value

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

    def forgiven(self, best: float, now: float) -> float:
        """Return the pace to expect of it where it serves nothing now.

        What was seen fades towards what is usual of it, so that one that has recovered is found out; and much later
        towards the best, so that one that has become quicker than ever is.

        Args:
            best: the pace of the quickest target of the pool.
            now: the time.
        """
        pace, since = self.pace or 0.0, self._pace.at - now
        low = TEMPTING * best
        usual = low + max(TEMPTING * (self._usual.value or best) - low, 0.0) * math.exp(since / FORGETTING)
        return min(pace, usual + (pace - usual) * math.exp(since / FORGIVING))

    def trouble(self, now: float) -> float:
        """Return how many times as slow it is to be taken for its failures; 1 where there were none lately."""
        errors = self._errors
        if not errors.value:
            return 1.0
        return 1 + (FAILING - 1) * errors.value * math.exp((errors.at - now) / FORGIVING)

    def _learn_usual(self, now: float) -> None:
        """Follow the pace: at once where it is better than the usual one, slowly where it is worse."""
        pace, usual = self._pace.value, self._usual.value
        if pace is None:
            return
        if usual is not None and 0 < usual < pace:
            pace = usual * (pace / usual) ** (1.0 - math.exp((self._usual.at - now) / LONG_MEMORY))
        self._usual.value, self._usual.at = pace, now

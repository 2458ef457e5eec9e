"""When a second attempt beside a slow first one is worth its price, and how many of them may be made.

`Times` knows how long the first output usually takes, `Purse` pays for second attempts out of a share of all calls and
of all that is spent, and `Calm` tells when a pool has other troubles than one straggler.

Source: "The Tail at Scale" (Dean and Barroso, 2013): wait for the 95th percentile, then ask a second server; it costs
about 5 % more requests.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import Final

LEAST_TIMES: Final = 100
"""Times without which nothing is known of the slowest few percent."""

MOST_TIMES: Final = 1000
"""Times that are remembered; the oldest are forgotten."""

RECENT: Final = 20
"""Times whose median is the present."""

SLOWER: Final = 2.0
"""How many times the usual median the present one may be."""

TROUBLE: Final = 10.0
"""Seconds that a refusal for lack of capacity is remembered."""

MOST_SAVED: Final = 10.0
"""Second attempts that may be made at once after a time without any."""


class Times:
    """Seconds to the first output of the newest calls.

    The time of an attempt that was given up may be added as it stood then: it is above the quantile that made it be
    given up, and so the quantile stays where it is.
    """

    __slots__ = ("_newest", "_sorted")

    def __init__(self) -> None:
        self._newest: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        return len(self._newest)

    def add(self, seconds: float) -> None:
        """Take note of a call."""
        self._newest.append(seconds)
        insort(self._sorted, seconds)
        if len(self._newest) > MOST_TIMES:
            del self._sorted[bisect_left(self._sorted, self._newest.popleft())]

    def quantile(self, share: float) -> float | None:
        """Return the seconds that this share of the calls stays below; ``None`` while there are too few."""
        count = len(self._sorted)
        return self._sorted[min(int(share * count), count - 1)] if count >= LEAST_TIMES else None

    def is_slow(self) -> bool:
        """Tell whether all calls are slow of late, not one: then a second attempt only adds to the load."""
        usual = self.quantile(0.5)
        if usual is None:
            return False
        recent = sorted(list(self._newest)[-RECENT:])
        return recent[len(recent) // 2] > SLOWER * usual


class Purse:
    """Pays for second attempts.

    Args:
        calls: second attempts for each call, on average.
        spend: share of all that is spent that they may cost; money and tokens are counted apart, each by its unit.
    """

    __slots__ = ("_calls", "_saved", "_spend", "_unspent")

    def __init__(self, *, calls: float, spend: float) -> None:
        self._calls = calls
        self._spend = spend
        self._saved = 0.0
        self._unspent: dict[str, float] = {}

    def count(self) -> None:
        """Count a call."""
        self._saved = min(self._saved + self._calls, max(MOST_SAVED, self._calls))

    def earn(self, unit: str, amount: float) -> None:
        """Count what a call has cost."""
        self._unspent[unit] = self._unspent.get(unit, 0.0) + self._spend * amount

    def refusal(self, unit: str, amount: float) -> str:
        """Tell what there is not enough of for a second attempt; empty if there is."""
        if self._saved < 1.0:
            return f"{self._calls:.3g} of the calls were hedged"
        if self._unspent.get(unit, 0.0) < amount:
            return f"{self._spend:.3g} of the spend went into hedges"
        return ""

    def pay(self, unit: str, amount: float) -> None:
        """Pay for a second attempt that is begun."""
        self._saved -= 1.0
        self.correct(unit, amount)

    def correct(self, unit: str, amount: float) -> None:
        """Pay more, or less than nothing, when it is known what one has cost. What is overdrawn is saved first."""
        self._unspent[unit] = self._unspent.get(unit, 0.0) - amount


class Calm:
    """Tells whether somebody has refused for lack of capacity just now."""

    __slots__ = ("_since",)

    def __init__(self) -> None:
        self._since: float | None = None

    def disturb(self, now: float) -> None:
        """Take note of a 429, or of an overloaded server."""
        self._since = now

    def __call__(self, now: float) -> bool:
        """Tell whether it is long ago."""
        return self._since is None or now - self._since >= TROUBLE

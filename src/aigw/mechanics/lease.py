"""Prepaid leases: a process takes a slice of a rate in advance and spends it by itself.

While a lease is open the whole of it counts against the burst of its rate, spent or not. When it ends, what was spent
of it becomes part of the rate's TAT, as of the last moment when anything was spent, and the rest is free. So in no
window is more spent than the rate allows, whoever holds leases: what is spent in a window was leased before, and then
others had so much less of the burst in it, or it was granted in the window.

Amounts are microseconds at the allowed rate, as the TAT is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aigw.mechanics.limits import Rate

TTL: Final = 5.0
"""Seconds after which nothing is left of a lease that nobody ended. It runs out earlier by what it is worth, is taken
for spent then, and that is paid off at the end of this time."""

LONGEST: Final = 1.0
"""Seconds of the whole rate that a lease is worth at most."""

SHARE: Final = 4
"""All leases of a rate together are at most this part of its window, and of its burst."""

LEAST: Final = 2
"""Requests for which a lease is worth while; for fewer each asks by itself."""

REFILL: Final = 0.3
"""The part of a lease at which the next one is taken."""

CAUTION: Final = 0.9
"""The part of a lease's time in which it is spent: clocks do not run alike, and its end must be told in time."""


class Lease:
    """A slice of a rate that this process holds.

    Args:
        name: its own name.
        rate: the rate.
        amount: what was leased.
        now: when it is asked for.
        lasts: seconds after which the store takes it for spent.
    """

    __slots__ = ("_last", "amount", "ends", "is_open", "name", "rate", "spent")

    def __init__(self, name: str, rate: Rate, amount: int, now: float, lasts: float) -> None:
        self.name = name
        self.rate = rate
        self.amount = amount
        self._last = now
        self.ends = now + CAUTION * lasts
        """When nothing more is spent of it, reckoned from before it was asked for."""
        self.spent = 0
        self.is_open = True
        """Whether the store was not told its end yet."""

    @property
    def left(self) -> int:
        """What may still be spent; negative where a call used more than it had reserved."""
        return self.amount - self.spent

    def age(self, now: float) -> float:
        """Seconds since something was last spent."""
        return max(now - self._last, 0.0)

    def rest(self, now: float) -> Lease:
        """Return what is left, as a lease of its own, of which nothing is spent yet."""
        rest = Lease(self.name, self.rate, self.left, now, 0.0)
        rest.ends = self.ends
        return rest

    def spend(self, amount: int, now: float) -> None:
        """Spend so much of it, or give it back."""
        self.spent += amount
        if amount > 0:
            self._last = max(self._last, now)


class Pace:
    """What a process has spent of a rate in about the last second: a sum whose parts fade."""

    __slots__ = ("_at", "_sum")

    def __init__(self) -> None:
        self._at = 0.0
        self._sum = 0.0

    def add(self, amount: float, now: float) -> None:
        """Count what was spent just now."""
        self._sum = self.at(now) + amount
        self._at = now

    def at(self, now: float) -> float:
        """Return what it is now."""
        return self._sum * math.exp(min(self._at - now, 0.0))


def size(rate: Rate, pace: float, cost: int, peers: int) -> int:
    """Return how much to lease; 0 where a lease is not worth while.

    Args:
        rate: the rate.
        pace: what this process spends of it in a second.
        cost: what a request costs.
        peers: how many processes use the store.
    """
    most = min(rate.window, rate.burst) / (SHARE * peers)
    amount = min(pace, min(most, LONGEST) * 1e6)
    return int(amount) if amount >= max(LEAST * cost, 1) else 0


def lasts(amount: int) -> float:
    """Return the seconds after which the store takes a lease for spent."""
    return TTL - amount / 1e6

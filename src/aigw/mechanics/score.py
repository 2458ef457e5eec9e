"""The score of a target: what a call is likely to cost there in time. The least is best.

A target with *n* calls in flight is taken to be ``1 + n / c`` times as slow as its pace (`aigw.mechanics.health`).
*c* is how many it serves at once without slowing down (`aigw.mechanics.load`). One that fails lately looks slower, and
so does one that has not seen the beginning of a long prompt (`aigw.mechanics.prefix`).

What a call minds most counts twice: errors for interactive ones, so that they go to the most reliable targets; what is
in flight for those of a batch, so that they take what is idle and leave the quick targets to the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.mechanics.health import TEMPTING, Health
from aigw.mechanics.load import Load

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

ALL: Final = 16
"""Targets up to which all are compared; of more, some are drawn."""

DRAWN: Final = 3
"""Targets that are drawn where there are many."""


class Standing:
    """All that the score of a target is made of. Not safe for threads but for reading: whoever owns it holds a lock."""

    __slots__ = ("health", "in_flight", "load")

    def __init__(self) -> None:
        self.health = Health()
        self.load = Load()
        self.in_flight = 0
        """Calls that it is serving now."""

    def cost(self, best: float, now: float, priority: str = "standard") -> float:
        """Return the score: seconds that a unit of work is likely to take.

        Args:
            best: the pace of the quickest target of the pool; 0 where none is known.
            now: the time.
            priority: of the call.
        """
        health, busy = self.health, self.in_flight
        pace = health.pace
        if pace is None:
            pace = TEMPTING * best
        elif not busy and pace > best > 0:
            pace = health.forgiven(best, now)
        crowd = 1.0 + busy / self.load.at_once
        pace *= crowd * crowd if priority == "batch" else crowd
        if not health.is_troubled:
            return pace
        trouble = health.trouble(now)
        return pace * (trouble * trouble if priority == "interactive" else trouble)

    def unhurried(self, best: float, now: float) -> float:
        """Return the pace to expect of the next call, whatever the target is doing: see `cost`."""
        health = self.health
        pace = TEMPTING * best if health.pace is None else health.pace
        if not self.in_flight and pace > best > 0:
            pace = health.forgiven(best, now)
        return pace * health.trouble(now)

    def answered(self, seconds: float, *, others: int, output: int, first: float | None, now: float) -> None:
        """Take note of an answer.

        Args:
            seconds: how long it took.
            others: calls in flight when it began.
            output: its tokens.
            first: seconds to the first chunk, of a stream.
            now: the time.
        """
        crowding = self.load.crowding(others)
        self.load.add(others, self.health.succeeded(now, seconds, output, first, crowding=crowding), now)


def least(costs: Sequence[float], busy: Sequence[int], *, rng: random.Random) -> int:
    """Pick the position with the least cost; among equals the one with the fewest calls in flight, then by chance."""
    best = min(costs)
    ties = [position for position, cost in enumerate(costs) if cost == best]
    if len(ties) == 1:
        return ties[0]
    idlest = min(busy[position] for position in ties)
    ties = [position for position in ties if busy[position] == idlest]
    return ties[0] if len(ties) == 1 else rng.choice(ties)


def drawn(count: int, *, rng: random.Random, also: Sequence[int] = ()) -> Sequence[int]:
    """Return the positions to compare: all of a few, some of many.

    Args:
        count: how many there are.
        rng: source of chance.
        also: positions to compare in any case.
    """
    if count <= ALL:
        return range(count)
    return list(dict.fromkeys([*rng.sample(range(count), DRAWN), *also]))

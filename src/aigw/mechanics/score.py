"""The score of a target: what a call is likely to cost there in waiting. The least is best.

A target with *n* calls in flight is taken to be ``1 + n / c`` times as slow as its pace. *c* is how many it serves at
once without slowing down (see `aigw.mechanics.load`); 4 is the best guess where nothing is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

AT_ONCE: Final = 4.0
"""Calls that a target is taken to serve at once."""

ALL: Final = 16
"""Targets up to which all are compared; of more, some are drawn."""

DRAWN: Final = 3
"""Targets that are drawn where there are many."""


def cost(pace: float, in_flight: int, weight: float, *, at_once: float = AT_ONCE) -> float:
    """Return the score of a target.

    Args:
        pace: its seconds for a unit of work.
        in_flight: calls that it is serving.
        weight: its weight; with half of it a target looks twice as slow, and with none it comes last.
        at_once: calls that it serves at once.
    """
    return pace * (1.0 + in_flight / at_once) / weight if weight > 0 else float("inf")


def least(costs: Sequence[float], busy: Sequence[int], *, rng: random.Random) -> int:
    """Pick the position with the least cost; among equals the one with the fewest calls in flight, then by chance."""
    best = min(zip(costs, busy, strict=True))
    ties = [position for position, pair in enumerate(zip(costs, busy, strict=True)) if pair == best]
    return ties[0] if len(ties) == 1 else rng.choice(ties)


def drawn(count: int, *, rng: random.Random) -> Sequence[int]:
    """Return the positions to compare: all of a few, some of many."""
    return range(count) if count <= ALL else rng.sample(range(count), DRAWN)

"""Ways to pick one of several: each takes plain numbers and returns a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence


def weighted(weights: Sequence[float], *, rng: random.Random) -> int:
    """Pick at random, in proportion to the weights; evenly if they are all zero."""
    total = sum(weights)
    if total <= 0:
        return rng.randrange(len(weights))
    point = rng.random() * total
    for position, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return position
    return max(position for position, weight in enumerate(weights) if weight > 0)  # rounding left a crumb


def round_robin(turns: Sequence[float], weights: Sequence[float]) -> int:
    """Pick the one that is furthest behind its share.

    Args:
        turns: how often each was picked so far.
        weights: their shares.
    """
    behind = [(turn + 1) / weight if weight > 0 else float("inf") for turn, weight in zip(turns, weights, strict=True)]
    return min(range(len(turns)), key=behind.__getitem__)


def least_busy(busy: Sequence[int], weights: Sequence[float], *, rng: random.Random) -> int:
    """Pick the one with the fewest calls in flight for its weight; by chance among equals."""
    load = [(count + 1) / weight if weight > 0 else float("inf") for count, weight in zip(busy, weights, strict=True)]
    least = min(load)
    best = [position for position, value in enumerate(load) if value == least]
    return best[0] if len(best) == 1 else rng.choice(best)

"""How long to wait before the next try."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


def full_jitter(attempt: int, *, base: float, cap: float, rng: random.Random) -> float:
    """Return a wait in seconds, evenly spread between nothing and a bound that doubles from try to try.

    Args:
        attempt: how many tries have failed so far, from 1.
        base: the bound after the first of them.
        cap: the bound never grows beyond this.
        rng: source of chance.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter spreads a crowd best.
    """
    bound = min(cap, base * 2.0 ** min(attempt - 1, 60))
    return rng.uniform(0.0, bound)


def obeying(retry_after: float, *, rng: random.Random) -> float:
    """Return the wait that a provider asked for and up to a tenth more, so that its clients do not return at once."""
    return retry_after * (1.0 + 0.1 * rng.random())

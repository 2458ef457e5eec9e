"""The generic cell rate algorithm, with debt: the whole state of a rate is one time.

That time (the *theoretical arrival time*, TAT) is when everything that was admitted will have been paid for at the
allowed rate. A call of cost *c* moves it on by *c* x window / capacity, and may start while it is less than the burst
ahead of now. Settling moves it by the difference between what was reserved and what was used; beyond the burst that is
a debt, for which later calls wait, and what was not used is free for others. So the long-run rate is right whatever the
estimates are worth, and in any window of *w* seconds no more than capacity x (w + burst) / window is admitted, give or
take what the estimates of the calls that run at its beginning were wrong by. Only a single call that is larger than the
burst exceeds that; it starts when nothing is owed.

Source: ITU-T I.371, annex A, as a meter of amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aigw.mechanics.limits import Rate


TOLERANCE: Final = 1e-6
"""Seconds that do not count: wall time as a float is exact to a quarter of that, and nobody can wait so short."""


def cost(rate: Rate, amount: float) -> float:
    """Seconds that an amount takes at the allowed rate; negative for a refund."""
    return amount * rate.window / rate.capacity


def wait(rate: Rate, tat: float, amount: float, now: float) -> float:
    """Seconds until an amount is admitted; 0 and less is now.

    What is larger than the burst is admitted when nothing is owed, and is paid off after that.
    """
    return max(tat, now) + min(cost(rate, amount), rate.burst) - rate.burst - now - TOLERANCE


def admit(rate: Rate, tat: float, amount: float, now: float) -> float:
    """Return the new TAT after an amount was admitted."""
    return max(tat, now) + cost(rate, amount)

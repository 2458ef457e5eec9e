"""`Told`: what a provider told last of its quota, for as long as it says anything of now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.quota import Allowance, QuotaHint

A_MINUTE: Final = 60.0
"""Seconds for which a limit is believed that does not tell when it is back."""


class Told:
    """The limits of a provider as it told them last; what it said is read when somebody wants to know.

    Not safe for threads: whoever owns it holds a lock.
    """

    __slots__ = ("_ask", "_at")

    def __init__(self) -> None:
        self._ask: Callable[[], QuotaHint | None] | None = None
        self._at = 0.0

    def add(self, ask: Callable[[], QuotaHint | None], now: float) -> None:
        """Take note of where the news is."""
        self._ask, self._at = ask, now

    def left(self, now: float) -> float | None:
        """Return the share of the tightest limit that is left, from 0 to 1; ``None`` where that is not known."""
        hint = self._ask() if self._ask is not None else None
        if hint is None:
            return None
        age = now - self._at
        known = [left for one in hint.allowances if (left := _left(one, age)) is not None]
        return min(known, default=None)


def _left(one: Allowance, age: float) -> float | None:
    lasts = one.resets_after if one.resets_after is not None else one.window or A_MINUTE
    if one.scope or age > lasts:
        return None
    if one.remaining is not None and one.limit:
        return min(max(one.remaining / one.limit, 0.0), 1.0)
    return None if one.used is None else min(max(1.0 - one.used, 0.0), 1.0)

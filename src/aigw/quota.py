"""`QuotaHint`: what a provider tells about the quota of the account, in the same words for every provider."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from aigw.values import Value

Dimension = Literal["requests", "tokens", "input_tokens", "output_tokens", "capacity"]
"""What a limit counts. ``capacity`` is everything at once, counted in no unit; then only `Allowance.used` is told."""


A_DAY: Final = 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Allowance(Value):
    """One limit of the provider, and what is left of it.

    Args:
        dimension: what is counted.
        limit: how much the account may use in a window; ``None`` where it does not tell.
        remaining: how much of it is left; ``None`` where it does not tell.
        resets_after: seconds until all of it is there again; ``None`` where it does not tell.
        window: length of the window in seconds; ``None`` where it does not tell.
        used: share of it that is used up, 1 for all; ``None`` where it does not tell.
        scope: the kind of calls that it is for, as the provider calls them: ``priority``, ``fast``. Empty where it
            holds for every call.
    """

    dimension: Dimension
    limit: int | None = None
    remaining: int | None = None
    resets_after: float | None = None
    window: float | None = None
    used: float | None = None
    scope: str = ""

    @property
    def left(self) -> float:
        """How much is left: `remaining`, or the share that is not used; infinite where it does not tell."""
        if self.remaining is not None:
            return self.remaining
        return math.inf if self.used is None else 1 - self.used


@dataclass(frozen=True, slots=True)
class QuotaHint(Value):
    """What a provider told about its limits, in the headers of an answer or with a failure.

    Args:
        allowances: its limits.
        retry_after: seconds that it asked to wait, with a failure.
    """

    allowances: tuple[Allowance, ...] = ()
    retry_after: float | None = None

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left of a limit that comes back only after a day or longer: waiting does not help."""
        return any(
            one.remaining == 0 and not one.scope and one.window is not None and one.window >= A_DAY
            for one in self.allowances
        )

    def tightest(self, dimension: Dimension, scope: str = "") -> Allowance | None:
        """Return the limit of a dimension of which the least is left; ``None`` where it told of none.

        Args:
            dimension: what is counted.
            scope: the kind of calls; by default the limits that hold for every call.
        """
        known = [one for one in self.allowances if one.dimension == dimension and one.scope == scope]
        return min(known, key=lambda one: one.left, default=None)

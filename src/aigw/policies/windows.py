"""`Limit`: how much of something in which time; what `RateLimit` makes of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, get_args

from aigw.checks import at_least, seconds
from aigw.errors import ConfigError
from aigw.mechanics.limits import Rate, Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.mechanics.limits import WhenDown

Counted = Literal["requests", "tokens", "input_tokens", "output_tokens"]
"""What a `Limit` counts; ``tokens`` are input and output together."""

Window = Literal["second", "minute", "hour", "day"]

WINDOWS: Final[Mapping[str, float]] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
"""Seconds of the windows that have a name."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so much time: ``Limit("tokens", 1_000_000, per="day")``.

    Args:
        counts: ``requests``, ``tokens`` (input and output), ``input_tokens`` or ``output_tokens``.
        amount: how many.
        per: the window: ``second``, ``minute``, ``hour``, ``day``, or its length in seconds, also as a `timedelta`.
        burst: seconds' worth of it that may come at once; by default the same share of the window as
            ``RateLimit(burst)`` is of a minute.

    Raises:
        ConfigError: one of these makes no sense.
    """

    counts: Counted
    amount: int
    per: Window | float | timedelta = "minute"
    burst: float | None = None

    def __post_init__(self) -> None:
        if self.counts not in get_args(Counted):
            raise ConfigError(f"Limit(counts) must be one of {', '.join(get_args(Counted))}, not {self.counts!r}")
        at_least("Limit(amount)", self.amount, 1)
        if isinstance(self.per, str):
            if self.per not in WINDOWS:
                raise ConfigError(f"Limit(per) must be one of {', '.join(WINDOWS)} or seconds, not {self.per!r}")
        else:
            seconds("Limit(per)", self.per)
        if self.burst is not None:
            seconds("Limit(burst)", self.burst)

    @property
    def window(self) -> float:
        """Length of the window in seconds."""
        return WINDOWS[self.per] if isinstance(self.per, str) else seconds("Limit(per)", self.per)

    @property
    def dimension(self) -> str:
        """Its name in errors and stores, such as ``tokens_per_minute``."""
        return f"{self.counts}_per_{_named(self.window) or f'{self.window:g}s'}"

    def __str__(self) -> str:
        unit = self.counts.replace("_", " ").removesuffix("s" if self.amount == 1 else "")
        return f"{self.amount:,} {unit} per {_named(self.window) or f'{self.window:g} s'}"

    def rate(self, key: str, burst: float, when_down: WhenDown) -> Rate:
        """Make what a store counts.

        Args:
            key: whose count it is.
            burst: seconds of a minute that may come at once.
            when_down: what to do while the store does not answer.
        """
        own = self.burst if self.burst is not None else burst * self.window / WINDOWS["minute"]
        return Rate(f"{key}{self.dimension}", self.amount, self.window, own, when_down)


@dataclass(frozen=True, slots=True)
class AtATime:
    """So many calls at a time.

    Args:
        amount: how many.
    """

    amount: int
    counts: Literal["calls"] = "calls"
    dimension: Literal["concurrency"] = "concurrency"

    def __str__(self) -> str:
        return f"{self.amount:,} call{'' if self.amount == 1 else 's'} at a time"

    def rate(self, key: str, burst: float, when_down: WhenDown) -> Slots:  # noqa: ARG002  (as `Limit` has it)
        """Make what a store counts."""
        return Slots(f"{key}{self.dimension}", self.amount, when_down)


def _named(window: float) -> str:
    return next((name for name, length in WINDOWS.items() if length == window), "")

"""What a `Budget` limits: amounts of money or tokens, each in a period. Money is integer nano-dollars."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.mechanics.limits import Spend, WhenDown
from aigw.mechanics.periods import Per, Period, calendar, rolling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

Money = int | str | Decimal | float
"""US dollars. A float is taken as it is written: 0.1 is a tenth."""

Unit = Literal["usd", "tokens"]

PERS: Final[tuple[Per, ...]] = ("month", "week", "day", "hour")
"""Periods, the longest first."""

NANO: Final = 9
"""Digits behind the point of a dollar that are counted."""

NO_LIMIT: Final = 2**53 - 1
"""More than is ever spent: nine million dollars. Every store counts integers up to here exactly."""

_UP: Final = Context(prec=120, rounding=ROUND_CEILING)
_DOWN: Final = Context(prec=120, rounding=ROUND_FLOOR)


class Allowance(NamedTuple):
    """An amount that may be spent in a period.

    Args:
        unit: ``usd`` or ``tokens``.
        per: the period.
        amount: nano-dollars or tokens.
        rolling: the period ends now; otherwise it is the calendar's.
        zone: the time zone of the calendar.
    """

    unit: Unit
    per: Per
    amount: int
    rolling: bool
    zone: tzinfo

    @property
    def dimension(self) -> str:
        """Its name in errors, such as ``usd_per_day``."""
        return f"{self.unit}_per_{self.per}"

    def __str__(self) -> str:
        return f"{shown(self.unit, self.amount)} per {self.per}"

    def period(self, time: float) -> Period:
        """Return the period that an instant of wall time lies in."""
        return rolling(self.per, time) if self.rolling else calendar(self.per, self.zone, time)

    def spend(self, prefix: str, period: Period, when_down: WhenDown, *, bounded: bool = True) -> Spend:
        """Make what a store counts.

        Args:
            prefix: policy and scope.
            period: the period.
            when_down: what to do while the store does not answer.
            bounded: refuse what exceeds it; otherwise it is only counted.
        """
        key = f"{prefix}{self.dimension}{' rolling' if self.rolling else ''}"
        return Spend(key, self.amount if bounded else NO_LIMIT, period.piece, period.oldest, when_down, period.lasts)


def allowances(usd: Sequence[Any], tokens: Sequence[Any], *, is_rolling: bool, zone: tzinfo) -> tuple[Allowance, ...]:
    """Take what a user gave, from months to hours; ``None`` is no limit.

    The longest come first: of several that refuse a call, stores tell the first one.

    Raises:
        ConfigError: nothing is limited, or an amount makes no sense.
    """
    if not isinstance(is_rolling, bool):
        raise ConfigError(f"Budget(rolling) must be True or False, not {is_rolling!r}")
    found = [
        Allowance("usd", per, nano_of(f"Budget(usd_per_{per})", given), is_rolling, zone)
        for per, given in zip(PERS, usd, strict=True)
        if given is not None
    ]
    found += [
        Allowance("tokens", per, at_least(f"Budget(tokens_per_{per})", given, 1), is_rolling, zone)
        for per, given in zip(PERS, tokens, strict=True)
        if given is not None
    ]
    if not found:
        raise ConfigError("Budget() limits nothing: give usd_per_day, usd_per_month, tokens_per_day, …")
    for limit in found:
        if limit.amount > NO_LIMIT:
            raise ConfigError(f"Budget({limit.dimension}) can be at most {shown(limit.unit, NO_LIMIT)}, not {limit}")
    return tuple(found)


def nano_of(argument: str, given: object) -> int:
    """Take an amount of money.

    Raises:
        ConfigError: it is none, not positive, or less than a nano-dollar.
    """
    nano = 0
    if isinstance(given, (int, str, Decimal, float)) and not isinstance(given, bool):
        try:
            usd = Decimal(str(given).strip())
        except InvalidOperation:
            usd = Decimal(0)
        if usd.is_finite() and usd > 0:
            nano = int(usd.scaleb(NANO, _DOWN).to_integral_value(ROUND_FLOOR, _DOWN)) if usd < 10**12 else NO_LIMIT + 1
    if nano <= 0:
        raise ConfigError(f"{argument} must be a positive amount of US dollars such as 10 or '0.25', not {given!r}")
    return nano


def nano_up(usd: Decimal) -> int:
    """Count nano-dollars, rounded up: nothing is ever counted too low."""
    return int(usd.scaleb(NANO, _UP).to_integral_value(ROUND_CEILING, _UP))


def usd_of(nano: int) -> Decimal:
    """Return nano-dollars as US dollars."""
    return Decimal(nano).scaleb(-NANO, _UP)


def value_of(unit: Unit, amount: int) -> Decimal | int:
    """Return an amount as users know it: US dollars or tokens."""
    return usd_of(amount) if unit == "usd" else amount


def shown(unit: Unit, amount: int) -> str:
    """Write an amount: ``$10.00``, ``$0.000125``, ``9,000 tokens``."""
    if unit == "tokens":
        return f"{amount:,} tokens"
    whole, _, rest = f"{usd_of(amount):,.9f}".partition(".")
    return f"${whole}.{rest.rstrip('0').ljust(2, '0')}"

"""Periods in which something may be spent: calendar ones in a time zone, and rolling ones. Wall time is an argument.

A calendar period is one piece, with a number that grows by one from each to the next. It begins when clocks of the
zone show its beginning for the first time, and ends where the next one begins; so periods never overlap and leave no
gap, whatever the clocks do: a day may have 23, 24 or 25 hours, and a day that a country skips has none.

A rolling period ends now. It moves in steps of a 60th of its length: what was spent a little longer ago than the
period still counts, for at most one step.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Per = Literal["hour", "day", "week", "month"]
"""The length of a period. Weeks begin on Monday. A rolling month has 30 days."""

STEPS: Final = 60
"""Steps in which a rolling period moves on."""

HOUR: Final = 3600

LENGTHS: Final[Mapping[Per, int]] = {"hour": HOUR, "day": 24 * HOUR, "week": 7 * 24 * HOUR, "month": 30 * 24 * HOUR}
"""Seconds of a rolling period."""

LONGEST: Final[Mapping[Per, int]] = {"hour": HOUR, "day": 25 * HOUR, "week": 169 * HOUR, "month": 745 * HOUR}
"""Seconds of a calendar period, where its clocks are put back by an hour in it."""

_SHOWN_BY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When clocks are looked at to tell where their full hours begin."""


class Period(NamedTuple):
    """The period that an instant lies in.

    Args:
        piece: the piece that is being spent in.
        oldest: the first piece that still counts.
        ends: seconds until a new calendar period begins; ``None`` for a rolling one, which has no end.
        lasts: seconds after which what is spent now counts no more, at the latest.
    """

    piece: int
    oldest: int
    ends: float | None
    lasts: float


def time_zone(owner: str, name: object) -> tzinfo:
    """Find a time zone.

    Args:
        owner: the argument, for errors, such as ``Budget(timezone)``.
        name: its IANA name, such as ``Europe/Berlin``, or a `tzinfo`.

    Raises:
        ConfigError: there is no such zone.
    """
    if isinstance(name, tzinfo):
        return name
    if name == "UTC":
        return UTC  # needs no data
    try:
        if isinstance(name, str) and name:
            return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        pass
    raise ConfigError(
        f"{owner} must be the IANA name of a time zone such as 'Europe/Berlin', not {name!r}; if it is one, this "
        "system has no time zone data: install the package tzdata"
    )


def rolling(per: Per, time: float) -> Period:
    """Return the period that ends now.

    Args:
        per: its length.
        time: wall time, in seconds since 1970.
    """
    length = LENGTHS[per]
    step = length // STEPS
    piece = int(time // step)
    return Period(piece, piece - STEPS, None, length + step)


def calendar(per: Per, zone: tzinfo, time: float) -> Period:
    """Return the calendar period that an instant lies in.

    Args:
        per: its length.
        zone: whose calendar.
        time: wall time, in seconds since 1970.
    """
    if per == "hour":
        # In zones that are not whole hours from UTC, hours begin when a clock shows a full hour in January 2026.
        offset = _SHOWN_BY.astimezone(zone).utcoffset() or timedelta()
        shown = time + offset.total_seconds() % HOUR
        piece, ends = int(shown // HOUR), HOUR - shown % HOUR
    else:
        piece = _number(per, datetime.fromtimestamp(time, zone).date())
        while time < _begin(per, zone, piece):  # clocks were put forward before midnight, over it
            piece -= 1
        while time >= (end := _begin(per, zone, piece + 1)):  # clocks were put back over midnight: an old date again
            piece += 1
        ends = end - time
    return Period(piece, piece, ends, LONGEST[per])


def _number(per: Per, day: date) -> int:
    """Number the period of a day."""
    if per == "month":
        return day.year * 12 + day.month - 1
    return day.toordinal() if per == "day" else (day.toordinal() - 1) // 7  # day 1 was a Monday


def _begin(per: Per, zone: tzinfo, number: int) -> float:
    """Return when a period begins: the first of two midnights; one that was skipped is where it would have been."""
    if per == "month":
        first = date(number // 12, number % 12 + 1, 1)
    else:
        first = date.fromordinal(number if per == "day" else number * 7 + 1)
    return datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()

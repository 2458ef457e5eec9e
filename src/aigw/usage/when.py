"""Moments and time zones as users write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from aigw.errors import ConfigError

Moment = datetime | date | timedelta | str | None
"""A moment as a user writes it; see `moment`."""

_AGO: Final = re.compile(r"(\d+)\s*([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def zone_of(name: str, given: str | tzinfo) -> tzinfo:
    """Take a time zone: ``UTC``, ``Europe/Berlin`` and the like, or a `tzinfo`.

    Args:
        name: the argument, for errors.
        given: what the user gave.

    Raises:
        ConfigError: there is no such zone.
    """
    if isinstance(given, tzinfo):
        return given
    if given == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(given)
    except (KeyError, ValueError, TypeError, OSError) as error:  # KeyError: not found; OSError: it is a folder
        raise ConfigError(
            f"{name} must be a time zone such as 'UTC' or 'Europe/Berlin', not {given!r} "
            "(where the system has no time zones, install tzdata)"
        ) from error


def moment(name: str, given: Moment, now: float, zone: tzinfo) -> float | None:
    """Take a moment, and return it in seconds since 1970.

    Args:
        name: the argument, for errors.
        given: a `datetime` with a time zone, a `date` (its midnight), a `timedelta` (so long ago), a text such as
            ``"24h"`` or ``"7d"`` (so long ago; also s, m, w), or a date or time as ISO 8601 writes it. ``None`` stays.
        now: seconds since 1970.
        zone: where midnight is, and the zone of times that name none.

    Raises:
        ConfigError: it is none of these.
    """
    if given is None:
        return None
    if isinstance(given, str):
        given = _read(name, given.strip(), zone)
    if isinstance(given, timedelta):
        return now - given.total_seconds()
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise ConfigError(f"{name}={given!r} has no time zone: use datetime.now(UTC) or the like")
        return given.timestamp()
    if isinstance(given, date):
        return datetime.combine(given, time(), zone).timestamp()
    raise ConfigError(f"{name} must be a datetime, a date, a timedelta or a text, not {given!r}")


def _read(name: str, text: str, zone: tzinfo) -> datetime | date | timedelta:
    if ago := _AGO.fullmatch(text):
        return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"{name} must be a date or time such as '2026-11-01' or '2026-11-01T12:00', "
            f"or a time ago such as '24h' or '7d', not {text!r}"
        ) from None
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)

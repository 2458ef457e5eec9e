"""Reading the values of rate-limit headers: counts, shares, durations, times, and lists of structured fields.

What makes no sense is ``None``, or left out. Nothing here raises, whatever a server sends.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60.0
DAY: Final = 86400.0
MONTH: Final = 30 * DAY
"""Seconds of a month, more or less."""

SPANS: Final[Mapping[str, float]] = {
    "second": 1.0,
    "minute": MINUTE,
    "hour": 3600.0,
    "1h": 3600.0,
    "5h": 5 * 3600.0,
    "day": DAY,
    "7d": 7 * DAY,
    "month": MONTH,
}
"""Seconds of the windows that names of headers end with."""

_NAMED_SPAN: Final = re.compile("(?:by|per)(second|minute|hour|day)", re.IGNORECASE)

_LONGEST: Final = 1000
"""Characters of a header that is still read."""

_SECONDS_OF: Final[Mapping[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "\N{MICRO SIGN}s": 1e-6,
    "\N{GREEK SMALL LETTER MU}s": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_PIECE: Final = rf"([0-9]+(?:\.[0-9]+)?)({'|'.join(_SECONDS_OF)})"
_PIECES: Final = re.compile(_PIECE)
_DURATION: Final = re.compile(f"(?:{_PIECE})+")

_SINCE_EPOCH: Final = 1e9
"""A reset from here on is a time in seconds, not a wait: 31 years as a wait, 2001 as a time."""

_SINCE_EPOCH_MS: Final = 1e11
"""A reset from here on is a time in milliseconds: 1973, while as seconds it would be the year 5138."""


def number(text: str | None) -> float | None:
    """Read a number that is neither negative nor infinite. Some servers send -1 for what they do not know."""
    if text is None or len(text) > _LONGEST:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def count(text: str | None) -> int | None:
    """Read a number of requests or tokens; parts of one do not count."""
    value = number(text)
    return None if value is None else int(value)


def share(text: str | None) -> float | None:
    """Read a share: ``0.42`` or ``42%``."""
    if text is not None and text.endswith("%"):
        percent = number(text[:-1])
        return None if percent is None else percent / 100
    return number(text)


def seconds(text: str | None, at: float) -> float | None:
    """Read how long something takes from now on; 0 for a time that is over.

    Args:
        text: seconds, a duration as Go writes it (``1h2m3.5s``, ``17ms``), a Unix time in seconds or milliseconds, or a
            time as in RFC 3339.
        at: the Unix time now.
    """
    value = number(text)
    if value is not None:
        if value < _SINCE_EPOCH:
            return value
        return max(0.0, (value / 1000 if value >= _SINCE_EPOCH_MS else value) - at)
    if text is None or len(text) > _LONGEST:
        return None
    if _DURATION.fullmatch(text):
        total = sum(float(amount) * _SECONDS_OF[unit] for amount, unit in _PIECES.findall(text))
        return round(total, 9) if math.isfinite(total) else None
    moment = _timestamp(text)
    return None if moment is None else max(0.0, moment - at)


def _timestamp(text: str) -> float | None:
    from datetime import UTC, datetime  # only some providers send times

    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def named_span(words: str) -> float | None:
    """Read the window in a name such as ``UserByModelByDay`` or ``GenerateRequestsPerMinutePerProject``."""
    found = _NAMED_SPAN.search(words)
    return SPANS[found[1].lower()] if found else None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a list of structured fields (RFC 9651), read generously: ``"fixed window";"api";q=500;w=300``.

    Args:
        names: its values, without quotation marks.
        parameters: what is written as ``name=value``.
    """

    names: tuple[str, ...]
    parameters: Mapping[str, str]


_MEMBERS: Final = re.compile(r'(?:[^,"]|"[^"]*")+')
_PARTS: Final = re.compile(r'(?:[^;"]|"[^"]*")+')


def members(text: str | None) -> list[Member]:
    """Read a list of structured fields."""
    if not text or len(text) > _LONGEST:
        return []
    return [_member(part) for part in _MEMBERS.findall(text) if not part.isspace()]


def _member(text: str) -> Member:
    names: list[str] = []
    parameters: dict[str, str] = {}
    for part in filter(None, map(str.strip, _PARTS.findall(text))):
        name, sign, value = part.partition("=")
        if sign and not part.startswith('"'):
            parameters[name.strip().lower()] = value.strip().strip('"')
        else:
            names.append(part.strip('"'))
    return Member(tuple(names), parameters)

"""Checks of what users give to constructors: each error names the argument and the value, and comes at once."""

from __future__ import annotations

import math
from datetime import timedelta

from aigw.errors import ConfigError


def seconds(name: str, value: object) -> float:
    """Take a positive number of seconds, also as a `timedelta`."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0 or math.isinf(value):
        raise ConfigError(f"{name} must be a positive number of seconds, not {value!r}")
    return float(value)


def at_least(name: str, value: object, least: int) -> int:
    """Take a whole number that is not too small."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return value


def weight(name: str, value: object) -> float:
    """Take a weight: a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ConfigError(f"{name} must be a number that is not negative, not {value!r}")
    return float(value)


def text(name: str, value: object) -> str:
    """Take a name: a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name} must be a name, not {value!r}")
    return value


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse what is none of the choices."""
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}")

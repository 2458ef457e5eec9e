"""``key=`` of the policies that count: whose calls are counted together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call

Key = str | Callable[["Call"], str | None] | None
"""What a user gives: a name of `READERS`, a function of the call, or nothing for all calls together."""

Reader = Callable[["Call"], tuple[str, ...]]
"""Names the scopes that a call counts in; none where it is not limited."""


def _principal(call: Call) -> tuple[str, ...]:
    return (f"principal {call.principal.id}" if call.principal else "no principal",)


def _team(call: Call) -> tuple[str, ...]:
    return (f"team {call.principal.team}" if call.principal and call.principal.team else "no team",)


def _model(call: Call) -> tuple[str, ...]:
    return (f"model {call.model or call.route}",)


def _tag(call: Call) -> tuple[str, ...]:
    return tuple(f"tag {tag}" for tag in sorted(call.tags))


READERS: Final[Mapping[str, Reader]] = {"principal": _principal, "team": _team, "model": _model, "tag": _tag}


def reader(owner: str, key: Key) -> Reader:
    """Make of a user's key what reads it off a call.

    Args:
        owner: the argument, for errors, such as ``RateLimit(key)``.
        key: ``principal``, ``team``, ``model``, ``tag`` (a call with several counts in each of them), a function that
            returns a name or ``None`` for calls that are not limited, or ``None`` for all calls together.

    Raises:
        ConfigError: it is none of these.
    """
    if key is None:
        return lambda _: ("",)
    if isinstance(key, str) and key in READERS:
        return READERS[key]
    if callable(key):
        function = key

        def read(call: Call) -> tuple[str, ...]:
            name = function(call)
            return () if name is None else (str(name),)

        return read
    names = ", ".join(map(repr, READERS))
    raise ConfigError(f"{owner} must be one of {names}, a function of the call, or None, not {key!r}")

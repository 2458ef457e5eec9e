"""`Degrade`: what becomes of a call that exceeds a limit, in place of an error."""

from __future__ import annotations

from dataclasses import dataclass

from aigw.checks import at_least
from aigw.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Degrade:
    """Serve a call that exceeds a limit more cheaply, where `RateLimit` and `Budget` take ``on_exceeded=``.

    Args:
        route: name of the route that serves it instead. Only policies of the gateway itself can change the route.
        max_tokens: upper bound of its output.

    Raises:
        ConfigError: neither is given, or one makes no sense.
    """

    route: str | None = None
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.route is None and self.max_tokens is None:
            raise ConfigError("Degrade() needs a route, max_tokens, or both")
        if self.route is not None and (not self.route or not isinstance(self.route, str)):
            raise ConfigError(f"Degrade(route) must be the name of a route, not {self.route!r}")
        if self.max_tokens is not None:
            at_least("Degrade(max_tokens)", self.max_tokens, 1)

"""`AttemptTimeout`: the time that each attempt may take."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from aigw.call import DEFAULT_TIMEOUTS, UNSET, Timeouts, Unset
from aigw.checks import seconds as check_seconds

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import Reply

Limit = float | timedelta | None | Unset


class AttemptTimeout:
    """Bounds each attempt, so that a slow target is left while there is time for another.

    It changes ``call.timeouts``; the deadline of the call bounds them all. What is not given stays as it is, ``None``
    switches a limit off. Place it anywhere: an inner one counts for the attempts below it.

    Args:
        total: seconds for the whole attempt, also as a `timedelta`.
        connect: seconds until the connection stands.
        first_chunk: seconds until the first chunk of a stream.
        between_chunks: seconds between two chunks of a stream.

    Raises:
        TimedOut: (from a call) an attempt took too long.
    """

    def __init__(
        self,
        total: Limit = UNSET,
        *,
        connect: Limit = UNSET,
        first_chunk: Limit = UNSET,
        between_chunks: Limit = UNSET,
    ) -> None:
        given = {"total": total, "connect": connect, "first_chunk": first_chunk, "between_chunks": between_chunks}
        self._limits = {
            name: None if limit is None else check_seconds(f"AttemptTimeout({name})", limit)
            for name, limit in given.items()
            if limit is not UNSET
        }
        self._over_default: Timeouts = replace(DEFAULT_TIMEOUTS, **self._limits)

    def __repr__(self) -> str:
        return f"AttemptTimeout({', '.join(f'{name}={limit}' for name, limit in self._limits.items())})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Set the limits."""
        known = call.timeouts
        limits = self._over_default if known is DEFAULT_TIMEOUTS else replace(known, **self._limits)
        return await inner(call.evolve(timeouts=limits))

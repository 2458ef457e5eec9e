"""`Ledger`: where limits are counted. One protocol for this process, this machine (SQLite) and many (Redis)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Denial, Limit, Rate
    from aigw.ports import Clock, Runtime


class Ticket:
    """A reservation that was granted.

    Args:
        name: its own name.
        claims: what is reserved.
        clock: the clock of the call that reserved it.
        note: whatever the ledger needs to know of it again.
    """

    __slots__ = ("claims", "clock", "name", "note", "settled")

    def __init__(self, name: str, claims: Sequence[Claim], clock: Clock, note: object = None) -> None:
        self.name = name
        self.claims = claims
        self.clock = clock
        self.note = note
        self.settled = False
        """Whether it was settled already."""


@runtime_checkable
class Ledger(Protocol):
    """Counts reservations: all claims of a call in one atomic step, settled exactly once.

    Safe for threads and event loops: one ledger serves both faces of a gateway, and several gateways.
    """

    async def reserve(self, claims: Sequence[Claim], runtime: Runtime, lasts: float) -> Ticket | Denial:
        """Reserve all claims, or none.

        Args:
            claims: what a call asks for; their keys differ.
            runtime: the ports to wait with, and the clock.
            lasts: seconds after which the reservation ends by itself, in case this process dies. Then `Slots` are free
                again, and everything else stays as it was reserved: it may have been used.
        """
        ...

    def settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        """Replace what was reserved by what was used. Never waits and never raises; the second time does nothing.

        Args:
            ticket: the reservation.
            amounts: for each of its claims what was used, ``None`` for as much as was reserved.
        """
        ...

    async def push(self, rate: Rate, seconds: float, runtime: Runtime) -> None:
        """Admit nothing under this rate for so many seconds. Never shortens what is so already."""
        ...

    async def drain(self, rate: Rate, left: float, runtime: Runtime) -> None:
        """Leave at most so many units of a rate's burst. Never adds any."""
        ...

    async def used(self, limit: Limit, runtime: Runtime) -> int:
        """How much of a limit is used or reserved now; for a rate, how much of it is not yet paid off."""
        ...

    def close(self) -> None:
        """Let go of connections and threads, after everything was written. Closing twice is fine."""
        ...

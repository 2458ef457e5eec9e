"""`Fallback`: what limits do while the store is away, and what it has to be told afterwards."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from aigw.mechanics.book import Book
from aigw.mechanics.limits import Claim, Denial, Rate, Spend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Limit
    from aigw.ports import Clock

CAUTION: Final = 0.9
"""Part of its share of a limit that a process uses, in case that more processes run than were known."""


class LocalUse:
    """What was used of a limit while the store was away.

    Args:
        limit: the limit.
        clock: the clock of the first call.
    """

    __slots__ = ("_began", "_clock", "amount", "limit")

    def __init__(self, limit: Rate | Spend, clock: Clock) -> None:
        self.limit = limit
        self.amount = 0
        self._clock = clock
        self._began = clock.now()

    @property
    def since(self) -> float:
        """Seconds since the first use."""
        return max(self._clock.now() - self._began, 0.0)


class Fallback:
    """Counts in this process, for all of its threads and loops, its share of each limit."""

    def __init__(self) -> None:
        self._book = Book()
        self._lock = threading.Lock()
        self._used: dict[tuple[str, int], LocalUse] = {}
        self._settled: deque[tuple[str, Sequence[Claim], Sequence[int | None], Clock, float]] = deque()
        self.peers = 1
        """How many processes use the store, as far as it last told."""

    def reserve(self, name: str, claims: Sequence[Claim], clock: Clock, lasts: float) -> Denial | None:
        """Reserve all claims, or none, each limit by its ``when_down``."""
        for limit, _ in claims:
            if limit.when_down == "closed":
                return Denial(limit, None, unknown=True)
        counted = [claim for claim in claims if claim.limit.when_down == "local"]
        shares = [Claim(self.share(claim.limit), claim.amount) for claim in counted]
        now = clock.now()
        with self._lock:
            self._settle_all()
            denial = self._book.reserve(name, shares, now, now + lasts)
            if denial is None:
                for limit, amount in claims:
                    self._note(limit, amount, clock)
        if denial is None:
            return None
        limit = next(claim.limit for claim in counted if claim.limit.key == denial.limit.key)
        return Denial(limit, denial.wait, unknown=denial.never)

    def settle(self, name: str, claims: Sequence[Claim], amounts: Sequence[int | None], clock: Clock) -> None:
        """Replace what was reserved by what was used."""
        self._settled.append((name, claims, amounts, clock, clock.now()))
        # A finalizer may settle, while the very thread that it interrupts holds the lock: whoever counts next does it.
        if self._lock.acquire(blocking=False):
            try:
                self._settle_all()
            finally:
                self._lock.release()

    def push(self, rate: Rate, seconds: float, now: float) -> None:
        """Admit nothing for so many seconds."""
        with self._lock:
            self._book.push(rate, seconds, now)

    def drain(self, rate: Rate, left: float, now: float) -> None:
        """Leave at most the share of so many units."""
        with self._lock:
            self._book.drain(rate, left, now)

    def used(self, limit: Limit, now: float) -> int:
        """How much of it this process has used."""
        with self._lock:
            self._settle_all()
            return self._book.used(self.share(limit), now)

    def take(self) -> list[LocalUse]:
        """Return what the store was not told yet, and count it as told."""
        with self._lock:
            self._settle_all()
            used, self._used = self._used, {}
        return [one for one in used.values() if one.amount]

    def share(self, limit: Limit) -> Limit:
        """Return the part of a limit that this process may use."""
        return replace(limit, capacity=max(1, int(limit.capacity * CAUTION / self.peers)))

    def _settle_all(self) -> None:
        """Count what was settled. The lock is held."""
        while self._settled:
            name, claims, amounts, clock, now = self._settled.popleft()
            pairs = list(zip(claims, chain(amounts, repeat(None)), strict=False))
            local = [amount for claim, amount in pairs if claim.limit.when_down == "local"]
            if self._book.settle(name, local, now) or not local:
                for (limit, reserved), amount in pairs:
                    self._note(limit, 0 if amount is None else amount - reserved, clock)

    def _note(self, limit: Limit, amount: int, clock: Clock) -> None:
        if not isinstance(limit, (Rate, Spend)) or not amount:
            return
        key = limit.key, limit.piece if isinstance(limit, Spend) else 0
        if key not in self._used:
            self._used[key] = LocalUse(limit, clock)
        self._used[key].amount += amount

"""`MemoryLedger`: counts in this process, for all of its threads and loops."""

from __future__ import annotations

import threading
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

from aigw.errors import ConfigError
from aigw.mechanics.book import Book
from aigw.mechanics.limits import Rate
from aigw.stores.database import around_forks
from aigw.stores.ledger import Ledger, Ticket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Denial, Limit, Slots
    from aigw.ports import Runtime


class MemoryLedger:
    """Counts limits in the memory of this process. Exact over threads and event loops, forgotten at the end."""

    def __init__(self) -> None:
        self._book = Book()
        self._lock = threading.Lock()
        self._names = count()
        self._settled: deque[tuple[str, Sequence[int | None], float]] = deque()
        around_forks(before=self._before_fork, in_parent=self._after_fork, in_child=self._after_fork)

    def __repr__(self) -> str:
        return "MemoryLedger()"

    async def reserve(self, claims: Sequence[Claim], runtime: Runtime, lasts: float) -> Ticket | Denial:
        """Reserve all claims, or none; see `Ledger.reserve`."""
        clock = runtime.clock
        with self._lock:
            self._settle_all()
            now = clock.now()
            name = str(next(self._names))
            denial = self._book.reserve(name, claims, now, now + lasts)
        return Ticket(name, claims, clock) if denial is None else denial

    def settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        """Replace what was reserved by what was used; see `Ledger.settle`."""
        if ticket.settled:
            return
        ticket.settled = True
        self._settled.append((ticket.name, amounts, ticket.clock.now()))
        # A finalizer may settle, while the very thread that it interrupts holds the lock: whoever counts next does it.
        if self._lock.acquire(blocking=False):
            try:
                self._settle_all()
            finally:
                self._lock.release()

    async def push(self, rate: Rate, seconds: float, runtime: Runtime) -> None:
        """Admit nothing for so many seconds; see `Ledger.push`."""
        with self._lock:
            self._settle_all()
            self._book.push(rate, seconds, runtime.clock.now())

    async def drain(self, rate: Rate, left: float, runtime: Runtime) -> None:
        """Leave at most so many units; see `Ledger.drain`."""
        with self._lock:
            self._settle_all()
            self._book.drain(rate, left, runtime.clock.now())

    async def used(self, limit: Limit, runtime: Runtime) -> int:
        """How much is used; see `Ledger.used`."""
        with self._lock:
            self._settle_all()
            return self._book.used(limit, runtime.clock.now())

    def left(self, limit: Rate | Slots, now: float) -> float:
        """Return the share of a limit that is left, from 0 to 1: of a rate's burst, or of the calls at a time."""
        with self._lock:
            self._settle_all()
            used = self._book.used(limit, now)
        whole = limit.capacity * limit.burst / limit.window if isinstance(limit, Rate) else limit.capacity
        return min(max(1.0 - used / whole, 0.0), 1.0)

    def close(self) -> None:
        """Nothing to close."""

    def _before_fork(self) -> None:
        self._lock.acquire()  # no other thread is in the middle of counting when the process is copied

    def _after_fork(self) -> None:
        self._lock.release()

    def _settle_all(self) -> None:
        """Book what was settled. The lock is held."""
        settled = self._settled
        while settled:
            self._book.settle(*settled.popleft())


def as_ledger(name: str, store: object) -> Ledger:
    """Take a user's store; a new one of this process if he gave none.

    Args:
        name: the argument, for errors, such as ``Budget(store)``.
        store: what he gave.

    Raises:
        ConfigError: it is no store.
    """
    if store is None:
        return MemoryLedger()
    if isinstance(store, type) or not isinstance(store, Ledger):
        raise ConfigError(f"{name} must be a store such as MemoryLedger(), not {store!r}")
    return store

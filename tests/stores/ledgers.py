"""The ledgers under test: one entry of `STORES` for each, over which `test_contract.py` runs as it is."""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aigw.mechanics.limits import Slots
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import Ledger, MemoryLedger, RedisLedger, SqliteLedger
from aigw.stores.ledger import Ticket
from aigw.testing import FakeClock
from stores.valkey_server import PATIENT, shared_valkey

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence
    from pathlib import Path

    from aigw.mechanics.limits import Claim, Denial, Limit, Rate
    from aigw.ports import Runtime


class Stand:
    """One store, and how a test makes ledgers over it and moves its time.

    Args:
        make: makes a ledger; each has the counts of the others, as if it were in another process.
        exact: seconds by which the store's own time may differ from the clock's.
    """

    def __init__(self, make: Callable[[], Ledger], exact: float = 1e-6) -> None:
        self.make = make
        self.exact = exact
        self.clock = FakeClock(1000.0)
        self._ledgers: list[Ledger] = []

    def ledger(self) -> Ledger:
        """Make a ledger, which is closed after the test."""
        ledger = self.make()
        self._ledgers.append(ledger)
        return ledger

    def advance(self, seconds: float) -> None:
        """Move on the clock of the calls, and the store's own time where it has one."""
        self.clock.advance(seconds)

    def settled(self, ledger: Ledger) -> None:
        """Wait until everything that was settled is counted, where that takes a while."""

    def close(self) -> None:
        """Close all ledgers."""
        for ledger in self._ledgers:
            ledger.close()


@contextmanager
def memory(path: Path) -> Iterator[Stand]:
    """Make a stand for `MemoryLedger`: it has no other process, so that all of its ledgers are the same one."""
    ledger = MemoryLedger()
    stand = Stand(lambda: ledger)
    yield stand
    stand.close()


@contextmanager
def sqlite(path: Path) -> Iterator[Stand]:
    """Make a stand for `SqliteLedger`: ledgers that share a file."""
    stand = Stand(lambda: SqliteLedger(path / "limits.db"))
    yield stand
    stand.close()


class RedisStand(Stand):
    """A server whose scripts are given the clock's time, and ledgers that share a prefix.

    Args:
        url: of the server.
        leases: whether the ledgers take leases.
    """

    def __init__(self, url: str, *, leases: bool) -> None:
        super().__init__(self._make)
        self._url = url
        self._leases = leases
        self._prefix = uuid.uuid4().hex

    def _make(self) -> RedisLedger:
        ledger = RedisLedger(self._url, prefix=self._prefix, timeout=PATIENT, leases=self._leases)
        ledger._time.given = self.clock.now
        return ledger

    def settled(self, ledger: Ledger) -> None:
        """Wait for an answer: settlements are sent in their order, before it."""
        runtime = BlockingRuntime(self.clock, random.Random(0), _no_transport)
        drive(ledger.used(Slots("settled", 1), runtime))


@contextmanager
def redis(path: Path) -> Iterator[Stand]:
    """Make a stand for `RedisLedger`: ledgers that share a server, which is that of all tests."""
    stand = RedisStand(shared_valkey().url, leases=True)
    yield stand
    stand.close()


@contextmanager
def redis_direct(path: Path) -> Iterator[Stand]:
    """Make a stand for `RedisLedger` without leases."""
    stand = RedisStand(shared_valkey().url, leases=False)
    yield stand
    stand.close()


STORES = {"memory": memory, "sqlite": sqlite, "redis": redis, "redis-direct": redis_direct}


class Face:
    """A ledger as calls of one face use it, for tests without ``await``.

    Args:
        stand: the store.
        kind: ``"blocking"`` or ``"loop"``.
        ledger: the ledger; one of its own unless given.
    """

    def __init__(self, stand: Stand, kind: str, ledger: Ledger | None = None) -> None:
        self.stand = stand
        self.kind = kind
        self.ledger = stand.ledger() if ledger is None else ledger
        self._runner = asyncio.Runner() if kind == "loop" else None
        self._runtime: Runtime
        if self._runner is None:
            self._runtime = BlockingRuntime(stand.clock, random.Random(0), _no_transport)
        else:
            self._runtime = LoopRuntime(self._runner.get_loop(), stand.clock, random.Random(0), _no_transport)

    def reserve(self, *claims: Claim, lasts: float = 60.0) -> Ticket | Denial:
        """Reserve."""
        return self.run(self.ledger.reserve(claims, self._runtime, lasts))

    def ticket(self, *claims: Claim, lasts: float = 60.0) -> Ticket:
        """Reserve, which must be granted."""
        outcome = self.reserve(*claims, lasts=lasts)
        assert isinstance(outcome, Ticket), outcome
        return outcome

    def denial(self, *claims: Claim, lasts: float = 60.0) -> Denial:
        """Reserve, which must be refused."""
        outcome = self.reserve(*claims, lasts=lasts)
        assert not isinstance(outcome, Ticket), "it was granted"
        return outcome

    def settle(self, ticket: Ticket, *amounts: int | None) -> None:
        """Settle, and wait until that is counted."""
        self.run(self._settle(ticket, amounts))
        self.stand.settled(self.ledger)

    def push(self, rate: Rate, seconds: float) -> None:
        """Block a rate for a while."""
        self.run(self.ledger.push(rate, seconds, self._runtime))

    def drain(self, rate: Rate, left: float) -> None:
        """Leave at most so much."""
        self.run(self.ledger.drain(rate, left, self._runtime))

    def used(self, limit: Limit) -> int:
        """Tell how much is used."""
        return self.run(self.ledger.used(limit, self._runtime))

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in this face."""
        return drive(coroutine) if self._runner is None else self._runner.run(coroutine)

    def close(self) -> None:
        """Close the loop."""
        if self._runner is not None:
            self._runner.close()

    async def _settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        self.ledger.settle(ticket, amounts)


def _no_transport() -> Any:
    raise AssertionError("ledgers send no requests of the gateway")

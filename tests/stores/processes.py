"""What the processes of `test_processes.py` do. They are forked from a server that has loaded this module."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from aigw.mechanics.limits import Claim, Rate, Slots, Spend
from aigw.runtime import BlockingRuntime, drive
from aigw.stores import SqliteLedger
from aigw.stores.ledger import Ticket

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

WINDOW = 3.0
BURST = 1.0
REQUESTS = 300
RATE = Rate("requests", REQUESTS, window=WINDOW, burst=BURST)
COUNT = Spend("count", 10**12, piece=1, oldest=1)
"""Its entries tell when each request was admitted, by the time of the ledger."""

BUDGET = Spend("budget", 24_000, piece=1, oldest=1)
CALLS = Slots("calls", 20)
LASTS = 0.3


def runtime() -> BlockingRuntime:
    """Make ports whose time is the real one."""
    return BlockingRuntime(None, random.Random(os.getpid()), _no_transport)


def overload(path: Path, start: Barrier, seconds: float, each_second: float) -> None:
    """Ask for requests at random moments, so many each second, whatever the answers are."""
    ports = runtime()
    ledger = SqliteLedger(path)
    start.wait(60)
    end = ports.clock.now() + seconds
    due = ports.clock.now()
    while (now := ports.clock.now()) < end:
        if now < due:
            drive(ports.clock.sleep(due - now))
            continue
        due += ports.rng.expovariate(each_second)
        outcome = drive(ledger.reserve([Claim(RATE, 1), Claim(COUNT, 1)], ports, 60.0))
        if isinstance(outcome, Ticket):
            ledger.settle(outcome, [1, 1])
    ledger.close()


def spend(path: Path, told: Connection) -> None:
    """Reserve and settle as fast as it goes, until somebody kills this process; tell the names of its tickets."""
    ports = runtime()
    ledger = SqliteLedger(path)
    while True:
        amount = ports.rng.randint(1, 10)
        claims = [Claim(CALLS, 1), Claim(BUDGET, amount)]
        outcome = drive(ledger.reserve(claims, ports, LASTS))
        if not isinstance(outcome, Ticket):
            told.send_bytes(b"refused")
            outcome = drive(ledger.reserve(claims[:1], ports, LASTS))
            if isinstance(outcome, Ticket):
                ledger.settle(outcome, [None])
            continue
        told.send_bytes(outcome.name.encode())
        ledger.settle(outcome, [None, ports.rng.randint(0, amount)])
        if ports.rng.random() < 0.2:
            outcome.settled = False
            ledger.settle(outcome, [None, 0])


def _no_transport() -> None:
    raise AssertionError("ledgers send no requests of the gateway")

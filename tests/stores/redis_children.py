"""What the processes do that `test_redis.py` starts."""

from __future__ import annotations

import os
import random
import signal

from aigw.mechanics.limits import Claim, Rate, Slots, Spend
from aigw.runtime import BlockingRuntime, drive
from aigw.stores import RedisLedger
from aigw.stores.ledger import Ticket
from stores.valkey_server import PATIENT

RATE = Rate("requests", 200, window=1.0, burst=0.5)
SECONDS = 6.0
LASTS = 600.0


def hold_a_slot(url, prefix, told):
    """Reserve in a process of its own, say so, and wait to be killed."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    claims = [Claim(Slots("slots", 1), 1), Claim(Spend("money", 100, 0, 0), 30)]
    told.put(isinstance(drive(ledger.reserve(claims, runtime, 5.0)), Ticket))
    signal.pause()


def overload(url, prefix, each_second, gates):
    """Ask for requests at random moments, so many each second, whatever the answers are; settle when all is counted."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(os.getpid()), lambda: None)
    clock = runtime.clock
    start, asked, counted = gates
    drive(ledger.used(RATE, runtime))
    start.wait(60)
    due = clock.now()
    end = due + SECONDS
    tickets = []
    while (now := clock.now()) < end:
        if now < due:
            drive(clock.sleep(due - now))
            continue
        due += runtime.rng.expovariate(each_second)
        outcome = drive(ledger.reserve([Claim(RATE, 1)], runtime, LASTS))
        if isinstance(outcome, Ticket):
            tickets.append(outcome)
    asked.wait(60)
    counted.wait(60)
    for ticket in tickets:
        ledger.settle(ticket, [1])
    ledger.close()
    alone = sum(ticket.note is not None for ticket in tickets)
    raise SystemExit(min(alone, 1))


def settle_and_leave(url, prefix):
    """Settle as the last thing that this process does, without closing."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    ticket = drive(ledger.reserve([Claim(Spend("money", 100, 0, 0), 30)], runtime, 60.0))
    ledger.settle(ticket, [10])

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
LEASED = Rate("leased", 400, window=1.0, burst=2.0)
PHASES = ((3.0, 0.7), (5.0, 3.0))
"""Seconds, and the load in parts of what is allowed."""


def hold_a_slot(url, prefix, told):
    """Reserve in a process of its own, say so, and wait to be killed."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    claims = [Claim(Slots("slots", 1), 1), Claim(Spend("money", 100, 0, 0), 30)]
    told.put(isinstance(drive(ledger.reserve(claims, runtime, 5.0)), Ticket))
    signal.pause()


def overload(url, prefix, each_second, gates):
    """Ask for requests at random moments, so many each second, whatever the answers are; settle when all is counted."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT, leases=False)
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


def lease_and_hang(url, prefix, told):
    """Take leases and spend of them, tell how much is left, and wait to be killed."""
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    while not ledger._leases._open:
        drive(ledger.reserve([Claim(LEASED, 1)], runtime, LASTS))
    told.put(left(ledger))
    signal.pause()


def under_and_over_load(url, prefix, processes, start, told):
    """Ask by the phases, whatever the answers are; tell when each admission was asked for and when it was there.

    Tell also how many were not the store's, how many leases covered, and what is left of these.
    """
    ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(os.getpid()), lambda: None)
    clock = runtime.clock
    drive(ledger.used(LEASED, runtime))
    start.wait(60)
    due = clock.now()
    times, alone, covered = [], 0, 0
    for seconds, load in PHASES:
        end = due + seconds
        while due < end:
            if (now := clock.now()) < due:
                drive(clock.sleep(due - now))
            due += runtime.rng.expovariate(load * LEASED.capacity / LEASED.window / processes)
            asked = clock.now()
            outcome = drive(ledger.reserve([Claim(LEASED, 1)], runtime, LASTS))
            if isinstance(outcome, Ticket):
                times.append((asked, clock.now()))
                alone += outcome.note is ledger._fallback
                covered += outcome.note is not None
                ledger.settle(outcome, [1])
    told.put((times, alone, covered, left(ledger)))
    ledger.close()


def left(ledger):
    """Return the units of leases that are not spent."""
    return sum(lease.left for lease in ledger._leases._open) * LEASED.capacity / LEASED.window / 1e6

"""`RedisLedger` over a real server: the same decisions as in memory, many processes, clocks that are wrong, forks."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from itertools import pairwise
from pathlib import Path

import pytest

from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import MemoryLedger, RedisLedger
from aigw.stores.ledger import Ticket
from aigw.testing import FakeClock
from stores.redis_children import LASTS, RATE, SECONDS, hold_a_slot, overload
from stores.valkey_server import PATIENT, valkey  # noqa: F401  (a fixture)

PROCESSES = 16


def blocking(start=1000.0, seed=0):
    """Ports of a thread."""
    return BlockingRuntime(FakeClock(start), random.Random(seed), lambda: None)


@pytest.fixture
def ledger(valkey, request):  # noqa: F811  (a fixture)
    """A ledger with keys of its own, which asks the server for every reservation."""
    made = RedisLedger(valkey.url, prefix=request.node.name, timeout=PATIENT, leases=False)
    yield made
    made.close()


def alike(one, other):
    """Tell whether two ledgers decided the same."""
    if isinstance(one, Ticket) or isinstance(other, Ticket):
        return isinstance(one, Ticket) and isinstance(other, Ticket)
    same = one.limit == other.limit and (one.wait is None) == (other.wait is None)
    return same and (one.wait is None or abs(one.wait - other.wait) < 1e-5)


def test_it_decides_as_memory_does(ledger):
    """Thousands of random steps: reservations, settlements and time give the same decisions, waits and counts."""
    runtime = blocking()
    ledger._time.given = runtime.clock.now
    chance = random.Random(3)
    memory = MemoryLedger()
    limits = [Rate("a", 600, 60, 10), Rate("b", 6000, 60, 30), Slots("c", 3), Spend("d", 5000, 5, 2)]
    tickets = []
    wrong = []
    granted = 0
    for step in range(2000):
        if chance.random() < 0.3:
            seconds = chance.choice([1, 2, 5])
            runtime.clock.advance(seconds)
        if step % 400 == 399:
            limits[3] = Spend("d", 5000, limits[3].piece + 1, limits[3].oldest + 1)
        if chance.random() < 0.6 or not tickets:
            chosen = chance.sample(limits, chance.randrange(1, 5))
            claims = [Claim(one, 1 if one is limits[2] else chance.randrange(1, one.capacity // 4)) for one in chosen]
            pair = drive(memory.reserve(claims, runtime, 20.0)), drive(ledger.reserve(claims, runtime, 20.0))
            if not alike(*pair):
                wrong.append((step, pair))
            elif isinstance(pair[0], Ticket):
                tickets.append(pair)
                granted += 1
        else:
            pair = tickets.pop(chance.randrange(len(tickets)))
            amounts = [chance.choice([None, 0, 2 * claim.amount]) for claim in pair[0].claims]
            for counts, ticket in zip((memory, ledger), pair, strict=True):
                counts.settle(ticket, amounts)
                counts.settle(ticket, amounts)

    used = [[drive(counts.used(limit, runtime)) for limit in limits] for counts in (memory, ledger)]

    assert not wrong
    assert granted > 200
    assert used[0] == used[1]


def decisions(valkey, prefix, *skews):  # noqa: F811
    """Reserve and settle by turns from clients with such clocks; return who was refused by what."""
    rate, slots = Rate("rate", 100, window=1e6, burst=5e5), Slots("slots", 8)
    ledgers = [RedisLedger(valkey.url, prefix=prefix, timeout=PATIENT) for _ in skews]
    runtimes = [blocking(1000.0 + skew) for skew in skews]
    chance = random.Random(5)
    outcomes = []
    for turn in range(120):
        ledger, runtime = ledgers[turn % len(skews)], runtimes[turn % len(skews)]
        claims = [Claim(rate, chance.randrange(4)), Claim(slots, chance.randrange(3))]
        outcome = drive(ledger.reserve(claims, runtime, 60.0))
        if isinstance(outcome, Ticket) and chance.random() < 0.6:
            ledger.settle(outcome, [chance.randrange(3), None])
            drive(ledger.used(rate, runtime))
        outcomes.append("granted" if isinstance(outcome, Ticket) else outcome.limit.key)
    for ledger in ledgers:
        ledger.close()
    return outcomes


def test_wrong_clocks_change_nothing(valkey, request):  # noqa: F811
    """Clients whose clocks are five minutes off get the very decisions of those whose clocks are right."""
    right = decisions(valkey, request.node.name + "-right", 0, 0, 0)
    skewed = decisions(valkey, request.node.name + "-skewed", -300, 300, 0)

    assert skewed == right
    assert {"granted", "rate", "slots"} <= set(right)


def test_a_reservation_that_was_given_up_may_come_late(ledger):
    """What is taken back before it arrives reserves nothing when it does, whoever delayed it."""
    limits = [Rate("a", 600), Slots("c", 3), Spend("d", 5000, 5, 2)]
    runtime = blocking()
    job = ledger._jobs.reserve("late", [Claim(limit, 1) for limit in limits], 60.0)
    ledger._line.put(job.undo)
    drive(ledger._line.ask(job, runtime))

    assert job.done
    assert [drive(ledger.used(limit, runtime)) for limit in limits] == [0, 0, 0]


def test_nothing_is_given_back_of_a_period_that_is_forgotten(ledger):
    """A settlement that comes when its period is long over does not make an amount that is below zero."""
    runtime = blocking()
    first, much_later = (Spend("money", 100, piece, piece) for piece in (1, 10))
    ticket = drive(ledger.reserve([Claim(first, 30)], runtime, 60.0))
    drive(ledger.reserve([Claim(much_later, 5)], runtime, 60.0))
    ledger.settle(ticket, [0])

    assert drive(ledger.used(first, runtime)) == 5
    assert drive(ledger.used(much_later, runtime)) == 5


def test_a_block_is_not_shortened(ledger):
    """Neither a shorter one, nor a tightened limit, nor a refund ends a block before its time."""
    rate = Rate("a", 600)
    runtime = blocking()
    ledger._time.given = runtime.clock.now
    ticket = drive(ledger.reserve([Claim(rate, 100)], runtime, 600.0))
    drive(ledger.push(rate, 40.0, runtime))
    drive(ledger.drain(rate, 3, runtime))
    drive(ledger.push(rate, 5.0, runtime))
    runtime.clock.advance(20.0)
    ledger.settle(ticket, [0])
    ledger.settle(drive(ledger.reserve([], runtime, 600.0)), [])
    denial = drive(ledger.reserve([Claim(rate, 1)], runtime, 600.0))
    runtime.clock.advance(20.1)

    assert denial.wait == pytest.approx(20.0, abs=1e-3)
    assert isinstance(drive(ledger.reserve([Claim(rate, 1)], runtime, 600.0)), Ticket)


def test_local_use_is_counted_once(ledger):
    """What was used without the store is charged once, however often its message is sent."""
    rate, money = Rate("a", 1000, window=1e6, burst=1e6), Spend("d", 5000, 5, 2, when_down="local")
    runtime = blocking()
    ledger._fallback.reserve("alone", [Claim(rate, 10), Claim(money, 20)], runtime.clock, 60.0)
    for job in ledger._line._chores.missed():
        ledger._line.put(job)
        ledger._line.put(job)

    assert [drive(ledger.used(limit, runtime)) for limit in (rate, money)] == [10, 20]


def test_amounts_are_rounded_up(ledger):
    """What takes less than a microsecond counts as one: never is more admitted than is allowed."""
    rate = Rate("a", 3_000_000, window=1.0, burst=1e-5)
    runtime = blocking()
    ledger._time.given = runtime.clock.now
    outcomes = [drive(ledger.reserve([Claim(rate, 1)], runtime, 60.0)) for _ in range(31)]

    assert any(isinstance(outcome, Denial) for outcome in outcomes)


def test_a_server_that_forgot_the_scripts_is_told_them_again(ledger, valkey):  # noqa: F811
    """After ``SCRIPT FLUSH`` the next reservation is the store's as well, and counts once."""
    import redis

    rate = Rate("a", 600, window=1e6, burst=1e6)
    first = drive(ledger.reserve([Claim(rate, 1)], blocking(), 60.0))
    with redis.Redis.from_url(valkey.url) as client:
        client.script_flush()
    second = drive(ledger.reserve([Claim(rate, 2)], blocking(), 60.0))

    assert (first.note, second.note) == (None, None)
    assert drive(ledger.used(rate, blocking())) == 3


def test_everything_expires_and_nothing_is_told(ledger, valkey):  # noqa: F811
    """Every key has the prefix as its hash tag, and ends by itself."""
    import redis

    limits = [Rate("a", 600), Slots("c", 3), Spend("d", 5000, 5, 2)]
    drive(ledger.reserve([Claim(limit, 1) for limit in limits], blocking(), 60.0))
    with redis.Redis.from_url(valkey.url) as client:
        keys = client.keys("{" + ledger._prefix + "}:*")
        ends = [client.pttl(key) for key in keys]

    assert len(keys) == 5
    assert min(ends) > 0


def test_a_thousand_tasks_at_once(ledger):
    """A thousand tasks of one loop are all answered by the store, and never more than the slots are held."""
    slots = Slots("slots", 700)

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), FakeClock(1000.0), random.Random(0), lambda: None)
        return await asyncio.gather(*(ledger.reserve([Claim(slots, 1)], runtime, 60.0) for _ in range(1000)))

    outcomes = asyncio.run(main())
    granted = [outcome for outcome in outcomes if isinstance(outcome, Ticket)]

    assert len(granted) == 700
    assert all(ticket.note is None for ticket in granted)


def test_a_cancelled_wait_holds_nothing(ledger):
    """A task that is cancelled while it waits for the store leaves nothing reserved."""
    slots = Slots("slots", 100)

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), FakeClock(1000.0), random.Random(0), lambda: None)
        tasks = [asyncio.create_task(ledger.reserve([Claim(slots, 1)], runtime, 60.0)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.used(slots, runtime)
        await ledger.used(slots, runtime)
        return outcomes, await ledger.used(slots, runtime)

    outcomes, used = asyncio.run(main())

    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) > 0
    assert used == sum(isinstance(outcome, Ticket) for outcome in outcomes)  # some may be over before
    assert not ledger._line.down


def test_a_killed_process_gives_its_slots_back(ledger, valkey):  # noqa: F811
    """After a ``kill -9`` the slots are free when the reservation ends; what it may have spent stays spent."""
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    process = spawn.Process(target=hold_a_slot, args=(valkey.url, ledger._prefix, told))
    process.start()
    held = told.get(timeout=60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    runtime = blocking()
    before = drive(ledger.reserve([Claim(Slots("slots", 1), 1)], runtime, 5.0))
    ledger._time.given = lambda: time.time() + 6
    after = drive(ledger.reserve([Claim(Slots("slots", 1), 1)], runtime, 5.0))

    assert held
    assert isinstance(before, Denial)
    assert isinstance(after, Ticket)
    assert drive(ledger.used(Spend("money", 100, 0, 0), runtime)) == 30


def test_16_processes_at_three_times_the_rate(ledger, valkey):  # noqa: F811
    """In no window more is admitted than capacity x (1 + burst / window), and in the long run the rate within 2 %.

    The times are the server's own: a reservation that is not settled yet is kept with its end.
    """
    import redis

    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(["stores.redis_children", "redis"])
    start, asked, counted = (context.Barrier(PROCESSES + 1) for _ in range(3))
    args = (valkey.url, ledger._prefix, 3 * RATE.capacity / RATE.window / PROCESSES, (start, asked, counted))
    workers = [context.Process(target=overload, args=args, daemon=True) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    start.wait(60)
    asked.wait(60 + SECONDS)
    with redis.Redis.from_url(valkey.url) as client:
        open_keys = "{" + ledger._prefix + "}:o:*"
        admitted = sorted(int(end) - LASTS * 1e6 for end in client.mget(client.keys(open_keys)))
        before = client.get("{" + ledger._prefix + "}:t:" + RATE.key)
        counted.wait(60)
        for worker in workers:
            worker.join(60)
        after = client.get("{" + ledger._prefix + "}:t:" + RATE.key)
        left = client.keys(open_keys)
    each = RATE.window / RATE.capacity * 1e6
    allowed = (admitted[-1] - admitted[0] + RATE.burst * 1e6) / each
    # While a busy machine runs nobody for longer than the burst, what nobody asked for is no fault of the limit.
    unasked = sum(max(0.0, b - a - RATE.burst * 1e6) for a, b in pairwise(admitted)) / each
    most = max(bisect_right(admitted, at + RATE.window * 1e6) - index for index, at in enumerate(admitted))

    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert most <= RATE.capacity * (1 + RATE.burst / RATE.window)
    assert ahead_at_most(admitted, each) <= RATE.burst * 1e6 + 1
    assert 0.98 * (allowed - unasked) <= len(admitted) <= allowed + 0.001
    assert (after, left) == (before, [])  # what was settled as it was reserved


def ahead_at_most(admitted, each):
    """Return by how much the admissions of any window exceeded what refills in it, in microseconds."""
    earliest = ahead = 0.0
    for index, at in enumerate(admitted):
        surplus = index * each - at
        earliest = surplus if index == 0 else min(earliest, surplus)
        ahead = max(ahead, surplus - earliest + each)
    return ahead


def test_a_forked_child_has_its_own_connection(ledger):
    """A child of a fork neither waits for its parent's thread nor reads its answers."""
    rate = Rate("rate", 600, 36_000.0, burst=6_000.0)  # a minute for each: a slow machine gets none back
    runtime = blocking()
    drive(ledger.reserve([Claim(rate, 1)], runtime, 60.0))
    child = os.fork()
    if child == 0:
        granted = isinstance(drive(ledger.reserve([Claim(rate, 1)], runtime, 60.0)), Ticket)
        ledger.close()
        os._exit(0 if granted and ledger._fallback.peers == 2 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert drive(ledger.used(rate, runtime)) in {1, 2}


def test_a_process_that_ends_delivers_what_it_settled(ledger, valkey):  # noqa: F811
    """Nobody need close a ledger: at the end of the interpreter everything that was settled is sent."""
    code = "import sys; from stores.redis_children import settle_and_leave; settle_and_leave(*sys.argv[1:])"
    tests = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", code, valkey.url, ledger._prefix], cwd=tests, timeout=60, check=True)

    assert drive(ledger.used(Spend("money", 100, 0, 0), blocking())) == 10


def test_a_ledger_that_is_dropped_ends_its_thread(valkey, request):  # noqa: F811
    """A ledger that nobody holds any more delivers what was settled, and its thread ends."""
    limit = Spend("money", 100, 0, 0)
    ledger = RedisLedger(valkey.url, prefix=request.node.name, timeout=PATIENT)
    other = RedisLedger(valkey.url, prefix=request.node.name, timeout=PATIENT)
    ledger.settle(drive(ledger.reserve([Claim(limit, 30)], blocking(), 60.0)), [10])
    thread = ledger._line._thread
    del ledger
    gc.collect()
    thread.join(60)
    used = drive(other.used(limit, blocking()))
    other.close()

    assert not thread.is_alive()
    assert used == 10


def test_no_thread_before_the_first_call(valkey):  # noqa: F811
    """A ledger that is not used starts nothing, and closing it twice is fine."""
    ledger = RedisLedger(valkey.url)
    ledger.close()
    ledger.close()

    assert ledger._line._thread is None

"""Many threads and many tasks at once, over every ledger: no limit is exceeded, and nothing is lost."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor

from aigw.mechanics.limits import Claim, Rate, Slots, Spend
from aigw.runtime import LoopRuntime
from aigw.stores.ledger import Ticket
from stores.ledgers import Face

DOLLAR = 10**9
BUDGET = Spend("budget", 10 * DOLLAR, piece=1, oldest=1)


def test_64_threads(stand):
    """64 threads that ask for three times as much as there is get what there is: the rate, the burst, and no more."""
    rate = Rate("requests", 600, window=60.0, burst=10.0)
    slots = Slots("calls", 40)
    ledger = stand.ledger()
    counts = threading.Lock()
    running = most = granted = 0

    def work(_):
        nonlocal running, most, granted
        face = Face(stand, "blocking", ledger)
        for _ in range(3):
            outcome = face.reserve(Claim(rate, 1), Claim(slots, 1))
            if isinstance(outcome, Ticket):
                with counts:
                    running, granted = running + 1, granted + 1
                    most = max(most, running)
                with counts:
                    running -= 1
                face.settle(outcome, None, None)

    with ThreadPoolExecutor(64) as pool:
        for _ in range(6):
            list(pool.map(work, range(64)))
            stand.advance(2.0)
    face = Face(stand, "blocking", ledger)
    while isinstance(face.reserve(Claim(rate, 1)), Ticket):
        granted += 1

    assert granted == 100 + 6 * 20  # the burst, and 12 s of ten a second
    assert most <= 40
    assert face.used(slots) == 0


def test_500_calls_and_a_budget(stand):
    """500 concurrent calls against 10 dollars never spend more, and little is left over."""
    ledger = stand.ledger()
    rng = random.Random(1)
    costs = [rng.randint(DOLLAR // 100, DOLLAR // 10) for _ in range(500)]

    def work(cost):
        face = Face(stand, "blocking", ledger)
        outcome = face.reserve(Claim(BUDGET, DOLLAR // 10))
        if isinstance(outcome, Ticket):
            face.settle(outcome, cost)
            return cost
        return 0

    with ThreadPoolExecutor(50) as pool:
        spent = sum(pool.map(work, costs))

    assert spent == Face(stand, "blocking", ledger).used(BUDGET)
    assert 9 * DOLLAR <= spent <= 10 * DOLLAR


def test_1000_tasks(stand):
    """A thousand tasks of one loop share limits as exactly as threads do."""
    ledger = stand.ledger()
    rate = Rate("tokens", 60_000, window=60.0, burst=10.0)

    async def call(runtime):
        outcome = await ledger.reserve([Claim(rate, 100), Claim(BUDGET, DOLLAR // 20)], runtime, 60.0)
        if not isinstance(outcome, Ticket):
            return False
        await asyncio.sleep(0)
        ledger.settle(outcome, [100, DOLLAR // 20])
        return True

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), stand.clock, random.Random(0), lambda: None)
        granted = sum(await asyncio.gather(*(call(runtime) for _ in range(1000))))
        stand.settled(ledger)
        return granted, await ledger.used(BUDGET, runtime), await ledger.used(rate, runtime)

    granted, spent, used = asyncio.run(main())

    assert granted == 100
    assert spent == 5 * DOLLAR
    assert used == 10_000


def test_a_finalizer_may_settle_at_any_moment(stand):
    """A stream that is dropped settles in the middle of other code, also while its thread counts: nothing hangs."""
    face = Face(stand, "blocking")
    limit = Spend("day", 100, piece=1, oldest=1)

    class Dropped:
        def __init__(self):
            self.cycle = self
            self.ticket = face.ticket(Claim(limit, 10))

        def __del__(self):
            face.ledger.settle(self.ticket, [1])

    class Claims(list):
        """Claims that let go of a stream while they are counted."""

        def __iter__(self):
            if streams:
                streams.pop().__del__()
            return super().__iter__()

    streams = [Dropped(), Dropped()]
    ticket = face.run(face.ledger.reserve(Claims([Claim(limit, 20)]), face._runtime, 60.0))
    streams.clear()
    face.settle(ticket, 2)

    assert face.used(limit) == 4

"""`Line`: who waits for a store, and until when; over a link that a test answers, and over a server that is stopped."""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw.flags import BlockingFlag
from aigw.mechanics.limits import Claim, Rate, Spend
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import RedisLedger
from aigw.stores.redis_line import FAILURES, FIRST_PAUSE, Line
from aigw.stores.redis_link import Job, StoreDownError, StoreSilentError
from aigw.stores.redis_scripts import USED
from aigw.testing import FakeClock
from stores.valkey_server import own_valkey  # noqa: F401  (a fixture)

RATE = Rate("requests", 6000)
BUDGET = Spend("money", 10**9, 0, 0)
CALLERS = 20


class Link:
    """Answers when the test says so."""

    def __init__(self):
        self.trips = queue.SimpleQueue()
        self._answers = queue.SimpleQueue()

    def send(self, jobs):
        """Wait for the test to answer."""
        self.trips.put(jobs)
        answer = self._answers.get()
        if answer is not None:
            raise answer
        for job in jobs:
            job.answer, job.done = 1, True

    def go(self, answer=None):
        """Let one round trip end, with an error if one is given."""
        self._answers.put(answer)

    def close(self):
        """Nothing to close."""


class NoChores:
    """Tells nothing."""

    def missed(self):
        """Nothing was missed."""
        return ()

    def jobs(self, *, rides, ends):
        """Nothing is to be told."""
        return ()

    def due(self):
        """Nothing will be."""


class Watched(BlockingFlag):
    """A flag whose waits are steps of a test, in order: each tells whether the flag is set."""

    def __init__(self, steps):
        super().__init__()
        self._steps = steps

    async def wait(self, timeout=None):
        """Take the next step."""
        return next(self._steps)(self)


class Runtime(BlockingRuntime):
    """Ports whose flag the test has made."""

    def __init__(self, flag):
        super().__init__(FakeClock(1000.0), random.Random(0), lambda: None)
        self._flag = flag

    def flag(self):
        """Return it."""
        return self._flag


def job():
    """Make a job."""
    return Job(USED, ["key"], [0, "rate"])


@pytest.fixture
def link():
    """A link."""
    return Link()


@pytest.fixture
def line(link):
    """A line over it that has worked once."""
    made = Line(link, 0.05, 0.05, NoChores())
    made._worked = True
    yield made
    thread = made._thread
    made.end()
    for _ in range(10):
        link.go()
    thread.join(60)
    assert not thread.is_alive()


def test_a_call_waits_on_while_round_trips_go_on(line, link):
    """Who has waited for his time waits on if a round trip has come back meanwhile: the store has much to do."""
    line.put(job())
    link.trips.get()

    def a_trip_comes_back(flag):
        trips = line._trips
        link.go()
        link.trips.get()  # ours is sent next
        return line._trips == trips  # which it does not

    def ours_does(flag):
        link.go()
        return drive(BlockingFlag.wait(flag, 60))

    flag = Watched(iter([a_trip_comes_back, ours_does]))

    assert drive(line.ask(job(), Runtime(flag))) == 1
    assert line.waited == 0
    assert not line.down


def test_a_call_does_not_wait_on_while_nothing_comes_back(line, link):
    """Without a round trip that came back, its time is all that a call waits; then nobody waits any more."""
    nothing = Watched(iter([lambda flag: False]))
    answer = drive(line.ask(job(), Runtime(nothing)))
    down = line.down
    later = drive(line.ask(job(), Runtime(Watched(iter([])))))
    link.go()

    assert (answer, later, down) == (None, None, True)
    assert line.waited == 1


def test_one_that_waited_in_vain_sends_the_others_away(line, link):
    """Calls that wait at the same time, in flight or in line, stop when the first one of them gives up."""
    others = [job() for _ in range(5)]
    with ThreadPoolExecutor(len(others)) as pool:
        patient = [pool.submit(drive, line.ask(one, Runtime(Forever()))) for one in others]
        for one in others:
            while one not in line._waiting:
                threading.Event().wait(0.001)
        first = drive(line.ask(job(), Runtime(Watched(iter([lambda flag: False])))))
        answers = [one.result(60) for one in patient]
    link.go()

    assert first is None
    assert answers == [None] * 5
    assert line.waited == 6
    assert all(one.given_up for one in others)


class Forever(BlockingFlag):
    """A flag that is waited for without an end."""

    async def wait(self, timeout=None):
        """Wait until it is set."""
        return await super().wait(60)


def test_an_answer_ends_the_silence(line, link):
    """When a round trip comes back after all, calls wait for the store again."""
    drive(line.ask(job(), Runtime(Watched(iter([lambda flag: False])))))
    silent = line.down
    link.trips.get()
    link.go()
    while line.down:
        threading.Event().wait(0.001)
    link.go()

    assert silent
    assert drive(line.ask(job(), Runtime(Forever()))) == 1


def test_a_server_that_told_nobody_anything_is_waited_for_by_nobody(line, link):
    """A settlement that got no answer tells as much as a call that waited in vain."""
    line.put(job())
    link.trips.get()
    waiting = job()
    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(drive, line.ask(waiting, Runtime(Forever())))
        while waiting not in line._waiting:
            threading.Event().wait(0.001)
        link.go(StoreSilentError("silent"))
        answer = patient.result(60)

    assert answer is None
    assert drive(line.ask(job(), Runtime(Watched(iter([]))))) is None


def test_a_connection_that_breaks_is_tried_again(line, link):
    """One that was closed between two calls costs the next one its answer, and nobody after it."""
    link.go(StoreDownError("closed"))
    first = drive(line.ask(job(), Runtime(Forever())))
    link.go()
    link.go()

    assert first is None
    assert not line.down
    assert drive(line.ask(job(), Runtime(Forever()))) == 1


def test_processes_do_not_ask_together_whether_it_is_back():
    """The pauses between two questions are a quarter more or less by chance, and double up to half a minute."""
    pauses = []

    class Ending:
        def get(self, timeout):
            pauses.append(timeout)
            raise queue.Empty

    for chance in (0.0, 0.5, 1.0):
        line = Line(Link(), 0.05, 0.05, NoChores())
        line._ending, line._chance = Ending(), lambda chance=chance: chance
        for _ in range(FAILURES + 6):
            line._failed([], StoreDownError("away"))
            if line.down:
                line._rest()
    doubled = [FIRST_PAUSE * 2**n for n in range(5)] + [30.0, 30.0]

    assert pauses == [pause * part for part in (0.75, 1.0, 1.25) for pause in doubled]


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_callers_of_a_stopped_server_wait_once_and_together(own_valkey, kind):  # noqa: F811  (a fixture)
    """Of many callers at once no one waits for longer than the first that gives up, and nobody after that."""
    ledger = RedisLedger(own_valkey.url, leases=False)
    runtime = BlockingRuntime(FakeClock(1000.0), random.Random(0), lambda: None)
    drive(ledger.used(RATE, runtime))
    own_valkey.stop()
    barrier = threading.Barrier(CALLERS)

    def work(_):
        barrier.wait(60)
        return drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0))

    async def tasks():
        loop = LoopRuntime(asyncio.get_running_loop(), FakeClock(1000.0), random.Random(0), lambda: None)
        return await asyncio.gather(*(ledger.reserve([Claim(RATE, 1)], loop, 60.0) for _ in range(CALLERS)))

    if kind == "tasks":
        tickets = asyncio.run(tasks())
    else:
        with ThreadPoolExecutor(CALLERS) as pool:
            tickets = list(pool.map(work, range(CALLERS)))
    waited = ledger._line.waited
    more = [drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0)) for _ in range(50)]
    refused = drive(ledger.reserve([Claim(BUDGET, 1)], runtime, 60.0))
    after = ledger._line.waited
    own_valkey.go_on()
    ledger.close()

    assert {ticket.note for ticket in [*tickets, *more]} == {ledger._fallback}
    assert refused.unknown
    assert 1 <= waited <= CALLERS
    assert after == waited

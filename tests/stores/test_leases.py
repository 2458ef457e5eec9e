"""Leases of `RedisLedger`: most calls ask nobody, nothing is exceeded, and what nobody spends comes back."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import random
import signal
import threading
import time
from itertools import pairwise

import pytest

from aigw.errors import ConfigError
from aigw.mechanics import lease as leasing
from aigw.mechanics.lease import Lease, Pace
from aigw.mechanics.limits import Claim, Denial, Rate, Slots
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import RedisLedger
from aigw.stores.ledger import Ticket
from aigw.testing import FakeClock
from stores.redis_children import LEASED, PHASES, lease_and_hang, under_and_over_load
from stores.valkey_server import PATIENT, own_valkey, valkey  # noqa: F401  (fixtures)

RATE = Rate("requests", 6000, window=60.0, burst=8.0)
EACH = 0.01
"""Seconds in which one of them refills."""
TOKENS = Rate("tokens", 600_000, window=60.0, burst=10.0)
PROCESSES = 16


class Skewed(FakeClock):
    """A clock that runs with another one, and is wrong."""

    def __init__(self, right, skew):
        super().__init__()
        self._right = right
        self._skew = skew

    def now(self):
        """Return the wrong time."""
        return self._right.now() + self._skew


class Client:
    """A ledger as one process uses it, whose server is given the time of a clock.

    Args:
        url: of the server.
        prefix: of its keys.
        clock: the time.
        skew: by how much the clock of this process is wrong.
    """

    def __init__(self, url, prefix, clock, skew=0.0):
        self.ledger = RedisLedger(url, prefix=prefix, timeout=PATIENT)
        self.ledger._time.given = clock.now
        self.runtime = BlockingRuntime(Skewed(clock, skew), random.Random(0), lambda: None)

    def reserve(self, *claims, lasts=60.0):
        """Reserve, and wait until everything that was asked for is answered."""
        outcome = drive(self.ledger.reserve(claims, self.runtime, lasts))
        self.settled()
        return outcome

    def settle(self, ticket, *amounts):
        """Settle, and wait until that is told."""
        self.ledger.settle(ticket, amounts)
        self.settled()

    def settled(self):
        """Wait for an answer: everything is sent in its order."""
        drive(self.ledger.used(Slots("settled", 1), self.runtime))

    def used(self, limit):
        """Tell how much is used."""
        return drive(self.ledger.used(limit, self.runtime))

    @property
    def left(self):
        """What is left of the leases, in microseconds."""
        return sum(lease.left for lease in self.ledger._leases._open)

    def die(self):
        """Hold nothing any more, and tell nobody."""
        leases = self.ledger._leases
        with leases._lock:
            leases._open.clear()
            leases._owed.clear()
        self.ledger.close()


@pytest.fixture
def clients(valkey, request):  # noqa: F811  (a fixture)
    """Make clients that share a server, a prefix and a clock."""
    clock, made = FakeClock(1000.0), []

    def make(skew=0.0):
        made.append(Client(valkey.url, request.node.name, clock, skew))
        return made[-1]

    make.clock = clock
    yield make
    for client in made:
        client.ledger.close()


def busy(client, clock, *claims, calls=60):
    """Make calls at half of the rate, until leases cover them."""
    tickets = []
    for _ in range(calls):
        clock.advance(2 * EACH)
        tickets.append(client.reserve(*(claims or [Claim(RATE, 1)])))
    assert client.left > 0
    return tickets


def test_most_calls_ask_nobody(clients):
    """A process that calls steadily asks about once for a second's worth of calls, and all are granted."""
    client = clients()
    tickets = busy(client, clients.clock, Claim(RATE, 1), Claim(TOKENS, 50), calls=600)

    assert all(isinstance(ticket, Ticket) for ticket in tickets)
    assert client.ledger._leases.spent >= 590
    assert client.ledger._leases.asked <= 2 * 600 * 2 * EACH * 2


def test_what_needs_the_store_asks_it(clients):
    """A reservation with slots is one step of the server; so is one whose lease would be worth less than two calls."""
    client = clients()
    for _ in range(60):
        clients.clock.advance(2 * EACH)
        client.reserve(Claim(RATE, 1), Claim(Slots("calls", 100), 1))
        client.reserve(Claim(Rate("large", 60_000, burst=1.0), 200))

    assert client.ledger._leases.asked == 0


@pytest.mark.parametrize("seed", range(4))
def test_no_window_exceeds_the_rate(clients, seed):
    """Whatever three processes reserve and settle, and when one dies: in any window no more than the rate allows."""
    chance = random.Random(seed)
    clock = clients.clock
    processes = [clients(skew) for skew in (0.0, 300.0, -300.0)]
    tickets, flow, covered = [], [], 0
    for step in range(600):
        rush = step % 150 >= 75  # calm, until they hold leases, and then more than there is
        clock.advance(0.0 if rush and chance.random() < 0.9 else 2 * EACH)
        client = chance.choice(processes)
        if tickets and chance.random() < 0.2:
            owner, ticket = tickets.pop(chance.randrange(len(tickets)))
            amount = chance.randrange(ticket.claims[0].amount + 1)
            owner.settle(ticket, amount)
            flow.append((clock.now(), amount - ticket.claims[0].amount))
        else:
            amount = chance.randrange(1, 60) if rush and chance.random() < 0.5 else chance.randrange(1, 3)
            outcome = client.reserve(Claim(RATE, amount))
            if isinstance(outcome, Ticket):
                covered += outcome.note is not None
                tickets.append((client, outcome))
                flow.append((clock.now(), amount))
        if step % 200 == 199:
            processes.remove(client)
            tickets = [one for one in tickets if one[0] is not client]
            client.die()
            processes.append(clients())

    assert covered > 50
    assert exceeded(flow) <= 1e-6


def exceeded(flow):
    """Return by how much any window that begins and ends with an admission exceeds the bound, in units."""
    worst = float("-inf")
    for first, (begin, amount) in enumerate(flow):
        if amount <= 0:
            continue
        total = 0
        for at, more in flow[first:]:
            total += more
            worst = max(worst, total - (at - begin + RATE.burst) / EACH)
    return worst


def test_wrong_clocks_change_nothing(clients, valkey, request):  # noqa: F811  (a fixture)
    """Processes whose clocks are five minutes off hold the same leases, and get the same answers, as others."""

    def run(prefix, *skews):
        clock, chance = FakeClock(1000.0), random.Random(7)
        processes = [Client(valkey.url, request.node.name + prefix, clock, skew) for skew in skews]
        outcomes = []
        for step in range(300):
            clock.advance(chance.choice([0.0, 0.01, 0.02]))
            client = processes[step % len(processes)]
            outcome = client.reserve(Claim(RATE, chance.randrange(1, 8)))
            outcomes.append((isinstance(outcome, Denial), getattr(outcome, "note", None) is not None, client.left))
        for client in processes:
            client.ledger.close()
        return outcomes

    right = run("right", 0.0, 0.0)

    assert run("skewed", -300.0, 300.0) == right
    assert {(True, False), (False, False), (False, True)} == {outcome[:2] for outcome in right}


def test_what_was_not_spent_comes_back_when_the_ledger_closes(clients):
    """Closing tells what was spent of leases, and gives the rest back."""
    client, other = clients(), clients()
    busy(client, clients.clock)
    held, left = other.used(RATE), client.left
    client.ledger.close()

    assert left > 5 * 10_000
    assert other.used(RATE) == pytest.approx(held - left / 10_000, abs=1)


def test_a_ledger_that_is_dropped_gives_its_leases_back(valkey, clients, request):  # noqa: F811  (a fixture)
    """Nobody need close a ledger: when it is collected, its thread tells what was spent."""
    client, other = Client(valkey.url, request.node.name, clients.clock), clients()
    busy(client, clients.clock)
    held, left = other.used(RATE), client.left
    thread = client.ledger._line._thread
    del client
    gc.collect()
    thread.join(60)

    assert not thread.is_alive()
    assert left > 5 * 10_000
    assert other.used(RATE) == pytest.approx(held - left / 10_000, abs=1)


def test_a_lease_that_nobody_ends_runs_out(clients):
    """Of a process that dies nothing is left after five seconds; until then all that it leased counts as used."""
    client, other = clients(), clients()
    busy(client, clients.clock)
    client.die()
    held = other.used(RATE)
    clients.clock.advance(leasing.TTL)

    assert held > 5
    assert other.used(RATE) == 0
    assert isinstance(other.reserve(Claim(RATE, 800)), Ticket)


def test_what_a_process_spent_before_it_died_counts(clients):
    """It may have spent all of its lease: others who use up the rate get that much less."""
    client, other = clients(), clients()
    clock = clients.clock
    busy(client, clock, calls=300)
    flow = []
    while client.ledger._leases.take((Claim(RATE, 1),), client.runtime.clock, 60.0) is not None:
        flow.append((clock.now(), 1))
    client.die()
    for _ in range(4):
        while isinstance(other.reserve(Claim(RATE, 10)), Ticket):
            flow.append((clock.now(), 10))
        clock.advance(leasing.TTL / 2)

    assert flow[0][1] == 1
    assert exceeded(flow) <= 1e-6


def test_a_process_ends_its_leases_in_time(clients):
    """What is not spent is told before the server would take it for spent, and is not spent after that."""
    client, other = clients(), clients()
    busy(client, clients.clock)
    clients.clock.advance(4.8 * leasing.CAUTION)
    late = client.ledger._leases.take((Claim(RATE, 1),), client.runtime.clock, 60.0)
    client.settled()

    assert late is None
    assert client.left == 0
    assert other.used(RATE) == 0


def test_refunds_and_debts(clients):
    """What a call used less or more than it reserved counts at the server, before and after its lease is over."""
    client, other = clients(), clients()
    early = busy(client, clients.clock, Claim(RATE, 4))
    assert client.used(RATE) > 0  # ends its leases
    now = other.used(RATE)
    client.settle(early[-1], 304)
    debt = other.used(RATE)
    client.settle(early[-2], 0)
    busy(client, clients.clock, calls=200)
    last = client.reserve(Claim(RATE, 1))
    before = client.left
    client.ledger.settle(last, [3])
    after = client.left

    assert last.note is not None
    assert debt - now == 300
    assert before - after == 2 * 10_000


def test_a_ticket_of_a_lease_is_settled_once(clients):
    """The second settlement does nothing, nor does one after the reservation has expired."""
    client, other = clients(), clients()
    *_, first, second = busy(client, clients.clock)
    client.used(RATE)
    before = other.used(RATE)
    client.settle(first, 101)
    first.settled = False
    client.settle(first, 901)
    twice = other.used(RATE)
    clients.clock.advance(70.0)
    client.settle(second, 901)

    assert first.note is not None
    assert twice - before == 100
    assert other.used(RATE) == 0


def test_a_block_ends_the_leases(clients):
    """When a rate is blocked, what this process had leased of it is not spent."""
    client = clients()
    busy(client, clients.clock)
    drive(client.ledger.push(RATE, 20.0, client.runtime))
    denial = client.reserve(Claim(RATE, 1))

    assert client.left == 0
    assert denial.wait == pytest.approx(20.0, abs=0.1)


def test_a_forked_child_spends_nothing_of_its_parent(clients):
    """A child of a fork asks for itself, and what it settles of its parent's is left to the parent."""
    client = clients()
    *_, ticket = busy(client, clients.clock)
    client.used(RATE)  # ends its lease
    busy(client, clients.clock)
    held = client.left
    child = os.fork()
    if child == 0:
        client.ledger.settle(ticket, [100])
        alone = not client.ledger._leases._open and not client.ledger._leases._owed
        os._exit(0 if alone and client.ledger._leases.spent == 0 else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert ticket.note is not None
    assert client.left == held


def test_a_finalizer_settles_while_leases_are_counted(clients):
    """A stream that is dropped while its thread holds the lock is settled by whoever counts next."""
    client, other = clients(), clients()
    *_, ticket = busy(client, clients.clock)
    client.used(RATE)
    before = other.used(RATE)
    with client.ledger._leases._lock:
        client.ledger.settle(ticket, [101])
    client.settled()

    assert other.used(RATE) - before == 100


def test_both_faces_and_all_threads_spend_the_same_leases(clients):
    """Threads and the tasks of loops take of one lease, each unit once."""
    client = clients()
    busy(client, clients.clock, calls=300)
    lease = client.ledger._leases._open[-1]
    before = client.left

    async def tasks():
        runtime = LoopRuntime(asyncio.get_running_loop(), client.runtime.clock, random.Random(0), lambda: None)
        await asyncio.gather(*(client.ledger.reserve([Claim(RATE, 1)], runtime, 60.0) for _ in range(3)))

    def work():
        drive(client.ledger.reserve([Claim(RATE, 1)], client.runtime, 60.0))

    threads = [threading.Thread(target=work) for _ in range(3)] + [
        threading.Thread(target=lambda: asyncio.run(tasks())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lease.left > 0, "it was large enough for all"
    assert before - client.left == 9 * 10_000


def test_leases_are_spent_while_the_server_is_away(own_valkey, request):  # noqa: F811  (a fixture)
    """What was leased needs no server: nobody waits for one that hangs, and after that the process counts alone."""
    clock = FakeClock(1000.0)
    client = Client(own_valkey.url, request.node.name, clock)
    busy(client, clock, calls=300)
    own_valkey.stop()
    leased = [drive(client.ledger.reserve([Claim(RATE, 1)], client.runtime, 60.0)) for _ in range(5)]
    waited = client.ledger._line.waited
    clock.advance(leasing.TTL)
    client.ledger._line._timeout = 0.05
    alone = drive(client.ledger.reserve([Claim(RATE, 1)], client.runtime, 60.0))
    own_valkey.go_on()
    client.ledger.close()

    assert all(ticket.note.owner is client.ledger._leases for ticket in leased)
    assert waited == 0
    assert alone.note is client.ledger._fallback


def test_without_leases(valkey, request):  # noqa: F811  (a fixture)
    """``leases=False`` asks the server for every reservation."""
    ledger = RedisLedger(valkey.url, prefix=request.node.name, timeout=PATIENT, leases=False)
    runtime = BlockingRuntime(FakeClock(1000.0), random.Random(0), lambda: None)
    tickets = [drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0)) for _ in range(50)]
    ledger.close()

    assert {ticket.note for ticket in tickets} == {None}
    with pytest.raises(ConfigError, match="leases must be True or False, not 'no'"):
        RedisLedger(valkey.url, leases="no")


def test_how_much_is_leased():
    """A second's worth of the own pace; never more than a quarter of the window or the burst for all processes."""
    assert leasing.size(RATE, 250_000.0, 10_000, 1) == 250_000
    assert leasing.size(RATE, 9e6, 10_000, 1) == 1_000_000
    assert leasing.size(RATE, 9e6, 10_000, 16) == 125_000
    assert leasing.size(Rate("short", 60, window=1.0, burst=9.0), 9e6, 1, 5) == 50_000
    assert leasing.size(RATE, 19_999.0, 10_000, 1) == 0
    assert leasing.size(RATE, 0.0, 0, 1) == 0


def test_a_pace_fades():
    """What was spent counts for about a second."""
    pace = Pace()
    for tenth in range(100):
        pace.add(10.0, 50.0 + tenth / 10)

    assert pace.at(59.9) == pytest.approx(100.0, rel=0.06)
    assert pace.at(70.0) < 0.01
    assert pace.at(0.0) == pace.at(59.9)  # a clock that is set back


def test_the_rest_of_a_lease_is_a_lease():
    """What is kept when a part is told has the same name and end, and nothing spent."""
    lease = Lease("name", RATE, 100, 1000.0, 5.0)
    lease.spend(70, 1001.0)
    rest = lease.rest(1001.5)

    assert (rest.name, rest.ends, rest.amount, rest.spent, rest.left) == ("name", 1004.5, 30, 0, 30)
    assert lease.age(1001.5) == 0.5
    assert lease.age(900.0) == 0.0


def test_a_killed_process_gives_its_lease_back(valkey, request):  # noqa: F811  (a fixture)
    """After a ``kill -9`` what a process had leased is free within five seconds of the server's time."""
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    process = spawn.Process(target=lease_and_hang, args=(valkey.url, request.node.name, told))
    process.start()
    held = told.get(timeout=60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    ledger = RedisLedger(valkey.url, prefix=request.node.name, timeout=PATIENT)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    before = drive(ledger.used(LEASED, runtime))
    ledger._time.given = lambda: time.time() + leasing.TTL
    after = drive(ledger.used(LEASED, runtime))
    ledger.close()

    assert held > 0
    assert before >= held
    assert after == 0


def test_16_processes_with_leases(valkey, request):  # noqa: F811  (a fixture)
    """Under and over load: in no window more than capacity x (1 + burst / window), and over load within 2 % of it."""
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(["stores.redis_children", "redis"])
    start, told = context.Barrier(PROCESSES), context.SimpleQueue()
    args = (valkey.url, request.node.name, PROCESSES, start, told)
    workers = [context.Process(target=under_and_over_load, args=args, daemon=True) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    found = [told.get() for _ in workers]
    for worker in workers:
        worker.join(60)
    admitted = sorted(one for times, *_ in found for one in times)
    alone, covered, left = (sum(one[column] for one in found) for column in (1, 2, 3))
    speed = LEASED.capacity / LEASED.window
    calm = PHASES[0][0]
    begin = min(asked for asked, _ in admitted) + calm + 1.5
    end = min(times[-1][0] for times, *_ in found)  # while all of them ask
    over = [begin, *sorted(answered for asked, answered in admitted if begin <= asked <= end)]
    # While a busy machine runs nobody for longer than the burst, what nobody asked for is no fault of the limit.
    unasked = sum(max(0.0, b - a - LEASED.burst) for a, b in pairwise(over))
    allowed = (over[-1] - begin) * speed

    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert alone == 0
    assert covered > 0.2 * len(admitted)
    assert surely_ahead(admitted, speed) <= LEASED.burst * speed + 1e-6
    assert 0.98 * (allowed - unasked * speed) <= len(over) + left  # which is given back
    assert len(over) <= 1.02 * allowed


def surely_ahead(admitted, speed):
    """Return by how many units the admissions that surely lie in a window exceed what refills in it, at most."""
    worst = 0.0
    for index in range(0, len(admitted), 3):
        begin = admitted[index][0]
        inside = sorted(answered for asked, answered in admitted[index:] if asked >= begin)
        worst = max([worst, *(count - (end - begin) * speed for count, end in enumerate(inside, 1))])
    return worst

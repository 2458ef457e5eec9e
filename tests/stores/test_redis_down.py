"""`RedisLedger` while its server is stopped, gone, or not there at all."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from aigw.errors import ConfigError
from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores.ledger import Ticket
from aigw.stores.redis import RedisLedger
from aigw.stores.redis_fallback import Fallback
from aigw.testing import FakeClock
from stores.valkey_server import PATIENT, own_valkey, valkey  # noqa: F401  (fixtures)

RATE = Rate("requests", 6000)
BUDGET = Spend("money", 10**9, 0, 0)
OPEN = Rate("open", 60, when_down="open")


def blocking():
    """Ports of a thread."""
    return BlockingRuntime(FakeClock(1000.0), random.Random(0), lambda: None)


@pytest.fixture
def ledger(own_valkey):  # noqa: F811  (a fixture)
    """A ledger that asks soon whether its server is there again."""
    made = RedisLedger(own_valkey.url)
    made._line.first_pause = 0.02
    yield made
    own_valkey.go_on() if own_valkey._process else None
    made.close()


def until(ledger, runtime, *claims):
    """Reserve until the store itself grants it."""
    for _ in range(2000):
        outcome = drive(ledger.reserve(claims, runtime, 60.0))
        if isinstance(outcome, Ticket) and outcome.note is None:
            return outcome
        threading.Event().wait(0.005)
    raise AssertionError("it did not recover")


def test_a_stopped_server_is_waited_for_at_most_three_times(ledger, own_valkey):  # noqa: F811
    """Three calls wait for a server that hangs, none after them; rates go on, budgets refuse, and all comes back."""
    runtime = blocking()
    before = until(ledger, runtime, Claim(RATE, 1))
    own_valkey.stop()
    granted = [drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0)) for _ in range(100)]
    waited = ledger._line.waited
    refused = drive(ledger.reserve([Claim(RATE, 1), Claim(BUDGET, 1)], runtime, 60.0))
    free = [drive(ledger.reserve([Claim(OPEN, 60)], runtime, 60.0)) for _ in range(5)]
    ledger.settle(before, [5])
    own_valkey.go_on()
    until(ledger, runtime, Claim(BUDGET, 10))

    assert all(isinstance(ticket, Ticket) for ticket in granted)
    assert 1 <= waited <= 3
    assert refused == Denial(BUDGET, None, unknown=True)
    assert all(isinstance(ticket, Ticket) for ticket in free)
    assert drive(ledger.used(BUDGET, runtime)) == 10


def test_an_event_loop_is_waited_for_no_longer(ledger, own_valkey):  # noqa: F811
    """The loop face waits three round trips at most as well, and is granted its share."""

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), FakeClock(1000.0), random.Random(0), lambda: None)
        first = await ledger.reserve([Claim(RATE, 1)], runtime, 60.0)
        own_valkey.stop()
        return first, [await ledger.reserve([Claim(RATE, 1)], runtime, 60.0) for _ in range(100)]

    first, others = asyncio.run(main())

    assert first.note is None
    assert all(isinstance(ticket, Ticket) for ticket in others)
    assert 1 <= ledger._line.waited <= 3


def test_local_use_is_told_afterwards(ledger, own_valkey):  # noqa: F811
    """What was used while the store was away counts there when it is back, from the time when it was used on.

    What was reserved in vain does not count.
    """
    runtime = blocking()
    slots = Slots("slots", 1)
    slow, quick = Rate("slow", 1000, window=1e6, burst=1e6), Rate("quick", 600)
    until(ledger, runtime, Claim(BUDGET, 1))
    own_valkey.stop()
    tickets = [drive(ledger.reserve([Claim(slow, 10), Claim(slots, 1)], runtime, 60.0)) for _ in range(3)]
    while not ledger._line._broken:
        drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0))
    drive(ledger.reserve([Claim(quick, 50)], runtime, 60.0))
    ledger.settle(tickets[0], [25])
    runtime.clock.advance(30.0)
    own_valkey.go_on()
    until(ledger, runtime, Claim(BUDGET, 1))
    drive(ledger.used(slow, runtime))

    assert [isinstance(ticket, Ticket) for ticket in tickets] == [True, False, False]
    assert [drive(ledger.used(limit, runtime)) for limit in (slow, slots, quick)] == [25, 0, 0]


def test_a_share_is_part_of_the_limit():
    """Alone, a process uses nine tenths of the limit, divided by the processes that it last knew of."""
    fallback = Fallback()
    fallback.peers = 3
    slots = Slots("slots", 10)
    clock = FakeClock(1000.0)
    outcomes = [fallback.reserve(str(n), [Claim(slots, 1)], clock, 60.0) for n in range(4)]

    assert outcomes == [None, None, None, Denial(slots, None)]


def test_what_an_open_limit_used_is_told():
    """Where a limit lets everything pass, what was used is charged afterwards nevertheless."""
    fallback = Fallback()
    clock = FakeClock(1000.0)
    fallback.reserve("name", [Claim(OPEN, 10)], clock, 60.0)
    fallback.settle("name", [Claim(OPEN, 10)], [25], clock)

    assert [used.amount for used in fallback.take()] == [25]


def test_nobody_waits_who_asked_as_it_went_down(valkey):  # noqa: F811
    """A call that was put just when the store was given up is sent away at once."""
    ledger = RedisLedger(valkey.url)
    line = ledger._line
    job = ledger._jobs.reserve("name", [Claim(RATE, 1)], 60.0)
    job.flag = blocking().flag()
    line.failures = 3
    line._inbox.put((job,))
    line._take(0.0)

    assert job.flag.is_set()
    assert job.given_up
    assert not line._jobs


def test_what_cannot_be_delivered_is_told(ledger, own_valkey, caplog):  # noqa: F811
    """Closing while the server is away gives up soon, and one warning says how many settlements are lost."""
    runtime = blocking()
    tickets = [until(ledger, runtime, Claim(BUDGET, 7)) for _ in range(5)]
    own_valkey.kill()
    for ticket in tickets:
        ledger.settle(ticket, [3])
    alone = [drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0)) for _ in range(4)]
    thread = ledger._line._thread
    ledger.close()
    ledger.close()

    assert all(isinstance(ticket, Ticket) for ticket in alone)
    assert not thread.is_alive()
    assert [record.getMessage() for record in caplog.records] == [
        "6 settlements did not reach the store; what they had reserved counts as used"
    ]


def test_closing_asks_once_more(ledger, own_valkey, caplog):  # noqa: F811
    """A server that came back since it was last asked still gets what was settled."""
    runtime = blocking()
    ledger._line.first_pause = 600.0
    ticket = until(ledger, runtime, Claim(BUDGET, 7))
    own_valkey.stop()
    while not ledger._line._broken:
        drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0))
    ledger.settle(ticket, [3])
    own_valkey.go_on()
    ledger.close()
    other = RedisLedger(own_valkey.url, timeout=PATIENT)
    used = drive(other.used(BUDGET, runtime))
    local = drive(other.used(RATE, runtime))
    other.close()

    assert used == 3
    assert local > 0
    assert caplog.records == []


def test_a_finalizer_settles_while_the_fallback_counts(ledger, own_valkey):  # noqa: F811
    """A stream that is dropped while its thread holds the locks is settled without hanging, also without the store."""
    runtime = blocking()
    rate = Rate("slow", 1000, window=1e6, burst=1e6)
    own_valkey.kill()
    while not ledger._line.down:
        drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0))
    first = drive(ledger.reserve([Claim(rate, 100)], runtime, 60.0))
    with ledger._fallback._lock, ledger._line._lock, ledger._line._starting:
        ledger.settle(first, [10])

    assert drive(ledger.used(rate, runtime)) == 10


def taken(ledger):
    """Wait until the thread has taken what was put."""
    while ledger._line._inbox.qsize():
        threading.Event().wait(0.001)


def test_a_cancelled_call_gives_back_what_it_took(own_valkey):  # noqa: F811
    """A task that is cancelled while a server which hangs has its reservation holds nothing when that goes on."""
    ledger = RedisLedger(own_valkey.url, timeout=PATIENT)
    slots = Slots("slots", 10)

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), FakeClock(1000.0), random.Random(0), lambda: None)
        await ledger.used(slots, runtime)
        own_valkey.stop()
        task = asyncio.create_task(ledger.reserve([Claim(slots, 3)], runtime, 60.0))
        await asyncio.sleep(0)  # it is put
        await asyncio.to_thread(taken, ledger)
        task.cancel()
        own_valkey.go_on()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ledger.used(slots, runtime)
        return await ledger.used(slots, runtime)

    used = asyncio.run(main())
    ledger.close()

    assert used == 0


def test_a_server_that_comes_back_empty_is_used_again(ledger, own_valkey):  # noqa: F811
    """A server that was killed and started again knows neither script nor counts, and everything goes on."""
    runtime = blocking()
    ticket = until(ledger, runtime, Claim(BUDGET, 7))
    own_valkey.kill()
    drive(ledger.reserve([Claim(RATE, 1)], runtime, 60.0))
    ledger.settle(ticket, [3])
    own_valkey.start()
    until(ledger, runtime, Claim(BUDGET, 5))

    assert drive(ledger.used(BUDGET, runtime)) == 5


def test_a_wrong_url_is_told_at_once():
    """A URL that is none is refused when the ledger is made, without its password in the message."""
    with pytest.raises(ConfigError, match="url must be like") as caught:
        RedisLedger("http://:secret@localhost")

    assert "secret" not in str(caught.value)


def test_a_prefix_with_braces_is_refused():
    """Braces would end the hash tag."""
    with pytest.raises(ConfigError, match="prefix"):
        RedisLedger("redis://localhost", prefix="a{b}")


def test_a_wrong_password_is_told():
    """A server that does not let us in is a fault of the set-up, not an outage."""
    from stores.valkey_server import ValkeyServer

    server = ValkeyServer("--requirepass", "right")
    ledger = RedisLedger(server.url + "?password=wrong")
    try:
        with pytest.raises(ConfigError, match="does not let us in") as caught:
            drive(ledger.reserve([Claim(RATE, 1)], blocking(), 60.0))
    finally:
        ledger.close()
        server.close()

    assert "wrong" not in str(caught.value)


def test_an_amount_too_large_to_count_is_refused(valkey):  # noqa: F811
    """Lua counts up to 2^53 exactly; more is an error rather than a wrong sum."""
    ledger = RedisLedger(valkey.url)

    with pytest.raises(ConfigError, match="counts up to"):
        drive(ledger.reserve([Claim(Spend("much", 1 << 54, 0, 0), 1)], blocking(), 60.0))

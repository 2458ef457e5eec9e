"""`Breaker`: what counts, what it refuses, and what it says."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw import Breaker, Retry, Target
from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    CircuitOpen,
    ConfigError,
    ContextTooLong,
    NotFound,
    Overloaded,
    ProviderRateLimited,
    ServerError,
    TimedOut,
    Unreachable,
)
from aigw.pipeline import check_order
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from policies.inner import Inner, handle
from testing.faces import read_all


def attempt(breaker, outcome, clock, **fields):
    """Make a call with this outcome; return its error."""
    try:
        drive(read_all(handle(breaker, Inner(outcome), clock=clock, **fields)))
    except Exception as error:  # noqa: BLE001  (it is looked at)
        return error
    return None


@pytest.mark.parametrize(
    ("kind", "opens"),
    [(kind, 5) for kind in (Unreachable, ServerError, Overloaded)]
    + [(kind, 10) for kind in (TimedOut, BadResponse)]
    + [(kind, None) for kind in (BadRequest, ContextTooLong, NotFound, ProviderRateLimited, KeyboardInterrupt)]
    + [(AuthenticationFailed, 1)],
)
def test_what_counts(kind, opens):
    """Failures of the target open it, what the caller did does not, and a refused key does at once."""
    breaker, clock, sent = Breaker(), FakeClock(), 0
    for _ in range(30):
        try:
            handle(breaker, Inner(kind("x")), clock=clock)
        except CircuitOpen:
            break
        except kind:
            pass
        sent += 1

    assert sent == (opens or 30)


def test_streams_that_are_cut_count():
    """A stream that breaks after its first output is a failure."""
    breaker, clock = Breaker(), FakeClock()
    for _ in range(10):
        attempt(breaker, ["so far ", Unreachable("cut")], clock, stream=True)

    assert isinstance(attempt(breaker, "hi", clock), CircuitOpen)


def test_slow_streams_open_it():
    """Streams that take long to begin open it, whole answers that take long do not."""
    breaker, other, clock = Breaker(window=600), Breaker(window=600), FakeClock()
    for seconds in [1.0] * 5 + [11.0] * 20:
        attempt(breaker, [seconds, "hi"], clock, stream=True)
        attempt(other, [seconds, "hi"], clock)

    assert breaker.availability(clock.now()) == 0.0
    assert other.availability(clock.now()) == 1.0


def test_a_429_is_a_pause_and_no_failure():
    """The target is left alone for as long as the provider asks, then goes on without a probe."""
    breaker, clock = Breaker(), FakeClock()
    attempt(breaker, ProviderRateLimited("x", retry_after=7), clock)
    refused = attempt(breaker, "hi", clock)
    drive(clock.sleep(7.5))

    assert isinstance(refused, CircuitOpen)
    assert refused.retry_after == pytest.approx(7)
    assert attempt(breaker, "hi", clock) is None
    assert breaker.availability(clock.now()) == 1.0


def test_a_refused_key_is_left_alone_for_minutes():
    """After a 401 it takes 5 minutes until the key is tried again, and the reason is told."""
    breaker, clock = Breaker(), FakeClock()
    attempt(breaker, AuthenticationFailed("x"), clock)
    refused = attempt(breaker, "hi", clock)

    assert refused.retry_after == pytest.approx(300, rel=0.2)
    assert "the key was refused" in str(refused)


def test_the_refusal_says_all(caplog):
    """It names target, policy and wait; the opening is in the trace and logged once."""
    clock = FakeClock()
    target = Target(ScriptedProvider.repeat(ServerError), model="m", name="east", policies=[Breaker()])
    calls = [make_call(clock=clock, rng=random.Random(1)) for _ in range(7)]
    errors = []
    for call in calls:
        with pytest.raises((ServerError, CircuitOpen)) as caught:
            drive(target(call))
        errors.append(caught.value)
    refused = errors[-1]

    assert [type(error) for error in errors] == [ServerError] * 5 + [CircuitOpen] * 2
    assert (refused.policy, refused.target, refused.status) == ("Breaker", "east", 503)
    assert refused.retry_after == pytest.approx(15, rel=0.2)
    assert [note.action for note in calls[4].trace.decisions] == [f"open for {refused.retry_after:.3g} s"]
    assert len(caplog.records) == 1


def test_each_target_has_its_own_state():
    """One object around two targets does not mix them up."""
    breaker, clock = Breaker(consecutive=1), FakeClock()
    bad = Target(ScriptedProvider(ServerError), model="m", name="bad", policies=[breaker])
    good = Target(ScriptedProvider("hi"), model="m", name="good", policies=[breaker])
    with pytest.raises(ServerError):
        drive(bad(make_call(clock=clock)))

    assert (bad.ejected(clock.now()), good.ejected(clock.now())) == (True, False)


def test_shadow_only_tells():
    """It lets everything through and writes down what it would have refused."""
    breaker, clock = Breaker(shadow=True), FakeClock()
    for _ in range(5):
        attempt(breaker, ServerError, clock)
    call = make_call(clock=clock)
    drive(breaker.handle(call, Inner("hi")))

    assert [note.action for note in call.trace.decisions] == ["would refuse"]
    assert breaker.availability(clock.now()) == 1.0


def half_open(clock):
    """Make a breaker whose next call is a probe."""
    breaker = Breaker()
    for _ in range(5):
        attempt(breaker, ServerError, clock)
    drive(clock.sleep(20))
    return breaker


def test_one_probe_over_64_threads():
    """Of 64 threads at once just one gets through."""
    clock = FakeClock()
    breaker, start, refused, inside = half_open(clock), threading.Barrier(64), threading.Semaphore(0), []

    async def inner(call):
        inside.append(call)
        for _ in range(63):
            assert refused.acquire(timeout=60)
        return await Inner("hi")(call)

    def one(_):
        start.wait(60)
        try:
            drive(read_all(drive(breaker.handle(make_call(clock=clock), inner))))
        except CircuitOpen:
            refused.release()

    with ThreadPoolExecutor(64) as threads:
        list(threads.map(one, range(64)))

    assert len(inside) == 1


def test_one_probe_over_500_tasks():
    """Of 500 tasks at once just one gets through; when it is cancelled, the next one probes."""
    clock = FakeClock()
    breaker, inside = half_open(clock), []

    async def inner(call):
        inside.append(call)
        await asyncio.Event().wait()

    async def main():
        tasks = [asyncio.create_task(breaker.handle(make_call(clock=clock, blocking=False), inner)) for _ in range(500)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())

    assert len(inside) == 1
    assert attempt(breaker, "hi", clock) is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"failure_rate": 0},
        {"slow_rate": 2},
        {"least": 30},
        {"open": 0},
        {"longest": 1},
        {"consecutive": 0},
        {"slow": -1},
    ],
)
def test_bad_arguments_are_named(arguments):
    """A wrong argument is a ConfigError that names it."""
    with pytest.raises(ConfigError, match=next(iter(arguments))):
        Breaker(**arguments)


def test_it_stands_inside_retry():
    """Around the retry it would see one result for several attempts."""
    with pytest.raises(ConfigError, match="inside Retry"):
        check_order([Breaker(), Retry()])

"""`Queue` in front of limits: who is next, who is refused, and that nothing is touched while nobody waits."""

from __future__ import annotations

import asyncio
import math
import os
import sys
from multiprocessing import get_context

import pytest

from aigw import (
    AsyncGateway,
    Budget,
    Chunk,
    Concurrency,
    ConfigError,
    Principal,
    Queue,
    QueueFull,
    RateLimit,
    RateLimited,
    Reply,
    Retry,
    ServerError,
    Target,
    Usage,
)
from aigw.flags import BlockingFlag
from aigw.pipeline import check_order, stack
from aigw.policies.line import Waiter
from aigw.policies.turnstile import Turnstile
from aigw.runtime import drive
from aigw.testing import FakeClock, FixedMeter, ScriptedProvider, make_call
from policies.inner import Inner
from testing.virtual_time import run

PLACE = pytest.param(lambda: Concurrency(1), id="Concurrency")
RATE = pytest.param(lambda: RateLimit(requests_per_minute=60, burst=1), id="RateLimit")
BOTH_LIMITS = pytest.mark.parametrize("limit", [PLACE, RATE])


class Server:
    """Answers after a second, and remembers who was served in which order."""

    def __init__(self, used=None):
        self.served = []
        self.used = used or {}

    async def __call__(self, call):
        self.served.append(call.principal.id if call.principal else call.priority)
        await call.clock.sleep(1)
        tokens = self.used[call.principal.id] if self.used else call.meter.input
        reply = await Target(ScriptedProvider("hi", usage=Usage(tokens, 0)), model="m")(call)
        await reply.close()
        return Reply.replay([Chunk("hi", finish_reason="stop")])


def ask(policies, server, clock, tokens=100, **fields):
    """Begin a call; it is over when its answer was read."""

    async def one():
        call = make_call(clock=clock, blocking=False, metering=FixedMeter(tokens, 0), **fields)
        reply = await stack(policies, server)(call)
        await reply.close()

    return asyncio.create_task(one())


async def settle(clock):
    """Let all that can happen now happen."""
    await clock.sleep(1e-6)


@BOTH_LIMITS
def test_the_urgent_go_first_wherever_calls_wait(limit):
    """Calls of three classes wait for a limit: nearly all interactive ones are served first, and batch is not last."""

    async def main(clock):
        policies, server = [Queue(max_wait=100), limit()], Server()
        tasks = [ask(policies, server, clock, priority="standard")]
        await settle(clock)
        for priority in ("batch", "standard", "interactive"):
            tasks += [ask(policies, server, clock, priority=priority) for _ in range(6)]
            await settle(clock)
        await asyncio.gather(*tasks)
        return server.served[2:]  # one was inside, and one may have been the first of the line

    served = run(main)
    last = {name: len(served) - served[::-1].index(name) for name in ("interactive", "standard", "batch")}

    assert last["interactive"] < last["standard"] < last["batch"]
    assert "batch" in served[: last["standard"]]


@BOTH_LIMITS
def test_a_tenant_with_many_calls_does_not_delay_another(limit):
    """Of two tenants of a class each is served in turn, however many calls one has."""

    async def main(clock):
        policies, server = [Queue(max_wait=100), limit()], Server()
        tasks = [ask(policies, server, clock, principal=Principal("many")) for _ in range(12)]
        await settle(clock)
        tasks += [ask(policies, server, clock, principal=Principal("few")) for _ in range(3)]
        await asyncio.gather(*tasks)
        return server.served

    served = run(main)

    assert served.index("few") <= 3
    assert served[:9].count("few") == 3


def test_without_a_queue_they_go_as_they_came():
    """A priority alone changes nothing where calls wait."""

    async def main(clock):
        policies, server = [Concurrency(1)], Server()
        tasks = [ask(policies, server, clock, priority=name) for name in ("batch", "standard", "interactive")]
        await asyncio.gather(*tasks)
        return server.served

    assert run(main) == ["batch", "standard", "interactive"]


def test_around_a_target():
    """A queue of the gateway orders those who wait for a place at a target."""

    async def main(clock):
        provider = ScriptedProvider.repeat([1.0, "hi"])
        target = Target(provider, model="m", policies=[Concurrency(1)])
        async with AsyncGateway({"m": target}, [Queue()], clock=clock) as gateway:
            await gateway.chat("hi")  # the first call loads what it needs, in a thread
            tasks = []
            for name in ("standard", "batch", "batch", "interactive"):
                tasks.append(asyncio.create_task(gateway.chat("hi", priority=name)))
                await clock.sleep(0.01)
            await asyncio.gather(*tasks)
        return [call.priority for call in provider.calls[1:]]

    assert run(main) == ["standard", "interactive", "batch", "batch"]


def test_the_first_of_a_rate_gives_way_to_the_urgent():
    """A large batch call that waits for its tokens lets an interactive one that comes later go first."""

    async def main(clock):
        policies = [Queue(max_wait=1_000), RateLimit(tokens_per_minute=6_000, burst=60)]
        server = Server()
        tasks = [ask(policies, server, clock, 6_000, priority="standard")]
        await settle(clock)
        tasks += [ask(policies, server, clock, 5_000, priority="batch") for _ in range(3)]
        await clock.sleep(5)
        tasks.append(ask(policies, server, clock, 100, priority="interactive"))
        await asyncio.gather(*tasks)
        return server.served

    assert run(main) == ["standard", "interactive", "batch", "batch", "batch"]


class NoMeter:
    """Must not be asked."""


def test_nobody_counts_while_nobody_waits():
    """A call that finds room is not measured, stands in no line, and leaves no trace."""
    limit, asked = Concurrency(1), []
    call = make_call(metering=NoMeter())
    reply = drive(stack([Queue(key=asked.append), limit], Inner("hello"))(call))
    drive(reply.close())

    assert (limit.in_flight, limit.waiting) == (0, 0)
    assert not call.trace.decisions
    assert not asked


def test_what_calls_have_really_cost_counts():
    """A tenant whose calls turn out four times as dear as guessed gets a quarter of the calls."""

    async def main(clock):
        policies, server = [Queue(max_wait=1_000), Concurrency(1)], Server({"a": 400, "b": 100})
        tasks = [ask(policies, server, clock, principal=Principal(name)) for _ in range(60) for name in "ab"]
        await clock.sleep(60.5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return server.served

    served = run(main)

    assert served.count("b") / served.count("a") == pytest.approx(4, rel=0.15)


def test_strictly_the_urgent_first():
    """With `strict` nobody is served beside more urgent calls, whatever the weights."""

    async def main(clock, **options):
        policies, server = [Queue(strict=True, **options), Concurrency(1)], Server()
        tasks = [ask(policies, server, clock, priority="interactive") for _ in range(20)]
        tasks += [ask(policies, server, clock, priority="standard") for _ in range(2)]
        tasks.append(ask(policies, server, clock, priority="batch"))
        await asyncio.gather(*tasks)
        return server.served

    served = run(lambda clock: main(clock, max_wait=1_000))

    assert served == ["interactive"] * 20 + ["standard"] * 2 + ["batch"]


def test_who_is_old_moves_up_one_class():
    """Standard calls that have waited long are served among interactive ones that keep coming."""

    async def main(clock):
        policies, server = [Queue(strict=True, max_wait=20), Concurrency(1)], Server()
        old = ask(policies, server, clock, priority="interactive")
        await settle(clock)
        old = ask(policies, server, clock, priority="standard")
        tasks = []
        for _ in range(40):
            tasks.append(ask(policies, server, clock, priority="interactive", principal=Principal("other")))
            await clock.sleep(0.9)
            if old.done():
                break
        done, now = old.done(), clock.now()
        for task in tasks:
            task.cancel()
        await asyncio.gather(old, *tasks, return_exceptions=True)
        return done, now

    done, now = run(main)

    assert done
    assert 10 <= now <= 20


@BOTH_LIMITS
def test_a_key_that_names_nobody(limit):
    """Calls of nobody are one tenant, and neither first nor last."""

    async def main(clock):
        def key(call):
            return None if call.principal.id.startswith("nobody") else call.principal.id

        policies, server = [Queue(key=key, max_wait=100), limit()], Server()
        names = ["nobody 1", "nobody 2", "nobody 3", "nobody 4", "a"]
        tasks = []
        for name in names:
            tasks.append(ask(policies, server, clock, principal=Principal(name)))
            await settle(clock)
        await asyncio.gather(*tasks)
        return server.served

    assert run(main).index("a") in (1, 2, 3)


@BOTH_LIMITS
def test_cancelled_while_it_waits(limit):
    """Whoever goes away is passed over, wherever it stood; nobody else notices."""

    async def main(clock):
        one, server = limit(), Server()
        policies = [Queue(max_wait=100), one]
        tasks = [ask(policies, server, clock, principal=Principal(str(number))) for number in range(9)]
        await settle(clock)
        for number in (1, 4, 8):
            tasks[number].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        return [result for result in results if result is not None], sorted(server.served), one

    errors, served, one = run(main)

    assert [type(error) for error in errors] == [asyncio.CancelledError] * 3
    assert served == ["0", "2", "3", "5", "6", "7"]
    assert nobody_waits(one)


def nobody_waits(limit):
    """Tell whether a limit is as it was before the first call."""
    if isinstance(limit, Concurrency):
        return (limit.in_flight, limit.waiting) == (0, 0)
    return limit._waiting._turnstile.lines == 0


@BOTH_LIMITS
def test_time_runs_out_while_it_waits(limit):
    """A call whose turn does not come before its deadline is refused then, and others are served."""

    async def main(clock):
        one, server = limit(), Server()
        policies = [Queue(max_wait=100), one]
        tasks = [ask(policies, server, clock, deadline=clock.now() + 2.5) for _ in range(6)]
        began = clock.now()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        return [result for result in results if result is not None], clock.now() - began, one

    errors, took, one = run(main)

    assert {type(error) for error in errors} <= {QueueFull, RateLimited}
    assert 2 <= len(errors) <= 4
    assert took <= 4.5
    assert nobody_waits(one)


@BOTH_LIMITS
def test_the_wait_of_the_queue_takes_the_place_of_the_limits(limit):
    """With `max_wait` the queue says how long calls wait, shorter or longer than the limit would."""

    async def main(clock, longest, number):
        policies, server = [Queue(max_wait=longest), limit()], Server()
        tasks = [ask(policies, server, clock) for _ in range(number)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    short = run(lambda clock: main(clock, 1.5, 6))
    long = run(lambda clock: main(clock, 100, 40))

    assert sum(result is not None for result in short) >= 3
    assert long == [None] * 40


@BOTH_LIMITS
def test_lines_are_bounded(limit):
    """Beyond `most_per_tenant` a tenant is refused at once, beyond `most` everybody."""

    async def main(clock):
        policies, server = [Queue(most=5, most_per_tenant=3, max_wait=100), limit()], Server()
        tasks = [ask(policies, server, clock, principal=Principal("x"))]
        await settle(clock)
        names = "aaaaabbbbb"
        tasks += [ask(policies, server, clock, principal=Principal(name)) for name in names]
        await settle(clock)
        refused = [name for name, task in zip(names, tasks[1:], strict=True) if task.done()]
        errors = [task.exception() for task in tasks[1:] if task.done()]
        await asyncio.gather(*tasks, return_exceptions=True)
        return refused, errors

    refused, errors = run(main)

    assert refused.count("a") in (1, 2)
    assert refused.count("b") in (2, 3)
    assert {type(error) for error in errors} <= {QueueFull, RateLimited}


def test_what_cannot_be_in_time_is_refused_at_once():
    """Who would be let in after its deadline is refused before it waits, and is told when to come again."""
    limit, clock = Concurrency(1), FakeClock()
    layers = stack([Queue(), limit], Inner("a", "b"))
    first = drive(layers(make_call(clock=clock)))
    clock.advance(30)
    drive(first.close())
    second = drive(layers(make_call(clock=clock)))
    with pytest.raises(QueueFull, match="its turn would not come within 5 s") as caught:
        drive(layers(make_call(clock=clock, deadline=clock.now() + 5)))
    drive(second.close())

    assert caught.value.retry_after == pytest.approx(30)
    assert nobody_waits(limit)


def test_a_gateway_that_is_closed_lets_the_waiting_finish():
    """Closing ends no call that waits, and leaves nothing behind."""

    async def main(clock):
        limit = Concurrency(1)
        gateway = AsyncGateway(
            {"m": Target(ScriptedProvider.repeat([1.0, "hi"]), model="m")}, [Queue(), limit], clock=clock
        )
        tasks = [asyncio.create_task(gateway.chat("hi")) for _ in range(4)]
        await settle(clock)
        waiting = limit.waiting
        await gateway.close()
        answers = await asyncio.gather(*tasks)
        return waiting, [answer.text for answer in answers], limit

    waiting, texts, limit = run(main)

    assert waiting == 3
    assert texts == ["hi"] * 4
    assert nobody_waits(limit)


def test_a_failure_is_settled_too():
    """A call that waited and then fails gives its place back, and pays for what it has used."""

    async def main(clock):
        limit = Concurrency(1)
        target = Target(ScriptedProvider([1.0, "hi"], ServerError("no"), "hi"), model="m")
        async with AsyncGateway({"m": target}, [Queue(), limit], clock=clock) as gateway:
            tasks = [asyncio.create_task(gateway.chat("hi")) for _ in range(3)]
            return await asyncio.gather(*tasks, return_exceptions=True), limit

    results, limit = run(main)

    assert [type(result).__name__ for result in results] == ["Answer", "ServerError", "Answer"]
    assert nobody_waits(limit)


def test_a_finalizer_in_the_middle_of_a_step():
    """Somebody who leaves a line, or gives something back, while its own thread moves that line, breaks nothing."""
    turnstile, dropped = Turnstile(), []

    def now():
        while dropped:
            dropped.pop()()
        return 0.0

    places = [turnstile.join(("x",), (1.0,), Waiter(BlockingFlag(), now=now)) for _ in range(4)]
    watched = BlockingFlag()
    places[0].watch(watched, turnstile.releases)
    dropped += [places[1].leave, lambda: places[0].settle(1.0), lambda: turnstile.released(("x",))]
    places[0].leave(through=True)
    places[2].leave()

    assert not dropped
    assert places[3].is_first
    assert (places[3].flag.is_set(), watched.is_set()) == (True, True)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@BOTH_LIMITS
def test_a_forked_child_waits_for_nobody_of_its_parent(limit):
    """Calls that wait in the parent are in nobody's way in the child."""
    one = limit()
    policies = [Queue(), one]

    async def main(clock):
        tasks = [ask(policies, Server(), clock) for _ in range(5)]
        await settle(clock)
        child = get_context("fork").Process(target=_in_child, args=(policies,))
        child.start()
        child.join(30)
        await asyncio.gather(*tasks)
        return child.exitcode

    assert run(main) == 0
    assert nobody_waits(one)


def _in_child(policies):
    """End with 0 if a call needs to wait for no place here, and for no line."""
    asyncio.events._set_running_loop(None)
    waiting = 0 if nobody_waits(policies[1]) else 2
    if isinstance(policies[1], Concurrency):
        drive(stack(policies, Inner("hi"))(make_call()))
    os._exit(waiting)


def test_the_order():
    """It stands around whatever lets calls wait, and inside a budget."""
    check_order([Budget(usd_per_day=1), Queue(), RateLimit(concurrency=3), Retry(), Concurrency(3)])
    check_order([RateLimit(concurrency=3, on_exceeded="reject"), Queue(), Concurrency(3)])
    for wrong in (
        [RateLimit(concurrency=3), Queue()],
        [Concurrency(3), Queue()],
        [Retry(), Queue()],
        [Concurrency(3), RateLimit(concurrency=3)],
        [Queue(), Budget(usd_per_day=1)],
    ):
        with pytest.raises(ConfigError, match="must stand"):
            check_order(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": {"urgent": 1}},
        {"weights": {"batch": 0}},
        {"weights": {"batch": math.inf}},
        {"max_wait": 0},
        {"most": 0},
        {"most_per_tenant": -1},
        {"key": "nobody"},
    ],
)
def test_wrong_arguments(wrong):
    """A wrong argument is told by its name."""
    with pytest.raises(ConfigError, match=rf"Queue\({next(iter(wrong))}"):
        Queue(**wrong)


def test_repr():
    """It shows what differs from the defaults."""
    assert repr(Queue()) == "Queue()"
    assert repr(Queue(strict=True, max_wait=5)) == "Queue(max_wait=5.0, strict=True)"

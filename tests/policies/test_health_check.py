"""`HealthCheck`: asks idle targets now and then, leaves alone what does not answer, and brings it back."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from aigw import Balance, Fallback, Gateway, HealthCheck, Target
from aigw.errors import BadRequest, CircuitOpen, ConfigError, ProviderRateLimited, ServerError
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from testing.faces import both_faces, read_all, run


class Patient:
    """Answers after so long as the test wants, and counts what it is asked."""

    name = where = "patient"

    def __init__(self):
        self.calls = []
        self.error = None
        self.asked = threading.Event()
        self.wait = False
        self.cancelled = 0

    def check(self):
        pass

    async def send(self, call, model):
        self.calls.append(call)
        self.asked.set()
        if self.wait:
            try:
                await call.ports.flag().wait(None) if not call.ports.blocking else await call.clock.sleep(60)
            except BaseException:
                self.cancelled += 1
                raise
        if self.error is not None:
            raise self.error
        return await ScriptedProvider(["pong"]).send(call, model)


async def ask(node, clock, *, blocking):
    """Make a call, and let what was begun beside it come to its end."""
    call = make_call(clock=clock, blocking=blocking)
    await read_all(await node(call))
    await settle(blocking=blocking)
    return call.trace.attempts[-1].target


async def settle(*, blocking):
    """Let checks come to their end."""
    if blocking:
        for thread in threading.enumerate():
            if thread.name == "aigw-branch":
                thread.join(10)
    else:
        for _ in range(10):
            await asyncio.sleep(0)


def pool(*providers, **arguments):
    """Make a pool whose first member gets all calls."""
    members = [
        Target(provider, model="m", name=name, policies=[HealthCheck(**arguments)])
        for provider, name in zip(providers, "abc", strict=False)
    ]
    return Balance(*members, by="priority")


@both_faces
def test_an_idle_target_is_asked(blocking):
    """After a minute in which it has answered nothing it is asked for a few tokens; a busy one is not asked."""
    busy, idle, clock = Patient(), Patient(), FakeClock()
    node = pool(busy, idle)

    async def calls():
        for _ in range(10):
            await ask(node, clock, blocking=blocking)
            clock.advance(25)

    run(blocking, calls)

    assert len(busy.calls) == 10
    assert len(idle.calls) == 3
    assert (idle.calls[0].messages[0].text, idle.calls[0].max_tokens) == ("ping", 16)


@both_faces
def test_one_that_does_not_answer_is_left_alone_and_comes_back(blocking):
    """Two failures in a row take it out, one success brings it back; calls never notice."""
    first, second, clock = Patient(), Patient(), FakeClock()
    first.error = ServerError("broken", status=500)
    node, seen = pool(first, second), []

    async def calls():
        for number in range(6):
            if number == 4:
                first.error = None
            call = make_call(clock=clock, blocking=blocking, avoid=frozenset({"a"}))  # so that only checks go there
            await read_all(await node(call))
            await settle(blocking=blocking)
            seen.append(node.targets[0].availability(clock.now()))
            clock.advance(61)

    run(blocking, calls)

    assert seen == [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]
    assert all(call.messages[0].text == "ping" for call in first.calls)
    assert node.targets[0].standing.health.failures == 3


@pytest.mark.parametrize(("error", "out"), [(ServerError, True), (BadRequest, False), (ProviderRateLimited, False)])
def test_what_tells_that_it_is_gone(error, out):
    """A server that objects to the question is there, and so is one that has too much to do."""
    fine, other, clock = Patient(), Patient(), FakeClock()
    other.error = error("no", status=500)
    node = pool(fine, other)
    for _ in range(5):
        drive(ask(node, clock, blocking=True))
        clock.advance(61)

    assert (node.targets[1].availability(0.0) == 0.0) == out


def test_never_more_than_half_of_a_pool():
    """When all fail, the last ones stay; one alone is left alone, so that a fallback goes on at once."""
    providers, clock = [Patient() for _ in range(3)], FakeClock()
    node = pool(*providers)
    lone = Fallback(
        Target(providers[0], model="m", name="lone", policies=[HealthCheck(failures=1)]),
        Target(ScriptedProvider.repeat("hi"), name="spare"),
    )
    drive(ask(lone, clock, blocking=True))
    for provider in providers:
        provider.error = ServerError("broken", status=500)
    for _ in range(5):
        with pytest.raises(ServerError):
            drive(ask(node, clock, blocking=True))
        drive(settle(blocking=True))
        clock.advance(61)
    drive(ask(lone, clock, blocking=True))
    served = drive(ask(lone, clock, blocking=True))

    assert sorted(target.availability(0.0) for target in node.targets) == [0.0, 1.0, 1.0]
    assert served == "spare"
    with pytest.raises(CircuitOpen, match="lone is left alone: it failed 1 health checks"):
        drive(lone.choices[0](make_call(clock=clock)))


def test_a_function_of_your_own():
    """It is asked in place of the model; false, or an exception, is a failure."""
    outcomes, clock = [False, OSError("no"), True], FakeClock()

    def check():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    first, second = Patient(), Patient()
    members = [Target(first, model="m", name="a"), Target(second, model="m", policies=[HealthCheck(check=check)])]
    node, seen = Balance(*members, by="priority"), []
    for _ in range(4):
        drive(ask(node, clock, blocking=True))
        seen.append(members[1].availability(0.0))
        clock.advance(61)

    assert seen == [1.0, 1.0, 0.0, 1.0]
    assert second.calls == []


@both_faces
def test_closing_the_gateway_ends_a_check(blocking):
    """A check that waits is cancelled, and nothing is left behind: no thread, no task, no call in flight."""
    fine, slow, clock = Patient(), Patient(), FakeClock()
    slow.wait = True
    gateway = Gateway({"x": pool(fine, slow, every=1)}, clock=None if blocking else clock)
    target = gateway._engine.routes.nodes["x"].targets[1]
    target.policies[0]._due = 0.0  # it is time for a check

    async def in_loop():
        async with gateway.aio as face:
            await face.chat("hi")
            await settle(blocking=False)
        return len(asyncio.all_tasks())

    if blocking:
        with gateway:
            gateway.chat("hi")
            assert slow.asked.wait(10)
        left = sum(thread.name == "aigw-branch" and thread.is_alive() for thread in threading.enumerate())
    else:
        left = asyncio.run(in_loop()) - 1

    assert slow.cancelled == 1
    assert target.in_flight == 0
    assert left <= (1 if blocking else 0)  # the thread may be on its last line


def test_one_check_at_a_time():
    """While one runs no other begins, until it is given up: then it is cancelled, or its loop or process is gone."""
    fine, slow, clock = Patient(), Patient(), FakeClock()
    slow.wait = True
    node = pool(fine, slow, every=1, timeout=4)

    async def calls():
        ports = make_call(clock=clock, blocking=False).ports
        for _ in range(14):
            await read_all(await node(make_call(clock=clock, runtime=ports)))
            await settle(blocking=False)
            clock.advance(1.1)
        running = len(slow.calls)
        await node.targets[1].close(make_call(blocking=False).ports)  # another runtime: not its business
        return running, slow.cancelled

    assert asyncio.run(calls()) == (2, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_after_a_fork():
    """A child neither waits for the lock of its parent nor for a check that runs there: it begins its own."""
    fine, other, clock = Patient(), Patient(), FakeClock()
    node = pool(fine, other)
    policy = node.targets[1].policies[0]
    drive(ask(node, clock, blocking=True))
    clock.advance(61)
    with policy._lock:
        child = os.fork()
        if child == 0:
            try:
                drive(ask(node, clock, blocking=True))
            finally:
                os._exit(len(other.calls))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, r"HealthCheck\(every\) must be a positive number of seconds, not 0"),
        ({"timeout": -1}, r"HealthCheck\(timeout\) must be a positive"),
        ({"failures": 0}, r"HealthCheck\(failures\) must be a whole number of at least 1"),
        ({"check": "GET /health"}, r"HealthCheck\(check\) must be a function"),
    ],
)
def test_wrong_arguments(arguments, message):
    """They are told at once."""
    with pytest.raises(ConfigError, match=message):
        HealthCheck(**arguments)


def test_where_it_stands():
    """Around a target, once; elsewhere it says so."""
    check = HealthCheck(every=5, check=make_call)
    target = Target(ScriptedProvider(), policies=[check])
    with pytest.raises(ConfigError, match="stands around a Target, not around"):
        Balance(target, policies=[check])
    with pytest.raises(ConfigError, match="stands around a Target: "):
        Gateway({"x": Target(ScriptedProvider())}, [check]).chat("hi")

    assert repr(check) == "HealthCheck(every=5.0, check=make_call)"
    assert repr(HealthCheck()) == "HealthCheck()"

"""`Hedge` over loopback, on both faces: the quick server answers, and the slow one sees its connection closed."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import math
import threading
import weakref

import pytest

from aigw import AsyncGateway, Balance, DeadlineExceeded, Fallback, Hedge, Target
from aigw.testing import Slow, Stall, Status
from gateway.counting import Counting

SOON = 0.05
WARM = 4
NAME = contextvars.ContextVar("name", default="")


class Setup:
    """A pool of two servers whose calls are hedged, and a gateway of the face.

    Args:
        face: makes gateways.
        first: the server that is asked first.
        second: the other one.
        policies: policies of the gateway.
        after: seconds until a call is hedged.
    """

    def __init__(self, face, first, second, policies=(), after=SOON):
        self.first, self.second = first, second
        self.counting = Counting()
        self.targets = [
            Target(server.url, model="m", name=name, policies=[self.counting])
            for server, name in ((first, "first"), (second, "second"))
        ]
        hedge = Hedge(after=after, calls=1.0, spend=1.0)
        self.gateway = face({"smart": Balance(*self.targets, by="priority", policies=[hedge])}, policies)
        for _ in range(WARM):  # the first calls earn what second attempts cost
            self.gateway.chat()

    def check(self):
        """Make sure that nothing is left of the slow one."""
        self.gateway.wait_until(self.first, lambda: self.first.connections == 0)

        assert [target.in_flight for target in self.targets] == [0, 0]
        assert set(self.counting.counts) <= {1}


def outcomes(trace):
    """Tell what became of the attempts."""
    return {attempt.target: attempt.outcome for attempt in trace.attempts}


@pytest.mark.parametrize("fault", [Slow(math.inf), Stall(0)], ids=["no head", "no chunk"])
def test_a_stream(face, upstream, second, fault):
    """The winner's stream comes as it is; the loser's connection is closed before that, not when it is collected."""
    setup = Setup(face, upstream, second)
    upstream.always(fault)
    reading = setup.gateway.stream()
    reading.rest()

    assert reading.text == "from the second"
    assert outcomes(reading.trace) == {"first": "cancelled", "second": "ok"}
    assert reading.trace.attempts[0].usage.estimated
    setup.check()


@pytest.mark.parametrize("fault", [Slow(math.inf), Stall(0), Stall(1)], ids=["no head", "no body", "half a body"])
def test_a_whole_answer(face, upstream, second, fault):
    """It is the same for calls that are not streamed, wherever the slow one stands."""
    setup = Setup(face, upstream, second)
    upstream.always(fault)
    answer = setup.gateway.chat()

    assert answer.text == "from the second"
    assert outcomes(answer.trace) == {"first": "cancelled", "second": "ok"}
    setup.check()


def test_a_fallback(face, upstream, second):
    """The second attempt goes to the next choice."""
    routes = {
        "smart": Fallback(
            Target(upstream.url, model="m"),
            Target(second.url, model="m"),
            policies=[Hedge(after=SOON, calls=1.0, spend=1.0)],
        )
    }
    gateway = face(routes)
    for _ in range(WARM):
        gateway.chat()
    upstream.always(Slow(math.inf))

    assert gateway.chat().text == "from the second"


def test_the_second_one_fails(face, upstream, second):
    """Then the first one is waited for."""
    setup = Setup(face, upstream, second)
    upstream.always(Slow(10 * SOON))
    second.always(Status(500))
    answer = setup.gateway.chat()

    assert answer.text == upstream.answer
    assert outcomes(answer.trace) == {"first": "ok", "second": "ServerError"}


def test_the_deadline(face, upstream, second):
    """Two servers that never answer cost no more time than the caller gives."""
    setup = Setup(face, upstream, second)
    upstream.always(Slow(math.inf))
    second.always(Slow(math.inf))
    with pytest.raises(DeadlineExceeded):
        setup.gateway.chat(timeout=10 * SOON)

    setup.check()


def test_both_are_paid(face, upstream, second):
    """What the loser has used is in the trace as soon as there is an answer: limits and budgets outside read it."""
    setup = Setup(face, upstream, second)
    upstream.always(Slow(math.inf))
    with setup.gateway.stream() as reading:
        reading.next()

        assert [attempt.outcome for attempt in reading.trace.attempts] == ["cancelled"]
        assert reading.trace.attempts[0].usage.input > 0


def test_a_hedged_call_is_freed(face, upstream, second):
    """With the prompt and the answer, without the garbage collector."""
    calls = []

    class See:
        async def handle(self, call, inner):
            calls.append(weakref.ref(call))
            return await inner(call)

    setup = Setup(face, upstream, second, [See()])
    gc.collect()
    gc.disable()
    try:
        upstream.always(Slow(math.inf))
        setup.gateway.chat()
        upstream.always(Slow(3 * SOON))
        second.always(Status(500))
        setup.gateway.chat()
        setup.gateway.run(lambda: None)

        assert [call() for call in calls] == [None] * (WARM + 2)
    finally:
        gc.enable()


def test_context_variables(face, upstream, second):
    """What the caller has set is seen by policies around the targets."""
    seen = []

    class See:
        async def handle(self, call, inner):
            seen.append(NAME.get())
            return await inner(call)

    targets = [Target(server.url, model="m", name=server.url, policies=[See()]) for server in (upstream, second)]
    gateway = face({"smart": Balance(*targets, policies=[Hedge(after=20.0)])})
    token = NAME.set("caller")
    try:
        gateway.chat()
    finally:
        NAME.reset(token)

    assert seen == ["caller"]


@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
def test_nothing_is_left_of_many(face, upstream, second, streamed):
    """After 270 hedged calls there are as many threads, tasks and connections as before."""
    before = set(threading.enumerate())
    for round_ in range(1, 4):  # so few each that none can look slower than usual, however busy the machine is
        upstream.always(None)
        setup = Setup(face, upstream, second, after=0.004)
        upstream.always(Slow(math.inf))
        ask = setup.gateway.read if streamed else lambda setup=setup: setup.gateway.chat().text

        assert {ask() for _ in range(90)} == {"from the second"}
        assert second.accepted <= 3 * round_
        setup.check()

    assert [one for one in threading.enumerate() if one.name == "aigw-branch" and one not in before] == []
    if not face.blocking:
        assert len(setup.gateway.run(asyncio.all_tasks)) == 1


def test_a_caller_that_is_cancelled(upstream, second):
    """Both connections are closed."""
    targets = [Target(server.url, model="m", name=server.url) for server in (upstream, second)]
    pool = Balance(*targets, by="priority", policies=[Hedge(after=SOON, calls=1.0, spend=1.0)])

    async def main():
        gateway = AsyncGateway({"smart": pool})
        for _ in range(WARM):
            await gateway.chat("hello")
        upstream.always(Slow(math.inf))
        second.always(Slow(math.inf))
        task = asyncio.create_task(gateway.chat("hello"))
        await asyncio.to_thread(second.wait_until, lambda: second.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert [target.in_flight for target in targets] == [0, 0]
        for server in (upstream, second):
            await asyncio.to_thread(server.wait_until, lambda server=server: server.connections == 0)
        await gateway.close()

    asyncio.run(main())


@pytest.mark.parametrize("turns", range(0, 60, 3))
def test_a_caller_that_is_cancelled_at_any_turn(upstream, second, turns):
    """Wherever the loop is, nothing is left running."""
    targets = [Target(server.url, model="m", name=server.url) for server in (upstream, second)]
    pool = Balance(*targets, by="priority", policies=[Hedge(after=0.001, calls=1.0, spend=1.0)])

    async def main():
        gateway = AsyncGateway({"smart": pool})
        for _ in range(WARM):
            await gateway.chat("hello")
        upstream.always(Slow(0.01))
        task = asyncio.create_task(gateway.chat("hello"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

        assert [target.in_flight for target in targets] == [0, 0]
        await gateway.close()

    asyncio.run(main())

"""Tasks that are cancelled: wherever they wait, the connection is closed at once and everything is settled.

Only the async face has tasks; what the blocking face does at an interrupt is in ``test_closing.py``.
"""

from __future__ import annotations

import asyncio
import gc
import math
import threading

import pytest

from aigw import AsyncGateway, Deadline, Fallback, Retry, Target
from aigw.testing import FaultyUpstream, HeldClock, ScriptedProvider, Slow, Stall, Status
from gateway.counting import Counting
from transport.raw_server import RawServer


class Setup:
    """A gateway with one upstream, and what must be over at the end."""

    def __init__(self, upstream, *policies, clock=None):
        self.upstream = upstream
        self.counting = Counting()
        self.target = Target(upstream.url, model="m", policies=[self.counting])
        self.gateway = AsyncGateway({"r": self.target}, [Deadline(60), *policies], clock=clock)

    async def until(self, predicate):
        """Wait for something that the upstream sees."""
        await asyncio.to_thread(self.upstream.wait_until, predicate)

    async def cancelled(self, task):
        """Cancel a task, and make sure that it ends so."""
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def check(self):
        """Make sure that nothing is left, and that the gateway is as good as new."""
        await self.until(lambda: self.upstream.connections == 0)
        assert self.target.in_flight == 0
        assert set(self.counting.counts) <= {1}

        self.upstream.always(None)
        assert (await self.gateway.chat("hello")).text == self.upstream.answer
        await self.gateway.close()


async def read(gateway):
    """Read a stream to its end."""
    async with gateway.stream("hello") as stream:
        return [chunk async for chunk in stream]


def chat(gateway):
    """Ask for a whole answer."""
    return gateway.chat("hello")


@pytest.mark.parametrize("call", [chat, read])
@pytest.mark.parametrize("fault", [Slow(math.inf), Stall(0), Stall(1)], ids=["head", "first", "middle"])
def test_a_task_that_waits_for_the_provider(upstream, call, fault):
    """Cancelled before the head, before the first output or in the middle: the server sees its connection closed."""
    upstream.always(fault)

    async def main():
        setup = Setup(upstream)
        task = asyncio.create_task(call(setup.gateway))
        await setup.until(lambda: upstream.requests)
        await setup.cancelled(task)
        await setup.check()

    asyncio.run(main())


def test_a_read_that_is_cancelled_ends_the_stream(upstream):
    """What came is known, the attempt is written down as cancelled, and there is nothing more to read."""
    upstream.next(Stall(2))

    async def main():
        setup = Setup(upstream)
        stream = setup.gateway.stream("hello")
        while stream.answer.text != "one two ":
            await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await setup.cancelled(waiting)
        rest = [chunk async for chunk in stream]

        assert rest == []
        assert stream.answer.text == "one two "
        assert [attempt.outcome for attempt in stream.trace.attempts] == ["cancelled"]
        assert setup.counting.outcomes == ["CancelledError"]
        await setup.check()

    asyncio.run(main())


@pytest.mark.parametrize("call", [chat, read])
def test_a_task_that_waits_in_retry(upstream, call):
    """The wait ends at once, and no other attempt is made."""
    upstream.next(Status(500))

    async def main():
        clock = HeldClock()
        setup = Setup(upstream, Retry(), clock=clock)
        task = asyncio.create_task(call(setup.gateway))
        await clock.waiting()
        await setup.cancelled(task)

        assert clock.sleepers == 0
        assert len(upstream.requests) == 1
        assert setup.target.in_flight == 0
        await setup.gateway.close()
        await setup.check()

    asyncio.run(main())


def test_a_timeout_of_the_application(upstream):
    """``asyncio.timeout`` around a call is a cancellation like any other."""
    upstream.next(Stall(1))

    async def main():
        setup = Setup(upstream)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await chat(setup.gateway)
        await setup.check()

    asyncio.run(main())


def test_a_task_group_that_fails(upstream):
    """One failure in a task group cancels the calls beside it, all of them cleanly."""
    upstream.always(Stall(1))

    async def fail(setup):
        await setup.until(lambda: len(upstream.requests) == 8)
        raise LookupError("of the application")

    async def together(setup):
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(chat(setup.gateway) if number % 2 else read(setup.gateway))
            group.create_task(fail(setup))

    async def main():
        setup = Setup(upstream)
        with pytest.raises(ExceptionGroup):
            await together(setup)
        await setup.check()

    asyncio.run(main())


@pytest.mark.parametrize("call", [chat, read])
def test_a_task_that_is_cancelled_at_any_turn(upstream, call):
    """Wherever the loop is in a call, from its first step to its last: nothing is left of it."""

    async def main():
        setup = Setup(upstream)
        outcomes = set()
        for turns in range(60):
            if turns % 2:  # every other time over a connection that stands
                await setup.gateway.close()
            task = asyncio.create_task(call(setup.gateway))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            outcomes.add(task.cancelled())

            assert setup.target.in_flight == 0
        await setup.gateway.close()
        await setup.check()
        return outcomes

    assert True in asyncio.run(main())


def test_a_cancelled_call_does_not_fall_back(upstream, second):
    """A cancellation is no failure of a target."""
    upstream.next(Stall(0))

    async def main():
        first = Target(upstream.url, model="m", name="first")
        gateway = AsyncGateway({"r": Fallback(first, Target(second.url, model="m", name="second"))}, [Retry()])
        task = asyncio.create_task(gateway.chat("hello"))
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 0)

        assert second.accepted == 0
        assert first.in_flight == 0

    asyncio.run(main())


def test_a_task_that_waits_for_a_handshake():
    """Cancelled while TLS is being agreed on: the connection is closed, not left to the garbage collector."""
    begun = threading.Event()

    def listen(server, connection):
        connection.recv(1)
        begun.set()
        server.hold(connection)

    async def main(server):
        gateway = AsyncGateway({"r": Target(server.url.replace("http:", "https:"), model="m")})
        task = asyncio.create_task(gateway.chat("hello"))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await asyncio.to_thread(server.left.acquire, timeout=1)

    gc.disable()
    try:
        with RawServer(listen) as server:
            asyncio.run(main(server))
    finally:
        gc.enable()
        gc.collect()


def test_a_stream_that_is_left_as_the_last_thing_of_a_loop():
    """A loop that ends with an open stream closes its connection, and settles it."""
    counting = Counting()
    with FaultyUpstream("one two") as upstream:
        upstream.always(Stall(1))
        target = Target(upstream.url, model="m", policies=[counting])
        gateway = AsyncGateway({"r": target})

        async def main():
            async for chunk in gateway.stream("hello"):
                if chunk.text:
                    break

        for _ in range(3):
            asyncio.run(main())
        upstream.wait_until(lambda: upstream.connections == 0)

        assert counting.outcomes == ["abandoned"] * 3
        assert target.in_flight == 0


def test_a_stream_that_is_dropped_just_before_its_loop_ends(upstream):
    """The loop has no time left for a task of ours, and closes the connection all the same."""
    upstream.always(Stall(1))
    target = Target(upstream.url, model="m")
    gateway = AsyncGateway({"r": target})

    async def opened():
        stream = gateway.stream("hello")
        await anext(stream)
        return stream

    for _ in range(3):
        with asyncio.Runner() as runner:
            stream = runner.run(opened())
            del stream
        upstream.wait_until(lambda: upstream.connections == 0)

    assert target.in_flight == 0


def test_a_stream_that_outlives_its_loop():
    """It tells what came; closing it later is fine, and its connection was closed with the loop."""
    with FaultyUpstream("one two") as upstream:
        upstream.always(Stall(1))
        target = Target(upstream.url, model="m")
        gateway = AsyncGateway({"r": target})

        async def main():
            stream = gateway.stream("hello")
            while not stream.answer.text:
                await anext(stream)
            return stream

        stream = asyncio.run(main())
        upstream.wait_until(lambda: upstream.connections == 0)
        asyncio.run(stream.close())

        assert stream.answer.text == "one "
        assert target.in_flight == 0


def test_a_gateway_that_is_closed_under_a_waiting_call(upstream):
    """The call goes on with a new connection, and closing again closes that one too."""
    upstream.next(Status(500))

    async def main():
        clock = HeldClock()
        setup = Setup(upstream, Retry(), clock=clock)
        task = asyncio.create_task(setup.gateway.chat("hello"))
        await clock.waiting()
        await setup.gateway.close()
        clock.release()
        text = (await task).text
        await setup.gateway.close()

        assert text == upstream.answer
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 0)

    asyncio.run(main())


def test_a_policy_that_is_cancelled_with_a_reply_in_its_hand():
    """The reply is settled although nobody can read it any more."""

    class Slow:
        async def handle(self, call, inner):
            reply = await inner(call)
            await call.clock.sleep(1)
            return reply

    async def main():
        clock, counting, provider = HeldClock(), Counting(), ScriptedProvider.repeat("hello")
        target = Target(provider, policies=[counting])
        gateway = AsyncGateway({"r": target}, [Slow()], clock=clock)
        task = asyncio.create_task(read(gateway))
        await clock.waiting()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert (target.in_flight, provider.open, counting.counts) == (0, 0, [1])

    asyncio.run(main())

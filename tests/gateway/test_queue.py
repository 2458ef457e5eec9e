"""`Queue` in whole gateways: threads and tasks together, cancelled and late calls, and a flood."""

from __future__ import annotations

import asyncio
import gc
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor

from aigw import AsyncGateway, Chunk, Gateway, Principal, Queue, QueueFull, Reply, Target
from aigw.testing import ScriptedProvider, make_call
from testing.virtual_time import run


async def serve(call):
    """Answer after a second."""
    await call.clock.sleep(1)
    return Reply.replay([Chunk(text="hello", finish_reason="stop")])


async def ask(queue, clock, tenant, **fields):
    """Make a call and return the seconds that it took."""
    call = make_call(clock=clock, blocking=False, principal=Principal(tenant), **fields)
    reply = await queue.handle(call, serve)
    await reply.close()
    return call.elapsed()


def test_a_flood_does_not_delay_others():
    """While one tenant has hundreds of calls waiting, another's call is next but one."""

    async def main(clock):
        queue = Queue(1, max_wait=1_000)
        flood = [asyncio.create_task(ask(queue, clock, "flood")) for _ in range(300)]
        await clock.sleep(10.5)
        light = []
        for _ in range(20):
            light.append(await ask(queue, clock, "light"))
            await clock.sleep(5)
        await asyncio.gather(*flood)
        return statistics.median(light), queue

    median, queue = run(main)

    assert median <= 3
    assert (queue.in_flight, queue.waiting) == (0, 0)


def test_a_storm_of_cancelling_loses_no_place():
    """Calls that are cancelled while they wait or are served, or are too late, leave everything as it was."""

    async def main(clock):
        queue = Queue(3, max_wait=20)
        tasks = [asyncio.create_task(ask(queue, clock, str(number % 7))) for number in range(200)]
        for number in range(0, 200, 3):
            await clock.sleep(0.1)
            tasks[number].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        gc.collect()
        return results, queue

    results, queue = run(main)
    kinds = {type(result) for result in results}

    assert (queue.in_flight, queue.waiting) == (0, 0)
    assert kinds == {float, QueueFull, asyncio.CancelledError}


class Inside:
    """Counts how many calls are inside at a time, each for a moment, so that others must wait."""

    def __init__(self):
        self.now = 0
        self.most = 0
        self.calls = 0
        self._lock = threading.Lock()

    async def handle(self, call, inner):
        with self._lock:
            self.now += 1
            self.calls += 1
            self.most = max(self.most, self.now)
        try:
            await call.clock.sleep(0.001)
            return await inner(call)
        finally:
            with self._lock:
                self.now -= 1


def test_threads_and_tasks_share_the_places():
    """Threads and tasks stand in one queue, never more than its places are inside; dropped streams give theirs back."""
    queue, inside = Queue(3, max_wait=60), Inside()
    provider = ScriptedProvider.repeat("one two three four")

    def options():
        return {"routes": {"m": Target(provider, model="m")}, "policies": [queue, inside]}

    def block():
        with Gateway(**options()) as gateway:
            for _ in range(20):
                gateway.chat("hello", priority="batch")
                next(iter(gateway.stream("hello")))

    async def suspend():
        async with AsyncGateway(**options()) as gateway:
            answers = [gateway.chat("hello", principal=str(number % 5)) for number in range(100)]
            return [answer.trace for answer in await asyncio.gather(*answers)]

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(block) for _ in range(4)]
        traces = asyncio.run(suspend())
        for work in working:
            work.result(timeout=60)
    gc.collect()

    assert (queue.in_flight, queue.waiting, inside.now) == (0, 0, 0)
    assert inside.calls == 4 * 40 + 100
    assert inside.most == 3
    assert sum(any(one.by == "Queue" for one in trace.decisions) for trace in traces) > 50

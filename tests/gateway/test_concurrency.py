"""`Concurrency` in whole gateways: threads and tasks together, dropped streams, and a limit that finds itself."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from aigw import AsyncGateway, Balance, Chunk, Concurrency, Fallback, Gateway, QueueFull, Reply, Retry, Target
from aigw.testing import FaultyUpstream, ScriptedProvider
from testing.virtual_time import run

WORDS = "one two three four"


class Crowd:
    """A provider that counts how many calls it has at once, and lets others run while it has one."""

    where = "here"
    name = "crowd"

    def __init__(self):
        self.now = self.most = self.served = 0
        self._lock = threading.Lock()

    def check(self):
        """Find nothing wrong."""

    async def send(self, call, model):
        """Answer after a moment."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        reply = Reply.replay([Chunk(text="hello", finish_reason="stop")])
        reply.when_done(self._over)
        try:
            await call.clock.sleep(0.0005)
        except BaseException:
            await reply.close()
            raise
        return reply

    def _over(self, end):
        with self._lock:
            self.now -= 1
            self.served += end.complete


def limited(provider, policy, **options):
    """Make a target with one policy."""
    return Target(provider, model="m", policies=[policy], **options)


def state(target):
    """Tell who has a place and who waits."""
    policy = target.policies[0]
    return policy.in_flight, policy.waiting


def test_threads_and_tasks_together():
    """64 threads and 1,000 tasks at once: never more than the limit, all are served, no place is lost."""
    crowd = Crowd()
    target = limited(crowd, Concurrency(8, max_wait=120))
    gateway = Gateway({"r": target})
    barrier = threading.Barrier(66)

    def work():
        barrier.wait()
        return [gateway.chat("hello").text for _ in range(4)]

    def loop():
        async def main():
            answers = await asyncio.gather(*[gateway.aio.chat("hello") for _ in range(500)])
            return [answer.text for answer in answers]

        barrier.wait()
        return asyncio.run(main())

    with gateway, ThreadPoolExecutor(66) as pool:
        futures = [pool.submit(work) for _ in range(64)] + [pool.submit(loop) for _ in range(2)]
        texts = [text for future in futures for text in future.result()]

    assert texts == ["hello"] * (64 * 4 + 1000)
    assert crowd.most <= 8
    assert (crowd.now, crowd.served, state(target)) == (0, len(texts), (0, 0))


def test_a_storm_of_cancellations():
    """Tasks that are cancelled wherever they wait leave no place behind, and the others are served."""
    crowd, rng = Crowd(), random.Random(3)
    target = limited(crowd, Concurrency(4, max_wait=120))

    async def main():
        async with AsyncGateway({"r": target}) as gateway:
            tasks = [asyncio.create_task(gateway.chat("hello")) for _ in range(600)]
            while not all(task.done() for task in tasks):
                for task in rng.sample(tasks, 12):
                    task.cancel()
                await asyncio.wait(tasks, timeout=0.0005)
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            after = await gateway.chat("hello")
        return ends, after.text

    ends, after = asyncio.run(main())
    kinds = {type(end).__name__ for end in ends}

    assert kinds == {"Answer", "CancelledError"}
    assert after == "hello"
    assert crowd.most <= 4
    assert (crowd.now, state(target)) == (0, (0, 0))


def test_streams_that_are_dropped(face, upstream):
    """A stream that nobody reads or closes gives its place back when it is collected."""
    target = Target(upstream.url, model="m", policies=[Concurrency(2)])
    gateway = face({"r": target})
    for _ in range(6):
        reading = gateway.stream()
        reading.next()
        reading.drop()

    assert state(target) == (0, 0)
    assert gateway.read() == upstream.answer


def test_collected_while_others_wait():
    """Dropped streams in cycles, collected whenever it pleases the garbage collector: all who wait are served."""
    provider = ScriptedProvider.repeat(["one ", "two"])
    target = limited(provider, Concurrency(3, max_wait=60))

    def work(number):
        for turn in range(16):
            stream = gateway.stream("hello")
            next(iter(stream))
            if (number + turn) % 3:
                holder = [stream]
                holder.append(holder)
                del holder, stream
                if turn % 5 == 0:
                    gc.collect(1)
            else:
                stream.close()

    async def tasks():
        for _ in range(5):
            await asyncio.gather(*[gateway.aio.chat("hello") for _ in range(10)])
            gc.collect(1)

    with Gateway({"r": target}) as gateway:
        with ThreadPoolExecutor(6) as pool:
            futures = [pool.submit(work, number) for number in range(5)] + [pool.submit(asyncio.run, tasks())]
            while not all(future.done() for future in futures):  # what is old is collected now and then
                gc.collect()
                wait(futures, 0.2)
            for future in futures:
                future.result()
        gc.collect()

    assert state(target) == (0, 0)


def test_a_stream_holds_its_place_to_its_end(face, upstream):
    """While a stream is read its place is taken, and whoever comes is refused; then it is free."""
    target = Target(upstream.url, model="m", name="gpu", policies=[Concurrency(1, on_exceeded="reject")])
    gateway = face({"r": target})
    with gateway.stream() as reading:
        reading.next()
        with pytest.raises(QueueFull, match="gpu gets at most 1 call at a time") as caught:
            gateway.chat()
        reading.rest()

    assert caught.value.trace.attempts == ()
    assert gateway.chat().text == upstream.answer
    assert state(target) == (0, 0)


def test_another_target_serves(face, upstream, second):
    """Where one is full, a pool and a fallback use another."""
    full = Concurrency(1, on_exceeded="reject")
    targets = [
        Target(upstream.url, model="m", name="a", policies=[full]),
        Target(second.url, model="m", name="b", policies=[full]),
    ]
    gateway = face({"pool": Balance(*targets, by="priority"), "chain": Fallback(*targets)}, [Retry()])
    with gateway.stream(model="pool") as reading:
        reading.next()
        texts = [gateway.chat(model=model).text for model in ("pool", "chain")]

    assert texts == ["from the second"] * 2


def test_over_http(face):
    """A server never sees more requests at once than it was said to get."""
    with FaultyUpstream(WORDS, record=False) as upstream:
        target = Target(upstream.url, model="m", policies=[Concurrency(3)])
        gateway = face({"r": target})
        if face.blocking:
            with ThreadPoolExecutor(12) as pool:
                texts = list(pool.map(lambda _: gateway.chat().text, range(60)))
        else:
            texts = gateway.wait(together(gateway.gateway, 60))

        assert texts == [WORDS] * 60
        assert upstream.connections <= 3
    assert state(target) == (0, 0)


async def together(gateway, count):
    """Make calls at once."""
    return [answer.text for answer in await asyncio.gather(*[gateway.chat("hello") for _ in range(count)])]


class Gpu:
    """A server with so many slots. Its answers begin 0.2 s after they got one, and hold it for about 3 s."""

    where = "here"
    name = "gpu"

    def __init__(self, slots, rng):
        self._slots = asyncio.Semaphore(slots)
        self._rng = rng

    def check(self):
        """Find nothing wrong."""

    async def send(self, call, model):
        """Wait for a slot."""
        await self._slots.acquire()
        return Reply(Answering(call.clock, self._slots, self._rng))


class Answering:
    """One answer of the server."""

    def __init__(self, clock, slots, rng):
        self._clock = clock
        self._slots = slots
        self._steps = iter([(rng.uniform(0.18, 0.22), Chunk(text="hello")), (rng.uniform(2.0, 4.0), None)])

    async def read(self):
        """Answer step by step."""
        seconds, chunk = next(self._steps)
        await self._clock.sleep(seconds)
        if chunk is None:
            self._slots.release()
        return chunk

    async def close(self):
        """Do nothing: all are read to their end."""


@pytest.mark.parametrize("slots", [8, 32])
def test_the_limit_ends_near_what_the_server_can_do(slots):
    """In ten minutes of half as much again as the server can do, the limit comes within a fifth (and a few) of it."""

    async def main(clock):
        rng = random.Random(slots)
        target = limited(Gpu(slots, rng), Concurrency(adaptive=True, start=4, on_exceeded="reject"))
        gateway = AsyncGateway({"r": target}, clock=clock, rng=rng)
        limits, tasks = [], []

        async def ask():
            with suppress(QueueFull):
                async with gateway.stream("hello") as stream:
                    async for _ in stream:
                        pass

        while clock.now() < 600:
            await clock.sleep(rng.expovariate(1.5 * slots / 3.2))
            tasks = [task for task in tasks if not task.done()]
            tasks.append(asyncio.create_task(ask()))
            if clock.now() > 300:
                limits.append(target.policies[0].limit)
        await asyncio.gather(*tasks)
        await gateway.close()
        return limits, state(target)

    limits, left = run(main)

    assert min(limits) >= slots * 0.7
    assert max(limits) <= slots * 1.2 + 6
    assert left == (0, 0)

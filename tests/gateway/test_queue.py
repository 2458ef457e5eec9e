"""`Queue` in whole gateways: threads and tasks together, cancelled and late calls, a flood, and who says how urgent."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import aigw
from aigw import AsyncGateway, Concurrency, Gateway, Principal, Queue, QueueFull, RateLimit, Target
from aigw.testing import ScriptedProvider
from testing.virtual_time import run


def gateway_of(policies, clock, **options):
    """Make a gateway over a server that answers after a second."""
    target = Target(ScriptedProvider.repeat([1.0, "hello"]), model="m")
    return AsyncGateway({"m": target}, policies, clock=clock, **options)


async def timed(gateway, clock, tenant, **fields):
    """Make a call and return the seconds that it took."""
    began = clock.now()
    await gateway.chat("hello", principal=Principal(tenant), **fields)
    return clock.now() - began


LIMITS = pytest.mark.parametrize(
    "limit",
    [lambda: Concurrency(1), lambda: RateLimit(requests_per_minute=60, burst=1)],
    ids=["Concurrency", "RateLimit"],
)


@LIMITS
def test_a_flood_does_not_delay_others(limit):
    """While one tenant has hundreds of calls waiting, those of another are among the next two or three."""

    async def main(clock):
        async with gateway_of([Queue(max_wait=1_000), limit()], clock) as gateway:
            await gateway.chat("warm")
            flood = [asyncio.create_task(timed(gateway, clock, "flood")) for _ in range(200)]
            await clock.sleep(10.5)
            light = []
            for _ in range(15):
                light.append(await timed(gateway, clock, "light") - 1)
                await clock.sleep(5)
            await asyncio.gather(*flood)
            return statistics.median(light)

    assert run(main) <= 3.1


@LIMITS
def test_a_storm_of_cancelling_loses_nothing(limit):
    """Calls that are cancelled while they wait or are served, or are too late, leave everything as it was."""

    async def main(clock):
        one = limit()
        async with gateway_of([Queue(max_wait=20), one], clock) as gateway:
            await gateway.chat("warm")
            tasks = [asyncio.create_task(timed(gateway, clock, str(number % 7))) for number in range(120)]
            for number in range(0, 120, 3):
                await clock.sleep(0.1)
                tasks[number].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            began = clock.now()
            await gateway.chat("after")
            return {type(result) for result in results}, clock.now() - began, one

    kinds, took, one = run(main)
    gc.collect()

    assert kinds <= {float, QueueFull, aigw.RateLimited, asyncio.CancelledError}
    assert len(kinds) == 3
    assert took <= 2
    if isinstance(one, Concurrency):
        assert (one.in_flight, one.waiting) == (0, 0)
    else:
        assert one._waiting._turnstile.lines == 0


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


@pytest.mark.parametrize(
    "limit",
    [lambda: Concurrency(3), lambda: RateLimit(concurrency=3, max_wait=60)],
    ids=["Concurrency", "RateLimit"],
)
def test_threads_and_tasks_wait_together(limit):
    """Threads and tasks stand in one line, never more than allowed are inside; dropped streams give theirs back."""
    one, inside = limit(), Inside()
    provider = ScriptedProvider.repeat("one two three four")

    def options(number=0):
        queue = Queue(max_wait=60, most=1_000 + number)  # several rules meet in the same line
        return {"routes": {"m": Target(provider, model="m")}, "policies": [queue, one, inside]}

    def block(number):
        with Gateway(**options(number)) as gateway:
            for _ in range(12):
                gateway.chat("hello", priority="batch")
                next(iter(gateway.stream("hello")))

    async def suspend():
        async with AsyncGateway(**options()) as gateway:
            answers = [gateway.chat("hello", principal=str(number % 5)) for number in range(60)]
            return [answer.trace for answer in await asyncio.gather(*answers)]

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(block, number) for number in range(4)]
        traces = asyncio.run(suspend())
        for work in working:
            work.result(timeout=60)
    gc.collect()
    with Gateway(**options()) as gateway:
        after = gateway.chat("hello").trace.decisions

    assert inside.calls == 4 * 24 + 60 + 1
    assert (inside.now, inside.most) == (0, 3)
    assert sum(any(decision.action == "admitted" for decision in trace.decisions) for trace in traces) > 30
    assert not after


def test_every_way_of_calling_says_how_urgent_it_is():
    """The queue sees the priority of a chat, a stream, an embedding, and of an SDK whose client is the gateway's."""
    seen = []

    class Seeing(Queue):
        async def handle(self, call, inner):
            seen.append((call.operation, call.stream, call.priority))
            return await super().handle(call, inner)

    provider = ScriptedProvider.repeat("hello")
    with Gateway({"m": Target(provider, model="m")}, [Seeing(), Concurrency(2)]) as gateway:
        gateway.chat("hi", priority="batch")
        with gateway.stream("hi", priority="interactive") as stream:
            list(stream)
        gateway.chat("hi")
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        url = "https://api.openai.com/v1/chat/completions"
        with gateway.http_client("openai") as client, aigw.context(priority="batch"):
            assert client.post(url, json=body).status_code == httpx.codes.OK

    assert seen == [
        ("chat", False, "batch"),
        ("chat", True, "interactive"),
        ("chat", False, "standard"),
        ("chat", False, "batch"),
    ]


@pytest.fixture(scope="module")
def fairness():
    """Load the benchmark, whose figures these are, in short."""
    path = Path(__file__).parents[2] / "benchmarks" / "fairness.py"
    if not path.exists():
        pytest.skip("the benchmarks are not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location("fairness_benchmark", path)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(__import__("sys").modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def test_fairness_in_short(fairness):
    """Backlogged tenants get alike within 5 %, a light one hardly waits; weights are met; batch work is not starved."""
    policies = (fairness.queue, fairness.places)
    ratio, median, _ = fairness.flood(policies, 240)
    shares = fairness.weighted(policies, 600)
    _, longest = fairness.starved(policies, 400)

    assert 1 / 1.05 <= ratio <= 1.05
    assert median <= 2
    assert list(shares.values()) == pytest.approx([1, 1, 1], abs=0.05)
    assert longest < 120

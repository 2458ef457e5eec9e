"""How `Balance` spreads calls, in virtual time: each way of choosing against a queue that knows everything.

The objects are the real ones: `Balance` over `Target`s, on an event loop whose time is virtual. Only the servers are
made up: six of different speeds with eight slots each, and a line in front of each. The reference is one line in front
of all slots, whose head takes the fastest free one and knows the true speeds. It is no strict bound: first come, first
served is not optimal.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
import statistics
import sys
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import virtual

from aigw import Balance, Call, Chunk, Message, Reply, Target, Text, Usage
from aigw.runtime import LoopRuntime
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SLOTS = 8
FAST_AND_SLOW = (3.0, 1.0, 1.5, 1.0, 2.0, 1.0)
ALIKE = (1.5,) * 6
TOKEN = 0.02
MEAN_WORK = 0.3 + 0.2 + TOKEN * 300
"""Seconds of a mean call at speed 1."""


@dataclass(frozen=True)
class Scenario:
    """What the servers and the calls are like.

    Args:
        name: what to call it.
        speeds: of the servers.
        load: share of the capacity that is asked for.
        gateways: processes that do not know of each other.
        slow: in the middle third the fastest server is ten times as slow.
        bursts: a fifth of the time three times as many calls come.
        elastic: the servers have no lines: they serve any number at once.
    """

    name: str
    speeds: tuple[float, ...]
    load: float
    gateways: int = 1
    slow: bool = False
    bursts: bool = False
    elastic: bool = False


SCENARIOS = (
    Scenario("alike .7, 1 gateway", ALIKE, 0.7),
    Scenario("uneven .7, 1", FAST_AND_SLOW, 0.7),
    Scenario("uneven .85, 1", FAST_AND_SLOW, 0.85),
    Scenario("uneven .7, 8", FAST_AND_SLOW, 0.7, gateways=8),
    Scenario("uneven .85, 8", FAST_AND_SLOW, 0.85, gateways=8),
    Scenario("one turns slow .6, 1", FAST_AND_SLOW, 0.6, slow=True),
    Scenario("one turns slow .6, 8", FAST_AND_SLOW, 0.6, gateways=8, slow=True),
    Scenario("bursts .6, 1", FAST_AND_SLOW, 0.6, bursts=True),
    Scenario("bursts .6, 8", FAST_AND_SLOW, 0.6, gateways=8, bursts=True),
    Scenario("elastic, 1", FAST_AND_SLOW, 0.6, slow=True, elastic=True),
    Scenario("elastic, 8", FAST_AND_SLOW, 0.6, gateways=8, slow=True, elastic=True),
)


class Ask(NamedTuple):
    """One call: when it comes, and what it takes at speed 1."""

    at: float
    first: float
    output: int
    noise: float

    @property
    def work(self) -> float:
        return (self.first + TOKEN * self.output) * self.noise


def asked(scenario: Scenario, number: int, seed: int) -> list[Ask]:
    """Draw the calls of a scenario."""
    rng = random.Random(seed)
    rate = scenario.load * SLOTS * sum(scenario.speeds) / MEAN_WORK
    calm = rate / 1.4 if scenario.bursts else rate
    now, burst_ends, calm_ends = 0.0, 0.0, 100.0
    asks = []
    for _ in range(number):
        busy = scenario.bursts and now < burst_ends
        now += rng.expovariate(3 * calm if busy else calm)
        if scenario.bursts and now > burst_ends and now > calm_ends:
            burst_ends = now + rng.expovariate(1 / 20)
            calm_ends = burst_ends + rng.expovariate(1 / 80)
        output = min(4000, max(4, round(rng.lognormvariate(math.log(300) - 0.405, 0.9))))
        prompt = rng.lognormvariate(math.log(1000) - 0.5, 1.0)
        asks.append(Ask(now, 0.3 + prompt / 5000, output, rng.lognormvariate(-0.02, 0.2)))
    return asks


class Server:
    """A server with slots, or with as many as are wanted."""

    def __init__(self, speed: float, slow: tuple[float, float] | None, *, elastic: bool) -> None:
        self._speed = speed
        self._slow = slow
        self._free = [0.0] * SLOTS
        self._elastic = elastic

    def speed(self, now: float) -> float:
        return self._speed / 10 if self._slow and self._slow[0] <= now < self._slow[1] else self._speed

    def serve(self, work: float, now: float) -> float:
        """Return when a call is done that comes now."""
        if self._elastic:
            return now + work / self.speed(now)
        start = max(now, heapq.heappop(self._free))
        end = start + work / self.speed(start)
        heapq.heappush(self._free, end)
        return end


class Provider:
    """Lets a server do the work of a call."""

    where = "in virtual time"

    def __init__(self, name: str, server: Server, clock: virtual.LoopTime) -> None:
        self.name = name
        self._server = server
        self._clock = clock

    def check(self) -> None:
        pass

    async def send(self, call: Call, model: str) -> Reply:  # noqa: ARG002  (as the protocol has it)
        ask: Ask = call.extra["ask"]
        now = self._clock.now()
        await self._clock.sleep(self._server.serve(ask.work, now) - now)
        return Reply.replay([Chunk("x", finish_reason="stop", usage=Usage(1000, ask.output))])


@dataclass
class Run:
    """What came of a run: seconds of each call, and who served it."""

    seconds: list[float]
    served: list[tuple[float, int]]
    slow: tuple[float, float] | None = None

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.seconds, n=100)[98]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.seconds)

    def share(self, start: float, end: float, server: int = 0) -> float:
        """Share of the calls in a span of time that one server got."""
        chosen = [who for at, who in self.served if start <= at < end]
        return chosen.count(server) / len(chosen) if chosen else math.nan


def span(scenario: Scenario, asks: Sequence[Ask]) -> tuple[float, float] | None:
    """When the fastest server is slow."""
    return (asks[-1].at / 3, asks[-1].at * 2 / 3) if scenario.slow else None


def balanced(scenario: Scenario, asks: Sequence[Ask], by: Any, seed: int) -> Run:
    """Serve the calls through `Balance`."""
    slow = span(scenario, asks)
    result = Run([], [], slow)

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        clock = virtual.LoopTime(loop)
        servers = [
            Server(speed, slow if place == 0 else None, elastic=scenario.elastic)
            for place, speed in enumerate(scenario.speeds)
        ]
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]
        pools = [
            Balance(
                *(
                    Target(Provider(f"s{place}", server, clock), model="m", name=f"s{place}")
                    for place, server in enumerate(servers)
                ),
                by=by,
            )
            for _ in range(scenario.gateways)
        ]
        message = Message("user", (Text("x"),))
        ids = count()

        async def one(ask: Ask, pool: Balance) -> None:
            trace = CallTrace(str(next(ids)))
            call = Call(messages=(message,), extra={"ask": ask}, runtime=runtime, trace=trace, started=loop.time())
            reply = await pool(call)
            while await reply.read() is not None:
                pass
            result.seconds.append(loop.time() - ask.at)
            result.served.append((ask.at, int(trace.attempts[-1].target[1:])))

        tasks = set()
        for number, ask in enumerate(asks):
            await asyncio.sleep(ask.at - loop.time())
            task = loop.create_task(one(ask, pools[number % len(pools)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    virtual.run(main)
    return result


def reference(scenario: Scenario, asks: Sequence[Ask]) -> Run:
    """Serve the calls from one line, the fastest free slot first, knowing the true speeds."""
    slow = span(scenario, asks)
    servers = [
        Server(speed, slow if place == 0 else None, elastic=scenario.elastic)
        for place, speed in enumerate(scenario.speeds)
    ]
    seconds = []
    busy: list[tuple[float, int]] = []
    free = [0 if scenario.elastic else SLOTS] * len(servers)
    for ask in asks:
        if scenario.elastic:
            seconds.append(ask.work / max(server.speed(ask.at) for server in servers))
            continue
        now = ask.at
        while busy and busy[0][0] <= now:
            free[heapq.heappop(busy)[1]] += 1
        if not any(free):  # first come, first served: it waits for the next slot, whichever that is
            now, place = heapq.heappop(busy)
            free[place] += 1
        place = max((place for place in range(len(servers)) if free[place]), key=lambda one: servers[one].speed(now))
        free[place] -= 1
        end = now + ask.work / servers[place].speed(now)
        heapq.heappush(busy, (end, place))
        seconds.append(end - ask.at)
    return Run(seconds, [])


def run(ways: Sequence[str], number: int = 6000, seeds: Sequence[int] = (1, 2, 3)) -> Iterator[str]:
    """Yield a table: for each scenario the ratio of the 99th percentile (and the median) to the reference."""
    ratios: dict[str, list[float]] = {way: [] for way in ways}
    yield f"{'p99 (p50) to the reference':24}" + "".join(f"{way:>18}" for way in ways)
    for scenario in SCENARIOS:
        cells = []
        for way in ways:
            p99, p50 = [], []
            for seed in seeds:
                asks = asked(scenario, number, seed)
                best, found = reference(scenario, asks), balanced(scenario, asks, way, seed)
                p99.append(found.p99 / best.p99)
                p50.append(found.p50 / best.p50)
            ratios[way].append(statistics.fmean(p99))
            cells.append(f"{statistics.fmean(p99):10.2f} ({statistics.fmean(p50):.2f})")
        yield f"{scenario.name:24}" + "".join(f"{cell:>18}" for cell in cells)
    yield f"{'worst':24}" + "".join(f"{max(ratios[way]):>18.2f}" for way in ways)
    yield f"{'geometric mean':24}" + "".join(f"{statistics.geometric_mean(ratios[way]):>18.2f}" for way in ways)


def recovery(number: int = 12000, seeds: Sequence[int] = (1, 2, 3)) -> Iterator[str]:
    """Yield what a slow server gets: of all calls after 60 s, and of its former share 120 s after it is back."""
    for scenario in SCENARIOS:
        if not scenario.slow:
            continue
        left, back = [], []
        for seed in seeds:
            found = balanced(scenario, asked(scenario, number, seed), "score", seed)
            assert found.slow is not None
            start, end = found.slow
            left.append(found.share(start + 60, end))
            back.append(found.share(end + 120, math.inf) / found.share(start * 0.3, start))
        yield f"{scenario.name:24}slow: at most {max(left):.1%} of the calls, back: at least {min(back):.0%} of a share"


if __name__ == "__main__":
    for line in run(sys.argv[1:] or ("score", "latency", "least_busy", "weighted"), 12000, range(1, 6)):
        print(line, flush=True)
    for line in recovery():
        print(line, flush=True)

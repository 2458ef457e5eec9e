"""What an outage leaves behind, in virtual time: a server that stands still for half a minute, at 80 % of its load.

The gateway and its policies are the real ones, on an event loop whose time is virtual. Only the server is made up: some
slots and a line in front of them. Who gives up leaves the line, but what a slot has begun it finishes, as servers do.
So a server with a long line works for clients that are gone, and their retries keep the line long: it may stay so for
ever after whatever has begun it is over. This is a metastable failure; see Bronson et al., "Metastable Failures in
Distributed Systems", HotOS 2021.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import virtual

from aigw import AsyncGateway, AttemptTimeout, Breaker, Call, Chunk, Deadline, Reply, Retry, Target, Usage
from aigw.errors import AigwError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aigw import Policy

SLOTS = 20
WORK = 0.25
"""Seconds of a mean call."""
PATIENCE = 1.0
"""Seconds that an attempt may take."""
LOAD = 0.8
CALM, OUTAGE, AFTER = 60.0, 30.0, 60.0
"""Seconds before, during and after the outage."""
SPAN = 5.0
"""Seconds of calls that a 99th percentile is taken of."""
NORMAL = 1.25
"""How many times the calm one it may be to count as normal."""


class Server:
    """Slots, a line in front of them, and an outage in which nothing is begun."""

    name, where = "server", "in virtual time"

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: random.Random) -> None:
        self._loop = loop
        self._rng = rng
        self._free = SLOTS
        self._down = False
        self._line: deque[tuple[asyncio.Future[None], float]] = deque()
        self.attempts = 0

    def check(self) -> None:
        pass

    def stop(self) -> None:
        self._down = True

    def go_on(self) -> None:
        self._down = False
        self._begin()

    async def send(self, call: Call, model: str) -> Reply:  # noqa: ARG002  (as the protocol has it)
        self.attempts += 1
        done = self._loop.create_future()
        self._line.append((done, WORK * self._rng.lognormvariate(-0.045, 0.3)))
        self._begin()
        try:
            async with asyncio.timeout(call.timeouts.total):
                await done
        except TimeoutError as error:
            raise TimedOut("too slow") from error
        return Reply.replay([Chunk("x", finish_reason="stop", usage=Usage(10, 10))])

    def _begin(self) -> None:
        while self._free and self._line and not self._down:
            done, seconds = self._line.popleft()
            if not done.done():  # else its client has given up
                self._free -= 1
                self._loop.call_later(seconds, self._finish, done)

    def _finish(self, done: asyncio.Future[None]) -> None:
        self._free += 1
        if not done.done():
            done.set_result(None)
        self._begin()


@dataclass
class Run:
    """What came of a run: when calls began and how long they took, infinity for those that failed."""

    calls: list[tuple[float, float]]
    attempts: int

    def p99(self, start: float, end: float) -> float:
        """Return the 99th percentile of the calls of a span of time, failures included."""
        taken = sorted(seconds for began, seconds in self.calls if start <= began < end)
        return taken[math.ceil(0.99 * len(taken)) - 1]

    def failed(self, start: float, end: float) -> float:
        """Return the share of calls that failed."""
        found = [seconds for began, seconds in self.calls if start <= began < end]
        return found.count(math.inf) / len(found)

    @property
    def recovery(self) -> float:
        """Return the seconds after the outage after which it is, and stays, what it was; infinity for never."""
        normal = NORMAL * self.p99(0, CALM)
        end, last = CALM + OUTAGE, CALM + OUTAGE + AFTER
        for second in range(int(AFTER - SPAN)):
            if self.p99(end + second, end + second + SPAN) <= normal and self.p99(end + second, last) <= normal:
                return float(second)
        return math.inf


def simulate(policies: Callable[[], Sequence[Policy]], around: Callable[[], Sequence[Policy]], seed: int) -> Run:
    """Run the calls through a gateway with these policies, some of them around the target."""
    result = Run([], 0)

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        rng = random.Random(seed)
        server = Server(loop, rng)
        target = Target(server, policies=around())
        gateway = AsyncGateway(
            {"smart": target},
            policies(),
            clock=virtual.LoopTime(loop),
            rng=random.Random(seed),
            usage=None,
            prices=None,
        )
        loop.call_at(CALM, server.stop)
        loop.call_at(CALM + OUTAGE, server.go_on)

        async def one() -> None:
            began = loop.time()
            try:
                await gateway.chat("x")
            except AigwError:
                result.calls.append((began, math.inf))
            else:
                result.calls.append((began, loop.time() - began))

        tasks = set()
        while loop.time() < CALM + OUTAGE + AFTER:
            task = loop.create_task(one())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(rng.expovariate(LOAD * SLOTS / WORK))
        await asyncio.gather(*tasks)
        result.attempts = server.attempts
        await gateway.close()

    virtual.run(main)
    return result


def stack(retry: Callable[[], Sequence[Policy]]) -> Callable[[], Sequence[Policy]]:
    """Make the policies around a route."""
    return lambda: [Deadline(30), *retry(), AttemptTimeout(PATIENCE)]


WAYS: dict[str, tuple[Callable[[], Sequence[Policy]], Callable[[], Sequence[Policy]]]] = {
    "no retries": (stack(tuple), tuple),
    "3 attempts, no budget": (stack(lambda: [Retry(3, budget=None)]), tuple),
    "3 attempts": (stack(lambda: [Retry(3)]), tuple),
    "3 attempts, Breaker": (stack(lambda: [Retry(3)]), lambda: [Breaker()]),
}
"""The policies around the route, and around the target."""


def run(seeds: Sequence[int] = (1, 2)) -> Iterator[str]:
    """Yield a table: how long it takes until the 99th percentile is what it was, and what calls get meanwhile."""
    yield f"{'30 s outage at 80 % load':26}{'back after s':>14}{'attempts a call':>17}{'failed in the 10 s after':>26}"
    end = CALM + OUTAGE
    for name, (policies, around) in WAYS.items():
        runs = [simulate(policies, around, seed) for seed in seeds]
        back = max(one.recovery for one in runs)
        attempts = max(one.attempts / len(one.calls) for one in runs)
        failed = max(one.failed(end, end + 10) for one in runs)
        yield f"{name:26}{'never' if back == math.inf else f'{back:.0f}':>14}{attempts:17.2f}{failed:26.1%}"


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

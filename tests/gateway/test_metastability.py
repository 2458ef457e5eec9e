"""After an outage a server recovers: retries do not keep it busy with work that nobody waits for any more.

In virtual time, with real gateways. ``benchmarks/metastability.py`` has more of it, and the table.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque

import pytest

from aigw import AsyncGateway, AttemptTimeout, Chunk, Deadline, Reply, Retry, Target, TimedOut, Usage
from aigw.errors import AigwError
from testing import virtual_time

SLOTS, WORK, LOAD, PATIENCE = 10, 0.25, 0.8, 1.0
CALM, OUTAGE, AFTER = 15.0, 30.0, 20.0


class Server:
    """Slots, and a line in front of them. Who gives up leaves the line; what a slot has begun it finishes."""

    name, where = "server", "in virtual time"

    def __init__(self, rng):
        self._rng = rng
        self._free = SLOTS
        self._line = deque()
        self.is_down = False

    def check(self):
        """Find nothing wrong."""

    async def send(self, call, model):
        """Serve a call in its turn."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._line.append(done)
        self.begin()
        try:
            async with asyncio.timeout(call.timeouts.total):
                await done
        except TimeoutError as error:
            raise TimedOut("too slow") from error
        return Reply.replay([Chunk("x", finish_reason="stop", usage=Usage(1, 1))])

    def begin(self):
        """Give free slots to those who wait."""
        while self._free and self._line and not self.is_down:
            done = self._line.popleft()
            if not done.done():
                self._free -= 1
                seconds = WORK * self._rng.lognormvariate(-0.045, 0.3)
                asyncio.get_running_loop().call_later(seconds, self._finish, done)

    def _finish(self, done):
        self._free += 1
        if not done.done():
            done.set_result(None)
        self.begin()

    def set_down(self, down):
        """Begin nothing from now on, or begin again."""
        self.is_down = down
        self.begin()


def simulate(retry):
    """Run calls through an outage; return when each began and how long it took, infinity where it failed."""
    calls = []

    async def main(clock):
        loop, rng = asyncio.get_running_loop(), random.Random(1)
        server = Server(rng)
        policies = [Deadline(30), retry, AttemptTimeout(PATIENCE)]
        gateway = AsyncGateway({"smart": Target(server)}, policies, clock=clock, rng=rng, usage=None, prices=None)
        loop.call_at(CALM, server.set_down, True)
        loop.call_at(CALM + OUTAGE, server.set_down, False)

        async def one():
            began = loop.time()
            try:
                await gateway.chat("x")
                calls.append((began, loop.time() - began))
            except AigwError:
                calls.append((began, math.inf))

        async with asyncio.TaskGroup() as tasks:
            while loop.time() < CALM + OUTAGE + AFTER:
                tasks.create_task(one())
                await asyncio.sleep(rng.expovariate(LOAD * SLOTS / WORK))
        await gateway.close()

    virtual_time.run(main)
    return calls


def p99(calls, start, end):
    """Return the 99th percentile of the calls of a span of time."""
    taken = sorted(seconds for began, seconds in calls if start <= began < end)
    return taken[math.ceil(0.99 * len(taken)) - 1]


def test_ten_seconds_after_an_outage_all_is_as_before():
    """With the retry budget the 99th percentile is back after 30 s in which nothing was served, at 80 % load."""
    calls = simulate(Retry(3))
    end = CALM + OUTAGE

    assert p99(calls, CALM, end) == math.inf
    assert p99(calls, end + 10, end + AFTER) <= 1.25 * p99(calls, 0, CALM)


def test_without_the_budget_it_never_ends():
    """Three attempts for every call keep the server busy for clients that are gone: what the budget is for."""
    calls = simulate(Retry(3, budget=None))
    last = [seconds for began, seconds in calls if began >= CALM + OUTAGE + 10]

    assert last.count(math.inf) == pytest.approx(len(last), rel=0.2)

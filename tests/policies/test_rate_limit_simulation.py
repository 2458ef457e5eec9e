"""`RateLimit` under three times the load that it allows, on a clock of its own: what it lets through, and when.

Calls come at random, cost at random, and run for some seconds, as they do at a real provider. The seed is fixed.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from bisect import bisect_left
from itertools import accumulate

import pytest

from aigw.chunk import Usage
from aigw.errors import RateLimited
from aigw.policies import RateLimit
from aigw.routing import Target
from aigw.runtime import drive
from aigw.testing import FakeClock, FixedMeter, HeldClock, ScriptedProvider, make_call

LIMIT, BURST = 600_000, 10.0
PROMPT, MEDIAN, SIGMA, MOST = 300, 700, 0.8, 8000
P90 = 1950
"""Nine of ten answers have fewer tokens than this."""


class Admission:
    """Everything that was admitted: when, and what it has really cost."""

    def __init__(self):
        self.times = []
        self.tokens = []
        self.short = []

    def add(self, at, tokens, reserved):
        """Take note of a call."""
        self.times.append(at)
        self.tokens.append(tokens)
        self.short.append(max(tokens - reserved, 0))

    def most_in(self, seconds):
        """Return the most tokens that calls which began within a window have used."""
        sums = [0, *accumulate(self.tokens)]
        return max(
            sums[bisect_left(self.times, at + seconds)] - sums[position] for position, at in enumerate(self.times)
        )

    def since(self, at):
        """Return the tokens of all calls that began then or later."""
        return sum(self.tokens[bisect_left(self.times, at) :])

    def most_short(self, seconds):
        """Return the most that running calls may have been underestimated by at a time."""
        sums = [0, *accumulate(self.short)]
        return max(
            sums[bisect_left(self.times, at + seconds)] - sums[position] for position, at in enumerate(self.times)
        )


def answer_tokens(rng):
    """Draw the length of an answer."""
    return min(int(rng.lognormvariate(0, SIGMA) * MEDIAN), MOST)


def simulate(estimate, *, seconds, seed=1):
    """Send three times of what is allowed, and drop what is refused; return what was admitted."""
    rng, clock = random.Random(seed), FakeClock()
    meter = FixedMeter(PROMPT, estimate)
    policy = RateLimit(tokens_per_minute=LIMIT, burst=BURST, on_exceeded="reject")
    mean = PROMPT + sum(answer_tokens(rng) for _ in range(10_000)) / 10_000
    gap = 60 * mean / LIMIT / 3
    admission, running, number = Admission(), [], 0
    at = rng.expovariate(1 / gap)
    while at < seconds:
        while running and running[0][0] <= at:
            ends, _, reply = heapq.heappop(running)
            clock.advance(ends - clock.now())
            drive(read(reply))
        clock.advance(at - clock.now())
        tokens = answer_tokens(rng)
        provider = ScriptedProvider(["word ", "word"], usage=Usage(PROMPT, tokens))
        call = make_call(clock=clock, metering=meter, stream=True)
        try:
            reply = drive(policy.handle(call, Target(provider, model="m", name="t")))
        except RateLimited:
            pass
        else:
            number += 1
            admission.add(at, PROMPT + tokens, PROMPT + estimate)
            heapq.heappush(running, (at + 0.5 + tokens / 200, number, reply))
        at += rng.expovariate(1 / gap)
    return admission


async def read(reply):
    """Read a reply to its end."""
    while await reply.read() is not None:
        pass


@pytest.mark.parametrize(("estimate", "most"), [(0, 1.35), (P90, 1.2), (MOST, 1 + BURST / 60)])
def test_no_minute_admits_more_than_the_bound(estimate, most):
    """At most limit x (1 + burst/60), and what running calls were underestimated by; the long-run rate is the limit's.

    With the bound of an answer as the estimate nothing is underestimated. With what nine of ten answers need that term
    is some percent, and with no estimate at all it is still small. The rate is measured from the second minute on, when
    as many reservations end as begin.
    """
    seconds = 900
    admission = simulate(estimate, seconds=seconds)
    ratio = admission.most_in(60) / LIMIT
    long_run = admission.since(60) / (LIMIT * (seconds - 60) / 60)

    assert ratio <= 1 + BURST / 60 + admission.most_short(0.5 + MOST / 200) / LIMIT
    assert ratio <= most
    assert long_run == pytest.approx(1, abs=0.02)


def test_those_who_wait_come_through_in_order_and_at_the_rate_of_the_limit():
    """Tasks that wait are served first come, first served, none is passed over, and no time is lost between them."""
    rng, clock = random.Random(2), HeldClock()
    policy = RateLimit(tokens_per_minute=LIMIT, burst=BURST, max_wait=10_000)
    order, times, spent = [], [], []

    async def one(number):
        tokens = answer_tokens(rng)
        provider = ScriptedProvider("hi", usage=Usage(PROMPT, tokens))
        target = Target(provider, model="m", name="t")

        async def inner(call):
            order.append(number)
            times.append(clock.now())
            spent.append(PROMPT + tokens)
            return await target(call)

        call = make_call(clock=clock, blocking=False, metering=FixedMeter(PROMPT, 700))
        await read(await policy.handle(call, inner))

    async def run():
        tasks = [asyncio.create_task(one(number)) for number in range(1500)]
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if clock.sleepers:
                clock.advance(min(until for until, _ in clock._sleepers) - clock.now())
        await asyncio.gather(*tasks)

    asyncio.run(run())

    assert order == list(range(1500))
    assert sum(spent) / (LIMIT * (times[-1] + BURST) / 60) == pytest.approx(1, abs=0.02)

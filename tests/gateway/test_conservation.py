"""Whatever happens, and wherever it is left: each reply ends once, nothing stays open, and both faces do the same."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import AsyncGateway, AttemptTimeout, Balance, Deadline, Fallback, Retry, Target, errors
from aigw.chunk import Chunk, ToolCallDelta
from aigw.testing import FakeClock, HeldClock, ScriptedProvider
from gateway.counting import Counting
from gateway.faces import FACES

FAILURES = (
    errors.ServerError,
    errors.Overloaded("busy", retry_after=3),
    errors.ProviderRateLimited("too fast", retry_after=60),
    errors.QuotaExhausted,
    errors.AuthenticationFailed,
    errors.BadRequest,
    errors.BadResponse,
    errors.TimedOut,
    errors.AnswerBlocked("no"),
    errors.CircuitOpen("no"),
    errors.DeadlineExceeded("no"),
    LookupError("a mistake in a program"),
)
CALL = Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather", "{}"),))

steps = st.sampled_from(["one ", "two ", "", CALL, Chunk(), Chunk(reasoning="hm "), 0.5, 4.0])
streams = st.builds(
    lambda said, end: [*said, *end],
    st.lists(steps, max_size=4),
    st.lists(st.sampled_from(FAILURES), max_size=1),
)
outcomes = streams | st.sampled_from(FAILURES)
scripts = st.lists(outcomes, max_size=4).map(tuple)

policies = st.lists(
    st.sampled_from(["deadline", "retry", "attempt", "counting", "counting", "tap", "flaky"]), max_size=4
)


class Tap:
    """Holds every text back and gives it out behind the next one, as a filter would."""

    def __repr__(self):
        return "Tap()"

    async def handle(self, call, inner):
        """Tap the reply."""
        reply = await inner(call)
        held = []

        def see(chunk):
            held.append(chunk)
            return held.pop(0) if len(held) > 1 else None

        reply.tap(see, flush=lambda: held.pop(0) if held else None)
        return reply


class Flaky:
    """Throws every second reply away: refuses when it has got it."""

    def __init__(self):
        self._odd = False

    def __repr__(self):
        return "Flaky()"

    async def handle(self, call, inner):
        """Go on, or not."""
        reply = await inner(call)
        self._odd = not self._odd
        if self._odd:
            raise errors.CircuitOpen("no", policy="Flaky")
        return reply


@dataclass
class Plan:
    """A gateway, as plain data."""

    scripts: tuple
    tree: str
    by: str
    levels: tuple
    seed: int

    def build(self, make, clock):
        """Make it; return the gateway, its providers, targets and counting policies."""
        countings = []

        def made(names):
            found = [make_policy(name) for name in names]
            countings.extend(policy for policy in found if isinstance(policy, Counting))
            return found

        outside, node, leaf = self.levels
        providers = [Forever(*script, name=f"p{at}") for at, script in enumerate(self.scripts)]
        targets = [Target(provider, policies=made(leaf)) for provider in providers]
        tree = {
            "fallback": lambda: Fallback(*targets, policies=made(node)),
            "balance": lambda: Balance(*targets, by=self.by, policies=made(node)),
            "both": lambda: Fallback(Balance(*targets[:2], by=self.by), targets[2], policies=made(node)),
        }[self.tree]()
        gateway = make({"r": tree}, made(outside), clock=clock, rng=random.Random(self.seed))
        return gateway, providers, targets, countings


class Forever(ScriptedProvider):
    """Follows its script, and answers well when that is over."""

    def _take(self, call, model):
        try:
            return super()._take(call, model)
        except AssertionError:
            return len(self.calls), "at last"


def make_policy(name):
    """Make a policy."""
    return {
        "deadline": lambda: Deadline(20),
        "retry": lambda: Retry(3),
        "attempt": lambda: AttemptTimeout(30),
        "counting": Counting,
        "tap": Tap,
        "flaky": Flaky,
    }[name]()


def legal(levels):
    """Tell whether the policies may stand like this on the way to a target."""
    way = [name for level in levels for name in level]
    deadlines = [at for at, name in enumerate(way) if name == "deadline"]
    retries = [at for at, name in enumerate(way) if name == "retry"]
    return len(retries) <= 1 and not (retries and deadlines and deadlines[-1] > retries[0])


plans = st.builds(
    Plan,
    st.tuples(scripts, scripts, scripts),
    st.sampled_from(["fallback", "balance", "both"]),
    st.sampled_from(["weighted", "round_robin", "least_busy"]),
    st.tuples(policies, policies, policies).filter(legal),
    st.integers(0, 1000),
)


@st.composite
def uses(draw):
    """How the gateway is used: a whole answer, or a stream that is read so far and then left in some way."""
    way = draw(st.sampled_from(["chat", "read", "close", "drop", "raise", "nothing"]))
    return way, draw(st.integers(0, 5))


def use(gateway, way, count):
    """Use a gateway; return what came of it."""
    try:
        if way == "chat":
            return gateway.chat().text
        reading = gateway.stream()
        if way == "read":
            reading.rest()
            return reading.text
        with_some(reading, way, count)
    except Exception as error:  # noqa: BLE001  (a script may raise anything, and the test compares what)
        return type(error).__name__
    return reading.text


def with_some(reading, way, count):
    """Read a few chunks, and leave."""
    if way == "raise":
        with reading:
            read_some(reading, count)
            raise LookupError("of the application")
    if way == "nothing":
        return
    read_some(reading, count)
    if way == "close":
        reading.close()
    else:
        reading.drop(collect=False)


def read_some(reading, count):
    """Read a few chunks."""
    for _ in range(count):
        if reading.next() is None:
            break


def check(providers, targets, countings):
    """Make sure that everything is settled, exactly once."""
    assert [provider.open for provider in providers] == [0] * len(providers)
    assert [target.in_flight for target in targets] == [0] * len(targets)
    for counting in countings:
        assert counting.counts == [1] * len(counting.replies)


@pytest.mark.parametrize("kind", list(FACES))
@given(plan=plans, used=st.lists(uses(), min_size=1, max_size=3))
def test_everything_is_settled_exactly_once(kind, plan, used):
    """For any failures, any policies in any legal place, and any point where a stream is left."""
    gateway, providers, targets, countings = plan.build(FACES[kind], FakeClock())
    with gateway:
        for way, count in used:
            use(gateway, way, count)
            if not gateway.blocking:
                gateway.wait(asyncio.sleep(0))  # what a dropped stream left is closed in the next turn of the loop

    check(providers, targets, countings)


@given(plan=plans, used=st.lists(uses(), min_size=1, max_size=3))
def test_both_faces_do_the_same(plan, used):
    """Same script, same seed: same answers or errors, same traces, same calls, same waits."""
    seen = {}
    for kind, make in FACES.items():
        clock = FakeClock()
        gateway, providers, _, countings = plan.build(make, clock)
        with gateway:
            results = [use(gateway, way, count) for way, count in used]
        calls = [call for provider in providers for call in provider.calls]
        seen[kind] = {
            "results": results,
            "sleeps": clock.sleeps,
            "now": clock.now(),
            "models": [provider.models for provider in providers],
            "rows": [list(call.trace.rows()) for call in calls],
            "durations": [call.trace.duration for call in calls],
            "calls": calls,
            "ends": [counting.outcomes for counting in countings],
            "chunks": [counting.chunks for counting in countings],
        }

    assert seen["blocking"] == seen["async"]


@given(plan=plans, stream=st.booleans(), waits=st.lists(st.sampled_from(["go on", "cancel"]), min_size=1, max_size=6))
@settings(deadline=None)
def test_everything_is_settled_when_a_task_is_cancelled(plan, stream, waits):
    """In any of its waits: in a script, in Retry, before the first output or behind it."""

    async def main():
        clock = HeldClock()
        gateway, providers, targets, countings = plan.build(AsyncGateway, clock)
        task = asyncio.ensure_future(call(gateway, stream=stream))
        for wait in waits:
            waiting = asyncio.ensure_future(clock.waiting())
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if wait == "cancel":
                task.cancel()
            clock.release()
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # it was asked for
        check(providers, targets, countings)

    asyncio.run(main())


async def call(gateway, *, stream):
    """Make a call to its end."""
    if stream:
        async with gateway.stream("hello") as reading:
            return [chunk async for chunk in reading]
    return await gateway.chat("hello")

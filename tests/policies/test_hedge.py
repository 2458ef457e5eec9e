"""`Hedge`: a second attempt beside a slow first one, in virtual time."""

from __future__ import annotations

import asyncio
import random

import pytest

from aigw import (
    Balance,
    Breaker,
    Deadline,
    Fallback,
    Gateway,
    Hedge,
    Overloaded,
    Retry,
    ServerError,
    Target,
    Tool,
    Usage,
)
from aigw.errors import AigwError, ConfigError
from aigw.message import Message, Other
from aigw.testing import FakeClock, FixedMeter, ScriptedProvider, make_call
from testing.virtual_time import VirtualClock
from testing.virtual_time import run as run_on_clock

NEVER = 10_000.0
USAGE = Usage(300, 100)
FREE = {"calls": 1.0, "spend": 1.0}


def run(coroutine):
    """Run a coroutine in virtual time."""

    async def main(_):
        return await coroutine

    return run_on_clock(main)


class Pool:
    """Two targets in virtual time, each with a provider that follows a script.

    Args:
        first: the outcomes of the one that is asked first.
        second: those of the other.
        kind: the node around both.
        hedge: arguments of the policy.
    """

    def __init__(self, first, second, kind=Fallback, **hedge):
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.providers = [
            ScriptedProvider(*script, name=name, usage=USAGE) for script, name in ((first, "a"), (second, "b"))
        ]
        self.targets = [Target(provider, model="m", name=provider.name) for provider in self.providers]
        self.node = kind(*self.targets, policies=[Hedge(**hedge)])

    async def warm(self, count=1):
        """Let the first target answer some calls, which is paid for by nobody."""
        for _ in range(count):
            await self.ask()
        return self

    async def ask(self, **fields):
        """Make a streamed call; return its call, with the trace, and its text."""
        call = make_call(clock=self.clock, blocking=False, **{"stream": True, **fields})
        call = call.evolve(opened=[])
        reply = await self.node(call)
        text = ""
        while (chunk := await reply.read()) is not None:
            text += chunk.text
        return call, text

    @property
    def calls(self):
        """How often each provider was asked."""
        return [len(provider.calls) for provider in self.providers]

    @property
    def left_open(self):
        """Answers and attempts that nobody has let go."""
        return [provider.open for provider in self.providers] + [target.in_flight for target in self.targets]


def outcomes(call):
    """Tell what became of the attempts of a call, by target."""
    return {attempt.target: attempt.outcome for attempt in call.trace.attempts}


def notes(call):
    """Tell what the policy has noted."""
    return [(event.action, event.reason) for event in call.trace.decisions if event.by == "Hedge"]


def hedged(first, second, **hedge):
    """Make one call that is hedged after a second, with nothing to pay; return the pool, the call and the text."""

    async def main():
        pool = Pool(["warm", *first], second, **{"after": 1.0, **FREE, **hedge})
        await pool.warm()
        return pool, *(await pool.ask())

    return run(main())


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_the_first_with_output_wins(stream):
    """The second attempt goes to another target; the loser is cancelled, closed, and written down with its usage."""

    async def main():
        pool = Pool(["warm", [NEVER, "late"]], [[0.5, "quick"]], after=1.0, **FREE)
        await pool.warm()
        began = pool.clock.now()
        call, text = await pool.ask(stream=stream)
        return pool, call, text, pool.clock.now() - began

    pool, call, text, took = run(main())

    assert (text, round(took, 3)) == ("quick", 1.5)
    assert outcomes(call) == {"a": "cancelled", "b": "ok"}
    assert call.trace.attempts[0].usage.input == 100
    assert notes(call) == [("hedged", "no output after 1 s")]
    assert pool.left_open == [0, 0, 0, 0]


def test_the_first_target_may_still_win():
    """The second attempt is the one that is cancelled then."""
    pool, call, text = hedged([[1.2, "first"]], [[NEVER, "second"]])

    assert text == "first"
    assert outcomes(call) == {"b": "cancelled", "a": "ok"}
    assert pool.left_open == [0, 0, 0, 0]


def test_a_quick_call_is_not_hedged():
    """Before it is time nobody else is asked."""
    pool, call, text = hedged([[0.9, "first"]], [])

    assert (text, pool.calls, notes(call)) == ("first", [2, 0], [])


def test_an_early_failure_is_raised():
    """What fails before it is time is left to others: here to nobody."""

    async def main():
        pool = Pool(["warm", ServerError], [], kind=lambda *members, **rest: Balance(*members, by="priority", **rest))
        await pool.warm()
        with pytest.raises(ServerError):
            await pool.ask()
        return pool.calls

    assert run(main()) == [2, 0]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ([[2.0, ServerError]], [[5.0, "second"]], "second"),
        ([[5.0, "first"]], [[2.0, ServerError]], "first"),
    ],
    ids=["first", "second"],
)
def test_one_that_fails_leaves_it_to_the_other(first, second, text):
    """A failure counts only when there is no other attempt."""

    async def main():
        pool = Pool(["warm", *first], second, kind=priority, after=1.0, **FREE)
        await pool.warm()
        return (await pool.ask())[1]

    assert run(main()) == text


def priority(*members, **rest):
    """Make a pool whose first member is asked first, and which tries nobody else by itself."""
    return Balance(*members, by="priority", **rest)


def test_both_may_fail():
    """The failure of the last one is raised, and nothing is left."""

    async def main():
        pool = Pool(
            ["warm", [2.0, ServerError("first")]], [[5.0, Overloaded("second")]], kind=priority, after=1, **FREE
        )
        await pool.warm()
        with pytest.raises(Overloaded, match="second"):
            await pool.ask()
        return pool.left_open

    assert run(main()) == [0, 0, 0, 0]


def test_the_usual_time_is_learned():
    """Nothing is hedged before 100 calls; then what is slower than most of them, but 0.3 s at least."""

    async def main():
        slow = [NEVER, "late"]
        pool = Pool([*[[0.1, "ok"]] * 100, slow], [["quick"]], **FREE)
        await pool.warm(100)
        began = pool.clock.now()
        call, _ = await pool.ask()
        return notes(call), pool.clock.now() - began

    noted, took = run(main())

    assert noted == [("hedged", "no output after 0.3 s")]
    assert took == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tools": (Tool("web_search", extra={"type": "web_search"}),)}, None),
        ({"extra": {"previous_response_id": "r"}}, None),
        ({"messages": (Message("user", [Other({"type": "mcp_approval_response"})]),)}, None),
        ({"metering": FixedMeter(9_000)}, "the prompt has more than 8000 tokens"),
        ({"avoid": frozenset({"b"})}, "no other target is left"),
    ],
    ids=["server tool", "state", "other part", "long prompt", "only target"],
)
def test_calls_that_are_not_hedged(fields, reason):
    """What a provider may do by itself is not done twice, and neither is what would be dear or lead nowhere."""

    async def main():
        pool = Pool(["warm", [5.0, "late"]], [], after=1.0, **FREE)
        await pool.warm()
        call, text = await pool.ask(**fields)
        return text, notes(call)

    assert run(main()) == ("late", [("not hedged", reason)] if reason else [])


def test_functions_of_the_application_do_no_harm():
    """Tools that the application runs do not keep a call from being hedged."""

    async def main():
        pool = Pool(["warm", [NEVER, "late"]], ["quick"], after=1.0, **FREE)
        await pool.warm()
        return (await pool.ask(tools=(Tool("now"), Tool("then", extra={"cache_control": {}}))))[1]

    assert run(main()) == "quick"


def test_no_hedge_while_capacity_lacks():
    """For ten seconds after an overloaded server there is none, also if another target has answered for it."""

    async def main():
        pool = Pool(["warm", Overloaded, [5.0, "late"], [NEVER, "later"]], ["other", "quick"], after=1.0, **FREE)
        await pool.warm(2)
        first, _ = await pool.ask()
        await pool.clock.sleep(5.0)
        second, _ = await pool.ask()
        return notes(first), notes(second)

    first, second = run(main())

    assert first == [("not hedged", "a target had no capacity just now")]
    assert second == [("hedged", "no output after 1 s")]


def test_no_hedge_while_all_are_slow():
    """A pool that is slower than usual as a whole has no stragglers."""

    async def main():
        pool = Pool([*[[0.1, "ok"]] * 100, *[[0.5, "slow"]] * 60], ["x"] * 60, **FREE)
        await pool.warm(100)
        return [notes(call)[0] for call, _ in [await pool.ask() for _ in range(15)]]

    noted = run(main())

    assert noted[0] == ("hedged", "no output after 0.3 s")
    assert noted[-1] == ("not hedged", "all targets are slower than usual")


def test_calls_have_a_price():
    """Without calls that were not hedged there is nothing to hedge with."""

    async def main():
        pool = Pool([[2.0, "late"]], [], after=1.0)
        call, _ = await pool.ask()
        return notes(call)

    assert run(main()) == [("not hedged", "0.05 of the calls were hedged")]


def test_shadow():
    """It tells what it would do, and asks nobody."""
    pool, call, text = hedged([[2.0, "late"]], [], shadow=True)

    assert (text, pool.calls) == ("late", [2, 0])
    assert notes(call) == [("would hedge", "after 1 s")]


def test_the_deadline_ends_both():
    """Nobody waits longer than the call may take."""

    async def main():
        pool = Pool(["warm", [NEVER, "a"]], [[NEVER, "b"]], after=1.0, **FREE)
        await pool.warm()
        with pytest.raises(AigwError, match="deadline"):
            await pool.ask(deadline=pool.clock.now() + 3.0)
        return pool.left_open, pool.clock.now()

    left_open, now = run(main())

    assert left_open == [0, 0, 0, 0]
    assert now < 3.5


@pytest.mark.parametrize("after", [0.5, 2.0], ids=["one", "both"])
def test_cancelling_the_caller_cancels_both(after):
    """A task that is cancelled leaves nothing behind, whether one or two attempts run."""

    async def main():
        pool = Pool(["warm", [NEVER, "a"]], [[NEVER, "b"]], after=1.0, **FREE)
        await pool.warm()
        task = asyncio.create_task(pool.ask())
        await pool.clock.sleep(after)
        busy = sum(target.in_flight for target in pool.targets)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return busy, pool.left_open, len(asyncio.all_tasks())

    assert run(main()) == (1 if after < 1 else 2, [0, 0, 0, 0], 1)


def seconds_to_first(rng):
    """Draw from the distribution of the notes: 0.5 s in the median, of 2 % ten times as much."""
    return rng.lognormvariate(-0.693, 0.45) * (10.0 if rng.random() < 0.02 else 1.0)


def times_of(number, usage, *policies):
    """Make many calls, a tenth of a second apart; return their sorted times to the first output, and their calls."""

    async def main():
        rng = random.Random(7)
        clock = VirtualClock(asyncio.get_running_loop())
        providers = [
            ScriptedProvider.repeat(lambda _: [seconds_to_first(rng), "hello"], name=name, usage=usage) for name in "ab"
        ]
        targets = [Target(provider, model="m", name=provider.name) for provider in providers]
        node = Balance(*targets, by="round_robin", policies=policies)
        times, calls = [], []

        async def ask():
            call = make_call(clock=clock, blocking=False, stream=True, metering=FixedMeter(usage.input))
            reply = await node(call)
            times.append(clock.now() - call.started)
            calls.append(call)
            while await reply.read() is not None:
                pass

        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(ask())
                await clock.sleep(0.1)
        assert [target.in_flight for target in targets] == [0, 0]
        return sorted(times), calls

    return run(main())


def extra(calls):
    """Return the share of second attempts, and of what was spent on them."""
    attempts = [attempt for call in calls for attempt in call.trace.attempts]
    lost = [attempt.usage for attempt in attempts if attempt.outcome == "cancelled"]
    spent = sum(attempt.usage.input + 4 * attempt.usage.output for attempt in attempts)
    return len(attempts) / len(calls) - 1, sum(one.input + 4 * one.output for one in lost) / spent


def test_stragglers_cost_little():
    """With stragglers that are independent the p99 is at least 2.5 times as good, for 5 % more calls at most."""
    number = 6000
    before, _ = times_of(number, Usage(300, 200))
    after, calls = times_of(number, Usage(300, 200), Hedge())
    share, spent = extra(calls)

    assert before[int(0.99 * number)] / after[int(0.99 * number)] >= 2.5
    assert 0.04 <= share <= 0.055
    assert spent <= 0.02


def test_spending_is_capped():
    """Where most of a call's price is its prompt, there are fewer second attempts."""
    _, calls = times_of(3000, Usage(300, 5), Hedge())
    share, spent = extra(calls)

    assert 0.01 <= share <= 0.025
    assert spent <= 0.02


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"quantile": 1.0}, "quantile"),
        ({"quantile": 0}, "quantile"),
        ({"least": -1}, "least"),
        ({"after": 0}, "after"),
        ({"calls": 2}, "calls"),
        ({"spend": 0}, "spend"),
        ({"most_input_tokens": 0}, "most_input_tokens"),
    ],
)
def test_wrong_arguments(arguments, words):
    """Each names itself."""
    with pytest.raises(ConfigError, match=words):
        Hedge(**arguments)


def answering():
    """Make a target."""
    return Target(ScriptedProvider.repeat("hello"), model="m")


def test_there_must_be_two_targets():
    """Around one target, or a pool of one, there is nobody else to ask."""
    with pytest.raises(ConfigError, match="no second"):
        Target(ScriptedProvider.repeat("hello"), model="m", policies=[Hedge()])
    with pytest.raises(ConfigError, match="no second"):
        Balance(answering(), policies=[Hedge()])


def test_it_does_not_stand_around_a_gateway():
    """There it could not know whom else to ask."""
    gateway = Gateway({"r": answering()}, [Hedge()], clock=FakeClock())

    with pytest.raises(ConfigError, match="must stand around a Balance"):
        gateway.chat("hello")


@pytest.mark.parametrize(
    "policies", [[Hedge(), Retry()], [Hedge(), Deadline()], [Breaker(), Hedge()], [Hedge(), Hedge()]]
)
def test_wrong_places(policies):
    """The reason is told."""
    pool = Balance(*[Target(ScriptedProvider.repeat("x"), model="m", name=name) for name in "ab"], policies=policies)

    with pytest.raises(ConfigError, match="Hedge"):
        Gateway({"r": pool})


def test_each_place_counts_by_itself():
    """Two pools with the same object have times of their own."""
    hedge = Hedge()
    pools = [
        Balance(*[Target(ScriptedProvider.repeat("x"), model="m", name=name) for name in "ab"], policies=[hedge])
        for _ in range(2)
    ]

    assert len({id(pool.policies[0]) for pool in pools} | {id(hedge)}) == 3


def test_repr():
    """It shows what matters."""
    assert repr(Hedge()) == "Hedge(quantile=0.95, calls=0.05, spend=0.02)"
    assert repr(Hedge(after=2, shadow=True)) == "Hedge(after=2, calls=0.05, spend=0.02, shadow=True)"

"""The ways in which `Balance` chooses."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from decimal import Decimal

import pytest

from aigw.call import Cost
from aigw.chunk import Chunk, Usage
from aigw.errors import ConfigError, Overloaded
from aigw.routing import Balance, Fallback, Target
from aigw.runtime import drive
from aigw.testing import FakeClock, FixedMeter, ScriptedProvider, make_call
from testing.faces import read_all


class Timed:
    """A provider whose answers take so many seconds, by the clock of the test."""

    where = "nowhere"

    def __init__(self, name, seconds, *, output=100, error=None):
        self.name = name
        self.seconds = seconds
        self._output = output
        self._error = error

    def check(self):
        pass

    async def send(self, call, model):
        await call.clock.sleep(self.seconds)
        if self._error:
            raise self._error
        return await ScriptedProvider([Chunk("x", usage=Usage(10, self._output))]).send(call, "m")


def target(name, seconds=1.0, **arguments):
    """Make a target of known speed."""
    return Target(Timed(name, seconds, **arguments), model="m", name=name)


def chosen(node, number, clock=None, **fields):
    """Make calls one after the other; count who served them."""
    clock = clock or FakeClock()
    rng = random.Random(7)
    count = Counter()
    for _ in range(number):
        call = make_call(clock=clock, rng=rng, **fields)
        with suppress(Overloaded):
            drive(read_all(drive(node(call))))
        count[call.trace.attempts[-1].target] += 1
    return count


def test_the_score_finds_the_quick_one():
    """One call after the other: all but a few go to the one that is done first, whatever the length of its answers."""
    node = Balance(target("slow", 4.0), target("quick", 1.5, output=200), target("middling", 2.0))
    count = chosen(node, 100)

    assert count["quick"] >= 90
    assert min(count["slow"], count["middling"]) >= 1


def test_the_score_looks_at_what_is_in_flight():
    """A busy target costs more, so that calls at once are spread."""
    a, b = target("a"), target("b")
    node = Balance(a, b)
    chosen(node, 4)
    for _ in range(8):
        a.begin()

    assert chosen(node, 5) == {"b": 5}


def test_a_target_that_fails_fast_draws_no_calls():
    """Its failures are quick, and count as slow."""
    node = Balance(target("broken", 0.001, error=Overloaded("busy")), target("works", 2.0))

    assert chosen(node, 100)["works"] >= 85


def test_a_target_that_recovers_is_found_out():
    """One that was slow gets few calls, and its share again when it has been quick for a while."""
    clock = FakeClock()
    a, b = target("a", 1.0), target("b", 1.0)
    node = Balance(a, b)
    chosen(node, 20, clock)
    a.provider.seconds = 20.0
    slow = chosen(node, 100, clock)
    a.provider.seconds = 1.0
    clock.advance(330)  # of which it serves nothing
    again = chosen(node, 100, clock)

    assert slow["a"] <= 5
    assert again["a"] >= 25


def test_one_whose_first_call_failed():
    """It is left alone for some minutes, and then tried again, although nothing is known of it and others do well."""
    clock = FakeClock()
    a, b = target("a", 1.0, error=Overloaded("busy")), target("b", 1.0)
    node = Balance(a, b)
    first = chosen(node, 20, clock)
    a.provider._error = None
    clock.advance(600)
    later = chosen(node, 20, clock)

    assert first["a"] <= 2
    assert later["a"] >= 1


def test_the_quickest_however_busy():
    """``latency`` ignores what is in flight."""
    a, b = target("a", 1.0), target("b", 3.0)
    node = Balance(a, b, by="latency")
    chosen(node, 6)
    for _ in range(50):
        a.begin()

    assert chosen(node, 5) == {"a": 5}


def test_the_first_that_may():
    """``priority`` takes the first of the list, the next one only for calls that it cannot serve or has failed."""
    node = Balance(target("a"), target("b"), by="priority")

    assert chosen(node, 5) == {"a": 5}
    assert chosen(node, 5, avoid=frozenset({"a"})) == {"b": 5}


class Prices(FixedMeter):
    """A meter with a price for each model."""

    def __init__(self, prices):
        super().__init__()
        self.prices = prices

    def cost(self, provider, model, usage):
        price = self.prices.get(provider)
        return None if price is None else Cost(price * Decimal(usage.total), "test")


def test_the_cheapest():
    """``cost`` takes the lowest price, a quick one among equals; what has no known price comes last."""
    node = Balance(target("dear"), target("cheap", 9.0), target("unknown"), target("cheap too", 1.0), by="cost")
    meter = Prices({"dear": Decimal(5), "cheap": Decimal(1), "cheap too": Decimal(1)})
    count = chosen(node, 50, metering=meter)

    assert set(count) == {"cheap", "cheap too"}
    assert count["cheap too"] > 40
    assert chosen(node, 3, metering=Prices({"unknown": Decimal(5)})) == {"unknown": 3}
    assert len(chosen(node, 50, metering=Prices({}))) > 1


def test_a_function():
    """A function of the call and the members chooses; what it may choose from is fit for the call."""
    asked = []

    def choose(call, members):
        asked.append([member.name for member in members])
        return members[len(call.tags)]

    node = Balance(target("a"), target("b"), target("c"), by=choose)

    assert chosen(node, 2, tags=frozenset({"x"})) == {"b": 2}
    assert chosen(node, 1, tags=frozenset({"x"}), avoid=frozenset({"b"})) == {"c": 1}
    assert asked == [["a", "b", "c"]] * 2 + [["a", "c"]]
    assert "choose" in repr(node)


def test_a_function_that_returns_something_else():
    """It is told what it must return."""
    node = Balance(target("a"), target("b"), by=lambda _call, _members: "a")
    with pytest.raises(ConfigError, match="returned 'a', which is none of the members"):
        drive(node(make_call()))


def test_members_that_are_trees():
    """A member with several targets is as good as its best one."""
    node = Balance(Fallback(target("a", 1.0), target("b", 9.0)), target("c", 5.0))
    count = chosen(node, 60)

    assert count["a"] >= 50
    assert node.members[0].unhurried(1.0, 0.0) == min(one.unhurried(1.0, 0.0) for one in node.targets[:2])


def test_many_members():
    """Of more than sixteen some are drawn; all are found all the same."""
    node = Balance(*(target(f"t{number}", 1.0) for number in range(40)))

    assert len(chosen(node, 400)) == 40


@pytest.mark.parametrize("by", ["weighted", "score", "priority", "latency"])
def test_one_that_recovers_gets_less(by):
    """While a policy of a target wants half of its traffic for it, it gets about half of that, however it is chosen.

    That is some of it also where the others are idle, or nobody would find out that it has recovered.
    """

    class Half:
        def availability(self, now):
            return 0.5

        async def handle(self, call, inner):
            return await inner(call)

    a = Target(Timed("a", 1.0), model="m", name="a", policies=[Half()])
    node = Balance(a, target("b", 2.0), by=by)
    count = chosen(node, 300)

    share = count["a"] / 300

    assert 0.18 <= share <= 0.34 if by == "weighted" else 0.4 <= share <= 0.6


def test_interactive_calls_go_to_the_reliable():
    """A target that fails now and then is good enough for others when it is the quickest, and not for them."""
    quick, sound = target("quick", 1.0), target("sound", 2.0)
    node = Balance(quick, sound)
    chosen(node, 4)
    for now in (1.0, 21.0):
        quick.answered(1.0, others=0, output=100, first=None, now=now)
    quick.failed(0.1, now=22.0)
    clock = FakeClock()
    clock.advance(25)
    chosen_by = {kind: next(iter(chosen(node, 1, clock, priority=kind))) for kind in ("interactive", "standard")}

    assert 0.03 < quick.standing.health.error_rate < 0.05
    assert chosen_by == {"interactive": "sound", "standard": "quick"}


def test_batch_calls_yield():
    """They leave a quick target that is busy to others, and take a slow one that is idle."""
    quick, slow = target("quick", 1.0), target("slow", 2.5)
    node = Balance(quick, slow)
    chosen(node, 4)
    for _ in range(5):
        quick.begin()

    assert chosen(node, 1, priority="standard") == {"quick": 1}
    assert chosen(node, 1, priority="batch") == {"slow": 1}

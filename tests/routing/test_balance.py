"""`Balance`: which member gets a call, and what is said of a failure."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.errors import AllTargetsFailed, BadRequest, BudgetExceeded, ConfigError, Overloaded, RateLimited
from aigw.pipeline import stack
from aigw.policies import Retry
from aigw.routing import Balance, Fallback, Target
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from testing.faces import read_all

STRATEGIES = ("weighted", "round_robin", "least_busy")


def target(name, outcome="hello", **arguments):
    """Make a target that has the same outcome for each call."""
    return Target(ScriptedProvider.repeat(outcome), model="m", name=name, **arguments)


def chosen(node, calls, rng=None, **fields):
    """Make calls, read their answers, and count which targets gave them."""
    rng = rng or random.Random(1)
    names = []
    for _ in range(calls):
        call = make_call(rng=rng, **fields)
        drive(read_all(drive(node(call))))
        names += [attempt.target for attempt in call.trace.attempts]
    return names


@pytest.mark.parametrize("by", STRATEGIES)
def test_calls_are_spread_by_weight(by):
    """Over many calls each member serves its share."""
    if by == "least_busy":
        members = [target("a"), target("b"), target("c")]
        shares = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}  # nothing is in flight between these calls: all are equal
    else:
        members = [target("a", weight=1), target("b", weight=3), target("c", weight=0)]
        shares = {"a": 0.25, "b": 0.75}
    counts = Counter(chosen(Balance(*members, by=by), 1200))

    assert {name: count / 1200 for name, count in counts.items()} == pytest.approx(shares, abs=0.04)


def test_round_robin_takes_turns():
    """Members serve one after the other."""
    assert chosen(Balance(target("a"), target("b"), by="round_robin"), 5) == ["a", "b", "a", "b", "a"]


def test_least_busy_looks_at_calls_in_flight():
    """A member that still serves calls gets fewer new ones."""
    busy, idle = target("a", ["x", "y"]), target("b", ["x", "y"])
    pool = Balance(busy, idle, by="least_busy")
    replies = [drive(busy(make_call(stream=True))) for _ in range(3)]
    call = make_call(stream=True)
    replies += [drive(pool(call)) for _ in range(3)]
    counts = busy.in_flight, idle.in_flight, pool.in_flight
    for reply in replies:
        drive(reply.close())

    assert counts == (3, 3, 6)
    assert pool.in_flight == 0


@pytest.mark.parametrize("by", STRATEGIES)
def test_a_member_that_failed_in_this_call_is_left_out(by):
    """While others are left it gets no second try of the same call; a member of weight 0 stands in when it must."""
    pool = Balance(target("a", weight=100), target("b"), target("spare", weight=0), by=by)

    assert set(chosen(pool, 20, avoid=frozenset({"a"}))) == {"b"}
    assert set(chosen(pool, 5, avoid=frozenset({"a", "b"}))) == {"spare"}
    assert set(chosen(pool, 50, avoid=frozenset({"a", "b", "spare", "x"}))) <= {"a", "b"}


@pytest.mark.parametrize(("avoid", "left"), [((), 2), (("b",), 1), (("x",), 2), (("b", "c"), 0), (("a", "b", "c"), 0)])
def test_a_failure_tells_how_many_others_are_left(avoid, left):
    """`alternatives` counts the targets of the pool that this call has not tried yet."""
    pool = Balance(target("a", Overloaded), target("b", Overloaded), target("c", Overloaded), by="round_robin")
    with pytest.raises(Overloaded) as caught:
        drive(pool(make_call(avoid=frozenset(avoid))))

    assert caught.value.target not in avoid or len(avoid) == 3
    assert caught.value.alternatives == left


def test_a_pool_within_a_pool_counts_all_that_is_left():
    """The targets beside the failed one count, and so do those of the other members."""
    inner = Balance(target("a", Overloaded), target("b", Overloaded))
    with pytest.raises(Overloaded) as alone:
        drive(Balance(inner)(make_call()))
    with pytest.raises(Overloaded) as beside:
        drive(Balance(inner, Balance("openai/x", "openai/y", weight=0))(make_call()))

    assert alone.value.alternatives == 1
    assert beside.value.alternatives == 3


def test_a_refusal_of_a_member_names_it():
    """What a target's own policies refuse is its own, and the others are left; what those of a pool refuse is not."""

    class Refuses:
        async def handle(self, call, inner):
            raise BudgetExceeded("spent")

    pool = Balance(target("a", policies=[Refuses()]), target("b", weight=0), target("c", weight=0))
    with pytest.raises(BudgetExceeded) as inside:
        drive(Balance(pool)(make_call()))
    with pytest.raises(BudgetExceeded) as outside:
        drive(Balance(Balance("openai/x", policies=[Refuses()]))(make_call()))
    call = make_call()
    drive(read_all(drive(stack([Retry()], pool)(call))))

    assert (inside.value.target, inside.value.alternatives) == ("a", 2)
    assert (outside.value.target, outside.value.alternatives) == (None, 0)
    assert [attempt.outcome for attempt in call.trace.attempts] == ["ok"]


@pytest.mark.parametrize("error", [BadRequest("x"), RateLimited("x"), KeyError("x")])
def test_failures_pass_as_they_are(error):
    """A pool raises what its member raised; trying others is not its business."""
    with pytest.raises(type(error)):
        drive(Balance(target("a", error), target("b", error))(make_call()))


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(0, 5), st.sampled_from(STRATEGIES), st.integers(0, 999))
def test_a_retry_tries_every_target_before_it_waits(targets, bad, by, seed):
    """With `Retry` around it each member gets one try, at once; only when all have failed there is a wait."""
    bad = min(bad, targets)
    members = [target(f"t{number}", Overloaded if number < bad else "hello") for number in range(targets)]
    clock = FakeClock()
    call = make_call(clock=clock, rng=random.Random(seed))
    endpoint = stack([Retry(targets)], Balance(*members, by=by))
    if bad == targets:
        with pytest.raises(Overloaded):
            drive(endpoint(call))
    else:
        drive(read_all(drive(endpoint(call))))
    tried = [attempt.target for attempt in call.trace.attempts]

    assert clock.sleeps == []
    assert len(tried) == len(set(tried)) <= targets


def test_a_retry_waits_when_all_have_failed():
    """After one try at each member it waits, and then they all may be tried again."""
    clock = FakeClock()
    call = make_call(clock=clock)
    with pytest.raises(Overloaded):
        drive(stack([Retry(5)], Balance(target("a", Overloaded), target("b", Overloaded)))(call))
    tried = [attempt.target for attempt in call.trace.attempts]

    assert len(tried) == 5
    assert set(tried[:2]) == {"a", "b"}
    assert len(clock.sleeps) == 3


def test_members_may_be_any_nodes():
    """Texts are targets, and fallbacks and pools may stand in a pool; a member's weight is its share."""
    nested = Balance(Fallback(target("a", Overloaded), target("b"), weight=3), target("c"), by="round_robin")

    assert Counter(chosen(nested, 8)) == {"a": 6, "b": 6, "c": 2}
    assert [one.name for one in Balance("openai/x", "openai/y").targets] == ["openai/x", "openai/y"]


def test_all_targets_of_a_member_may_fail():
    """What a fallback in a pool raises passes as well."""
    pool = Balance(Fallback(target("a", Overloaded), target("b", Overloaded)))
    with pytest.raises(AllTargetsFailed):
        drive(pool(make_call()))


@pytest.mark.parametrize(
    ("members", "arguments", "message"),
    [
        ((), {}, "Balance needs at least one target"),
        (("openai/x",), {"by": "random"}, "Balance(by='random'): choose one of score, latency, cost,"),
        ((5,), {}, "Balance: 5 is neither a target nor a text such as 'openai/gpt-5.5'"),
        ((["openai/x"],), {}, "Balance: ['openai/x'] is neither a target nor a text such as 'openai/gpt-5.5'"),
        (("openai/x", "openai/x"), {}, "Balance: two targets are called 'openai/x'; tell them apart with name="),
        (("openai/x",), {"weight": -1}, "Balance(openai/x): weight must be a number that is not negative, not -1"),
        (("openai/x",), {"policies": [5]}, "Balance(openai/x): policies[0] is 5, which has no method"),
    ],
)
def test_wrong_arguments(members, arguments, message):
    """Every mistake is told when the pool is made."""
    with pytest.raises(ConfigError) as caught:
        Balance(*members, **arguments)

    assert str(caught.value).startswith(message)


def test_two_targets_with_one_name_are_found_at_any_depth():
    """Names tell targets apart in traces and errors, so they must differ; the same target may stand in two places."""
    first = target("a")

    with pytest.raises(ConfigError, match="two targets are called 'a'"):
        Balance(Fallback(first), Balance(target("b"), target("a")))
    assert Balance(first, Fallback(first)).targets == (first, first)


def test_a_pool_in_the_tree():
    """It is named after its members, unless it has a name, and says how it chooses."""
    pool = Balance(target("a"), target("b"), by="round_robin")
    named = Balance(target("a"), name="pool", weight=2)

    assert repr(pool) == "Balance(a, b), by round_robin"
    assert list(pool.describe()) == ["Balance(a, b), by round_robin", "  a: m at scripted", "  b: m at scripted"]
    assert (named.name, named.weight, repr(named)) == ("pool", 2.0, "pool, by score")
    assert pool.children == pool.members

"""`FairQueue`: shares, bounds, and that nobody is lost or let in twice."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.mechanics.fair_queue import FairQueue, Waiter

WEIGHTS = {"interactive": 16, "standard": 4, "batch": 1}


def waiter(cost=1.0, since=0.0, until=math.inf):
    """Make a waiter."""
    return Waiter(cost, since, until)


def jain(shares):
    """Compute Jain's index."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


@given(st.lists(st.tuples(st.integers(1, 1_000), st.integers(1, 1_000)), min_size=40, max_size=200))
@settings(max_examples=50)
def test_two_backlogged_tenants_get_alike(costs):
    """What two tenants have got never differs by more than twice the dearest call (the bound of VTC)."""
    queue = FairQueue(WEIGHTS)
    cost_of = {}
    for a, b in costs:
        for key, cost in (("a", a), ("b", b)):
            one = waiter(cost)
            cost_of[one] = (key, cost)
            assert queue.join("standard", key, one)
    got, left = {"a": 0, "b": 0}, {"a": len(costs), "b": len(costs)}
    worst = 0
    while all(left.values()):
        one, _ = queue.next(0.0)
        key, cost = cost_of[one]
        got[key] += cost
        left[key] -= 1
        worst = max(worst, abs(got["a"] - got["b"]))

    assert worst <= 2 * max(map(max, costs))


def test_equal_tenants_and_weighted_classes():
    """Tenants of a class get the same (Jain >= 0.99), classes get 16:4:1 within 5 %."""
    queue = FairQueue(WEIGHTS, most=100_000, most_per_tenant=10_000)
    whose = {}
    for number in range(2_500):
        for group in WEIGHTS:
            for key in "abc":
                one = waiter(1 + number % 7 if key == "a" else 3)
                whose[one] = (group, key)
                queue.join(group, key, one)
    groups, tenants = dict.fromkeys(WEIGHTS, 0.0), dict.fromkeys("abc", 0.0)
    for _ in range(5_000):
        one, _late = queue.next(0.0)
        group, key = whose[one]
        groups[group] += one.cost
        tenants[key] += one.cost

    assert jain(list(tenants.values())) >= 0.99
    for group, weight in WEIGHTS.items():
        assert groups[group] / sum(groups.values()) == pytest.approx(weight / 21, rel=0.05)


@pytest.mark.parametrize("level", ["tenants", "classes"])
def test_idleness_saves_nothing_up(level):
    """Who comes back after a long pause shares with those who were there, and does not go first for long."""
    queue = FairQueue({"interactive": 1, "batch": 1})
    group, key = ("batch", "busy") if level == "classes" else ("interactive", "late")
    for _ in range(200):
        queue.join("interactive", "busy", waiter())
    for _ in range(100):
        queue.next(0.0)
    newcomers = {waiter() for _ in range(50)}
    for one in newcomers:
        queue.join(group, key, one)
    first = [queue.next(0.0)[0] in newcomers for _ in range(20)]

    assert sum(first) == pytest.approx(10, abs=1)


def test_what_it_really_cost_counts():
    """A tenant whose calls turn out dearer than estimated gets fewer of them."""
    queue = FairQueue(WEIGHTS)
    whose = {}
    for _ in range(300):
        for key in "ab":
            one = waiter()
            whose[one] = key
            queue.join("standard", key, one)
    got = {"a": 0, "b": 0}
    for _ in range(200):
        one, _late = queue.next(0.0)
        got[whose[one]] += 1
        queue.settle(one, 3.0 if whose[one] == "a" else 1.0)

    assert got["b"] / got["a"] == pytest.approx(3, rel=0.05)


def test_strict_classes_age():
    """Strictly, the urgent go first; who waited long moves up one class, and once."""
    queue = FairQueue(WEIGHTS, strict=True, aging=30)
    old, fresh, urgent = waiter(since=0), waiter(since=31), waiter(since=31)
    queue.join("batch", "a", old)
    queue.join("standard", "b", fresh)
    queue.join("interactive", "c", urgent)
    order = [queue.next(40.0)[0] for _ in range(3)]

    assert order[0] is urgent
    assert set(order[1:]) == {old, fresh}


def test_bounds():
    """Neither a tenant nor all of them can fill the memory."""
    queue = FairQueue(WEIGHTS, most=3, most_per_tenant=2)
    joined = [queue.join("batch", key, waiter()) for key in "aaabb"]

    assert joined == [True, True, False, True, False]


def test_late_ones_are_dropped():
    """Whose time is over is taken out and told, and gets no turn."""
    queue = FairQueue(WEIGHTS)
    late, good = waiter(until=1.0), waiter()
    queue.join("batch", "a", late)
    queue.join("batch", "a", good)

    assert queue.next(2.0) == (good, [late])
    assert len(queue) == 0


def test_whoever_is_put_back_keeps_its_place():
    """It is the first of its tenant again, has paid nothing, and lets only those go first who have got less."""
    queue = FairQueue(WEIGHTS)
    large, small, urgent = waiter(1_000), waiter(1), waiter(1)
    queue.join("batch", "a", large)
    queue.join("batch", "a", small)
    assert queue.next(0.0, charge=False)[0] is large
    assert queue.put_back(large)
    again = queue.next(0.0, charge=False)[0]
    queue.join("interactive", "b", urgent)
    queue.put_back(large)
    order = [queue.next(0.0)[0] for _ in range(3)]

    assert again is large
    assert order == [urgent, large, small]


def test_another_queue_takes_nobody_back():
    """Whoever was let in by one queue cannot be put back into another."""
    queue, other, one = FairQueue(WEIGHTS), FairQueue(WEIGHTS), waiter()
    queue.join("batch", "a", one)
    queue.next(0.0)

    assert other.put_back(one) is False
    assert len(other) == 0


DO = st.sampled_from(["join", "leave", "next", "settle", "put back"])
STEPS = st.tuples(DO, st.integers(0, 30), st.integers(0, 100))


@given(st.lists(STEPS, max_size=150), st.booleans())
@settings(max_examples=60)
def test_nobody_is_lost_or_let_in_twice(steps, strict):
    """Whatever comes in whatever order, each waiter leaves or is let in, exactly once."""
    queue = FairQueue(WEIGHTS, most=20, most_per_tenant=5, strict=strict, aging=10)
    waiting, inside, seen = [], [], set()
    for now, (step, which, cost) in enumerate(steps):
        if step == "join":
            one = waiter(cost, now)
            if queue.join(list(WEIGHTS)[which % 3], which % 4, one):
                waiting.append(one)
        elif step == "leave" and waiting:
            assert queue.leave(waiting.pop(which % len(waiting)))
        elif step == "settle" and inside:
            queue.settle(inside.pop(which % len(inside)), cost)
        elif step == "put back" and inside:
            one = inside.pop(which % len(inside))
            assert queue.put_back(one)
            seen.remove(one)
            waiting.append(one)
        elif step == "next":
            one, late = queue.next(now, charge=which % 2 == 0)
            assert (one is None) == (not waiting)
            assert not late
            if one is not None:
                waiting.remove(one)
                assert one not in seen
                seen.add(one)
                inside.append(one)
        assert len(queue) == len(waiting)
    while waiting:
        waiting.remove(queue.next(1_000.0)[0])

    assert queue.next(1_000.0) == (None, [])

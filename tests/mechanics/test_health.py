"""What is known of a target's speed: averages that fade, work in place of time, and the load that it bears."""

from __future__ import annotations

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics import score
from aigw.mechanics.health import FIRST_WORK, Average, Health
from aigw.mechanics.load import FEW, MANY, Load
from aigw.mechanics.score import Standing


def test_an_average_fades():
    """What was seen 20 s ago counts for exp(-1); many at once count a twentieth each."""
    average = Average()
    average.add(10.0, 0.0)
    average.add(20.0, 20.0)
    faded = average.value
    average.add(faded + 1.0, 20.0)

    assert faded == pytest.approx(20 - 10 * exp(-1))
    assert average.value == pytest.approx(faded + 0.05)


def test_long_answers_are_not_slow():
    """Two targets of one speed have one pace, whatever the lengths of their answers."""
    short, long = Health(), Health()
    for now in range(20):
        short.succeeded(now, 0.02 * (FIRST_WORK + 50), 50)
        long.succeeded(now, 0.02 * (FIRST_WORK + 2000), 2000)

    assert short.pace == pytest.approx(long.pace)
    assert short.pace == pytest.approx(0.02)


def test_the_work_before_the_first_token_is_learned():
    """Streams tell how much that is: 2 s at 20 ms a token are 100 tokens."""
    health = Health()
    health.succeeded(0.0, 2 + 0.02 * 500, 500, first=2.0)

    assert health.first_work == pytest.approx(100)
    assert health.first_chunk == 2.0


def test_failing_fast_is_not_quick():
    """A failure counts as twice as slow as what was seen before, and as an error."""
    health = Health()
    health.succeeded(0.0, 0.01 * (FIRST_WORK + 100), 100)
    health.failed(20.0, 0.001)

    assert health.pace == pytest.approx(0.01 + (1 - exp(-1)) * 0.01)
    assert health.error_rate == pytest.approx(1 - exp(-1))
    assert (health.successes, health.failures) == (1, 1)


def slow_since(pace, *, usual=None):
    """Make a health whose pace is this, of one that was better once, perhaps."""
    health = Health()
    if usual is not None:
        health.succeeded(-1000.0, usual * (FIRST_WORK + 35), 35)
    health.succeeded(0.0, pace * (FIRST_WORK + 35), 35)
    return health


def test_an_idle_target_is_forgiven():
    """What was slow comes back within minutes to what is usual of it, and then slowly to the best."""
    turned, always = slow_since(10.0, usual=1.0), slow_since(10.0)

    assert turned.pace == pytest.approx(10.0)
    assert turned.forgiven(1.0, 0.0) == pytest.approx(10.0)
    assert turned.forgiven(1.0, 180.0) < 4.0
    assert turned.forgiven(1.0, 6000.0) == pytest.approx(0.9, rel=0.01)
    assert always.forgiven(1.0, 180.0) > 7.0
    assert always.forgiven(1.0, 6000.0) == pytest.approx(0.9, rel=0.01)


def test_what_is_usual():
    """A better pace is the usual one at once; a worse one becomes so in half an hour, for what was served in it."""
    health = Health()
    for now in range(0, 1200, 10):
        health.succeeded(float(now), (10.0 if now else 1.0) * (FIRST_WORK + 35), 35)
    slow = health.forgiven(0.001, 1200.0 + 300)
    health.succeeded(2000.0, 0.5 * (FIRST_WORK + 35), 35)

    assert 1.5 < slow < 3.0
    assert health.forgiven(0.001, 2000.0 + 300) < 1.0


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 1e3), st.floats(0, 1e4)), min_size=1), st.floats(0.01, 1e3))
def test_forgiving_is_between_the_best_and_what_was_seen(seen, best):
    """Whatever came, an idle target is never taken for better than a little better than the best, nor for worse."""
    health, now = Health(), 0.0
    for fine, seconds, later in seen:
        now += later
        health.succeeded(now, seconds, 10) if fine else health.failed(now, seconds)
    expected = None if health.pace is None else health.forgiven(best, now + 100)

    assert 1.0 <= health.trouble(now) <= 10.0
    assert expected is None or min(health.pace, 0.9 * best) * 0.999 <= expected <= health.pace


def test_our_own_calls_count_once():
    """What our other calls made it slower is left out of the pace, as far as it is known; the score adds it again."""
    alone, crowded = Health(), Health()
    alone.succeeded(0.0, 100.0, 35)
    crowded.succeeded(0.0, 150.0, 35, crowding=1.5)

    assert crowded.pace == pytest.approx(alone.pace)
    assert Load().crowding(0) == 1.0
    assert Load().crowding(int(3 * FEW)) == pytest.approx(2.0)


def test_one_that_only_fails():
    """It looks ten times as slow as the best, until it was left alone for a while."""
    standing = Standing()
    standing.health.failed(0.0, 0.001)

    assert standing.health.pace is None
    assert standing.cost(2.0, 0.0) == standing.unhurried(2.0, 0.0) == pytest.approx(18.0)
    assert standing.cost(2.0, 600.0) == pytest.approx(1.8, rel=0.01)


def test_an_unknown_target_is_taken_for_the_best():
    """For a little better, so that it is tried, also when its first calls failed."""
    assert Standing().cost(3.0, 0.0) == pytest.approx(2.7)
    assert Standing().cost(0.0, 0.0) == 0.0


def observed(pace_at, seed=1, number=400):
    """Let a load see calls with up to 12 others in flight."""
    load, rng = Load(), random.Random(seed)
    for now in range(number):
        in_flight = rng.randrange(12)
        load.add(in_flight, pace_at(in_flight) * rng.lognormvariate(0, 0.2), now / 10)
    return load.at_once


def test_the_load_that_a_target_bears():
    """One that does not slow down is found to bear many, one that slows down at once a few."""
    assert observed(lambda _: 0.02) > 20
    assert observed(lambda n: 0.02 * (1 + n / 10)) == pytest.approx(10, rel=0.5)
    assert observed(lambda n: 0.02 * (1 + n)) == FEW
    assert Load().at_once == FEW


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1e6), st.floats(0, 100)), max_size=30))
def test_the_load_is_always_believable(seen):
    """Whatever was seen, it is a number between the bounds."""
    load, now = Load(), 0.0
    for in_flight, pace, later in seen:
        now += later
        load.add(in_flight, pace, now)

    assert FEW <= load.at_once <= MANY


def standing(pace, in_flight=0, failures=0):
    """Make a standing of this pace."""
    made = Standing()
    made.health.succeeded(0.0, pace * (FIRST_WORK + 35), 35)
    for _ in range(failures):
        made.health.failed(0.0, 0.001)
    made.in_flight = in_flight
    return made


def test_the_score():
    """A slow or busy target costs more."""
    assert standing(2.0).cost(2.0, 0.0) == pytest.approx(2.0)
    assert standing(2.0, 4).cost(1.0, 0.0) == pytest.approx(4.0)
    assert standing(2.0, 4).unhurried(1.0, 0.0) == pytest.approx(2.0)


def test_what_a_call_minds_counts_twice():
    """For an interactive call these are failures, for one of a batch what is in flight."""
    busy, broken = standing(2.0, 4), standing(2.0, 4, failures=3)
    trouble = broken.health.trouble(0.0)
    costs = {kind: broken.cost(2.0, 0.0, kind) / broken.health.pace for kind in ("interactive", "standard", "batch")}

    assert busy.cost(2.0, 0.0, "interactive") == busy.cost(2.0, 0.0, "standard") == pytest.approx(4.0)
    assert busy.cost(2.0, 0.0, "batch") == pytest.approx(8.0)
    assert costs == pytest.approx({"interactive": 2 * trouble**2, "standard": 2 * trouble, "batch": 4 * trouble})


def test_ties():
    """Among equals the idlest is taken, then chance decides."""
    rng = random.Random(1)

    assert score.least([1.0, 1.0, 2.0], [3, 1, 0], rng=rng) == 1
    assert {score.least([1.0, 1.0, 2.0], [1, 1, 0], rng=rng) for _ in range(50)} == {0, 1}


def test_who_is_compared():
    """All of a few, three of many."""
    rng = random.Random(1)

    assert list(score.drawn(16, rng=rng)) == list(range(16))
    assert len(set(score.drawn(17, rng=rng))) == 3
    assert {4, 5} <= set(score.drawn(17, rng=rng, also=[4, 5])) <= set(range(17))

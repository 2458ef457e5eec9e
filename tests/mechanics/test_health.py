"""What is known of a target's speed: averages that fade, work in place of time, and the load that it bears."""

from __future__ import annotations

import random
from math import exp, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics import score
from aigw.mechanics.health import FIRST_WORK, Average, Health
from aigw.mechanics.load import FEW, MANY, Load


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


def test_an_idle_target_is_forgiven():
    """What was slow comes back towards the best while it serves nothing, and not while it serves something."""
    health = Health()
    health.succeeded(0.0, 10.0 * (FIRST_WORK + 35), 35)

    assert health.expected_pace(60.0, 1.0, idle=True) == pytest.approx(0.9 + 9.1 * exp(-1))
    assert health.expected_pace(600.0, 1.0, idle=True) < 1.0
    assert health.expected_pace(60.0, 1.0, idle=False) == 10.0
    assert health.expected_pace(60.0, None, idle=True) == 10.0
    assert health.expected_pace(0.0, 20.0, idle=True) == 10.0


def test_one_that_only_fails():
    """It looks ten times as slow as the best, until it was left alone for a while."""
    health = Health()
    health.failed(0.0, 0.001)

    assert health.pace is None
    assert health.expected_pace(0.0, 2.0, idle=True) == pytest.approx(20.0)
    assert health.expected_pace(600.0, 2.0, idle=True) == pytest.approx(2.0, rel=0.01)


def test_an_unknown_target_is_taken_for_the_best():
    """So that it is tried."""
    assert Health().expected_pace(0.0, 3.0, idle=True) == 3.0
    assert Health().expected_pace(0.0, None, idle=True) == 0.0


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


def test_the_score():
    """A slow, busy or light target costs more; one without weight comes last."""
    assert score.cost(2.0, 0, 1.0) == 2.0
    assert score.cost(2.0, 4, 1.0) == 4.0
    assert score.cost(2.0, 4, 1.0, at_once=8) == 3.0
    assert score.cost(2.0, 0, 0.5) == 4.0
    assert score.cost(2.0, 0, 0.0) == inf


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

"""Ways to pick one of several, and the shares that come of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.pick import least_busy, round_robin, weighted

seeds = st.integers(0, 2**32)
weight_lists = st.lists(st.just(0.0) | st.floats(0.001, 1000), min_size=1, max_size=6)


class Chance(random.Random):
    """Chance that always says the same."""

    def __init__(self, value):
        super().__init__()
        self._value = value

    def random(self):
        return self._value


@given(weight_lists, seeds)
def test_who_has_no_weight_is_picked_only_if_nobody_has(weights, seed):
    """All ways pick a position that exists, and one of weight zero only where all weights are zero."""
    rng = random.Random(seed)
    picked = {
        weighted(weights, rng=rng),
        least_busy([seed % 7 for _ in weights], weights, rng=rng),
        round_robin([float(seed % (at + 2)) for at, _ in enumerate(weights)], weights),
    }

    assert picked <= set(range(len(weights)))
    assert not any(weights) or all(weights[position] > 0 for position in picked)


def test_weighted_picks_in_proportion():
    """Over many picks the shares are those of the weights."""
    rng = random.Random(1)
    counts = Counter(weighted([1, 0, 3, 4], rng=rng) for _ in range(8000))

    assert [counts[position] / 8000 for position in range(4)] == pytest.approx([0.125, 0, 0.375, 0.5], abs=0.02)


def test_weighted_is_even_without_weights():
    """Where all weights are zero everybody has the same chance."""
    rng = random.Random(1)
    counts = Counter(weighted([0, 0, 0], rng=rng) for _ in range(3000))

    assert [counts[position] / 3000 for position in range(3)] == pytest.approx([1 / 3] * 3, abs=0.03)


@pytest.mark.parametrize(("chance", "position"), [(0.0, 1), (0.2499, 1), (0.25, 2), (0.9999, 2), (1.0, 2)])
def test_weighted_at_the_edges(chance, position):
    """The first point and the last belong to members that have a weight, also if rounding leaves a crumb."""
    assert weighted([0, 0.25, 0.75, 0], rng=Chance(chance)) == position


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 60))
def test_round_robin_is_never_far_from_the_shares(weights, picks):
    """After any number of picks everybody is less than a whole turn of all away from its share, and often on it."""
    turns = [0.0] * len(weights)
    for _ in range(picks):
        turns[round_robin(turns, weights)] += 1
    shares = [picks * weight / sum(weights) for weight in weights]

    assert sum(turns) == picks
    assert all(abs(turn - share) <= len(weights) for turn, share in zip(turns, shares, strict=True))


def test_round_robin_takes_turns():
    """With equal weights it goes around; with others each round has everybody as often as it weighs."""
    equal, rounds = [0.0] * 3, [0.0] * 2
    order = []
    for _ in range(6):
        order.append(round_robin(equal, [1, 1, 1]))
        equal[order[-1]] += 1
        rounds[round_robin(rounds, [1, 2])] += 1

    assert order == [0, 1, 2, 0, 1, 2]
    assert rounds == [2, 4]


@pytest.mark.parametrize(
    ("busy", "weights", "position"),
    [([3, 1, 2], [1, 1, 1], 1), ([1, 3], [1, 4], 1), ([0, 0], [0, 1], 1), ([5, 0], [1, 0], 0)],
)
def test_least_busy_counts_calls_for_their_weight(busy, weights, position):
    """The member with the fewest calls for its weight gets the next; without weight it gets none."""
    assert least_busy(busy, weights, rng=random.Random(0)) == position


def test_least_busy_chooses_among_equals_by_chance():
    """Equals share the load, so that not all processes pick the same one."""
    rng = random.Random(1)
    counts = Counter(least_busy([1, 0, 0, 0], [1, 1, 1, 1], rng=rng) for _ in range(3000))

    assert [counts[position] / 3000 for position in range(4)] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.03)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 40), seeds)
def test_least_busy_keeps_the_load_in_proportion(weights, calls, seed):
    """Calls that never end are spread so that nobody has a whole call more for its weight than another would get."""
    rng = random.Random(seed)
    busy = [0] * len(weights)
    for _ in range(calls):
        busy[least_busy(busy, weights, rng=rng)] += 1
    loads = [(count + 1) / weight for count, weight in zip(busy, weights, strict=True)]

    assert all(count / weight <= min(loads) for count, weight in zip(busy, weights, strict=True))

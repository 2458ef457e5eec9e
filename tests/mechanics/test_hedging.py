"""When a second attempt is worth its price: quantiles of the newest times, and the purse that pays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.hedging import LEAST_TIMES, MOST_SAVED, MOST_TIMES, Calm, Purse, Times


def times_of(*seconds):
    """Make times of calls."""
    times = Times()
    for one in seconds:
        times.add(one)
    return times


def test_too_few_times_tell_nothing():
    """A quantile of the slowest few percent needs a hundred calls."""
    assert times_of(*[1.0] * (LEAST_TIMES - 1)).quantile(0.95) is None
    assert times_of(*[1.0] * LEAST_TIMES).quantile(0.95) == 1.0


@given(st.lists(st.floats(0.001, 100), min_size=LEAST_TIMES, max_size=300), st.floats(0.01, 0.99))
def test_a_quantile_has_its_share_below(seconds, share):
    """It is one of the times, and this share of them is not above it."""
    found = times_of(*seconds).quantile(share)

    assert found in seconds
    assert sum(one <= found for one in seconds) >= share * len(seconds)
    assert sum(one < found for one in seconds) <= share * len(seconds)


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=50))
def test_only_the_newest_count(seconds):
    """The oldest times are forgotten, whatever they were."""
    times = times_of(*seconds, *[1.0] * MOST_TIMES)

    assert len(times) == MOST_TIMES
    assert [times.quantile(share) for share in (0.01, 0.5, 0.99)] == [1.0] * 3


def test_a_cut_time_leaves_the_quantile():
    """Times that are cut anywhere above the quantile leave it where it is."""
    whole = [float(number) for number in range(1, 201)]
    trigger = times_of(*whole).quantile(0.95)

    assert times_of(*[min(one, trigger + 0.5) for one in whole]).quantile(0.95) == trigger


def test_slow_of_late():
    """It is about the median of the newest twenty, not about stragglers."""
    usual = [1.0] * 200

    assert not times_of(*usual, *[10.0] * 9).is_slow()
    assert times_of(*usual, *[2.1] * 11).is_slow()
    assert not times_of(*usual, *[1.9] * 20).is_slow()
    assert not times_of(*[1.0] * 20, *[9.0] * 20).is_slow()


@given(st.lists(st.booleans(), max_size=400), st.floats(0.01, 1.0))
def test_second_attempts_are_a_share_of_the_calls(wants, share):
    """However often they are wanted, there are never more than that."""
    purse, paid = Purse(calls=share, spend=1.0), 0
    for number, wanted in enumerate(wants, 1):
        purse.count()
        if wanted and not purse.refusal("usd", 0.0):
            purse.pay("usd", 0.0)
            paid += 1

        assert paid <= share * number + 1e-6


def test_few_are_saved():
    """A long time without any allows ten at once."""
    purse = Purse(calls=0.05, spend=1.0)
    for _ in range(10_000):
        purse.count()
    paid = 0
    while not purse.refusal("usd", 0.0):
        purse.pay("usd", 0.0)
        paid += 1

    assert paid == MOST_SAVED


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10)), max_size=200))
def test_spending_is_a_share_of_all_spending(amounts):
    """What second attempts cost stays below its share, but for the one whose cost was guessed too low."""
    purse, spent, lost, largest = Purse(calls=1.0, spend=0.02), 0.0, 0.0, 0.0
    for cost, dear in amounts:
        purse.count()
        purse.earn("usd", cost)
        spent += cost
        if not purse.refusal("usd", cost / 10):
            purse.pay("usd", cost / 10)
            purse.correct("usd", dear - cost / 10)
            lost += dear
            largest = max(largest, dear)

        assert lost <= 0.02 * spent + largest + 1e-9


def test_units_are_apart():
    """Tokens cannot be paid with dollars."""
    purse = Purse(calls=1.0, spend=1.0)
    purse.count()
    purse.earn("usd", 5.0)

    assert purse.refusal("usd", 5.0) == ""
    assert "spend" in purse.refusal("tokens", 5.0)


@pytest.mark.parametrize(("later", "calm"), [(0.0, False), (9.9, False), (10.0, True)])
def test_calm(later, calm):
    """Trouble is remembered for ten seconds."""
    known = Calm()
    known.disturb(100.0)

    assert Calm()(100.0)
    assert known(100.0 + later) is calm

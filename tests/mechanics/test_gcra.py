"""The generic cell rate algorithm: one time is the whole state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics import gcra
from aigw.mechanics.limits import Rate

RATE = Rate("r", 60, window=60.0, burst=10.0)


def test_a_cost_is_the_time_that_an_amount_takes():
    """60 in a minute take a second each; what is given back takes it back."""
    assert gcra.cost(RATE, 5) == 5.0
    assert gcra.cost(RATE, -5) == -5.0


def test_the_burst_comes_at_once():
    """Ten seconds' worth may come at once, and the next one a second later."""
    tat = 100.0
    for _ in range(10):
        assert gcra.wait(RATE, tat, 1, 100.0) <= 0
        tat = gcra.admit(RATE, tat, 1, 100.0)

    assert gcra.wait(RATE, tat, 1, 100.0) == pytest.approx(1.0, abs=1e-5)


def test_idle_time_is_not_saved_up():
    """After an hour without calls there is one burst, no more."""
    assert gcra.admit(RATE, 100.0, 1, 3700.0) == 3701.0


@given(st.floats(0, 1e9), st.integers(1, 60), st.floats(1e9, 2e9))
def test_who_waits_as_told_is_admitted(ahead, amount, now):
    """After the wait there is none, also with wall times, whose last digits are microseconds."""
    tat = now + ahead % 1000
    wait = max(0.0, gcra.wait(RATE, tat, amount, now))

    assert gcra.wait(RATE, tat, amount, now + wait) <= 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 10)), max_size=60))
def test_every_window_keeps_its_bound(tries):
    """In any window no more is admitted than the window and the burst allow."""
    now, tat, admitted = 0.0, 0.0, []
    for pause, amount in tries:
        now += pause
        if gcra.wait(RATE, tat, amount, now) <= 0:
            tat = gcra.admit(RATE, tat, amount, now)
            admitted.append((now, amount))

    for index, (begin, _) in enumerate(admitted):
        total = 0
        for at, amount in admitted[index:]:
            total += amount
            assert total <= at - begin + RATE.burst + 1e-5

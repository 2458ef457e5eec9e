"""A budget of retries: it never grants more than it promises, and always grants that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.retry_budget import RetryBudget

steps = st.lists(
    st.sampled_from(["call", "retry", "retry"]) | st.floats(0, 30) | st.floats(-30, 0), min_size=1, max_size=60
)


@given(steps, st.floats(0.01, 1), st.floats(1, 20), st.floats(0.5, 30))
def test_it_never_grants_too_much(given_steps, share, capacity, floor):
    """For any calls, retries and times, also of clocks that go back: at most what it holds, and what grew since."""
    budget = RetryBudget(share=share, capacity=capacity, floor=floor)
    now = latest = 0.0
    calls = granted = 0
    for step in given_steps:
        if step == "call":
            budget.deposit(now)
            calls += 1
        elif step == "retry":
            granted += budget.withdraw(now)
            assert granted <= capacity + share * calls + latest / floor + 1e-9
        else:
            now = max(0.0, now + step)
            latest = max(latest, now)


def test_it_starts_full():
    """As many retries as it holds may come at once, and no more."""
    budget = RetryBudget(capacity=3)

    assert [budget.withdraw(0) for _ in range(5)] == [True, True, True, False, False]


def test_calls_fill_it():
    """Every call puts in its share; a retry needs a whole token."""
    budget = RetryBudget(share=0.25, capacity=1)
    budget.withdraw(0)
    refused = []
    for _ in range(4):
        refused.append(budget.withdraw(0))
        budget.deposit(0)

    assert refused == [False] * 4
    assert budget.withdraw(0)
    assert not budget.withdraw(0)


def test_time_fills_it():
    """A token grows by itself every `floor` seconds, so that a quiet route can retry too."""
    budget = RetryBudget(capacity=1, floor=10)
    granted = [budget.withdraw(now) for now in (100, 101, 109, 111, 112, 121)]

    assert granted == [True, False, False, True, False, True]


def test_it_holds_no_more_than_it_holds():
    """Neither many calls nor a long time fill it beyond its capacity."""
    budget = RetryBudget(share=1, capacity=2, floor=1)
    for _ in range(50):
        budget.deposit(0)
    at_once = [budget.withdraw(0) for _ in range(3)]
    later = [budget.withdraw(1000) for _ in range(3)]

    assert at_once == later == [True, True, False]


def test_a_clock_that_goes_back_gives_nothing():
    """Time that has been counted is not counted again."""
    budget = RetryBudget(capacity=1, floor=10)
    budget.withdraw(10)
    granted = [budget.withdraw(now) for now in (5, 15, 10, 20, 20)]

    assert granted == [False, False, False, True, False]

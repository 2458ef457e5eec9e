"""How long to wait before the next try."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.backoff import full_jitter, obeying

seeds = st.integers(0, 2**32)
seconds = st.floats(0.001, 1000)


@given(st.integers(1, 10_000), seconds, seconds, seeds)
def test_full_jitter_has_a_bound_that_doubles(attempt, base, cap, seed):
    """The wait is between nothing and a bound that doubles from try to try, up to the cap, however many tries."""
    wait = full_jitter(attempt, base=base, cap=cap, rng=random.Random(seed))

    assert 0 <= wait <= min(cap, base * 2.0 ** min(attempt - 1, 60))


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 8.0), (100, 8.0)])
def test_full_jitter_spreads_evenly(attempt, bound):
    """Waits fill the whole range, so that a crowd does not come back at once: their mean is half the bound."""
    rng = random.Random(1)
    waits = [full_jitter(attempt, base=0.5, cap=8.0, rng=rng) for _ in range(2000)]

    assert min(waits) < bound * 0.01
    assert bound * 0.99 < max(waits) <= bound
    assert sum(waits) / len(waits) == pytest.approx(bound / 2, rel=0.05)


@given(st.floats(0, 10_000), seeds)
def test_what_a_provider_asks_for_is_obeyed(retry_after, seed):
    """The wait is never shorter than asked for, and at most a tenth longer."""
    wait = obeying(retry_after, rng=random.Random(seed))

    assert retry_after <= wait <= retry_after * 1.1


def test_clients_do_not_return_at_once():
    """Two clients that were asked to wait for the same time wait differently."""
    rng = random.Random(1)

    assert obeying(7, rng=rng) != obeying(7, rng=rng)

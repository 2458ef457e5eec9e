"""`Retry`: its budgets, one for each route."""

from __future__ import annotations

from contextlib import suppress

import pytest

from aigw.errors import Overloaded
from aigw.policies import Retry
from aigw.policies.retry import MOST_ROUTES
from aigw.runtime import drive
from aigw.testing import FakeClock, make_call
from policies.inner import Inner, handle, others_left


class Frozen(FakeClock):
    """A clock on which sleeping takes no time, so that budgets do not fill meanwhile."""

    async def sleep(self, seconds):
        self.sleeps.append(seconds)


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Frozen()


def retries(policy, clock, calls=1, route="smart"):
    """Make calls that always fail; return how many retries there were."""
    inner = Inner.repeat(Overloaded)
    for _ in range(calls):
        with suppress(Overloaded):
            handle(policy, inner, clock=clock, route=route)
    return len(inner.calls) - calls


def test_retries_are_a_share_of_the_calls(clock):
    """In an outage ten retries come at once, and after that one for ten calls: the load hardly grows."""
    policy = Retry(3)

    assert retries(policy, clock, calls=5) == 10
    assert retries(policy, clock, calls=200) == pytest.approx(20, abs=1)


def test_a_call_that_gets_no_retry_fails_with_its_own_error(clock):
    """When the budget is used up the failure is raised at once, and the trace says why."""
    policy = Retry(2)
    retries(policy, clock, calls=20)
    call = make_call(clock=clock, route="smart")
    inner = Inner.repeat(Overloaded("x", code="busy"))
    with pytest.raises(Overloaded, match="busy"):
        drive(policy.handle(call, inner))

    assert len(inner.calls) == 1
    assert call.trace.decisions[-1].reason == "Overloaded: the retry budget of the route is used up"


def test_the_next_target_costs_the_budget_too(clock):
    """A try at another target is load as well: it comes out of the same budget."""
    policy = Retry(2)
    inner = Inner.repeat(others_left(Overloaded("x")))
    for _ in range(30):
        with suppress(Overloaded):
            handle(policy, inner, clock=clock)

    assert len(inner.calls) - 30 == pytest.approx(12, abs=1)


def test_time_fills_the_budget(clock):
    """One retry is granted every 10 s in any case, so that a quiet route can retry."""
    policy = Retry(2)
    retries(policy, clock, calls=30)
    before = retries(policy, clock)
    clock.advance(10)

    assert before == 0
    assert retries(policy, clock) == 1


def test_calls_that_succeed_fill_the_budget(clock):
    """Every call of the route puts in its share, whether it fails or not."""
    policy = Retry(2)
    retries(policy, clock, calls=30)
    inner = Inner.repeat("fine")
    for _ in range(50):
        handle(policy, inner, clock=clock, route="smart")

    assert retries(policy, clock, calls=30) == pytest.approx(5 + 3, abs=1)


def test_every_route_has_its_own_budget(clock):
    """An outage of one route takes no retries from another."""
    policy = Retry(2)
    retries(policy, clock, calls=30, route="smart")

    assert retries(policy, clock, calls=30, route="smart") <= 4
    assert retries(policy, clock, calls=10, route="cheap") == 10


@pytest.mark.parametrize(("share", "expected"), [(None, 60), (1.0, 60), (0.5, 10 + 30), (0, 10)])
def test_the_share_can_be_chosen(share, expected, clock):
    """`budget` is the share of retries; ``None`` switches it off, and 0 leaves what comes at once and with time."""
    assert retries(Retry(2, budget=share), clock, calls=60) == pytest.approx(expected, abs=1)


def test_many_routes_do_not_grow_without_bound(clock):
    """Only so many budgets are remembered: the oldest is forgotten, and starts full again."""
    policy = Retry(2)
    retries(policy, clock, calls=30, route="oldest")
    empty = retries(policy, clock, route="oldest")
    for number in range(MOST_ROUTES):
        handle(policy, Inner("fine"), clock=clock, route=f"route {number}")

    assert empty == 0
    assert retries(policy, clock, calls=10, route="oldest") == 10
    assert len(policy._budgets) == MOST_ROUTES

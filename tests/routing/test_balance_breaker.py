"""`Balance` over targets with a `Breaker`."""

from __future__ import annotations

import pytest

from aigw import Balance, Breaker, Target
from aigw.errors import CircuitOpen, ServerError
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from testing.faces import read_all


def pool(*outcomes):
    """Make a pool of targets with these outcomes, and their providers."""
    providers = [ScriptedProvider.repeat(outcome) for outcome in outcomes]
    members = [
        Target(provider, model="m", name=f"t{position}", policies=[Breaker()])
        for position, provider in enumerate(providers)
    ]
    return Balance(*members, by="round_robin"), providers


def run(node, clock, count):
    """Make calls; return the kinds of errors."""
    errors = []
    for _ in range(count):
        try:
            drive(read_all(drive(node(make_call(clock=clock)))))
        except (ServerError, CircuitOpen) as error:
            errors.append(type(error))
    return errors


def test_an_ejected_target_is_skipped():
    """After five failures no call goes to it, and none is refused."""
    node, (bad, _) = pool(ServerError, "hi")
    errors = run(node, FakeClock(), 100)

    assert errors == [ServerError] * 5
    assert len(bad.calls) == 5


@pytest.mark.parametrize(("size", "most"), [(1, 0), (2, 1), (3, 1), (5, 2)])
def test_never_more_than_half_are_ejected(size, most):
    """When all fail, half of them or more go on."""
    node, _ = pool(*[ServerError] * size)
    clock = FakeClock()
    errors = run(node, clock, 20 * size)

    assert sum(target.ejected(clock.now()) for target in node.targets) == most
    assert set(errors) == {ServerError}


def test_alternatives_are_those_that_would_serve():
    """An ejected target is no other choice for a retry."""
    node, _ = pool(ServerError, ServerError)
    clock = FakeClock()
    run(node, clock, 12)
    with pytest.raises(ServerError) as caught:
        drive(node(make_call(clock=clock)))

    assert caught.value.alternatives == 0

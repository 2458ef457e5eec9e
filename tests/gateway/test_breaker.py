"""`Breaker` in whole gateways over loopback, on both faces."""

from __future__ import annotations

import pytest

from aigw import Balance, Breaker, CircuitOpen, Fallback, ServerError, Target
from aigw.testing import FakeClock, ScriptedProvider, Status


def guarded(upstream, name):
    """Make a target with a breaker."""
    return Target(upstream.url, model="m", name=name, policies=[Breaker()])


def count_errors(gateway, count):
    """Make calls, and count those that fail."""
    errors = 0
    for _ in range(count):
        try:
            gateway.chat()
        except ServerError:
            errors += 1
    return errors


def test_five_errors_without_a_fallback(face, upstream, second):
    """In a pool a target that breaks costs five calls, and none that is refused."""
    upstream.next(*[Status(500)] * 60)
    pool = Balance(guarded(upstream, "east"), guarded(second, "west"), by="round_robin")

    assert count_errors(face({"smart": pool}), 60) <= 5
    assert len(upstream.requests) <= 5


def test_no_error_with_a_fallback(face, upstream, second):
    """With another choice nobody sees the failure, and the broken one is asked five times."""
    upstream.next(*[Status(500)] * 60)
    gateway = face({"smart": Fallback(guarded(upstream, "east"), guarded(second, "west"))})

    assert count_errors(gateway, 40) == 0
    assert len(upstream.requests) == 5


def test_recovery_takes_the_open_time_and_a_call(face):
    """The first call after the open time is answered by the target that recovered."""
    clock = FakeClock()
    provider = ScriptedProvider(*[ServerError] * 5, "back", "again", "and again")
    gateway = face({"smart": Target(provider, model="m", policies=[Breaker()])}, clock=clock)
    count_errors(gateway, 5)
    with pytest.raises(CircuitOpen) as caught:
        gateway.chat()
    clock.advance(caught.value.retry_after)

    assert [gateway.chat().text for _ in range(3)] == ["back", "again", "and again"]

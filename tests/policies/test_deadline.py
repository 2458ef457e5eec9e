"""`Deadline`: the time of a whole call, and who has the last word on it."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from aigw.errors import ConfigError, DeadlineExceeded, Overloaded
from aigw.pipeline import stack
from aigw.policies import Deadline, Retry
from aigw.runtime import drive
from aigw.testing import FakeClock, make_call
from policies.inner import Inner


def deadline_of(*policies, **fields):
    """Return the deadline that a call has inside of these policies; the clock shows 100."""
    inner = Inner("hello")
    drive(stack(policies, inner)(make_call(clock=FakeClock(start=100), **fields)))
    return inner.calls[0].deadline


@pytest.mark.parametrize(("seconds", "deadline"), [(5, 105), (0.5, 100.5), (timedelta(minutes=1), 160)])
def test_a_call_gets_a_deadline(seconds, deadline):
    """It counts from when the call passes, on the clock of the call."""
    assert deadline_of(Deadline(seconds)) == deadline
    assert deadline_of(Deadline()) == 160


def test_the_word_of_the_caller_replaces_the_default():
    """What the caller says himself counts, be it shorter or longer; ``None`` switches the limit off."""
    assert deadline_of(Deadline(60), timeout=5.0, deadline=105.0) == 105
    assert deadline_of(Deadline(5), timeout=60.0, deadline=160.0) == 160
    assert deadline_of(Deadline(5), timeout=None) is None


def test_the_word_of_the_caller_replaces_only_the_outermost():
    """A deadline further in, of a route or a target, holds as well: the earlier one counts."""
    assert deadline_of(Deadline(5), Deadline(20), timeout=60.0, deadline=160.0) == 120
    assert deadline_of(Deadline(5), Deadline(20), timeout=None) == 120
    assert deadline_of(Deadline(5), Deadline(80), timeout=60.0, deadline=160.0) == 160


@pytest.mark.parametrize(("outer", "inner"), [(5, 20), (20, 5)])
def test_of_two_deadlines_the_earlier_one_counts(outer, inner):
    """Neither makes the other longer."""
    assert deadline_of(Deadline(outer), Deadline(inner)) == 105


@pytest.mark.parametrize("fields", [{"deadline": 100.0}, {"deadline": 99.0}, {"deadline": 100.0, "timeout": 1.0}])
def test_a_call_whose_time_is_over_does_not_begin(fields):
    """It is refused before anything is sent, by the name of the policy."""
    inner = Inner("never")
    with pytest.raises(DeadlineExceeded, match="before it began") as caught:
        drive(Deadline(5).handle(make_call(clock=FakeClock(start=100), **fields), inner))

    assert (caught.value.policy, caught.value.status) == ("Deadline", 504)
    assert inner.calls == []


def test_it_bounds_all_attempts_together(clock):
    """Around a `Retry` it bounds the attempts and the waits between them."""
    inner = Inner.repeat([2.0, Overloaded("x", retry_after=2)])
    with pytest.raises(Overloaded):
        drive(stack([Deadline(10), Retry(50, budget=None)], inner)(make_call(clock=clock)))

    assert len(inner.calls) == 3
    assert clock.now() - 2 < 10  # when the last attempt began
    assert {call.deadline for call in inner.calls} == {10}


@pytest.mark.parametrize("seconds", [0, -1, math.inf, "5", None, True])
def test_wrong_arguments(seconds):
    """What is no time is told when the policy is made."""
    with pytest.raises(ConfigError, match=r"Deadline\(seconds\) must be a positive number of seconds"):
        Deadline(seconds)


def test_it_shows_its_time():
    """``repr`` has the seconds, for `describe`."""
    assert repr(Deadline(timedelta(minutes=1))) == "Deadline(60)"
    assert Deadline(1.5).seconds == 1.5


@pytest.mark.parametrize(("latency", "noted"), [(6.0, ["would be exceeded"]), (5.0, [])])
def test_shadow_only_tells(latency, noted):
    """With ``shadow=True`` a call gets no deadline; the trace tells if it took longer, also if it failed."""
    answers, fails = Inner("hello", latency=latency), Inner(Overloaded("busy"), latency=latency)
    call, failing, own = make_call(), make_call(), make_call(timeout=1.0)
    policy = Deadline(5, shadow=True)
    drive(policy.handle(call, answers))
    with pytest.raises(Overloaded):
        drive(policy.handle(failing, fails))
    drive(policy.handle(own, Inner("hello", latency=latency)))

    assert answers.calls[0].deadline is None
    assert [note.action for note in failing.trace.decisions] == noted
    assert own.trace.decisions == ()
    assert repr(policy) == "Deadline(5, shadow=True)"


def test_shadow_tells_when_the_answer_is_over():
    """A stream counts to its end."""
    call = make_call(stream=True)
    reply = drive(Deadline(5, shadow=True).handle(call, Inner(["one ", 6.0, "two"])))
    while drive(reply.read()) is not None:
        pass

    assert [note.reason for note in call.trace.decisions] == ["it took 6 s, 5 s are allowed"]

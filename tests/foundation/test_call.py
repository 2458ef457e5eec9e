"""`Call`: its defaults, its time, and its ports."""

from __future__ import annotations

import math

import pytest

from aigw.call import DEFAULT_TIMEOUTS, UNSET, Call, Timeouts
from aigw.errors import ConfigError
from aigw.testing import FakeClock, make_call
from aigw.trace import Decision


def test_a_call_asks_for_nothing_that_was_not_said():
    """What is not given is not sent: every option is empty or ``None`` by default."""
    call = Call()

    assert (call.operation, call.model, call.messages, call.inputs, call.tools) == ("chat", "", (), (), ())
    assert [call.temperature, call.top_p, call.max_tokens, call.seed, call.n, call.reasoning] == [None] * 6
    assert (call.timeout, call.timeouts, call.deadline) == (UNSET, Timeouts(5.0, 60.0, 60.0, 600.0), None)
    assert (call.attempt, call.avoid, call.priority, call.stream) == (1, frozenset(), "standard", False)
    assert call.timeouts is DEFAULT_TIMEOUTS
    assert repr(UNSET) == "UNSET"


def test_calls_are_made_by_name():
    """Fields are given by their names, so that new ones can be added."""
    with pytest.raises(TypeError):
        Call("chat")


def test_a_call_without_ports_says_so():
    """A call that was made by hand cannot run: the error says what to use."""
    with pytest.raises(ConfigError, match=r"make_call\(\)"):
        _ = Call().ports
    with pytest.raises(ConfigError, match=r"make_call\(\)"):
        _ = Call().clock

    assert Call().remaining() == math.inf


def test_the_time_of_a_call():
    """`remaining` and `elapsed` follow the clock of the call; without a deadline there is no end of time."""
    clock = FakeClock(start=100)
    call = make_call(clock=clock, deadline=103.0)
    before = call.remaining(), call.elapsed()
    clock.advance(4)

    assert before == (3, 0)
    assert (call.remaining(), call.elapsed()) == (-1, 4)
    assert make_call(clock=clock).remaining() == math.inf


def test_avoiding_targets():
    """`avoiding` adds names to a copy, and does not change the call itself."""
    call = make_call(avoid=frozenset({"a"}))
    copy = call.avoiding(["b", "c"])

    assert copy.avoid == {"a", "b", "c"}
    assert call.avoid == {"a"}
    assert copy == call.evolve(avoid=frozenset("abc"))


def test_notes_go_into_the_trace():
    """`note` writes down who decided what, why, and when since the call began."""
    clock = FakeClock(start=10)
    call = make_call(clock=clock)
    clock.advance(0.5)
    call.note("Retry", "retry", "Overloaded", wait=2.0)
    call.note("Guard", "passed")

    assert call.trace.decisions == (
        Decision(0.5, "Retry", "retry", "Overloaded", 2.0),
        Decision(0.5, "Guard", "passed"),
    )


def test_a_call_without_a_trace_takes_no_notes():
    """Nothing needs a trace: without one a note is simply not written."""
    make_call(trace=None).note("Retry", "retry")

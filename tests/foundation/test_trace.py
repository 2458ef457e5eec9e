"""The trace of a call: events in order, and a table for people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from aigw.chunk import Usage
from aigw.trace import Attempt, CallTrace, Decision

RETRY = Decision(0.25, "Retry", "retry", "Overloaded", wait=0.5)
FAILED = Attempt(0.0, "openai/gpt", "openai", "gpt", "Overloaded", 0.25, status=503, reason="busy (status 503)")
DONE = Attempt(0.75, "local", "local", "small", "ok", 1.5, 0.125, Usage(3, 5))


def test_events_are_kept_in_order():
    """A trace has its events in the order in which they were written, and each kind for itself."""
    trace = CallTrace("c-1", "smart")
    for event in (FAILED, RETRY, DONE):
        trace.add(event)

    assert trace.events == [FAILED, RETRY, DONE]
    assert trace.attempts == (FAILED, DONE)
    assert trace.decisions == (RETRY,)
    assert CallTrace().events is not CallTrace().events


def test_a_trace_is_shown_as_a_table():
    """``print(trace)`` has a line for each event: when, who, what and why, in columns."""
    trace = CallTrace("c-1", "smart", [FAILED, RETRY, DONE, Decision(2.25, "Guard", "passed")], 2.25)

    assert str(trace).splitlines() == [
        "call c-1 on route 'smart', 2.250 s",
        "at       who         what        detail",
        "0.000 s  openai/gpt  Overloaded  busy (status 503), took 0.250 s",
        "0.250 s  Retry       retry       Overloaded, waits 0.5 s",
        "0.750 s  local       ok          first chunk after 0.125 s, took 1.500 s, 3 tokens in, 5 out",
        "2.250 s  Guard       passed",
    ]


def test_the_trace_of_a_call_that_runs():
    """Before the end there is no duration, and an empty trace is a table without rows."""
    assert str(CallTrace("c-1", "smart")).splitlines() == ["call c-1 on route 'smart'", "at  who  what  detail"]


def test_threads_may_write_at_once():
    """No event is lost, whatever thread writes it."""
    trace = CallTrace()

    def write(number):
        for _ in range(200):
            trace.add(Decision(0.0, str(number), "x"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert len(trace.decisions) == 800

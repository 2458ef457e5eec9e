"""`Patience`: how long an attempt may still wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.call import Timeouts
from aigw.errors import DeadlineExceeded, TimedOut
from aigw.providers.patience import Patience
from aigw.testing import FakeClock, make_call

limits = st.none() | st.floats(0.5, 100)


def patience_of(clock=None, deadline=None, *, stream=True, **timeouts):
    """Make the patience of a call; limits that are not given are off."""
    given_timeouts = Timeouts(
        **{"connect": None, "first_chunk": None, "between_chunks": None, "total": None, **timeouts}
    )
    return Patience(make_call(clock=clock or FakeClock(), deadline=deadline, stream=stream, timeouts=given_timeouts))


@pytest.mark.parametrize(
    ("timeouts", "deadline", "left"),
    [
        ({}, None, None),
        ({"total": 9}, None, 9),
        ({"first_chunk": 4, "total": 9}, None, 4),
        ({"first_chunk": 9, "total": 4}, None, 4),
        ({"first_chunk": 9, "total": 9}, 3.0, 3),
        ({"between_chunks": 1}, None, None),
        ({"connect": 1}, None, None),
        ({}, 3.0, 3),
        ({}, -1.0, -1),
    ],
)
def test_the_shortest_limit_counts(timeouts, deadline, left):
    """Before the first chunk: its own limit, that of the attempt, and the deadline of the call."""
    patience = patience_of(deadline=deadline, **timeouts)

    assert patience.left() == left
    assert patience.connect == timeouts.get("connect")
    assert patience.over() is (left is not None and left <= 0)


def test_a_call_that_is_not_streamed_has_no_chunks_to_wait_for():
    """Only the limit of the attempt and the deadline bound it."""
    patience = patience_of(stream=False, first_chunk=1, between_chunks=1, total=9)
    before = patience.left()
    patience.progress()

    assert (before, patience.left()) == (9, 9)


@given(limits, limits, limits, limits, st.lists(st.floats(0, 30), max_size=8))
def test_between_chunks(first, between, total, deadline, pauses):
    """After each chunk the pause begins anew, and neither the attempt nor the deadline is ever exceeded."""
    clock = FakeClock(start=1000)
    patience = patience_of(
        clock, None if deadline is None else 1000 + deadline, first_chunk=first, between_chunks=between, total=total
    )
    ends = [1000 + limit for limit in (total, deadline) if limit is not None]
    for pause in pauses:
        clock.advance(pause)
        patience.progress()
        expected = min([*ends, *([clock.now() + between] if between is not None else [])], default=None)
        assert patience.left() == (None if expected is None else expected - clock.now())
        assert patience.over() is (expected is not None and expected <= clock.now())


@pytest.mark.parametrize(
    ("deadline", "now", "blamed"),
    [(None, 50, "target"), (60.0, 50, "target"), (50.0, 50, "caller"), (40.0, 50, "caller")],
)
def test_who_is_to_blame(deadline, now, blamed):
    """A limit that ran out is the target's failure, unless the caller's own deadline has come."""
    clock = FakeClock()
    patience = patience_of(clock, deadline, total=9)
    clock.advance(now)
    error = TimedOut("slow")
    judged = patience.judge(error)

    assert (judged is error) is (blamed == "target")
    assert blamed == "target" or (type(judged) is DeadlineExceeded and judged.__cause__ is error)


def test_a_timer_that_goes_off_a_little_early():
    """Timers are not exact: a millisecond before the deadline is the deadline."""
    clock = FakeClock()
    patience = patience_of(clock, 5.0)
    clock.advance(4.999)

    assert type(patience.judge(TimedOut("slow"))) is DeadlineExceeded

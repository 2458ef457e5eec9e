"""`Queue` by itself: who is let in, who is refused, and that places come back."""

from __future__ import annotations

import pytest

from aigw import ConfigError, Queue, QueueFull, ServerError
from aigw.runtime import drive
from aigw.testing import FakeClock, make_call
from policies.inner import Inner, handle


def test_uncontended_calls_are_not_queued():
    """A call that finds a place leaves no trace and gives its place back at the end of its answer."""
    queue, call = Queue(1), make_call()
    reply = drive(queue.handle(call, Inner("hello")))
    inside = queue.in_flight
    drive(reply.close())

    assert (inside, queue.in_flight, queue.waiting) == (1, 0, 0)
    assert not call.trace.decisions


def test_a_failure_gives_the_place_back():
    """A call that fails gives its place back."""
    queue = Queue(1)
    with pytest.raises(ServerError):
        handle(queue, Inner(ServerError("no")))

    assert queue.in_flight == 0


def test_what_cannot_be_in_time_is_refused_at_once():
    """Who would be let in after its deadline is refused before it waits, and is told when to come again."""
    queue, clock = Queue(1), FakeClock()
    first = drive(queue.handle(make_call(clock=clock), Inner("a")))
    clock.advance(30)
    drive(first.close())
    drive(queue.handle(make_call(clock=clock), Inner("b")))
    with pytest.raises(QueueFull, match="its turn would not come") as caught:
        handle(queue, Inner("c"), clock=clock, deadline=clock.now() + 5)

    assert caught.value.retry_after == pytest.approx(30)
    assert queue.waiting == 0


def test_shadow_lets_everybody_in():
    """A shadow notes who would have waited."""
    queue, call = Queue(1, shadow=True), make_call()
    handle(queue, Inner("a"))
    drive(queue.handle(call, Inner("b")))

    assert queue.in_flight == 2
    assert [decision.action for decision in call.trace.decisions] == ["would wait"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"concurrency": 0},
        {"weights": {"urgent": 1}},
        {"weights": {"batch": 0}},
        {"max_wait": 0},
        {"most": 0},
        {"name": ""},
    ],
)
def test_wrong_arguments(wrong):
    """A wrong argument is told by its name."""
    with pytest.raises(ConfigError, match=rf"Queue\({next(iter(wrong))}"):
        Queue(**{"concurrency": 1, **wrong})


def test_repr():
    """It shows what differs from the defaults."""
    assert repr(Queue(4, strict=True)) == "Queue(4, strict=True)"

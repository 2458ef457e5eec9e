"""`HttpProvider`: how long it waits for what, and whom it blames when the time is over."""

from __future__ import annotations

import pytest

from aigw.call import Timeouts
from aigw.errors import DeadlineExceeded, StreamInterrupted, TimedOut
from aigw.runtime import drive
from providers.fake_http import DONE, STOP, FakeResponse, FakeTransport, answer, connect, event
from testing.faces import read_all

PROVIDER = connect("openai_chat", base_url="http://gpu-1:8000/v1")
LIMITS = Timeouts(connect=1, first_chunk=10, between_chunks=5, total=30)


def outcome(transport, **fields):
    """Make a call; return its text or the error, and the time that it took."""
    try:
        reply = drive(PROVIDER.send(transport.call(timeouts=LIMITS, **fields), "m"))
        result = "".join(chunk.text for chunk in drive(read_all(reply)))
    except Exception as error:  # noqa: BLE001  (the tests look at it)
        result = error
    return result, transport.clock.now()


def test_an_answer_in_time():
    """Whatever stays within its limits is no failure: the whole attempt, the first chunk, each pause."""
    whole = FakeTransport((12.0, FakeResponse(12.0, answer("hello"))))
    stream = FakeTransport((8.0, FakeResponse(1.0, event("a"), 4.0, event("b"), 4.0, STOP, 4.0, DONE)))

    assert outcome(whole) == ("hello", 24)
    assert outcome(stream, stream=True) == ("ab", 21)


@pytest.mark.parametrize(
    ("steps", "stream", "after"),
    [
        ((31.0, FakeResponse(answer())), False, 30),
        ((20.0, FakeResponse(20.0, answer())), False, 30),
        ((11.0, FakeResponse(event("a"))), True, 10),
        ((5.0, FakeResponse(6.0, event("a"))), True, 10),
        ((0.0, FakeResponse(*[4.0, b": ping\n\n"] * 9)), True, 10),
        ((0.0, FakeResponse(10.0, b": ping\n\n", event("a"))), True, 10),
    ],
)
def test_a_target_that_is_too_slow(steps, stream, after):
    """It is TimedOut, signed; pings are no chunks; a call that is not streamed has only the limit of the attempt."""
    error, took = outcome(FakeTransport(steps), stream=stream)

    assert type(error) is TimedOut
    assert (error.provider, error.model) == ("openai-compatible", "m")
    assert took == after


@pytest.mark.parametrize(
    ("steps", "after"),
    [
        ([event("a"), 6.0, event("b")], 5),
        ([event("a"), *[4.0, event("b")] * 9], 30),
        ([event("a"), 3.0, b": ping\n\n", 3.0, event("b")], 5),
    ],
)
def test_a_stream_that_stands_still(steps, after):
    """A pause that is too long, or an attempt that takes too long as a whole, cuts the stream."""
    error, took = outcome(FakeTransport(FakeResponse(*steps)), stream=True)

    assert type(error) is StreamInterrupted
    assert type(error.__cause__) is TimedOut
    assert took == after


def test_a_slow_reader_is_not_a_slow_target():
    """The pause between two chunks is counted while the reader waits, not while it is busy elsewhere."""
    transport = FakeTransport(FakeResponse(event("a"), event("b"), 4.0, STOP + DONE))
    reply = drive(PROVIDER.send(transport.call(timeouts=LIMITS, stream=True), "m"))
    drive(reply.read())
    transport.clock.advance(20)

    assert [chunk.text for chunk in drive(read_all(reply))] == ["b", ""]


@pytest.mark.parametrize("deadline", [5.0, 9.9995])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_the_deadline_of_the_call_is_the_callers(deadline, stream, late):
    """If the call's own limit came first, that is DeadlineExceeded, caused by what the target did not do in time."""
    response = FakeResponse(60.0, b"late")
    error, took = outcome(FakeTransport(response if late else (60.0, response)), stream=stream, deadline=deadline)

    assert type(error) is DeadlineExceeded
    assert type(error.__cause__) is TimedOut
    assert error.policy == "Deadline"
    assert took == deadline


def test_a_deadline_in_the_middle_of_a_stream():
    """The stream is interrupted, and its cause is the deadline, not the target."""
    transport = FakeTransport(FakeResponse(event("a"), 4.0, event("b"), 4.0, STOP))
    error, took = outcome(transport, stream=True, deadline=6.0)

    assert type(error) is StreamInterrupted
    assert error.partial == "ab"
    assert type(error.__cause__) is DeadlineExceeded
    assert took == 6


def test_without_limits_nothing_is_limited():
    """``None`` switches each limit off; the transport is told that there is none."""
    response = FakeResponse(1e6, event("a"), 1e6, STOP, DONE)
    transport = FakeTransport((1e6, response))
    reply = drive(PROVIDER.send(transport.call(timeouts=Timeouts(None, None, None, None), stream=True), "m"))
    drive(read_all(reply))

    assert transport.limits == [(None, None)]
    assert set(response.timeouts[:-1]) == {None}

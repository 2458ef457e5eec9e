"""Time limits against servers that are really slow: each stops what it should stop, on both faces alike.

Limits are short because the time is real; nothing here measures how long something took: a limit that does not work
shows in the class of the error.
"""

from __future__ import annotations

import json
import math
import socket
import sys
import threading

import pytest

from aigw import AttemptTimeout, Deadline, Fallback, Retry, Target, errors
from aigw.testing import FakeClock, ScriptedProvider, Slow, Stall, Status
from gateway.limits import END, ENOUGH, LONG, SHORT, both_calls, failure, total_or_deadline
from transport.raw_server import CHUNKED, EVENTS, RawServer, chunk, event, receive, whole


@pytest.fixture
def full_backlog():
    """Listen where no connection comes about, because the queue of those that wait is full."""
    if sys.platform != "linux":
        pytest.skip("other systems refuse a connection that does not fit into the queue")
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            yield f"http://127.0.0.1:{address[1]}/v1"


@pytest.fixture
def silent_tls():
    """Listen where TLS is never agreed on."""
    with RawServer(RawServer.hold) as server:
        yield server.url.replace("http:", "https:")


@pytest.mark.parametrize("place", ["full_backlog", "silent_tls"])
@both_calls
def test_connect_bounds_the_connection(face, request, place, call):
    """Where no connection comes about within ``connect``, the target is Unreachable."""
    url = request.getfixturevalue(place)
    error = failure(face({"r": Target(url, model="m")}, [AttemptTimeout(connect=SHORT)]), call)

    assert type(error) is errors.Unreachable


@pytest.mark.parametrize("place", ["full_backlog", "silent_tls"])
@total_or_deadline
def test_total_and_deadline_bound_the_connection_too(face, request, place, policies, kind):
    """They count from the beginning, connecting included; whose time was over shows in the error."""
    url = request.getfixturevalue(place)
    error = failure(face({"r": Target(url, model="m")}, policies), "chat")

    assert type(error) is kind


@total_or_deadline
@both_calls
def test_a_server_that_says_nothing_is_left(face, upstream, policies, kind, call):
    """Without a head in time the attempt is over."""
    upstream.always(Slow(math.inf))
    gateway = face({"r": Target(upstream.url, model="m")}, policies)
    error = failure(gateway, call)
    gateway.wait_until(upstream, lambda: upstream.connections == 0)

    assert type(error) is kind


def test_a_short_first_chunk_does_not_bound_the_rest(face, upstream):
    """The limit of the first chunk is over when it has come: a later pause has a limit of its own."""
    upstream.next(Stall(1, 1.5 * ENOUGH))
    policies = [AttemptTimeout(first_chunk=ENOUGH, between_chunks=LONG)]
    gateway = face({"r": Target(upstream.url, model="m")}, policies)

    assert gateway.read() == upstream.answer


def test_a_short_pause_does_not_bound_the_first_chunk(face, upstream):
    """The limit between chunks begins with the first one."""
    upstream.next(Slow(1.5 * ENOUGH))
    policies = [AttemptTimeout(first_chunk=LONG, between_chunks=ENOUGH)]
    gateway = face({"r": Target(upstream.url, model="m")}, policies)

    assert gateway.read() == upstream.answer


def test_limits_of_streams_do_not_bound_whole_answers(face, upstream):
    """A whole answer has one chunk, and it comes at the end: ``total`` bounds it."""
    upstream.next(Slow(1.5 * ENOUGH))
    policies = [AttemptTimeout(LONG, first_chunk=ENOUGH, between_chunks=ENOUGH)]
    gateway = face({"r": Target(upstream.url, model="m")}, policies)

    assert gateway.chat().text == upstream.answer


def test_a_slow_reader_is_not_a_slow_target(face):
    """The time that the application takes between two reads does not count as the target's."""
    go_on = threading.Event()

    def answer(server, connection):
        receive(connection)
        connection.sendall(EVENTS + CHUNKED + chunk(event("a ")))
        go_on.wait(LONG)
        connection.sendall(chunk(event("b")) + END)
        server.hold(connection)

    clock = FakeClock()
    with RawServer(answer) as server:
        reading = face({"r": Target(server.url, model="m")}, [AttemptTimeout(between_chunks=1)], clock=clock).stream()
        reading.take(1)
        clock.advance(60)
        go_on.set()
        reading.rest()

        assert reading.text == "a b"


@pytest.mark.parametrize("given", [1, 2])
def test_time_that_is_over_before_the_request_is_sent(face, upstream, given):
    """A key that took too long to get leaves no time: it is the deadline, not a failure of the socket."""
    clock = FakeClock()

    def key():
        clock.advance(10)
        return "key"

    routes = {"r": Target(upstream.url, model="m"), "slow": Target(upstream.url, model="m", api_key=key)}
    gateway = face(routes, clock=clock)
    gateway.chat(model="r")  # the connection stands, so that the second one is used again
    if given == 2:
        gateway.close()
    error = failure(gateway, "chat", model="slow", timeout=5)

    assert type(error) is errors.DeadlineExceeded


def test_the_deadline_holds_over_retry_and_fallback(face, upstream, second):
    """However many targets and tries there are, the deadline ends them all, in the middle of an attempt."""
    upstream.always(Slow(math.inf))
    second.always(Slow(math.inf))
    tree = Fallback(
        Target(upstream.url, model="m", name="first", policies=[AttemptTimeout(SHORT)]),
        Target(second.url, model="m", name="second", policies=[AttemptTimeout(LONG)]),
    )
    gateway = face({"r": tree}, [Deadline(2 * SHORT), Retry(5)])
    error = failure(gateway, "chat")

    assert type(error) is errors.DeadlineExceeded
    assert [(a.target, a.outcome) for a in error.trace.attempts] == [
        ("first", "TimedOut"),
        ("second", "DeadlineExceeded"),
    ]


def test_no_wait_goes_beyond_the_deadline(face, upstream):
    """A wait that the deadline would end is not begun: the error comes at once, and is the provider's."""
    clock = FakeClock()
    upstream.always(Status(429, retry_after=7))
    gateway = face({"r": Target(upstream.url, model="m")}, [Deadline(5), Retry()], clock=clock)
    error = failure(gateway, "chat")

    assert type(error) is errors.ProviderRateLimited
    assert clock.sleeps == []
    assert error.trace.decisions[-1].action == "gave up"


def test_the_caller_s_own_timeout_replaces_the_deadline(face):
    """``timeout=`` is longer or shorter than the gateway's Deadline as the caller likes; ``None`` is no limit."""
    clock = FakeClock()
    provider = ScriptedProvider.repeat("fine")
    gateway = face({"r": Target(provider)}, [Deadline(5)], clock=clock)
    gateway.chat(timeout=100)
    gateway.chat(timeout=1)
    gateway.chat(timeout=None)
    gateway.chat()

    assert [call.deadline for call in provider.calls] == [100, 1, None, 5]


def test_an_answer_just_in_time_is_an_answer(face):
    """Limits that are not reached change nothing."""
    body = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}

    def answer(server, connection):
        while receive(connection):
            connection.sendall(whole(json.dumps(body).encode()))

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")}, [Deadline(LONG), AttemptTimeout(LONG, connect=LONG)])

        assert [gateway.chat().text for _ in range(3)] == ["hi"] * 3
        assert server.accepted == 1
        gateway.close()

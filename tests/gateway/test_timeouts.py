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
from transport.raw_server import CHUNKED, EVENTS, JSON, OK, RawServer, chunk, receive, whole

SHORT = 0.1
ENOUGH = 0.3
LONG = 20.0

total_or_deadline = pytest.mark.parametrize(
    ("policies", "kind"),
    [
        ([AttemptTimeout(SHORT, connect=1)], errors.TimedOut),
        ([Deadline(SHORT), AttemptTimeout(connect=1)], errors.DeadlineExceeded),
    ],
    ids=["total", "deadline"],
)
both_calls = pytest.mark.parametrize("call", ["chat", "read"])


def event(text="", reason=None):
    """Render an event of a stream."""
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"id": "x", "model": "m", "choices": [choice]}).encode() + b"\n\n"


END = chunk(event(reason="stop")) + chunk(b"data: [DONE]\n\n") + chunk(b"")


def failure(gateway, call, **options):
    """Return the error of a call."""
    with pytest.raises(errors.AigwError) as caught:
        getattr(gateway, call)("hello", **options)
    return caught.value


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


def drip_head(server, connection):
    """Send a header that never ends."""
    receive(connection)
    connection.sendall(OK + b"x-long: ")
    server.drip(connection, b"a")


def drip_body(server, connection):
    """Send a body byte by byte."""
    receive(connection)
    connection.sendall(JSON + b"content-length: 1000000\r\n\r\n")
    server.drip(connection, b" ")


def drip_comments(server, connection):
    """Send a stream of nothing but comments."""
    receive(connection)
    connection.sendall(EVENTS + CHUNKED)
    server.drip(connection, chunk(b": ping\n\n"))


def drip_bytes_of_an_event(server, connection):
    """Send a stream whose first event never ends."""
    receive(connection)
    connection.sendall(EVENTS + CHUNKED + chunk(b"data: "))
    server.drip(connection, chunk(b" "))


@total_or_deadline
@both_calls
def test_a_head_that_drips_is_stopped(face, policies, kind, call):
    """A byte now and then is no progress."""
    with RawServer(drip_head) as server:
        error = failure(face({"r": Target(server.url, model="m")}, policies), call)

        assert type(error) is kind
        assert server.left.acquire(timeout=LONG)


@total_or_deadline
@pytest.mark.parametrize(
    ("drip", "call"),
    [(drip_body, "chat"), (drip_comments, "read"), (drip_bytes_of_an_event, "read")],
)
def test_a_body_that_drips_is_stopped(face, policies, kind, drip, call):
    """A byte now and then is no progress, and the connection is closed."""
    with RawServer(drip) as server:
        error = failure(face({"r": Target(server.url, model="m")}, policies), call)

        assert type(error) is kind
        assert server.left.acquire(timeout=LONG)


@total_or_deadline
def test_a_stream_that_drips_is_stopped(face, policies, kind):
    """Each chunk comes in time, for ever, and still the whole has its limit; the reader is told how far it came."""

    def drip(server, connection):
        receive(connection)
        connection.sendall(EVENTS + CHUNKED)
        server.drip(connection, chunk(event("a")))

    with RawServer(drip) as server:
        reading = face({"r": Target(server.url, model="m")}, policies).stream()
        with pytest.raises(errors.StreamInterrupted) as caught:
            reading.rest()

        assert type(caught.value.__cause__) is kind
        assert caught.value.partial == "a" * len(reading.chunks)
        assert server.left.acquire(timeout=LONG)


@pytest.mark.parametrize("drip", [drip_comments, drip_bytes_of_an_event])
def test_comments_are_no_first_chunk(face, drip):
    """Pings and half events do not move the limit of the first chunk."""
    with RawServer(drip) as server:
        gateway = face({"r": Target(server.url, model="m")}, [AttemptTimeout(first_chunk=SHORT)])

        assert type(failure(gateway, "read")) is errors.TimedOut
        assert server.left.acquire(timeout=LONG)


def test_comments_are_no_next_chunk(face):
    """Pings do not move the limit between two chunks either."""

    def answer(server, connection):
        receive(connection)
        connection.sendall(EVENTS + CHUNKED + chunk(event("so far")))
        server.drip(connection, chunk(b": ping\n\n"))

    with RawServer(answer) as server:
        reading = face({"r": Target(server.url, model="m")}, [AttemptTimeout(between_chunks=SHORT)]).stream()
        with pytest.raises(errors.StreamInterrupted) as caught:
            reading.rest()

        assert (caught.value.partial, type(caught.value.__cause__)) == ("so far", errors.TimedOut)
        assert server.left.acquire(timeout=LONG)


@total_or_deadline
def test_the_body_of_an_error_is_not_waited_for_too_long(face, policies, kind):
    """The status alone is enough to go on: the limits hold for what the server says besides."""
    said = b'{"error": {"code": "insufficient_quota"}}'

    def answer(server, connection):
        receive(connection)
        connection.sendall(b"HTTP/1.1 500 Oops\r\ncontent-length: %d\r\n\r\n" % len(said))
        server.stopped.wait(4 * SHORT)
        connection.sendall(said)

    with RawServer(answer) as server:
        error = failure(face({"r": Target(server.url, model="m")}, policies), "chat")

        assert type(error) in (errors.ServerError, kind)


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


def test_the_end_of_the_body_is_not_waited_for(face):
    """After ``[DONE]`` the answer is whole, whatever the server does with the connection."""

    def answer(server, connection):
        receive(connection)
        connection.sendall(EVENTS + CHUNKED + chunk(event("all")) + chunk(b"data: [DONE]\n\n"))
        server.hold(connection)

    with RawServer(answer) as server:
        reading = face({"r": Target(server.url, model="m")}, [AttemptTimeout(LONG)]).stream()
        reading.rest()

        assert reading.text == "all"
        assert reading.trace.attempts[0].outcome == "ok"
        assert server.left.acquire(timeout=LONG)


@pytest.mark.xfail(strict=True, reason="each read of what comes behind the end has a limit, but not all together")
def test_the_end_of_the_body_may_not_drip_either(face):
    """What a server sends behind ``[DONE]`` is of no interest, and nobody waits for the end of it."""
    dripped_out = []

    def answer(server, connection):
        receive(connection)
        connection.sendall(EVENTS + CHUNKED + chunk(event("all")) + chunk(b"data: [DONE]\n\n"))
        server.drip(connection, chunk(b": ping\n\n"))
        dripped_out.append(True)

    with RawServer(answer) as server:
        text = face({"r": Target(server.url, model="m")}).read()

        assert (text, dripped_out) == ("all", [])


@pytest.mark.parametrize("said", [event("so far"), event("so far") + event(reason="stop")], ids=["text", "reason"])
def test_a_stall_in_a_stream_that_ends_with_its_connection(face, said):
    """Without a length or chunks the end of the connection is the end of the body: our own closing of it is none."""

    def answer(server, connection):
        receive(connection)
        connection.sendall(EVENTS + b"connection: close\r\n\r\n" + said)
        server.hold(connection)

    with RawServer(answer) as server:
        reading = face({"r": Target(server.url, model="m")}, [AttemptTimeout(between_chunks=SHORT)]).stream()
        with pytest.raises(errors.StreamInterrupted) as caught:
            reading.rest()

        assert type(caught.value.__cause__) is errors.TimedOut


def test_a_stall_in_an_answer_that_ends_with_its_connection(face):
    """Likewise for a whole answer, even one that would make sense as far as it came."""

    def answer(server, connection):
        receive(connection)
        message = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
        connection.sendall(JSON + b"connection: close\r\n\r\n" + json.dumps(message).encode())
        server.hold(connection)

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")}, [AttemptTimeout(SHORT)])

        assert type(failure(gateway, "chat")) is errors.TimedOut


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

"""Servers that send something now and then, or stand still at odd places: no limit is fooled by them."""

from __future__ import annotations

import json

import pytest

from aigw import AttemptTimeout, Target, errors
from gateway.limits import LONG, SHORT, both_calls, failure, total_or_deadline
from transport.raw_server import CHUNKED, EVENTS, JSON, OK, RawServer, chunk, event, receive


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

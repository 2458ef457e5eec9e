"""Answers that are broken, late or missing: both transports tell it the same way, and close the connection."""

from __future__ import annotations

import gzip
import socket
import threading

import pytest

from aigw.errors import BadResponse, TimedOut, Unreachable
from aigw.testing import FaultyUpstream
from transport.raw_server import CERTIFICATE, CHUNKED, JSON, OK, RawServer, chunk, receive, serve, whole

SHORT = 0.1
LONG = 20.0
BODY = b'{"a": "' + "Gießen".encode() * 100 + b'"}'

BROKEN = {
    "half": JSON + b"content-length: 100\r\n\r\nhalf",
    "chunk": JSON + CHUNKED + b"64\r\nhalf",
    "no-end": JSON + CHUNKED + chunk(b"half"),
    "bad-chunk": JSON + CHUNKED + b"what?\r\nhalf\r\n",
    "bad-gzip": whole(b"this is no gzip", "content-encoding: gzip"),
    "half-gzip": JSON + b"content-encoding: gzip\r\ncontent-length: 999\r\n\r\n" + gzip.compress(BODY)[:20],
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("by_piece", [False, True], ids=["whole", "pieces"])
def test_a_body_that_is_broken(line, answer, by_piece):
    """It is a BadResponse, never a shorter body; the connection is closed."""
    with serve(answer) as server:
        response = line.send(server.url)
        with pytest.raises(BadResponse):
            line.pieces(response) if by_piece else line.wait(response.read_all(5.0))
        line.wait(response.close())

        assert server.left.acquire(timeout=LONG)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1", b"HTTP/1.1 200 OK\r\nx-half: ", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x16"],
    ids=["nothing", "word", "half", "ssh", "tls"],
)
def test_a_head_that_is_broken(line, answer):
    """Whatever else answers there, the target is Unreachable."""
    with serve(answer) as server, pytest.raises(Unreachable) as caught:
        line.send(server.url)

    assert "127.0.0.1" in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_port_where_nobody_listens(line):
    """No connection is Unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(Unreachable, match=f"no connection to http://127.0.0.1:{port}"):
        line.send(f"http://127.0.0.1:{port}/v1")


def test_limits_of_the_parts(line):
    """The head, a piece and the whole body each have their own limit; the connection is closed in each case."""
    go_on = threading.Event()

    def handle(server, connection):
        receive(connection)
        go_on.wait(LONG)
        connection.sendall(JSON + b"content-length: 100\r\n\r\nhalf")
        server.hold(connection)

    with RawServer(handle) as server:
        with pytest.raises(TimedOut, match="did not answer"):
            line.send(server.url, timeout=SHORT)
        go_on.set()
        response = line.send(server.url)
        assert line.wait(response.read(None)) == b"half"
        with pytest.raises(TimedOut, match="nothing came"):
            line.wait(response.read(SHORT))
        response = line.send(server.url)
        with pytest.raises(TimedOut):
            line.wait(response.read_all(SHORT))
        for _ in range(3):
            assert server.left.acquire(timeout=LONG)


@pytest.mark.parametrize("limit", [0.0, -1.0])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "new"])
def test_no_time_at_all(line, kept, limit):
    """A limit that is over already is TimedOut, also on a connection that stands."""
    with FaultyUpstream("hello") as upstream:
        url = f"{upstream.url}/chat/completions"
        if kept:
            line.ask(url)
        with pytest.raises(TimedOut):
            line.send(url, timeout=limit)


def test_without_limits(line):
    """``None`` is no limit, anywhere."""
    with FaultyUpstream("hello") as upstream:
        response = line.send(f"{upstream.url}/chat/completions", connect=None, timeout=None)

        assert b"hello" in line.wait(response.read_all(None))


def test_limits_hold_on_a_connection_that_is_kept(line):
    """The first answer comes as it should, and the head of the second one drips."""
    dripped_out = []

    def handle(server, connection):
        receive(connection)
        connection.sendall(whole(b"{}"))
        receive(connection)
        connection.sendall(OK + b"x-long: ")
        server.drip(connection, b"a")
        dripped_out.append(True)

    with RawServer(handle) as server:
        line.ask(server.url)
        with pytest.raises(TimedOut):
            line.send(server.url, timeout=SHORT)

        assert dripped_out == []
        assert server.accepted == 1


def test_limits_hold_on_a_connection_that_was_made_anew(line):
    """A kept connection was closed meanwhile, and on the new one the head drips: it is stopped while it does."""
    accepted, dripped_out = [], []

    def handle(server, connection):
        accepted.append(connection)
        receive(connection)
        if len(accepted) == 1:
            connection.sendall(whole(BODY))
        else:
            connection.sendall(OK + b"x-long: ")
            server.drip(connection, b"a")
            dripped_out.append(True)

    with RawServer(handle) as server:
        line.ask(server.url)
        assert server.left.acquire(timeout=LONG)
        with pytest.raises(TimedOut):
            line.send(server.url, timeout=SHORT)

        assert dripped_out == []


def test_limits_over_tls(line, monkeypatch):
    """They hold there too, in the head, in a body that stands still and in one that drips."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    heads = iter([b"", OK + b"content-length: 1000000\r\n\r\n", OK + b"content-length: 1000000\r\n\r\n"])

    def handle(server, connection):
        receive(connection)
        head = next(heads)
        connection.sendall(head)
        server.drip(connection, b"a") if head else server.hold(connection)

    with RawServer(handle, tls=True) as server:
        with pytest.raises(TimedOut):
            line.send(server.url, timeout=2 * SHORT)
        for _ in range(2):
            response = line.send(server.url)
            with pytest.raises(TimedOut):
                line.wait(response.read_all(SHORT))
        for _ in range(3):
            assert server.left.acquire(timeout=LONG)


def test_a_certificate_that_nobody_trusts(line):
    """It is Unreachable, and says why."""
    with RawServer(RawServer.hold, tls=True) as server, pytest.raises(Unreachable, match="certificate"):
        line.send(server.url)

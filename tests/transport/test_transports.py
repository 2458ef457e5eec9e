"""Requests and answers over real connections: both transports do the same."""

from __future__ import annotations

import gzip
import threading
import zlib

import pytest

from aigw.errors import ConfigError
from aigw.ports import HttpRequest
from aigw.testing import FaultyUpstream
from transport.raw_server import CERTIFICATE, CHUNKED, JSON, OK, RawServer, chunk, forever, receive, serve, whole

SHORT = 0.1
LONG = 20.0


BODY = b'{"a": "' + "Gießen".encode() * 100 + b'"}'


@pytest.mark.parametrize(
    "answer",
    [
        whole(BODY),
        JSON + CHUNKED + chunk(BODY[:7]) + chunk(BODY[7:200]) + chunk(BODY[200:]) + chunk(b""),
        JSON + b"connection: close\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + BODY,
        whole(gzip.compress(BODY), "content-encoding: gzip"),
        whole(gzip.compress(BODY), "Content-Encoding: GZIP"),
        whole(zlib.compress(BODY), "content-encoding: deflate"),
        whole(BODY, "content-encoding: identity"),
        b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + whole(BODY),
    ],
    ids=["length", "chunked", "close", "http1.0", "gzip", "GZIP", "deflate", "identity", "early-hints"],
)
@pytest.mark.parametrize("by_piece", [False, True], ids=["whole", "pieces"])
def test_every_form_of_a_body(line, answer, by_piece):
    """However its end is told and whatever compresses it, the body is the same, at once or in pieces."""
    with serve(answer) as server:
        response = line.send(server.url)
        body = b"".join(line.pieces(response)) if by_piece else line.wait(response.read_all(5.0))

        assert (response.status, body) == (200, BODY)


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 404, 429, 500, 599])
def test_every_status_is_an_answer(line, status):
    """The transport judges none; redirects are not followed."""
    with serve(b"HTTP/1.1 %d Whatever\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n" % status) as server:
        response = line.send(server.url)

        assert (response.status, line.wait(response.read_all(5.0))) == (status, b"")
        assert server.accepted == 1


def test_headers_are_found_in_any_case(line):
    """Names of headers have no case."""
    with serve(whole(b"{}", "Retry-After-MS: 12", "X-Request-Id: r1")) as server:
        response = line.send(server.url)
        headers = response.headers
        line.wait(response.close())

        assert (headers.get("retry-after-ms"), headers["x-request-id"], headers.get("nothing")) == ("12", "r1", None)


def test_what_is_sent(line):
    """Method, path, query, host, headers as they were given, and the length of the body; nothing else."""
    seen = []

    def handle(server, connection):
        seen.append(b"")
        while not seen[0].endswith(b'{"a": 1}'):
            seen[0] += connection.recv(65536)
        connection.sendall(whole(b"{}"))

    with RawServer(handle) as server:
        line.ask(f"{server.url}/chat?x=1", b'{"a": 1}', headers=[("X-Mine", "a b"), ("authorization", "Bearer k")])
        head, _, body = seen[0].partition(b"\r\n\r\n")
        first, *headers = head.decode().split("\r\n")

    assert first == "POST /v1/chat?x=1 HTTP/1.1"
    assert [header.lower() for header in headers] == [
        f"host: 127.0.0.1:{server.port}",
        "x-mine: a b",
        "authorization: bearer k",
        "content-length: 8",
    ]
    assert body == b'{"a": 1}'


def test_large_bodies(line):
    """Megabytes go both ways."""
    large = b"x" * 3_000_000
    sent = []

    def handle(server, connection):
        sent.append(receive(connection))
        connection.sendall(whole(large))

    with RawServer(handle) as server:
        body = line.ask(server.url, large)

        assert body == large
        assert sent == [large]


def test_one_connection_for_many_requests(line):
    """It is used again as soon as an answer has been read to its end."""
    with FaultyUpstream("hello") as upstream:
        url = f"{upstream.url}/chat/completions"
        for _ in range(5):
            line.ask(url)
            line.pieces(line.send(url))
        open_now = upstream.connections
        line.close()
        upstream.wait_until(lambda: upstream.connections == 0)

        assert (upstream.accepted, open_now) == (1, 1)


def test_as_many_connections_as_answers_at_once(line):
    """While an answer is being read, the next request gets another connection."""
    with forever(whole(BODY)) as server:
        responses = [line.send(server.url) for _ in range(3)]
        bodies = [line.wait(response.read_all(5.0)) for response in responses]
        line.ask(server.url)

        assert bodies == [BODY] * 3
        assert server.accepted == 3


def test_origins_do_not_share_connections(line):
    """A connection belongs to its host and port."""
    with forever(whole(b'"one"')) as one, forever(whole(b'"two"')) as two:
        bodies = [line.ask(server.url) for server in (one, two, one, two)]

        assert bodies == [b'"one"', b'"two"'] * 2
        assert (one.accepted, two.accepted) == (1, 1)


def test_a_connection_that_the_server_has_closed(line):
    """An idle connection that is closed meanwhile is not used again: the request goes over a new one."""
    with serve(whole(BODY)) as server:
        for _ in range(3):
            body = line.ask(server.url)
            assert server.left.acquire(timeout=LONG)  # it has closed the connection

            assert body == BODY
        assert server.accepted == 3


def test_a_server_that_says_close(line):
    """``connection: close`` is obeyed."""
    with forever(whole(BODY, "connection: close")) as server:
        assert [line.ask(server.url) for _ in range(3)] == [BODY] * 3
        assert server.accepted == 3


@pytest.mark.parametrize("read", [0, 1])
def test_closing_an_answer_early(line, read):
    """The connection is closed, not kept: what is left of the body must not be taken for the next answer."""

    def handle(server, connection):
        receive(connection)
        connection.sendall(JSON + b"content-length: 100\r\n\r\n" + b"a" * 10)
        server.hold(connection)

    with RawServer(handle) as server:
        response = line.send(server.url)
        for _ in range(read):
            assert line.wait(response.read(5.0)) == b"a" * 10
        line.wait(response.close())
        line.wait(response.close())

        assert server.left.acquire(timeout=LONG)


def test_closing_the_transport_under_an_answer(line):
    """An answer that is being read can be read to its end; its connection is closed then, and not kept."""
    with FaultyUpstream("hello") as upstream:
        response = line.send(f"{upstream.url}/chat/completions")
        line.close()
        body = line.wait(response.read_all(5.0))
        upstream.wait_until(lambda: upstream.connections == 0)

        assert b"hello" in body


def test_closing_twice_and_going_on(line):
    """Nothing happens; a request after that is served, and leaves no connection behind."""
    line.close()
    line.close()
    with FaultyUpstream("hello") as upstream:
        body = line.ask(f"{upstream.url}/chat/completions")
        upstream.wait_until(lambda: upstream.connections == 0)

        assert b"hello" in body


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb: c", "a\x00", "ü", " a", "a ", "\N{EURO SIGN}"], ids=ascii)
def test_a_header_that_is_not_legal(line, value):
    """It is a ConfigError that names the header and quotes nothing; nothing is sent."""
    with forever(whole(BODY)) as server:
        with pytest.raises(ConfigError, match="x-mine") as caught:
            line.send(server.url, headers=[("x-mine", value)])

        assert value.strip() not in str(caught.value) or value.strip() == "a"
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert server.accepted == 0


def test_a_request_is_prepared_once(line):
    """What stays the same from call to call is kept with the request."""
    with forever(whole(BODY)) as server:
        request = HttpRequest(server.url)
        for _ in range(2):
            line.wait(line.send_again(request).read_all(5.0))
            prepared = request.prepared

        assert request.prepared is prepared is not None


def test_tls(line, monkeypatch):
    """A certificate that is trusted is as good as none at all; connections are kept."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    def handle(server, connection):
        while receive(connection):
            connection.sendall(whole(BODY))

    with RawServer(handle, tls=True) as server:
        bodies = [line.ask(server.url) for _ in range(3)]
        line.close()

        assert bodies == [BODY] * 3
        assert server.accepted == 1


def test_a_proxy(line, monkeypatch):
    """The proxy of the environment gets the whole URL; ``NO_PROXY`` leaves it out."""
    seen = []

    def handle(server, connection):
        connection.settimeout(LONG)
        seen.append(connection.recv(65536).partition(b"\r\n")[0])
        connection.sendall(whole(BODY))

    with RawServer(handle) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        body = line.ask("http://model.test/v1/chat")

        assert (body, seen) == (BODY, [b"POST http://model.test/v1/chat HTTP/1.1"])


def test_a_stream_of_small_pieces(line):
    """Each piece is there as soon as the server has sent it."""
    steps = threading.Semaphore(0)

    def handle(server, connection):
        receive(connection)
        connection.sendall(OK + CHUNKED)
        for number in range(5):
            steps.acquire(timeout=LONG)
            connection.sendall(chunk(b"%d" % number))
        connection.sendall(chunk(b""))

    with RawServer(handle) as server:
        response = line.send(server.url)
        pieces = []
        for _ in range(5):
            steps.release()
            pieces.append(line.wait(response.read(LONG)))

        assert pieces == [b"0", b"1", b"2", b"3", b"4"]
        assert line.wait(response.read(LONG)) == b""
        assert line.wait(response.read(LONG)) == b""

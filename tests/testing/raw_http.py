"""A client that sees every byte of an answer, and how its connection ended."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aigw.testing import FaultyUpstream

GUARD = 30.0  # a test that hangs fails after so many seconds


@dataclass
class Answer:
    """An answer; `proper` tells whether HTTP says that its body is all there."""

    status: int
    headers: dict[str, str]
    body: bytes
    proper: bool
    rest: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[str]:
        """The data of the server-sent events."""
        assert self.body.endswith(b"\n\n") or not self.body

        return [event.removeprefix("data: ") for event in self.body.decode().split("\n\n")[:-1]]

    @property
    def text(self) -> str:
        """The text that a stream says, as far as its events are JSON."""
        said = ""
        for event in self.events:
            try:
                choices = json.loads(event)["choices"]
            except ValueError:
                continue
            said += choices[0]["delta"].get("content") or "" if choices else ""
        return said


def post(path: str = "/v1/chat/completions", *, keep: bool = False, **document: Any) -> bytes:
    """Render a request."""
    body = json.dumps({"model": "m", **document}).encode()
    return request("POST", path, body, keep=keep)


def chat(*, stream: bool, keep: bool = False, **document: Any) -> bytes:
    """Render a chat request."""
    return post(stream=stream, keep=keep, messages=[{"role": "user", "content": "one two three"}], **document)


def request(method: str, path: str, body: bytes = b"", *, keep: bool = False) -> bytes:
    """Render any request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
    lines += [] if keep else ["Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(upstream: FaultyUpstream) -> socket.socket:
    """Open a connection."""
    port = urlsplit(upstream.url).port
    return socket.create_connection(("127.0.0.1", port), timeout=GUARD)


def receive(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def exchange(upstream: FaultyUpstream, data: bytes, *, leave: bool = False) -> bytes:
    """Send a request and return all that comes back.

    With `leave` the client goes away when the request has been seen: what comes back is what stood before a stall.
    """
    expected = len(upstream.requests) + 1
    with connect(upstream) as connection:
        connection.sendall(data)
        if leave:
            upstream.wait_until(lambda: len(upstream.requests) == expected)
            connection.shutdown(socket.SHUT_WR)
        return receive(connection)


def parse(data: bytes) -> Answer:
    """Take an answer apart."""
    head, blank, body = data.partition(b"\r\n\r\n")
    assert blank

    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    status = int(first.split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        return Answer(status, headers, *_dechunk(body))
    length = int(headers["content-length"])
    return Answer(status, headers, body[:length], len(body) >= length, body[length:])


def _dechunk(data: bytes) -> tuple[bytes, bool, bytes]:
    body = b""
    while True:
        size, line, data = data.partition(b"\r\n")
        if not line:
            return body, False, size
        if int(size, 16) == 0:
            return body, data.startswith(b"\r\n"), data[2:]
        length = int(size, 16)
        body += data[:length]
        if len(data) < length + 2:
            return body, False, b""
        data = data[length + 2 :]


def ask(upstream: FaultyUpstream, data: bytes, *, leave: bool = False) -> Answer:
    """Send a request and return the answer."""
    return parse(exchange(upstream, data, leave=leave))

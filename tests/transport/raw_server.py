"""A server that does whatever a function tells it to do with each connection, byte by byte."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Of a `RawServer` that speaks TLS; a client trusts it whose environment names it in ``SSL_CERT_FILE``."""

OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"content-type: application/json\r\n"
EVENTS = OK + b"content-type: text/event-stream\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"


class RawServer:
    """Listens on 127.0.0.1 and runs `handle` in a thread for each connection, which is closed behind it.

    Args:
        handle: gets the server and the socket of the connection.
        tls: speak TLS, in a certain way.
    """

    def __init__(
        self, handle: Callable[[RawServer, socket.socket], None], *, tls: bool | ssl.SSLContext = False
    ) -> None:
        self._handle = handle
        self._tls = server_tls() if tls is True else tls or None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.stopped = threading.Event()
        """Set when the server is closed: a handler that waits must end then."""
        self.left = threading.Semaphore(0)
        """Released for each connection that has ended."""
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for sock in (self._listener, *list(self._open)):
            with suppress(OSError):  # closed already
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def drip(self, connection: socket.socket, piece: bytes) -> None:
        """Send the same piece every 20 ms until the client goes away, or for some seconds: no test hangs on it."""
        for _ in range(150):
            if self.stopped.wait(0.02):
                return
            connection.sendall(piece)

    def hold(self, connection: socket.socket) -> None:
        """Send nothing until the client or the server goes away."""
        connection.settimeout(0.02)
        while not self.stopped.is_set():
            try:
                if not connection.recv(65536):
                    return
            except TimeoutError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._start(lambda connection=connection: self._serve(connection))

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client went away, which many tests want
            if self._tls is None:
                self._run(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secure:
                    self._run(secure)
        self.left.release()

    def _run(self, connection: socket.socket) -> None:
        self._open.add(connection)
        try:
            if not self.stopped.is_set():
                self._handle(self, connection)
        finally:
            self._open.discard(connection)

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name="raw-server", daemon=True)
        self._threads.append(thread)
        thread.start()


def server_tls() -> ssl.SSLContext:
    """Make the set-up of a server that has a certificate for this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def receive(connection: socket.socket) -> bytes:
    """Read one request, and return its body; ``b""`` if there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return body


def whole(body: bytes, *headers: str) -> bytes:
    """Render a complete answer."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return JSON + f"{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def chunk(data: bytes) -> bytes:
    """Render a chunk of a chunked body; an empty one is its end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(text: str = "", reason: str | None = None) -> bytes:
    """Render an event of a stream of chat completions."""
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"id": "x", "model": "m", "choices": [choice]}).encode() + b"\n\n"


def serve(*answers: bytes) -> RawServer:
    """Answer each request of a connection with the next of these; close it behind the last."""

    def handle(_: RawServer, connection: socket.socket) -> None:
        for answer in answers:
            if not receive(connection):
                return
            connection.sendall(answer)

    return RawServer(handle)


def forever(answer: bytes) -> RawServer:
    """Answer every request of a connection like this."""

    def handle(_: RawServer, connection: socket.socket) -> None:
        while receive(connection):
            connection.sendall(answer)

    return RawServer(handle)

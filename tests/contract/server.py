"""A real HTTP server on this machine that answers as an oracle writes."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Scripted(NamedTuple):
    """What the server does with a request.

    Args:
        pieces: the pieces of the body, each sent as a chunk of its own.
        content_type: of the body.
        status: the HTTP status.
        cut: the connection is closed before the end of the body.
    """

    pieces: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    cut: bool = False


class Server:
    """Answers each request with the next part of its script, and keeps what it was sent."""

    def __init__(self) -> None:
        self.script: list[Scripted] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[Any] = []
        self.connections: set[Any] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        """Its base URL."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def _handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            server.connections.add(self.client_address)
            said = server.script.pop(0)
            self.send_response(said.status)
            self.send_header("content-type", said.content_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in said.pieces:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
            if said.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: object) -> None:
            """Tests say what went wrong."""

    return Handler

"""Connections: parse the requests of one client and carry out the plan of each answer, one after the other."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aigw.testing.faults import Status
from aigw.testing.upstream.answers import error
from aigw.testing.upstream.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.testing.upstream.plan import Step


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came.

    Args:
        method: the HTTP method.
        path: what stands in the request line, the query included.
        headers: names in lower case, and values.
        json: the body; ``None`` where there is none or it is not JSON.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    json: Any = None


class Connection(asyncio.Protocol):
    """One connection of a client.

    Args:
        answer: tells what to write for a request.
        opened: told when the connection stands.
        closed: told when it is gone.
    """

    def __init__(
        self,
        answer: Callable[[Request], list[Step]],
        opened: Callable[[Connection], None],
        closed: Callable[[Connection], None],
    ) -> None:
        self._answer = answer
        self._opened = opened
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._steps: deque[Step] = deque()
        self._pause: asyncio.TimerHandle | None = None
        self._standing_still = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self._transport = cast("asyncio.Transport", transport)
        self._opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (who closed it makes no difference)
        """Forget the plan."""
        if self._pause is not None:
            self._pause.cancel()
        self._closed(self)

    def data_received(self, data: bytes) -> None:
        """Go on, unless the plan stands still: then a next request has to wait."""
        self._buffer += data
        if not self._standing_still:
            self._work()

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        transport = self._transport
        while transport is not None and not transport.is_closing():
            if not self._steps:
                self._steps += self._next_steps()
            if not self._steps:
                return
            step = self._steps.popleft()
            if step is None:
                transport.close()
            elif isinstance(step, bytes):
                transport.write(step)
            else:
                self._standing_still = True
                if step < math.inf:
                    self._pause = asyncio.get_running_loop().call_later(step, self._resume)
                return

    def _resume(self) -> None:
        self._standing_still = False
        self._work()

    def _next_steps(self) -> list[Step]:
        """Plan the answer to the next request; nothing while that is not all there."""
        try:
            parsed = parse(self._buffer)
        except ValueError as wrong:
            return [*plan(error(Status(400, message=str(wrong)))), None]
        if parsed is None:
            return []
        request, length = parsed
        del self._buffer[:length]
        steps = self._answer(request)
        return [*steps, None] if request.headers.get("connection", "").lower() == "close" else steps


def parse(data: bytes | bytearray) -> tuple[Request, int] | None:
    """Parse the first request in `data`; return it and its length, or ``None`` while it is not all there.

    Raises:
        ValueError: this is no HTTP/1.1 request with a ``content-length``.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    try:
        method, path, _ = first.split(" ")
    except ValueError:
        raise ValueError("the request line must be: method path HTTP/1.1") from None
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise ValueError("a request needs a content-length; chunked transfer encoding is not read here")
    start = end + 4
    stop = start + int(headers.get("content-length", 0))
    if len(data) < stop:
        return None
    return Request(method, path, headers, _json(data[start:stop])), stop


def _json(body: bytes | bytearray) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None

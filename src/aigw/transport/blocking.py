"""The transport of all threads: every wait blocks the caller, and nothing suspends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from aigw.errors import TimedOut
from aigw.transport.lines import LIMITS, FreeList, Tls, is_encoded, prepare, proxy_for, raise_cut, raise_unanswered
from aigw.transport.watchdog import Watch, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aigw.ports import HttpRequest

T = TypeVar("T")


class _Line:
    """A connection and the watch over its socket."""

    __slots__ = ("http", "used", "watch")

    def __init__(self, http: httpx.HTTPTransport) -> None:
        self.http = http
        self.used = False
        self.watch: tuple[object, Watch] | None = None


class BlockingTransport:
    """Sends requests through httpx, blocking the calling thread.

    Args:
        tls: the TLS set-up, shared with the other transports of the gateway.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._free: FreeList[_Line] = FreeList()
        self._dog = Watchdog()
        self._closed = False

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> BlockingResponse:
        """Send a request; see `aigw.ports.Transport.send`."""
        prepared = prepare(request)
        origin = prepared.origin
        line = self._free.take(origin) or self._open(origin)
        limits = {"connect": connect, "read": timeout, "write": timeout, "pool": None}
        sent = prepared.with_body(body, limits)
        if not line.used and timeout is not None:
            sent.extensions["trace"] = _count_connecting(limits, timeout)
        try:
            response = line.http.handle_request(sent)
        except httpx.ConnectTimeout as error:
            line.http.close()
            raise_unanswered(error, origin)
        except httpx.TimeoutException as error:
            line.http.close()
            raise TimedOut(f"{origin} did not answer within {timeout or 0:.3g} s") from error
        except httpx.TransportError as error:
            line.http.close()
            raise_unanswered(error, origin)
        except BaseException:  # KeyboardInterrupt, say: the connection is in the middle of something
            line.http.close()
            raise
        line.used = True
        limits["read"] = None  # from here on the watchdog keeps the time; httpcore looks this up when the body begins
        return BlockingResponse(self, origin, line, response, self._watch(line, response))

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when their answers end."""
        self._closed = True
        for line in self._free.drain():
            line.http.close()
        self._dog.close()

    def give_back(self, origin: str, line: _Line) -> None:
        """Keep a line for the next request."""
        stale = line if self._closed else self._free.give(origin, line, time.monotonic())
        if stale is not None:
            stale.http.close()

    def _open(self, origin: str) -> _Line:
        return _Line(httpx.HTTPTransport(verify=self._tls.verify(origin), limits=LIMITS, proxy=proxy_for(origin)))

    def _watch(self, line: _Line, response: httpx.Response) -> Watch:
        stream = response.extensions["network_stream"]
        if line.watch is None or line.watch[0] is not stream:
            line.watch = (stream, Watch(self._dog, stream.get_extra_info("socket")))
        return line.watch[1]


def _count_connecting(limits: dict[str, float | None], timeout: float) -> Any:
    """Take the time that connecting took off the time that is left for the answer."""
    started = time.monotonic()

    def trace(event: str, _: object) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            limits["read"] = limits["write"] = max(0.001, timeout - (time.monotonic() - started))

    return trace


class BlockingResponse:
    """An answer that comes in; see `aigw.ports.HttpResponse`."""

    __slots__ = ("_line", "_origin", "_parts", "_response", "_transport", "_watch", "headers", "status")

    def __init__(
        self, transport: BlockingTransport, origin: str, line: _Line, response: httpx.Response, watch: Watch
    ) -> None:
        self._transport = transport
        self._origin = origin
        self._line: _Line | None = line
        self._response = response
        self._watch = watch
        self._parts: Iterator[bytes] = _body(response)
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def read(self, timeout: float | None) -> bytes:
        """Return the next piece of the body, ``b""`` at its end."""
        part = self._limited(timeout, lambda: next(self._parts, None))
        if part is None:
            await self.close()
            return b""
        return part

    async def read_all(self, timeout: float | None) -> bytes:
        """Return the whole body."""
        body = self._limited(timeout, lambda: b"".join(self._parts))
        await self.close()
        return body

    async def close(self) -> None:
        """Give the connection back; httpx closes it if the body was not read to its end."""
        line, self._line = self._line, None
        if line is not None:
            self._close_body()
            self._transport.give_back(self._origin, line)

    def _limited(self, timeout: float | None, take: Callable[[], T]) -> T:
        """Read under the eye of the watchdog, and translate what goes wrong."""
        if timeout is not None:
            self._watch.arm(timeout)
        try:
            return take()
        except httpx.TransportError as error:
            self._drop()
            if self._watch.fired:
                raise TimedOut(f"nothing came from {self._origin} for {timeout or 0:.3g} s") from error
            raise_cut(error)
        except BaseException:  # as in send()
            self._drop()
            raise
        finally:
            self._watch.disarm()

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._close_body()
            line.http.close()

    def _close_body(self) -> None:
        stream = self._response.stream
        assert isinstance(stream, httpx.SyncByteStream)
        stream.close()


def _body(response: httpx.Response) -> Iterator[bytes]:
    if is_encoded(response):
        return response.iter_bytes()
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    return iter(stream)

"""The transport of all threads: every wait blocks the caller, and nothing suspends."""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from aigw.errors import TimedOut
from aigw.ports import INTERRUPT, CancelledError
from aigw.transport.lines import (
    FAILURES,
    KEEP_IDLE,
    LIMITS,
    FreeList,
    cut,
    is_encoded,
    prepare,
    proxy_for,
    shorter,
    unanswered,
)
from aigw.transport.watchdog import Watch, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aigw.ports import HttpRequest, Interrupt
    from aigw.transport.lines import Certificates, Origin

T = TypeVar("T")


class _Line:
    """A connection, and the watch over its socket."""

    __slots__ = ("_dog", "_stream", "http", "since", "watch")

    def __init__(self, http: httpx.HTTPTransport, dog: Watchdog) -> None:
        self.http = http
        self.watch: Watch | None = None
        self.since = 0.0
        self._dog = dog
        self._stream: Any = None

    def look_after(self, stream: Any) -> Watch:
        """Return the watch over a network stream of httpcore; a connection that was made anew gets a new one."""
        if self.watch is None or stream is not self._stream:
            self._stream = stream
            self.watch = Watch(self._dog, stream.get_extra_info("socket"))
        return self.watch

    def is_stale(self) -> bool:
        """Tell whether httpcore would make a new connection, of whose socket nobody would hear before the answer."""
        return time.monotonic() - self.since >= KEEP_IDLE or self._stream.get_extra_info("is_readable")

    def connecting(
        self, limits: dict[str, float | None], end: float | None, interrupt: Interrupt | None
    ) -> Callable[[str, dict[str, Any]], None]:
        """Return what httpcore tells its steps: connecting counts in the time for the answer, and may be the last."""

        def trace(event: str, info: dict[str, Any]) -> None:
            if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                watch = self.look_after(info["return_value"])
                if end is not None:
                    left = max(0.001, end - time.monotonic())
                    limits["read"] = limits["write"] = left
                    watch.arm(left)
                if interrupt is not None:
                    interrupt.guard(watch.cut)

        return trace


def _look_out(watch: Watch, timeout: float | None, interrupt: Interrupt | None) -> None:
    """Have the wait that follows ended when its time is over, or when its thread is interrupted."""
    if timeout is not None:
        watch.arm(timeout)
    if interrupt is not None:
        interrupt.guard(watch.cut)


def _leave_nothing(free: FreeList[_Line], dog: Watchdog, process: int) -> None:
    """Clean up after a gateway that is dropped without being closed, and at the end of the program."""
    if os.getpid() == process:  # in a child of it the dog's thread is not there, but may hold the dog's lock for ever
        dog.stop()
    for line in free.drain():
        line.http.close()


class BlockingTransport:
    """Sends requests through httpx, blocking the calling thread.

    Args:
        certificates: the TLS set-ups, shared with the other transports of the gateway.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._free: FreeList[_Line] = FreeList()
        self._dog = Watchdog()
        self._closed = False
        weakref.finalize(self, _leave_nothing, self._free, self._dog, os.getpid())

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> BlockingResponse:
        """Send a request; see `aigw.ports.Transport.send`."""
        prepared = prepare(request)
        origin = prepared.origin
        interrupt = INTERRUPT.get()
        if interrupt is not None:
            interrupt.check()
        if timeout is not None and timeout <= 0:  # sockets know no such limit
            raise TimedOut(f"no time was left for {origin}")
        line = self._free.take(origin)
        if line is not None and line.is_stale():
            line.http.close()
            line = None
        line = line or self._open(origin)
        # The watchdog keeps the time; httpcore's own limits, which hold for each receive alone, stand behind it.
        limits = {"connect": shorter(connect, timeout), "read": timeout, "write": timeout, "pool": None}
        sent = prepared.with_body(body, limits)
        if line.watch is None:
            end = None if timeout is None else time.monotonic() + timeout
            sent.extensions["trace"] = line.connecting(limits, end, interrupt)
        else:
            _look_out(line.watch, timeout, interrupt)
        try:
            response = line.http.handle_request(sent)
        except FAILURES as error:
            line.http.close()
            if interrupt is not None and interrupt.is_set():
                raise CancelledError from error
            late = line.watch is not None and line.watch.fired
            raise unanswered(error, origin, connect=connect, timeout=timeout, late=late) from error
        except BaseException:  # KeyboardInterrupt, say: the connection is in the middle of something
            line.http.close()
            raise
        finally:
            if line.watch is not None:
                line.watch.disarm()
            if interrupt is not None:
                interrupt.release()
        limits["read"] = None  # httpcore looks this up when the body begins
        return BlockingResponse(self, origin, line, response)

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when their answers end."""
        self._closed = True
        for line in self._free.drain():
            line.http.close()
        self._dog.close()

    def give_back(self, origin: Origin, line: _Line) -> None:
        """Keep a line for the next request."""
        line.since = time.monotonic()
        stale = line if self._closed else self._free.give(origin, line, line.since)
        if stale is not None:
            stale.http.close()

    def _open(self, origin: Origin) -> _Line:
        http = httpx.HTTPTransport(verify=self._certificates.verify(origin), limits=LIMITS, proxy=proxy_for(origin))
        return _Line(http, self._dog)


class BlockingResponse:
    """An answer that comes in; see `aigw.ports.HttpResponse`."""

    __slots__ = ("_line", "_origin", "_parts", "_response", "_transport", "_watch", "headers", "status")

    def __init__(self, transport: BlockingTransport, origin: Origin, line: _Line, response: httpx.Response) -> None:
        self._transport = transport
        self._origin = origin
        self._line: _Line | None = line
        self._response = response
        self._watch = line.look_after(response.extensions["network_stream"])
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
        interrupt = INTERRUPT.get()
        _look_out(self._watch, timeout, interrupt)
        try:
            taken = take()
        except FAILURES as error:
            self._drop()
            if interrupt is not None and interrupt.is_set():
                raise CancelledError from error
            raise (self._late(timeout) if self._watch.fired else cut(error)) from error
        except BaseException:  # as in send()
            self._drop()
            raise
        finally:
            self._watch.disarm()
            if interrupt is not None:
                interrupt.release()
        if interrupt is not None and interrupt.is_set():  # and the connection may be shut
            self._drop()
            raise CancelledError
        if self._watch.fired:  # a body that ends with its connection looks complete when the watchdog has closed it
            self._drop()
            raise self._late(timeout)
        return taken

    def _late(self, timeout: float | None) -> TimedOut:
        return TimedOut(f"nothing came from {self._origin} for {timeout or 0:.3g} s")

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

"""The transport of one event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

from aigw.errors import TimedOut
from aigw.transport.lines import FAILURES, LIMITS, FreeList, cut, is_encoded, prepare, proxy_for, shorter, unanswered
from aigw.transport.timer import Timer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aigw.ports import HttpRequest
    from aigw.transport.lines import Certificates, Origin


class _Line:
    """A connection, and the timer for what is waited for on it."""

    __slots__ = ("http", "timer")

    def __init__(self, http: httpx.AsyncHTTPTransport) -> None:
        self.http = http
        self.timer = Timer()

    async def close(self) -> None:
        self.timer.stop()
        await self.http.aclose()


class LoopTransport:
    """Sends requests through httpx without blocking the loop.

    Args:
        certificates: the TLS set-ups, shared with the other transports of the gateway.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._free: FreeList[_Line] = FreeList()
        # Held so that the connection of a stream that is garbage is not garbage with it, before it could be closed.
        self._busy: set[_Line] = set()
        self._closed = False

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> LoopResponse:
        """Send a request; see `aigw.ports.Transport.send`."""
        prepared = prepare(request)
        origin = prepared.origin
        line = self._free.take(origin)
        opening = None if line is not None else _Opening()
        line = line or self._open(origin)
        limits = {"connect": shorter(connect, timeout), "read": None, "write": None, "pool": None}
        sent = prepared.with_body(body, limits)
        if opening is not None:
            sent.extensions["trace"] = opening
        try:
            with line.timer(timeout):
                response = await line.http.handle_async_request(sent)
        except TimeoutError as error:
            await _abort(line, opening)
            raise TimedOut(f"{origin} did not answer within {timeout:.3g} s") from error
        except FAILURES as error:
            await _abort(line, opening)
            raise unanswered(error, origin, connect=connect, timeout=timeout, late=False) from error
        except BaseException:  # cancelled: the connection must not outlive the task
            await _abort(line, opening)
            raise
        self._busy.add(line)
        return LoopResponse(self, origin, line, response)

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when their answers end."""
        self._closed = True
        for line in self._free.drain():
            await line.close()

    async def give_back(self, origin: Origin, line: _Line) -> None:
        """Keep a line for the next request."""
        self._busy.discard(line)
        stale = line if self._closed else self._free.give(origin, line, time.monotonic())
        if stale is not None:
            await stale.close()

    async def drop(self, line: _Line) -> None:
        """Close a line on which something went wrong."""
        self._busy.discard(line)
        await line.close()

    def _open(self, origin: Origin) -> _Line:
        verify = self._certificates.verify(origin)
        return _Line(httpx.AsyncHTTPTransport(verify=verify, limits=LIMITS, proxy=proxy_for(origin)))


class _Opening:
    """Holds on to a connection while it is made: httpcore leaves the socket of a cancelled TLS handshake open."""

    def __init__(self) -> None:
        self._stream: Any = None

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Hear from httpcore what it does."""
        if event.endswith(".connect_tcp.complete"):
            self._stream = info["return_value"]

    async def close(self) -> None:
        """Close it, if it stands."""
        if self._stream is not None:
            await self._stream.aclose()


async def _abort(line: _Line, opening: _Opening | None) -> None:
    await line.close()
    if opening is not None:
        await opening.close()


class LoopResponse:
    """An answer that comes in; see `aigw.ports.HttpResponse`."""

    __slots__ = ("_line", "_origin", "_parts", "_response", "_timer", "_transport", "headers", "status")

    def __init__(self, transport: LoopTransport, origin: Origin, line: _Line, response: httpx.Response) -> None:
        self._transport = transport
        self._origin = origin
        self._line: _Line | None = line
        self._timer = line.timer
        self._response = response
        self._parts: AsyncIterator[bytes] = _body(response)
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def read(self, timeout: float | None) -> bytes:
        """Return the next piece of the body, ``b""`` at its end."""
        try:
            with self._timer(timeout):
                return await anext(self._parts)
        except StopAsyncIteration:
            await self.close()
            return b""
        except TimeoutError as error:
            await self._drop()
            raise TimedOut(f"nothing came from {self._origin} for {timeout:.3g} s") from error
        except FAILURES as error:
            await self._drop()
            raise cut(error) from error

    async def read_all(self, timeout: float | None) -> bytes:
        """Return the whole body."""
        try:
            with self._timer(timeout):
                body = b"".join([part async for part in self._parts])
        except TimeoutError as error:
            await self._drop()
            raise TimedOut(f"{self._origin} did not finish its answer within {timeout:.3g} s") from error
        except FAILURES as error:
            await self._drop()
            raise cut(error) from error
        except BaseException:  # cancelled, as in send()
            await self._drop()
            raise
        await self.close()
        return body

    async def close(self) -> None:
        """Give the connection back; httpx closes it if the body was not read to its end."""
        line, self._line = self._line, None
        if line is not None:
            try:
                await self._close_body()
            except BaseException:  # cancelled while closing: nobody else knows the line any more
                await self._transport.drop(line)
                raise
            await self._transport.give_back(self._origin, line)

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            try:
                await self._close_body()
            finally:
                await self._transport.drop(line)

    async def _close_body(self) -> None:
        stream = self._response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        await stream.aclose()


def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    if is_encoded(response):
        return response.aiter_bytes()
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    return aiter(stream)

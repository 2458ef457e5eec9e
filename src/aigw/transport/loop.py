"""The transport of one event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx

from aigw.errors import TimedOut
from aigw.transport.lines import LIMITS, FreeList, Tls, is_encoded, prepare, proxy_for, raise_cut, raise_unanswered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aigw.ports import HttpRequest


class LoopTransport:
    """Sends requests through httpx without blocking the loop.

    Args:
        tls: the TLS set-up, shared with the other transports of the gateway.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._free: FreeList[httpx.AsyncHTTPTransport] = FreeList()
        self._closed = False

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> LoopResponse:
        """Send a request; see `aigw.ports.Transport.send`."""
        prepared = prepare(request)
        origin = prepared.origin
        line = self._free.take(origin) or self._open(origin)
        limits = {"connect": connect, "read": None, "write": None, "pool": None}
        try:
            async with asyncio.timeout(timeout):
                response = await line.handle_async_request(prepared.with_body(body, limits))
        except TimeoutError as error:
            await line.aclose()
            raise TimedOut(f"{origin} did not answer within {timeout:.3g} s") from error
        except httpx.TransportError as error:
            await line.aclose()
            raise_unanswered(error, origin)
        except BaseException:  # cancelled: the connection must not outlive the task
            await line.aclose()
            raise
        return LoopResponse(self, origin, line, response)

    async def close(self) -> None:
        """Close every idle connection; those in use are closed when their answers end."""
        self._closed = True
        for line in self._free.drain():
            await line.aclose()

    async def give_back(self, origin: str, line: httpx.AsyncHTTPTransport) -> None:
        """Keep a line for the next request."""
        stale = line if self._closed else self._free.give(origin, line, time.monotonic())
        if stale is not None:
            await stale.aclose()

    def _open(self, origin: str) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(verify=self._tls.verify(origin), limits=LIMITS, proxy=proxy_for(origin))


class LoopResponse:
    """An answer that comes in; see `aigw.ports.HttpResponse`."""

    __slots__ = ("_line", "_origin", "_parts", "_response", "_transport", "headers", "status")

    def __init__(
        self, transport: LoopTransport, origin: str, line: httpx.AsyncHTTPTransport, response: httpx.Response
    ) -> None:
        self._transport = transport
        self._origin = origin
        self._line: httpx.AsyncHTTPTransport | None = line
        self._response = response
        self._parts: AsyncIterator[bytes] = _body(response)
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def read(self, timeout: float | None) -> bytes:
        """Return the next piece of the body, ``b""`` at its end."""
        try:
            async with asyncio.timeout(timeout):
                return await anext(self._parts)
        except StopAsyncIteration:
            await self.close()
            return b""
        except TimeoutError as error:
            await self._drop()
            raise TimedOut(f"nothing came from {self._origin} for {timeout:.3g} s") from error
        except httpx.TransportError as error:
            await self._drop()
            raise_cut(error)

    async def read_all(self, timeout: float | None) -> bytes:
        """Return the whole body."""
        try:
            async with asyncio.timeout(timeout):
                body = b"".join([part async for part in self._parts])
        except TimeoutError as error:
            await self._drop()
            raise TimedOut(f"{self._origin} did not finish its answer within {timeout:.3g} s") from error
        except httpx.TransportError as error:
            await self._drop()
            raise_cut(error)
        except BaseException:  # cancelled, as in send()
            await self._drop()
            raise
        await self.close()
        return body

    async def close(self) -> None:
        """Give the connection back; httpx closes it if the body was not read to its end."""
        line, self._line = self._line, None
        if line is not None:
            await self._close_body()
            await self._transport.give_back(self._origin, line)

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await self._close_body()
            await line.aclose()

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

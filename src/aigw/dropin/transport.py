"""`GatewayTransport`: what a client of httpx or httpx2 sends its requests with, blocking or in an event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, Self

from aigw.dropin.exchange import Exchange
from aigw.dropin.family import RaisedError, family_for, family_of
from aigw.dropin.protocol import Asked
from aigw.runtime import drive

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from aigw.engine import Engine


class Face(Protocol):
    """A `Gateway` or an `AsyncGateway`."""

    _engine: Engine


class GatewayTransport:
    """Serves the requests of a client through a gateway. Nothing listens, and nothing connects to this process.

    ``httpx.Client(transport=GatewayTransport(gateway))``, ``httpx2.AsyncClient(transport=…)``: it works with both
    families, blocking and not, in any number of threads and event loops. Closing a client leaves the gateway open.

    Args:
        gateway: a `Gateway` or an `AsyncGateway`; which of them makes no difference.
        passthrough: send a request that the gateway does not understand to the provider as it is, where the route has a
            single target behind HTTP. No policy sees such a request. Otherwise it is answered with 404.
        now: the time in seconds since 1970, which some answers tell.
    """

    def __init__(self, gateway: Face, *, passthrough: bool = True, now: Callable[[], float] = time.time) -> None:
        self._engine = gateway._engine  # noqa: SLF001  (both faces are thin, and this is a third one)
        self._exchange = Exchange(self._engine, now, passthrough)

    def handle_request(self, request: Any) -> Any:
        """Serve a request of a blocking client.

        Raises:
            ReadTimeout: (of the request's own family) the client's own time limit is over.
        """
        family = family_of(request)
        asked = _asked(request, request.read())
        try:
            answered = drive(self._exchange.serve(asked, self._engine.runtimes.blocking))
        except RaisedError as error:
            raise family.exception(error, request) from error
        return family.response(answered, request, blocking=True)

    async def handle_async_request(self, request: Any) -> Any:
        """Serve a request of an async client; see `handle_request`."""
        family = family_of(request)
        asked = _asked(request, await request.aread())
        try:
            answered = await self._exchange.serve(asked, await self._engine.runtimes.current())
        except RaisedError as error:
            raise family.exception(error, request) from error
        return family.response(answered, request, blocking=False)

    def close(self) -> None:
        """Do nothing: the gateway belongs to whoever made it."""

    async def aclose(self) -> None:
        """Do nothing, as `close`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


def make_client(gateway: Face, sdk: str, *, blocking: bool) -> Any:
    """Make a client for an SDK, of the family that its installed version wants.

    Args:
        gateway: a face of the gateway.
        sdk: ``openai``, ``anthropic`` or ``gemini``.
        blocking: for the SDK's blocking client.

    Raises:
        ConfigError: there is no such SDK, or the library that it wants is not installed.
    """
    family, base_url = family_for(sdk)
    return family.client(GatewayTransport(gateway), base_url, blocking=blocking)


def _asked(request: Any, body: bytes) -> Asked:
    timeouts = request.extensions.get("timeout") or {}
    url = request.url
    # Looking one up in the client's own headers decodes all of them each time.
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw}
    return Asked(request.method, url.path, url.query.decode("ascii"), headers, body, timeouts.get("read"))

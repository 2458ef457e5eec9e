"""Requests that the gateway does not understand: sent to the provider as they are, with its key in place of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from aigw.call import DEFAULT_TIMEOUTS, Call
from aigw.dropin.context import PREFIX, ROUTE
from aigw.dropin.failure import Failure, Rejected
from aigw.dropin.family import CutError, TimeIsOverError
from aigw.dropin.protocol import Answered, model_in
from aigw.dropin.routes import find_route
from aigw.errors import ProviderError, TimedOut
from aigw.providers.http import HttpProvider

if TYPE_CHECKING:
    from aigw.dropin.protocol import Asked
    from aigw.ports import HttpRequest, HttpResponse, Runtime
    from aigw.routing.routes import Routes

_KEYS: Final = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"})
_HOP: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that belong to a connection and not to a request or an answer. The transport decodes what is compressed."""


async def pass_on(routes: Routes, asked: Asked, runtime: Runtime) -> Answered:
    """Send a request to the provider of its route, and answer with what comes back.

    Raises:
        Rejected: the route has not exactly one target, or that is not behind HTTP.
        ProviderError: no answer came.
        TimeIsOverError: none came within the client's own limit.
    """
    provider = _provider(routes, asked)
    request = await _request(provider, asked, runtime)
    limit = asked.read_timeout or DEFAULT_TIMEOUTS.first_chunk
    try:
        response = await runtime.transport.send(request, asked.body, connect=DEFAULT_TIMEOUTS.connect, timeout=limit)
    except TimedOut as error:
        if asked.read_timeout is None:
            raise
        raise TimeIsOverError(f"no answer within the client's own limit of {asked.read_timeout:g} s") from error
    headers = {name: value for name, value in response.headers.items() if name.lower() not in _HOP}
    return Answered(response.status, headers, Piped(response, limit, runtime))


class Piped:
    """The body of an answer, as it comes.

    Args:
        response: the answer.
        limit: seconds to wait for each piece.
        runtime: the ports.
    """

    def __init__(self, response: HttpResponse, limit: float | None, runtime: Runtime) -> None:
        self._response: HttpResponse | None = response
        self._limit = limit
        self._runtime = runtime

    async def read(self) -> bytes:
        """Return the next piece; ``b""`` at the end.

        Raises:
            TimeIsOverError: it did not come in time.
            CutError: the connection was cut.
        """
        if self._response is None:
            return b""
        try:
            data = await self._response.read(self._limit)
        except ProviderError as error:
            self._response = None  # the transport has closed the connection
            raise (TimeIsOverError if isinstance(error, TimedOut) else CutError)(str(error)) from error
        if not data:
            await self.close()
        return data

    async def close(self) -> None:
        """Let go of the connection."""
        response, self._response = self._response, None
        if response is not None:
            await response.close()

    def __del__(self) -> None:
        """Have the connection of an answer closed that was dropped."""
        if getattr(self, "_response", None) is not None:
            assert self._response is not None
            self._runtime.discard(self._response.close)


def _provider(routes: Routes, asked: Asked) -> HttpProvider:
    route = asked.headers.get(ROUTE)
    model = route or (model_in(_decoded(asked)) if asked.body else "")
    name, node = find_route(routes, model, exactly=route is not None)
    targets = node.targets
    if len(targets) == 1 and isinstance(targets[0].provider, HttpProvider):
        return targets[0].provider
    problem = f"{len(targets)} targets" if len(targets) > 1 else "a target that is not behind HTTP"
    raise Rejected(
        Failure(
            404,
            "not_found",
            f"the gateway does not know {asked.method} {asked.path}, and cannot pass it on: "
            f"route {name!r} has {problem}",
        )
    )


def _decoded(asked: Asked) -> Any:
    try:
        return asked.json()
    except Rejected:  # a file, say
        return None


async def _request(provider: HttpProvider, asked: Asked, runtime: Runtime) -> HttpRequest:
    """Make the request as the provider wants it: its own base URL, headers and key."""
    theirs = tuple(
        (name, value)
        for name, value in asked.headers.items()
        if name not in _KEYS | _HOP and not name.startswith(PREFIX)
    )
    return await provider.request_for(
        Call(runtime=runtime), _path(asked), asked.body, method=asked.method, headers=theirs
    )


def _path(asked: Asked) -> str:
    path = quote(asked.path, safe="/:@!$&'()*+,;=~")
    query = urlencode(
        [(name, value) for name, value in parse_qsl(asked.query, keep_blank_values=True) if name != "key"]
    )
    return f"{path}{'?' if query else ''}{query}"

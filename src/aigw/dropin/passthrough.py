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
from aigw.ports import HttpRequest
from aigw.providers.auth import Unsigned
from aigw.providers.http import HttpProvider

if TYPE_CHECKING:
    from aigw.dropin.protocol import Asked
    from aigw.ports import HttpResponse, Runtime
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
    request = await _signed(provider, asked, runtime)
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


def _provider(routes: Routes, asked: Asked) -> Any:
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


async def _signed(provider: Any, asked: Asked, runtime: Runtime) -> HttpRequest:
    """Make the request as the provider wants it: its own base URL, headers and key."""
    # What a provider object has for its own requests is used here for another one, without a call of its own.
    chat = provider._format("chat")  # noqa: SLF001
    url = _joined(provider.where, asked)
    call = Call(runtime=runtime)
    shown = await provider._auth.show(Unsigned(call, url, asked.body, chat.key_header))  # noqa: SLF001
    set_by_us = (*chat.headers, *shown.headers, *provider._headers)  # noqa: SLF001
    ours = {name.lower() for name, _ in set_by_us}
    theirs = (
        (name, value)
        for name, value in asked.headers.items()
        if name not in _KEYS | _HOP | ours and not name.startswith(PREFIX)
    )
    return HttpRequest(url, (*theirs, *set_by_us), asked.method)


def _joined(base_url: str, asked: Asked) -> str:
    """Join them; a version that both have counts once."""
    path = quote(asked.path, safe="/:@!$&'()*+,;=~")
    version = path[: path.find("/", 1)] if "/" in path[1:] else ""
    base = base_url.removesuffix(version) if version.startswith("/v") else base_url
    query = urlencode(
        [(name, value) for name, value in parse_qsl(asked.query, keep_blank_values=True) if name != "key"]
    )
    return f"{base}{path}{'?' if query else ''}{query}"

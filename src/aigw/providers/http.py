"""A provider behind HTTP: one base URL, a way to show who asks, and a wire format for each operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zlib import crc32

from aigw.errors import AigwError, BadResponse, ConfigError, NoCapableTarget, ProviderError, TimedOut
from aigw.ports import HttpRequest
from aigw.providers.auth import Unsigned
from aigw.providers.events import Events
from aigw.providers.patience import Patience
from aigw.reply import Reply

if TYPE_CHECKING:
    from aigw.call import Call, Operation
    from aigw.chunk import Chunk
    from aigw.ports import HttpResponse, Tls
    from aigw.providers.auth import Auth, Headers
    from aigw.providers.format import Format, Formats
    from aigw.quota import QuotaHint

LONGEST_ERROR_BODY_WAIT = 5.0
"""Seconds that the body of an error may take: the status alone is enough to go on."""


class HttpProvider:
    """Sends calls to one API.

    Args:
        name: name of the provider.
        base_url: where its API begins.
        formats: makes the wire format of an operation, when it is first needed.
        auth: shows who asks.
        headers: more headers for every request.
        strict: what becomes of things that a wire format cannot say; see `aigw.wire.losses.Losses`.
        tls: certificates of its own.
        idempotency_header: the header by which it recognises a request that it has got already; empty for none.

    Raises:
        ConfigError: the URL or a header makes no sense.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        formats: Formats,
        auth: Auth,
        *,
        headers: Mapping[str, str] | None = None,
        strict: bool | None = None,
        tls: Tls | None = None,
        idempotency_header: str = "",
    ) -> None:
        self._name = name
        self._base_url = _checked_url(base_url)
        self._auth = auth
        self._headers = _checked_headers(headers or {})
        self._strict = strict
        self._tls = tls
        own = {name.lower() for name, _ in self._headers}
        self._idempotency_header = "" if idempotency_header.lower() in own else idempotency_header
        self._urls: dict[tuple[Operation, str, bool], str] = {}
        self._requests: dict[str, tuple[Headers, HttpRequest]] = {}
        self._make_format = formats
        self._formats: dict[Operation, Format] = {}

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._name

    @property
    def where(self) -> str:
        """The base URL."""
        return self._base_url

    def __repr__(self) -> str:
        return f"HttpProvider({self._name!r}, base_url={self._base_url!r})"

    def check(self) -> None:
        """Look for the key; see `aigw.providers.base.Provider.check`."""
        self._auth.check()

    def refusal(self, call: Call, model: str) -> str:
        """Tell why the wire format cannot say this call; empty if it can. Nothing is sent.

        Raises:
            ConfigError: the call makes no sense.
        """
        try:
            chosen = self._format(call.operation)
            chosen.render(call, model, self._strict)
        except AigwError as error:
            if isinstance(error, ConfigError):
                raise
            return str(error)
        return ""

    async def send(self, call: Call, model: str) -> Reply:
        """Send the call; see `aigw.providers.base.Provider.send`."""
        patience = Patience(call)
        chosen = self._format(call.operation)
        place = (call.operation, model, call.stream)
        url = self._urls.get(place) or self._place(place, chosen)
        body = _encoded(chosen.render(call, model, self._strict))
        sign = partial(self._signed, model, patience)
        unsigned = Unsigned(call, url, body, chosen.key_header)
        if call.idempotency_key is not None and not self._idempotency_header:
            call.note(self._name, "left out", "idempotency_key: it is not known there")
        while True:
            shown = await self._auth.show(unsigned)
            request = self._request(chosen, url, shown.headers)
            if call.headers:
                request = _with_headers(request, call, chosen)
            if self._idempotency_header:
                request = _with_key(request, call, body, self._idempotency_header)
            try:
                return await self._try(call, chosen, (request, body), patience, sign)
            except ProviderError as error:
                failure = sign(error)
            try:
                unsigned.tried.append(shown.key)
                if not isinstance(failure, ProviderError) or not self._refused(unsigned, failure):
                    raise failure
            finally:
                del failure  # its traceback knows this frame

    async def request_for(
        self, call: Call, path: str, body: bytes, *, method: str = "POST", headers: Headers = ()
    ) -> HttpRequest:
        """Make a request that is none of its formats': its own base URL, headers and key around what is given.

        Args:
            call: a call; its ports are there to wait with.
            path: what follows the base URL, with its query.
            body: the body that will be sent.
            method: the HTTP method.
            headers: headers of the request; those that the provider sets itself replace them.

        Raises:
            ConfigError: there is no key.
        """
        chat = self._format("chat")
        url = _joined(self._base_url, path)
        shown = await self._auth.show(Unsigned(call, url, body, chat.key_header))
        return HttpRequest(url, _over(headers, (*chat.headers, *shown.headers, *self._headers)), method, self._tls)

    def _refused(self, unsigned: Unsigned, failure: ProviderError) -> bool:
        """Tell whether another key may do better at once."""
        goes_on = self._auth.refused(unsigned.tried, failure, unsigned.call.clock.now())
        if goes_on:
            unsigned.call.note(self._name, "next key", type(failure).__name__)
        return goes_on

    async def _try(
        self,
        call: Call,
        chosen: Format,
        message: tuple[HttpRequest, bytes],
        patience: Patience,
        sign: Callable[[ProviderError], Exception],
    ) -> Reply:
        """Send it with one key."""
        parser = chosen.parser() if call.stream and chosen.parser is not None else None
        if patience.over():
            raise TimedOut("no time was left to send the request")
        response = await call.ports.transport.send(*message, connect=patience.connect, timeout=patience.left())
        if response.status != 200:  # noqa: PLR2004  (OK)
            raise await self._failure(response, chosen, patience)
        quota = partial(_quota, response.headers)
        if parser is None or response.headers.get("content-type", "").startswith("application/json"):
            # The second: a server that knows no streams and answers in one piece.
            chunks = _parsed(chosen, await response.read_all(patience.left()))
            return Reply.replay(chunks, quota)
        return Reply(Events(response, parser, patience, sign), quota)

    def _format(self, operation: Operation) -> Format:
        known = self._formats.get(operation)
        if known is not None:
            return known
        made = self._make_format(operation)
        if made is None:
            raise NoCapableTarget(f"{self._name} does not do {operation}", policy=self._name)
        self._formats[operation] = made
        return made

    def _place(self, place: tuple[Operation, str, bool], chosen: Format) -> str:
        """Make the URL of an operation, model and way of answering; it stays the same."""
        _, model, stream = place
        url = self._urls[place] = _joined(self._base_url, chosen.path(model, stream))
        return url

    def _request(self, chosen: Format, url: str, shown: Headers) -> HttpRequest:
        """Return the part of the request that stays the same for as long as the key does."""
        known = self._requests.get(url)
        if known is not None and known[0] == shown:
            return known[1]
        headers = (("content-type", "application/json"), ("user-agent", "aigw"), *chosen.headers, *shown)
        request = HttpRequest(url, _over(headers, self._headers), tls=self._tls)
        self._requests[url] = (shown, request)
        return request

    async def _failure(self, response: HttpResponse, chosen: Format, patience: Patience) -> ProviderError:
        try:
            body = await response.read_all(min(LONGEST_ERROR_BODY_WAIT, patience.left() or LONGEST_ERROR_BODY_WAIT))
        except ProviderError:
            body = b""
        error = chosen.classify(response.status, response.headers, body, provider=self._name, model="")
        if response.headers.get("x-should-retry") == "false":  # a gateway that has tried again itself says so, too
            error.retryable = False
        return error

    def _signed(self, model: str, patience: Patience, error: ProviderError) -> Exception:
        error.provider = self._name
        error.model = model
        return patience.judge(error) if isinstance(error, TimedOut) else error


def _with_headers(request: HttpRequest, call: Call, chosen: Format) -> HttpRequest:
    """Add the headers of a call to a request in the format that it was read from."""
    if call.wire != chosen.wire:
        call.note(chosen.wire, "left out", f"headers that only {call.wire} knows: {', '.join(sorted(call.headers))}")
        return request
    return HttpRequest(request.url, _over(request.headers, tuple(call.headers.items())), request.method, request.tls)


def _with_key(request: HttpRequest, call: Call, body: bytes, header: str) -> HttpRequest:
    """Add the key by which a provider recognises this request, if an attempt before has brought it there already.

    Another model or another prompt is another request, which would be refused with the same key.
    """
    key = call.idempotency_key or f"{call.id}-{crc32(body, crc32(request.url.encode())):08x}"
    return HttpRequest(request.url, (*request.headers, (header, key)), request.method, request.tls, request)


def _over(weaker: Headers, stronger: Headers) -> Headers:
    """Put headers over others: of two with the same name the stronger one stays."""
    names = {name.lower() for name, _ in stronger}
    return (*(header for header in weaker if header[0].lower() not in names), *stronger)


def _encoded(body: dict[str, Any]) -> bytes:
    from pydantic_core import PydanticSerializationError, to_json

    try:
        return to_json(body)
    except PydanticSerializationError as error:
        raise ConfigError(f"the call cannot be written as JSON ({error}); look at extra= and the tools") from error


def _parsed(chosen: Format, body: bytes) -> list[Chunk]:
    from pydantic_core import from_json

    try:
        data = from_json(body)
    except ValueError as error:
        raise BadResponse(f"an answer of {len(body)} bytes that is not JSON") from error
    return chosen.parse(data)


def _quota(headers: Mapping[str, str]) -> QuotaHint | None:
    from aigw.wire.quota import parse_quota

    return parse_quota(headers)


def _joined(base_url: str, path: str) -> str:
    """Join them. A version that both have counts once: to whom it belongs differs between the formats of one server."""
    version = path[: path.find("/", 1)]
    return base_url.removesuffix(version) + path if version.startswith("/v") else base_url + path


def _checked_url(url: str) -> str:
    shown = repr(url) if not any(sign in url for sign in "@?#") else "what was given"  # what stands there may be a key
    try:
        parts = urlsplit(url)
        legal = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port beyond 65535, a broken IPv6 address
        legal = False
        parts = urlsplit("")
    if not legal or not url.isascii() or any(letter <= " " for letter in url):
        raise ConfigError(f"{shown} is not a URL of the form http(s)://host[:port]/path")
    if parts.username or parts.password:
        raise ConfigError("a key does not belong into the URL; give api_key= or headers=")
    if parts.query or parts.fragment:
        raise ConfigError("a base URL has nothing behind its path; a key goes into api_key= or headers=")
    return url.rstrip("/")


def _checked_headers(headers: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(headers, Mapping):
        raise ConfigError(f"headers must be a mapping, not {type(headers).__name__}")
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigError(f"headers: the value of {name!r} is a {type(value).__name__}, not a text")
    return tuple(headers.items())

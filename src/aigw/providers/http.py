"""A provider behind HTTP: one base URL, one key, and a wire format for each operation."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from aigw.call import Call, Operation
from aigw.chunk import Chunk
from aigw.errors import BadRequest, BadResponse, ConfigError, ProviderError, TimedOut
from aigw.ports import HttpRequest
from aigw.providers.patience import Patience
from aigw.reply import Reply

if TYPE_CHECKING:
    from aigw.ports import HttpResponse

ApiKey = str | Callable[[], str | Awaitable[str]]
"""A key, or a function that returns the key of the moment; it is asked for every attempt."""

LONGEST_ERROR_BODY_WAIT = 5.0
"""Seconds that the body of an error may take: the status alone is enough to go on."""

LONGEST_TAIL_WAIT = 0.1
"""Seconds to wait for the end of the body after the stream's own end, so that the connection can be used again."""


class StreamParser(Protocol):
    """Turns the bytes of a streamed answer into chunks."""

    @property
    def ended(self) -> bool:
        """Whether the format's own end has come."""
        ...

    def feed(self, data: bytes) -> list[Chunk]:
        """Take the next bytes."""
        ...

    def finish(self) -> list[Chunk]:
        """Take the end of the body; raises BadResponse if the stream had not ended properly."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """How one operation is written on the wire.

    Args:
        path: what follows the base URL.
        render: makes the body of a request for a model.
        parse: reads the body of a complete answer.
        parser: makes a parser for a streamed one; ``None`` where the operation has no streams.
    """

    path: str
    render: Callable[[Call, str], dict[str, Any]]
    parse: Callable[[Any], list[Chunk]]
    parser: Callable[[], StreamParser] | None = None


@dataclass(frozen=True, slots=True)
class HttpService:
    """A row of the table of providers: everything in which one service differs from another, as data.

    Args:
        name: as in ``provider/model``.
        base_url: where its API begins.
        formats: its wire formats, made when first needed, so that nothing is loaded for a service that is not used.
        classify: makes an error of status, headers and body.
        key_env: environment variable of the key; ``None`` where no key is needed.
        key_header: name of the header of the key, and what stands before the key in it.
    """

    name: str
    base_url: str
    formats: Callable[[], Mapping[Operation, Format]]
    classify: Callable[..., ProviderError]
    key_env: str | None = None
    key_header: tuple[str, str] = ("authorization", "Bearer ")


class HttpProvider:
    """Sends calls to a service.

    Args:
        service: the row of the table.
        base_url: replaces the service's own.
        api_key: a key or a function that gives one; by default the service's environment variable is read for each
            attempt, so that a key can be changed while the program runs.
        headers: more headers for every request.
    """

    def __init__(
        self,
        service: HttpService,
        *,
        base_url: str | None = None,
        api_key: ApiKey | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._service = service
        self._base_url = _checked_url(base_url or service.base_url)
        if api_key is not None and not isinstance(api_key, str) and not callable(api_key):
            raise ConfigError(f"api_key must be a text or a function that returns one, not {type(api_key).__name__}")
        self._api_key = api_key
        self._headers = _checked_headers(headers or {})
        self._requests: dict[Operation, tuple[str | None, HttpRequest]] = {}
        self._formats: Mapping[Operation, Format] | None = None

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    @property
    def where(self) -> str:
        """The base URL."""
        return self._base_url

    def __repr__(self) -> str:
        return f"HttpProvider({self.name!r}, base_url={self._base_url!r})"

    def check(self) -> None:
        """Look for the key in the environment, if it must come from there."""
        if self._api_key is None and self._service.key_env is not None and not os.environ.get(self._service.key_env):
            raise ConfigError(
                f"no key for {self.name}: set the environment variable {self._service.key_env}, or give api_key="
            )

    async def send(self, call: Call, model: str) -> Reply:
        """Send the call; see `aigw.providers.base.Provider.send`."""
        patience = Patience(call)
        chosen = self._format(call.operation)
        request = self._request(call.operation, chosen, await self._key(call))
        body = self._body(chosen, call, model)
        parser = chosen.parser() if call.stream and chosen.parser is not None else None
        try:
            if patience.over():
                raise TimedOut("no time was left to send the request")
            response = await call.ports.transport.send(request, body, connect=patience.connect, timeout=patience.left())
            if response.status != 200:  # noqa: PLR2004  (OK)
                raise await self._failure(response, model, patience)
            if parser is None or response.headers.get("content-type", "").startswith("application/json"):
                # The second: a server that knows no streams and answers in one piece.
                return Reply.replay(self._parse(chosen, await response.read_all(patience.left())))
            return Reply(_Events(response, parser, patience, lambda error: self._signed(error, model, patience)))
        except ProviderError as error:
            failure = self._signed(error, model, patience)
        try:
            raise failure
        finally:
            del failure  # its traceback knows this frame

    def _format(self, operation: Operation) -> Format:
        if self._formats is None:
            self._formats = self._service.formats()
        chosen = self._formats.get(operation)
        if chosen is None:
            raise BadRequest(f"{operation} is not something that it does", provider=self.name)
        return chosen

    async def _key(self, call: Call) -> str | None:
        given = self._api_key
        if given is None:
            self.check()
            return os.environ.get(self._service.key_env) if self._service.key_env else None
        return given if isinstance(given, str) else await call.ports.resolve(given)

    def _request(self, operation: Operation, chosen: Format, key: str | None) -> HttpRequest:
        """Return the part of the request that stays the same for as long as the key does."""
        known = self._requests.get(operation)
        if known is not None and known[0] == key:
            return known[1]
        headers = [("content-type", "application/json"), ("user-agent", "aigw")]
        if key:
            name, prefix = self._service.key_header
            headers.append((name, prefix + key))
        own = {name.lower() for name, _ in self._headers}
        headers = [(name, value) for name, value in headers if name not in own]
        request = HttpRequest(self._base_url + chosen.path, (*headers, *self._headers))
        self._requests[operation] = (key, request)
        return request

    def _body(self, chosen: Format, call: Call, model: str) -> bytes:
        from pydantic_core import PydanticSerializationError, to_json

        try:
            return to_json(chosen.render(call, model))
        except PydanticSerializationError as error:
            raise ConfigError(f"the call cannot be written as JSON ({error}); look at extra= and the tools") from error

    def _parse(self, chosen: Format, body: bytes) -> list[Chunk]:
        from pydantic_core import from_json

        try:
            data = from_json(body)
        except ValueError as error:
            raise BadResponse(f"an answer of {len(body)} bytes that is not JSON") from error
        return chosen.parse(data)

    async def _failure(self, response: HttpResponse, model: str, patience: Patience) -> ProviderError:
        try:
            body = await response.read_all(min(LONGEST_ERROR_BODY_WAIT, patience.left() or LONGEST_ERROR_BODY_WAIT))
        except ProviderError:
            body = b""
        return self._service.classify(response.status, response.headers, body, provider=self.name, model=model)

    def _signed(self, error: ProviderError, model: str, patience: Patience) -> Exception:
        error.provider = self.name
        error.model = model
        return patience.judge(error) if isinstance(error, TimedOut) else error


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


class _Events:
    """The source of a streamed answer."""

    __slots__ = ("_begun", "_parser", "_patience", "_response", "_sign", "ready")

    def __init__(
        self,
        response: HttpResponse,
        parser: StreamParser,
        patience: Patience,
        sign: Callable[[ProviderError], Exception],
    ) -> None:
        self._response = response
        self._parser = parser
        self._patience = patience
        self._sign = sign
        self.ready: deque[Chunk] = deque()
        """Chunks that came together with the last one that was read."""
        self._begun = False

    async def read(self) -> Chunk | None:
        """Return the next chunk; ``None`` after the format's own end."""
        try:
            if self._begun and not self.ready:
                self._patience.progress()  # from here on, not from the last chunk: a slow reader is not a slow target
            while not self.ready:
                if self._parser.ended:
                    await self._read_tail()
                    return None
                if self._patience.over():
                    raise TimedOut("no chunk came in time")
                data = await self._response.read(self._patience.left())
                chunks = self._parser.feed(data) if data else self._parser.finish()
                if chunks:
                    self.ready.extend(chunks)
                    self._begun = True
                elif not data:
                    return None
            return self.ready.popleft()
        except ProviderError as error:
            failure = self._sign(error)
        try:
            raise failure
        finally:
            del failure  # as in send()

    async def close(self) -> None:
        """Let go of the connection."""
        self.ready.clear()
        await self._response.close()

    async def _read_tail(self) -> None:
        """Read what is left of the body, so that the connection can be used again; nobody waits for it long."""
        try:
            await self._response.read_all(LONGEST_TAIL_WAIT)
        except ProviderError:
            pass  # the answer is complete, only the connection is lost
        finally:
            await self._response.close()

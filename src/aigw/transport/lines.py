"""What the two transports share: how a line is opened, how a request is prepared, how failures are told.

A *line* is an httpx transport that holds a single connection. httpcore's own pool looks at all of its connections for
every request, which at 64 at once costs more than the rest of the call; a free list of lines costs the same for any
number.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from aigw.errors import BadResponse, ConfigError, ProviderError, TimedOut, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.ports import HttpRequest, Tls

KEEP_IDLE = 60.0
"""Seconds that an unused connection is kept."""

LIMITS = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEP_IDLE)

LEGAL_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LEGAL_VALUE = re.compile(r"(?:[\x21-\x7e]+(?:[ \t]+[\x21-\x7e]+)*)?")
"""Names and values of headers, as RFC 9110 has them, without its obsolete bytes beyond ASCII."""

FAILURES = (httpx.RequestError, ssl.SSLError)
"""What a connection may raise. An alert that comes with the answer, as TLS 1.3 has it, passes httpx as it is."""

Line = TypeVar("Line")


class Origin(NamedTuple):
    """A server, and the certificates that are meant for it: what a connection is good for.

    Args:
        url: scheme, host and port.
        tls: the certificates; ``None`` for the usual ones.
    """

    url: str
    tls: Tls | None = None

    def __str__(self) -> str:
        return self.url


class _RawHeaders(httpx.Headers):
    """Headers that are encoded already; httpx's transports ask for nothing but `raw`."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__()
        self._encoded = raw

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        return self._encoded


class Prepared:
    """A request in httpx's terms, but for its body: encoded once, not for each call."""

    __slots__ = ("_headers", "_method", "_url", "origin")

    def __init__(self, request: HttpRequest) -> None:
        base = request.base
        if base is None:
            self._method = request.method
            self._url = httpx.URL(request.url)
            host = self._url.netloc
            self.origin = Origin(f"{self._url.scheme}://{host.decode('ascii')}", request.tls)
            self._headers = [(b"host", host), *(_encoded(name, value) for name, value in request.headers)]
        else:
            same = prepare(base)
            self._method, self._url, self._headers, self.origin = same.parts
            self._headers = [*self._headers, *(_encoded(*header) for header in request.headers[len(base.headers) :])]

    @property
    def parts(self) -> tuple[str, httpx.URL, list[tuple[bytes, bytes]], Origin]:
        """What it is made of, for one that differs a little."""
        return self._method, self._url, self._headers, self.origin

    def with_body(self, body: bytes, timeout: dict[str, float | None]) -> httpx.Request:
        """Complete the request."""
        made = httpx.Request(self._method, self._url, stream=httpx.ByteStream(body), extensions={"timeout": timeout})
        made.headers = _RawHeaders([*self._headers, (b"content-length", b"%d" % len(body))])
        return made


def prepare(request: HttpRequest) -> Prepared:
    """Return the prepared form of a request, made once."""
    prepared = request.prepared
    if not isinstance(prepared, Prepared):
        request.prepared = prepared = Prepared(request)
    return prepared


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    # Looked at here and not left to h11, whose errors quote the value: it may be a key.
    if not LEGAL_NAME.fullmatch(name) or not LEGAL_VALUE.fullmatch(value):
        what = "the API key" if name.lower() in {"authorization", "api-key", "x-api-key"} else f"header {name!r}"
        raise ConfigError(f"{what} has characters that HTTP does not allow, such as a line break or an accent")
    return name.encode(), value.encode()


def is_encoded(response: httpx.Response) -> bool:
    """Tell whether the body must be decoded; we ask for no compression, but some servers do it all the same."""
    return any(name.lower() == b"content-encoding" for name, _ in response.headers.raw)


class Certificates:
    """The TLS set-ups that all lines of a gateway share, each made when its first ``https`` line is opened."""

    def __init__(self) -> None:
        self._contexts: dict[Tls | None, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def verify(self, origin: Origin) -> ssl.SSLContext | bool:
        """Return what httpx wants as ``verify``; loading certificates takes 10 ms and more, so it is done once.

        Raises:
            ConfigError: a certificate cannot be read; names its file.
        """
        if not origin.url.startswith("https:"):
            return False
        with self._lock:
            context = self._contexts.get(origin.tls)
            if context is None:
                context = self._contexts[origin.tls] = _context(origin.tls)
            return context


def _context(tls: Tls | None) -> ssl.SSLContext:
    try:
        if tls is None or tls.ca is None:
            context = httpx.create_ssl_context()
        else:
            context = ssl.create_default_context(cafile=tls.ca)
        if tls is not None and tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key, tls.password)
    except (OSError, ssl.SSLError) as error:  # the words of OpenSSL name no file
        files = ", ".join(file for file in (tls.ca, tls.certificate, tls.key) if file) if tls is not None else ""
        raise ConfigError(f"Tls: {files or 'the certificates'} cannot be used: {error.strerror or error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def proxy_for(origin: Origin) -> str | None:
    """Return the proxy that the environment names for an origin, obeying ``NO_PROXY``."""
    parts = urlsplit(origin.url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy is None or not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


class FreeList(Generic[Line]):
    """Idle lines by origin, the one used last on top. Safe for threads."""

    def __init__(self) -> None:
        self._idle: dict[Origin, deque[tuple[Line, float]]] = {}
        self._lock = threading.Lock()

    def take(self, origin: Origin) -> Line | None:
        """Take an idle line."""
        idle = self._idle.get(origin)
        try:
            return idle.pop()[0] if idle else None
        except IndexError:  # another thread was quicker
            return None

    def give(self, origin: Origin, line: Line, now: float) -> Line | None:
        """Give a line back; return one that was unused for too long and must be closed."""
        idle = self._idle.get(origin)
        if idle is None:
            with self._lock:
                idle = self._idle.setdefault(origin, deque())
        idle.append((line, now))
        try:
            if now - idle[0][1] < KEEP_IDLE:
                return None
            stale, since = idle.popleft()
        except IndexError:  # another thread was quicker
            return None
        if now - since < KEEP_IDLE:
            idle.appendleft((stale, since))
            return None
        return stale

    def drain(self) -> Iterator[Line]:
        """Take all idle lines."""
        for origin in list(self._idle):
            while (line := self.take(origin)) is not None:
                yield line


def shorter(connect: float | None, timeout: float | None) -> float | None:
    """Return the limit for connecting, which counts in the time for the answer."""
    limits = [limit for limit in (connect, timeout) if limit is not None]
    return min(limits, default=None)


def unanswered(
    error: Exception, origin: Origin, *, connect: float | None, timeout: float | None, late: bool
) -> ProviderError:
    """Translate a failure before the head of the answer; `late` if we ended it because the time was over."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectTimeout):
        late = timeout is not None and (connect is None or timeout <= connect)
        words = f"not within {connect or 0:.3g} s"
    if late or isinstance(error, (httpx.ReadTimeout, httpx.WriteTimeout)):
        return TimedOut(f"{origin} did not answer within {timeout or 0:.3g} s")
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return Unreachable(f"no connection to {origin}: {words}")
    return Unreachable(f"{origin} closed the connection before it answered: {words}")


def cut(error: Exception) -> BadResponse:
    """Translate a failure inside the body of an answer."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.DecodingError):
        return BadResponse(f"the answer is compressed in a way that cannot be read: {words}")
    return BadResponse(f"the connection was closed in the middle of the answer: {words}")

"""How a request shows who sends it: the protocol, and keys, by far the most common way."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from aigw.call import Call
from aigw.errors import (
    AuthenticationFailed,
    ConfigError,
    PermissionDenied,
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
)
from aigw.mechanics.rotation import Rotation

KeySource = str | Callable[[], str | Awaitable[str]]
ApiKey = KeySource | Sequence[KeySource]
"""A key, a function that returns the key of the moment and is asked for every attempt, or several of these."""

Headers = tuple[tuple[str, str], ...]
KeyHeader = tuple[str, str]
"""The name of a header, and what stands before the key in it."""

BEARER: Final = ("authorization", "Bearer ")

SHORT_REST: Final = 10.0
"""Seconds that a key of a pool is left alone after it was too fast, where the provider does not say how long."""

LONG_REST: Final = 300.0
"""Seconds that a key of a pool is left alone after it was refused or its account was empty."""

_RESTS: Final = (
    (ProviderRateLimited, SHORT_REST),
    (QuotaExhausted, LONG_REST),
    (AuthenticationFailed, LONG_REST),
    (PermissionDenied, LONG_REST),
)


@dataclass(slots=True)
class Unsigned:
    """A request that does not yet show who sends it.

    Args:
        call: the call; its ports are there to wait with.
        url: where it goes.
        body: its body.
        key_header: where the wire format has its key, unless the provider wants it elsewhere.
        tried: the keys that this call has tried and that were refused.
    """

    call: Call
    url: str
    body: bytes
    key_header: KeyHeader
    tried: list[int] = field(default_factory=list)


class Shown(NamedTuple):
    """What shows who sends a request.

    Args:
        headers: headers for it.
        key: which key of a pool that is.
    """

    headers: Headers
    key: int = 0


class Auth(Protocol):
    """Makes the headers that show who sends a request."""

    def check(self) -> None:
        """Look whether there is something to show, without sending anything.

        Raises:
            ConfigError: there is not; says what to do.
        """
        ...

    async def show(self, request: Unsigned) -> Shown:
        """Make the headers for one attempt."""
        ...

    def refused(self, tried: Sequence[int], error: ProviderError, now: float) -> bool:
        """Hear that the provider refused an attempt; tell whether another key may do better at once.

        Args:
            tried: the keys that this call has tried, the one of the attempt last.
            error: how it failed.
            now: the time on the call's clock.
        """
        ...


class KeyAuth:
    """One key or a pool of them.

    A key is a text or a function; with neither, the environment is read for each attempt, so that a key can be changed
    while the program runs. The keys of a pool take turns. One that was refused, is out of money or too fast rests, and
    the next one is tried at once.

    Args:
        provider: name of the provider, for errors.
        api_key: a key, a function that returns one (also a coroutine function), or a list of these. An empty text is no
            key: nothing is shown.
        env: environment variables to read without `api_key`; the first one that is set counts. With none the provider
            needs no key.
        header: where the key goes, if not where the wire format has it.

    Raises:
        ConfigError: `api_key` is something else.
    """

    def __init__(
        self,
        provider: str,
        api_key: ApiKey | None = None,
        *,
        env: tuple[str, ...] = (),
        header: KeyHeader | None = None,
    ) -> None:
        self._provider = provider
        self._env = env
        self._header = header
        self._keys = _checked(api_key)
        self._rotation = Rotation(len(self._keys))
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        what = f"{len(self._keys)} keys" if self._keys else "from the environment"
        return f"KeyAuth({self._provider!r}, {what})"

    def check(self) -> None:
        """Look for the key in the environment, if it must come from there.

        Raises:
            ConfigError: there is none; names the variables.
        """
        if not self._keys and self._env and not self._from_environment():
            raise ConfigError(
                f"no key for {self._provider}: set the environment variable {' or '.join(self._env)}, or give api_key="
            )

    async def show(self, request: Unsigned) -> Shown:
        """Make the header of the key; see `Auth`."""
        name, prefix = self._header or request.key_header
        if not self._keys:
            self.check()
            key = self._from_environment()
            return Shown(((name, prefix + key),) if key else ())
        position = self._take(request) if len(self._keys) > 1 else 0
        source = self._keys[position]
        key = source if isinstance(source, str) else await request.call.ports.resolve(source)
        if not isinstance(key, str):
            raise ConfigError(f"the function in api_key= for {self._provider} returned a {type(key).__name__}, no text")
        return Shown(((name, prefix + key),) if key else (), position)

    def refused(self, tried: Sequence[int], error: ProviderError, now: float) -> bool:
        """Let the key of a pool rest; see `Auth`."""
        rest = next((seconds for kind, seconds in _RESTS if isinstance(error, kind)), None)
        if rest is None or len(self._keys) < 2:  # noqa: PLR2004  (one key is no pool)
            return False
        if isinstance(error, ProviderRateLimited) and error.retry_after is not None:
            rest = error.retry_after
        with self._lock:
            self._rotation.rest(tried[-1], now + rest)
            goes_on = self._rotation.is_awake(now, tried)
            first = self._rotation.wakes_at() - now
        if not goes_on and isinstance(error, ProviderRateLimited):
            error.retry_after = max(first, 0.0)  # until any key is there again, not only the one tried last
        return goes_on

    def _take(self, request: Unsigned) -> int:
        with self._lock:
            return self._rotation.take(request.call.clock.now(), request.tried)

    def _from_environment(self) -> str:
        return next(filter(None, map(os.environ.get, self._env)), "")


def _checked(api_key: ApiKey | None) -> tuple[KeySource, ...]:
    if api_key is None:
        return ()
    if isinstance(api_key, str) or callable(api_key):
        return (api_key,)
    if not isinstance(api_key, (list, tuple)):
        raise ConfigError(f"api_key must be a text or a function that returns one, not {type(api_key).__name__}")
    if not api_key:
        raise ConfigError("api_key is an empty list; give at least one key")
    for position, key in enumerate(api_key):
        if not isinstance(key, str) and not callable(key):
            raise ConfigError(f"api_key[{position}] must be a text or a function, not {type(key).__name__}")
        if not key:
            raise ConfigError(f"api_key[{position}] is empty; leave it out")
    return tuple(api_key)

"""The ports: everything that a policy, a provider or a node may wait on.

A policy is written once, as ``async def``, and waits only through what the call carries: ``call.clock.sleep``,
``call.runtime.flag().wait``, the transport. Each port has a blocking and a loop version (`aigw.runtime`,
`aigw.transport`); the blocking one does its waiting inside and never suspends, so that the blocking gateway can drive
the same coroutine without an event loop.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Coroutine, Mapping


T = TypeVar("T")


class Clock(Protocol):
    """Time, as one call sees it. All times in aigw are float seconds."""

    def now(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def time(self) -> float:
        """Wall time: seconds since 1970, for calendar periods and records. It may be set, and jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Flag(Protocol):
    """A thing to wait for that any thread or loop can set, once."""

    def set(self) -> None:
        """Wake whoever waits now, and everybody who waits later."""
        ...

    def is_set(self) -> bool:
        """Tell whether `set` was called."""
        ...

    async def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, at most `timeout` seconds; tell whether it is."""
        ...


class CancelledError(BaseException):
    """Ends the work of a thread that was cancelled, where it waits; in an event loop asyncio's own does so."""


class Interrupt:
    """Ends the waits of one thread from another. Whatever waits in that thread says how its wait can be ended."""

    __slots__ = ("_event", "_lock", "_stop")

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None

    def set(self) -> None:
        """End the wait that goes on, and every later one."""
        with self._lock:
            self._event.set()
            if self._stop is not None:  # in the lock: once `release` has returned, nobody stops what was waited for
                self._stop()

    def is_set(self) -> bool:
        """Tell whether `set` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise a `CancelledError` if it is set."""
        if self._event.is_set():
            raise CancelledError

    def guard(self, stop: Callable[[], None]) -> None:
        """End what is waited for from now on with `stop`; at once, if it is set already."""
        with self._lock:
            self._stop = stop
            if self._event.is_set():
                stop()

    def release(self) -> None:
        """The wait is over."""
        with self._lock:
            self._stop = None

    def sleep(self, seconds: float) -> None:
        """Sleep.

        Raises:
            CancelledError: it was set before or meanwhile.
        """
        if self._event.wait(seconds):
            raise CancelledError


INTERRUPT: Final[ContextVar[Interrupt | None]] = ContextVar("aigw_interrupt", default=None)
"""What may end the waits of this thread; ``None`` where nobody can."""


class Branch(Generic[T]):
    """Work that goes on beside the one who began it; see `Runtime.spawn`.

    Args:
        stop: ends its waits.
    """

    __slots__ = ("_callbacks", "_error", "_lock", "_over", "_stop", "_value")

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop: Callable[[], object] | None = stop
        self._callbacks: list[Callable[[], None]] = []
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._over = False
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether it has returned or failed."""
        return self._over

    def when_over(self, callback: Callable[[], None]) -> None:
        """Call `callback` when it is over, from wherever it ends; at once, if it is over already."""
        with self._lock:
            if not self._over:
                self._callbacks.append(callback)
                return
        callback()

    def cancel(self) -> None:
        """End the wait that it is in. It may take its time, or return all the same."""
        stop = self._stop
        if stop is not None:
            stop()

    def result(self) -> T:
        """Return or raise what came of it. To be asked once, when it is over."""
        error, self._error = self._error, None
        if error is None:
            return self._value.pop()
        try:
            raise error
        finally:
            del error  # its traceback knows this frame

    def finish(self, value: T) -> None:
        """It has returned."""
        self._value.append(value)
        self._end()

    def fail(self, error: BaseException) -> None:
        """It has failed."""
        self._error = error
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._over = True
            self._stop = None  # it knows what ran this
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server is known, and how we show who we are, where the usual certificates will not do.

    A server is always verified, and never spoken to with less than TLS 1.2; there is no switch for either.

    Args:
        ca: path of a file of certificates, in PEM, of those who may have signed the server's; they replace the usual
            ones.
        certificate: path of a client certificate, in PEM, with those between it and its root.
        key: path of its private key, where it is not in the same file.
        password: the key's, where it has one.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class HttpRequest:
    """All of a request that stays the same from call to call: built once per target and key.

    Args:
        url: absolute URL.
        headers: names and values; ``content-length`` is added for each body.
        method: the HTTP method.
        tls: certificates of its own.
        base: the request of which this is a copy for one call, with a few more headers at its end.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False, default=())
    method: str = "POST"
    tls: Tls | None = None
    base: HttpRequest | None = field(default=None, repr=False)
    prepared: Any = field(default=None, repr=False)
    """Where a transport keeps its own form of the request."""


class HttpResponse(Protocol):
    """The head of an answer, and its body as it comes."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers; looking one up ignores case."""
        ...

    async def read(self, timeout: float | None) -> bytes:
        """Return the next piece of the body, ``b""`` at its end.

        Raises:
            TimedOut: nothing came within `timeout` seconds.
            BadResponse: the body was cut.
        """
        ...

    async def read_all(self, timeout: float | None) -> bytes:
        """Return the rest of the body, as `read` does, within `timeout` seconds in all."""
        ...

    async def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end. Closing twice is fine."""
        ...


class Transport(Protocol):
    """Sends requests. The only port that knows about sockets."""

    async def send(
        self, request: HttpRequest, body: bytes, *, connect: float | None, timeout: float | None
    ) -> HttpResponse:
        """Send `body` and wait for the head of the answer.

        Args:
            request: the unchanging part.
            body: what to send.
            connect: seconds for the connection to stand.
            timeout: seconds until the head of the answer is there, connecting included.

        Raises:
            Unreachable: no connection, or it was closed before the head came.
            TimedOut: it took too long.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


@runtime_checkable
class Runtime(Protocol):
    """What a face gives to every call that it makes: its ports and its randomness."""

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def rng(self) -> random.Random:
        """The only source of chance."""
        ...

    @property
    def transport(self) -> Transport:
        """The HTTP transport of this thread or loop."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether waiting blocks the thread (`Gateway`) rather than suspends the task (`AsyncGateway`)."""
        ...

    def flag(self) -> Flag:
        """Make a flag that this face can wait for."""
        ...

    async def resolve(self, function: Callable[[], T | Awaitable[T]]) -> T:
        """Call a user's function, which may be a coroutine function unless the face blocks."""
        ...

    def discard(self, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Close something that nobody waits for any more, from wherever this is called (a finalizer, say)."""
        ...

    def spawn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Branch[T]:
        """Begin something that goes on beside the caller: in a task of this loop, or in a thread of its own.

        It sees the context variables of the caller. Whoever begins it cancels it, or waits until it is over.
        """
        ...

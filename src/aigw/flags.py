"""Flags that a thread, or the tasks of a loop, wait for; any thread may set them, a finalizer too."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class BlockingFlag:
    """A flag that a thread waits for.

    A finalizer may set it in the middle of any step of `wait`, in the same thread. `threading.Event` would wait for
    itself then; a bare lock that is held until the flag is set does not.
    """

    def __init__(self) -> None:
        self._set = False
        self._held = threading.Lock()
        self._held.acquire()

    def set(self) -> None:
        """Wake everybody."""
        self._set = True
        with suppress(RuntimeError):  # it was let go already
            self._held.release()

    def is_set(self) -> bool:
        """Tell whether `set` was called."""
        return self._set

    async def wait(self, timeout: float | None = None) -> bool:
        """Block until it is set, at most `timeout` seconds."""
        longest = -1.0 if timeout is None else min(max(timeout, 0.0), threading.TIMEOUT_MAX)
        if not self._set and self._held.acquire(timeout=longest):
            with suppress(RuntimeError):  # the next one's turn to wake
                self._held.release()
        return self._set


class LoopFlag:
    """A flag that tasks of one loop wait for, and any thread may set; a finalizer too, in the middle of any step."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._set = False
        self._lock = threading.RLock()
        self._waiters: list[asyncio.Future[None]] = []

    def set(self) -> None:
        """Wake everybody, from any thread."""
        with self._lock:
            self._set = True
            waiters, self._waiters = self._waiters, []
        if waiters:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                self._loop.call_soon_threadsafe(_wake, waiters)

    def is_set(self) -> bool:
        """Tell whether `set` was called."""
        return self._set

    async def wait(self, timeout: float | None = None) -> bool:
        """Suspend until it is set, at most `timeout` seconds."""
        import asyncio

        if self._set:
            return True
        waiter: asyncio.Future[None] = self._loop.create_future()
        with self._lock:
            self._waiters.append(waiter)
        try:
            if self.is_set():  # asked for only now, so that nobody sets it unseen
                return True
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            return self._set
        finally:
            with self._lock, suppress(ValueError):  # it was set, and the waiters were taken
                self._waiters.remove(waiter)
        return True


def _wake(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)

"""Clocks for tests: `FakeClock` never waits, `HeldClock` waits until the test lets it go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aigw.flags import BlockingFlag, LoopFlag

if TYPE_CHECKING:
    from aigw.ports import Flag


class FakeClock:
    """A clock that moves only when somebody sleeps on it or calls `advance`. It never really waits.

    It serves both faces of a gateway, and any number of threads.

    Args:
        start: what it shows at first, in seconds.
        epoch: wall time at zero, in seconds since 1970; by default 1 November 2026, midnight UTC.
    """

    def __init__(self, start: float = 0.0, *, epoch: float = 1_793_491_200.0) -> None:
        self._epoch = epoch
        self.sleeps: list[float] = []
        """The seconds that somebody wanted to sleep, in order."""
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the seconds that it shows."""
        return self._now

    def time(self) -> float:
        """Return the wall time, which moves with it."""
        return self._epoch + self._now

    async def sleep(self, seconds: float) -> None:
        """Write the seconds down and move on by them, without waiting or suspending."""
        with self._lock:
            self.sleeps.append(seconds)
            self._now += max(seconds, 0.0)

    def advance(self, seconds: float) -> None:
        """Move on.

        Raises:
            ValueError: `seconds` is negative; a clock never goes back.
        """
        if seconds < 0:
            raise ValueError(f"a clock never goes back: advance({seconds:g})")
        with self._lock:
            self._now += seconds

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._now:g})"


class HeldClock(FakeClock):
    """A clock on which sleepers really wait, until the test moves it far enough, releases or cancels them.

    For tests that do something while a call waits::

        task = asyncio.create_task(gateway.chat("hello"))
        await clock.waiting()
        task.cancel()

    Under an event loop the task is suspended; elsewhere the thread is blocked, and another one must let it go on.
    """

    def __init__(self, start: float = 0.0, *, epoch: float = 1_793_491_200.0) -> None:
        super().__init__(start, epoch=epoch)
        self._sleepers: list[tuple[float, Flag]] = []
        self._watchers: list[tuple[int, Flag]] = []

    @property
    def sleepers(self) -> int:
        """How many wait just now."""
        return len(self._sleepers)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved on by `seconds`; zero and less is over at once."""
        flag = _flag()
        with self._lock:
            self.sleeps.append(seconds)
            if seconds <= 0:
                return
            sleeper = (self._now + seconds, flag)
            self._sleepers.append(sleeper)
            seen = [watcher for count, watcher in self._watchers if count <= len(self._sleepers)]
        for watcher in seen:
            watcher.set()
        try:
            await flag.wait()
        finally:
            with self._lock:
                if sleeper in self._sleepers:
                    self._sleepers.remove(sleeper)

    async def waiting(self, count: int = 1) -> None:
        """Wait until at least `count` sleepers are there.

        A blocking test calls ``aigw.runtime.drive(clock.waiting())``.
        """
        flag = _flag()
        watcher = (count, flag)
        with self._lock:
            if len(self._sleepers) >= count:
                return
            self._watchers.append(watcher)
        try:
            await flag.wait()
        finally:
            with self._lock:
                self._watchers.remove(watcher)

    def advance(self, seconds: float) -> None:
        """Move on, and wake every sleeper whose time has come.

        Raises:
            ValueError: `seconds` is negative.
        """
        super().advance(seconds)
        self._wake()

    def release(self) -> None:
        """Wake every sleeper: move on to the time that the last of them waits for."""
        with self._lock:
            self._now = max([self._now, *(until for until, _ in self._sleepers)])
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper not in due]
        for _, flag in due:
            flag.set()


def _flag() -> Flag:
    """Make a flag that the caller can wait for, wherever it runs."""
    import asyncio

    try:
        return LoopFlag(asyncio.get_running_loop())
    except RuntimeError:  # no loop runs in this thread
        return BlockingFlag()

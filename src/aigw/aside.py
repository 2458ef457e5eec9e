"""Work that would hold up an event loop, or may never end, done by threads while whoever asked waits through ports."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.ports import Flag, Runtime

T = TypeVar("T")

MOST_THREADS: Final = 4
IDLE: Final = 1.0
"""Seconds that a thread without work lives on. To start one holds up a loop for some milliseconds while others work."""

BREATH: Final = 0.001
"""Seconds of work between two rests."""
REST: Final = 0.00005
"""Seconds of a rest: enough for another thread to come in."""


class TooSlow(Exception):
    """It was not done in its time."""


def breathe(now: Callable[[], float] = time.perf_counter, sleep: Callable[[float], object] = time.sleep) -> None:
    """Let an event loop come in, if this is a thread beside one; call it about every tenth of a millisecond of work.

    A thread that computes gives way by itself only after 5 ms (``sys.getswitchinterval``), and a loop would wait for
    that again and again.

    Args:
        now: the time.
        sleep: rests.
    """
    thread = threading.current_thread()
    if isinstance(thread, BesideThread) and now() - thread.rested > BREATH:
        sleep(REST)
        thread.rested = now()


async def beside(runtime: Runtime, work: Callable[[], T], timeout: float | None = None) -> T:
    """Do something that blocks (other people's libraries, files, databases), and wait for it.

    The blocking face does it in the caller's thread, and as long as it takes; for the other one a thread is started.

    Args:
        runtime: the ports to wait with.
        work: what to do; what it raises is raised here.
        timeout: seconds to wait at most.

    Raises:
        TooSlow: it was not done by then. The work goes on, and what it returns is dropped.
    """
    if runtime.blocking:
        return work()
    job = _Job(work, runtime.flag())
    threading.Thread(target=job.run, name="aigw-beside", daemon=True).start()
    result: T = await _result(job, timeout)
    return result


class Aside:
    """Runs functions in a few threads, which end soon after there is no work any more, on both faces.

    A function that never ends keeps its thread; the others go on with what is left. Threads end with the process.

    Args:
        most: threads at a time.
    """

    def __init__(self, most: int = MOST_THREADS) -> None:
        self._most = most
        self.restart()

    def restart(self) -> None:
        """Begin without jobs: those of a parent process are not ours, and its threads are not here."""
        self._ready = threading.Condition(threading.Lock())
        self._jobs: deque[_Job] = deque()
        self._threads = 0
        self._idle = 0
        self._process = os.getpid()

    async def run(self, runtime: Runtime, work: Callable[[], T], timeout: float | None = None) -> T:
        """Do it, and return what it returned, or raise what it raised.

        Args:
            runtime: the ports to wait with.
            work: what to do. It is not begun if nobody waits for it any more.
            timeout: seconds until it must be done.

        Raises:
            TooSlow: it was not done by then.
        """
        if os.getpid() != self._process:
            self.restart()
        job = _Job(work, runtime.flag())
        self._add(job)
        result: T = await _result(job, timeout)
        return result

    def _add(self, job: _Job) -> None:
        with self._ready:
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._ready.notify()
                return
            if self._threads >= self._most:
                return
            self._threads += 1
        BesideThread(target=self._run, name="aigw-aside", daemon=True).start()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            job.run()
            del job  # whoever waits for more work must not keep what was done

    def _next(self) -> _Job | None:
        with self._ready:
            if not self._jobs:
                self._idle += 1
                self._ready.wait_for(lambda: self._jobs, IDLE)
                self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads -= 1
            return None


class BesideThread(threading.Thread):
    """A thread that computes beside an event loop; see `breathe`."""

    rested = 0.0


class _Job:
    __slots__ = ("_error", "_value", "_work", "is_wanted", "over")

    def __init__(self, work: Callable[[], Any], over: Flag) -> None:
        self._work = work
        self.over = over
        self.is_wanted = True
        self._value: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            if self.is_wanted:
                self._value = self._work()
        except BaseException as error:  # noqa: BLE001  (it is raised where the result is waited for)
            self._error = error
        finally:
            self.over.set()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


async def _result(job: _Job, timeout: float | None) -> Any:
    try:
        if not await job.over.wait(timeout):
            raise TooSlow(f"not done within {timeout:g} s")
    finally:
        job.is_wanted = False
    return job.result()

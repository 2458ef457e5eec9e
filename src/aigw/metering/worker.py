"""Counting that would hold up an event loop, done by a thread beside it."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call
    from aigw.ports import Flag

T = TypeVar("T")


class Worker:
    """Does one job after the other in a thread, which lives as long as there are jobs.

    One thread, because more of them would take the processor from the application, not the time from the jobs.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._is_running = False
        self.restart()

    async def run(self, call: Call, work: Callable[[], T]) -> T | None:
        """Do something that takes long, and wait for it through the ports of the call.

        Args:
            call: whose ports to wait with, and whose deadline holds.
            work: what to do.

        Returns:
            What `work` returned; ``None`` if it failed, or the deadline came first.
        """
        job = _Job(work, call.ports.flag())
        self._add(job)
        left = call.remaining()
        try:
            await job.done.wait(None if left == float("inf") else max(left, 0.0))
        finally:
            job.is_wanted = False
        return job.result[0] if job.result else None

    def _add(self, job: _Job[Any]) -> None:
        if os.getpid() != self._process:
            self.restart()
        with self._lock:
            self._jobs.append(job)
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._run, name="aigw-counting", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_running = False
                    return
                job = self._jobs.popleft()
            job.run()

    def restart(self) -> None:
        """Begin without jobs: those of the parent process are not ours, and its thread is not here."""
        self._lock = threading.Lock()
        self._jobs: deque[_Job[Any]] = deque()
        self._is_running = False
        self._process = os.getpid()


class _Job(Generic[T]):
    __slots__ = ("_work", "done", "is_wanted", "result")

    def __init__(self, work: Callable[[], T], done: Flag) -> None:
        self._work = work
        self.done = done
        self.is_wanted = True
        self.result: list[T] = []

    def run(self) -> None:
        try:
            if self.is_wanted:
                self.result.append(self._work())
        except Exception:  # noqa: BLE001, S110  (whoever waits gets nothing, and estimates)
            pass
        finally:
            self.done.set()

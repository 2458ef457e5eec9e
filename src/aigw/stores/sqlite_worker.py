"""`Worker`: the thread of a `SqliteLedger`, which does what an event loop must not wait for."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.stores.sqlite_file import Job

IDLE: Final = 5.0
"""Seconds without a job after which the thread ends, until the next one comes."""

PAUSE: Final = 1.0
"""Seconds after which it tries again what could not be written."""

BATCH: Final = 256
"""Jobs of one transaction."""


class Worker:
    """A queue of jobs and a thread, which runs only while there are any.

    Jobs may be put by finalizers, that is in the middle of any other code: no lock is waited for.

    Args:
        run: does jobs, and whatever else is left; tells whether everything is done. Raises nothing.
    """

    def __init__(self, run: Callable[[Sequence[Job]], bool]) -> None:
        self._run = run
        self._queue: SimpleQueue[Job | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, job: Job | threading.Event | None) -> bool:
        """Have a job done, or with ``None`` what is left; tell whether there is a thread to do it."""
        self._queue.put(job)
        return self._thread is not None or self._start()

    def stop(self, seconds: float) -> None:
        """Have everything done that was put, and end the thread; wait for that so long at most."""
        if self._thread is not None:
            ended = threading.Event()
            if self.put(ended):
                ended.wait(seconds)

    def _start(self) -> bool:
        while self._thread is None and not self._queue.empty():
            if not self._starting.acquire(blocking=False):
                return True  # whoever holds it looks again when he has given it back
            try:
                if self._thread is None:
                    self._thread = thread = threading.Thread(target=self._serve, name="aigw-limits", daemon=True)
                    thread.start()
            except RuntimeError:  # the interpreter is about to end, or the system has no more threads
                self._thread = None
                return False
            finally:
                self._starting.release()
        return True

    def _serve(self) -> None:
        """Do jobs until none has come for a while."""
        done = True
        ends: list[threading.Event] = []
        try:
            while not ends:
                jobs, ends = self._gather(IDLE if done else PAUSE)
                if jobs is None and done:
                    break
                done = self._run(jobs or [])
        finally:
            self._thread = None
            self._start()  # something may have come since this thread last looked
            for end in ends:
                end.set()

    def _gather(self, seconds: float) -> tuple[list[Job] | None, list[threading.Event]]:
        """Wait for a job, and take those that wait with it; ``None`` if there was nothing at all."""
        jobs: list[Job] = []
        try:
            item = self._queue.get(timeout=seconds)
        except Empty:
            return None, []
        try:
            while True:
                if isinstance(item, threading.Event):
                    return jobs, [item]
                if item is not None:
                    jobs.append(item)
                if len(jobs) >= BATCH:
                    break
                item = self._queue.get_nowait()
        except Empty:
            pass
        return jobs, []

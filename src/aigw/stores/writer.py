"""`BackgroundWriter`: writes records with a thread of its own, so that no call waits for a disk."""

from __future__ import annotations

import atexit
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

GATHER: Final = 0.05
"""Seconds in which records come together before they are written in one go."""
BATCH: Final = 1000
"""Records that are written in one go."""
IDLE: Final = 5.0
"""Seconds without a record after which the thread ends and the file is closed, until the next one comes; also the
seconds after which what could not be written is tried again."""
MOST_WAITING: Final = 100_000
"""Records that may wait while they cannot be written; what comes then is lost."""
LONGEST_FLUSH: Final = 60.0
"""Seconds that `flush` and `close` wait at most."""


class NotWrittenError(Exception):
    """The records cannot be written now; the message says why. They wait, and are tried again."""


class BackgroundWriter(Generic[T]):
    """Takes records from any thread, and from finalizers, and has its own thread write what came together in 50 ms.

    Args:
        what: what is written, in the plural, for the log.
        write: writes records, all or none, and returns how many of them can never be written, which it left out; may
            raise `NotWrittenError`.
        let_go: closes what `write` has opened.
        log: is told of what cannot be written.
    """

    def __init__(
        self, what: str, write: Callable[[Sequence[T]], int], let_go: Callable[[], None], log: logging.Logger
    ) -> None:
        self._what = what
        self._write_all = write
        self._let_go = let_go
        self._log = log
        self._lost = 0
        self.trouble = ""
        """Why nothing can be written now; empty while nothing is wrong."""
        self.restart()

    def restart(self) -> None:
        """Begin anew, without the records, the thread and the locks of a parent process."""
        # A queue that finalizers may put into: a lock could be held already by the very thread that they interrupt.
        self._queue: SimpleQueue[T | _Mark] = SimpleQueue()
        self._hurry = threading.Event()
        self._worker: threading.Thread | None = None
        self._starting = threading.Lock()

    def add(self, record: T) -> None:
        """Have a record written soon. Never waits and never raises."""
        if self._queue.qsize() >= MOST_WAITING:
            self._lost += 1
            return
        self._queue.put(record)
        if self._worker is None:
            self._start()

    def flush(self) -> None:
        """Wait until everything that was added is written, or cannot be."""
        self._mark(_Mark())

    def close(self) -> None:
        """Write what is not written yet, and let go. A record that comes later begins again."""
        self._mark(_Mark(last=True))

    def _mark(self, mark: _Mark) -> None:
        if self._worker is None and self._queue.empty():
            return
        self._queue.put(mark)
        self._hurry.set()
        if self._start():
            mark.passed.wait(LONGEST_FLUSH)

    def _start(self) -> bool:
        """See to it that somebody writes; tell whether that is possible."""
        while self._worker is None and not self._queue.empty():
            if not self._starting.acquire(blocking=False):
                return True  # whoever holds it looks again when he has given it back
            try:
                if self._worker is None:
                    worker = threading.Thread(target=self._run, name="aigw-writer", daemon=True)
                    self._worker = worker
                    worker.start()
                    atexit.register(self.close)
            except RuntimeError as error:  # the interpreter is about to end, or the system has no more threads
                self._worker = None
                self._log.warning("%s cannot be written: %s", self._what, error)
                return False
            finally:
                self._starting.release()
        return True

    def _run(self) -> None:
        """Write what comes, until nothing has come for a while."""
        records: list[T] = []
        marks: list[_Mark] = []
        try:
            while not any(mark.last for mark in marks):
                marks = self._gather(records)
                if not records and not marks:
                    break
                self._write(records)
                _pass(mark for mark in marks if not mark.last)
        finally:
            self._let_go()
            if records:
                self._log.warning("%d %s are lost", len(records), self._what)
            atexit.unregister(self.close)
            self._worker = None
            self._start()  # something may have come since this thread last looked
            _pass(marks)

    def _gather(self, records: list[T]) -> list[_Mark]:
        """Wait for records, and take those that come together; return the marks among them."""
        marks: list[_Mark] = []
        try:
            item = self._queue.get(timeout=IDLE)
            if not isinstance(item, _Mark) and self._queue.qsize() < BATCH:
                self._hurry.wait(GATHER)
            self._hurry.clear()
            while True:
                if isinstance(item, _Mark):
                    marks.append(item)
                    break
                records.append(item)
                if len(records) >= BATCH:
                    break
                item = self._queue.get_nowait()
        except Empty:
            pass
        return marks

    def _write(self, records: list[T]) -> None:
        """Write records and forget them; where that fails, they are kept for another time."""
        try:
            self._lost += self._write_all(records)
        except NotWrittenError as error:
            self._let_go()
            if not self.trouble:
                self._log.warning("%s cannot be written now, and wait in memory: %s", self._what, error)
            self.trouble = str(error)
            self._lost += max(len(records) - MOST_WAITING, 0)
            del records[MOST_WAITING:]
        else:
            self.trouble = ""
            records.clear()
            if self._lost:
                lost, self._lost = self._lost, 0
                self._log.warning("%d %s are lost", lost, self._what)


class _Mark:
    """A place in the queue that somebody waits for.

    Args:
        last: the thread ends here.
    """

    def __init__(self, *, last: bool = False) -> None:
        self.last = last
        self.passed = threading.Event()


def _pass(marks: Iterable[_Mark]) -> None:
    for mark in marks:
        mark.passed.set()

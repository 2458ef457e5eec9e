"""`SqliteUsage`: usage records in a file, written by a thread of its own."""

from __future__ import annotations

import atexit
import logging
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.stores.database import around_forks, open_database
from aigw.usage.record import UsageRecord
from aigw.usage.rows import KIND, drop_before, insert, read_records

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator, Sequence

GATHER: Final = 0.05
"""Seconds in which records come together before they are written in one transaction."""
BATCH: Final = 1000
"""Records of one transaction."""
IDLE: Final = 5.0
"""Seconds without a record after which the thread ends and the file is closed, until the next one comes."""
MOST_WAITING: Final = 100_000
"""Records that may wait while the file cannot be written; what comes then is lost."""
LONGEST_FLUSH: Final = 60.0
"""Seconds that `flush` and `close` wait at most."""

_LOG: Final = logging.getLogger("aigw.usage")


class SqliteUsage:
    """Keeps records in a SQLite file, which several processes may share; ``aigw usage`` reads it.

    Calls never wait for the disk: a thread writes what has come together in 50 ms as one transaction. A process that is
    killed loses at most what it had not written by then; `close` writes the rest. Where the file cannot be written (the
    disk is full, say) records wait in memory, 100,000 at most, and the log ``aigw.usage`` tells.

    Args:
        path: the file; made, with mode 0600, if it is not there. Not on a network drive.
        keep_days: drop records of calls that are older than so many days, counted back from the newest; ``None`` keeps
            them all.

    Raises:
        ConfigError: the file cannot be opened, or holds something else.
    """

    def __init__(self, path: str | os.PathLike[str], *, keep_days: int | None = None) -> None:
        self.path = Path(path)
        self._keep = None if keep_days is None else at_least("SqliteUsage(keep_days)", keep_days, 1) * 86_400.0
        self._pruned = 0.0
        self._lost = 0
        self._failing = False
        self._begin()
        around_forks(before=self._before_fork, in_parent=self._after_fork, in_child=self._begin)
        open_database(self.path, KIND).close()

    def _begin(self) -> None:
        # A queue that finalizers may put into: a lock could be held already by the very thread that they interrupt.
        self._queue: SimpleQueue[UsageRecord | _Mark] = SimpleQueue()
        self._hurry = threading.Event()
        self._worker: threading.Thread | None = None
        self._starting = threading.Lock()
        self._file = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __repr__(self) -> str:
        return f"SqliteUsage({str(self.path)!r})"

    def add(self, record: UsageRecord) -> None:
        """Have a record written soon; see `UsageLog.add`."""
        if self._queue.qsize() >= MOST_WAITING:
            self._lost += 1
            return
        self._queue.put(record)
        if self._worker is None:
            self._start()

    def records(self, since: float | None = None, until: float | None = None) -> Iterator[UsageRecord]:
        """Yield the records of a time, also those of other processes, in the order of their calls; see `UsageLog`.

        Raises:
            ConfigError: the file is gone, or is another one.
        """
        self.flush()
        return read_records(self.path, since, until, self._file)

    def flush(self) -> None:
        """Wait until everything that was added is in the file, or cannot be written."""
        self._mark(_Mark())

    def close(self) -> None:
        """Write down what is not written yet, and close the file. A record that comes later opens it again."""
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
                    worker = threading.Thread(target=self._run, name="aigw-usage", daemon=True)
                    self._worker = worker
                    worker.start()
                    atexit.register(self.close)
            except RuntimeError as error:  # the interpreter is about to end, or the system has no more threads
                self._worker = None
                _LOG.warning("usage records cannot be written: %s", error)
                return False
            finally:
                self._starting.release()
        return True

    def _run(self) -> None:
        """Write what comes, until nothing has come for a while."""
        rows: list[UsageRecord] = []
        marks: list[_Mark] = []
        try:
            while not any(mark.last for mark in marks):
                marks = self._gather(rows)
                if not rows and not marks:
                    break
                self._write(rows)
                _pass(mark for mark in marks if not mark.last)
        finally:
            self._close_file()
            if rows:
                _LOG.warning("%d usage records are lost", len(rows))
            atexit.unregister(self.close)
            self._worker = None
            self._start()  # something may have come since this thread last looked
            _pass(marks)

    def _gather(self, rows: list[UsageRecord]) -> list[_Mark]:
        """Wait for records, and take those that come together; return the marks among them."""
        marks: list[_Mark] = []
        try:
            item = self._queue.get(timeout=IDLE)
            if isinstance(item, UsageRecord) and self._queue.qsize() < BATCH:
                self._hurry.wait(GATHER)
            self._hurry.clear()
            while True:
                if isinstance(item, _Mark):
                    marks.append(item)
                    break
                rows.append(item)
                if len(rows) >= BATCH:
                    break
                item = self._queue.get_nowait()
        except Empty:
            pass
        return marks

    def _write(self, rows: list[UsageRecord]) -> None:
        """Write records and forget them; where that fails, they are kept for another time."""
        import sqlite3

        try:
            with self._file:
                if self._connection is None:
                    self._connection = open_database(self.path, KIND)
                self._lost += insert(self._connection, rows)
                self._prune(self._connection, rows)
        except (sqlite3.Error, ConfigError) as error:
            self._close_file()
            if not self._failing:
                _LOG.warning("usage records cannot be written now, and wait in memory: %s", error)
            self._failing = True
            self._lost += max(len(rows) - MOST_WAITING, 0)
            del rows[MOST_WAITING:]
        else:
            self._failing = False
            rows.clear()
            if self._lost:
                lost, self._lost = self._lost, 0
                _LOG.warning("%d usage records are lost", lost)

    def _prune(self, connection: sqlite3.Connection, rows: Sequence[UsageRecord]) -> None:
        """Drop what is too old, about every hour."""
        if self._keep is None or not rows:
            return
        newest = max(record.started for record in rows)
        if abs(newest - self._pruned) < 3600:  # noqa: PLR2004  (an hour)
            return
        self._pruned = newest
        drop_before(connection, newest - self._keep)

    def _close_file(self) -> None:
        with self._file:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _before_fork(self) -> None:
        self._file.acquire()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _after_fork(self) -> None:
        self._file.release()


class _Mark:
    """A place in the queue that somebody waits for.

    Args:
        last: the thread ends here.
    """

    def __init__(self, *, last: bool = False) -> None:
        self.last = last
        self.passed = threading.Event()


def _pass(marks: Iterator[_Mark] | list[_Mark]) -> None:
    for mark in marks:
        mark.passed.set()

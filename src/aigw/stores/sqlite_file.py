"""`LimitsFile`: the file of a `SqliteLedger`. It runs jobs in transactions, and knows the time."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.stores.database import open_database
from aigw.stores.sqlite_sheet import KIND, Sheet

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from aigw.ports import Clock, Flag

FAILURES: Final = (sqlite3.Error, ConfigError)
"""What is raised where the file cannot be read or written."""

TRY: Final = 0.05
"""Seconds that SQLite waits for other processes, in one try."""

_LOG: Final = logging.getLogger("aigw.stores")


class Job:
    """Something to do with the counts, for which somebody may wait.

    Args:
        work: what to do, given the sheet and the time; its result is kept.
        clock: the clock of the call.
        flag: set when it is done, or failed; ``None`` if nobody waits.
        undo: what to do with the result if nobody waits for it any more.
    """

    __slots__ = ("_lock", "clock", "done", "dropped", "flag", "result", "undo", "work")

    def __init__(
        self,
        work: Callable[[Sheet, float], Any],
        clock: Clock,
        flag: Flag | None = None,
        undo: Callable[[Any], None] | None = None,
    ) -> None:
        self.work = work
        self.clock = clock
        self.flag = flag
        self.undo = undo
        self.result: Any = None
        self.done = False
        self.dropped = False
        self._lock = threading.Lock()

    def finish(self, result: Any) -> None:
        """Hand over the result, once it is written."""
        with self._lock:
            self.result = result
            self.done = True
        if self.dropped and self.undo is not None:
            self.undo(result)
        self.wake()

    def drop(self) -> bool:
        """Wait no longer; tell whether that came before it was done."""
        with self._lock:
            self.dropped = not self.done
        return self.dropped

    def wake(self) -> None:
        """Wake whoever waits."""
        if self.flag is not None:
            self.flag.set()


class LimitsFile:
    """Runs jobs in the transactions of one connection, which is opened when it is needed.

    Not safe for threads: the owner holds a lock.

    Args:
        path: the file.
        durable: have every transaction on the disk before it counts as done.

    Raises:
        ConfigError: the file cannot be opened, or holds something else.
    """

    def __init__(self, path: str | os.PathLike[str], *, durable: bool) -> None:
        self._path = path
        self._durable = durable
        self._connection: sqlite3.Connection | None = None
        self._sheet: Sheet | None = None
        self._now = 0.0
        self._at = 0.0
        try:
            self._check()
        finally:
            self.close()

    def run(self, jobs: Sequence[Job], tries: int) -> None:
        """Run jobs in one transaction, and hand over their results when it is written.

        Args:
            jobs: at least one.
            tries: how often to try for `TRY` seconds to be the one who writes.

        Raises:
            sqlite3.Error: it was not written. So does `ConfigError`.
        """
        connection, sheet = self._open()
        try:
            _begin(connection, tries)
            before = connection.total_changes
            now = self._time(jobs[0].clock, sheet.seen())
            results = [job.work(sheet, now) for job in jobs]
            if connection.total_changes != before:
                sheet.saw(now)
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, FAILURES) and not _is_busy(error):
                self.close()  # it may be another file by now
            raise
        for job, result in zip(jobs, results, strict=True):
            job.finish(result)

    def close(self) -> None:
        """Close the connection; the next transaction opens one again."""
        connection, self._connection, self._sheet = self._connection, None, None
        if connection is not None:
            connection.close()

    def _open(self) -> tuple[sqlite3.Connection, Sheet]:
        connection, sheet = self._connection, self._sheet
        if connection is None or sheet is None:
            connection = self._connection = open_database(self._path, KIND)
            connection.execute(f"PRAGMA busy_timeout = {round(TRY * 1000)}")
            if self._durable:
                connection.execute("PRAGMA synchronous = FULL")
            sheet = self._sheet = Sheet(connection)
        return connection, sheet

    def _check(self) -> None:
        """Mend sums that are not right, whoever did that."""
        connection, sheet = self._open()
        if sheet.is_right():
            return
        _begin(connection, 100)
        try:
            if not sheet.is_right():
                _LOG.warning("sums of limits were not those of their entries; they are computed anew")
                sheet.mend()
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _time(self, clock: Clock, seen: float) -> float:
        """Tell the time. It never goes back: where wall time was set back, it goes on from the latest that was seen."""
        now, at = clock.time(), clock.now()
        self._now = max(now, seen, self._now + max(at - self._at, 0.0) if self._now else 0.0)
        self._at = at
        return self._now


def _begin(connection: sqlite3.Connection, tries: int) -> None:
    for left in reversed(range(tries)):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not left or not _is_busy(error):
                raise
        else:
            return


def _is_busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

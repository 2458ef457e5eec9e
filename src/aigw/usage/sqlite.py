"""`SqliteUsage`: usage records in a file, written by a thread of its own."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.stores.database import around_forks, open_database
from aigw.stores.writer import BackgroundWriter, NotWrittenError
from aigw.usage.rows import KIND, drop_before, insert, read_records

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator, Sequence

    from aigw.usage.record import UsageRecord

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
        self._file = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._writer: BackgroundWriter[UsageRecord] = BackgroundWriter(
            "usage records", self._write, self._close_file, _LOG
        )
        around_forks(before=self._before_fork, in_parent=self._after_fork, in_child=self._in_child)
        open_database(self.path, KIND).close()

    def __repr__(self) -> str:
        return f"SqliteUsage({str(self.path)!r})"

    def add(self, record: UsageRecord) -> None:
        """Have a record written soon; see `UsageLog.add`."""
        self._writer.add(record)

    def records(self, since: float | None = None, until: float | None = None) -> Iterator[UsageRecord]:
        """Yield the records of a time, also those of other processes, in the order of their calls; see `UsageLog`.

        Raises:
            ConfigError: the file is gone, or is another one.
        """
        self.flush()
        return read_records(self.path, since, until, self._file)

    def flush(self) -> None:
        """Wait until everything that was added is in the file, or cannot be written."""
        self._writer.flush()

    def close(self) -> None:
        """Write down what is not written yet, and close the file. A record that comes later opens it again."""
        self._writer.close()

    def _write(self, records: Sequence[UsageRecord]) -> int:
        import sqlite3

        try:
            with self._file:
                if self._connection is None:
                    self._connection = open_database(self.path, KIND)
                unfit = insert(self._connection, records)
                self._prune(self._connection, records)
        except (sqlite3.Error, ConfigError) as error:
            raise NotWrittenError(str(error)) from error
        return unfit

    def _prune(self, connection: sqlite3.Connection, records: Sequence[UsageRecord]) -> None:
        """Drop what is too old, about every hour."""
        if self._keep is None or not records:
            return
        newest = max(record.started for record in records)
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

    def _in_child(self) -> None:
        self._file = threading.Lock()
        self._connection = None
        self._writer.restart()

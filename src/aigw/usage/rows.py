"""Usage records as rows of a SQLite file."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from aigw.stores.database import Kind, open_database
from aigw.usage.record import NO_LABELS, UsageRecord

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator, Sequence

KIND: Final = Kind(
    what="usage records",
    application=0x61696775,
    version=1,
    schema="""
        CREATE TABLE calls (
            id TEXT NOT NULL, started REAL NOT NULL, duration REAL NOT NULL, time_to_first_chunk REAL,
            operation TEXT NOT NULL, asked TEXT NOT NULL, route TEXT NOT NULL,
            principal TEXT, team TEXT, tags TEXT NOT NULL, priority TEXT NOT NULL, metadata TEXT NOT NULL,
            target TEXT, provider TEXT, model TEXT,
            input INTEGER NOT NULL, output INTEGER NOT NULL, cached INTEGER, cache_written INTEGER, reasoning INTEGER,
            estimated INTEGER NOT NULL, cost INTEGER, known_cost INTEGER NOT NULL, prices TEXT NOT NULL,
            outcome TEXT NOT NULL, attempts INTEGER NOT NULL, failures TEXT NOT NULL, refused_by TEXT
        );
        CREATE INDEX calls_started ON calls (started)
    """,
)
"""A column for each field of `UsageRecord`; tags, metadata and failures as JSON."""

PAGE: Final = 1000
"""Rows that are read, or dropped, at a time."""

_PLACES: Final = {name: UsageRecord._fields.index(name) for name in ("tags", "metadata", "failures", "estimated")}
_NAMES: Final = ", ".join(f'"{name}"' for name in UsageRecord._fields)
_INSERT: Final = f"INSERT INTO calls ({_NAMES}) VALUES ({', '.join('?' * len(UsageRecord._fields))})"  # noqa: S608  (constants)
_SELECT: Final = (
    f"SELECT rowid, {_NAMES} FROM calls WHERE (started, rowid) > (?, ?) AND started < ? "  # noqa: S608  (constants)
    "ORDER BY started, rowid LIMIT ?"
)
_DROP: Final = "DELETE FROM calls WHERE rowid IN (SELECT rowid FROM calls WHERE started < ? LIMIT ?)"


def read_records(
    path: str | os.PathLike[str], since: float | None, until: float | None, lock: threading.Lock | None = None
) -> Iterator[UsageRecord]:
    """Yield the records in a file, in the order of their calls; see `UsageLog.records`.

    Args:
        path: the file.
        since: the first moment that counts.
        until: the first moment that no longer counts.
        lock: held while the file is open.

    Raises:
        ConfigError: the file is not there, or is none of ours.
    """
    lock = lock or threading.Lock()
    place = (float("-inf") if since is None else since, -1)
    end = float("inf") if until is None else until
    while True:
        with lock, closing(open_database(path, KIND, readonly=True)) as connection:
            page = connection.execute(_SELECT, (*place, end, PAGE)).fetchall()
        for number, *values in page:
            yield _record(values)
            place = (values[1], number)
        if len(page) < PAGE:
            return


def insert(connection: sqlite3.Connection, records: Sequence[UsageRecord]) -> int:
    """Write records in one transaction; return how many of them cannot be written at all."""
    import sqlite3

    unfit = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for record in records:
            try:
                connection.execute(_INSERT, _values(record))
            except (TypeError, ValueError, OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
                unfit += 1  # a label that is no text, say: one odd record must not hold up the others
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return unfit


def drop_before(connection: sqlite3.Connection, moment: float) -> None:
    """Drop the records of calls that began before a moment, a few at a time: others want to write too."""
    while connection.execute(_DROP, (moment, PAGE)).rowcount == PAGE:
        pass


def _values(record: UsageRecord) -> list[Any]:
    values: list[Any] = list(record)
    values[_PLACES["tags"]] = json.dumps(record.tags)
    values[_PLACES["metadata"]] = json.dumps(dict(record.metadata))
    values[_PLACES["failures"]] = json.dumps(record.failures)
    return values


def _record(values: list[Any]) -> UsageRecord:
    tags, metadata, failures, estimated = _PLACES.values()
    values[tags] = tuple(json.loads(values[tags]))
    values[metadata] = json.loads(values[metadata]) or NO_LABELS
    values[failures] = tuple(json.loads(values[failures]))
    values[estimated] = bool(values[estimated])
    return UsageRecord(*values)

"""Opening a SQLite file of ours: made if it is not there, readable by its owner alone, and never somebody else's.

In WAL mode readers and the one writer do not wait for each other. With ``synchronous=NORMAL`` a commit is safe when the
process dies, also by ``kill -9``; a machine that loses its power may lose the last ones, and the file stays whole.
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aigw.errors import ConfigError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

PATIENCE: Final = 5.0
"""Seconds that a statement waits for other processes to finish writing."""

_TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file holds.

    Args:
        what: its name in errors, such as ``usage records``.
        application: SQLite's ``application_id``, by which the file is known again.
        version: of the schema.
        schema: statements that make the tables.
    """

    what: str
    application: int
    version: int
    schema: str


def open_database(path: str | os.PathLike[str], kind: Kind, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a file, and make it if it is not there.

    The connection commits each statement by itself unless ``BEGIN`` was called, and may be used by any one thread at a
    time. It must not be used in a process that was forked after it was opened.

    Args:
        path: the file. Its folder must exist.
        kind: what it holds.
        readonly: change nothing, and do not make it.

    Raises:
        ConfigError: the file or its folder is not there or may not be read, it is no database, holds something else,
            or was written by a newer version.
    """
    import sqlite3

    file = Path(path)
    try:
        if not readonly:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite gives the files beside it the same mode
        connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}",
            uri=True,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
        )
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "there is no such file"
        raise ConfigError(f"the file of the {kind.what}, {str(file)!r}, cannot be opened: {reason}") from error
    try:
        _prepare(connection, str(file), kind, readonly=readonly)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise ConfigError(f"{str(file)!r} cannot be used for {kind.what}: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def around_forks(*, before: Callable[[], None], in_parent: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Call methods of an object around every fork of this process, for as long as the object lives.

    No connection to a file may be open while the process is forked: SQLite knows in memory which locks its process
    holds, and a child that opens the file again would believe to hold those of its parent.

    Args:
        before: closes connections, and sees to it that none is opened.
        in_parent: allows them again.
        in_child: begins anew, without the locks and threads of the parent.
    """
    if not hasattr(os, "register_at_fork"):  # this system does not fork
        return
    methods = [weakref.WeakMethod(method) for method in (before, in_parent, in_child)]

    def call(which: weakref.WeakMethod[Callable[[], None]]) -> None:
        if (method := which()) is not None:
            method()

    os.register_at_fork(
        before=lambda: call(methods[0]),
        after_in_parent=lambda: call(methods[1]),
        after_in_child=lambda: call(methods[2]),
    )


def _prepare(connection: sqlite3.Connection, file: str, kind: Kind, *, readonly: bool) -> None:
    if readonly:
        _check(connection, file, kind)
        return
    if not _is_ours(connection, file, kind):
        connection.execute("BEGIN IMMEDIATE")  # several processes may start at once: one of them makes the tables
        if not _is_ours(connection, file, kind):
            for statement in filter(None, map(str.strip, kind.schema.split(";"))):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {kind.application}")
            connection.execute(f"PRAGMA user_version = {kind.version}")
        connection.execute("COMMIT")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = NORMAL")


def _is_ours(connection: sqlite3.Connection, file: str, kind: Kind) -> bool:
    """Tell whether the tables are there already.

    Raises:
        ConfigError: others are.
    """
    if _number(connection, "application_id") == 0 and _number(connection, "schema_version") == 0:
        return False
    _check(connection, file, kind)
    return True


def _check(connection: sqlite3.Connection, file: str, kind: Kind) -> None:
    version = _number(connection, "user_version")
    if _number(connection, "application_id") != kind.application:
        raise ConfigError(f"{file!r} is a database of something else, it holds no {kind.what} of aigw")
    if version != kind.version:
        raise ConfigError(
            f"{file!r} holds {kind.what} in version {version}, and this aigw knows version {kind.version}: "
            "use another file, or another version of aigw"
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Change to WAL mode, which stays so for the file.

    SQLite does not wait when others are in its way there, but does when a transaction begins.
    """
    import sqlite3

    for _ in range(_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _number(connection: sqlite3.Connection, name: str) -> int:
    number: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return number

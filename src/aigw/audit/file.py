"""`FileAudit`: audit records in a file of JSON lines, each bound to the one before it."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aigw.audit.chain import Link, end_of, key_bytes, link
from aigw.audit.record import AuditRecord
from aigw.errors import ConfigError
from aigw.stores.database import around_forks
from aigw.stores.writer import BackgroundWriter, NotWrittenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK: Final = 8192
"""Bytes that are read at first, from the end, in search of the last line."""

BEGIN: Final = b'{"seq":'
"""How every line begins, also one that a process did not write to its end."""

_NOT_OURS: Final = "it holds something else than audit records"

_LOG: Final = logging.getLogger("aigw.audit")


class FileAudit:
    """Appends records to a file, which several processes may share. Nothing is ever changed or removed.

    Each line holds the hash of the one before it, so `aigw.audit.verify` and ``aigw audit verify`` see what was
    changed, put in or taken out since. Calls never wait for the disk: a thread writes what has come together in 50 ms,
    and has the system bring it to the disk (``fsync``). A process that is killed loses at most what it had not written;
    `close` writes the rest. Records that cannot be written (the disk is full, say) wait in memory, 100,000 at most, and
    the log ``aigw.audit`` tells.

    A file that was renamed is left alone, and a new one with a chain of its own begun: that is how to rotate them.

    Args:
        path: the file; made, with mode 0600, if it is not there. Not on a network drive.
        key: a secret of at least 16 bytes with which the hashes are made, so that nobody without it can forge a chain.

    Raises:
        ConfigError: the file cannot be opened, holds something else, or the key is too short.
    """

    def __init__(self, path: str | os.PathLike[str], *, key: str | bytes | None = None) -> None:
        self.path = Path(path)
        self._key = key_bytes("FileAudit(key)", key)
        self._lock = threading.Lock()
        self._file: int | None = None
        self._known: tuple[int, Link] | None = None  # the size of the file and the end of its chain, as we left them
        self._writer: BackgroundWriter[AuditRecord] = BackgroundWriter(
            "audit records", self._write, self._close_file, _LOG
        )
        around_forks(before=self._before_fork, in_parent=self._after_fork, in_child=self._in_child)
        try:
            self._open()
            with _alone(self._file):
                self._end()
        except (OSError, NotWrittenError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(f"the audit file {str(self.path)!r} cannot be used: {reason}") from error
        finally:
            self._close_file()

    def __repr__(self) -> str:
        return f"FileAudit({str(self.path)!r})"

    @property
    def trouble(self) -> str:
        """Why nothing can be written now; empty while nothing is wrong."""
        return self._writer.trouble

    def add(self, record: AuditRecord) -> None:
        """Have a record written soon; see `AuditLog.add`."""
        self._writer.add(record)

    def records(self) -> Iterator[AuditRecord]:
        """Yield the records in the file, in the order in which they were written, also those of other processes.

        A line that is none is passed over; `aigw.audit.verify` tells of it.

        Raises:
            ConfigError: the file is gone.
        """
        self.flush()
        try:
            with self.path.open("rb") as lines:
                for line in lines:
                    if end_of(line) is not None:
                        yield AuditRecord.from_json(line)
        except OSError as error:
            raise ConfigError(f"the audit file {str(self.path)!r} cannot be read: {error.strerror}") from error

    def flush(self) -> None:
        """Wait until everything that was added is in the file, or cannot be written."""
        self._writer.flush()

    def close(self) -> None:
        """Write down what is not written yet, and close the file. A record that comes later opens it again."""
        self._writer.close()

    def _write(self, records: Sequence[AuditRecord]) -> int:
        """Append records, all or none; see `BackgroundWriter`."""
        with self._lock:
            try:
                self._open()
                with _alone(self._file):
                    return self._append(records)
            except OSError as error:
                raise NotWrittenError(error.strerror) from error

    def _append(self, records: Sequence[AuditRecord]) -> int:
        assert self._file is not None
        end, torn = self._end()
        lines, unfit = [b"\n"] if torn else [], 0
        for record in records:
            try:
                line, end = link(record, end, self._key)
            except (TypeError, ValueError, RecursionError):
                unfit += 1  # a label that is no text, say: one odd record must not hold up the others
            else:
                lines.append(line)
        before = os.fstat(self._file).st_size
        data = memoryview(b"".join(lines))
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, before)  # the records are tried again: none may stand there twice
            raise
        self._known = os.fstat(self._file).st_size, end
        return unfit

    def _end(self) -> tuple[Link, bool]:
        """Find the end of the chain, and tell whether a torn line stands behind it.

        Raises:
            NotWrittenError: the file holds something else.
        """
        assert self._file is not None
        size = os.fstat(self._file).st_size
        if self._known is not None and self._known[0] == size:
            return self._known[1], False
        return _last_link(self._file, size)

    def _open(self) -> None:
        """Open the file, also where another has come to its place since."""
        if self._file is not None:
            try:
                if os.path.samestat(os.fstat(self._file), self.path.stat()):
                    return
            except FileNotFoundError:
                pass
            self._forget()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        self._file = os.open(self.path, flags, 0o600)

    def _close_file(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        file, self._file, self._known = self._file, None, None
        if file is not None:
            os.close(file)

    def _before_fork(self) -> None:
        self._lock.acquire()
        self._forget()

    def _after_fork(self) -> None:
        self._lock.release()

    def _in_child(self) -> None:
        self._lock = threading.Lock()
        self._writer.restart()


def _last_link(file: int, size: int) -> tuple[Link, bool]:
    """Look for the last line of a chain, from the end of a file; tell whether what stands behind it has no end."""
    count = BLOCK
    while True:
        start = max(size - count, 0)
        *lines, rest = os.pread(file, size - start, start).split(b"\n")
        torn = rest != b""
        for line in reversed(lines if start == 0 else lines[1:]):
            found = end_of(line + b"\n")
            if found is not None:
                return found, torn
            if not _is_begun(line):
                raise NotWrittenError(_NOT_OURS)
        if start == 0:
            if torn and not _is_begun(rest):
                raise NotWrittenError(_NOT_OURS)
            return Link(), torn
        count *= 2


def _is_begun(line: bytes) -> bool:
    """Tell whether a line is the beginning of one of ours."""
    return line != b"" and line[: len(BEGIN)] == BEGIN[: len(line)]


@contextmanager
def _alone(file: int | None) -> Iterator[None]:
    """Keep other processes from writing. Where the system has no such locks, one process alone may use a file."""
    try:
        import fcntl
    except ImportError:  # pragma: no cover  (Windows)
        yield
        return
    assert file is not None
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)

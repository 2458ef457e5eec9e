"""`SqliteUsage`: a file that others may not read, that several processes write, and that a kill does not break."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from aigw import ConfigError
from aigw.stores.writer import MOST_WAITING
from aigw.usage import SqliteUsage
from gateway.test_fork import in_child
from usage.any_records import record

WRITER = """
import os, signal, sys
from aigw.usage import SqliteUsage, UsageRecord

path, name, count, end = sys.argv[1:]
log = SqliteUsage(path)
for number in range(int(count)):
    log.add(UsageRecord(id=f"{name}-{number}", started=float(number), duration=0.0))
if end == "kill":
    log.flush()
    for number in range(100_000):
        if number == 200:
            print("writing", flush=True)
        log.add(UsageRecord(id=f"{name}-more-{number}", started=1e6 + number, duration=0.0))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def writer(path, name, count, end="exit"):
    """Start a process that writes records, and ends by itself or is killed."""
    line = [sys.executable, "-W", "error", "-c", WRITER, str(path), name, str(count), end]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ids(path):
    """Return the ids in a file."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(name for (name,) in connection.execute("SELECT id FROM calls"))


def test_nobody_else_may_read(tmp_path):
    """The file and those beside it belong to their owner alone."""
    log = SqliteUsage(tmp_path / "usage.db")
    log.add(record())
    log.flush()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    log.close()

    assert modes == {0o600}


def test_processes_share_a_file(tmp_path):
    """Processes that start at the same time write to one file, and lose nothing although none of them closes it."""
    path = tmp_path / "usage.db"
    running = [writer(path, name, 500) for name in ("a", "b", "c")]
    told = [process.communicate(timeout=120) for process in running]

    assert told == [("", "")] * 3
    assert ids(path) == sorted(f"{name}-{number}" for name in ("a", "b", "c") for number in range(500))


def test_a_killed_process_loses_only_what_was_on_its_way(tmp_path):
    """After kill -9 everything that was flushed is there, the file is whole, and others go on writing to it."""
    path = tmp_path / "usage.db"
    with writer(path, "a", 50, "kill") as process:
        process.stdout.read()
        process.stderr.read()
    log = SqliteUsage(path)
    log.add(record(2_000_000))
    found = [one.id for one in log.records()]
    log.close()
    with closing(sqlite3.connect(path)) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()

    assert process.returncode == -signal.SIGKILL
    assert found[:50] == [f"a-{number}" for number in range(50)]
    assert found[50:-1] == [f"a-more-{number}" for number in range(len(found) - 51)]
    assert said == "ok"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_writes_for_itself(tmp_path):
    """A forked child waits for nothing of its parent, although that was just writing, and both write on."""
    log = SqliteUsage(tmp_path / "usage.db")
    log.add(record(0))
    log.flush()
    log.add(record(1))

    def work():
        log.add(record(2))
        log.close()
        return "done"

    with log._writer._starting:
        told = in_child(work)
    log.add(record(3))
    log.close()

    assert told == "done"
    assert ids(log.path) == ["call_0000", "call_0001", "call_0002", "call_0003"]


def test_a_finalizer_may_add(tmp_path):
    """A stream that the garbage collector settles is recorded, even in the middle of another record's way."""
    log = SqliteUsage(tmp_path / "usage.db")

    class Dropped:
        def __del__(self):
            log.add(record(1))

    with log._writer._starting:  # held by this very thread, as it could be when the collector comes
        log.add(record(0))
        cycle = Dropped()
        cycle.itself = cycle
        del cycle
        gc.collect()
    log.add(record(2))
    log.close()

    assert len(ids(log.path)) == 3


def test_nothing_runs_on(tmp_path):
    """After `close` there is no thread and no open file."""
    log = SqliteUsage(tmp_path / "usage.db")
    log.add(record())
    log.flush()
    worker = log._writer._worker
    log.close()
    worker.join(60)

    assert not worker.is_alive()
    assert [path.name for path in tmp_path.iterdir()] == ["usage.db"]


def test_an_idle_log_lets_go(tmp_path, monkeypatch):
    """A gateway that was dropped without being closed keeps no thread and no file for ever."""
    monkeypatch.setattr("aigw.stores.writer.IDLE", 0.01)
    log = SqliteUsage(tmp_path / "usage.db")
    log.add(record(0))
    worker = log._writer._worker
    worker.join(60)
    still = worker.is_alive()
    log.add(record(1))
    log.close()

    assert not still
    assert len(ids(log.path)) == 2


def test_old_records_are_dropped(tmp_path):
    """`keep_days` counts back from the newest record."""
    log = SqliteUsage(tmp_path / "usage.db", keep_days=7)
    day = 86_400
    for number in (0, day, 2 * day, 8 * day):
        log.add(record(number))
        log.flush()
    kept = [found.id for found in log.records()]
    log.close()

    assert kept == [f"call_{number}" for number in (day, 2 * day, 8 * day)]


def test_an_odd_record_does_not_hold_up_the_others(tmp_path, caplog):
    """A label that no file can hold costs its own record, and is told; `add` raises nothing."""
    log = SqliteUsage(tmp_path / "usage.db")
    for number, odd in enumerate([{}, {"principal": object()}, {"input": 2**70}, {"asked": "\ud800"}, {}]):
        log.add(record(number, **odd))
    log.close()

    assert ids(log.path) == ["call_0000", "call_0004"]
    assert "3 usage records are lost" in caplog.text


def test_records_wait_for_a_file_that_cannot_be_written(tmp_path, caplog, monkeypatch):
    """While somebody else holds the file, calls go on and records wait; then they are written."""
    monkeypatch.setattr("aigw.stores.database.PATIENCE", 0.01)
    log = SqliteUsage(tmp_path / "usage.db")
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        log.add(record(0))
        log.flush()
        before = ids(log.path)
        other.execute("ROLLBACK")
    log.add(record(1))
    log.close()

    assert before == []
    assert ids(log.path) == ["call_0000", "call_0001"]
    assert caplog.text.count("usage records cannot be written now") == 1


def test_what_cannot_be_written_at_the_end_is_told(tmp_path, caplog, monkeypatch):
    """`close` does not wait for ever for a file that stays locked."""
    monkeypatch.setattr("aigw.stores.database.PATIENCE", 0.01)
    log = SqliteUsage(tmp_path / "usage.db")
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        log.add(record(0))
        log.close()

    assert "1 usage records are lost" in caplog.text
    assert ids(log.path) == []


def test_memory_has_a_bound(tmp_path, monkeypatch):
    """Records that nobody writes do not fill the memory."""
    log = SqliteUsage(tmp_path / "usage.db")
    log._writer._worker = threading.current_thread()  # it does not come to write
    for _ in range(MOST_WAITING + 5):
        log.add(record())

    assert log._writer._queue.qsize() == MOST_WAITING
    assert log._writer._lost == 5


def test_no_thread_to_be_had(tmp_path, monkeypatch, caplog):
    """Where no thread can be started, nothing is raised and nothing hangs."""

    def start(_):
        raise RuntimeError("can't start new thread")

    log = SqliteUsage(tmp_path / "usage.db")
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(threading.Thread, "start", start)
        log.add(record())
        log.close()
    log.close()

    assert "cannot be written" in caplog.text
    assert len(ids(log.path)) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("This is a text, and no database at all."), "cannot be used for usage records"),
        (lambda path: path.mkdir(), "cannot be opened"),
        (lambda path: _sql(path, "CREATE TABLE cats (name)"), "is a database of something else"),
        (lambda path: _sql(path, "PRAGMA user_version = 9"), "in version 9"),
    ],
    ids=["text", "folder", "other-database", "newer"],
)
def test_a_file_of_something_else(tmp_path, make, words):
    """A file that is not ours is refused when the log is made, named, and left as it was."""
    path = tmp_path / "usage.db"
    if words == "in version 9":
        SqliteUsage(path).close()
    make(path)

    with pytest.raises(ConfigError, match=words) as refused:
        SqliteUsage(path)
    assert "usage.db" in str(refused.value)


def test_a_folder_that_is_not_there(tmp_path):
    """No folders are made."""
    with pytest.raises(ConfigError, match="cannot be opened: No such file or directory"):
        SqliteUsage(tmp_path / "nowhere" / "usage.db")


def _sql(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)

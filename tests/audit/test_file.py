"""`FileAudit`: a file that only grows, that several processes share, and that a kill does not break."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace

import pytest

from aigw import ConfigError
from aigw.audit import AuditLog, FileAudit, verify
from audit.any_records import record
from gateway.test_fork import in_child

WRITER = """
import os, signal, sys
from datetime import UTC, datetime
from aigw.audit import AuditRecord, FileAudit

path, name, count, end = sys.argv[1:]
log = FileAudit(path)
for number in range(int(count)):
    log.add(AuditRecord(f"{name}-{number}", datetime.now(UTC), 0.0))
    if number % 50 == 0:
        log.flush()
if end == "kill":
    log.flush()
    for number in range(100_000):
        if number == 200:
            print("writing", flush=True)
        log.add(AuditRecord(f"{name}-more-{number}", datetime.now(UTC), 0.0))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def writer(path, name, count, end="exit"):
    """Start a process that writes records, and ends by itself or is killed."""
    line = [sys.executable, "-W", "error", "-c", WRITER, str(path), name, str(count), end]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def log(tmp_path):
    """Make a log."""
    made = FileAudit(tmp_path / "audit.jsonl")
    yield made
    made.close()


def test_what_was_added_is_there(log):
    """A record comes back with every field as it was, once it is written; the chain is whole."""
    odd = record(
        1, principal="drüben", team="", roles=("a", "b"), tags=("x",), metadata={"half": "<\ud800>"}, refused_by="Guard"
    )
    log.add(record(0))
    log.add(odd)
    found = list(log.records())

    assert found == [record(0), replace(odd, metadata={"half": "<?>"})]
    assert verify(log.path).flaws == ()
    assert isinstance(log, AuditLog)
    assert repr(log) == f"FileAudit({str(log.path)!r})"


def test_nobody_else_may_read(log):
    """The file belongs to its owner alone."""
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_it_goes_on_where_it_ended(log):
    """A file that was closed, by this process or another, is continued: one chain."""
    for number in range(3):
        log.add(record(number))
        log.close()
    other = FileAudit(log.path)
    other.add(record(3))
    other.close()
    log.add(record(4))

    assert [found.id for found in log.records()] == [f"call_000{number}" for number in range(5)]
    assert verify(log.path).records == 5


def test_a_long_record_at_the_end(log):
    """The chain goes on behind a record that is longer than what is read at a time."""
    log.add(record(0, metadata={"long": "x" * 50_000}))
    log.close()
    log.add(record(1))
    log.flush()

    assert (verify(log.path).records, verify(log.path).flaws) == (2, ())


def test_processes_share_a_file(tmp_path):
    """Processes that write at the same time make one chain, and lose nothing although none of them closes it."""
    path = tmp_path / "audit.jsonl"
    running = [writer(path, name, 300) for name in ("a", "b", "c")]
    told = [process.communicate(timeout=120) for process in running]
    found = verify(path)

    assert told == [("", "")] * 3
    assert (found.records, found.flaws) == (900, ())
    assert len({one.id for one in FileAudit(path).records()}) == 900


def test_a_killed_process_loses_only_what_was_on_its_way(tmp_path):
    """After kill -9 everything that was flushed is there, and others go on with the chain."""
    path = tmp_path / "audit.jsonl"
    with writer(path, "a", 50, "kill") as process:
        process.stdout.read()
        process.stderr.read()
    log = FileAudit(path)
    log.add(record(0))
    found = [one.id for one in log.records()]
    log.close()

    assert process.returncode == -signal.SIGKILL
    assert found[:50] == [f"a-{number}" for number in range(50)]
    assert found[50:-1] == [f"a-more-{number}" for number in range(len(found) - 51)]
    assert {flaw.problem for flaw in verify(path).flaws} <= {"not a whole record"}


@pytest.mark.parametrize("kept", [0, 1, 7, 100])
def test_a_line_that_was_not_written_to_its_end(log, kept):
    """It stays where it is and is told, and the chain goes on from the last whole record."""
    log.add(record(0))
    log.add(record(1))
    log.close()
    first, second = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(first + second[:kept])
    log.add(record(2))
    log.flush()
    found = verify(log.path)

    assert found.records == 2
    assert [(flaw.line, flaw.problem) for flaw in found.flaws] == ([(2, "not a whole record")] if kept else [])
    assert [one.id for one in log.records()] == ["call_0000", "call_0002"]


def test_the_very_first_line_was_not_written_to_its_end(log):
    """A file with nothing but the beginning of a record is continued."""
    log.add(record(0))
    log.close()
    for kept in (1, 30):
        log.path.write_bytes(log.path.read_bytes()[:kept])
        other = FileAudit(log.path)
        other.add(record(1))
        other.close()

        assert verify(log.path).records == 1


def test_a_file_that_is_rotated(log, tmp_path):
    """A renamed file is left alone; the new one has a chain of its own."""
    log.add(record(0))
    log.flush()
    log.path.rename(tmp_path / "old.jsonl")
    log.add(record(1))
    log.flush()

    assert [verify(path).records for path in (tmp_path / "old.jsonl", log.path)] == [1, 1]
    assert json.loads(log.path.read_bytes())["seq"] == 1


def test_an_odd_record_does_not_hold_up_the_others(log, caplog):
    """A label that no file can hold costs its own record, and is told; `add` raises nothing."""
    itself = {}
    itself["itself"] = itself
    for number, odd in enumerate([{}, {"metadata": {("a",): "b"}}, {"metadata": itself}, {}]):
        log.add(record(number, **odd))
    log.close()

    assert [found.id for found in log.records()] == ["call_0000", "call_0003"]
    assert "2 audit records are lost" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_writes_for_itself(log):
    """A forked child waits for nothing of its parent, and both go on with one chain."""
    log.add(record(0))
    log.flush()

    def work():
        log.add(record(1))
        log.close()
        return "done"

    with log._writer._starting:
        told = in_child(work)
    log.add(record(2))
    log.flush()

    assert told == "done"
    assert verify(log.path).records == 3
    assert verify(log.path).flaws == ()


def full_disk(monkeypatch, room):
    """Let a disk have room for so many bytes more."""
    real, left = os.write, [room]

    def write(file, data):
        if not left[0]:
            raise OSError(28, "No space left on device")
        count = real(file, bytes(data[: left[0]]))
        left[0] -= count
        return count

    monkeypatch.setattr("aigw.audit.file.os.write", write)


def test_a_full_disk(log, monkeypatch, caplog):
    """Records wait until there is room, none stands there twice or in half, and meanwhile it is told why."""
    log.add(record(0))
    log.flush()
    with monkeypatch.context() as patch:
        full_disk(patch, room=100)
        log.add(record(1))
        log.flush()
        trouble, between = log.trouble, verify(log.path)
    log.add(record(2))
    log.flush()

    assert trouble == "No space left on device"
    assert (between.records, between.flaws) == (1, ())
    assert log.trouble == ""
    assert (verify(log.path).records, verify(log.path).flaws) == (3, ())
    assert "audit records cannot be written now" in caplog.text


@pytest.mark.parametrize(
    "content", [b"This is a text.", b"A text\nof lines\n", b'{"some": "json"}\n', b"\n", b"\0" * 20_000]
)
def test_a_file_of_something_else(tmp_path, content):
    """It is refused when the log is made, named, and left as it was."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"audit\.jsonl.*something else"):
        FileAudit(path)

    assert path.read_bytes() == content


def test_a_place_where_no_file_can_be(tmp_path):
    """No folders are made, and a folder is no file."""
    with pytest.raises(ConfigError, match="No such file or directory"):
        FileAudit(tmp_path / "nowhere" / "audit.jsonl")
    with pytest.raises(ConfigError, match="Is a directory"):
        FileAudit(tmp_path)

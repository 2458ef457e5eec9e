"""``aigw audit verify``: whether a file is as it was written."""

from __future__ import annotations

import json

import pytest

from aigw.audit import FileAudit
from aigw.cli import main
from audit.any_records import record

KEY = "a-key-of-some-length"


@pytest.fixture
def path(tmp_path):
    """Write a file of three records."""
    log = FileAudit(tmp_path / "audit.jsonl", key=KEY)
    for number in range(3):
        log.add(record(number))
    log.close()
    return log.path


def told(capsys, *arguments, env=None):
    """Run the command; return its exit code and what it prints."""
    code = main(["audit", "verify", *map(str, arguments)], env={"AIGW_AUDIT_KEY": KEY} if env is None else env)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_whole_file(capsys, path):
    """It says how many records there are, and which hash to note."""
    last = json.loads(path.read_bytes().splitlines()[-1])["hash"]

    assert told(capsys, path) == (0, f"3 records, 0 flaws, last {last}\n", "")
    assert told(capsys, path, "--last", last)[0] == 0


def test_a_file_that_was_changed(capsys, path):
    """Every flaw is told with its line, and the exit code says it too."""
    path.write_bytes(path.read_bytes().replace(b"call_0001", b"call_0009"))
    code, out, _ = told(capsys, path)
    found = json.loads(told(capsys, path, "--json")[1])

    assert code == 1
    assert out.splitlines()[0] == "line 2: changed, or written with another key"
    assert (found["records"], found["flaws"]) == (2, [{"line": 2, "problem": "changed, or written with another key"}])


def test_what_is_gone_at_the_end(capsys, path):
    """A noted hash shows it."""
    code, out, _ = told(capsys, path, "--last", "0" * 64)

    assert code == 1
    assert out.startswith("line 3: the record with the noted hash is not there")


def test_a_wrong_key(capsys, path):
    """Without the key, or with another, no hash fits; a key that is none is named, and not shown."""
    assert told(capsys, path, env={})[0] == 1
    assert told(capsys, path, env={"AIGW_AUDIT_KEY": "another-key-that-is-long"})[0] == 1
    code, out, err = told(capsys, path, env={"AIGW_AUDIT_KEY": "short"})

    assert (code, out) == (1, "")
    assert "AIGW_AUDIT_KEY must have at least 16 bytes" in err
    assert "short" not in err


def test_no_file(capsys, tmp_path):
    """It is named."""
    code, _, err = told(capsys, tmp_path / "nowhere")

    assert code == 1
    assert "nowhere" in err

"""``aigw usage``: what a file of usage records says, as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aigw.cli import main
from aigw.usage import SqliteUsage
from usage.any_records import record


@pytest.fixture
def path(tmp_path):
    """Write a file of three calls."""
    log = SqliteUsage(tmp_path / "usage.db")
    log.add(record(0, principal="alice", model="m", input=1000, output=20, cost=12_000_000, known_cost=12_000_000))
    log.add(record(1, principal="alice", model="n", outcome="TimedOut", cost=None))
    log.add(record(86_400, principal="=cmd|'/c calc'!A1", model="m"))
    log.close()
    return str(tmp_path / "usage.db")


def told(capsys, *arguments, env=None):
    """Run the command, and return what it prints."""
    code = main(["usage", *arguments], env=env or {})
    printed = capsys.readouterr()

    assert code == 0
    assert printed.err == ""
    return printed.out


def test_a_table(capsys, path):
    """The rows stand under each other, groups to the left."""
    lines = told(capsys, path, "--by", "principal", "--by", "model").splitlines()

    assert lines[0].split()[:4] == ["principal", "model", "calls", "failed"]
    assert [line.split()[:4] for line in lines[2:4]] == [["alice", "m", "1", "0"], ["alice", "n", "1", "1"]]
    assert lines[-1].startswith("?: ")


def test_json(capsys, path):
    """JSON has every figure; money is text, which is exact, and null where it is not known."""
    printed = json.loads(told(capsys, path, "--json", "--by", "model"))
    first, second = printed["rows"]

    assert printed["by"] == ["model"]
    assert (first["model"], first["calls"], first["input"], first["cost"]) == ("m", 2, 1000, "0.012000000")
    assert (second["failed"], second["cost"], second["known_cost"], second["unknown_costs"]) == (
        1,
        None,
        "0.000000000",
        1,
    )


def test_csv(capsys, path):
    """CSV has a line for each row; a label that a spreadsheet would run is text."""
    rows = list(csv.DictReader(told(capsys, path, "--csv", "--by", "principal").splitlines()))

    assert [row["principal"] for row in rows] == ["'=cmd|'/c calc'!A1", "alice"]
    assert [row["cost"] for row in rows] == ["0.000000000", ""]


def test_a_time(capsys, path):
    """--since and --until bound the time, in the zone that is asked for."""
    first = json.loads(told(capsys, path, "--json", "--until", "2026-11-01T12:00:01"))["rows"]
    second = json.loads(told(capsys, path, "--json", "--since", "2026-11-02", "--zone", "Europe/Berlin"))["rows"]

    assert [row["calls"] for row in first] == [1]
    assert [row["calls"] for row in second] == [1]
    assert told(capsys, path, "--since", "2126-01-01") == "no usage records\n"


def test_the_file_of_the_environment(capsys, path):
    """Without a path the file in AIGW_USAGE is read."""
    assert "calls" in told(capsys, env={"AIGW_USAGE": path})


def test_no_file_is_named(capsys):
    """Without either, the command says what to do."""
    with pytest.raises(SystemExit) as ended:
        main(["usage"], env={})

    assert ended.value.code == 2
    assert "AIGW_USAGE" in capsys.readouterr().err


def test_files_that_are_none(capsys, tmp_path):
    """A file that is not there is not made, and one of something else is named."""
    (tmp_path / "text.db").write_text("no database, but a text")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE cats (name)")
    codes = [main(["usage", str(tmp_path / name)], env={}) for name in ("nothing.db", "text.db", "other.db")]
    lines = capsys.readouterr().err.splitlines()

    assert codes == [1, 1, 1]
    assert ["nothing.db" in lines[0], "text.db" in lines[1], "something else" in lines[2]] == [True] * 3
    assert not (tmp_path / "nothing.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [(["--since", "soon"], 1, "--since"), (["--zone", "Nowhere"], 1, "--zone"), (["--by", "colour"], 2, "colour")],
)
def test_wrong_questions(capsys, path, arguments, code, word):
    """What makes no sense is told in one line."""
    try:
        ended = main(["usage", path, *arguments], env={})
    except SystemExit as error:
        ended = error.code

    assert ended == code
    assert word in capsys.readouterr().err


def test_reading_changes_nothing(capsys, path):
    """A file that is only read stays as it was."""
    before = Path(path).read_bytes()
    told(capsys, path)

    assert Path(path).read_bytes() == before

"""The chain of an audit file: whatever is changed, put in or taken out shows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import ConfigError
from aigw.audit import FileAudit, verify
from aigw.audit.chain import Link, end_of, link
from audit.any_records import record

KEY = "a-key-of-some-length"


def lines(count, key=b""):
    """Make the lines of a file."""
    end, made = Link(), []
    for number in range(count):
        line, end = link(record(number), end, key)
        made.append(line)
    return made


def flaws(tmp_path, made, key=None, last=None):
    """Verify these lines; return what is wrong, by line."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(made))
    return [(flaw.line, flaw.problem.split(",")[0]) for flaw in verify(path, key, last=last).flaws]


def test_a_whole_file(tmp_path):
    """Nothing is wrong with what was written, and the newest hash is told."""
    made = lines(5)
    (tmp_path / "a").write_bytes(b"".join(made))
    found = verify(tmp_path / "a")

    assert (found.records, found.flaws) == (5, ())
    assert found.last == json.loads(made[-1])["hash"]
    (tmp_path / "a").write_bytes(b"")
    assert verify(tmp_path / "a") == type(found)(0, "", ())


def test_what_was_changed(tmp_path):
    """A line whose words are others is named; so is the one behind it if its hash was made to fit."""
    made = lines(4)
    changed = made[1].replace(b"principal alice", b"principal bobby")
    forged, _ = link(record(1, principal="mallory"), end_of(made[0]), b"")

    assert flaws(tmp_path, [made[0], changed, *made[2:]]) == [(2, "changed")]
    assert flaws(tmp_path, [made[0], forged, *made[2:]]) == [(3, "does not follow on the record before it")]


def test_what_was_taken_out_or_put_in(tmp_path):
    """A line that is gone, stands twice, or stands elsewhere breaks the chain where that happened."""
    made = lines(4)

    assert flaws(tmp_path, [made[0], *made[2:]]) == [(2, "does not follow on the record before it")]
    assert flaws(tmp_path, made[1:]) == [(1, "does not follow on the record before it")]
    assert flaws(tmp_path, [*made[:2], *made[1:]]) == [(3, "does not follow on the record before it")]
    assert flaws(tmp_path, [made[0], made[2], made[1], made[3]])[0][0] == 2
    assert flaws(tmp_path, [made[0], b"{}\n", *made[1:]]) == [(2, "not a whole record")]
    assert flaws(tmp_path, [*made[:3], made[3][:50]]) == [(4, "not a whole record")]


def test_what_is_gone_at_the_end(tmp_path):
    """Only a hash that was noted elsewhere shows it."""
    made = lines(4)
    noted = json.loads(made[-1])["hash"]

    assert flaws(tmp_path, made, last=noted) == []
    assert flaws(tmp_path, made[:3]) == []
    assert flaws(tmp_path, made[:3], last=noted) == [(3, "the record with the noted hash is not there")]


def test_a_key(tmp_path):
    """A chain that was made with a key fits that key alone, so nobody without it can make another."""
    made = lines(3, KEY.encode())

    assert flaws(tmp_path, made, KEY) == []
    assert flaws(tmp_path, made, KEY.encode()) == []
    assert [line for line, _ in flaws(tmp_path, made)] == [1, 2, 3]
    assert [line for line, _ in flaws(tmp_path, made, "another-key-that-is-long")] == [1, 2, 3]


@pytest.mark.parametrize("key", ["", "short", b"short", 7])
def test_a_key_that_is_none(key, tmp_path):
    """It is refused, and not shown."""
    with pytest.raises(ConfigError, match=r"\(key\) must"):
        FileAudit(tmp_path / "a", key=key)
    with pytest.raises(ConfigError, match=r"verify\(key\)"):
        verify(tmp_path / "a", key)


def test_a_file_that_is_not_there(tmp_path):
    """It is named."""
    with pytest.raises(ConfigError, match=r"nowhere.*No such file"):
        verify(tmp_path / "nowhere")


@settings(max_examples=60)
@given(data=st.data())
def test_any_byte_counts(tmp_path_factory, data):
    """Whatever byte is changed, the file is no longer whole."""
    made = bytearray(b"".join(lines(3, KEY.encode())))
    at = data.draw(st.integers(0, len(made) - 1))
    made[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("audit") / "a"
    path.write_bytes(bytes(made))

    assert verify(path, KEY).flaws != ()


@given(st.binary(max_size=200))
def test_any_line_is_read_without_failing(line):
    """Whatever stands in a file, reading it raises nothing."""
    end_of(line)
    end_of(b'{"seq":1,' + line + b'"}\n')

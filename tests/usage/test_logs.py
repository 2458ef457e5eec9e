"""The contract of a usage log, for the one in memory and the one in a file."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aigw import ConfigError
from aigw.usage import MemoryUsage, SqliteUsage, UsageLog
from usage.any_records import NOON, record, records

MAKERS = {"memory": lambda _: MemoryUsage(), "sqlite": lambda folder: SqliteUsage(folder / "usage.db")}


@pytest.fixture(params=list(MAKERS))
def log(request, tmp_path):
    """Make a log of each kind."""
    made = MAKERS[request.param](tmp_path)
    yield made
    made.close()


def test_it_is_a_log(log):
    """Both are what `Gateway(usage=...)` takes, and say what they are."""
    assert isinstance(log, UsageLog)
    assert "Usage(" in repr(log)


def test_what_was_added_is_there(log):
    """A record is found as soon as `add` has returned, with every field as it was."""
    odd = record(
        1,
        tags=("a", "b"),
        metadata={"app": "drüben", "quote": 'it\'s "so"'},
        failures=("openai/m TimedOut", "x ServerError 500"),
        cost=None,
        known_cost=7,
        cached=0,
        estimated=True,
        principal="",
        refused_by="RateLimit",
    )
    log.add(record(0))
    log.add(odd)

    assert list(log.records()) == [record(0), odd]


def test_a_time(log):
    """`since` belongs to the time that is asked for, `until` does not."""
    for number in range(5):
        log.add(record(number))

    assert [found.id for found in log.records(NOON + 1, NOON + 3)] == ["call_0001", "call_0002"]
    assert len(list(log.records(NOON + 4))) == 1
    assert len(list(log.records(None, NOON))) == 0


def test_a_closed_log_opens_again(log):
    """Nothing is lost when a log is closed while it is used, or used after it was closed."""
    log.add(record(0))
    log.close()
    log.close()
    log.add(record(1))

    assert len(list(log.records())) == 2


def test_many_threads(log):
    """Threads that add at the same time, while others read and close, lose nothing."""

    def add(first):
        for number in range(first, first + 200):
            log.add(record(number))
            if number % 50 == 0:
                list(log.records())
            if number % 70 == 0:
                log.close()

    threads = [threading.Thread(target=add, args=(first,)) for first in range(0, 1600, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found.id for found in log.records()) == [f"call_{number:04}" for number in range(1600)]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(records, max_size=10))
def test_both_say_the_same(tmp_path_factory, some):
    """A file gives back what memory does, in the order of the calls."""
    with_file = SqliteUsage(tmp_path_factory.mktemp("usage") / "usage.db")
    in_memory = MemoryUsage()
    for one in some:
        with_file.add(one)
        in_memory.add(one)
    found = list(with_file.records())
    with_file.close()

    assert found == sorted(in_memory.records(), key=lambda one: one.started)


def test_memory_keeps_the_newest():
    """The oldest records give way."""
    log = MemoryUsage(keep=3)
    for number in range(5):
        log.add(record(number))

    assert [found.id for found in log.records()] == ["call_0002", "call_0003", "call_0004"]


@pytest.mark.parametrize("keep", [0, -1, 1.5, True, "10"])
def test_a_wrong_number_to_keep(keep, tmp_path):
    """What makes no sense is refused at once, and the argument is named."""
    with pytest.raises(ConfigError, match=r"MemoryUsage\(keep\) must be a whole number"):
        MemoryUsage(keep)
    with pytest.raises(ConfigError, match=r"SqliteUsage\(keep_days\) must be a whole number"):
        SqliteUsage(tmp_path / "usage.db", keep_days=keep)

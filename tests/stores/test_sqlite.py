"""What is particular to `SqliteLedger`: its file, other processes that hold it, time, threads and forks."""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import pytest

from aigw.errors import ConfigError
from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend
from aigw.runtime import LoopRuntime
from aigw.stores import SqliteLedger, sqlite_sheet
from aigw.stores.ledger import Ticket
from aigw.testing import FakeClock
from stores.ledgers import Face, Stand

DAY = Spend("day", 1000, piece=5, oldest=5)
CALLS = Slots("calls", 5)
RPM = Rate("requests", 60, window=60.0, burst=10.0)


@pytest.fixture
def path(tmp_path):
    """Where the file is."""
    return tmp_path / "limits.db"


@pytest.fixture
def make(path):
    """Make a face of the ledger in this file, with a patience that tests can wait for."""
    made = []

    def face(kind="blocking", *, clock=None, patience=0.1):
        stand = Stand(lambda: SqliteLedger(path, patience=patience))
        stand.clock = clock or FakeClock(1000.0)
        made.extend([Face(stand, kind), stand])
        return made[-2]

    yield face
    for thing in made:
        thing.close()


@contextmanager
def held(path):
    """Hold the file as another process would that is writing; the lock ends with the block, or before."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def rows(path, query):
    """Read from the file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def write(path, *statements):
    """Change the file behind the ledger's back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_only_the_owner_reads_the_file(make, path):
    """The file and those beside it have mode 0600."""
    make().ticket(Claim(DAY, 1))

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes) >= {"limits.db", "limits.db-wal"}
    assert set(modes.values()) == {0o600}


def test_files_of_others_are_refused(tmp_path):
    """A database of something else, one of a newer version, and what is no database at all are left alone."""
    other, newer, text = (tmp_path / name for name in ("other.db", "newer.db", "text.db"))
    write(other, "CREATE TABLE mine (x)")
    SqliteLedger(newer).close()
    write(newer, "PRAGMA user_version = 99")
    text.write_text("something else, and long enough for a header" * 10)

    for file, reason in ((other, "something else"), (newer, "version 99"), (text, "not a database")):
        with pytest.raises(ConfigError, match=reason):
            SqliteLedger(file)
    with pytest.raises(ConfigError, match="cannot be opened"):
        SqliteLedger(tmp_path / "no" / "folder.db")
    with pytest.raises(ConfigError, match="patience"):
        SqliteLedger(other, patience=0)
    assert rows(other, "SELECT name FROM sqlite_schema") == [("mine",)]


def test_counts_outlive_the_ledger(make):
    """What was counted is there when the file is opened again."""
    first = make()
    first.settle(first.ticket(Claim(DAY, 600), Claim(RPM, 5)), 100, None)
    first.ledger.close()
    second = make()

    assert [second.used(DAY), second.used(RPM)] == [100, 5]


def test_durable_ledgers_sync_every_transaction(path):
    """``durable=True`` is SQLite's ``synchronous=FULL``; the default is NORMAL."""
    modes = []
    for durable in (True, False):
        ledger = SqliteLedger(path, durable=durable)
        connection, _ = ledger._file._open()
        modes.append(connection.execute("PRAGMA synchronous").fetchone()[0])
        ledger.close()

    assert modes == [2, 1]


def test_entries_are_the_ledger(make, path):
    """Each reservation and settlement of money is an entry; their sum is what is spent."""
    face = make()
    face.settle(face.ticket(Claim(DAY, 600)), 100)
    face.ticket(Claim(DAY, 30))

    assert rows(path, "SELECT amount FROM entries ORDER BY id") == [(600,), (-500,), (30,)]
    assert rows(path, "SELECT key, piece, amount FROM spent") == [("day", 5, 130)]


def test_sums_are_computed_anew_where_they_are_wrong(make, path, caplog):
    """Whoever changed the counters: when the file is opened they are those of the entries and reservations."""
    face = make()
    face.ticket(Claim(DAY, 600), Claim(CALLS, 2))
    face.ticket(Claim(Spend("gone", 10, 1, 1), 7))
    face.ledger.close()
    write(
        path,
        "UPDATE spent SET amount = 5 WHERE key = 'day'",
        "DELETE FROM spent WHERE key = 'gone'",
        "INSERT INTO spent VALUES ('more', 1, 9, 9e9)",
        "UPDATE slots SET used = 0",
    )
    again = make()

    assert [again.used(DAY), again.used(CALLS)] == [600, 2]
    assert [again.used(Spend(key, 10, 1, 1)) for key in ("gone", "more")] == [7, 0]
    assert "computed anew" in caplog.text


def test_old_entries_are_carried_forward(make, path, monkeypatch):
    """The file does not grow with the number of calls: old entries become one sum for each key and piece."""
    monkeypatch.setattr(sqlite_sheet, "KEPT", 10)
    face = make()
    write(path, "UPDATE state SET carry_at = 20")
    for _ in range(100):
        face.settle(face.ticket(Claim(DAY, 9)), 2)

    assert rows(path, "SELECT COUNT(*) FROM entries")[0][0] <= 40
    assert rows(path, "SELECT SUM(amount) FROM entries") == [(200,)]
    assert face.used(DAY) == 200
    face.ledger.close()
    assert make().used(DAY) == 200


def test_what_counts_no_more_is_dropped(make, path):
    """When periods are over and rates have owed nothing for an hour, nothing is left of their keys."""
    face = make()
    for number in range(50):
        face.ticket(
            Claim(Rate(f"rate{number}", 60), 1),
            Claim(Spend(f"day{number}", 10, 1, 1, lasts=86_400.0), 1),
            Claim(Slots(f"calls{number}", 1), 1),
        )
    face.stand.advance(90_000.0)
    face.ticket(Claim(Rate("now", 60), 1))

    tables = ("rates", "spent", "slots", "reservations")
    assert [rows(path, f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables] == [1, 0, 0, 1]
    assert rows(path, "SELECT IFNULL(SUM(amount), 0) FROM entries") == [(0,)]


def test_wall_time_that_is_set_back_grants_nothing(make):
    """Another process whose clock is an hour behind finds the rate as used as it is, and time goes on for it."""
    right, late = FakeClock(1000.0), FakeClock(1000.0, epoch=FakeClock().time() - 3600)
    first, second = make(clock=right), make(clock=late)
    first.ticket(Claim(RPM, 10))
    denial = second.denial(Claim(RPM, 1))
    late.advance(2.0)
    second.ticket(Claim(RPM, 2))

    assert denial.wait == pytest.approx(1.0, abs=1e-5)
    assert isinstance(second.reserve(Claim(RPM, 1)), Denial)


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_limits_without_their_file(make, path, kind, caplog):
    """While another holds the file for too long: closed refuses, open lets pass, local counts in this process."""
    face = make(kind)
    closed = Spend("money", 10, 1, 1)
    opened = Rate("open", 60, when_down="open")
    local = Slots("local", 1, when_down="local")
    with held(path):
        refused = face.denial(Claim(local, 1), Claim(closed, 1))
        passed = [face.ticket(Claim(opened, 60)) for _ in range(3)]
        alone = face.ticket(Claim(local, 1), Claim(opened, 1))
        full = face.denial(Claim(local, 1))
        face.push(RPM, 1.0)
        face.drain(RPM, 1)
        inside = face.used(local)
        face.settle(alone, None, None)
        face.settle(face.ticket(Claim(local, 1)), None)
        for ticket in passed:
            face.settle(ticket, 0)

    assert refused == Denial(closed, None, unknown=True)
    assert full == Denial(local, None)
    assert inside == 1
    assert face.used(local) == 0
    assert face.used(opened) == 0
    assert caplog.text.count("cannot be counted") >= 1


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_a_settlement_waits_until_it_can_be_written(make, path, kind):
    """While another holds the file a settlement neither raises nor is lost."""
    face = make(kind)
    ticket = face.ticket(Claim(DAY, 600), Claim(CALLS, 1))
    with held(path):
        face.settle(ticket, 100, None)
    face.ledger.close()

    assert rows(path, "SELECT amount FROM spent") == [(100,)]
    assert [make().used(limit) for limit in (DAY, CALLS)] == [100, 0]


def test_closing_while_the_file_is_held_loses_nothing_in_silence(make, path, caplog):
    """A ledger that cannot write its settlements when it is closed says so, and writes them if it is used again."""
    face = make("loop")
    ticket = face.ticket(Claim(DAY, 600))
    with held(path):
        face.settle(ticket, 100)
        face.ledger.close()

    assert "settlements cannot be written" in caplog.text
    assert face.used(DAY) == 100


def test_the_loop_goes_on_while_the_file_is_held(make, path):
    """A task that waits for the file does not stop the loop: it is the loop that lets the file go."""
    face = make("loop", patience=60.0)

    async def main():
        with held(path) as other:
            waiting = asyncio.create_task(face.ledger.reserve([Claim(DAY, 1)], face._runtime, 60.0))
            for _ in range(100):
                await asyncio.sleep(0)
            early = waiting.done()
            other.execute("ROLLBACK")
            return early, await waiting

    early, outcome = face.run(main())

    assert not early
    assert isinstance(outcome, Ticket)


def test_who_is_cancelled_while_waiting_reserves_nothing(make, path):
    """A call that is cancelled before it gets its ticket leaves nothing behind, whenever the file is written."""
    face = make("loop", patience=60.0)

    async def main():
        tasks = []
        for turns in range(20):
            with held(path) as other:
                task = asyncio.create_task(face.ledger.reserve([Claim(DAY, 50), Claim(CALLS, 1)], face._runtime, 60.0))
                for _ in range(turns):
                    await asyncio.sleep(0)
                other.execute("ROLLBACK")
                task.cancel()
                tasks.append(task)
            await asyncio.gather(task, return_exceptions=True)
        granted = [task for task in tasks if not task.cancelled()]
        await face.ledger.used(DAY, face._runtime)  # what was given back meanwhile is written before this
        return len(granted), await face.ledger.used(DAY, face._runtime), await face.ledger.used(CALLS, face._runtime)

    granted, spent, calls = face.run(main())

    assert (spent, calls) == (50 * granted, granted)


def test_nobody_has_a_thread_who_needs_none(make):
    """The blocking face counts in the caller's thread."""
    face = make()
    face.settle(face.ticket(Claim(DAY, 1)), 1)

    assert "aigw-limits" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_ledger_opens_its_file_again(make):
    """What comes after `close` is counted, in both faces."""
    for kind in ("blocking", "loop"):
        face = make(kind)
        face.ledger.close()
        face.settle(face.ticket(Claim(DAY, 10)), 1)
        face.ledger.close()

    assert make().used(DAY) == 2


def test_a_dropped_ledger_leaves_nothing_open(path):
    """A ledger that nobody closed takes its connection with it, without a warning."""
    stand = Stand(lambda: SqliteLedger(path))
    face = Face(stand, "blocking")
    face.ticket(Claim(DAY, 1))
    file = face.ledger._file
    stand._ledgers.clear()
    del face
    gc.collect()

    assert file._connection is None


def test_loops_come_and_go(make):
    """One ledger serves loops one after the other; a settlement of a loop that is gone is counted."""
    face = make()
    tickets = []

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), face.stand.clock, random.Random(0), lambda: None)
        tickets.append(await face.ledger.reserve([Claim(DAY, 100)], runtime, 60.0))

    for _ in range(3):
        asyncio.run(main())
    for ticket in tickets:
        face.ledger.settle(ticket, [1])
    face.ledger.close()

    assert face.used(DAY) == 3


FORKS = """
import asyncio, os, random, sys
from aigw.mechanics.limits import Claim, Slots, Spend
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import SqliteLedger

ledger = SqliteLedger(sys.argv[1])
day, calls = Spend("day", 1000, 1, 1), Slots("calls", 100)
runtime = BlockingRuntime(None, random.Random(0), lambda: None)

async def use():
    loop = LoopRuntime(asyncio.get_running_loop(), None, random.Random(0), lambda: None)
    ticket = await ledger.reserve([Claim(day, 10), Claim(calls, 1)], loop, 60.0)
    ledger.settle(ticket, [1, None])
    await ledger.used(day, loop)

def both():
    asyncio.run(use())
    ledger.settle(drive(ledger.reserve([Claim(day, 10), Claim(calls, 1)], runtime, 60.0)), [1, None])

both()
for _ in range(5):
    child = os.fork()
    assert ledger._file._connection is None, "SQLite would believe to hold the locks of the parent"
    if not child:
        both()
        ledger.close()
        os._exit(0)
    both()
    assert os.waitpid(child, 0)[1] == 0
print(drive(ledger.used(day, runtime)), drive(ledger.used(calls, runtime)))
ledger.close()
"""


def test_forks(path):
    """A child of a process that counts has a connection and a thread of its own, and waits for none of its parent."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKS, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout.split(), done.stderr) == (["22", "0"], "")


def test_it_is_loaded_when_it_is_needed():
    """Neither ``import aigw`` nor ``import aigw.stores`` loads sqlite3."""
    loaded = "{name for name in sys.modules if 'sqlite' in name}"  # a measure of coverage may have loaded some before
    script = (
        f"import sys; before = {loaded}; import aigw, aigw.stores; assert {loaded} == before; aigw.stores.SqliteLedger"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

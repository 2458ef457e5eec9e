"""`SqliteLedger` in real processes: overload over eight of them, and two hundred that are killed at random points."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import threading
import time
from bisect import bisect_right
from contextlib import closing
from itertools import pairwise
from multiprocessing.connection import wait

import pytest

from aigw.mechanics.limits import Claim
from aigw.stores import SqliteLedger
from aigw.stores.ledger import Ticket
from aigw.testing import FakeClock
from stores.ledgers import Face, Stand
from stores.processes import BUDGET, BURST, CALLS, COUNT, LASTS, REQUESTS, WINDOW, overload, spend

PROCESSES = 8
SECONDS = 6.0
KILLS = 200


@pytest.fixture(scope="module")
def processes():
    """Processes that are forked from a server which has loaded everything: each starts in milliseconds."""
    context = multiprocessing.get_context(
        "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else None
    )
    context.set_forkserver_preload(["stores.processes"])
    return context


def test_8_processes_at_three_times_the_rate(processes, tmp_path):
    """In no window more is admitted than capacity x (1 + burst / window), and in the long run the rate within 2 %."""
    path = tmp_path / "limits.db"
    start = processes.Barrier(PROCESSES)
    each_second = 3 * REQUESTS / WINDOW / PROCESSES
    workers = [
        processes.Process(target=overload, args=(path, start, SECONDS, each_second), daemon=True)
        for _ in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    with closing(sqlite3.connect(path)) as connection:
        admitted = [
            at for (at,) in connection.execute("SELECT at FROM entries WHERE key = ? ORDER BY at", (COUNT.key,))
        ]
    most = max(bisect_right(admitted, at + WINDOW) - index for index, at in enumerate(admitted))
    allowed = REQUESTS / WINDOW * (admitted[-1] - admitted[0] + BURST)
    # While a busy machine runs nobody for longer than the burst, what nobody asked for is no fault of the limit.
    unasked = REQUESTS / WINDOW * sum(max(0.0, b - a - BURST) for a, b in pairwise(admitted))

    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert most <= REQUESTS * (1 + BURST / WINDOW) + 1e-3
    assert 0.98 * (allowed - unasked) - 1 <= len(admitted) <= allowed + 1


def test_200_processes_are_killed(processes, tmp_path):
    """Killed at any point: nothing written is lost, the sums are right, the budget holds, and slots are free again."""
    path = tmp_path / "limits.db"
    SqliteLedger(path).close()
    told = _kill(processes, path)
    ledger = SqliteLedger(path)
    stand = Stand(lambda: ledger)
    stand.clock = FakeClock(epoch=time.time() + LASTS)
    face = Face(stand, "blocking")
    with closing(sqlite3.connect(path)) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
        names = {name for (name,) in connection.execute("SELECT name FROM entries")}
        entries = connection.execute("SELECT SUM(amount) FROM entries").fetchone()[0]
        spent = connection.execute("SELECT SUM(amount) FROM spent").fetchone()[0]
    for name in names:
        face.settle(Ticket(name, [Claim(BUDGET, 10)], stand.clock, True), 0)
    after = face.used(BUDGET)
    used = face.used(CALLS)
    free = face.reserve(Claim(CALLS, CALLS.capacity))
    stand.close()

    assert whole == "ok"
    assert len(told) >= KILLS
    assert told - {"refused"} <= names
    assert entries == spent == after
    assert 0 < spent <= BUDGET.capacity
    assert used == 0
    assert isinstance(free, Ticket)


def _kill(processes, path) -> set[str]:
    """Keep eight processes running, and kill one after the other; return what they told."""
    rng = random.Random(0)
    told: set[str] = set()
    running = []
    clock = threading.Event()
    for _ in range(KILLS):
        while len(running) < PROCESSES:
            ours, theirs = processes.Pipe(duplex=False)
            worker = processes.Process(target=spend, args=(path, theirs), daemon=True)
            worker.start()
            theirs.close()
            running.append((worker, ours))
        worker, ours = running.pop(rng.randrange(len(running)))
        assert ours.poll(60), "a process does nothing"
        clock.wait(rng.uniform(0.0, 0.02))
        for _, others in running:
            _hear(others, told)
        _end(worker, ours, told)
    for worker, ours in running:
        _end(worker, ours, told)
    return told


def _end(worker, ours, told: set[str]) -> None:
    worker.kill()
    worker.join(60)
    _hear(ours, told)
    ours.close()
    worker.close()


def _hear(ours, told: set[str]) -> None:
    """Take what a process has told so far; the last word may be cut off."""
    try:
        while wait([ours], 0):
            told.add(ours.recv_bytes().decode())
    except (EOFError, OSError):
        pass

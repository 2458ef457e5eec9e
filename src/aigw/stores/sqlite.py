"""`SqliteLedger`: counts in a file, for all processes of one machine."""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
import weakref
from collections import deque
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw.checks import seconds as checked_seconds
from aigw.mechanics.limits import Denial
from aigw.stores.database import around_forks
from aigw.stores.ledger import Ticket
from aigw.stores.memory import MemoryLedger
from aigw.stores.sqlite_file import FAILURES, TRY, Job, LimitsFile
from aigw.stores.sqlite_worker import Worker

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Limit, Rate
    from aigw.ports import Runtime

_LOG: Final = logging.getLogger("aigw.stores")


class SqliteLedger:
    """Counts limits in a SQLite file: exact over the threads, event loops and processes of one machine.

    A process that is killed loses nothing that was reserved or settled: its slots are free again when its reservations
    expire, and what they spent stays spent. Blocking calls use the file directly; those of an event loop wait for a
    thread, which writes what comes together in one transaction.

    Time is wall time, since processes share it. Where it is set back, the ledger's own goes on from the latest that any
    process has written, so nothing is granted twice. Where the file cannot be written (its disk is full, or somebody
    holds it for too long), each limit does what its ``when_down`` says, and settlements wait until it can be.

    Args:
        path: the file; made, with mode 0600, if it is not there. Not on a network drive.
        patience: seconds that a reservation waits for other processes and threads to finish writing.
        durable: have every transaction on the disk before a call goes on. Without it a machine that loses its power
            may forget the last moments; a process that is killed never does.

    Raises:
        ConfigError: the file cannot be opened, or holds something else.
    """

    def __init__(self, path: str | os.PathLike[str], *, patience: float = 5.0, durable: bool = False) -> None:
        self.path = Path(path)
        self._patience = checked_seconds("SqliteLedger(patience)", patience)
        self._tries = max(1, round(self._patience / TRY))
        self._file = LimitsFile(self.path, durable=durable)
        self._begin()
        around_forks(before=self._before_fork, in_parent=self._after_fork, in_child=self._begin)
        weakref.finalize(self, self._file.close)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._unsettled: deque[Job] = deque()
        self._worker = Worker(self._serve)
        self._local = MemoryLedger()
        self._prefix = secrets.token_hex(6)
        self._names = count()
        self._failing = False
        self._at_exit = False

    def __repr__(self) -> str:
        return f"SqliteLedger({str(self.path)!r})"

    async def reserve(self, claims: Sequence[Claim], runtime: Runtime, lasts: float) -> Ticket | Denial:
        """Reserve all claims, or none; see `Ledger.reserve`."""
        name = f"{self._prefix}-{next(self._names)}"
        clock = runtime.clock

        def give_back(denial: Denial | None) -> None:
            if denial is None:
                self._settle(Job(lambda sheet, now: sheet.settle(name, claims, [0] * len(claims), now), clock))

        job = Job(lambda sheet, now: sheet.reserve(name, claims, now, now + lasts), clock, undo=give_back)
        if not await self._do(job, runtime):
            return await self._reserve_without(name, claims, runtime, lasts)
        return Ticket(name, claims, clock, runtime.blocking) if job.result is None else job.result

    def settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        """Replace what was reserved by what was used; see `Ledger.settle`."""
        if ticket.settled:
            return
        ticket.settled = True
        if isinstance(ticket.note, _Alone):
            ticket.note.settle(self._local, ticket.claims, amounts)
            return
        name, claims = ticket.name, ticket.claims
        job = Job(lambda sheet, now: sheet.settle(name, claims, amounts, now), ticket.clock)
        self._settle(job, at_once=ticket.note is True)

    async def push(self, rate: Rate, seconds: float, runtime: Runtime) -> None:
        """Admit nothing for so many seconds; see `Ledger.push`."""
        if not await self._do(Job(lambda sheet, now: sheet.push(rate, seconds, now), runtime.clock), runtime):
            await self._local.push(rate, seconds, runtime)

    async def drain(self, rate: Rate, left: float, runtime: Runtime) -> None:
        """Leave at most so many units; see `Ledger.drain`."""
        if not await self._do(Job(lambda sheet, now: sheet.drain(rate, left, now), runtime.clock), runtime):
            await self._local.drain(rate, left, runtime)

    async def used(self, limit: Limit, runtime: Runtime) -> int:
        """How much is used; what this process counts by itself while the file cannot be read. See `Ledger.used`."""
        job = Job(lambda sheet, now: sheet.used(limit, now), runtime.clock)
        if await self._do(job, runtime):
            return int(job.result)
        return await self._local.used(limit, runtime)

    def close(self) -> None:
        """Write what is settled, close the file, and end the thread. What comes later opens it again."""
        self._worker.stop(2 * self._patience)
        if not self._lock.acquire(timeout=self._patience):
            return
        try:
            self._run([], self._tries)
        except FAILURES:
            _LOG.warning("%d settlements cannot be written; what they reserved stays spent", len(self._unsettled))
        finally:
            self._file.close()
            self._lock.release()

    async def _do(self, job: Job, runtime: Runtime) -> bool:
        """Run a job; tell whether that was possible."""
        if runtime.blocking:
            return self._do_now(job)
        job.flag = runtime.flag()
        if not self._worker.put(job):
            return False
        try:
            await job.flag.wait(self._patience)
        except BaseException:  # cancelled: nobody will settle what is reserved for it
            if not job.drop() and job.undo is not None:
                job.undo(job.result)
            raise
        return not job.drop()

    def _do_now(self, job: Job) -> bool:
        if not self._lock.acquire(timeout=self._patience):
            return False
        try:
            self._run([job], self._tries)
        except FAILURES as error:
            self._failed(error)
        finally:
            self._lock.release()
        self._settle_rest()
        return job.done

    def _run(self, jobs: Sequence[Job], tries: int) -> None:
        """Do jobs, after all that was settled before. The lock is held."""
        settled: list[Job] = []
        try:
            while self._unsettled:
                settled.append(self._unsettled.popleft())
            if settled or jobs:
                self._file.run([*settled, *jobs], tries)
                self._failing = False
        except BaseException:
            self._unsettled.extendleft(job for job in reversed(settled) if not job.done)
            raise

    def _settle(self, job: Job, *, at_once: bool = False) -> None:
        """Have something settled: here and now if that takes no time, else by the thread."""
        self._unsettled.append(job)
        if not at_once or not self._settle_rest():
            self._call_worker()

    def _settle_rest(self) -> bool:
        """Write what is settled and not written; tell whether somebody does.

        A finalizer may settle, while the very thread that it interrupts holds the lock: whoever holds it looks again
        when he has given it back.
        """
        while self._unsettled:
            if not self._lock.acquire(blocking=False):
                return True
            try:
                self._run([], tries=1)
            except FAILURES:
                self._call_worker()
                return True
            finally:
                self._lock.release()
        return True

    def _call_worker(self) -> None:
        if not self._at_exit:
            self._at_exit = True
            atexit.register(_close, weakref.ref(self))
        self._worker.put(None)

    def _serve(self, jobs: Sequence[Job]) -> bool:
        """Do the jobs of the thread; tell whether all is settled."""
        wanted = [job for job in jobs if not job.dropped]
        with self._lock:
            try:
                self._run(wanted, self._tries)
            except Exception as error:  # noqa: BLE001  (the thread must live; whoever waits is told)
                self._failed(error)
        for job in wanted:
            job.wake()
        return not self._unsettled

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            _LOG.warning("limits cannot be counted in their file now: %s", error)

    async def _reserve_without(
        self, name: str, claims: Sequence[Claim], runtime: Runtime, lasts: float
    ) -> Ticket | Denial:
        """Reserve without the file, each limit as it says."""
        for limit, _ in claims:
            if limit.when_down == "closed":
                return Denial(limit, None, unknown=True)
        local = [claim for claim in claims if claim.limit.when_down == "local"]
        outcome = await self._local.reserve(local, runtime, lasts)
        return Ticket(name, claims, runtime.clock, _Alone(outcome)) if isinstance(outcome, Ticket) else outcome

    def _before_fork(self) -> None:
        self._lock.acquire()
        self._file.close()

    def _after_fork(self) -> None:
        self._lock.release()


class _Alone:
    """What a ticket remembers that was granted without the file: the part of it that this process counts by itself."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket

    def settle(self, ledger: MemoryLedger, claims: Sequence[Claim], amounts: Sequence[Any]) -> None:
        local = [amount for claim, amount in zip(claims, amounts, strict=False) if claim.limit.when_down == "local"]
        ledger.settle(self._ticket, local)


def _close(ledger: weakref.ref[SqliteLedger]) -> None:
    """Write what is settled when the interpreter ends."""
    if (alive := ledger()) is not None:
        alive.close()

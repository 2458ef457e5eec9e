"""`Line`: the one thread that talks with the store, and knows whether the store is there.

It takes all jobs that wait and sends them in one round trip. When one call has waited in vain, or three round trips
have failed, it is down: everybody is sent away who waits, and nobody waits from then on. It asks the server by itself
whether it is there again: at once, and from the third time on after 1 s, 2 s, and so on to 30 s, each a quarter
more or less by chance, so that many processes do not ask together.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.stores.redis_link import StoreRefusedError, StoreSilentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aigw.ports import Runtime
    from aigw.stores.redis_link import Job, Link

FAILURES: Final = 3
"""Round trips that fail, one after the other, until nobody waits for the store any more."""

FIRST_PAUSE: Final = 1.0
"""Seconds until the store is asked again; doubled each time."""

LONGEST_PAUSE: Final = 30.0
"""Seconds."""

KEPT: Final = 100_000
"""Jobs that are kept for a store that is away; the oldest are dropped then."""

BATCH: Final = 500
"""Jobs of one round trip."""

CLOSING: Final = 2.0
"""Seconds that `Line.close` waits for what is not yet delivered."""


_LOG: Final = logging.getLogger("aigw.stores")


class Chores(Protocol):
    """What is to be told to the store beside the jobs that are put."""

    def missed(self) -> Iterable[Job]:
        """Take the jobs that tell what happened while it was away."""
        ...

    def jobs(self, *, rides: bool, ends: bool) -> Sequence[Job]:
        """Take what is to be told now.

        Args:
            rides: something is being sent, so that what could wait goes with it.
            ends: this is the end.
        """
        ...

    def due(self) -> float | None:
        """Tell after how many seconds there is something to be told, as far as is known."""
        ...


class Line:
    """Sends jobs to a store. Its thread starts with the first job.

    Args:
        link: the connection.
        timeout: seconds that a caller waits.
        first_wait: seconds that callers wait while the first connection is being made.
        chores: what is to be told besides.
    """

    def __init__(self, link: Link, timeout: float, first_wait: float, chores: Chores) -> None:
        self._link = link
        self._timeout = timeout
        self._first_wait = first_wait
        self._chores = chores
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._inbox: queue.SimpleQueue[Sequence[Job]] = queue.SimpleQueue()  # a finalizer may put to it at any moment
        self._ending: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._jobs: deque[Job] = deque()  # the thread's own
        self._waiting: set[Job] = set()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._owing = False
        self._tried_last = False
        self._worked = False
        self._trips = 0
        self._silent = False
        self.first_pause = FIRST_PAUSE
        self._pause = FIRST_PAUSE
        self._chance: Callable[[], float] = float
        self.failures = 0
        """Round trips that failed since the last one that did not."""
        self.refused: str | None = None
        """Why the store did not let us in, before it ever did."""
        self.waited = 0
        """Calls that asked and got no answer."""
        self.dropped = 0
        """Jobs that were given up because too many waited for a store that was away."""

    @property
    def down(self) -> bool:
        """Whether nobody waits for the store."""
        return self._silent or self._broken

    @property
    def _broken(self) -> bool:
        """Whether the server is asked now and then only."""
        return self.failures >= FAILURES

    async def ask(self, job: Job, runtime: Runtime, first: Sequence[Job] = ()) -> Any:
        """Run a job and wait for its answer; ``None`` where the store is down.

        Args:
            job: the job.
            runtime: the ports to wait with.
            first: jobs that are to run before it, in any case, and for which nobody waits.
        """
        flag = job.flag = runtime.flag()
        with self._lock:
            if not (down := self.down):
                self._waiting.add(job)
        if down:
            self.put(*first)
            return None
        self._chance = runtime.rng.random
        self.put(*first, job)
        try:
            trips, patience = self._trips, self._timeout if self._worked or self.failures else self._first_wait
            while not await flag.wait(patience) and trips != self._trips:  # it has much to do, and does it
                trips = self._trips
        except BaseException:  # the call was cancelled while it waited, for which the store is not to blame
            if self._give_up(job) and job.undo is not None:
                self.put(job.undo)
            raise
        if self._give_up(job):
            return job.answer
        self._fall_silent(unanswered=not flag.is_set())
        return None

    def put(self, *jobs: Job) -> None:
        """Send jobs in this order, as soon as that is possible. Never waits, and never raises."""
        self._inbox.put(jobs)
        self._begin()

    def wake(self) -> None:
        """Send what the store has missed as soon as it is there."""
        self._owing = True
        self.put()

    def end(self) -> None:
        """Have the thread deliver what can be delivered, and end."""
        self._closing = True
        self._ending.put(None)
        self._inbox.put(())

    def close(self) -> None:
        """Deliver what can be delivered, and wait for the end of the thread."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self.end()
        thread.join(CLOSING)
        if thread.is_alive():
            self._warn(len(self._jobs) + self._inbox.qsize())

    def _begin(self) -> None:
        """Start the thread. A finalizer does not wait for whoever is starting it."""
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                self._closing = self._tried_last = False
                self._ending = queue.SimpleQueue()
                self._thread = threading.Thread(target=self._run, name="aigw-redis", daemon=True)
                self._thread.start()
                atexit.register(self.close)
        except RuntimeError:  # the interpreter ends: no thread starts any more
            self._thread = None
        finally:
            self._starting.release()

    def _give_up(self, job: Job) -> bool:
        """Give a job up that is not done; tell whether it is."""
        with self._lock:
            self._waiting.discard(job)
            job.given_up = not job.done
            return job.done

    def _fall_silent(self, *, unanswered: bool) -> None:
        """Count a call that got no answer; if it was not sent away, but has waited in vain, send away all others."""
        with self._lock:
            self.waited += 1
            self._silent = self._silent or unanswered
        if unanswered:
            self._send_away()

    def _send_away(self) -> None:
        """Let nobody wait any longer."""
        with self._lock:
            waiting, self._waiting = self._waiting, set()
            for job in waiting:
                job.given_up = not job.done
        for job in waiting:
            if job.flag is not None:
                job.flag.set()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._link.send(batch)
            except Exception as error:  # noqa: BLE001  (whatever it is, the thread must live and answer)
                self._failed(batch, error)
            else:
                self._sent(batch)
        self._link.close()
        self._warn(sum(job.flag is None and not job.undoes for job in self._jobs) + len(list(self._chores.missed())))
        self._jobs.clear()
        atexit.unregister(self.close)
        self._thread = None
        if not self._inbox.empty():
            self._begin()

    def _next(self) -> list[Job] | None:
        """Wait for jobs. An empty batch asks whether the store is there; ``None`` ends the thread."""
        while True:
            if self._broken and not self._closing:
                self._rest()
                if not self._closing:
                    return []
            self._take(0.0)
            if self._broken:
                if self._tried_last:
                    return None
                self._tried_last = self._owing = True  # it may have come back since it was last asked
            self._add_chores()
            if self._jobs:
                batch = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
                return [job for job in batch if not job.given_up]
            if self._closing:
                return None
            if self.failures:
                return []  # until it is clear whether the store is there
            self._take(self._chores.due())

    def _add_chores(self) -> None:
        if self._owing and (self._closing or not self.failures):  # how long ago it was is reckoned from here
            self._owing = False
            self._jobs.extend(self._chores.missed())
        if self._closing or not self._broken:
            self._jobs.extend(self._chores.jobs(rides=bool(self._jobs), ends=self._closing))

    def _rest(self) -> None:
        """Wait until the store is to be asked again, or somebody closes."""
        self._take(0.0)
        with suppress(queue.Empty):
            self._ending.get(timeout=self._pause * (0.75 + self._chance() / 2))

    def _take(self, timeout: float | None) -> None:
        """Take what was put, and wait for the first of it for so long."""
        with suppress(queue.Empty):
            while True:
                jobs = self._inbox.get(timeout=timeout)
                timeout = 0.0
                for job in jobs:
                    self._take_one(job)

    def _take_one(self, job: Job) -> None:
        if self._broken and job.flag is not None:  # it was put when that was not known
            with self._lock:
                job.given_up = True
            job.flag.set()
            return
        self._jobs.append(job)
        if len(self._jobs) > KEPT:
            self._jobs.popleft()
            self.dropped += 1

    def _warn(self, lost: int) -> None:
        """Tell what was lost, once."""
        lost, self.dropped = lost + self.dropped, 0
        if lost:
            _LOG.warning("%d settlements did not reach the store; what they had reserved counts as used", lost)

    def _sent(self, batch: list[Job]) -> None:
        with self._lock:
            missed = self.failures > 0 or self._silent
            self.failures, self._pause, self._worked = 0, self.first_pause, True
            self._trips += 1
            self._silent = False
            self._owing = self._owing or missed
            self._jobs.extend(job.undo for job in batch if job.given_up and job.undo is not None)
        for job in batch:
            if job.flag is not None:
                job.flag.set()

    def _failed(self, batch: list[Job], error: Exception) -> None:
        """Keep what must be delivered, and send everybody away who waits."""
        with self._lock:
            was_down = self._broken
            self.failures += 1
            self._silent = self._silent or isinstance(error, StoreSilentError)
            self._pause = min(2 * self._pause, LONGEST_PAUSE) if was_down else self.first_pause
            if isinstance(error, StoreRefusedError) and not self._worked:
                self.refused, self.failures = str(error), max(self.failures, FAILURES)
            elif self._worked:
                self.refused = None
            failed = [*batch, *self._jobs] if self._broken else batch
            kept = [job for job in failed if job.flag is None and not job.done]
            kept += [job.undo for job in batch if job.undo is not None and (job.given_up or not job.done)]
            self._jobs = deque([*kept, *(() if self._broken else self._jobs)])
            for job in failed:
                job.given_up = job.given_up or (job.flag is not None and not job.done)
        for job in failed:
            if job.flag is not None:
                job.flag.set()
        if self._silent:
            self._send_away()

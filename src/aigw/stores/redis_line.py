"""`Line`: the one thread that talks with the store, and knows whether the store is there.

It takes all jobs that wait and sends them in one round trip. After three round trips that failed it is down: from then
on nobody waits for it, and it asks the server by itself whether it is there again: after 1 s, 2 s, and so on to 30 s.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aigw.stores.redis_link import StoreRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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


class Line:
    """Sends jobs to a store. Its thread starts with the first job.

    Args:
        link: the connection.
        timeout: seconds that a caller waits.
        first_wait: seconds that callers wait while the first connection is being made.
        missed: gives the jobs that tell the store what happened while it was away.
    """

    def __init__(self, link: Link, timeout: float, first_wait: float, missed: Callable[[], Iterable[Job]]) -> None:
        self._link = link
        self._timeout = timeout
        self._first_wait = first_wait
        self._missed = missed
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._inbox: queue.SimpleQueue[Job | None] = queue.SimpleQueue()  # may be put to by a finalizer at any moment
        self._ending: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._jobs: deque[Job] = deque()  # the thread's own
        self._thread: threading.Thread | None = None
        self._closing = False
        self._owing = False
        self._tried_last = False
        self._worked = False
        self._trips = 0
        self._unanswered = 0
        self.first_pause = FIRST_PAUSE
        self._pause = FIRST_PAUSE
        self._chance: Callable[[], float] = float
        self.failures = 0
        """Round trips that failed since the last one that did not."""
        self.refused: str | None = None
        """Why the store did not let us in, before it ever did."""
        self.waited = 0
        """Calls that waited for an answer that did not come in time."""
        self.dropped = 0
        """Jobs that were given up because too many waited for a store that was away."""

    @property
    def down(self) -> bool:
        """Whether nobody waits for the store."""
        return max(self.failures, self._unanswered) >= FAILURES

    @property
    def _broken(self) -> bool:
        """Whether the server is asked now and then only."""
        return self.failures >= FAILURES

    async def ask(self, job: Job, runtime: Runtime) -> Any:
        """Run a job and wait for its answer; ``None`` where the store is down."""
        if self.down:
            return None
        flag = job.flag
        assert flag is not None, "somebody waits for it"
        self._chance = runtime.rng.random
        self.put(job)
        try:
            trips, patience = self._trips, self._timeout if self._worked or self.failures else self._first_wait
            while not await flag.wait(patience) and trips != self._trips:  # it has much to do, and does it
                trips = self._trips
        except BaseException:  # the call was cancelled while it waited, for which the store is not to blame
            if self._give_up(job) and job.undo is not None:
                self.put(job.undo)
            raise
        return job.answer if self._give_up(job, late=1) else None

    def put(self, job: Job) -> None:
        """Send a job as soon as that is possible. Never waits, and never raises."""
        self._inbox.put(job)
        self._begin()

    def wake(self) -> None:
        """Send what is told by `missed` as soon as the store is there."""
        self._owing = True
        self._inbox.put(None)
        self._begin()

    def end(self) -> None:
        """Have the thread deliver what can be delivered, and end."""
        self._closing = True
        self._ending.put(None)
        self._inbox.put(None)

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

    def _give_up(self, job: Job, late: int = 0) -> bool:
        """Give a job up that is not done; tell whether it is."""
        with self._lock:
            job.given_up = not job.done
            if job.given_up:
                self.waited += late
                self._unanswered += late
            return job.done

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._link.send(batch)
            except Exception as error:  # noqa: BLE001  (whatever it is, the thread must live and answer)
                self._failed(batch, error)
            else:
                self._sent(batch)
        self._link.close()
        self._warn(sum(job.flag is None and not job.undoes for job in self._jobs) + len(list(self._missed())))
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
            if self._owing and (self._closing or not self.failures):  # how long ago it was is reckoned from here
                self._owing = False
                self._jobs.extend(self._missed())
            if self._jobs:
                batch = [self._jobs.popleft() for _ in range(min(BATCH, len(self._jobs)))]
                return [job for job in batch if not job.given_up]
            if self._closing:
                return None
            if self.failures:
                return []  # until it is clear whether the store is there
            self._take(None)

    def _rest(self) -> None:
        """Wait until the store is to be asked again, or somebody closes."""
        self._take(0.0)
        with suppress(queue.Empty):
            self._ending.get(timeout=self._pause * (0.75 + self._chance() / 2))

    def _take(self, timeout: float | None) -> None:
        """Take what was put, and wait for the first of it for so long."""
        try:
            while True:
                job = self._inbox.get(timeout=timeout)
                timeout = 0.0
                if job is None:
                    continue
                if self._broken and job.flag is not None:  # it was put when that was not known
                    with self._lock:
                        job.given_up = True
                    job.flag.set()
                    continue
                self._jobs.append(job)
                if len(self._jobs) > KEPT:
                    self._jobs.popleft()
                    self.dropped += 1
        except queue.Empty:
            return

    def _warn(self, lost: int) -> None:
        """Tell what was lost, once."""
        lost, self.dropped = lost + self.dropped, 0
        if lost:
            _LOG.warning("%d settlements did not reach the store; what they had reserved counts as used", lost)

    def _sent(self, batch: list[Job]) -> None:
        with self._lock:
            missed = self.failures > 0 or self._unanswered > 0
            self.failures, self._pause, self._worked = 0, self.first_pause, True
            self._trips += 1
            self._unanswered = 0
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

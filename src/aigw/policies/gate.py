"""`Gate`: so many places, and a fair queue of those who wait, for all threads and loops of a process."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from aigw.mechanics.fair_queue import FairQueue, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aigw.ports import Flag

LATELY: Final = 0.1
"""How much the last call counts in the time for which places are held."""


class Guest(Waiter):
    """Somebody at the gate.

    Args:
        flag: is set when there is a place, or when its time is over.
        cost: see `Waiter`.
        since: see `Waiter`.
        until: see `Waiter`.
    """

    __slots__ = ("admitted", "flag")

    def __init__(self, flag: Flag, cost: float, since: float, until: float) -> None:
        super().__init__(cost, since, until)
        self.flag = flag
        self.admitted = False
        """Whether it has got a place."""


class Gate:
    """Counts places. All steps are short and hold its lock.

    The garbage collector may end a dropped stream, and so give a place back, in the middle of a step of the same
    thread. Hence nobody who gives back waits for the lock: what there is to do is written down, and whoever has the
    lock does it before it is through.

    Args:
        places: how many there are.
        queue: those who wait.
    """

    def __init__(self, places: int, queue: FairQueue) -> None:
        self.places = places
        self.taken = 0
        """How many are taken."""
        self.queue = queue
        self._held: float | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._todo: deque[Callable[[], float]] = deque()

    def wait(self, name: str, key: Hashable) -> float | None:
        """Tell the seconds that one of this class and tenant is likely to wait; ``None`` where nobody can tell."""
        with self._lock:
            held = self._held
            wait = None if held is None else held * (self.queue.ahead(name, key) + 1) / self.places
        self._work()
        return wait

    def take(self, *, anyway: bool = False) -> bool:
        """Take a place; tell whether there was one, and nobody waits for it.

        Args:
            anyway: take one in any case, also one too many.
        """
        with self._lock:
            got = anyway or (self.taken < self.places and not self.queue)
            self.taken += got
        if self._todo:
            self._work()
        return got

    def join(self, name: str, key: Hashable, guest: Guest) -> bool:
        """Let somebody wait; tell whether there was room. It may be let in at once."""
        with self._lock:
            joined = self.queue.join(name, key, guest)
            woken = self._admit(guest.since)
        _wake(woken)
        self._work()
        return joined

    def has_place(self, guest: Guest) -> bool:
        """Tell whether somebody has got a place; if not, it does not wait any more."""
        with self._lock:
            self.queue.leave(guest)
        self._work()
        return guest.admitted

    def give_up(self, guest: Guest, now: float) -> None:
        """Go away; a place that was handed over in this very moment goes on to the next."""

        def step() -> float:
            if not self.queue.leave(guest) and guest.admitted:
                self.taken -= 1
                self.queue.settle(guest, 0.0)
            return now

        self._todo.append(step)
        self._work()

    def give_back(self, guest: Guest | None, cost: float, seconds: float, now: float) -> None:
        """Give a place back that was held for so many seconds by a call that has cost so much."""

        def step() -> float:
            self.taken -= 1
            self._held = seconds if self._held is None else self._held + LATELY * (seconds - self._held)
            if guest is not None:
                self.queue.settle(guest, cost)
            return now

        self._todo.append(step)
        self._work()

    def _work(self) -> None:
        if self._process != os.getpid():
            return  # the parent's: neither its lock nor those who wait there are alive here
        while self._todo and self._lock.acquire(blocking=False):
            woken: list[Guest] = []
            try:
                while self._todo:
                    woken += self._admit(self._todo.popleft()())
            finally:
                self._lock.release()
            _wake(woken)

    def _admit(self, now: float) -> list[Guest]:
        """Hand out places that are free; return who must be told."""
        told: list[Guest] = []
        while self.taken < self.places and self.queue:
            waiter, late = self.queue.next(now)
            told += [guest for guest in late if isinstance(guest, Guest)]
            if isinstance(waiter, Guest):
                waiter.admitted = True
                self.taken += 1
                told.append(waiter)
        return told


def _wake(guests: list[Guest]) -> None:
    for guest in guests:
        guest.flag.set()

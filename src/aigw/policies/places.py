"""`Places`: so many at a time, and a line of those who wait, for all threads and loops of a process.

Whoever gives a place back hands it to the first of the line; nobody wakes up in vain, and nobody overtakes. Coming and
going when nobody waits is a comparison and an addition.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.ports import Flag

LATELY: Final = 0.1
"""How much the last call counts in the time for which places are held."""


class Waiter:
    """Somebody in the line.

    Args:
        flag: is set when there is a place.
    """

    __slots__ = ("busy", "flag")

    def __init__(self, flag: Flag) -> None:
        self.flag = flag
        self.busy = 0
        """Places taken when this one got one, its own included; 0 until then."""


class Places:
    """Counts places. All steps are short and hold its lock.

    The garbage collector may end a dropped stream, and so give a place back, in the middle of a step of the same
    thread. Hence nobody who gives back waits for the lock: what there is to do is written down, and whoever has the
    lock does it before it is through.

    Args:
        limit: tells how many there are. Asked under the lock, after each thing that was done.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._ask = limit
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._line: OrderedDict[Waiter, None] = OrderedDict()
        self._todo: deque[Callable[[], None]] = deque()
        self.limit = limit()
        """How many there are."""
        self.taken = 0
        """How many are taken."""
        self.held: float | None = None
        """Seconds for which places were held lately; ``None`` while none was given back."""

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether whoever comes now would have to wait."""
        return self.taken >= self.limit or bool(self._line)

    @property
    def wait(self) -> float | None:
        """Seconds until whoever comes now is likely to get a place; ``None`` where nobody can tell."""
        return None if self.held is None else self.held * (len(self._line) + 1) / self.limit

    def take(self, *, anyway: bool = False) -> int:
        """Take a place, and return how many are taken then; 0 if there is none, or others wait.

        Args:
            anyway: take one in any case, also one too many.
        """
        with self._lock:
            if anyway or not (self.taken >= self.limit or self._line):
                self.taken = busy = self.taken + 1
            else:
                busy = 0
        if self._todo:
            self._work()
        return busy

    def join(self, flag: Flag) -> Waiter:
        """Stand at the end of the line; the flag is set when there is a place, at once perhaps."""
        waiter = Waiter(flag)
        self.do(lambda: self._line.__setitem__(waiter, None))
        return waiter

    def has_place(self, waiter: Waiter) -> bool:
        """Tell whether a waiter has got a place; if not, it is out of the line from now on."""
        with self._lock:
            admitted = self._catch_up()  # it may not even have been put into the line yet
            self._line.pop(waiter, None)
        _wake(admitted)
        if self._todo:
            self._work()
        return waiter.busy > 0

    def give_up(self, waiter: Waiter) -> None:
        """Go out of the line; a place that was handed over in this very moment goes on to the next."""
        self.do(lambda: self._give_up(waiter))

    def give_back(self, seconds: float) -> None:
        """Give a place back that was held for so many seconds."""
        if self._line or self._todo or not self._lock.acquire(blocking=False):
            self.do(lambda: self._give_back(seconds))
            return
        admitted = None
        try:  # most often nobody waits, and this is all
            self._give_back(seconds)
            if self._line:
                admitted = self._catch_up()
        finally:
            self._lock.release()
        if admitted:
            _wake(admitted)
        if self._todo:
            self._work()

    def do(self, step: Callable[[], None]) -> None:
        """Do something under the lock, now or when whoever has it is through, and see who may go on then."""
        self._todo.append(step)
        self._work()

    def _work(self) -> None:
        if self._process != os.getpid():
            return  # the parent's: neither its lock nor those who wait there are alive here
        while self._todo and self._lock.acquire(blocking=False):
            try:
                admitted = self._catch_up()
            finally:
                self._lock.release()
            _wake(admitted)

    def _catch_up(self) -> list[Waiter]:
        """Do what is to be done, and return who has got a place by it."""
        while self._todo:
            self._todo.popleft()()
        self.limit = self._ask()
        admitted = []
        while self._line and self.taken < self.limit:
            waiter, _ = self._line.popitem(last=False)
            self.taken += 1
            waiter.busy = self.taken
            admitted.append(waiter)
        return admitted

    def _give_up(self, waiter: Waiter) -> None:
        if waiter in self._line:
            del self._line[waiter]
        elif waiter.busy:
            self.taken -= 1

    def _give_back(self, seconds: float) -> None:
        self.taken -= 1
        self.held = seconds if self.held is None else self.held + LATELY * (seconds - self.held)


def _wake(waiters: list[Waiter]) -> None:
    for waiter in waiters:
        waiter.flag.set()

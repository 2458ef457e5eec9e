"""`Places`: so many at a time, and a line of those who wait, for all threads and loops of a process.

Whoever gives a place back hands it to the next of the line; nobody wakes up in vain, and nobody overtakes. Coming and
going when nobody waits is a comparison and an addition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.policies.line import Line
from aigw.policies.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.policies.line import Waiter
    from aigw.policies.turn import Turn
    from aigw.ports import Flag

LATELY: Final = 0.1
"""How much the last call counts in the time for which places are held."""


class Places(Steps):
    """Counts places.

    Args:
        limit: tells how many there are. Asked under the lock, after each thing that was done.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        super().__init__()
        self._limit = limit
        self._line = Line()
        self.limit = limit()
        """How many there are."""
        self.taken = 0
        """How many are taken."""
        self.held: float | None = None
        """Seconds for which places were held lately; ``None`` while none was given back."""

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return self._line.waiting

    @property
    def full(self) -> bool:
        """Whether whoever comes now would have to wait."""
        return self.taken >= self.limit or self._line.waiting > 0

    def wait(self, turn: Turn | None) -> float | None:
        """Tell the seconds until whoever comes now is likely to get a place; ``None`` where nobody can tell."""
        held = self.held
        return None if held is None else held * (self.ask(lambda: self._line.ahead(turn)) + 1) / self.limit

    def take(self, *, anyway: bool = False) -> int:
        """Take a place, and return how many are taken then; 0 if there is none, or others wait.

        Args:
            anyway: take one in any case, also one too many.
        """
        with self._lock:
            if anyway or not (self.taken >= self.limit or self._line.waiting):
                self.taken = busy = self.taken + 1
            else:
                busy = 0
        if self._todo:
            self._work()
        return busy

    def join(self, waiter: Waiter) -> bool:
        """Stand in the line; tell whether there was room. The flag is set when there is a place, at once perhaps."""
        return self.ask(lambda: self._line.join(waiter))

    def has_place(self, waiter: Waiter) -> bool:
        """Tell whether a waiter has got a place; if not, it is out of the line from now on."""
        self.ask(lambda: self._line.leave(waiter))
        return waiter.busy > 0

    def give_up(self, waiter: Waiter) -> None:
        """Go out of the line; a place that was handed over in this very moment goes on to the next."""
        self.do(lambda: self._give_up(waiter))

    def give_back(self, seconds: float) -> None:
        """Give a place back that was held for so many seconds."""
        line = self._line
        if line.waiting or self._todo or not self._lock.acquire(blocking=False):
            self.do(lambda: self._give_back(seconds))
            return
        flags: list[Flag] = []
        try:  # most often nobody waits, and this is all
            self._give_back(seconds)
            if self._line.waiting:
                flags = self._settled()
        finally:
            self._lock.release()
        self._wake(flags)

    def settle(self, waiter: Waiter, cost: float) -> None:
        """Correct the charge of a waiter that got a place by what its call has cost."""
        self.do(lambda: self._line.settle(waiter, cost))

    def _settled(self) -> list[Flag]:
        """Hand out what places there are."""
        self.limit = self._limit()
        flags = []
        while self.taken < self.limit and self._line.waiting:
            waiter, late = self._line.next()
            flags += [one.flag for one in late]
            if waiter is not None:
                self.taken = waiter.busy = self.taken + 1
                flags.append(waiter.flag)
        return flags

    def _give_up(self, waiter: Waiter) -> None:
        if not self._line.leave(waiter) and waiter.busy:
            self.taken -= 1
            self._line.settle(waiter, 0.0)

    def _give_back(self, seconds: float) -> None:
        self.taken -= 1
        self.held = seconds if self.held is None else self.held + LATELY * (seconds - self.held)

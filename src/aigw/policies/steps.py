"""`Steps`: a state that is changed in short steps, by threads, by event loops, and by finalizers."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aigw.ports import Flag

T = TypeVar("T")


class Steps:
    """Does one step at a time, under a lock.

    The garbage collector may end a dropped stream, and so give a place back, in the middle of a step of the same
    thread. Hence nobody who gives back waits for the lock: what there is to do is written down, and whoever has the
    lock does it before it is through.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self._lock = threading.Lock()
        self._todo: deque[Callable[[], object]] = deque()

    def do(self, step: Callable[[], object]) -> None:
        """Do something now, or have it done by whoever is at it. Never waits."""
        self._todo.append(step)
        self._work()

    def ask(self, step: Callable[[], T]) -> T:
        """Do something after all that was left to do, and return what it returns. Not for finalizers."""
        with self._lock:
            self._catch_up()
            result = step()
            flags = self._settled()
        self._wake(flags)
        return result

    def _settled(self) -> Iterable[Flag]:
        """Bring the state in order after a step, under the lock; return the flags to set."""
        raise NotImplementedError

    def _catch_up(self) -> None:
        while self._todo:
            self._todo.popleft()()

    def _wake(self, flags: Iterable[Flag]) -> None:
        """Set flags, and do what was left to do meanwhile."""
        for flag in flags:
            flag.set()
        if self._todo:
            self._work()

    def _work(self) -> None:
        if self.process != os.getpid():
            return  # the parent's: neither its lock nor those who wait there are alive here
        while self._todo and self._lock.acquire(blocking=False):
            try:
                self._catch_up()
                flags = self._settled()
            finally:
                self._lock.release()
            for flag in flags:
                flag.set()

"""`Slots`: at most so many at once; the others wait in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from aigw.errors import DeadlineExceeded

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.ports import Flag


class Slots:
    """A fair gate for calls of any thread and any loop.

    Args:
        count: how many may be inside at once.
    """

    def __init__(self, count: int) -> None:
        # Reentrant, because the garbage collector may throw a waiting coroutine away while this thread is in here.
        self._lock = threading.RLock()
        self._free = count
        self._waiting: deque[Flag] = deque()

    @property
    def free(self) -> int:
        """How many may still enter."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def enter(self, call: Call) -> None:
        """Take a slot, waiting for one as long as the call may. Whoever gets one owes a `leave`.

        Raises:
            DeadlineExceeded: no slot came free before the call's deadline.
        """
        remaining = call.remaining()
        if remaining <= 0:
            raise DeadlineExceeded("the deadline of the call is over", policy="Deadline")
        flag = self._take_or_queue(call)
        if flag is None:
            return
        try:
            entered = await flag.wait(None if remaining == float("inf") else remaining)
        except BaseException:  # cancelled while it waited
            self._give_up(flag)
            raise
        if not entered:
            self._give_up(flag)
            raise DeadlineExceeded("the deadline of the call came before a free slot", policy="Deadline")

    def leave(self) -> None:
        """Give the slot to the first in the queue, or back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _take_or_queue(self, call: Call) -> Flag | None:
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            flag = call.ports.flag()
            self._waiting.append(flag)
            return flag

    def _give_up(self, flag: Flag) -> None:
        with self._lock:
            if flag in self._waiting:
                self._waiting.remove(flag)
                return
        self.leave()  # the slot came at the same moment: pass it on

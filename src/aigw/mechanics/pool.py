"""`Pool`: how many of several things may be out at once, so that never too few are left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Pool:
    """Places for members that leave a pool for a while: never more than half of it, nor the last one.

    It has its own lock, since its members are guarded one by one. It calls nobody while it holds it.

    Args:
        size: how many members there are.
    """

    __slots__ = ("_imagined", "_lock", "_most", "_out", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._most = size // 2  # of one none, of two or three one
        self._out = 0
        self._imagined: Pool | None = None
        self._lock = threading.Lock()

    @property
    def out(self) -> int:
        """How many are out now."""
        return self._out

    @property
    def imagined(self) -> Pool:
        """The places of members that only pretend to leave: they take none from those that do."""
        with self._lock:
            if self._imagined is None:
                self._imagined = Pool(self._size)
            return self._imagined

    def leave(self) -> bool:
        """Take a place outside; tell whether there was one."""
        with self._lock:
            if self._out >= self._most:
                return False
            self._out += 1
            return True

    def come_back(self) -> None:
        """Give a place outside back."""
        with self._lock:
            self._out -= 1


def leave_all(pools: Sequence[Pool]) -> bool:
    """Take a place outside of every pool, or of none; tell whether there was one in each."""
    for position, pool in enumerate(pools):
        if not pool.leave():
            for left in pools[:position]:
                left.come_back()
            return False
    return True

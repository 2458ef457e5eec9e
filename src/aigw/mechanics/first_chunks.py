"""`FirstChunks`: how long a target takes to begin an answer, so that no call is sent there that cannot wait for it."""

from __future__ import annotations

from collections import deque
from typing import Final

LEAST: Final = 10
"""Times without which nothing is known."""

MOST: Final = 40
"""Times that are remembered."""

LASTS: Final = 60.0
"""Seconds for which a time is remembered: where calls are refused because of them, no new ones come in."""


class FirstChunks:
    """Seconds to the first chunk of the newest streams. Not safe for threads: whoever owns it holds a lock."""

    __slots__ = ("_median", "_seen")

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._median: float | None = None

    def add(self, seconds: float, now: float) -> None:
        """Take note of one."""
        self._seen.append((now, seconds))
        self._median = None

    def usual(self, now: float) -> float | None:
        """Return the time that half of them stay below; ``None`` where too few were seen lately."""
        seen = self._seen
        while seen and seen[0][0] < now - LASTS:
            seen.popleft()
            self._median = None
        if len(seen) < LEAST:
            return None
        if self._median is None:
            self._median = sorted([seconds for _, seconds in seen])[len(seen) // 2]
        return self._median

"""Taking turns among things of which some must rest: the keys of a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class Rotation:
    """Positions that take turns; one that failed rests for a while.

    Args:
        count: how many there are.
    """

    __slots__ = ("_next", "_until")

    def __init__(self, count: int) -> None:
        self._until = [0.0] * count
        self._next = 0

    def take(self, now: float, avoid: Collection[int] = ()) -> int:
        """Return the next position that does not rest; if all do, the one whose rest is over first.

        Args:
            now: the time.
            avoid: positions to leave out while there are others.
        """
        count = len(self._until)
        for step in range(count):
            position = (self._next + step) % count
            if self._until[position] <= now and position not in avoid:
                self._next = position + 1
                return position
        others = [position for position in range(count) if position not in avoid]
        return min(others or range(count), key=self._until.__getitem__)

    def rest(self, position: int, until: float) -> None:
        """Leave a position out for some time."""
        self._until[position] = max(self._until[position], until)

    def is_awake(self, now: float, avoid: Collection[int] = ()) -> bool:
        """Tell whether there is one that does not rest, besides those to avoid."""
        return any(until <= now and position not in avoid for position, until in enumerate(self._until))

    def wakes_at(self) -> float:
        """Return the time at which the first one is there again."""
        return min(self._until)

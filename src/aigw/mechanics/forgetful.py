"""`Forgetful`: a table of keys that come without end. It forgets what is over, a few keys at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")

FEW: Final = 64
"""Keys that are kept without asking."""


LOOKS: Final = 4
"""Old keys that are looked at with every `put`."""


class Forgetful(Generic[V]):
    """A mapping with at most a few times as many keys as are needed.

    When the keys have doubled, they become the old ones, and with every `put` four of them are looked at: those which
    are still needed become young again. So no single call takes long, however many keys there are. Where *n* are needed
    a turn that begins with *k* keys ends with k/4 + n, and the next begins at twice that: *k* comes down to 4 n.

    Args:
        needed: tells whether a value is needed at a time.
    """

    __slots__ = ("_needed", "_old", "_turn_at", "_young")

    def __init__(self, needed: Callable[[V, float], bool]) -> None:
        self._needed = needed
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}
        self._turn_at = FEW

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: str) -> V | None:
        """Return the value of a key, if it is remembered."""
        value = self._young.get(key)
        return value if value is not None or not self._old else self._old.get(key)

    def put(self, key: str, value: V, now: float) -> None:
        """Set the value of a key."""
        young, old = self._young, self._old
        young[key] = value
        if old:
            old.pop(key, None)
            for _ in range(min(LOOKS, len(old))):
                other, found = old.popitem()
                if self._needed(found, now):
                    young[other] = found
            if not old:
                self._turn_at = max(FEW, 2 * len(young))
        elif len(young) >= self._turn_at:
            self._young, self._old = {}, young

    def pop(self, key: str) -> V | None:
        """Forget a key; return its value if it was remembered."""
        value = self._young.pop(key, None)
        return value if value is not None or not self._old else self._old.pop(key, None)

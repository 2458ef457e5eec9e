"""How long answers were, to guess how long the next one will be."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

PRIOR: Final = 500
"""Tokens of an answer where nothing is known."""

REMEMBERED: Final = 200
"""Answers that are remembered of each route and model."""

STALE: Final = 10
"""Answers after which the quantile is computed anew; while there are few, after each."""

MOST_KEYS: Final = 1024
"""Routes and models that are remembered; the oldest is forgotten beyond it."""


class Outputs:
    """Remembers the lengths of answers by route and model. Learning is cheap, guessing does the work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lengths: dict[tuple[str, str], _Lengths] = {}

    def after_fork(self) -> None:
        """Go on in a child process: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def learn(self, route: str, model: str, tokens: int) -> None:
        """Take note of an answer.

        Args:
            route: the route.
            model: the model that answered.
            tokens: its tokens, reasoning included.
        """
        with self._lock:
            lengths = self._lengths.get((route, model))
            if lengths is None:
                lengths = self._add((route, model))
            lengths.last.append(tokens)
            lengths.fresh += 1

    def guess(self, route: str, model: str) -> int | None:
        """Return the length that nine of ten answers do not exceed; ``None`` where none is known."""
        with self._lock:
            lengths = self._lengths.get((route, model))
            return None if lengths is None else lengths.ninth_decile()

    def _add(self, key: tuple[str, str]) -> _Lengths:
        if len(self._lengths) >= MOST_KEYS:
            del self._lengths[next(iter(self._lengths))]
        lengths = self._lengths[key] = _Lengths()
        return lengths


class _Lengths:
    __slots__ = ("_decile", "fresh", "last")

    def __init__(self) -> None:
        self.last: deque[int] = deque(maxlen=REMEMBERED)
        self.fresh = 0
        self._decile = 0

    def ninth_decile(self) -> int:
        if self.fresh >= min(STALE, len(self.last)) or (self.fresh and len(self.last) < 2 * STALE):
            ordered = sorted(self.last)
            self._decile = ordered[-(-len(ordered) * 9 // 10) - 1]
            self.fresh = 0
        return self._decile

"""How far our measure of prompts is from what providers count, learned model by model."""

from __future__ import annotations

import threading
from typing import Final

PRIOR: Final = 1.10
"""The factor of a model that nothing is known of: a little too much rather than too little."""

LEAST: Final = 0.25
"""The smallest factor: fourteen bytes a token, which no language reaches."""

MOST: Final = 4.0
"""The largest factor: less than a byte a token. What lies outside was no count of this prompt."""

WEIGHT: Final = 0.05
"""Weight of a new observation once there are many; a change of the prompts' language is learned in some 40 calls."""

LARGE: Final = 200
"""Tokens from which on a prompt has its full weight: short ones tell more of what every prompt costs than of text."""

MOST_MODELS: Final = 1024
"""Models that are remembered; the oldest is forgotten beyond it."""


class Calibration:
    """Learns a factor for each model: an exponentially weighted mean of what was counted over what we measured."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factors: dict[str, tuple[float, float]] = {}

    def after_fork(self) -> None:
        """Go on in a child process: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()

    def factor(self, model: str) -> float:
        """Return what our measure is to be multiplied by.

        Args:
            model: the model, as its provider names it.
        """
        known = self._factors.get(model)
        return PRIOR if known is None else known[0]

    def learn(self, model: str, measured: int, counted: int) -> None:
        """Take note of a count.

        Args:
            model: the model, as its provider names it.
            measured: our measure of the prompt, not multiplied.
            counted: tokens that the provider counted; zero and less is no count.
        """
        if measured <= 0 or counted <= 0:
            return
        seen = min(max(counted / measured, LEAST), MOST)
        size = min(measured / LARGE, 1.0)
        with self._lock:
            factor, weight = self._factors.get(model, (PRIOR, 1.0))  # the prior counts as much as one large prompt
            weight = min(weight + size, 1 / WEIGHT)
            self._factors[model] = (factor + (seen - factor) * size / weight, weight)
            if len(self._factors) > MOST_MODELS:
                del self._factors[next(iter(self._factors))]

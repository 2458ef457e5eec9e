"""`Remembered`: what was found in texts that were looked at before."""

from __future__ import annotations

import os
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")


class Remembered(Generic[T]):
    """A bounded memory by the content of texts. It holds keyed digests, so it tells nobody what the texts were.

    A conversation is sent again with every turn: only its newest messages are new. It has no lock, so that a thread, a
    finalizer and the child of a fork may ask at any time; at worst something is looked up again.

    Args:
        most: entries; when it is full, the eighth of them that came first is forgotten.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._key = os.urandom(32)
        self._found: dict[Hashable, T] = {}

    def key(self, text: str, *others: Hashable) -> Hashable:
        """Make the key of a text, and of what else the finding depends on."""
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest(), *others

    def get(self, key: Hashable) -> T | None:
        """Return what was found there; ``None`` where it is not known."""
        return self._found.get(key)

    def put(self, key: Hashable, found: T) -> None:
        """Keep what was found there."""
        if len(self._found) >= self._most:
            try:
                first = list(islice(self._found, self._most // 8 + 1))
            except RuntimeError:  # another thread added something meanwhile
                first = []
            for old in first:
                self._found.pop(old, None)
        self._found[key] = found

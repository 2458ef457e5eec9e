"""`Prefixes`: who has seen the beginning of a prompt lately, and so need not read it again.

Providers and servers keep what they computed for the beginning of a prompt for some minutes. A prompt is cut into
blocks; the key of a block is made of the block and the key of the one before, so that equal keys mean equal beginnings.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LASTS: Final = 300.0
"""Seconds for which a beginning is remembered after it was read last: what most providers promise."""

MOST: Final = 8192
"""Blocks that are remembered; the one that was used least lately goes first."""

BLOCK: Final = 4096
"""Characters of a block: about 1,024 tokens, below which most providers remember nothing."""

MOST_BLOCKS: Final = 64
"""Blocks of one prompt that are looked at."""

CHARACTERS_A_TOKEN: Final = 4

READING: Final = 0.02
"""What it takes to read a token, as a share of what it takes to write one: half of that in time, half in money."""

CALL: Final = 365.0
"""Units of work of a middling call besides the reading of its prompt: see `aigw.mechanics.health`."""


class Blocks(NamedTuple):
    """The beginning of a prompt.

    Args:
        keys: a key for each block.
        tokens: tokens up to the end of each block, about.
    """

    keys: Sequence[int]
    tokens: Sequence[float]


def cut(first: object, pieces: Iterable[str]) -> Blocks:
    """Cut a prompt into blocks: whole pieces where they are short, so that their hashes are computed once.

    Args:
        first: whatever comes before the pieces, hashable.
        pieces: its texts, in order.
    """
    keys: list[int] = []
    tokens: list[float] = []
    key, size, pending = hash(first), 0, 0
    for piece in pieces:
        for part in (piece,) if len(piece) <= BLOCK else _slices(piece):
            key = hash((key, part))
            size += len(part)
            pending += len(part)
            if pending >= BLOCK:
                pending = 0
                keys.append(key)
                tokens.append(size / CHARACTERS_A_TOKEN)
                if len(keys) == MOST_BLOCKS:
                    return Blocks(keys, tokens)
    return Blocks(keys, tokens)


def _slices(piece: str) -> Iterable[str]:
    return [piece[start : start + BLOCK] for start in range(0, min(len(piece), BLOCK * MOST_BLOCKS), BLOCK)]


def work(missing: float) -> float:
    """Return how many times as much work a call is that must read so many tokens of a known beginning again."""
    return 1.0 + missing * READING / CALL


class Prefixes:
    """Remembers the blocks that each member of a pool has read. Not safe for threads: whoever owns it holds a lock."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: OrderedDict[int, dict[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def read(self, blocks: Blocks, now: float) -> dict[str, float]:
        """Tell how many tokens of the beginning each member has read already, the one that knows most first.

        Those that are not named know nothing of it.
        """
        found: dict[str, float] = {}
        for key, tokens in zip(reversed(blocks.keys), reversed(blocks.tokens), strict=True):
            readers = self._known.get(key)
            if readers is not None:
                for member, until in readers.items():
                    if until > now:
                        found.setdefault(member, tokens)
        return found

    def learn(self, blocks: Blocks, member: str, now: float) -> None:
        """Take note that a member has read them."""
        for key in blocks.keys:
            readers = self._known.pop(key, None)
            if readers is None:
                readers = {}
                if len(self._known) >= MOST:
                    self._known.popitem(last=False)
            readers[member] = now + LASTS
            self._known[key] = readers

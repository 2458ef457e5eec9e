"""`LightEncoding`: encodes as tiktoken does, in plain Python, and lets other threads run meanwhile.

tiktoken builds its index of the tokens in one step of 60 to 230 ms, in which no other thread of the process runs. An
event loop must not wait for that: its calls are counted by this until somebody loads the other. It finds whole pieces
of text in the table, which most of them are, and merges the bytes of others pair by pair, the lowest rank first, as
byte pair encoding is defined. It takes three to five times as long.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP: Final = 500
"""Entries of a table that are read in one step, about 0.3 ms."""

LONG: Final = 256
"""Characters of a text, of which there may be more in a row, after which others may run."""

PARTS: Final = 16
"""Dictionaries that a table is divided into: to grow a single one takes 10 ms in one step."""

LONGEST_PIECE: Final = 128
"""Characters of a piece that are merged together. Merging takes a time that grows with the square of the length, and
such pieces are no words: cutting them gives one or two tokens more or fewer for each cut."""

KEPT: Final = 20_000
"""Pieces whose tokens are remembered."""

_NONE: Final = 1 << 62


class LightEncoding:
    """An encoding of which only a table is kept.

    Args:
        pattern: cuts a text into the pieces that are encoded each by itself.
        entries: the tokens and their ranks.
    """

    def __init__(self, pattern: str, entries: Iterable[tuple[bytes, int]]) -> None:
        import regex  # comes with tiktoken, which needs it as well

        self._cut: Any = regex.compile(pattern).findall
        self._known: dict[str, list[int]] = {}
        self._parts: list[dict[bytes, int]] = [{} for _ in range(PARTS)]
        for number, (token, rank) in enumerate(entries):
            self._parts[token[-1] % PARTS][token] = rank
            if number % STEP == 0:
                breathe()

    def encode_ordinary(self, text: str) -> list[int]:
        """Encode a text; what looks like a special token is ordinary text."""
        if len(text) >= LONG:
            breathe()
        known, tokens = self._known, []
        for piece in self._cut(text):
            found = known.get(piece)
            tokens += self._encode(piece) if found is None else found
        return tokens

    def _encode(self, piece: str) -> list[int]:
        """Encode a piece that is not remembered."""
        try:
            whole = piece.encode()
        except UnicodeEncodeError:  # halves of characters, which tiktoken replaces
            return self.encode_ordinary(piece.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        rank = self._rank(whole)
        if rank != _NONE:
            tokens = [rank]
        elif len(piece) <= LONGEST_PIECE:
            tokens = self._merge(whole)
        else:
            parts = (piece[at : at + LONGEST_PIECE] for at in range(0, len(piece), LONGEST_PIECE))
            return [token for part in parts for token in self._merge(part.encode())]
        if len(self._known) >= KEPT:
            self._known = {}
        self._known[piece] = tokens
        return tokens

    def _merge(self, piece: bytes) -> list[int]:
        """Merge the bytes of a piece until no two neighbours make a token."""
        starts = list(range(len(piece) + 1))
        ranks = [self._rank(piece[at : at + 2]) for at in range(len(piece) - 1)]
        while ranks and (lowest := min(ranks)) != _NONE:
            at = ranks.index(lowest)
            del starts[at + 1], ranks[at]
            if at < len(ranks):
                ranks[at] = self._rank(piece[starts[at] : starts[at + 2]])
            if at:
                ranks[at - 1] = self._rank(piece[starts[at - 1] : starts[at + 1]])
        return [self._rank(piece[begin:end]) for begin, end in pairwise(starts)]

    def _rank(self, token: bytes) -> int:
        return self._parts[token[-1] % PARTS].get(token, _NONE)

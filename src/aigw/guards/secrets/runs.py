"""The parts of a text in which a token may stand: its long runs of characters of tokens."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe
from aigw.guards.secrets.formats import ALPHABETS, FORMATS
from aigw.guards.secrets.seen import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_PREFIX: Final = max(len(one.prefix) for one in FORMATS)
SHORTEST_TOKEN: Final = min(len(one.prefix) + one.least for one in FORMATS)
IN_RUN: Final = ALPHABETS["any"] + "|"
_RUN: Final = re.compile(
    rf"""
    (?: [{IN_RUN}]{{0,{SHORTEST_TOKEN - 1}}}+ [^{IN_RUN}]{{1,99}}+ ){{0,1000}}+
    ( [{IN_RUN}]{{{SHORTEST_TOKEN},{AT_ONCE}}}+ )?+
    """,
    re.VERBOSE,
)
"""A run of characters of tokens that is long enough for one, behind what is none: prose is passed in few steps."""
_OVERLAP: Final = _LONGEST_PREFIX + SHORTEST_TOKEN
"""What is looked at twice where a long run is cut, so that a prefix or a mark across its end is seen."""
_BEFORE_REST: Final = frozenset("\\[;")
"""What begins an escape, as far as it is no character of a token."""


class Runs:
    """The runs of a text that are long enough for a token, as one text: what is looked for in them is looked for once.

    Args:
        starts: where in the text each of them begins.
        pieces: them.
    """

    __slots__ = ("_at", "_pieces", "_starts", "joined")

    def __init__(self, starts: list[int], pieces: list[str]) -> None:
        self._at: list[int] = []
        self._starts, self._pieces = starts, pieces
        self.joined = "\n" + "\n".join(pieces)

    def original(self, at: int) -> int:
        """Return where in the text stands what stands at a place in `joined`."""
        if not self._at:
            self._at = list(accumulate(self._pieces, lambda place, piece: place + len(piece) + 1, initial=1))
        number = bisect_right(self._at, at) - 1
        return self._starts[number] + at - self._at[number]


def runs_of(text: str, start: int) -> Iterator[Runs]:
    """Yield the runs of a text, as many at a time as one call of `re` should look at."""
    starts: list[int] = []
    pieces: list[str] = []
    size = 0
    for run in _RUN.finditer(text, start):
        begin, end = run.span(1)
        if begin == end:
            continue
        if end - begin == AT_ONCE:
            end += _OVERLAP
        if begin > start and text[begin - 1] in _BEFORE_REST:
            begin -= 1
        starts.append(begin)
        pieces.append(text[begin:end])
        size += end - begin
        if size >= AT_ONCE:
            yield Runs(starts, pieces)
            starts, pieces, size = [], [], 0
            breathe()
    if starts:
        yield Runs(starts, pieces)

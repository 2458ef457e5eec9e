"""`Letters` and `Needles`: texts by their letters and digits alone, whatever stands between them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST_GAP: Final = 16
"""Other characters that may stand between two letters of what is looked for."""

ANCHOR: Final = 8
"""Letters by which needles are looked up."""

_NO_LETTERS: Final = re.compile(r"[\W_]+")
_RUN: Final = re.compile(r"[^\W_]+")
_WIDE: Final = re.compile(rf"[\W_]{{{LONGEST_GAP + 1},}}")
_BREAK: Final = "Z"
"""Stands for a wide gap: nothing that is folded has capitals."""

_ALIKE: Final = str.maketrans("0134578i", "oleastbl")
"""Digits that stand for letters, and letters that look like each other: taken for the same on both sides."""


def letters_of(text: str) -> str:
    """Return what a text is compared by: its letters and digits, folded, with what looks alike made the same."""
    return _NO_LETTERS.sub("", fold(text)).translate(_ALIKE)


class Letters:
    """The letters and digits of a folded text, and where they stand in it.

    Args:
        folded: the folded text.
    """

    def __init__(self, folded: str) -> None:
        self._folded = folded
        self.text = _NO_LETTERS.sub("", _WIDE.sub(_BREAK, folded)).translate(_ALIKE)
        self._places: tuple[list[int], list[int]] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the folded text a piece of the letters stands."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        if self._places is None:
            self._places = self._made()
        ends, shifts = self._places
        return at + shifts[bisect_right(ends, at)]

    def _made(self) -> tuple[list[int], list[int]]:
        """Return where each run of letters ends among the letters, and how far it has moved."""
        lengths: list[int] = []
        shifts: list[int] = []
        begun = behind = 0
        for run in _RUN.finditer(self._folded):
            start, end = run.span()
            is_wide = start - behind > LONGEST_GAP
            lengths.append(end - start + is_wide)
            shifts.append(start - begun - is_wide)
            begun += lengths[-1]
            behind = end
        return [*accumulate(lengths)], shifts


class Hit(NamedTuple):
    """A needle that was found.

    Args:
        start: where it begins.
        needle: the needle.
    """

    start: int
    needle: str


class Needles:
    """Texts that are looked for all at once, by their first letters.

    Args:
        needles: letters of what is looked for, as `letters_of` returns them; none is empty.
    """

    def __init__(self, needles: Iterable[str]) -> None:
        known = {*needles}
        self.anchor = min([ANCHOR, *map(len, known)])
        self._longest = max(map(len, known), default=0)
        self._by_anchor: dict[str, list[str]] = {}
        for needle in known:
            self._by_anchor.setdefault(needle[: self.anchor], []).append(needle)
        self._anchors = sorted(self._by_anchor)

    def __bool__(self) -> bool:
        return bool(self._anchors)

    def find(self, letters: str) -> Iterator[Hit]:
        """Yield all that stand in a text, in order of place, whether or not they overlap."""
        size, known = self.anchor, self._by_anchor
        for at in range(len(letters) - size + 1):
            needles = known.get(letters[at : at + size])
            if needles is not None:
                for needle in needles:
                    if letters.startswith(needle, at):
                        yield Hit(at, needle)

    def begun(self, letters: str) -> int:
        """Return the first place from which on to its end the text is the beginning of a needle, but not all of it."""
        for at in range(max(0, len(letters) - self._longest + 1), len(letters)):
            needles = self._by_anchor.get(letters[at : at + self.anchor])
            if needles is not None:
                rest = letters[at:]
                if any(needle.startswith(rest) and needle != rest for needle in needles):
                    return at
            elif len(letters) - at < self.anchor:
                rest = letters[at:]
                number = bisect_left(self._anchors, rest)
                if number < len(self._anchors) and self._anchors[number].startswith(rest):
                    return at
        return len(letters)

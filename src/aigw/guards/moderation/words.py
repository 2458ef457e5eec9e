"""Patterns of words that are found whatever they are disguised as, and are not found inside of other words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOOKS: Final = {
    "a": "a4@",
    "b": "b8",
    "c": "c(",
    "e": "e3",
    "g": "g9",
    "h": "h#",
    "i": "i1!|",
    "l": "l1|",
    "o": "o0",
    "s": "s5$",
    "t": "t7+",
    "z": "z2",
}
"""What is written in the place of letters."""

_GAP: Final = r"(?:[^\w\n]|_){1,3}"
"""What stands between letters that are written apart."""

SHORTEST_APART: Final = 4
"""Letters of the shortest phrase that is looked for written apart: shorter ones are too often initials."""


def pattern_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Make the pattern of words and phrases, for folded texts.

    Found are also words with digits and signs in the place of letters, with letters said more than once, and, from four
    letters on, with something between all of their letters. Each is found only as a word of its own.
    """
    branches = [branch for phrase in phrases for branch in _branches(fold(phrase).split())]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(branches)})(?![^\W_])")


def _branches(words: list[str]) -> Iterable[str]:
    yield r"[\W_]{1,3}".join([_together(word) for word in words])
    if sum(map(len, words)) >= SHORTEST_APART:
        yield r"[\W_]{1,6}".join([_apart(word) for word in words])


def _together(word: str) -> str:
    return "".join([f"{_letter(letter)}+" for letter in word])


def _apart(word: str) -> str:
    return _GAP.join([_letter(letter) for letter in word])


def _letter(letter: str) -> str:
    looks = _LOOKS.get(letter)
    return re.escape(letter) if looks is None else f"[{re.escape(looks)}]"

"""Patterns of words that are found whatever they are disguised as, and are not found inside of other words."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
"""What is written in the place of letters. No two letters share a sign, but for `_SHARING`."""

_SHARING: Final = frozenset("il1")
"""Letters that share a sign: there are many ways to divide a run of it between neighbours."""

_MOST: Final = 8
"""Repetitions of a letter, beyond those in the word."""

_MOST_SHARED: Final = 4
"""Repetitions of one of `_SHARING` beside another one."""

_GAP: Final = r"[\W_]{1,3}"
"""What stands between words, and between letters that are written apart."""

_MARKUP: Final = "[*`~]{0,3}"
"""What Markdown does not show within a word."""

_BROKEN: Final = "[*`~._'\u2019\u00b7-]{0,3}"
"""That, and what may be put into a long word anywhere."""

SHORTEST_APART: Final = 4
"""Letters of the shortest phrase that is looked for written apart: shorter ones are too often initials."""

_ENDING: Final = r"(?:[^\W_]*+)"
"""What may follow a word that was given with a star. Possessive: there is only one way to take it."""

_FIRST: Final = r"(?:(?<![^\W_])|(?<=\\[bfnrt]))"
"""No letter stands before a word; that of an escape of JSON is none."""

MOST_PIECES: Final = 80
"""Pieces of a pattern that are compared while a text comes; behind them, what may be the phrase waits for the end."""


class _Piece(NamedTuple):
    """A piece of a pattern.

    Args:
        full: what it must be.
        begun: what its beginning may be; the same, or more than that.
    """

    full: str
    begun: str


class _Node:
    """What many phrases begin with, written once: else each of them would be tried at each word of a text."""

    def __init__(self) -> None:
        self.following: dict[_Piece, _Node] = {}
        self.is_end = False

    def add(self, branch: Iterable[_Piece]) -> None:
        """Add a way to write a phrase."""
        node = self
        for piece in branch:
            node = node.following.setdefault(piece, _Node())
        node.is_end = True

    def full(self) -> str:
        """Make the pattern of all that is written behind this, the longest first."""
        node, chain = self, ""
        while len(node.following) == 1 and not node.is_end:
            ((piece, node),) = node.following.items()
            chain += piece.full
        options = [piece.full + behind.full() for piece, behind in node.following.items()]
        if not options:
            return chain
        return f"{chain}(?:{'|'.join([*options, ''] if node.is_end else options)})"

    def begun(self, depth: int = 0) -> str:
        """Make the pattern of all beginnings of it that go on to the end of the text."""
        if not self.following:
            return r"\Z"
        if depth == MOST_PIECES:
            return r"(?s:.)*\Z"
        options = [rf"{piece.begun}(?:\Z|{node.begun(depth + 1)})" for piece, node in self.following.items()]
        return f"(?:{'|'.join(options)})"


class Phrases(NamedTuple):
    """What finds some phrases in a folded text.

    Args:
        pattern: finds them.
        begun: finds the first place from which on to its end the text may be the beginning of one.
    """

    pattern: re.Pattern[str]
    begun: re.Pattern[str]


def phrases_of(phrases: Iterable[str]) -> Phrases:
    """Make the patterns of words and phrases, for folded texts.

    Found are also words with digits and signs in the place of letters, with letters said more than once, with marks of
    Markdown in them, and, from four letters on, with something between all of their letters. Each is found only as a
    word of its own; one that was given with a star at its end (``hammer*``) also with more letters behind it.
    Neighbouring pieces have no character in common, so that texts take linear time.
    """
    tree = _Node()
    for phrase in phrases:
        for branch in _branches(fold(phrase).split()):
            tree.add(branch)
    return Phrases(re.compile(rf"{_FIRST}{tree.full()}(?![^\W_])"), re.compile(rf"{_FIRST}{tree.begun()}"))


def _branches(given: list[str]) -> Iterator[list[_Piece]]:
    words = [(word.rstrip("*"), word.endswith("*")) for word in given if word.rstrip("*")]
    is_long = sum(len(word) for word, _ in words) >= SHORTEST_APART
    yield _joined([_together(word, has_endings=has_endings) for word, has_endings in words], _GAP)
    if is_long:
        apart = [_joined([[_same(_letter(letter))] for letter in word], _GAP) for word, _ in words]
        yield _joined(apart, r"[\W_]{1,6}")


def _together(word: str, *, has_endings: bool) -> list[_Piece]:
    runs = [(letter, len([*same])) for letter, same in groupby(word)]
    inside = _BROKEN if len(word) >= SHORTEST_APART and word.isalnum() else _MARKUP
    pieces = []
    for at, (letter, count) in enumerate(runs):
        around = {other for other, _ in runs[max(0, at - 1) : at + 2]} - {letter}
        is_shared = letter in _SHARING and bool(around & _SHARING)
        most = count - 1 + (_MOST_SHARED if is_shared else _MOST)
        # Behind the last letter of a word the next may begin with the same, and in it nothing is to be given back.
        possessive = "" if is_shared or at == len(runs) - 1 else "+"
        look = _letter(letter)
        again = f"(?:{inside}{look})"
        full = f"{look}{again}{{{count - 1},{most}}}{possessive}"
        pieces.append([_Piece(full, f"{look}{again}{{0,{most}}}{possessive}{inside}{possessive}")])
    return [*_joined(pieces, inside), *([_same(_ENDING)] if has_endings else [])]


def _joined(parts: list[list[_Piece]], between: str) -> list[_Piece]:
    pieces = [*parts[0]]
    for part in parts[1:]:
        pieces += [_same(between), *part]
    return pieces


def _same(pattern: str) -> _Piece:
    return _Piece(pattern, pattern)


def _letter(letter: str) -> str:
    looks = _LOOKS.get(letter)
    return re.escape(letter) if looks is None else f"[{re.escape(looks)}]"

"""`clean`: the text as rules see it, with disguises taken off, and the way back to the places in the original."""

# ruff: noqa: E501  (a pattern a line)
from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import Final

MOST_INVISIBLE: Final = 8
"""Invisible characters in a row that are looked through. A longer run stays, so that context has a bounded length."""

_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f"
)
_ODD: Final = re.compile(
    rf"[{_INVISIBLE}\\%&(\[{{<]"
    rf"(?:(?<=[{_INVISIBLE}])|(?<=\\)[nrtu]|(?<=%)(?:2[BbEe0]|40)|(?<=&)(?:#|nbsp;|commat;|period;|plus;)"
    r"|(?<=[(\[{<]) ?(?:[aA][tT]|[dD][oO][tT]|@|\.) ?[)\]}>])"
)
"""How everything begins that is taken off, but for words that are spoken. It is searched for in all texts, so it begins
with a class: that is many times faster than to search for `_EDIT`."""
_AT: Final = re.compile(" at ", re.IGNORECASE)
_DOT: Final = re.compile(" (?:dot|DOT|Dot) ")
_OPENING: Final = "([{<"

_EDIT: Final = re.compile(
    rf"""
    (?=[{_INVISIBLE}\\%&(\[{{<]|[ ]{{1,2}}[(\[{{<]|[ ]at[ ])(?:
      (?P<invisible>(?<![{_INVISIBLE}])[{_INVISIBLE}]{{1,{MOST_INVISIBLE}}}(?![{_INVISIBLE}]))
    | (?P<line>\\[nrt])
    | (?P<at>[ ]{{0,2}}(?:\([ ]?(?:at|@)[ ]?\)|\[[ ]?(?:at|@)[ ]?\]|\{{[ ]?(?:at|@)[ ]?\}}|<[ ]?(?:at|@)[ ]?>)[ ]{{0,2}}
        |%40|\\u0040|&\#64;|&\#x40;|&commat;)
    | (?P<dot>[ ]{{0,2}}(?:\([ ]?(?:dot|\.)[ ]?\)|\[[ ]?(?:dot|\.)[ ]?\]|\{{[ ]?(?:dot|\.)[ ]?\}}|<[ ]?dot[ ]?>)[ ]{{0,2}}
        |%2e|\\u002e|&\#46;|&\#x2e;|&period;)
    | (?P<plus>%2b|\\u002b|&\#43;|&\#x2b;|&plus;)
    | (?P<space>&nbsp;|&\#160;|%20)
    | (?P<spoken>(?<=[a-z0-9])[ ]at[ ][a-z0-9-]{{1,40}}(?:[ ]dot[ ][a-z0-9-]{{1,24}}){{0,2}}
        [ ]dot[ ](?:com|org|net|edu|gov|io|info|biz|co|ai|app|dev|eu|us|uk|de|fr|es|it|nl|ch|at|in|au|ca|jp|br)
        (?![a-z0-9-])))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SPOKEN: Final = re.compile(r" (at|dot) ", re.IGNORECASE)
_STANDS_FOR: Final = {"line": "\n", "at": "@", "dot": ".", "plus": "+", "space": " ", "invisible": ""}

_UNDECIDED: Final = re.compile(
    rf"(?:[{_INVISIBLE}]+"
    r"| {0,2}[(\[{<] ?(?:at?|@|d|do|dot|\.)?(?: ?[)\]}>] {0,2}| )?"
    r"|\\(?:u[0-9a-f]{0,3})?|%[24]?|&(?:#x?[0-9]{0,3}|[a-z]{0,7})"
    r"| a| at(?: [a-z0-9-]{0,40}(?: d| do| dot(?: [a-z0-9-]{0,24})?){0,3} ?)?"
    r"| {1,2})\Z",
    re.IGNORECASE,
)
"""The end of a text that may become something else when the text goes on."""
_CROSSED: Final = re.compile(
    rf"(?:[{_INVISIBLE}]+| {{0,2}}[(\[{{<] ?(?:at|@|dot|\.) ?[)\]}}>] {{0,2}})\Z", re.IGNORECASE
)
"""What would look different if the text ended there, although it goes on."""
_REACH: Final = 160

_LAST_DIGITS: Final = 0x1FC00


def _translation() -> dict[int, str]:
    table = {0x00A0: " ", 0x2212: "-", 0xFE58: "-", 0xFE63: "-", 0x2024: ".", 0xFE52: ".", 0xFE6B: "@"}
    table |= dict.fromkeys((5760, 8239, 8287, 12288, *range(8192, 8203)), " ")
    table |= dict.fromkeys(range(8208, 8214), "-")
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for code in range(0x660, _LAST_DIGITS):
        if unicodedata.category(chr(code)) == "Nd":
            table.setdefault(code, str(unicodedata.digit(chr(code))))
    return table


_PLAIN: Final = _translation()
_FOREIGN: Final = frozenset(map(chr, _PLAIN))
_NOT_ASCII: Final = re.compile("[^\x00-\x7f]")
_FEW: Final = 8


class Clean:
    """A text without disguises.

    Invisible characters inside of values are gone, digits of all scripts are ASCII, spaces and dashes are plain ones,
    ``(at)`` and ``%40`` are ``@``.

    Args:
        text: the text as rules see it.
        ends: where, in the clean text, characters stand again as in the original, in order.
        shifts: how many characters of the original are missing until there.
    """

    __slots__ = ("_ends", "_shifts", "text")

    def __init__(self, text: str, ends: list[int], shifts: list[int]) -> None:
        self.text = text
        self._ends = ends
        self._shifts = shifts

    @property
    def is_edited(self) -> bool:
        """Whether characters stand elsewhere than in the original."""
        return bool(self._ends)

    def original(self, index: int) -> int:
        """Return the place in the original of a character of the clean text."""
        if not self._ends:
            return index
        at = bisect_right(self._ends, index)
        return index + (self._shifts[at - 1] if at else 0)

    def place(self, index: int) -> int:
        """Return the first character of the clean text that stands at a place of the original, or behind it."""
        if not self._ends:
            return index
        low, high = max(0, index - self._shifts[-1]), min(index, len(self.text))
        while low < high:
            middle = (low + high) // 2
            if self.original(middle) < index:
                low = middle + 1
            else:
                high = middle
        return low


def clean(text: str) -> Clean:
    """Take the disguises off a text."""
    if not text.isascii():
        text = _plain(text)
    marks = [mark.start() for mark in _ODD.finditer(text)]
    if (" at " in text or " AT " in text) and _DOT.search(text):
        marks = sorted([*marks, *(mark.start() for mark in _AT.finditer(text))])
    if not marks:
        return Clean(text, [], [])
    pieces: list[str] = []
    ends: list[int] = []
    shifts: list[int] = []
    done = length = 0
    for start, end, plain in _edits(text, marks):
        pieces += (text[done:start], plain)
        length += start - done + len(plain)
        done = end
        ends.append(length)
        shifts.append(end - length)
    pieces.append(text[done:])
    return Clean("".join(pieces), ends, shifts)


def _plain(text: str) -> str:
    """Replace foreign digits, spaces and dashes: one by one as long as there are few, since that is faster."""
    odd = _FOREIGN.intersection(_NOT_ASCII.findall(text))
    if len(odd) > _FEW:
        return text.translate(_PLAIN)
    for character in odd:
        text = text.replace(character, _PLAIN[ord(character)])
    return text


def _edits(text: str, marks: list[int]) -> list[tuple[int, int, str]]:
    edits: list[tuple[int, int, str]] = []
    done = 0
    for mark in marks:
        if mark < done:
            continue
        start = mark
        if text[mark] in _OPENING:
            while start > done and mark - start < 2 and text[start - 1] == " ":  # noqa: PLR2004  (as in the pattern)
                start -= 1
        match = _EDIT.match(text, start)
        if match is None:
            continue
        done, name = match.end(), match.lastgroup or ""
        if name == "spoken":
            words = _SPOKEN.finditer(text, start, done)
            edits += [(word.start(), word.end(), "@" if word[1].lower() == "at" else ".") for word in words]
        else:
            edits.append((start, done, _STANDS_FOR[name]))
    return edits


def decided(text: str) -> int:
    """Return how much of a text looks the same to rules, however it goes on."""
    end = len(text)
    pattern = _UNDECIDED
    while found := pattern.search(text, max(0, end - _REACH), end):
        end, pattern = found.start(), _CROSSED
    return end

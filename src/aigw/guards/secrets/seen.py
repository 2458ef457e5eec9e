"""The text as detectors should see it: without invisible characters, and with the places where it can be cut.

A *token* is a run of characters without a gap. Gaps are white space, control characters, and the characters of scripts
that need no spaces. A value without quotes lies within a token, so a growing text is decided up to its last gap, unless
something with gaps of its own is still open there.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

REACH: Final = 200
"""How many characters before a value its context may begin."""

_INVISIBLE: Final = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff"
_MOST_INVISIBLE: Final = 3

CONTEXT: Final = 2 * REACH * (_MOST_INVISIBLE + 1) + 8
"""The same in the text as it was given, where up to three invisible characters may follow each visible one."""

GAPS: Final = "\\x00-\\x20\\x7f-\\xa0\\u0590-\\U0010ffff"
"""The characters between tokens, for a set in a regular expression."""

_UP_TO_LAST_GAP: Final = re.compile(f".*[{GAPS}]", re.DOTALL)
AT_ONCE: Final = 8192
"""Characters that one call of `re` looks at, as it keeps other threads waiting."""
_HIDDEN: Final = re.compile(f"(?<=[!-~])[{_INVISIBLE}]{{1,{_MOST_INVISIBLE}}}(?=[!-~])")
_SOME_INVISIBLE: Final = re.compile(f"[{_INVISIBLE}]")
_MOSTLY_ASCII: Final = 1.1
"""Bytes for each character where to look for beginnings of characters is the shorter way."""
_INVISIBLE_HEADS: Final = (b"\xe2\x80", b"\xc2\xad", b"\xe2\x81", b"\xef\xbb", b"\xef\xb8", b"\xcd\x8f", b"\xe1\xa0")


class Seen:
    """A text without the invisible characters inside of its words.

    Args:
        raw: the text as it was given.
    """

    __slots__ = ("_at", "_shifts", "low", "text")

    def __init__(self, raw: str) -> None:
        self._at: list[int] = []
        self._shifts: list[int] = []
        self.text = raw
        if not raw.isascii() and has_invisible(raw):
            self.text = self._without_hidden(raw)
        low = self.text.lower()
        self.low = low if len(low) == len(self.text) else self.text.replace("\u0130", "I").lower()
        """The text in lower case, place for place."""

    @property
    def is_shifted(self) -> bool:
        """Whether anything was left out."""
        return bool(self._at)

    def _without_hidden(self, raw: str) -> str:
        pieces: list[str] = []
        position = removed = 0
        for hidden in _HIDDEN.finditer(raw):
            pieces.append(raw[position : hidden.start()])
            position = hidden.end()
            self._at.append(hidden.start() - removed)
            removed += position - hidden.start()
            self._shifts.append(removed)
        return "".join([*pieces, raw[position:]])

    def original(self, at: int) -> int:
        """Return where in the given text the character stands that is at a place here."""
        number = bisect_right(self._at, at)
        return at + self._shifts[number - 1] if number else at

    def place(self, at: int) -> int:
        """Return where a place in the given text is here."""
        if not self._at:
            return at
        places = [here + (self._shifts[number - 1] if number else 0) for number, here in enumerate(self._at)]
        number = bisect_left(places, at)
        return max(at - self._shifts[number - 1], self._at[number - 1]) if number else at


def has_invisible(raw: str) -> bool:
    """Tell whether any invisible character is in a text."""
    return any(
        may_have(raw[at : at + AT_ONCE], _INVISIBLE_HEADS) and _SOME_INVISIBLE.search(raw, at, at + AT_ONCE)
        for at in range(0, len(raw), AT_ONCE)
    )


def may_have(text: str, heads: tuple[bytes, ...]) -> bool:
    """Tell whether characters may be in a text by how they begin in UTF-8, in a tenth of the time of `re`."""
    encoded = text.encode("utf-8", "surrogatepass")
    return len(encoded) > _MOSTLY_ASCII * len(text) or any(map(encoded.__contains__, heads))


def without_hidden_end(raw: str) -> int:
    """Return the length of a text without invisible characters at its end, which may come to stand in a word."""
    if raw.isascii() or not _SOME_INVISIBLE.match(raw, len(raw) - 1):
        return len(raw)
    end = len(raw)
    while end and _SOME_INVISIBLE.match(raw, end - 1):
        end -= 1
    return end


def matches(pattern: re.Pattern[str], text: str, start: int, longest: int) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern as `finditer` does, but look at few characters in each call.

    Args:
        pattern: the pattern.
        text: the text.
        start: where matches may begin.
        longest: how many characters a match may have, with what it looks at behind itself.
    """
    while start < len(text):
        end = start + AT_ONCE
        done = end
        for match in pattern.finditer(text, start, end + longest):
            if match.start() >= end:
                break
            yield match
            done = max(done, match.end())
        start = done


def occurrences(text: str, mark: str, start: int, *, shared: int = 0) -> Iterator[int]:
    """Yield where a mark stands in a text.

    Args:
        text: the text.
        mark: what is looked for.
        start: where to begin to look.
        shared: characters that the end of one may have in common with the beginning of the next.
    """
    step = len(mark) - shared
    at = text.find(mark, start)
    while at >= 0:
        yield at
        at = text.find(mark, at + step)


def last_token(text: str, start: int) -> int:
    """Return where the last token begins, at a place or behind it."""
    end = len(text)
    while end > start:
        low = max(start, end - AT_ONCE)
        if gap := _UP_TO_LAST_GAP.match(text, low, end):
            return gap.end()
        end = low
    return start

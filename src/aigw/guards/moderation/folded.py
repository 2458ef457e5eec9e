"""`Folded`: a text in plain small letters, each of which knows where it stood."""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_WORD: Final = 64
"""Characters of the longest word that is read as a whole: of which script lookalikes are, the word tells."""

REACH: Final = LONGEST_WORD + 1
"""Characters before a place that how the text is folded from there on may depend on."""

_APART: Final = r"\s!-/:-@\[-`{-~"
_APART_CHARACTER: Final = re.compile(rf"[{_APART}]")
_SHOWN: Final = re.compile(
    r"&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});|\\u(?P<code>[0-9a-fA-F]{4})"
    rf"|(?P<odd>(?=[^\t\n\r -~])(?:\s|[^{_APART}]+))"
)
"""What is not itself in small letters, once folded: entities, escapes, and other characters, which stand in words."""
_BEGUN: Final = re.compile(r"(?:&\#?\w{0,8}|\\(?:u[0-9a-fA-F]{0,3})?)\Z")
"""The beginning of an entity, or of an escape of JSON."""
_LONGEST_ENTITY: Final = 11


class Folded:
    """A folded text, and the places of its characters.

    How a character is folded depends on nothing but the word that it stands in: whole texts and parts of them are
    folded alike. Entities of HTML and Unicode escapes of JSON are taken for what they show.

    Args:
        text: the text.
        base: fold it from here on; all places are places in the whole.
    """

    def __init__(self, text: str, base: int = 0) -> None:
        self._at: list[int] = [0]
        self._starts: list[int] = [base]
        self._widths: list[int] = [0]
        self.text = text[base:].lower() if _SHOWN.search(text, base) is None else self._fold(text, base)

    def _fold(self, text: str, base: int) -> str:
        """Fold it; note where pieces begin that are not as long as what they become, and where they have ended."""
        pieces: list[str] = []
        length, done = 0, base
        for start, end, shown in _units(text, base):
            pieces += text[done:start].lower(), shown
            length += start - done
            if len(shown) != end - start:
                for at in range(length, length + len(shown)):
                    self._note(at, start, end - start)
                self._note(length + len(shown), end, 0)
            length += len(shown)
            done = end
        return "".join([*pieces, text[done:].lower()])

    def _note(self, at: int, start: int, width: int) -> None:
        self._at.append(at)
        self._starts.append(start)
        self._widths.append(width)

    def place(self, at: int) -> int:
        """Return where in the text a folded character stands."""
        number = bisect_right(self._at, at) - 1
        start = self._starts[number]
        return start if self._widths[number] else start + at - self._at[number]

    def index(self, place: int) -> int:
        """Return the first folded character that stands at a place of the text, or behind it."""
        number = bisect_left(self._starts, place)
        before = number - 1
        if before >= 0 and not self._widths[before]:
            behind = self._at[number] if number < len(self._at) else len(self.text)
            return min(self._at[before] + place - self._starts[before], behind)
        return self._at[number] if number < len(self._at) else len(self.text)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text a folded piece stands."""
        number = bisect_right(self._at, end - 1) - 1
        return self.place(start), self.place(end - 1) + (self._widths[number] or 1)

    def beside(self, place: int) -> int:
        """Return a place itself, or the beginning of the entity that it would cut."""
        number = bisect_left(self._starts, place) - 1
        if number >= 0 and self._starts[number] + self._widths[number] > place:
            return self._starts[number]
        return place


def _units(text: str, base: int) -> Iterator[tuple[int, int, str]]:
    """Yield what does not become itself in small letters: where it begins and ends, and what it becomes.

    What is as long as before is letter for letter what it was.
    """
    done = base
    known: dict[str, list[str]] = {}
    for match in _SHOWN.finditer(text, base):
        start, end = match.span()
        if match["odd"] is None:
            yield start, end, fold(chr(int(match["code"], 16)) if match["code"] else html.unescape(match[0]))
        else:
            start = _word_at(text, done, start)
            word = text[start:end]
            letters = known[word] = known.get(word) or _letters(word)
            if all(len(letter) == 1 for letter in letters):
                yield start, end, "".join(letters)
            else:
                for at, letter in enumerate(letters, start):
                    yield at, at + 1, letter
        done = end


def _word_at(text: str, first: int, at: int) -> int:
    """Return where the word begins that a character stands in, but not before a place."""
    if not _APART_CHARACTER.match(text, at):
        while at > first and not _APART_CHARACTER.match(text, at - 1):
            at -= 1
    return at


def stable(text: str) -> int:
    """Tell up to where a text is folded as it is, whatever comes after it."""
    entity = _BEGUN.search(text, max(0, len(text) - _LONGEST_ENTITY))
    end = len(text) if entity is None else entity.start()
    tail = text[max(0, end - LONGEST_WORD - 1) : end]
    if tail.isascii():
        return end
    begin = len(tail)
    while begin > 0 and not _APART_CHARACTER.match(tail, begin - 1):
        begin -= 1
    if len(tail) - begin > LONGEST_WORD:  # read letter by letter
        return end
    odd = next((at for at in range(begin, len(tail)) if not tail[at].isascii()), len(tail))
    return end - len(tail) + odd


def _letters(word: str) -> list[str]:
    """Return what each character of a word becomes: by itself where the word as a whole says the same."""
    single = [*map(_letter, word)]
    if len(word) > LONGEST_WORD:
        return single
    whole = fold(word)
    if "".join(single) == whole:
        return single
    kept = [number for number, character in enumerate(single) if character]
    if len(kept) == len(whole) and all(len(single[number]) == 1 for number in kept):
        for number, character in zip(kept, whole, strict=True):
            single[number] = character
    return single


@lru_cache(maxsize=4096)
def _letter(character: str) -> str:
    return fold(character)

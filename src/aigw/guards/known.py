"""`Known`: values that were found before, wherever else they stand in a text as words of their own."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST: Final = 4
"""Characters of the shortest value that is looked for elsewhere: shorter ones are too often something else."""

LONGEST: Final = 256
"""And of the longest: what is longer is no word of a text, and a stream must not wait for the whole of it."""

TELLING: Final = 8
"""Characters from which on a value with a digit or an ``@`` in it is also looked for inside of words and numbers."""

FEW: Final = 64
"""Beginnings of values that are searched for one by one."""

SLICE: Final = 4096
"""Places that are looked at in one step."""

WORD: Final = r"0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u02af\u0370-\u1fff"
"""Letters and digits of the scripts that keep their words apart, which Chinese and Japanese do not."""

_NO_NAME: Final = re.compile("[0-9@]")
_IN_WORD: Final = re.compile(f"[{WORD}]")


class Place(NamedTuple):
    """Where something known stands.

    Args:
        start: index of its first character.
        end: index behind its last one.
        is_nonce: it is the nonce of the vault, which only tokens may hold.
    """

    start: int
    end: int
    is_nonce: bool


class Known:
    """The values of a vault, to be found again, and its nonce, which must stand in no text beside its tokens.

    A value is found again where it stands verbatim. A name, or a short one, must be a word of its own: ``ann`` is not
    found in ``Joanna``; but a number or an address of some length (see `is_telling`) is found wherever it stands.
    Whoever adds values holds a lock; to look for them needs none.

    Args:
        nonce: the nonce; it is found in any case of its letters, also inside of words.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._heads: dict[str, _Head] = {}
        self._beginnings: set[str] = set()
        self._longest = 0

    def add(self, value: str) -> None:
        """Add a value; one that is too short or too long is not looked for."""
        if not SHORTEST <= len(value) <= LONGEST:
            return
        head = value[:SHORTEST]
        self._longest = max(self._longest, len(value))
        self._beginnings.update(head[:length] for length in range(1, SHORTEST))
        self._heads[head] = self._heads.get(head, _Head((), ())).with_value(value)

    def find(self, text: str, gaps: Iterable[tuple[int, int]]) -> Iterator[Place]:
        """Find what is known in parts of a text: the first ones, and of those that begin together the longest.

        Args:
            text: the text; what stands around a part tells whether its ends are ends of words.
            gaps: where the parts begin and end, in order.
        """
        beginnings = self._beginnings_in(text)
        number = 0
        for start, end in gaps if beginnings else ():
            breathe()
            number = bisect_left(beginnings, start, number)
            while number < len(beginnings) and beginnings[number] < end:
                breathe()
                place = self._place_at(text, beginnings[number], end)
                if place is None:
                    number += 1
                else:
                    yield place
                    number = bisect_left(beginnings, place.end, number)

    def find_decided(self, text: str, start: int) -> tuple[list[Place], int]:
        """Find what is known in a text that goes on.

        Args:
            text: the text so far.
            start: what stands before it is context.

        Returns:
            What was found, and how far the text is decided.
        """
        low = max(start, len(text) - self._longest)
        open_ones = {at for at in range(low, len(text)) if self._may_become(text, at)}
        places: list[Place] = []
        position = start
        for at in sorted(open_ones.union(self._beginnings_in(text, start))):
            if at < position:
                continue
            if at in open_ones:
                return places, at
            place = self._place_at(text, at, len(text))
            if place is not None:
                places.append(place)
                position = place.end
        return places, self._nonce_begins(text, position)

    def _beginnings_in(self, text: str, start: int = 0) -> list[int]:
        """Return where something known may begin, in order.

        To search for each of a few is faster than to look at each place of a text, and needs no pattern, which takes
        longer to compile for one vault than to look for.
        """
        found: set[int] = set()
        heads = [*self._heads]
        if len(heads) > FEW:
            for low in range(start, len(text), SLICE):
                breathe()
                places = range(low, min(low + SLICE, len(text)))
                found.update([at for at in places if text[at : at + SHORTEST] in self._heads])
            heads = []
        for head in heads:
            breathe()
            at = text.find(head, start)
            while at >= 0:
                found.add(at)
                at = text.find(head, at + 1)
        if self._nonce in text.lower():
            found.update([match.start() for match in self._nonces().finditer(text, start)])
        return sorted(found)

    def _nonces(self) -> re.Pattern[str]:
        return re.compile(f"(?ai:{self._nonce})")

    def _place_at(self, text: str, at: int, end: int) -> Place | None:
        stop = self._value_at(text, at, end)
        if stop:
            return Place(at, stop, is_nonce=False)
        stop = at + len(self._nonce)
        if stop <= end and text[at:stop].lower() == self._nonce:
            return Place(at, stop, is_nonce=True)
        return None

    def _value_at(self, text: str, at: int, end: int) -> int:
        """Return where the longest value ends that stands at a place; 0 if none does."""
        head = self._heads.get(text[at : at + SHORTEST])
        if head is None:
            return 0
        is_inside = at > 0 and _is_within_word(text, at)
        for length in head.lengths:
            stop = at + length
            value = text[at:stop]
            if stop > end or not head.holds(value):
                continue
            if is_telling(value) or not (is_inside or (stop < len(text) and _is_within_word(text, stop))):
                return stop
        return 0

    def _may_become(self, text: str, at: int) -> bool:
        """Tell whether a text that ends may be the beginning of a value, or end within the word that ends one."""
        if len(text) - at < SHORTEST:
            return text[at:] in self._beginnings
        head = self._heads.get(text[at : at + SHORTEST])
        return head is not None and head.begins_with(text[at:])

    def _nonce_begins(self, text: str, start: int) -> int:
        """Return where the nonce may begin at the end of a text."""
        nonce = self._nonce
        for at in range(max(start, len(text) - len(nonce) + 1), len(text)):
            if nonce.startswith(text[at:].lower()):
                return at
        return len(text)


def is_telling(value: str) -> bool:
    """Tell whether a value is too long to be a part of something else by chance, and no name."""
    return len(value) >= TELLING and _NO_NAME.search(value) is not None


def _is_within_word(text: str, place: int) -> bool:
    """Tell whether a word goes on over a place."""
    return bool(_IN_WORD.match(text[place]) and _IN_WORD.match(text[place - 1]))


class _Head(NamedTuple):
    """The values that begin alike.

    Args:
        values: sorted.
        lengths: their lengths, the longest first.
    """

    values: tuple[str, ...]
    lengths: tuple[int, ...]

    def with_value(self, value: str) -> _Head:
        place = bisect_left(self.values, value)
        if self.values[place : place + 1] == (value,):
            return self
        values = (*self.values[:place], value, *self.values[place:])
        return _Head(values, tuple(sorted({*self.lengths, len(value)}, reverse=True)))

    def holds(self, value: str) -> bool:
        place = bisect_left(self.values, value)
        return self.values[place : place + 1] == (value,)

    def begins_with(self, beginning: str) -> bool:
        place = bisect_left(self.values, beginning)
        return place < len(self.values) and self.values[place].startswith(beginning)

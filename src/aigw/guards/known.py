"""`Known`: values that were found before, wherever else they stand in a text as words of their own."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST: Final = 4
"""Characters of the shortest value that is looked for elsewhere: shorter ones are too often something else."""

LONGEST: Final = 256
"""And of the longest: what is longer is no word of a text, and a stream must not wait for the whole of it."""

WORD: Final = r"0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u02af\u0370-\u1fff"
"""Letters and digits of the scripts that keep their words apart, which Chinese and Japanese do not."""

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

    A value is found again where it stands verbatim and is no part of a longer word: ``ann`` not in ``Joanna``.
    Whoever adds values holds a lock; to look for them needs none.

    Args:
        nonce: the nonce; it is found in any case of its letters, also inside of words.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._heads: dict[str, _Head] = {}
        self._beginnings: set[str] = set()
        self._firsts: frozenset[str] = frozenset()

    def add(self, value: str) -> None:
        """Add a value; one that is too short or too long is not looked for."""
        if not SHORTEST <= len(value) <= LONGEST:
            return
        head = value[:SHORTEST]
        self._heads[head] = self._heads.get(head, _Head((), ())).with_value(value)
        self._beginnings.update(head[:length] for length in range(1, SHORTEST))
        if value[0] not in self._firsts:
            self._firsts |= {value[0]}

    def beginnings(self, part: str) -> re.Pattern[str] | None:
        """Return the pattern of where something may begin in a text or a part of it; ``None`` where nothing does.

        The nonce is in next to no text, and to compile a pattern for one vault takes longer than to look for it.
        """
        firsts = self._firsts
        nonce = self._nonce if self._nonce in part.lower() else ""
        return _beginnings(firsts, nonce) if firsts or nonce else None

    def find(self, text: str, start: int, end: int) -> Iterator[Place]:
        """Find what is known in a part of a text: the first ones, and of those that begin together the longest.

        Args:
            text: the text; what stands around the part tells whether its ends are ends of words.
            start: where the part begins.
            end: where it ends.
        """
        yield from self.find_from(self.beginnings(text[start:end]), text, start, end)

    def find_from(self, beginnings: re.Pattern[str] | None, text: str, start: int, end: int) -> list[Place]:
        """Find what is known in a part of a text, of which many are looked at.

        Args:
            beginnings: what `beginnings` returned for the whole text.
            text: see `find`.
            start: see `find`.
            end: see `find`.
        """
        return self._look(beginnings, text, start, end, is_over=True)[0] if beginnings else []

    def find_decided(self, text: str, start: int) -> tuple[list[Place], int]:
        """Find what is known in a text that goes on.

        Args:
            text: the text so far.
            start: what stands before it is context.

        Returns:
            What was found, and how far the text is decided.
        """
        return self._look(self.beginnings(text[start:]), text, start, len(text), is_over=False)

    def _look(
        self, pattern: re.Pattern[str] | None, text: str, start: int, end: int, *, is_over: bool
    ) -> tuple[list[Place], int]:
        places: list[Place] = []
        position = start
        while True:
            breathe()
            for match in pattern.finditer(text, position, end) if pattern else ():
                at = match.start()
                if not is_over and self._may_become(text, at):
                    return places, at
                stop = self._value_at(text, at, end)
                if stop or match.end() - at > 1:  # more than a first letter: the nonce
                    places.append(Place(at, stop or match.end(), not stop))
                    position = stop or match.end()
                    break
            else:
                return places, end if is_over else self._nonce_begins(text, position)

    def _value_at(self, text: str, at: int, end: int) -> int:
        """Return where the longest value ends that stands at a place; 0 if none does."""
        head = self._heads.get(text[at : at + SHORTEST])
        if head is None or (_IN_WORD.match(text[at]) and at > 0 and _IN_WORD.match(text[at - 1])):
            return 0
        for length in head.lengths:
            stop = at + length
            if stop <= end and head.holds(text[at:stop]) and not _continues(text, stop):
                return stop
        return 0

    def _may_become(self, text: str, at: int) -> bool:
        """Tell whether a text that ends may be the beginning of a value, or end within the word that ends one."""
        rest = len(text) - at
        if rest > LONGEST:
            return False
        if rest < SHORTEST:
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


@lru_cache(maxsize=256)
def _beginnings(firsts: frozenset[str], nonce: str) -> re.Pattern[str]:
    inside = "".join([re.escape(first) for first in sorted(firsts) if _IN_WORD.match(first)])
    others = "".join([re.escape(first) for first in sorted(firsts) if not _IN_WORD.match(first)])
    branches = [f"(?ai:{nonce})"] if nonce else []
    if inside:
        branches.append(f"(?<![{WORD}])[{inside}]")
    if others:
        branches.append(f"[{others}]")
    return re.compile("|".join(branches))


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


def _continues(text: str, stop: int) -> bool:
    """Tell whether the word goes on that stands before a place."""
    return stop < len(text) and bool(_IN_WORD.match(text[stop]) and _IN_WORD.match(text[stop - 1]))

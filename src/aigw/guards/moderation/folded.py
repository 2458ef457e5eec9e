"""`Folded`: a text in plain small letters, each of which knows where it stood."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import Final

from aigw.guards.normalise import fold

SLICE: Final = 512
"""Characters that are folded together at least: a word that mixes scripts is read as a whole."""


class Folded:
    """A folded text, and the places of its characters.

    Args:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        if text.isascii() and text.isprintable():
            self.text = text.lower()
            self._places: list[int] | None = None
        else:
            self.text, self._places = _folded(text)
        self._length = len(text)

    def place(self, at: int) -> int:
        """Return where in the text a folded character stands."""
        if self._places is None:
            return at
        return self._places[at] if at < len(self._places) else self._length

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the text a folded piece stands, with all that was folded into it."""
        if self._places is None or end > len(self._places):
            return self.place(start), self._length if self._places is not None else end
        first, last = self._places[start], self._places[end - 1]
        behind = bisect_left(self._places, last + 1)
        return first, min(last + 1, self._places[behind] if behind < len(self._places) else self._length)


def _folded(text: str) -> tuple[str, list[int]]:
    """Fold word by word: lookalikes are read by the word that they stand in."""
    pieces: list[str] = []
    places: list[int] = []
    for start, end in pairwise(_cuts(text)):
        for at, character in zip(range(start, end), _letters(text[start:end]), strict=True):
            pieces.append(character)
            places += [at] * len(character)
    return "".join(pieces), places


def _cuts(text: str) -> list[int]:
    cuts = [0]
    for at, character in enumerate(text):
        if character.isspace() or at - cuts[-1] >= SLICE:
            cuts.append(at)
    return [*cuts, len(text)]


def _letters(word: str) -> list[str]:
    """Return what each character of a word becomes: by itself where the word as a whole says the same."""
    single = [fold(character) for character in word]
    whole = fold(word)
    if "".join(single) == whole:
        return single
    kept = [number for number, character in enumerate(single) if character]
    if len(kept) == len(whole) and all(len(single[number]) == 1 for number in kept):
        for number, character in zip(kept, whole, strict=True):
            single[number] = character
    return single

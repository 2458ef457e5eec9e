"""`Seen`: a text that several finders look at, and `Finder`, what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.aside import breathe
from aigw.guards.moderation.folded import REACH, Folded, stable
from aigw.guards.moderation.letters import Letters
from aigw.guards.span import ORDER, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aigw.guards.moderation.letters import Hit

SLICE: Final = 8192
"""Characters of a large text that are looked at together, so that no call of `re` holds other threads up for long."""


class Seen:
    """A text from a place on, and what is made of it when a finder asks.

    Args:
        text: the text.
        start: the place: what ends before it is of no interest.
        is_whole: nothing comes behind it.
    """

    def __init__(self, text: str, start: int = 0, *, is_whole: bool = True) -> None:
        self.text = text
        self.start = start
        self._is_whole = is_whole
        self._folded: Folded | None = None
        self._letters: Letters | None = None
        self.kept: dict[object, Any] = {}
        """What finders have made of it, each by itself: they are asked what begins and what is there."""

    @property
    def folded(self) -> Folded:
        """The text in plain small letters, with what the folding of its beginning depends on."""
        if self._folded is None:
            self._folded = Folded(self.text, max(0, self.start - REACH))
        return self._folded

    @property
    def first(self) -> int:
        """Which folded character is the first of interest."""
        return self.folded.index(self.start)

    @property
    def end(self) -> int:
        """Behind which folded character nothing is certain yet."""
        return len(self.folded.text) if self._is_whole else self.folded.index(stable(self.text))

    @property
    def letters(self) -> Letters:
        """Its letters and digits alone, as far as they are certain."""
        if self._letters is None:
            self._letters = Letters(self.folded.text[self.first : self.end])
        return self._letters

    def beside(self, place: int) -> int:
        """Return a place itself, or, where it would cut what is folded as one, the beginning of that."""
        return place if self._folded is None else self._folded.beside(place)

    def place_of(self, at: int) -> int:
        """Return where a letter of `letters` stands; behind the last of them, up to where the text is certain."""
        if at >= len(self.letters.text):
            return self.folded.place(self.end)
        return self.folded.place(self.first + self.letters.span(at, at + 1)[0])

    def spans_of(self, hits: Iterable[Hit], kind: str) -> Iterator[Span]:
        """Make a span of each piece of `letters` that is covered by hits, which come in order."""
        begun = end = -1
        for hit in hits:
            if hit.start >= end:
                if end > begun:
                    yield self._span_of(begun, end, kind)
                begun = hit.start
            end = max(end, hit.start + len(hit.needle))
        if end > begun:
            yield self._span_of(begun, end, kind)

    def _span_of(self, start: int, end: int, kind: str) -> Span:
        first = self.first
        begin, behind = self.letters.span(start, end)
        return Span(*self.folded.span(first + begin, first + behind), kind)


class Finder(Protocol):
    """Finds one sort of things in a text that may still grow."""

    context: int
    """How many characters before a place what is found from there on may depend on."""

    def find(self, seen: Seen) -> Iterable[Span]:
        """Find what begins at the place from which on the text is of interest, or behind it."""
        ...

    def begun(self, seen: Seen) -> int:
        """Return the first place from which on, to its end, the text may become something that is found.

        It is the length of the text where there is none.
        """
        ...


def decided(finders: Iterable[Finder], text: str, start: int) -> tuple[int, list[Span]]:
    """Tell how far a text is decided, whatever comes after it, and what was found on the way.

    Args:
        finders: what looks.
        text: the text so far.
        start: how far it was decided before.
    """
    seen = Seen(text, start, is_whole=False)
    finders = [*finders]
    cut = min([len(text), *(finder.begun(seen) for finder in finders)])
    if cut <= start:
        return start, []
    # Spans that overlap are chosen among, or joined, all together, so that none of them may cross the cut.
    found = [span for finder in finders for span in finder.find(seen)]
    cut = seen.beside(cut)
    for span in sorted(found, key=ORDER, reverse=True):
        if span.start < cut < span.end:
            cut = span.start
    return max(cut, start), [span for span in found if span.start < cut]


def found_in(finders: Iterable[Finder], text: str, start: int, context: int) -> list[Span]:
    """Find all that is in a text from a place on; a large one is looked at in slices, as a stream would be.

    Args:
        finders: what looks.
        text: the text.
        start: the place.
        context: how many characters before a place are needed.
    """
    finders = [*finders]
    found: list[Span] = []
    size = SLICE
    while len(text) - start > size + SLICE:
        breathe()
        base = max(0, start - context)
        cut, spans = decided(finders, text[base : start + size], start - base)
        found += [Span(span.start + base, span.end + base, span.kind, span.score) for span in spans]
        size = SLICE if base + cut > start else 2 * size
        start = base + cut
    base = max(0, start - context)
    rest = Seen(text[base:], start - base)
    return found + [
        Span(span.start + base, span.end + base, span.kind, span.score) for one in finders for span in one.find(rest)
    ]

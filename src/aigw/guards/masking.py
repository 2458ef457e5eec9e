"""`Masker`: masks a text that comes in pieces; and how the replacements in a text are planned."""

from __future__ import annotations

from collections import Counter
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aigw.guards.known import Known
    from aigw.guards.span import Span
    from aigw.guards.window import StreamWindow

NONCE_KIND: Final = "LITERAL"
"""The kind of what looks like a part of a token and is none: the text held it before."""


class Part(NamedTuple):
    """A part of a text that something else takes the place of.

    Args:
        start: index of its first character.
        end: index behind its last one.
        kind: what it is; empty for what was found before, ``None`` for what stays as it is.
    """

    start: int
    end: int
    kind: str | None


def plan(text: str, parts: Sequence[Part], known: Known) -> list[Part]:
    """Add what is known between the parts of a text that are decided already, which are in order."""
    found = map(known_part, known.find(text, _gaps(parts, len(text))))
    return [*merge(parts, found, key=itemgetter(0))]


def _gaps(parts: Iterable[Part], length: int) -> Iterator[tuple[int, int]]:
    position = 0
    for part in parts:
        if part.start > position:
            yield position, part.start
        position = part.end
    yield position, length


def known_part(place: tuple[int, int, bool]) -> Part:
    """Turn the place of something known into a part."""
    start, end, is_nonce = place
    return Part(start, end, NONCE_KIND if is_nonce else "")


def assemble(text: str, parts: Sequence[Part], replace: Callable[[str, str], str]) -> str:
    """Put replacements in the place of parts.

    Args:
        text: the text.
        parts: its parts, in order; they do not overlap.
        replace: returns the replacement of a kind and a value.
    """
    pieces: list[str] = []
    position = 0
    for start, end, kind in parts:
        breathe()
        if kind is None:
            continue
        pieces += [text[position:start], replace(kind, text[start:end])]
        position = end
    if not pieces:
        return text
    return "".join([*pieces, text[position:]])


class Masker:
    """Masks a text piece by piece: the pieces join to the same text however it is cut.

    What was found is also masked where it stands again later, but not where it stood before: that has gone on.
    One masker is for one text, and one thread at a time.

    Args:
        window: finds what is to be masked.
        known: what was found before, and is now.
        replace: returns the replacement of a kind and a value.
    """

    def __init__(self, window: StreamWindow, known: Known, replace: Callable[[str, str], str]) -> None:
        self._window = window
        self._known = known
        self._replace = replace
        self._between = ""
        self._start = 0  # a character before it tells whether a word begins there
        self.found: Counter[str] = Counter()
        """How often each kind was found."""

    @property
    def held(self) -> int:
        """How many characters are held back now."""
        return self._window.held + len(self._between) - self._start

    def feed(self, text: str) -> str:
        """Take the next piece; return what is decided, masked.

        Args:
            text: the next piece.

        Raises:
            VaultFull: there is no room for another value.
        """
        pieces = self._passed(self._window.feed(text))
        if len(self._between) > self._start:
            places, end = self._known.find_decided(self._between, self._start)
            pieces.append(self._with_known(places, end))
            self._keep(self._between[:end], self._between[end:])
        return "".join(pieces)

    def flush(self) -> str:
        """Return what was held back, masked: the text is over. The next piece begins another one.

        Raises:
            VaultFull: there is no room for another value.
        """
        pieces = self._passed(self._window.flush())
        pieces.append(self._all_between(""))
        self._between, self._start = "", 0
        return "".join(pieces)

    def _passed(self, segments: Iterable[tuple[str, Span | None]]) -> list[str]:
        pieces: list[str] = []
        between = [self._between]
        for text, span in segments:
            if span is None:
                between.append(text)
                continue
            self._between = "".join(between)
            pieces += [self._all_between(text[:1]), self._replace(span.kind, text)]
            self.found[span.kind] += 1
            self._keep(text, "")
            between = [self._between]
        self._between = "".join(between)
        return pieces

    def _all_between(self, after: str) -> str:
        """Mask what is known in a text between two spans, which is over."""
        end = len(self._between)
        return self._with_known(self._known.find(self._between + after, [(self._start, end)]), end)

    def _with_known(self, places: Iterable[tuple[int, int, bool]], end: int) -> str:
        text = self._between[:end]
        return assemble(text, [known_part(place) for place in places], self._replace)[self._start :]

    def _keep(self, gone: str, rest: str) -> None:
        """Keep the last character of what went on, as context."""
        context = gone[-1:]
        self._between, self._start = context + rest, len(context)

"""`StreamWindow`: cuts a growing text into what was found and what stands between, as soon as each is decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aigw.guards.span import Detector, Span, best, can_watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Segment = tuple[str, Span | None]
    """A piece of the text, and the span that it is; ``None`` for what stands between spans."""

AT_ONCE: Final = 64
"""Held characters up to which every piece is looked at when it comes."""

SHARE: Final = 8
"""Beyond that a look waits until the held text has grown by this part of it, so that looking stays linear in all."""


class StreamWindow:
    """Looks at a text while it comes, and finds exactly what ``best(find(text))`` finds in the whole.

    It holds back what is not decided: what may be, or become, a part of something that is found. A detector that is no
    `StreamDetector` decides nothing before the end, so with such a one everything is held until `flush`. Where the same
    text is cut into pieces does not change what is found, only when it is handed on.

    One window is for one text, and one thread at a time.

    Args:
        detectors: what to look for.
    """

    def __init__(self, detectors: Iterable[Detector]) -> None:
        self._watches = [_Watch(detector) for detector in detectors]
        self._waits = any(watch.waits for watch in self._watches)
        self._begin()

    def _begin(self) -> None:
        self._new: list[str] = []
        self._new_length = 0
        self._patience = 0
        self._text = ""
        self._base = 0  # where the text that is kept begins in the whole; all other places are places in the whole
        self._done = 0
        self._found: list[Span] = []
        for watch in self._watches:
            watch.cut = 0

    @property
    def held(self) -> int:
        """How many characters are held back now."""
        return self._base + len(self._text) + self._new_length - self._done

    def feed(self, text: str) -> list[Segment]:
        """Take the next piece; return what is decided now, with the places of spans in the whole text.

        Args:
            text: the next piece.
        """
        if text:
            self._new.append(text)
            self._new_length += len(text)
        if self._waits or not self._new or self._new_length < self._patience:
            return []
        self._take()
        for watch in self._watches:
            self._found += watch.look(self._text, self._base)
        cut = min((watch.cut for watch in self._watches), default=self._base + len(self._text))
        segments = self._hand_on(_outside(self._found, cut))
        self._forget()
        held = self.held
        self._patience = held // SHARE if held > AT_ONCE else 0
        return segments

    def flush(self, text: str = "") -> list[Segment]:
        """Return the rest: the text is over. The next piece begins another one.

        Args:
            text: the last piece.
        """
        self._new.append(text)
        self._take()
        for watch in self._watches:
            self._found += watch.rest(self._text, self._base)
        segments = self._hand_on(self._base + len(self._text))
        self._begin()
        return segments

    def _take(self) -> None:
        self._text = "".join([self._text, *self._new])
        self._new, self._new_length = [], 0

    def _hand_on(self, cut: int) -> list[Segment]:
        """Return what stands before a cut, which no span crosses."""
        segments: list[Segment] = []
        position = self._done
        for span in best([span for span in self._found if span.start < cut]):
            if span.start > position:
                segments.append((self._slice(position, span.start), None))
            segments.append((self._slice(span.start, span.end), span))
            position = span.end
        if cut > position:
            segments.append((self._slice(position, cut), None))
        self._found = [span for span in self._found if span.start >= cut]
        self._done = cut
        return segments

    def _slice(self, start: int, end: int) -> str:
        return self._text[start - self._base : end - self._base]

    def _forget(self) -> None:
        """Drop what no detector looks back to."""
        first = min((watch.first_needed for watch in self._watches), default=self._done)
        drop = min(first, self._done) - self._base
        if drop > 0:
            self._text = self._text[drop:]
            self._base += drop


class _Watch:
    """A detector, and how far it has decided the text."""

    __slots__ = ("_stream", "cut", "detector")

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._stream = detector if can_watch(detector) else None
        self.cut = 0

    @property
    def waits(self) -> bool:
        """Whether it decides nothing before the end."""
        return self._stream is None

    @property
    def first_needed(self) -> int:
        """Where what it may look back to begins."""
        return self.cut - self._stream.context if self._stream is not None else 0

    def look(self, text: str, base: int) -> Sequence[Span]:
        """Decide more; return what was found there."""
        detector, start = self._stream, self.cut - base
        if detector is None:
            return ()
        cut = detector.settled(text, start)
        if cut <= start:
            return ()
        found = [_moved(span, base) for span in detector.find(text, start) if span.start < min(cut, span.end)]
        self.cut = base + cut
        return found

    def rest(self, text: str, base: int) -> Sequence[Span]:
        """Return what is found behind what was decided."""
        return [_moved(span, base) for span in self.detector.find(text, self.cut - base) if span.start < span.end]


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by) if by else span


def _outside(spans: Iterable[Span], cut: int) -> int:
    """Move a cut back until no span crosses it."""
    for span in sorted(spans, reverse=True):
        if span.start < cut < span.end:
            cut = span.start
    return cut

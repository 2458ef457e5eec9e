"""`Span` and the protocols of detectors: what is found in a text, and what watching a growing text asks for."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Protocol, TypeGuard, runtime_checkable

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text where something was found. It does not hold the text, so it may be logged.

    Args:
        start: index of its first character.
        end: index behind its last character.
        kind: what it is, in capitals, such as ``EMAIL``.
        score: how sure the detector is, from 0 to 1.
    """

    start: int
    end: int
    kind: str
    score: float = 1.0


@runtime_checkable
class Detector(Protocol):
    """Finds things in a text. Plain Python, no waiting, no state that changes: many threads use one detector."""

    def find(self, text: str, start: int = 0) -> Sequence[Span]:
        """Find what is in a text, in order of place; spans do not overlap.

        Takes any `str`, also with lone surrogates and NULs, in time that grows linearly with its length.

        Args:
            text: the text.
            start: return only spans that begin here or later. What stands before is still looked at, as context.
        """
        ...


@runtime_checkable
class StreamDetector(Detector, Protocol):
    """A detector that can watch a text while it grows, and finds exactly what it would find in the whole.

    The contract, for every text ``t`` and every beginning ``p`` of it, where ``cut = settled(p)``:

    - the spans of ``find(p)`` that begin before ``cut`` are those of ``find(t)`` that begin before ``cut``;
    - none of them ends behind ``cut``: what stands before it may be handed on, with its spans replaced;
    - ``settled`` never goes back when the text grows, and for ``start = cut`` of an earlier call ``find(t, start)`` is
      the rest of ``find(t)``, also where everything was cut off that stands more than `context` characters before it.
    """

    context: int
    """How many characters before a cut later findings may depend on."""

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided, whatever comes after it.

        Args:
            text: the text so far.
            start: what it returned before; the answer is not less.
        """
        ...


def can_watch(detector: object) -> TypeGuard[StreamDetector]:
    """Tell whether a detector can watch a stream: what `isinstance` tells as well, in a hundredth of the time."""
    return hasattr(detector, "settled") and hasattr(detector, "context") and hasattr(detector, "find")


ORDER: Final = attrgetter("start", "end", "kind", "score")
"""Their own order, without a call of Python for each comparison."""

RUN: Final = 500
"""Spans that are sorted in one step."""


def best(spans: Iterable[Span]) -> list[Span]:
    """Leave out spans that overlap with a better one: a higher score, then a longer one, then the one that is earlier.

    Whether a span stays depends only on those that it is connected with by overlaps, so a part of a text may be looked
    at alone if no span crosses its ends.
    """
    chosen: list[Span] = []
    cluster: list[Span] = []
    end = -1
    for span in _in_order(iter(spans)):
        breathe()
        if span.start >= end:
            chosen += _best_of(cluster)
            cluster = []
        cluster.append(span)
        end = max(end, span.end)
    return chosen + _best_of(cluster)


def _in_order(spans: Iterator[Span]) -> Iterable[Span]:
    """Sort spans a run at a time: to sort all at once would hold up the threads beside it."""
    runs: list[list[Span]] = []
    while run := sorted(islice(spans, RUN), key=ORDER):
        runs.append(run)
        breathe()
    if all(before[-1] <= after[0] for before, after in pairwise(runs)):
        return chain.from_iterable(runs)
    return heapq.merge(*runs, key=ORDER)


def _best_of(cluster: list[Span]) -> list[Span]:
    """Choose among spans that overlap."""
    if len(cluster) < 2:  # noqa: PLR2004  (nothing to choose)
        return cluster
    chosen: list[Span] = []
    for span in sorted(cluster, key=lambda span: (-span.score, span.start - span.end, span.start)):
        if all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return sorted(chosen, key=ORDER)

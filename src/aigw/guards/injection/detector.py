"""`Injection`: how much a text reads like an attack on a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from aigw.aside import breathe
from aigw.checks import check_choice
from aigw.errors import ConfigError
from aigw.guards.injection.features import CHUNK
from aigw.guards.injection.mention import Mentions
from aigw.guards.injection.model import load
from aigw.guards.injection.provenance import provenance
from aigw.guards.injection.rules import DOUBTED, Fit, Hit, rules
from aigw.guards.injection.salad import salad
from aigw.guards.injection.words import NOISE, lexicon, read
from aigw.guards.normalise import fold
from aigw.guards.normalise_decoders import MOST_READINGS, readings
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw.guards.injection.words import Words

Source = Literal["user", "tool", "document"]
"""Who wrote a text: the user; or a tool, or a document, neither of which should ask for anything."""

THRESHOLD: Final = 0.5
BLOCK: Final = 8000
"""Characters that are looked at together. An attack is found wherever it stands: blocks are scored one by one."""
OVERLAP: Final = 500
MOST_BLOCKS: Final = 160
"""Blocks that are looked at with everything; of longer texts the first half of them and the last."""
MOST_OF_ALL_READINGS: Final = 100
"""Readings of all the blocks of a text, but for one of each."""
NARROW: Final = 600
"""Characters of the pieces that a find is narrowed down to."""
HIDDEN: Final = 0.2
"""What is added for an attack that was disguised: few have an honest reason to."""
SUSPECT: Final = 0.3
CHANGED: Final = 0.1
"""What a reading must score more than the text as it stands: there is nothing disguised in what reads the same."""
MOST_NARROWED: Final = 8
AROUND: Final = 40
"""Characters on both sides of the words of a rule, in their line, by which it is judged whether they are an attack."""

_PLACES: Final[Mapping[str, Source]] = {"tool_results": "tool", "tools": "tool"}


class Injection:
    """Finds prompt injection and jailbreaks: a `Detector`, and a score. The first one reads the model, in some 20 ms.

    Args:
        threshold: the score from which on a text counts as an attack, between 0 and 1.
        thresholds: other thresholds for some sources.
        source: who wrote the texts, where `score` and `find` are not told.
        model: ``False`` uses the rules alone: a few times faster, and finds less.

    Raises:
        ConfigError: a threshold or a source makes no sense.
    """

    default_where: tuple[str, ...] = ("user", "tool_results", "tools")
    """Where a guard looks by default. System prompts are the developer's own: they do tell a model what to do."""
    default_action = "block"
    is_quick = True
    kind = "INJECTION"

    def __init__(
        self,
        threshold: float = THRESHOLD,
        *,
        thresholds: Mapping[Source, float] | None = None,
        source: Source = "user",
        model: bool = True,
    ) -> None:
        check_choice("Injection(source)", source, get_args(Source))
        self.threshold = _threshold("threshold", threshold)
        self._thresholds: dict[Source, float] = {}
        for name, value in (thresholds or {}).items():
            check_choice("Injection(thresholds)", name, get_args(Source))
            self._thresholds[name] = _threshold(f"thresholds[{name!r}]", value)
        self._source: Source = source
        self._model = model
        lexicon()  # read now, not in the first call beside a loop
        if model:
            load()

    def for_place(self, place: str) -> Injection:
        """Return the detector for texts of a place of a call, as `Guard` asks for it."""
        return self._with(_PLACES.get(place, "user"))

    def _with(self, source: Source) -> Injection:
        if source == self._source:
            return self
        return Injection(self.threshold, thresholds=self._thresholds, source=source, model=self._model)

    def limit(self, source: Source | None = None) -> float:
        """Return the threshold of a source."""
        return self._thresholds.get(source or self._source, self.threshold)

    def score(self, text: str, source: Source | None = None) -> float:
        """Return how much a text reads like an attack, from 0 to 1: the highest score of its blocks.

        Args:
            text: any text.
            source: who wrote it; by default what the detector was made for.
        """
        source = self._known(source)
        blocks, most = _plan(len(text))
        return max((self._score(text[start:end], source, most) for start, end in blocks), default=0.0)

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find the parts of a text that score at least the threshold, each narrowed down where a part of it does too.

        Args:
            text: any text.
            start: return only parts that begin here or later.
        """
        limit = self.limit()
        found: list[Span] = []
        blocks, most = _plan(len(text))
        for first, last in blocks:
            score = self._score(text[first:last], self._source, most)
            if score >= limit:
                for span in self._narrowed(text, first, last, score):
                    _add(found, span)
        return [span for span in found if span.start >= start]

    def reasons(self, text: str, source: Source | None = None) -> list[Hit]:
        """Tell which rules fit a text, and what the model makes of it, the highest score first."""
        source = self._known(source)
        hits: dict[str, float] = {}
        blocks, most = _plan(len(text))
        for start, end in blocks:
            for hit in self._hits(text[start:end], source, most):
                hits[hit.rule] = max(hits.get(hit.rule, 0.0), hit.score)
        return sorted([Hit(*hit) for hit in hits.items()], key=lambda hit: -hit.score)

    def _known(self, source: Source | None) -> Source:
        if source is None:
            return self._source
        check_choice("Injection.score(source)", source, get_args(Source))
        return source

    def _score(self, text: str, source: Source, most: int = MOST_READINGS) -> float:
        return max((hit.score for hit in self._hits(text, source, most)), default=0.0)

    def _hits(self, text: str, source: Source, most: int) -> Iterator[Hit]:
        breathe()
        words = read(fold(text))
        breathe()
        mentions = Mentions(words.folded, is_trusted=source == "user")
        plain = [*self._read(words, text, mentions)]
        yield from plain
        if source != "user":
            yield from provenance(words)
        seen = {hit.rule: hit.score for hit in plain}
        for reading in readings(text, words.folded, most, is_writing=NOISE not in words.kinds):
            breathe()
            inner = Mentions(reading, is_trusted=source == "user", is_example=mentions.is_article)
            for hit in self._read(read(reading), reading, inner, len(words.tokens) // CHUNK):
                is_new = hit.score >= SUSPECT and hit.score > seen.get(hit.rule, 0.0) + CHANGED
                yield Hit(f"hidden: {hit.rule}", min(1.0, hit.score + HIDDEN) if is_new else hit.score)

    def _read(self, words: Words, text: str, mentions: Mentions, windows: int = 1) -> Iterator[Hit]:
        fits, hits = rules(words, mentions), salad(text, words.folded)
        breathe()
        if self._model and words.tokens.count(NOISE) <= len(words.tokens) / 2:
            names = [fit.rule for fit in fits] + [hit.rule for hit in hits]
            is_quoting = any(fit.is_quoting for fit in fits)
            score = load().score(words, names, windows, mentions, is_quoting=is_quoting)
            hits.append(Hit("model", score))
            fits = [_agreed(fit, words) if fit.needs > score else fit for fit in fits]
        yield from hits
        yield from (Hit(fit.rule, fit.score) for fit in fits)

    def _narrowed(self, text: str, first: int, last: int, score: float) -> Iterator[Span]:
        """Yield the pieces of a block that score enough alone; the block, where none does."""
        limit = self.limit()
        pieces = 0
        if last - first > NARROW:
            for start in range(first, last, NARROW // 2):
                end = min(start + NARROW, last)
                own = self._score(text[start:end], self._source)
                if own >= limit:
                    pieces += 1
                    yield Span(start, end, self.kind, own)
                if pieces == MOST_NARROWED or end == last:
                    break
        if not pieces:
            yield Span(first, last, self.kind, score)


def _agreed(fit: Fit, words: Words) -> Fit:
    """Return a rule that the model does not agree with for a text: it counts if it does for what stands around.

    That is what is near in the same line. Words that have nothing to do with an attack do not hide it so.
    """
    start, end = fit.place
    before, after = words.folded[max(0, start - AROUND) : start], words.folded[end : end + AROUND]
    around = before[before.rfind("\n") + 1 :] + words.folded[start:end] + after.partition("\n")[0]
    is_one = fit.score >= THRESHOLD and load().score(read(around), [fit.rule]) >= fit.needs
    return fit if is_one else fit._replace(score=fit.score * DOUBTED)


def _threshold(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ConfigError(f"Injection({name}) must be a number above 0 and at most 1, not {value!r}")
    return float(value)


def _blocks(length: int) -> list[tuple[int, int]]:
    """Return where the blocks of a text begin and end."""
    if length <= BLOCK:
        return [(0, length)] if length else []
    step = BLOCK - OVERLAP
    starts = [*range(0, length - BLOCK, step), length - BLOCK]
    if len(starts) > MOST_BLOCKS:
        starts = starts[: MOST_BLOCKS // 2] + starts[-MOST_BLOCKS // 2 :]
    return [(start, start + BLOCK) for start in starts]


def _plan(length: int) -> tuple[list[tuple[int, int]], int]:
    """Return the blocks of a text, and how many readings there are of each: all of few blocks, one of many."""
    blocks = _blocks(length)
    return blocks, max(1, min(MOST_READINGS, MOST_OF_ALL_READINGS // max(len(blocks), 1)))


def _add(found: list[Span], span: Span) -> None:
    """Add a span, merged with the one before where they overlap."""
    if found and span.start < found[-1].end:
        before = found.pop()
        span = Span(before.start, max(before.end, span.end), span.kind, max(before.score, span.score))
    found.append(span)

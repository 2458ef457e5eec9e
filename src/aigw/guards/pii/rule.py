"""`Rule`: what finds values of one family in an island, and `Sight`: what it gets to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from aigw.guards.pii.words import CONTEXT, Topics, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Match, Pattern

    Heads = tuple[Pattern[str], Callable[[str, int, int], int]]
    """The first digit of what is searched for; and what tells, of a text, from where on and such a place, where it may
    begin before that, or -1."""

_LONGEST: Final = 48
"""The longest value that stands near to words, such as a date, with what its pattern looks at behind it."""


class Value(NamedTuple):
    """A value that was found in a clean text: a `Span` before it is one, since most of these are never reported.

    Args:
        start: index of its first character.
        end: index behind its last character.
        kind: what it is.
        score: how sure its rule is.
    """

    start: int
    end: int
    kind: str
    score: float


class Rule(Protocol):
    """Finds values of one family. It looks at most `islands.REACH` characters ahead."""

    def __call__(self, sight: Sight) -> None:
        """Add what is found to ``sight.found``."""
        ...


@dataclass(slots=True)
class Sight:
    """An island, and what was found in it.

    Args:
        text: the clean text.
        low: where the island begins.
        high: where it ends; nothing behind is looked at.
        words: the words of the text, in which those of the island are looked up.
        is_noted: whether candidates are noted. A text is not cut inside of these: to begin there would be to look at
            something else.
        found: values.
        seen: the candidates.
    """

    text: str
    low: int
    high: int
    words: Words
    is_noted: bool = False
    found: list[Value] = field(default_factory=list)
    seen: list[tuple[int, int]] = field(default_factory=list)

    def matches(self, pattern: Pattern[str]) -> Iterator[Match[str]]:
        """Yield the candidates of a pattern."""
        found = pattern.finditer(self.text, self.low, self.high)
        return self._noted(found) if self.is_noted else found

    def _noted(self, found: Iterator[Match[str]]) -> Iterator[Match[str]]:
        for match in found:
            self.seen.append(match.span())
            yield match

    def matches_behind(
        self, topic: str, reach: int, pattern: Pattern[str], head: Heads | None = None
    ) -> Iterator[Match[str]]:
        """Return the candidates of a pattern that words of a topic stand shortly before.

        Args:
            topic: the topic.
            reach: how far before a candidate a word may begin.
            pattern: the pattern.
            head: the first digit of all its matches, and what may stand before it, if that is faster to search for.
        """
        places = self.words.behind(topic, self.low, self.high, reach)
        return self._behind(places, pattern, head) if places else iter(())

    def _behind(self, places: list[tuple[int, int]], pattern: Pattern[str], head: Heads | None) -> Iterator[Match[str]]:
        done = self.low
        for first, last in places:
            low, high = max(first, done), min(self.high, last + _LONGEST)
            found = _headed(head, pattern, self.text, low, high) if head else pattern.finditer(self.text, low, high)
            for match in found:
                if match.start() > last:
                    break
                done = match.end()
                if self.is_noted:
                    self.seen.append(match.span())
                yield match

    def topics(self, at: int, reach: int = CONTEXT) -> Topics:
        """Tell what the words before a place are about."""
        return self.words.topics(at, reach)

    def has(self, part: str) -> bool:
        """Tell whether a text stands in the island."""
        return self.text.find(part, self.low, self.high) >= 0


def _headed(heads: Heads, pattern: Pattern[str], text: str, low: int, high: int) -> Iterator[Match[str]]:
    """Yield the matches of a pattern that begin where its heads do."""
    digit, before = heads
    for beginning in digit.finditer(text, low, high):
        start = beginning.start()
        if start < low:
            continue
        head = before(text, low, start)
        match = (pattern.match(text, head, high) if head >= 0 else None) or pattern.match(text, start, high)
        if match:
            low = match.end()
            yield match

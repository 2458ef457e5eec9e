"""Gates: which islands are looked at for what. They are cheap, and the patterns behind them are not."""

# ruff: noqa: E501  (patterns)
from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.words import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from re import Match, Pattern

    from aigw.guards.pii.rule import Sight

_MANY_DIGITS: Final = re.compile(r"[0-9](?:[^0-9A-Za-z\n]{0,7}[0-9]){6}")
_FOUR_DIGITS: Final = re.compile(r"[0-9](?:[^0-9\n]{0,7}[0-9]){3}")
_INTERESTING: Final = re.compile(
    r"[0-9@:-](?:(?<=@)|(?<=:):|(?<=[0-9])(?:[^0-9\n]{1,16}[0-9]|[0-9]{5}|[A-Za-z]{13})|(?<=[A-Za-z]{2}[0-9])[0-9]{3}|(?<=[A-Za-z]{2}[ -][0-9])[0-9]{3}"
    r"|(?<=[0-9A-Fa-f]{2}[:-])[0-9A-Fa-f]{2}[:-]|(?<=[A-Za-z]{12}[0-9]))"
)
"""A single short number is none of a person's, but for one in a long word: the address of a coin may have only one digit."""
_NAMED: Final = re.compile(r"[0-9A-Za-z:](?:(?<=[0-9])[^\n]{0,12}?[0-9]|(?<=:):|[0-9A-Za-z]{24})")
"""What may be asked for the words before it."""
_SOME_DIGITS: Final = re.compile(r"[0-9][^\n]{0,12}?[0-9]")


def by_digits(sights: Iterable[Sight]) -> tuple[list[Sight], list[Sight], list[Sight], list[Sight]]:
    """Return islands that may have something, and those of them with two, four and seven digits close together."""
    chosen: list[Sight] = []
    numbers: list[Sight] = []
    longer: list[Sight] = []
    longest: list[Sight] = []
    for sight in sights:
        text, low, high = sight.text, sight.low, sight.high
        if _MANY_DIGITS.search(text, low, high):  # each of these has what the next ones ask for
            longest.append(sight)
            longer.append(sight)
            numbers.append(sight)
        elif not _INTERESTING.search(text, low, high):
            continue
        elif _SOME_DIGITS.search(text, low, high):
            numbers.append(sight)
            if _FOUR_DIGITS.search(text, low, high):
                longer.append(sight)
        chosen.append(sight)
    return chosen, numbers, longer, longest


class Stretch:
    """Islands that stand close together. To search through all of them at once is faster than one by one.

    Args:
        first: the first of them.
    """

    __slots__ = ("highs", "low", "sights", "text")

    def __init__(self, first: Sight) -> None:
        self.text = first.text
        self.low = first.low
        self.sights = [first]
        self.highs = [first.high]

    def add(self, sight: Sight) -> None:
        """Add the next island."""
        self.sights.append(sight)
        self.highs.append(sight.high)

    def look_up(self) -> None:
        """Look up the words of the islands, if anything in them may be asked for the words before it."""
        if _NAMED.search(self.text, self.low, self.highs[-1]):
            self.sights[0].words.look(self.low, self.highs[-1])

    def matches(self, pattern: Pattern[str]) -> Iterator[tuple[Sight, Match[str]]]:
        """Yield the matches of a pattern with their islands; of a pattern that sees no more than two characters ahead.

        They are candidates: see `Sight.matches`.
        """
        sights, highs = self.sights, self.highs
        is_noted = sights[0].is_noted
        for match in pattern.finditer(self.text, self.low, highs[-1]):
            sight = sights[bisect_right(highs, match.start())]
            if match.start() >= sight.low:
                if is_noted:
                    sight.seen.append(match.span())
                yield sight, match

    def holding(self, pattern: Pattern[str]) -> Iterator[Sight]:
        """Yield the islands that a pattern matches in: nothing that matters crosses the end of one."""
        done = self.low
        for match in pattern.finditer(self.text, done, self.highs[-1]):
            at = match.start()
            if at >= done:
                place = bisect_right(self.highs, at)
                if at >= self.sights[place].low:
                    yield self.sights[place]
                    done = self.highs[place]


def stretches(sights: Iterable[Sight]) -> list[Stretch]:
    """Return islands in stretches."""
    found: list[Stretch] = []
    for sight in sights:
        if found and sight.low <= found[-1].highs[-1] + CONTEXT:
            found[-1].add(sight)
        else:
            found.append(Stretch(sight))
    return found


def near(sights: Sequence[Sight], *topics: str) -> Iterator[Sight]:
    """Yield the islands in which something may stand shortly behind words of topics: few words have these topics."""
    if not sights:
        return
    highs = [sight.high for sight in sights]
    place = 0
    for end, start in sights[0].words.places(topics):
        place = bisect_left(highs, end, place)
        while place < len(sights) and sights[place].low <= start + CONTEXT:
            yield sights[place]
            place += 1

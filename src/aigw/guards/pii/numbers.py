"""Numbers in groups: the runs of digits that cards, phones and national numbers are read from."""

from __future__ import annotations

import re
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.checksums import luhn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.guards.pii.rule import Sight
    from aigw.guards.pii.words import Topics

    Shapes = Mapping[tuple[int, ...], int]

_BETWEEN: Final = r"(?=[-./() ])[ ]{0,2}[-./()]{0,3}[ ]{0,2}"
# What must not stand before it is looked at behind its first character: a pattern that begins with a class is searched
# many times faster than one that begins with a look behind.
_RUN: Final = re.compile(
    r"[+(0-9](?<![A-Za-z0-9_].)(?<![0-9][.,:].)(?:(?<=\+) ?\(?[0-9]|(?<=\()\+?[0-9]|(?<=[0-9]))[0-9]{0,23}(?![0-9])"
    rf"(?:{_BETWEEN}[0-9]{{1,24}}(?![0-9])){{0,11}}(?![A-WYZa-wyz_])"
)
_DIGITS: Final = re.compile(r"([0-9]+)")
_LEAST_DIGITS: Final = 7
"""Less is no number of a person."""
MOST_DIGITS: Final = 19
MOST_GROUPS: Final = 8
_MOST_OF_A_SHAPE: Final = 5
"""In more groups no country writes telephone numbers."""
_LONGEST_GAP: Final = 3
_OF_A_CARD: Final = range(3, 7)

CARD: Final = 1
NATIONAL: Final = 2
PHONE: Final = 4
STRONG: Final = 8
"""A national number in a shape that needs no words which name it."""
_RULES: Final = CARD | NATIONAL | PHONE
_ELSEWHERE: Final = frozenset(
    {"phone", "card", "birth", "version", "ip", "mac", "wallet", "other", "passport", "licence"}
)
"""Topics that name no national number of digits."""
_LEAST_OF_A_CARD: Final = 12
_MOST_OF_A_PHONE: Final = 15
"""E.164."""


def shapes(known: Mapping[int, Iterable[tuple[int, ...]]]) -> Shapes:
    """Return which kinds of numbers have a shape, by the lengths of its groups; none for how the longer ones begin.

    Args:
        known: the shapes of `CARD`, `NATIONAL`, `STRONG` and `PHONE`.
    """
    found: dict[tuple[int, ...], int] = {}
    for kind, lengths in known.items():
        for shape in lengths:
            found[shape] = found.get(shape, 0) | kind
            found.setdefault(shape[:2], 0)
    return MappingProxyType(found)


class Run:
    """Groups of digits, one behind the other. Only what every run is asked for is worked out at once.

    Args:
        text: the text.
        start: where it begins, with a plus or bracket before it.
        pieces: what stands before and between the groups, and they, in turn.
        high: where the island ends.
        topics: what the words before it are about.
        has_bracket: whether a bracket opens in it or right before it.
    """

    __slots__ = (
        "_pieces",
        "_places",
        "gaps",
        "has_bracket",
        "high",
        "is_card",
        "is_other",
        "is_wanted",
        "lengths",
        "parts",
        "start",
        "text",
        "topics",
    )  # fmt: skip

    def __init__(
        self, text: str, start: int, pieces: list[str], high: int, topics: Topics, *, has_bracket: bool
    ) -> None:
        self.text = text
        self.start = start
        self.high = high
        self.topics = topics
        self.is_wanted = self.is_other = self.is_card = False
        """Whether the words before it say that it is a telephone number; that it is a number of something else, and no
        telephone number; whether they name cards."""
        if topics:
            self.is_wanted = topics.about("phone")
            self.is_other = not self.is_wanted and topics.get("other") == 0
            self.is_card = "card" in topics
        self.parts = pieces[1::2]
        """The groups."""
        self.gaps = pieces[2:-1:2]
        """What stands between them."""
        self.lengths = tuple(map(len, self.parts))
        """How long they are."""
        self.has_bracket = has_bracket
        """Whether a bracket opens in it, or right before it."""
        self._pieces = pieces
        self._places: list[tuple[int, int]] | None = None

    @property
    def groups(self) -> list[tuple[int, int]]:
        """Where the groups begin and end."""
        if self._places is None:
            places = list(accumulate(map(len, self._pieces), initial=self.start))
            self._places = list(zip(places[1::2], places[2::2], strict=False))
        return self._places

    @property
    def head(self) -> str:
        """What stands before the first group: a plus, a bracket."""
        return self._pieces[0]

    def _follows_bracket(self, first: int) -> bool:
        """Tell whether a bracket opens right before a group."""
        if first:
            return self.gaps[first - 1][-1] == "("
        return self.text.endswith("(", 0, self.start + len(self.head))

    def windows(self, first: int, known: Shapes) -> list[Window]:
        """Return the groups that may be one number: whole between spaces, the longest first.

        Most of them are in no shape that anybody writes a number in, and are left out by the lengths of their groups,
        or have none of the marks that the rule for their shape asks for.

        Args:
            first: the first group.
            known: shapes that numbers have, from `shapes`.
        """
        gaps, lengths = self.gaps, self.lengths
        count = len(lengths)
        is_bracketed = self.has_bracket and self._follows_bracket(first)
        always, free = 0, first
        if is_bracketed or self.parts[first][0] == "0":
            always, free = PHONE, first + _MOST_OF_A_SHAPE
        elif lengths[first : first + 2] not in known and not self.is_wanted and not self.is_card:
            count = first + 1 if lengths[first] >= _LEAST_DIGITS else first
        if self.is_wanted:
            always, free = PHONE, max(free, self._even(first) + 1)
        if self.is_card:
            free = max(free, self._card(first) + 1)
        found: list[Window] = []
        end = min(count, first + MOST_GROUPS)
        digits = sum(lengths[first:end])
        while digits >= _LEAST_DIGITS:
            if digits <= MOST_DIGITS and (end == len(lengths) or " " in gaps[end - 1]):
                kinds = known.get(lengths[first:end], 0)
                if end <= free:
                    kinds |= always | CARD if self.is_card and end - first > 1 else always
                elif kinds:
                    kinds |= always
                if kinds and (kinds := self._left(kinds, first, end, digits)):
                    found.append(Window(self, first, end - 1, kinds, is_bracketed=is_bracketed))
            end -= 1
            digits -= lengths[end]
        return found

    def _left(self, kinds: int, first: int, end: int, count: int) -> int:
        """Return which kinds of numbers some groups can be by their digits, without a look at separators."""
        if kinds & PHONE and (self.is_other or count > _MOST_OF_A_PHONE):
            kinds &= ~PHONE
        if kinds & NATIONAL and not (kinds & STRONG or (self.topics and not self.topics.keys() <= _ELSEWHERE)):
            kinds &= ~NATIONAL
        if kinds & CARD:
            if count < _LEAST_OF_A_CARD:
                return kinds & ~CARD & _RULES
            digits = self.digits(first, end)
            if (digits[0] == "0" and not digits.startswith("0604")) or not luhn(digits):
                kinds &= ~CARD  # nine in ten numbers end at their check digit
        return kinds & _RULES

    def digits(self, first: int, end: int) -> str:
        """Return the digits of the groups from one to before another, without what stands between them."""
        return self.parts[first] if end - first == 1 else "".join(self.parts[first:end])

    def _even(self, first: int) -> int:
        """Return how far separators are the same, but for the first; also where no shape of a country is longer."""
        gaps = self.gaps
        head = second = ""
        for last in range(first + 1, min(len(self.lengths), first + MOST_GROUPS)):
            gap = gaps[last - 1]
            if len(gap) > _LONGEST_GAP:
                return last - 1
            kind = gap.strip(" ()")
            if last == first + 1:
                head = second = kind
            elif last == first + 2:
                second = kind
            if kind != second or (second != head and head not in {"", "/"}):
                return max(last - 1, first + _MOST_OF_A_SHAPE - 1)
        return first + MOST_GROUPS

    def _card(self, first: int) -> int:
        """Return the last group of a card in a shape of its own: the last may be short."""
        last = first
        while last + 1 < len(self.lengths) and self.lengths[last] in _OF_A_CARD:
            last += 1
        return last


class Window:
    """Some groups of a run, read as one number.

    Args:
        run: the run.
        first: its first group.
        last: its last group.
        kinds: which of `CARD`, `NATIONAL` and `PHONE` it may be. The check digit of a card is right.
        is_bracketed: whether a bracket opens right before it.
    """

    __slots__ = ("digits", "first", "is_bracketed", "kinds", "last", "lengths", "run")

    def __init__(self, run: Run, first: int, last: int, kinds: int, *, is_bracketed: bool) -> None:
        self.run = run
        self.first = first
        self.last = last
        self.kinds = kinds
        self.is_bracketed = is_bracketed
        self.digits = run.digits(first, last + 1)
        """All digits."""
        self.lengths = run.lengths[first : last + 1]
        """How long the groups are."""

    @property
    def start(self) -> int:
        """Where its first digit stands."""
        return self.run.groups[self.first][0]

    @property
    def end(self) -> int:
        """Where its last digit ends."""
        return self.run.groups[self.last][1]

    @property
    def gaps(self) -> list[str]:
        """What stands between the groups."""
        return self.run.gaps[self.first : self.last]


def runs(sight: Sight) -> Iterator[Run]:
    """Yield the runs of digits of an island that are long enough to be the number of a person."""
    text = sight.text
    for match in sight.matches(_RUN):
        written = match[0]
        if len(written) < _LEAST_DIGITS:
            continue
        pieces = _DIGITS.split(written)
        if len("".join(pieces[1::2])) >= _LEAST_DIGITS:
            start = match.start()
            has_bracket = "(" in written or text.endswith("(", 0, start)
            yield Run(text, start, pieces, sight.high, sight.topics(start), has_bracket=has_bracket)

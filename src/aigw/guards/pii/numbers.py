"""Numbers in groups: the runs of digits that cards, phones and national numbers are read from."""

from __future__ import annotations

import re
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.guards.pii.rule import Sight
    from aigw.guards.pii.words import Topics

    Node = Mapping[int, "Node"]

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

_END: Final = 0
_NONE: Final = MappingProxyType[int, "Node"]({})


def shapes(lengths: Iterable[tuple[int, ...]]) -> Node:
    """Return a tree of lengths of groups, in order, with `_END` where a shape may end."""
    root: dict[int, Any] = {}
    for shape in lengths:
        node = root
        for length in shape:
            node = node.setdefault(length, {})
        node[_END] = {}
    return root


class Run:
    """Groups of digits, one behind the other. Only what every run is asked for is worked out at once.

    Args:
        text: the text.
        start: where it begins, with a plus or bracket before it.
        pieces: what stands before and between the groups, and they, in turn.
        high: where the island ends.
        topics: what the words before it are about.
    """

    __slots__ = ("_pieces", "_places", "gaps", "high", "is_wanted", "lengths", "parts", "start", "text", "topics")

    def __init__(self, text: str, start: int, pieces: list[str], high: int, topics: Topics) -> None:
        self.text = text
        self.start = start
        self.high = high
        self.topics = topics
        self.is_wanted = bool(topics) and topics.about("phone")
        """Whether the words before it say that it is a telephone number."""
        self.parts = pieces[1::2]
        """The groups."""
        self.gaps = pieces[2:-1:2]
        """What stands between them."""
        self.lengths = tuple(map(len, self.parts))
        """How long they are."""
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

    def follows_bracket(self, first: int) -> bool:
        """Tell whether a bracket opens right before a group."""
        if first:
            return self.gaps[first - 1][-1] == "("
        return self.text[self.start + len(self.head) - 1] == "("

    def windows(self, first: int, known: Node) -> list[Window]:
        """Return the groups that may be one number: whole between spaces, the longest first.

        Most of them are in no shape that anybody writes a number in, and are left out by the lengths of their groups.

        Args:
            first: the first group.
            known: shapes that numbers have, from `shapes`.
        """
        gaps, lengths = self.gaps, self.lengths
        free = self._free(first)
        found: list[Window] = []
        digits, node, count = 0, known, len(lengths)
        for last in range(first, min(count, first + MOST_GROUPS)):
            length = lengths[last]
            digits += length
            node = node.get(length, _NONE)
            if digits > MOST_DIGITS or (last > free and not node):
                break
            if digits >= _LEAST_DIGITS and (last <= free or _END in node) and (last + 1 == count or " " in gaps[last]):
                whole = "".join(self.parts[first : last + 1]) if last > first else self.parts[first]
                found.append(Window(self, first, last, whole, lengths[first : last + 1]))
        if len(found) > 1:
            found.reverse()
        return found

    def _free(self, first: int) -> int:
        """Return the last group of numbers that begin at a group and may have any shape."""
        free = first - 1
        if self.parts[first][0] == "0" or self.follows_bracket(first):
            free = first + _MOST_OF_A_SHAPE - 1
        if self.topics:
            if self.is_wanted:
                free = max(free, self._even(first))
            if "card" in self.topics:
                free = max(free, self._card(first))
        return free

    def _even(self, first: int) -> int:
        """Return how far separators are the same, but for the first; also where no shape of a country is longer."""
        gaps = self.gaps
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
        digits: all digits.
        lengths: how long the groups are.
    """

    __slots__ = ("digits", "first", "last", "lengths", "run")

    def __init__(self, run: Run, first: int, last: int, digits: str, lengths: tuple[int, ...]) -> None:
        self.run = run
        self.first = first
        self.last = last
        self.digits = digits
        self.lengths = lengths

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
    for match in sight.matches(_RUN):
        written = match[0]
        if len(written) < _LEAST_DIGITS:
            continue
        pieces = _DIGITS.split(written)
        if len(written) - len("".join(pieces[::2])) >= _LEAST_DIGITS:
            start = match.start()
            yield Run(sight.text, start, pieces, sight.high, sight.topics(start))

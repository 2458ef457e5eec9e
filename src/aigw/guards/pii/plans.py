"""Plans: how runs of digits of one shape can be read as numbers of a person, whatever their digits are."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.words import CARD_NAMED, OTHER_NAMED, PHONE_NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Frames = tuple["Frame", ...]

_GROUP: Final = re.compile("9+")
SINGLE: Final = frozenset("-./ ")
"""What stands alone between groups."""
LEAST_DIGITS: Final = 7
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
_RULES: Final = CARD | NATIONAL | PHONE
_LEAST_OF_A_CARD: Final = 12
_MOST_OF_A_PHONE: Final = 15
"""E.164."""


class Shapes:
    """The shapes that numbers are written in.

    Args:
        lengths: how long the groups of cards, national and telephone numbers are.
        national: the shapes of national numbers with their separators: whether one has it that needs no words which
            name it, and the bits of `words` that name others.
        with_zero: tells whether a telephone number that begins with a zero has a shape, with nines for all digits.
    """

    def __init__(
        self,
        lengths: Mapping[int, Iterable[tuple[int, ...]]],
        national: Mapping[str, tuple[bool, int]],
        with_zero: Callable[[str], bool],
    ) -> None:
        found: dict[tuple[int, ...], int] = {}
        for kind, shapes in lengths.items():
            for shape in shapes:
                found[shape] = found.get(shape, 0) | kind
                found.setdefault(shape[:2], 0)
        self.lengths = MappingProxyType(found)
        """Which kinds of numbers have groups of some lengths; none for how the longer ones begin."""
        self.national = MappingProxyType(dict(national))
        self.with_zero = with_zero


class Plan:
    """How runs of one shape can be read, whatever their digits are.

    Args:
        shape: the run, with nines for all digits.
        named: what the words before it say, as bits of `words`.
        follows_bracket: whether a bracket opens right before it.
        known: the shapes that numbers have.
    """

    __slots__ = ("_named", "digits", "gaps", "groups", "has_plus", "is_long", "lengths", "starts")

    def __init__(self, shape: str, named: int, known: Shapes, *, follows_bracket: bool) -> None:
        self.groups = tuple(match.span() for match in _GROUP.finditer(shape))
        """Where its groups begin and end."""
        ends = [end for _, end in self.groups]
        begins = [begin for begin, _ in self.groups]
        self.gaps = tuple(map(shape.__getitem__, map(slice, ends, begins[1:])))
        """What stands between the groups."""
        self.lengths = tuple(end - begin for begin, end in self.groups)
        """How long they are."""
        self.has_plus = "+" in shape[: begins[0]]
        self.digits = [0]
        """How many digits stand before each group, and at last in all."""
        for length in self.lengths:
            self.digits.append(self.digits[-1] + length)
        self._named = named
        self.is_long = self.digits[-1] >= LEAST_DIGITS
        """Whether there are as many digits as the number of a person has."""
        self.starts: tuple[tuple[int, tuple[Frames, Frames]], ...] = ()
        """The groups that a number may begin with, and the windows behind them: without a zero first, and with one."""
        if self.is_long:
            is_bracketed = shape[: begins[0]].endswith("(") if begins[0] else follows_bracket
            self.starts = tuple(self._starts(known, is_bracketed=is_bracketed))

    def _starts(self, known: Shapes, *, is_bracketed: bool) -> Iterator[tuple[int, tuple[Frames, Frames]]]:
        for first in range(len(self.lengths)):
            if first:
                if " " not in self.gaps[first - 1]:
                    continue
                is_bracketed = self.gaps[first - 1][-1] == "("
            with_zero = self._frames(first, known, is_loose=True, is_bracketed=is_bracketed)
            without = with_zero if is_bracketed else self._frames(first, known, is_loose=False, is_bracketed=False)
            if with_zero or without:
                yield first, (without, with_zero)

    def _frames(self, first: int, known: Shapes, *, is_loose: bool, is_bracketed: bool) -> Frames:
        """Return the groups that may be one number: whole between spaces, the longest first.

        Most of them are in no shape that anybody writes a number in.

        Args:
            first: the first group.
            known: the shapes that numbers have.
            is_loose: whether it begins with a zero or behind a bracket, as telephone numbers do in many shapes.
            is_bracketed: whether it begins behind a bracket.
        """
        gaps, lengths = self.gaps, self.lengths
        is_zero = is_loose and not is_bracketed and not self._named & PHONE_NAMED
        has_card = self._named & CARD_NAMED != 0
        count, always, free = self._freedom(first, known, is_loose=is_loose)
        found: list[Frame] = []
        end = min(count, first + MOST_GROUPS)
        digits = self.digits[end] - self.digits[first]
        while digits >= LEAST_DIGITS:
            if digits <= MOST_DIGITS and (end == len(lengths) or " " in gaps[end - 1]):
                kinds = known.lengths.get(lengths[first:end], 0)
                if kinds or end <= free:
                    kinds |= always | CARD if has_card and first + 1 < end <= free else always
                shape = self._shape(first, end) if kinds & NATIONAL else ""
                kinds = self._left(kinds, digits, *known.national.get(shape, (False, 0)))
                if kinds & PHONE and is_zero and not self._is_phone(first, end, known):
                    kinds &= ~PHONE
                if kinds:
                    found.append(
                        Frame(end, kinds, shape, lengths[first:end], gaps[first : end - 1], is_bracketed=is_bracketed)
                    )
            end -= 1
            digits -= lengths[end]
        return tuple(found)

    def _freedom(self, first: int, known: Shapes, *, is_loose: bool) -> tuple[int, int, int]:
        """Return how many groups are looked at, which kinds they can be in any shape, and up to which group."""
        always, free, count = 0, first, len(self.lengths)
        if is_loose:
            always, free = PHONE, first + _MOST_OF_A_SHAPE
        elif self.lengths[first : first + 2] not in known.lengths and not self._named & (PHONE_NAMED | CARD_NAMED):
            count = first + 1 if self.lengths[first] >= LEAST_DIGITS else first
        if self._named & PHONE_NAMED:
            always, free = PHONE, max(free, self._even(first) + 1)
        if self._named & CARD_NAMED:
            free = max(free, self._card(first) + 1)
        return count, always, free

    def _shape(self, first: int, end: int) -> str:
        """Return the lengths of some groups with the separators between them, such as ``3-2-4``."""
        gaps = [gap.strip() or gap[:1] for gap in self.gaps[first : end - 1]]
        pairs = zip(map(str, self.lengths[first:end]), [*gaps, ""], strict=True)
        return "".join([part for pair in pairs for part in pair])

    def _is_phone(self, first: int, end: int, known: Shapes) -> bool:
        """Tell whether groups of which the first begins with a zero can be a telephone number without words."""
        lengths = self.lengths[first:end]
        if known.lengths.get(lengths, 0) & PHONE:
            return True
        return known.with_zero("-".join(["9" * length for length in lengths]))

    def _left(self, kinds: int, count: int, is_strong: bool, names: int) -> int:  # noqa: FBT001  (from a table)
        """Return which kinds of numbers some groups can be by how many digits they have, and by what words say."""
        if kinds & PHONE and (self._named & OTHER_NAMED or count > _MOST_OF_A_PHONE):
            kinds &= ~PHONE
        if kinds & NATIONAL and not (is_strong or names & self._named):
            kinds &= ~NATIONAL
        if kinds & CARD and count < _LEAST_OF_A_CARD:
            kinds &= ~CARD
        return kinds & _RULES

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


class Frame:
    """Some groups of a plan that may be one number.

    Args:
        end: the group behind its last one.
        kinds: which of `CARD`, `NATIONAL` and `PHONE` it may be.
        shape: the lengths of the groups with the separators between them, if it may be a national number.
        lengths: how long the groups are.
        gaps: what stands between them.
        is_bracketed: whether a bracket opens right before it.
    """

    __slots__ = ("_style", "end", "gaps", "is_bracketed", "kinds", "lengths", "shape")

    def __init__(
        self, end: int, kinds: int, shape: str, lengths: tuple[int, ...], gaps: tuple[str, ...], *, is_bracketed: bool
    ) -> None:
        self.end = end
        self.kinds = kinds
        self.shape = shape
        self.lengths = lengths
        self.gaps = gaps
        self.is_bracketed = is_bracketed
        self._style: Style | None = None

    @property
    def style(self) -> Style:
        """How it is written; it is looked at once for all runs of a shape."""
        if self._style is None:
            self._style = Style(self.lengths, self.gaps)
        return self._style


class Style:
    """How groups are written.

    Args:
        lengths: how long they are.
        gaps: what stands between them.
    """

    __slots__ = (
        "has_one_mark",
        "is_date",
        "is_dotted",
        "is_even",
        "is_plain",
        "is_postal",
        "is_range",
        "is_row",
        "is_wide",
        "marks",
    )

    def __init__(self, lengths: tuple[int, ...], gaps: tuple[str, ...]) -> None:
        marks = [gap.strip(" ()") for gap in gaps]
        self.marks = frozenset(marks)
        """What stands between the groups, without spaces and brackets."""
        self.has_one_mark = len(self.marks - {""}) < 2  # noqa: PLR2004  (one, or none)
        """Whether it is the same everywhere, but for spaces."""
        opened = [place for place, gap in enumerate(gaps, 1) if "(" in gap]
        self.is_wide = any(len(gap) > _LONGEST_GAP for gap in gaps)
        self.is_wide = self.is_wide or any(")" not in "".join(gaps[at : at + 1]) for at in opened)
        """Whether the groups stand far from each other, or a bracket does not close."""
        self.is_dotted = gaps == (".",)
        """Whether it is rather a fraction."""
        self.is_plain = all(gap in SINGLE for gap in gaps)
        """Whether one character stands in each gap."""
        self.is_date = len(lengths) > 2 and lengths[1] < 3 and sorted(lengths[:3])[2] == 4  # noqa: PLR2004  (a year)
        """Whether it may be, or begin with, a date."""
        self.is_postal = gaps == ("-",) and lengths in {(5, 4), (5, 3)}
        """Whether it looks like a postal code of the United States or Brazil."""
        self.is_range = gaps == ("-",) and len(set(lengths)) == 1
        """Whether it may be pages from one to another."""
        self.is_row = len(lengths) > 3 and len(set(lengths)) == 1  # noqa: PLR2004  (short rows happen)
        """Whether it may be a row such as 01 02 03 04 05."""
        if "/" in marks[:2]:
            marks.remove("/")  # behind a code, which may be behind another prefix
        self.is_even = len(set(marks)) < 2 or (marks[0] in {"", "-"} and len(set(marks[1:])) < 2)  # noqa: PLR2004
        """Whether the same stands between all groups, but for the first; and no two numbers may be meant."""
        self.is_even = self.is_even and all(length < LEAST_DIGITS for length in lengths[:-1])

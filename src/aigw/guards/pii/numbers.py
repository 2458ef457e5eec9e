"""Numbers in groups: the runs of digits that cards, phones and national numbers are read from."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.checksums import luhn
from aigw.guards.pii.words import CARD_NAMED, OTHER_NAMED, PHONE_NAMED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from aigw.guards.pii.rule import Sight
    from aigw.guards.pii.words import Topics

    Windows = tuple[tuple[int, int, str], ...]
    """Behind which groups windows end, which kinds of numbers they can be, and the shapes of their groups."""

_BETWEEN: Final = r"(?=[-./() ])[ ]{0,2}[-./()]{0,3}[ ]{0,2}"
# What must not stand before it is looked at behind its first character: a pattern that begins with a class is searched
# many times faster than one that begins with a look behind.
_RUN: Final = re.compile(
    r"[+(0-9](?<![A-Za-z0-9].)(?<![A-Za-z0-9_]_.)(?<![0-9][.:].)(?<![0-9],[0-9](?![0-9]{3}|[0-9]{2}-))"
    r"(?:(?<=\+) ?\(?[0-9]|(?<=\()\+?[0-9]|(?<=[0-9]))[0-9]{0,23}(?![0-9])"
    rf"(?:{_BETWEEN}[0-9]{{1,24}}(?![0-9])){{0,11}}(?![A-WYZa-wyz]|_[A-Za-z0-9_])"
)
_NINES: Final = bytes(ord("9") if chr(code).isdigit() and code < 0x80 else code for code in range(256))  # noqa: PLR2004  (ASCII)
_GROUP: Final = re.compile("9+")
_SEPARATORS: Final = b"+-./() "
_ABROAD: Final = (b"00", b"011")
"""What is dialled for another country, where a plus is not written."""
_LEAST_DIGITS: Final = 7
"""Less is no number of a person."""
MOST_DIGITS: Final = 19
MOST_GROUPS: Final = 8
_MOST_OF_A_SHAPE: Final = 5
"""In more groups no country writes telephone numbers."""
_LONGEST_GAP: Final = 3
_OF_A_CARD: Final = range(3, 7)
_REMEMBERED: Final = 2048
"""Plans that are kept: people write numbers in few ways, and programs each in one."""

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

    __slots__ = ("_named", "digits", "gaps", "groups", "has_plus", "lengths", "starts")

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
        self.starts: tuple[tuple[int, tuple[Windows, Windows]], ...] = ()
        """The groups that a number may begin with, and the windows behind them: without a zero first, and with one."""
        if self.is_long:
            is_bracketed = shape[: begins[0]].endswith("(") if begins[0] else follows_bracket
            self.starts = tuple(self._starts(known, is_bracketed=is_bracketed))

    @property
    def is_long(self) -> bool:
        """Whether there are as many digits as the number of a person has."""
        return self.digits[-1] >= _LEAST_DIGITS

    def _starts(self, known: Shapes, *, is_bracketed: bool) -> Iterator[tuple[int, tuple[Windows, Windows]]]:
        for first in range(len(self.lengths)):
            if first:
                if " " not in self.gaps[first - 1]:
                    continue
                is_bracketed = self.gaps[first - 1][-1] == "("
            with_zero = self._windows(first, known, is_loose=True, is_zero=not is_bracketed)
            without = with_zero if is_bracketed else self._windows(first, known, is_loose=False, is_zero=False)
            if with_zero or without:
                yield first, (without, with_zero)

    def _windows(self, first: int, known: Shapes, *, is_loose: bool, is_zero: bool) -> Windows:
        """Return the groups that may be one number: whole between spaces, the longest first.

        Most of them are in no shape that anybody writes a number in.

        Args:
            first: the first group.
            known: the shapes that numbers have.
            is_loose: whether it begins with a zero or behind a bracket, as telephone numbers do in many shapes.
            is_zero: whether it begins with a zero, and behind no bracket.
        """
        gaps, lengths = self.gaps, self.lengths
        is_zero = is_zero and not self._named & PHONE_NAMED
        has_card = self._named & CARD_NAMED != 0
        count, always, free = self._freedom(first, known, is_loose=is_loose)
        found: list[tuple[int, int, str]] = []
        end = min(count, first + MOST_GROUPS)
        digits = self.digits[end] - self.digits[first]
        while digits >= _LEAST_DIGITS:
            if digits <= MOST_DIGITS and (end == len(lengths) or " " in gaps[end - 1]):
                kinds = known.lengths.get(lengths[first:end], 0)
                if kinds or end <= free:
                    kinds |= always | CARD if has_card and first + 1 < end <= free else always
                shape = self._shape(first, end) if kinds & NATIONAL else ""
                kinds = self._left(kinds, digits, *known.national.get(shape, (False, 0)))
                if kinds & PHONE and is_zero and not self._is_phone(first, end, known):
                    kinds &= ~PHONE
                if kinds:
                    found.append((end, kinds, shape))
            end -= 1
            digits -= lengths[end]
        return tuple(found)

    def _freedom(self, first: int, known: Shapes, *, is_loose: bool) -> tuple[int, int, int]:
        """Return how many groups are looked at, which kinds they can be in any shape, and up to which group."""
        always, free, count = 0, first, len(self.lengths)
        if is_loose:
            always, free = PHONE, first + _MOST_OF_A_SHAPE
        elif self.lengths[first : first + 2] not in known.lengths and not self._named & (PHONE_NAMED | CARD_NAMED):
            count = first + 1 if self.lengths[first] >= _LEAST_DIGITS else first
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


class Run:
    """Groups of digits, one behind the other.

    Args:
        sight: where it stands.
        start: where it begins, with a plus or bracket before it.
        raw: its characters.
        named: what the words before it say, as bits of `words`.
        plan: how it can be read.
        is_abroad: whether a plus stands before it, or what is dialled for another country.
    """

    __slots__ = ("_sight", "_topics", "digits", "high", "is_abroad", "named", "plan", "start", "text", "written")

    def __init__(self, sight: Sight, start: int, raw: bytes, named: int, plan: Plan, *, is_abroad: bool) -> None:
        self.text = sight.text
        self.start = start
        self.high = sight.high
        self.plan = plan
        self.written = raw.decode("ascii")
        """It, as it is written."""
        self.digits = raw.translate(None, _SEPARATORS).decode("ascii")
        """All of its digits."""
        self.is_abroad = is_abroad
        self._sight = sight
        self.named = named
        """What the words before it say, in short."""
        self._topics: Topics | None = None

    @property
    def topics(self) -> Topics:
        """What the words before it are about."""
        if self._topics is None:
            self._topics = self._sight.topics(self.start)
        return self._topics

    @property
    def is_wanted(self) -> bool:
        """Whether the words before it say that it is a telephone number."""
        return self.named & PHONE_NAMED != 0

    @property
    def has_bracket(self) -> bool:
        """Whether a bracket opens in it, or right before it."""
        return "(" in self.written or self.text.endswith("(", 0, self.start)

    @property
    def head(self) -> str:
        """What stands before the first group: a plus, a bracket."""
        return self.written[: self.plan.groups[0][0]]

    def part(self, place: int) -> str:
        """Return a group."""
        begin, end = self.plan.groups[place]
        return self.written[begin:end]

    def parts(self, first: int, end: int) -> list[str]:
        """Return the groups from one to before another."""
        return [self.written[low:high] for low, high in self.plan.groups[first:end]]

    def place(self, group: int) -> tuple[int, int]:
        """Return where a group begins and ends in the text."""
        begin, end = self.plan.groups[group]
        return self.start + begin, self.start + end

    def windows(self, first: int, windows: tuple[Windows, Windows]) -> Iterator[Window]:
        """Yield the windows behind a group that their digits leave: nine in ten cards end at their check digit.

        Args:
            first: the group.
            windows: those of its shape, without a zero first, and with one.
        """
        places, all_ = self.plan.digits, self.digits
        begin = places[first]
        for end, fitting, shape in windows[all_[begin] == "0"]:
            digits = all_[begin : places[end]]
            kinds = fitting
            if kinds & CARD and ((digits[0] == "0" and not digits.startswith("0604")) or not luhn(digits)):
                kinds &= ~CARD
            if kinds:
                yield Window(self, first, end - 1, kinds, digits, shape)


class Window:
    """Some groups of a run, read as one number.

    Args:
        run: the run.
        first: its first group.
        last: its last group.
        kinds: which of `CARD`, `NATIONAL` and `PHONE` it may be. The check digit of a card is right.
        digits: all digits.
        shape: the lengths of the groups with the separators between them, if it may be a national number.
    """

    __slots__ = ("digits", "first", "kinds", "last", "lengths", "run", "shape")

    def __init__(self, run: Run, first: int, last: int, kinds: int, digits: str, shape: str) -> None:  # noqa: PLR0917  (made in one place)
        self.run = run
        self.first = first
        self.last = last
        self.kinds = kinds
        self.digits = digits
        self.shape = shape
        self.lengths = run.plan.lengths[first : last + 1]
        """How long the groups are."""

    @property
    def start(self) -> int:
        """Where its first digit stands."""
        return self.run.start + self.run.plan.groups[self.first][0]

    @property
    def end(self) -> int:
        """Where its last digit ends."""
        return self.run.start + self.run.plan.groups[self.last][1]

    @property
    def is_bracketed(self) -> bool:
        """Whether a bracket opens right before it."""
        return self.run.text.endswith("(", 0, self.start)

    @property
    def is_part(self) -> bool:
        """Whether it rather is a part of a longer number: a group next to it is as long as its own there."""
        lengths, gaps, last = self.run.plan.lengths, self.run.plan.gaps, self.last
        if self.first and lengths[self.first - 1] == self.lengths[0]:
            return True
        is_last = last == self.first or last + 1 == len(lengths)
        return not is_last and lengths[last + 1] == lengths[last] and gaps[last] == gaps[last - 1]

    @property
    def gaps(self) -> tuple[str, ...]:
        """What stands between the groups."""
        return self.run.plan.gaps[self.first : self.last]


class Runs:
    """Finds runs of digits that can be the number of a person, with a plan for each.

    Args:
        known: the shapes that numbers have.
    """

    def __init__(self, known: Shapes) -> None:
        def plan(shape: bytes, named: int, follows_bracket: bool) -> Plan:  # noqa: FBT001  (as a cache takes them)
            return Plan(shape.decode("ascii"), named, known, follows_bracket=follows_bracket)

        self._plan = lru_cache(_REMEMBERED)(plan)

    def __call__(self, sight: Sight) -> Iterator[Run]:
        """Yield the runs of an island."""
        text, plans = sight.text, self._plan
        for match in sight.matches(_RUN):
            raw = match[0].encode("ascii")
            if len(raw) < _LEAST_DIGITS:
                continue
            start = match.start()
            named = sight.named(start)
            plan = plans(raw.translate(_NINES), named, text[start - 1 : start] == "(")
            is_abroad = plan.is_long and (plan.has_plus or raw.startswith(_ABROAD, plan.groups[0][0]))
            if plan.starts or is_abroad:
                yield Run(sight, start, raw, named, plan, is_abroad=is_abroad)

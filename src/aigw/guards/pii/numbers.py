"""Numbers in groups: the runs of digits that cards, phones and national numbers are read from."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.checksums import luhn
from aigw.guards.pii.plans import CARD, LEAST_DIGITS, SINGLE, Plan
from aigw.guards.pii.words import OTHER_NAMED, PHONE_NAMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.pii.plans import Frame, Frames, Shapes
    from aigw.guards.pii.rule import Sight
    from aigw.guards.pii.words import Topics

_BETWEEN: Final = r"(?=[-./() ])[ ]{0,2}[-./()]{0,3}[ ]{0,2}"
# What must not stand before it is looked at behind its first character: a pattern that begins with a class is searched
# many times faster than one that begins with a look behind.
_RUN: Final = re.compile(
    r"[+(0-9](?<![A-Za-z0-9].)(?<![A-Za-z0-9_]_.)(?<![0-9][.:].)(?<![0-9],[0-9](?![0-9]{3}|[0-9]{2}-))"
    r"(?:(?<=\+) ?\(?[0-9]|(?<=\()\+?[0-9]|(?<=[0-9]))[0-9]{0,23}(?![0-9])"
    rf"(?:{_BETWEEN}[0-9]{{1,24}}(?![0-9])){{0,11}}(?![A-WYZa-wyz]|_[A-Za-z0-9_])"
)
_CALLED: Final = re.compile(r" ?(?:[-/] ?|\()(?:office|mobile|cell|home|work|fax|direct|landline)\b", re.IGNORECASE)
"""What says behind a number that it is a telephone number."""
_GOES_ON: Final = frozenset(" -/(")
_DECIDED: Final = OTHER_NAMED | PHONE_NAMED
_NINES: Final = bytes(ord("9") if chr(code).isdigit() and code < 0x80 else code for code in range(256))  # noqa: PLR2004  (ASCII)
_DASHES: Final = {ord(mark): "-" for mark in SINGLE}
_SEPARATORS: Final = b"+-./() "
_ABROAD: Final = (b"00", b"011")
"""What is dialled for another country, where a plus is not written."""
_REMEMBERED: Final = 2048
"""Plans that are kept: people write numbers in few ways, and programs each in one."""


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

    def topics_near(self, reach: int) -> Topics:
        """Return what the words right before it are about.

        Args:
            reach: how many characters are looked at.
        """
        return self._sight.topics(self.start, reach)

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

    def place(self, group: int) -> tuple[int, int]:
        """Return where a group begins and ends in the text."""
        begin, end = self.plan.groups[group]
        return self.start + begin, self.start + end

    def windows(self, first: int, frames: tuple[Frames, Frames]) -> Iterator[Window]:
        """Yield the windows behind a group that their digits leave: nine in ten cards end at their check digit.

        Args:
            first: the group.
            frames: those of its shape, without a zero first, and with one.
        """
        places, all_ = self.plan.digits, self.digits
        begin = places[first]
        for frame in frames[all_[begin] == "0"]:
            digits = all_[begin : places[frame.end]]
            kinds = frame.kinds
            if kinds & CARD and ((digits[0] == "0" and not digits.startswith("0604")) or not luhn(digits)):
                kinds &= ~CARD
            if kinds:
                yield Window(self, first, frame, kinds, digits)


class Window:
    """Some groups of a run, read as one number.

    Args:
        run: the run.
        first: its first group.
        frame: its groups.
        kinds: which of `CARD`, `NATIONAL` and `PHONE` it may be. The check digit of a card is right.
        digits: all digits.
    """

    __slots__ = ("digits", "end", "first", "frame", "kinds", "lengths", "run", "start")

    def __init__(self, run: Run, first: int, frame: Frame, kinds: int, digits: str) -> None:
        self.run = run
        self.first = first
        self.frame = frame
        self.kinds = kinds
        self.digits = digits
        self.lengths = frame.lengths
        """How long the groups are."""
        groups = run.plan.groups
        self.start = run.start + groups[first][0]
        """Where its first digit stands."""
        self.end = run.start + groups[frame.end - 1][1]
        """Where its last digit ends."""

    @property
    def is_part(self) -> bool:
        """Whether it rather is a part of a longer number: a group next to it is as long as its own there."""
        if self.is_rest:
            return True
        lengths, gaps, end = self.run.plan.lengths, self.run.plan.gaps, self.frame.end
        if end - self.first == 1 or end == len(lengths) or gaps[end - 1] != gaps[end - 2]:
            return False
        return lengths[end] == lengths[end - 1] or len(set(self.lengths)) == 1

    @property
    def is_rest(self) -> bool:
        """Whether it rather is the rest of a longer number: the group before it is as long as its first one."""
        return self.first > 0 and self.run.plan.lengths[self.first - 1] == self.lengths[0]

    @property
    def dashed(self) -> str:
        """The groups with dashes between them."""
        run, frame = self.run, self.frame
        if len(frame.lengths) == 1:
            return self.digits
        if frame.style.is_plain:
            return run.written[self.start - run.start : self.end - run.start].translate(_DASHES)
        return "-".join([run.written[low:high] for low, high in run.plan.groups[self.first : frame.end]])


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
        text, plans, names = sight.text, self._plan, sight.words.named
        for match in sight.matches(_RUN):
            start, end = match.span()
            if end - start < LEAST_DIGITS:
                continue
            raw = match[0].encode("ascii")
            named = names(start)
            if text[end : end + 1] in _GOES_ON and not named & _DECIDED and _CALLED.match(text, end, sight.high):
                named |= PHONE_NAMED
            plan = plans(raw.translate(_NINES), named, text[start - 1 : start] == "(")
            is_abroad = plan.is_long and (plan.has_plus or raw.startswith(_ABROAD, plan.groups[0][0]))
            if plan.starts or is_abroad:
                yield Run(sight, start, raw, named, plan, is_abroad=is_abroad)

"""What is known of a text while the names in it are read, so that it is looked at once, and not for each name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.seen import AT_ONCE
from aigw.guards.secrets.values import HAS_DIGIT

if TYPE_CHECKING:
    from aigw.guards.secrets.judged import Value
    from aigw.guards.secrets.seen import Seen

_TELLS: Final = re.compile(
    r"[ \t:=→\u2013\u2014'\u2019-]"
    r"(?:(?<![ \t])|is|was|are|been|got|will|to|as|called|equals|reads|says|still|be|on|ist|lautet"
    r"|war|auf|es|era|est|c.est|é|è|foi|är|er|jest|это)"
)
_LONGEST_BETWEEN: Final = 190


_LONGEST_TO_DIGIT: Final = 300


class Ahead:
    """Tells whether something stands near behind a place; a text without it is searched once, and not for each name.

    Args:
        pattern: what is looked for.
        text: the text.
        reach: how far behind a place it counts.
    """

    __slots__ = ("_from", "_next", "_pattern", "_reach", "_text")

    def __init__(self, pattern: re.Pattern[str], text: str, reach: int) -> None:
        self._pattern, self._text, self._reach = pattern, text, reach
        self._from = self._next = -1

    def is_near(self, at: int) -> bool:
        """Tell whether it begins within the reach behind a place."""
        if not self._from <= at <= self._next:
            found = self._pattern.search(self._text, at, at + AT_ONCE)
            self._from, self._next = at, found.start() if found else at + AT_ONCE
        return self._next <= at + self._reach


class Reading:
    """What is known of a text while its names are read, and of the values that were judged: hostile texts repeat them.

    Args:
        seen: the text.
        known: where tokens of providers begin.
    """

    __slots__ = ("digit", "judged", "known", "tells", "text")

    def __init__(self, seen: Seen, known: frozenset[int]) -> None:
        self.text = seen.text
        self.known = known
        self.tells = Ahead(_TELLS, seen.low, _LONGEST_BETWEEN)
        self.digit = Ahead(HAS_DIGIT, seen.text, _LONGEST_TO_DIGIT)
        self.judged: dict[tuple[Value, str, str, str, bool], tuple[float, str]] = {}

    def may_say(self, kind: str, at: int) -> bool:
        """Tell at little cost whether a sentence can have a value of this kind behind a place."""
        return kind == "password" or self.digit.is_near(at)

"""What is known of a text while the names in it are read, so that it is looked at once, and not for each name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.seen import AT_ONCE, GAPS
from aigw.guards.secrets.values import HAS_DIGIT

if TYPE_CHECKING:
    from aigw.guards.secrets.seen import Seen

_TELLS: Final = re.compile(
    r"[ \t:=→\u2013\u2014'\u2019-]"
    r"(?:(?<![ \t])|is|was|are|been|got|will|to|as|called|equals|reads|says|still|be|on|ist|lautet"
    r"|war|auf|es|era|est|c.est|é|è|foi|är|er|jest|это|là|هي|هو|है|είναι|הוא|היא)"
)
_LONGEST_BETWEEN: Final = 190
_LONGEST_TO_DIGIT: Final = 300
_MANY: Final = 100
"""Names of which no sentence tells anything: in an ordinary text there are fewer."""

_LONGEST_VALUE: Final = 4096
_LONGEST_QUOTED: Final = 300
_UNQUOTED: Final = re.compile(f"[^{GAPS}\"'`<;,|]{{1,{AT_ONCE}}}")
_BREAK: Final = re.compile(
    r"\\+[nrtu\"'`]|&(?=[\w.-]+=)|&(?:amp|quot|lt|gt|#\d+);|/(?=[A-Za-z]{2,20}[:=])|\*\*|\}\}|\\$|%26(?=\w+%3[dD])"
)
_QUOTED: Final = {
    quote: re.compile(rf"(?:[^{quote}\\\n]|\\[^{quote}\n]|\\\\){{1,{_LONGEST_QUOTED}}}") for quote in "\"'`"
}


Asked = tuple[str, str, str, str, str]
"""A value, its quote, what its name means, the name, and how the two stand together."""


Found = tuple[int, int, str, bool]
"""Where a value begins and ends, the quote that it stands in or nothing, and whether the text ended before another."""


class Reading:
    """What is known of a text while its names are read, and of the values that were judged: hostile texts repeat them.

    Args:
        seen: the text.
        known: where tokens of providers begin.
    """

    __slots__ = (
        *("_digit", "_digit_from", "_end", "_from", "_low", "_stop", "_tell", "_tell_from"),
        *("before", "judged_assigned", "judged_said", "kinds", "known", "text", "untold"),
    )

    def __init__(self, seen: Seen, known: frozenset[int]) -> None:
        self.text = seen.text
        self.known = known
        self._low = seen.low
        self._tell_from = self._tell = self._digit_from = self._digit = -1  # what was found last, and from where
        self.untold = 0
        self.before: dict[str, tuple[int, int] | None] = {}
        self.kinds: dict[str, str] = {}
        self.judged_assigned: dict[Asked, tuple[float, str]] = {}
        self.judged_said: dict[Asked, tuple[float, str]] = {}
        self._from = self._stop = self._end = -1  # of the run without quotes that was read last

    def has_digit(self, at: int) -> bool:
        """Tell whether a digit stands near behind a place, or may come to stand in quotes that are open at the end.

        A text without one is searched once, not for each name.
        """
        if not self._digit_from <= at <= self._digit:
            digit = HAS_DIGIT.search(self.text, at, at + AT_ONCE)
            self._digit_from, self._digit = at, digit.start() if digit else at + AT_ONCE
        if self._digit <= at + _LONGEST_TO_DIGIT:
            return True
        return len(self.text) <= at + _LONGEST_TO_DIGIT and any(quote in self.text[at:] for quote in _QUOTED)

    def may_tell(self, at: int) -> bool:
        """Tell whether a sentence near behind a place may say what something is; where many do not, it is looked up."""
        if self.untold < _MANY:
            return True
        if not self._tell_from <= at <= self._tell:
            tell = _TELLS.search(self._low, at, at + AT_ONCE)
            self._tell_from, self._tell = at, tell.start() if tell else at + AT_ONCE
        return self._tell <= at + _LONGEST_BETWEEN

    def value(self, at: int) -> Found | None:
        """Read the value that begins at a place, with or without quotes."""
        text = self.text
        if text[at : at + 1] not in _OPENS:
            return self._unquoted(at)
        begin = at
        while text[begin : begin + 1] == "\\" and begin - at < 4:  # noqa: PLR2004
            begin += 1
        quote = text[begin : begin + 1]
        if not quote or quote not in "\"'`":
            return None
        escapes = begin - at
        if text.startswith(quote * 3, begin):
            begin += 2
        body = _QUOTED[quote].match(text, begin + 1)
        if body is None:
            return None if begin + 1 < len(text) else (begin + 1, begin + 1, quote, True)
        end = body.end()
        is_cut = end >= len(text) or (end == len(text) - 1 and text[end] == "\\")  # a backslash needs what follows
        if is_cut and end - begin <= _LONGEST_QUOTED:
            return begin + 1, end, quote, True
        if text[end : end + 1] == "\\" or text[end : end + 1] == quote:
            end -= len(body[0]) - len(body[0].rstrip("\\")) if escapes else 0
            return begin + 1, end, quote, False
        return self._unquoted(begin + 1)

    def _unquoted(self, at: int) -> Found | None:
        """Read a value up to what ends it. Values that begin in one run of characters are looked through together."""
        text = self.text
        if not self._from <= at < self._stop:
            if not self._from <= at < self._end:
                run = _UNQUOTED.match(text, at)
                if run is None:
                    return None
                self._end = run.end()
            stop = _BREAK.search(text, at, self._end)
            self._from, self._stop = at, stop.start() if stop else self._end
        end = min(self._stop, at + _LONGEST_VALUE)
        return at, _trimmed(text, at, end) if text[end - 1] in _TRIMMED else end, "", False


def _trimmed(text: str, start: int, end: int) -> int:
    """Return where a value ends without the marks and closing brackets behind it that are none of it."""
    value = text[start:end]
    while value and (last := value[-1]) in _TRIMMED:
        kept = value.rstrip(last)
        if last in _OPENING:
            loose = value.count(last) - value.count(_OPENING[last])
            kept = value[: max(len(kept), len(value) - max(0, loose))]
        if kept == value:
            break
        value = kept
    return start + len(value)


_OPENS: Final = frozenset(["", "\\", '"', "'", "`"])
_TRIMMED: Final = frozenset(".,:*_\\)]}")
_OPENING: Final = {")": "(", "]": "[", "}": "{"}

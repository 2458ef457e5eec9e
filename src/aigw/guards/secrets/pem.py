"""Private keys in PEM and OpenPGP armour: on lines of their own, in one line with escapes, in source code, cut off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.seen import matches
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN: Final = re.compile(
    r"-----? ?BEGIN (?:[A-Za-z0-9]{1,20} ){0,4}(?:PRIVATE|private) (?:KEY|key)(?: BLOCK)? ?-{4,5}"
)
_BEGUN: Final = re.compile(r"-{4,5} ?(?:B|BE|BEG|BEGI|BEGIN(?: [A-Za-z0-9 ]{0,60})?-{0,5})?\Z")
_LONGEST_BEGIN: Final = 90
_SEPARATORS: Final = re.compile(r"(?:\\+[nrt]|\\u000[aA]|[\s\"'`+,\\>|*;:#/()&]|<br ?/?>|%0[aAdD]){0,64}+")
_HEADER: Final = re.compile(r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash|Subject)\b[^\n\\]{0,120}+")
_LINE: Final = re.compile(r"(?:[^\n]{0,24}?(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/=]{40}))?[A-Za-z0-9+/=]{20,}+")
_TAIL: Final = re.compile(r"(?![A-Z]?[a-z]*\b)[A-Za-z0-9+/=]{1,19}+(?![A-Za-z0-9])")
_END: Final = re.compile(r"-{4,5} ?END [A-Za-z0-9 ]{3,60}-{4,5}")
_LONGEST_END: Final = 320
_PUTTY: Final = re.compile(r"Private-Lines: \d{1,3}\r?\n")
_LONGEST_PUTTY: Final = 24


def blocks(text: str, start: int) -> Iterator[tuple[int, int, bool]]:
    """Yield where private keys begin and end, and whether that is sure whatever follows; mere marks have no length."""
    if text.find("BEGIN ", start) >= 0:
        for begin in matches(_BEGIN, text, start, 2 * _LONGEST_BEGIN):
            yield _block(text, begin.start(), begin.end())
    first = max(0, start - _LONGEST_PUTTY)
    if text.find("Private-Lines: ", first) >= 0:
        for begin in matches(_PUTTY, text, first, _LONGEST_PUTTY):
            if begin.end() >= start:
                yield _block(text, begin.end(), begin.end())


def _block(text: str, begin: int, at: int) -> tuple[int, int, bool]:
    end = at
    has_key = False
    while True:
        next_ = _SEPARATORS.match(text, end if has_key else at)
        assert next_ is not None, "nothing is a separator, too"
        place = next_.end()
        if header := _HEADER.match(text, place):
            at = end = header.end()
        elif line := _LINE.match(text, place):
            has_key, end = True, line.end()
        else:
            break
    closing = _END.search(text, end, end + _LONGEST_END)
    if closing and text.find("BEGIN ", end, closing.start()) < 0:
        return begin, closing.end() if has_key else begin, True
    if has_key and (tail := _TAIL.match(text, place)):
        end = tail.end()
    return begin, end if has_key else begin, len(text) - end >= _LONGEST_END


def find_keys(text: str, start: int) -> Iterator[Span]:
    """Yield private keys, each with its whole block."""
    for begin, end, _ in blocks(text, start):
        if end > begin:
            yield Span(begin, end, "PRIVATE_KEY", 1.0)


def open_block(text: str, start: int) -> int:
    """Return where a block begins that may still grow, or a part of its first line; else the length."""
    for begin, _, is_sure in blocks(text, start):
        if not is_sure:
            return begin
    begun = _BEGUN.search(text, max(start, len(text) - _LONGEST_BEGIN))
    return begun.start() if begun else len(text)

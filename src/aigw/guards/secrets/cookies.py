"""Finds what sessions are known by in the headers that carry cookies (RFC 6265)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.judged import judge_assigned
from aigw.guards.secrets.seen import GAPS, REACH, occurrences
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.secrets.seen import Seen

_LIKELY: Final = 0.7
_NAMES: Final = ("sess", ".sid", "_sid")
_SESSION: Final = re.compile(
    rf"(?P<name>\w{{2,12}}(?:[._-]\w{{1,16}})?)=(?P<value>[^{GAPS};,\"'=&<>{{}}]{{16,200}}={{0,2}})"
)
_HEADER: Final = re.compile(r"cookie[\"']?[ ]{0,2}[:=,]")


def find_sessions(seen: Seen, begin: int) -> Iterator[Span]:
    """Yield the values of cookies that are named for a session, as far as they stand near to the name of the header.

    Args:
        seen: the text.
        begin: where to begin to look, which is before where values may begin.
    """
    if seen.low.find("cookie", begin) < 0:
        return
    for name in _NAMES:
        for at in occurrences(seen.low, name, begin, shared=1):
            session = _SESSION.match(seen.text, at + (name != "sess"))
            if session and _is_in_header(seen, at, session.start("value")):
                start, end = session.span("value")
                if judge_assigned(session["value"], '"', "token", session["name"], "=", bits=3.0)[0]:
                    yield Span(start, end, "TOKEN", _LIKELY)


def _is_in_header(seen: Seen, at: int, value: int) -> bool:
    """Tell whether the name of a header stands before a place, in the same line."""
    header = seen.low.rfind("cookie", max(0, value - REACH), at)
    return header >= 0 and _HEADER.match(seen.low, header) is not None and "\n" not in seen.text[header:at]

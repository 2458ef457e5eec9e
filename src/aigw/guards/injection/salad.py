"""`salad`: suffixes that a search has found (as GCG does): a request, then tokens that no writer puts together."""

from __future__ import annotations

import re
from typing import Final

from aigw.guards.injection.rules import Hit

_CASE: Final = re.compile(r"[a-z][A-Z][a-z]|[a-z]{2}[A-Z]{2,}")
_MIXED: Final = re.compile(r"""[A-Za-z][\])}>"'!?.,;:]?[\[\](){}*\\!?<>"`#$%^&+=|~;]{1,4}[A-Za-z]""")
_RUN: Final = re.compile(r"""[^\w\s]{3,}|[\\^~|][^\w\s]|[)\]}][(\[{]|["'][\\\]})][^\s,.;:]?|[.!?][\\\](\[{]""")
_LONE: Final = re.compile(r"""^[!?"'\\\])}({\[*^~|<>#+=;:/-]{1,2}$""")
_PLAIN: Final = re.compile(r"(?:[A-Za-z][a-z']*[,.]? ){5}")
_LINE_OF_CODE: Final = re.compile(
    r"[;{}]\s*$|^\s{2,}\S|^\s*(?:#|//|def |class |import |from \w+ import|<\w|\||>|\$ )", re.MULTILINE
)
_ASKS: Final = re.compile(
    r"\b(?:write|create|develop|design|give|provide|explain|describe|draft|list|teach|generate|make|tell"
    r"|how (?:to|do|can|would)|outline|compose|produce|show|instruct|build|encourage|publish|devise)\b"
)
TAIL: Final = 40
"""Pieces at the end of a line that are looked at."""
ODD: Final = 4
SHARE: Final = 0.25
LONGEST: Final = 1500


def salad(text: str, folded: str) -> list[Hit]:
    """Return a hit where a line begins like a request and goes on in odd tokens whose brackets do not match."""
    if len(text) > LONGEST or not _ASKS.search(folded[:400]) or len(_LINE_OF_CODE.findall(text)) > 1:
        return []
    for line in text.split("\n"):
        if not _PLAIN.search(line):
            continue
        pieces = line.split()[-TAIL:]
        odd = [piece for piece in pieces if _is_odd(piece)]
        kinds = {_kind(piece) for piece in odd}
        if len(odd) >= ODD and len(odd) >= SHARE * min(len(pieces), 16) and len(kinds) > 1 and _is_unbalanced(line):
            return [Hit("token-salad", 0.6)]
    return []


def _is_odd(piece: str) -> bool:
    if "://" in piece or "@" in piece:
        return False
    return bool(_LONE.match(piece) or _CASE.search(piece) or _MIXED.search(piece) or _RUN.search(piece))


def _kind(piece: str) -> str:
    return (
        "lone" if _LONE.match(piece) else "case" if _CASE.search(piece) else "mixed" if _MIXED.search(piece) else "run"
    )


def _is_unbalanced(line: str) -> bool:
    return (
        any(line.count(opened) != line.count(closed) for opened, closed in ("()", "[]", "{}"))
        or line.count('"') % 2 == 1
    )

"""Islands: the stretches of a text that can hold a value, and how far a growing text is decided.

Every value has a digit or an ``@``. An island goes from a little before the first of these to a little behind the last,
and ends only where a text can be cut between words. Rules see nothing behind the end of an island, so what they find in
one does not depend on what follows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe

if TYPE_CHECKING:
    from collections.abc import Iterator

REACH: Final = 400
"""The longest value, with what its rule looks at on both sides."""

NEAR: Final = 16
"""Characters behind a digit that still belong to its island: the name of a month, a unit, a word of context."""

AHEAD: Final = 4
"""Characters before a digit that still belong to its island: a bracket, a country code."""

_BREATH: Final = 16
"""After how many islands there is a rest."""

_GAP: Final = r"\s,;<>{}\[\]|、。「」『』【】"
_TRIGGER: Final = re.compile(r"[0-9@:-](?:(?<=[0-9@])|(?<=:)(?=:)|(?<=[A-Fa-f]{2}.)(?=[A-Fa-f]{2}[:-]))")
"""Digits, ``@``, ``::``, and what stands behind the first of two pairs of hexadecimal letters. A pattern that begins
with a class is searched many times faster than one that begins with alternatives."""
_ISLAND: Final = re.compile(
    rf"(?:(?:[0-9@]+|::|[A-Fa-f]{{2}}[:-])[^0-9@\n]{{0,{NEAR}}}[^0-9@{_GAP}]*(?:[ -][A-Z]{{1,4}}(?![A-Za-z]))*"
    rf"(?:[^0-9@\n]{{0,{AHEAD + 1}}}(?=[0-9@]))?)+"
)
_LAST_GAP: Final = re.compile(rf".*[{_GAP}]", re.DOTALL)


def islands(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where islands begin and end, from a place on that is between two of them, or at the start of a value."""
    ahead = start
    count = 0
    while trigger := _TRIGGER.search(text, ahead):
        count += 1
        if count % _BREATH == 0:
            breathe()
        at = trigger.start()
        if text[at] in ":-" and text[at : at + 2] != "::":
            at -= 2  # the letters before it
            if at < start:
                ahead = trigger.end()
                continue
        low = _shore(text, max(start, at - REACH), at)
        island = _ISLAND.match(text, at)
        assert island is not None, "an island begins with what was found"
        start = ahead = max(island.end(), at + 1)
        yield low, start


def _shore(text: str, low: int, at: int) -> int:
    """Return the last place before a digit where the text can be cut."""
    gap = _LAST_GAP.match(text, low, max(low, at - AHEAD))
    return max(gap.end() if gap else low, text.rfind("\n", low, at) + 1)


def is_open(text: str, end: int) -> bool:
    """Tell whether an island that ends there may grow when the text goes on."""
    return end + AHEAD + 2 > len(text) and "\n" not in text[end:]


def calm(text: str, start: int) -> int:
    """Return how far a text without values is decided, from the end of its last island on."""
    return max(start, _shore(text, max(start, len(text) - REACH), len(text)))

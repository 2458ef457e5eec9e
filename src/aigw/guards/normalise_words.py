"""Common English words: a text that has few of them may be disguised, and a reading that has many is likely right."""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
    a about above act after again all also always an and answer any anything are as ask at be because been before being
    but by can cannot change code could did do does dont each ever every everything find first follow following for
    forget from get give given go good has have help her here him his how i if ignore in information instruction
    instructions into is it its just know like list make many may me message model more most must my need never new no
    not now of on one only or other our out output over password people please pretend previous print prompt reply
    respond response reveal rules said same say secret see send should show so some step such system tell than that the
    their them then there these they this those time to told two under up us use user users very was way we well were
    what when where which who why will with without word words work would write you your yourself bypass disregard
    instead earlier prior safety guidelines restrictions override bomb hack how build
"""

COMMON: Final = frozenset(_COMMON.split())

_MORE: Final = """
    access account activate active admin api assistant attention chat command commands complete configuration context
    conversation data database debug delete developer directive directives directions disable disclose display document
    documents email enable execute expose file filters full guideline hidden immediately initial internal jailbreak
    key keys language leak limits messages mode obey orders passwords policy programming prompts provided read remember
    repeat restricted role rule run safe secrets security start stop task tasks text token tools transfer unrestricted
    unfiltered verbatim website weapon drugs malware virus explosive steal money card credit bank
"""
VOCABULARY: Final = COMMON | frozenset(_MORE.split())
"""For cutting words that were written without spaces."""

_SHORTEST: Final = 2


def _by_beginning() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for word in sorted(VOCABULARY, key=lambda word: (-len(word), word)):
        table.setdefault(word[:_SHORTEST], []).append(word)
    return {beginning: tuple(words) for beginning, words in table.items() if len(beginning) == _SHORTEST}


_BY_BEGINNING: Final = _by_beginning()
"""The words by their first two letters, the longest first."""


def cut_words(letters: str) -> str:
    """Cut a run of letters into words, the longest known word first; letters between them stay together."""
    words: list[str] = []
    unknown = at = 0
    while at < len(letters):
        found = next((word for word in _BY_BEGINNING.get(letters[at : at + 2], ()) if letters.startswith(word, at)), "")
        if found:
            words += [letters[unknown:at], found] if unknown < at else [found]
            unknown = at + len(found)
        at += len(found) or 1
    if unknown < len(letters):
        words.append(letters[unknown:])
    return " ".join(words)

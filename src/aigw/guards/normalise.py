"""`fold` and `readings`: a text as a reader may take it, whatever it was disguised as. For matching, never for sending.

Folding is harmless: it makes ``ignore`` of full-width, circled, accented, Cyrillic-looking and zero-width-ridden
letters, and leaves other scripts readable as what they are. Readings are guesses (a decoded base64 run, a text read
backwards), made only where something in the text hints at them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from aigw.guards.normalise_letters import ALIKE, LOOKALIKE, ODD_LETTERS, REPLACED

__all__ = ["fold", "hidden", "squash"]

_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RUN: Final = re.compile(f"[a-z{ODD_LETTERS}]{{2,}}")
_MIXED: Final = re.compile(f"[a-z][{ODD_LETTERS}]|[{ODD_LETTERS}][a-z]")
_LATIN: Final = re.compile(r"[a-z]{2,}")
_FOREIGN: Final = re.compile("[\u0370-\u058f]{2,}")
_TAGS: Final = re.compile("[\U000e0020-\U000e007e]{3,}")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007f]*")
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")


def fold(text: str) -> str:
    """Return a text in small letters, without what is not seen, and with plain letters for those that look like them.

    Marks of Latin, Greek and Cyrillic letters go as well, so that accents do not matter; the vowel signs of other
    scripts stay. Lookalikes of other scripts are replaced only within words that mix scripts, or in a text that is
    otherwise Latin: Russian stays Russian. Takes any `str`, in linear time; the result is at most a few times longer.
    """
    if text.isascii():
        return _CONTROLS.sub("", text).lower()
    text = _FLAG.sub(" ", _SURROGATES.sub("", text))
    folded = unicodedata.normalize("NFKD", text.replace("\ufdfa", "").replace("\ufdfb", ""))
    folded = folded.lower().translate(REPLACED)
    if LOOKALIKE.search(folded):
        folded = _latin(folded)
    return folded if folded.isascii() else unicodedata.normalize("NFC", folded)


def hidden(text: str) -> str:
    """Return what is written in tag characters, which nobody sees, and which are no part of a flag."""
    if text.isascii():
        return ""
    return " ".join([_SURROGATES.sub("", tags).translate(REPLACED) for tags in _TAGS.findall(_FLAG.sub(" ", text))])


def squash(text: str) -> str:
    """Return only the letters of a folded text: for words that are written apart."""
    return _NOT_LETTERS.sub("", text)


def _latin(folded: str) -> str:
    """Replace letters that look Latin where they stand among Latin ones."""
    if _MIXED.search(folded):
        folded = _RUN.sub(lambda match: match[0].translate(ALIKE) if _MIXED.search(match[0]) else match[0], folded)
    latin, foreign = len(_LATIN.findall(folded)), len(_FOREIGN.findall(folded))
    if foreign <= latin:
        folded = folded.translate(ALIKE)
    return folded

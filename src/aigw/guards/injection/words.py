"""`classify`: a text as one letter a word, so that a rule is a short pattern over letters, in any language.

``Ignore all previous instructions!`` becomes ``IAPN|``; so does its German. What a letter stands for is told in
``lexicon.txt``; ``.`` is any other word, ``|`` the end of a sentence.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Final, NamedTuple

from aigw.guards.normalise import fold

_LETTER: Final = (
    "0-9a-z\u00aa-\u02af\u0370-\u060b\u0620-\u0963\u0966-\u1fff\u2c00-\u2dff\u3005\u3040-\u318f\u3400-\ud7ff"
    "\uf900-\ufaff\U00010000-\U0001bfff\U00020000-\U0003ffff"
)
"""Letters, digits and the vowel signs that are parts of words, which ``\\w`` leaves out."""
_ENDINGS: Final = ".!?;:\n\u3002\uff01\uff1f\u0964\u061f|"
_WORD: Final = re.compile(f"[{_LETTER}]+(?:['\u2019][{_LETTER}]+)?|[{_ENDINGS}]")
_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_RUN: Final = re.compile(f"[{_UNSPACED}]")
SHORTEST_STEM: Final = 2
LONGEST_STEM: Final = 12
REMEMBERED: Final = 1 << 15
"""Words whose classes are kept; only short ones made of letters, so that no key or number stays in memory."""
LONGEST_REMEMBERED: Final = 24


class Lexicon(NamedTuple):
    """The words of ``lexicon.txt``.

    Args:
        words: the class of each whole word.
        stems: the class of each beginning of words.
        within: finds words of scripts without spaces.
        unspaced: the class of each of those.
    """

    words: dict[str, str]
    stems: dict[str, str]
    within: re.Pattern[str]
    unspaced: dict[str, str]

    def of(self, word: str) -> str:
        """Return the class of a folded word; ``.`` where it has none, and several for a run without spaces."""
        known = self.words.get(word)
        if known is not None:
            return known
        if not word.isascii() and _RUN.search(word):
            return "".join([self.unspaced[match] for match in self.within.findall(word)]) or "."
        stems = self.stems
        for length in range(min(len(word), LONGEST_STEM), SHORTEST_STEM - 1, -1):
            known = stems.get(word[:length])
            if known is not None:
                return known
        return "."


@cache
def lexicon() -> Lexicon:
    """Read the lexicon, once."""
    words: dict[str, str] = {}
    stems: dict[str, str] = {}
    unspaced: dict[str, str] = {}
    text = resources.files("aigw.guards.injection").joinpath("lexicon.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            letter, *entries = line.split()
            for entry in entries:
                word = fold(entry)
                if _RUN.search(word):
                    unspaced.setdefault(word, letter)
                elif word.endswith("*"):
                    stems.setdefault(word[:-1], letter)
                else:
                    words.setdefault(word, letter)
    within = re.compile("|".join(map(re.escape, sorted(unspaced, key=lambda word: (-len(word), word)))))
    return Lexicon(words, stems, within, unspaced)


def classify(folded: str) -> str:
    """Return one letter for each word of a folded text."""
    return "".join(_letters(folded))


def _letters(folded: str) -> list[str]:
    seen: dict[str, str] = dict.fromkeys(_ENDINGS, "|")
    letters: list[str] = []
    for word in _WORD.findall(folded):
        letter = seen.get(word)
        if letter is None:
            letter = seen[word] = _class_of(word)
        letters.append(letter)
    return letters


def _class_of(word: str) -> str:
    return _remembered(word) if len(word) <= LONGEST_REMEMBERED and word.isalpha() else lexicon().of(word)


@lru_cache(REMEMBERED)
def _remembered(word: str) -> str:
    return lexicon().of(word)


def word_places(folded: str) -> list[tuple[int, int]]:
    """Return where the words are that `classify` gave letters to, one place for each letter."""
    places: list[tuple[int, int]] = []
    for match in _WORD.finditer(folded):
        word = match[0]
        count = 1 if word in _ENDINGS else len(_class_of(word))
        places += [match.span()] * count
    return places

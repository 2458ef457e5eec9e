"""`read`: a text as its words, and one letter for each, so that a rule is a short pattern over letters.

``Ignore all previous instructions!`` becomes ``IAPN|``; so does its German, or its Thai. What a letter stands for is
told in ``lexicon.txt``; ``.`` is any other word, ``|`` the end of a sentence.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from typing import Final, NamedTuple

from aigw.guards.normalise import fold

_LETTER: Final = (
    "0-9a-z\u00aa-\u02af\u0370-\u060b\u0620-\u0963\u0966-\u1fff\u2c00-\u2dff\u3005\u3040-\u318f\u3400-\ud7ff"
    "\uf900-\ufaff\U00010000-\U0001bfff\U00020000-\U0003ffff"
)
"""Letters, digits and the vowel signs that are parts of words, which ``\\w`` leaves out."""
_ENDINGS: Final = ".!?;:\n\u3002\uff01\uff1f\u0964\u061f|"
_WORDS: Final = f"[{_LETTER}]+(?:['\u2019][{_LETTER}]+)?|[{_ENDINGS}]"
_WORD: Final = re.compile(_WORDS)
_TOKEN: Final = re.compile(f"{_WORDS}|[^\\s{_LETTER}{_ENDINGS}]{{1,8}}")
_IN_ASCII: Final = re.compile(r"[0-9a-z]+(?:'[0-9a-z]+)?|[.!?;:\n|]|[^\s0-9a-z.!?;:|]{1,8}")
"""The same for ASCII, where it is several times faster."""
_UNSPACED: Final = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_RUN: Final = re.compile(f"[{_UNSPACED}]")
_BEGINNING: Final = 2
"""Letters that stems are sorted by: a word is compared only with those that begin as it does."""
NOISE: Final = "\x01"
"""A token that no folded text has."""
MOST_KINDS: Final = 1000
"""Different tokens in a block of text that people write: about 600 in 8,000 characters of English."""
MOST_ODD_KINDS: Final = 200
"""Those of them that are not in the lexicon and are looked at all the same, where there are more."""
REMEMBERED: Final = 1 << 15
"""Words whose classes are kept; only short ones made of letters, so that no key or number stays in memory."""
LONGEST_REMEMBERED: Final = 24
_OFTEN_MIXED: Final = (
    "ignore disregard forget override bypass previous prior above earlier instruction instructions guidelines rules "
    "directives system prompt hidden secret reveal display repeat print output everything without restrictions "
    "restricted pretend password developer confidential initial original safety"
)
"""English words that are known with their inner letters in another order, as readers know them."""


class Words(NamedTuple):
    """A text as its words.

    Args:
        folded: the text, folded.
        tokens: its words, ends of sentences, and runs of other signs.
        kinds: each of them once, with the letter of its class.
        letters: for each token, the letter of its class; several for a run without spaces, none for other signs.
    """

    folded: str
    tokens: list[str]
    kinds: dict[str, str]
    letters: list[str]


class Lexicon(NamedTuple):
    """The words of ``lexicon.txt``.

    Args:
        words: the class of each whole word.
        stems: for two letters that words begin with, the longer beginnings and the class of each, the longest first.
        within: finds words of scripts without spaces.
        unspaced: the class of each of those.
        mixed: the class of words whose inner letters changed places, by those letters in order.
        shapes: the length and the outer letters of the words in it.
    """

    words: dict[str, str]
    stems: dict[str, tuple[tuple[str, str], ...]]
    within: re.Pattern[str]
    unspaced: dict[str, str]
    mixed: dict[str, str]
    shapes: frozenset[tuple[int, str, str]]

    def of(self, word: str) -> str:
        """Return the class of a folded word; ``.`` where it has none, and several for a run without spaces."""
        known = self.words.get(word)
        if known is not None:
            return known
        if not word.isascii() and _RUN.search(word):
            return "".join([self.unspaced[match] for match in self.within.findall(word)]) or "."
        for stem, letter in self.stems.get(word[:_BEGINNING], ()):
            if word.startswith(stem):
                return letter
        return self.mixed.get(_sorted(word), ".") if (len(word), word[0], word[-1]) in self.shapes else "."


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
    by_beginning: dict[str, list[tuple[str, str]]] = {}
    for stem in sorted(stems, key=lambda stem: (-len(stem), stem)):
        by_beginning.setdefault(stem[:_BEGINNING], []).append((stem, stems[stem]))
    plain = Lexicon(
        words, {begin: tuple(found) for begin, found in by_beginning.items()}, within, unspaced, {}, frozenset()
    )
    mixed = {_sorted(word): plain.of(word) for word in _OFTEN_MIXED.split()}
    return plain._replace(mixed=mixed, shapes=frozenset((len(word), word[0], word[-1]) for word in mixed))


def _sorted(word: str) -> str:
    """Return a word with its inner letters in order."""
    return f"{word[0]}{''.join(sorted(word[1:-1]))}{word[-1]}"


def read(folded: str) -> Words:
    """Cut a folded text into words, and classify them."""
    tokens = (_IN_ASCII if folded.isascii() else _TOKEN).findall(folded)
    distinct = {*tokens}
    if len(distinct) > MOST_KINDS:
        tokens = _without_noise(tokens)
        distinct = {*tokens}
    kinds = {token: _class_of(token) for token in distinct}
    return Words(folded, tokens, kinds, [*map(kinds.__getitem__, tokens)])


def _without_noise(tokens: list[str]) -> list[str]:
    """Put one token in the place of most odd ones of a text that no writer wrote: each would have to be looked at."""
    known = lexicon().words
    kinds = dict.fromkeys(tokens)
    kept = {*islice([kind for kind in kinds if kind not in known], MOST_ODD_KINDS)}
    names = {kind: kind if kind in known or kind in kept else NOISE for kind in kinds}
    return [*map(names.__getitem__, tokens)]


def _class_of(token: str) -> str:
    if not token.isalpha():
        if token in _ENDINGS:
            return "|"
        return lexicon().of(token) if _WORD.match(token) else ""
    return _remembered(token) if len(token) <= LONGEST_REMEMBERED else lexicon().of(token)


@lru_cache(REMEMBERED)
def _remembered(word: str) -> str:
    return lexicon().of(word)


def word_places(words: Words) -> list[tuple[int, int]]:
    """Return where the words are that have letters, one place for each letter."""
    places: list[tuple[int, int]] = []
    matches = (_IN_ASCII if words.folded.isascii() else _TOKEN).finditer(words.folded)
    for match, letters in zip(matches, words.letters, strict=True):
        found = _places_within(match) if letters and _RUN.search(match[0]) else []
        places += found if len(found) == len(letters) else [match.span()] * len(letters)
    return places


def _places_within(run: re.Match[str]) -> list[tuple[int, int]]:
    """Return where the known words of a run without spaces are."""
    at = run.start()
    return [(at + match.start(), at + match.end()) for match in lexicon().within.finditer(run[0])]

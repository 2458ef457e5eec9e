"""`Words`: what the words shortly before a value say that it is."""

# ruff: noqa: E501  (patterns)
from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.topics import IDEOGRAPHIC, TOPICS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

CONTEXT: Final = 64
"""How many characters before a value are looked at."""
_OF_ANOTHER: Final = 40
"""How many characters may stand between a word that names a number of something else, and a number that is no telephone
number because of it."""

_INITIALED: Final = r"[A-Z](?<!\w.)(?:\.[A-Z]){1,4}\b"
# All begin with one class, since such patterns are searched several times faster than those that begin with alternatives.
_LATIN: Final = r"[A-Za-z#$](?:(?<=[A-Za-z])[a-z]+|(?<=[A-Z])[A-Z]*(?![a-z])|)"
_ALL: Final = (
    r"[A-Za-zÀ-ÖØ-öø-ɏͰ-ӿ\u0590-\u07ff\u0900-\u0e7f#№$€£¥](?:(?<=[A-Za-zÀ-ÖØ-öø-ɏ])[a-zà-öø-ɏ]+"
    r"|(?<=[A-ZÀ-ÖØ-ÞĀ-ɏ])[A-ZÀ-ÖØ-ÞĀ-ɏ]*(?![a-zà-öø-ÿ])"
    r"|(?<=[Ͱ-ӿ])[Ͱ-ӿ]+|(?<=[\u0590-\u07ff])[\u0590-\u07ff]+|(?<=[\u0900-\u0e7f])[\u0900-\u0e7f]+|)"
)
_ACRONYM: Final = re.compile(_INITIALED)
_INITIALS: Final = re.compile(r"\.(?<=[A-Z].)[A-Z]")
"""What all acronyms have; there are fewer dots than capitals."""
_PATTERNS: Final = {
    (is_latin, has_acronyms): re.compile(f"({_INITIALED}|{letters})" if has_acronyms else f"({letters})")
    for is_latin, letters in ((True, _LATIN), (False, _ALL))
    for has_acronyms in (True, False)
}
_MANY: Final = 8
"""If more than one in so many characters is not ASCII, all words are searched for in one way."""
_LONGEST_ACRONYM: Final = 16
_LONGEST_WORD: Final = 24
_IDEOGRAPHIC: Final = re.compile(
    "|".join(sorted((word for words in IDEOGRAPHIC.values() for word in words), key=len, reverse=True))
)
"""Words of languages that are written without spaces."""
_LETTERS: Final = bytes(code if chr(code).isalpha() or chr(code) in "#$?" else 32 for code in range(128)) + bytes(128)
"""A table for `bytes.translate`, which is faster than that of `str` for short texts: a space for all that is no word.
A question mark stands for what is not ASCII."""
_PARTED: Final = re.compile(
    r"[A-Z#$?](?:(?<=\?)|(?<=[a-z].)|(?<=[A-Z].)(?=[a-z])|(?<=[#$])(?=[A-Za-z#$])|(?<=[A-Z#$][#$]))"
)
"""Where words meet without anything between them, as in ``phoneNumber``: the second letter, since capitals are searched for faster than any. Or what is not ASCII."""


_SIGNS: Final = frozenset("#")
"""What says that a number of something follows; right behind a word that says of what, it says nothing."""
_NUMBER_OF: Final = frozenset({"number", "numbers", "no", "security", "Number", "No", "Security"})
_OWN: Final = re.compile(
    r"(?<![^\W\d_])(?:my|his|her|our|your|their|meine|mijn|mitt|mi|mio|meu|su|tu|seu)"
    r"(?: (?:new|old|home|work|other|best|neue|nuevo|nuovo|novo))? $",
    re.IGNORECASE,
)
"""What somebody's number is a telephone number behind."""
_AS_WRITTEN: Final[Mapping[str, str]] = {
    "b": r"(?<=\()\w\.|(?<=[dD]\.[oO]\.)\w",
    "ur nar nac": r"\w+\.",
    "\u0440": r"(?<=[\u0434\u0433\u0414\u0413]\.)\w",
    "\u05d6": r"(?<=\u05ea[.\"\u05f4])\w",
    "registered": r"(?<=[nN]umber )\w",
    "office": r"\w+ ?[:=]",
    "toll": r"\w+[ -]?[fF]ree",
    "nr": r"(?<=I[dD])\w",
    "p": r"(?<=[kK]/)\w",
}
"""How words are written that say nothing if they are written otherwise."""
_DOUBTFUL: Final = MappingProxyType(
    {
        form: re.compile(pattern)
        for words, pattern in _AS_WRITTEN.items()
        for word in words.split()
        for form in (word, word.capitalize(), word.upper())
    }
)
_LAST_WORD: Final = re.compile(r"[^\W\d_]{1,20}(?=[ .:]{0,2}$)")

_NUMBER: Final = re.compile(r"(?<![\w-])[0-9][0-9.,]+")
"""What was named stands between a word and a number: that is another one."""

PHONE_NAMED: Final = 1
"""A telephone number is named, and no other number nearer."""
CARD_NAMED: Final = 2
"""Cards are named."""
OTHER_NAMED: Final = 4
"""The nearest word names a number of something else."""
_ELSEWHERE: Final = frozenset(
    {"phone", "card", "birth", "version", "ip", "mac", "wallet", "other", "passport", "licence", "number"}
)
"""Topics that name no national number of digits."""
NATIONAL_NAMED: Final = MappingProxyType(
    {
        topic: OTHER_NAMED << place
        for place, topic in enumerate(sorted({topic for about in TOPICS.values() for topic in about} - _ELSEWHERE), 1)
    }
)
"""Each of the topics that name national numbers has a bit of its own."""
_ANYWHERE: Final = CARD_NAMED | sum(NATIONAL_NAMED.values())
_DECIDING: Final = PHONE_NAMED | OTHER_NAMED


def _bits(about: Collection[str]) -> int:
    """Return the bits of a word by what it is about; such a word with `PHONE_NAMED` has no `OTHER_NAMED`."""
    bits = sum(NATIONAL_NAMED.get(topic, 0) for topic in about)
    bits |= CARD_NAMED if "card" in about else 0
    return bits | (PHONE_NAMED if "phone" in about else OTHER_NAMED if "other" in about else 0)


_NEAR: Final = frozenset({"birth", "passport", "licence", "mac"})
"""Topics whose words are searched for before their values are."""


class _Meaning:
    """What a word says.

    Args:
        topics: its topics.
    """

    __slots__ = ("bits", "is_doubtful", "near", "topics")

    def __init__(self, topics: tuple[str, ...]) -> None:
        self.is_doubtful = topics == ("number",)
        """Whether it says this only behind some words, or not behind some."""
        self.topics = ("phone",) if self.is_doubtful else topics
        self.bits = _bits(self.topics)
        self.near = _NEAR.intersection(topics)


def _meanings() -> Mapping[str, _Meaning]:
    meanings = {topics: _Meaning(topics) for topics in TOPICS.values()}
    found = {word: meanings[topics] for word, topics in TOPICS.items()}
    for sign in _SIGNS | _DOUBTFUL.keys():
        found[sign] = _Meaning(TOPICS[sign])
        found[sign].is_doubtful = True
    for topic, words in IDEOGRAPHIC.items():
        found |= dict.fromkeys(words, _Meaning((topic,)))
    return found


_MEANINGS: Final = _meanings()  # a plain one: it is asked for every word


class Topics(dict[str, int]):
    """What words are about, and how far away: 0 is the nearest word that says something."""

    __slots__ = ()

    def about(self, topic: str) -> bool:
        """Tell whether a topic is named, and no other purpose of a number is named behind it."""
        rank = self.get(topic)
        return rank is not None and rank <= self.get("other", rank)


def _says_so(text: str, word: str, at: int) -> bool:
    """Tell whether a number is somebody's, or a sign does not only repeat that a number of what was named follows."""
    if word in _DOUBTFUL:
        return _DOUBTFUL[word].match(text, at) is not None
    low = max(0, at - _LONGEST_WORD)
    if word not in _SIGNS:
        return _OWN.search(text, low, at) is not None
    if not text[low:at].rstrip(" .:")[-1:].isalpha():
        return True
    before = _LAST_WORD.search(text, low, at)
    return before is None or not (before[0] in TOPICS or before[0] in _NUMBER_OF)


def _simple(piece: str) -> list[tuple[int, int, str]]:
    """Find the words that say something in a text; several times faster than `_parted` where most of it is ASCII."""
    spaced = f" {piece.encode('ascii', 'replace').translate(_LETTERS).decode('ascii')} "
    if spaced.count("?") > len(piece) // _MANY:
        return _parted(piece)
    found: list[tuple[int, int, str]] = []
    at = 0
    for word in filter(_MEANINGS.__contains__, spaced.split()):
        at = spaced.index(f" {word} ", at)  # of the same words none was left out before
        found.append((at, at + len(word), word))
        at += len(word)
    found += _between(piece, spaced)
    found.sort()
    return _with_acronyms(piece, found)


def _with_acronyms(piece: str, found: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Add acronyms to words, in place of their letters."""
    acronyms: list[tuple[int, int]] = []
    end = 0
    for initials in _INITIALS.finditer(piece):
        if initials.start() > end and (acronym := _ACRONYM.match(piece, initials.start() - 1)):
            acronyms.append(acronym.span())
            end = acronym.end()
    if not acronyms:
        return found
    ends = [end for _, end in acronyms]
    places = [bisect_right(ends, start) for start, _, _ in found]
    left = [one for one, at in zip(found, places, strict=True) if at == len(acronyms) or one[0] < acronyms[at][0]]
    words = [(start, end, piece[start:end].replace(".", "")) for start, end in acronyms]
    return sorted(left + [one for one in words if one[2] in _MEANINGS])


def _between(piece: str, spaced: str) -> list[tuple[int, int, str]]:
    """Find the words in what has words without anything between them."""
    pattern = _PATTERNS[piece.isascii(), False]
    found: list[tuple[int, int, str]] = []
    done = 0
    for mark in _PARTED.finditer(spaced):
        at = mark.start()
        if at >= done:
            low, done = spaced.rfind(" ", 0, at), spaced.index(" ", at)
            parts = pattern.finditer(piece, low, done - 1)
            found += [(part.start(), part.end(), part[0]) for part in parts if part[0] in _MEANINGS]
    return found


def _parted(piece: str) -> list[tuple[int, int, str]]:
    """Find the words that say something in any text, with the dots of acronyms taken out."""
    pattern = _PATTERNS[piece.isascii(), _INITIALS.search(piece) is not None]
    pieces = pattern.split(piece)  # what stands between words, and they
    words = [word.replace(".", "") if "." in word else word for word in pieces[1::2]]
    ends = list(accumulate(map(len, pieces)))
    return [(ends[2 * place], ends[2 * place + 1], word) for place, word in enumerate(words) if word in _MEANINGS]


class Words:
    """The words of a text that have a topic. They are looked up island by island, for those that ask.

    Args:
        text: the clean text.
    """

    __slots__ = ("_done", "_ends", "_meanings", "_near", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._meanings: list[_Meaning] = []
        self._near: dict[str, list[tuple[int, int]]] = {topic: [] for topic in _NEAR}  # where its words end, and begin
        self._done = 0

    def look(self, low: int, high: int) -> None:
        """Look words up before and in an island. Islands come in order, and no word crosses the end of one."""
        if high <= self._done:
            return
        text = self._text
        low = max(self._done, low - CONTEXT - _LONGEST_ACRONYM)  # a word cut there is too far away to count
        self._done = high
        piece = text[low:high]
        found = _simple(piece)
        if not piece.isascii() and _IDEOGRAPHIC.search(piece):
            found += [(match.start(), match.end(), match[0]) for match in _IDEOGRAPHIC.finditer(piece)]
            found.sort()
        for start, end, word in found:
            start, end, meaning = start + low, end + low, _MEANINGS[word]  # noqa: PLW2901  (places in the text)
            if meaning.is_doubtful and not _says_so(text, word, start):
                continue
            for topic in meaning.near:
                self._near[topic].append((end, start))
            self._starts.append(start)
            self._ends.append(end)
            self._meanings.append(meaning)

    def topics(self, at: int, reach: int = CONTEXT) -> Topics:
        """Tell what the words before a place are about.

        Args:
            at: the place, in an island that was looked at.
            reach: how many characters before it are looked at; words that begin before these do not count.
        """
        low = at - reach
        found = Topics()
        place = last = bisect_right(self._ends, at)
        while place and self._starts[place - 1] >= low:
            place -= 1
            for topic in self._meanings[place].topics:
                found.setdefault(topic, last - place - 1)
        return found

    def named(self, at: int) -> int:
        """Tell in short what the words before a place name: `PHONE_NAMED` and the others, as bits."""
        low = at - CONTEXT
        starts, meanings = self._starts, self._meanings
        place = bisect_right(self._ends, at) - 1
        if place < 0 or starts[place] < low:
            return 0
        deciding = all_ = meanings[place].bits
        nearest = all_ if self._ends[place] >= at - _OF_ANOTHER else 0
        if nearest & OTHER_NAMED and _NUMBER.search(self._text, self._ends[place], at):
            nearest = 0
        while place and starts[place - 1] >= low:
            place -= 1
            bits = meanings[place].bits
            all_ |= bits
            if not deciding & _DECIDING:
                deciding = bits
        return all_ & _ANYWHERE | deciding & PHONE_NAMED | nearest & OTHER_NAMED

    def places(self, topics: Iterable[str]) -> list[tuple[int, int]]:
        """Return where words of topics end and begin, in order.

        Args:
            topics: topics of ``_NEAR``.
        """
        return sorted([place for topic in topics for place in self._near[topic]])

    def behind(self, topic: str, low: int, high: int, reach: int) -> list[tuple[int, int]]:
        """Return where values begin at the earliest, and at the latest, that words of a topic are near to.

        Args:
            topic: the topic, one of ``_NEAR``.
            low: the first place for a value.
            high: the last one.
            reach: how far before a value a word may begin.
        """
        near = self._near[topic]
        if not near or near[-1][0] <= low - reach:
            return []
        near = near[bisect_left(near, (low - reach + 1,)) : bisect_left(near, (high + 1,))]
        return [(max(end, low), start + reach) for end, start in near if start + reach >= low]

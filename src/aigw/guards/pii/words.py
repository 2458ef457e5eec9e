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

_ACRONYM: Final = r"[A-Z](?<!\w.)(?:\.[A-Z]){1,4}\b"
# All begin with one class, since such patterns are searched several times faster than those that begin with alternatives.
_LATIN: Final = r"[A-Za-z#$](?:(?<=[A-Za-z])[a-z]+|(?<=[A-Z])[A-Z]*(?![a-z])|)"
_ALL: Final = (
    r"[A-Za-zÀ-ÖØ-öø-ɏͰ-ӿ\u0590-\u07ff\u0900-\u0e7f#№$€£¥](?:(?<=[A-Za-zÀ-ÖØ-öø-ɏ])[a-zà-öø-ɏ]+"
    r"|(?<=[A-ZÀ-ÖØ-ÞĀ-ɏ])[A-ZÀ-ÖØ-ÞĀ-ɏ]*(?![a-zà-öø-ÿ])"
    r"|(?<=[Ͱ-ӿ])[Ͱ-ӿ]+|(?<=[\u0590-\u07ff])[\u0590-\u07ff]+|(?<=[\u0900-\u0e7f])[\u0900-\u0e7f]+|)"
)
_INITIALS: Final = re.compile(r"\.(?<=[A-Z].)[A-Z]")
"""What all acronyms have; there are fewer dots than capitals."""
_PATTERNS: Final = {
    (is_latin, has_acronyms): re.compile(f"({_ACRONYM}|{letters})" if has_acronyms else f"({letters})")
    for is_latin, letters in ((True, _LATIN), (False, _ALL))
    for has_acronyms in (True, False)
}
_LONGEST_ACRONYM: Final = 16
_LONGEST_WORD: Final = 24
_IDEOGRAPHS: Final = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+")
_ANY_IDEOGRAPHIC: Final = re.compile("|".join(word for words in IDEOGRAPHIC.values() for word in words))
_IDEOGRAPHIC_WORDS: Final = {topic: re.compile("|".join(words)) for topic, words in IDEOGRAPHIC.items()}


_SIGNS: Final = frozenset("#")
"""What says that a number of something follows; right behind a word that says of what, it says nothing."""
_NUMBER_OF: Final = frozenset({"number", "numbers", "no", "security", "Number", "No", "Security"})
_OWN: Final = re.compile(
    r"(?<![^\W\d_])(?:my|his|her|our|your|their|meine|mijn|mitt|mi|mio|meu|su|tu|seu)"
    r"(?: (?:new|old|home|work|other|best|neue|nuevo|nuovo|novo))? $",
    re.IGNORECASE,
)
"""What somebody's number is a telephone number behind."""
_LAST_WORD: Final = re.compile(r"[^\W\d_]{1,20}(?=[ .:]{0,2}$)")

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
    for sign in _SIGNS:
        found[sign] = _Meaning(TOPICS[sign])
        found[sign].is_doubtful = True
    return MappingProxyType(found)


_MEANINGS: Final = _meanings()


class Topics(dict[str, int]):
    """What words are about, and how far away: 0 is the nearest word that says something."""

    __slots__ = ()

    def about(self, topic: str) -> bool:
        """Tell whether a topic is named, and no other purpose of a number is named behind it."""
        rank = self.get(topic)
        return rank is not None and rank <= self.get("other", rank)


def _says_so(text: str, word: str, at: int) -> bool:
    """Tell whether a number is somebody's, or a sign does not only repeat that a number of what was named follows."""
    low = max(0, at - _LONGEST_WORD)
    if word not in _SIGNS:
        return _OWN.search(text, low, at) is not None
    before = _LAST_WORD.search(text, low, at)
    return before is None or not (before[0] in TOPICS or before[0] in _NUMBER_OF)


def _named(topics: Topics) -> int:
    """Return the bits for topics."""
    if not topics:
        return 0
    found = _bits(topics) & _ANYWHERE
    if topics.about("phone"):
        return found | PHONE_NAMED
    return found | OTHER_NAMED if topics.get("other") == 0 else found


class Words:
    """The words of a text that have a topic. They are looked up island by island, for those that ask.

    Args:
        text: the clean text.
    """

    __slots__ = ("_done", "_ends", "_foreign", "_meanings", "_near", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._meanings: list[_Meaning] = []
        self._near: dict[str, list[tuple[int, int]]] = {topic: [] for topic in _NEAR}  # where its words end, and begin
        self._foreign: list[tuple[int, int]] = []  # where characters stand that are words without spaces
        self._done = 0

    def look(self, low: int, high: int) -> None:
        """Look words up before and in an island. Islands come in order, and no word crosses the end of one."""
        if high <= self._done:
            return
        text = self._text
        low = max(self._done, low - CONTEXT - _LONGEST_ACRONYM)  # a word cut there is too far away to count
        self._done = high
        has_acronyms = _INITIALS.search(text, low, high) is not None
        piece = text[low:high]
        pieces = _PATTERNS[piece.isascii(), has_acronyms].split(piece)  # what stands between words, and they
        words = [word.replace(".", "") for word in pieces[1::2]] if has_acronyms else pieces[1::2]
        ends = list(accumulate(map(len, pieces), initial=low))
        for place, meaning in enumerate(map(_MEANINGS.get, words)):
            if meaning:
                start = ends[2 * place + 1]
                if meaning.is_doubtful and not _says_so(text, words[place], start):
                    continue
                end = ends[2 * place + 2]
                for topic in meaning.near:
                    self._near[topic].append((end, start))
                self._starts.append(start)
                self._ends.append(end)
                self._meanings.append(meaning)
        if not piece.isascii():
            self._foreign += [match.span() for match in _IDEOGRAPHS.finditer(text, low, high)]

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
        if self._foreign and self._is_foreign(low, at):
            before = self._text[max(0, low) : at]
            if _ANY_IDEOGRAPHIC.search(before) is None:
                return found
            places = {topic: max(before.rfind(word) for word in words) for topic, words in IDEOGRAPHIC.items()}
            for rank, topic in enumerate(sorted((t for t in places if places[t] >= 0), key=lambda t: -places[t])):
                found[topic] = min(rank, found.get(topic, rank))
        return found

    def _is_foreign(self, low: int, high: int) -> bool:
        """Tell whether words without spaces stand in a part of the text."""
        place = bisect_left(self._foreign, (high,))
        return place > 0 and self._foreign[place - 1][1] > low

    def named(self, at: int) -> int:
        """Tell in short what the words before a place name: `PHONE_NAMED` and the others, as bits."""
        low = at - CONTEXT
        if self._foreign and self._is_foreign(low, at):
            return _named(self.topics(at))
        starts, meanings = self._starts, self._meanings
        place = bisect_right(self._ends, at) - 1
        if place < 0 or starts[place] < low:
            return 0
        deciding = all_ = meanings[place].bits
        nearest = all_ if self._ends[place] >= at - _OF_ANOTHER else 0
        while place and starts[place - 1] >= low:
            place -= 1
            bits = meanings[place].bits
            all_ |= bits
            if not deciding & _DECIDING:
                deciding = bits
        return all_ & _ANYWHERE | deciding & PHONE_NAMED | nearest & OTHER_NAMED

    def places(self, topics: Iterable[str]) -> list[tuple[int, int]]:
        """Return where words of topics end and begin, in order, and where such words may stand that have no spaces.

        Args:
            topics: topics of ``_NEAR``.
        """
        found = [place for topic in topics for place in self._near[topic]]
        if self._foreign and not _IDEOGRAPHIC_WORDS.keys().isdisjoint(topics):
            found += self._foreign
        return sorted(found)

    def behind(self, topic: str, low: int, high: int, reach: int) -> list[tuple[int, int]]:
        """Return where values begin at the earliest, and at the latest, that words of a topic are near to.

        Args:
            topic: the topic, one of ``_NEAR``.
            low: the first place for a value.
            high: the last one.
            reach: how far before a value a word may begin.
        """
        near = self._near[topic]
        places: list[tuple[int, int]] = []
        if near and near[-1][0] > low - reach:
            near = near[bisect_left(near, (low - reach + 1,)) : bisect_left(near, (high + 1,))]
            places = [(end, start + reach) for end, start in near]
        if self._foreign and topic in _IDEOGRAPHIC_WORDS and self._is_foreign(low - reach, high):
            words = _IDEOGRAPHIC_WORDS[topic].finditer(self._text, max(0, low - reach), high)
            places = sorted([*places, *((word.end(), word.start() + reach) for word in words)])
        return [(max(first, low), last) for first, last in places if last >= low] if places else places

"""`Words`: what the words shortly before a value say that it is."""

# ruff: noqa: E501  (patterns)
from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.topics import IDEOGRAPHIC, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTEXT: Final = 64
"""How many characters before a value are looked at."""

_ACRONYM: Final = r"[A-Z](?<!\w.)(?:\.[A-Z]){1,4}\b"
# All begin with one class, since such patterns are searched several times faster than those that begin with alternatives.
_LATIN: Final = r"[A-Za-z#$](?:(?<=[A-Za-z])[a-z]+|(?<=[A-Z])[A-Z]*(?![a-z])|)"
_ALL: Final = (
    r"[A-Za-zà-öø-ɏЀ-ӿ\u0590-\u07ff\u0900-\u0e7f#№$€£¥](?:(?<=[A-Za-zà-öø-ɏ])[a-zà-öø-ɏ]+|(?<=[A-Z])[A-Z]*(?![a-z])"
    r"|(?<=[Ѐ-ӿ])[Ѐ-ӿ]+|(?<=[\u0590-\u07ff])[\u0590-\u07ff]+|(?<=[\u0900-\u0e7f])[\u0900-\u0e7f]+|)"
)
_HAS_ACRONYM: Final = re.compile(_ACRONYM)
_PATTERNS: Final = {
    (is_latin, has_acronyms): re.compile(f"({_ACRONYM}|{letters})" if has_acronyms else f"({letters})")
    for is_latin, letters in ((True, _LATIN), (False, _ALL))
    for has_acronyms in (True, False)
}
_LONGEST_ACRONYM: Final = 16
_IDEOGRAPHS: Final = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
_IDEOGRAPHIC_WORDS: Final = {topic: re.compile("|".join(words)) for topic, words in IDEOGRAPHIC.items()}


_NEAR: Final = frozenset({"birth", "passport", "licence"})
"""Topics whose words are searched for before their values are."""


class Topics(dict[str, int]):
    """What words are about, and how far away: 0 is the nearest word that says something."""

    __slots__ = ()

    def about(self, topic: str) -> bool:
        """Tell whether a topic is named, and no other purpose of a number is named behind it."""
        rank = self.get(topic)
        return rank is not None and rank <= self.get("other", rank)


class Words:
    """The words of a text that have a topic. They are looked up island by island, for those that ask.

    Args:
        text: the clean text.
    """

    __slots__ = ("_about", "_done", "_ends", "_has_ideographs", "_near", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._about: list[tuple[str, ...]] = []
        self._near: dict[str, list[int]] = {topic: [] for topic in _NEAR}
        self._has_ideographs = False
        self._done = 0

    def look(self, low: int, high: int) -> None:
        """Look words up before and in an island. Islands come in order, and no word crosses the end of one."""
        if high <= self._done:
            return
        text = self._text
        low = max(self._done, low - CONTEXT - _LONGEST_ACRONYM)  # a word cut there is too far away to count
        self._done = high
        has_acronyms = _HAS_ACRONYM.search(text, low, high) is not None
        pieces = _PATTERNS[text.isascii(), has_acronyms].split(text[low:high])  # what stands between words, and they
        words = [word.replace(".", "") for word in pieces[1::2]] if has_acronyms else pieces[1::2]
        ends = list(accumulate(map(len, pieces), initial=low))
        for place, about in enumerate(map(TOPICS.get, words)):
            if about:
                self._starts.append(ends[2 * place + 1])
                self._ends.append(ends[2 * place + 2])
                self._about.append(about)
                if not _NEAR.isdisjoint(about):
                    for topic in _NEAR.intersection(about):
                        self._near[topic].append(len(self._about) - 1)
        if not self._has_ideographs and not text.isascii():
            self._has_ideographs = _IDEOGRAPHS.search(text, low, high) is not None

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
            for topic in self._about[place]:
                found.setdefault(topic, last - place - 1)
        if self._has_ideographs:
            before = self._text[max(0, low) : at]
            if _IDEOGRAPHS.search(before):
                places = {topic: max(before.rfind(word) for word in words) for topic, words in IDEOGRAPHIC.items()}
                for rank, topic in enumerate(sorted((t for t in places if places[t] >= 0), key=lambda t: -places[t])):
                    found[topic] = min(rank, found.get(topic, rank))
        return found

    def behind(self, topic: str, low: int, high: int, reach: int) -> Iterator[tuple[int, int]]:
        """Yield where values begin at the earliest, and at the latest, that words of a topic are near to.

        Args:
            topic: the topic, one of ``_NEAR``.
            low: the first place for a value.
            high: the last one.
            reach: how far before a value a word may begin.
        """
        ends = self._ends
        near = self._near[topic]
        places: list[tuple[int, int]] = []
        if near:
            first, behind = bisect_right(ends, low - reach), bisect_right(ends, high)
            near = near[bisect_left(near, first) : bisect_left(near, behind)]
            places = [(ends[place], self._starts[place] + reach) for place in near]
        if self._has_ideographs and topic in _IDEOGRAPHIC_WORDS:
            words = _IDEOGRAPHIC_WORDS[topic].finditer(self._text, max(0, low - reach), high)
            places = sorted([*places, *((word.end(), word.start() + reach) for word in words)])
        for first, last in places:
            if last >= low:
                yield max(first, low), last

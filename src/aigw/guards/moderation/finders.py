"""The finders of `Moderation`, but for links: words, patterns, canaries, lengths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.guards.moderation.disguises import disguises
from aigw.guards.moderation.folded import REACH
from aigw.guards.moderation.letters import Needles, letters_of
from aigw.guards.moderation.words import phrases_of
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aigw.guards.moderation.seen import Seen
    from aigw.guards.pii import Custom

SHORTEST_CANARY: Final = 6
"""Letters and digits of the shortest canary: shorter ones would be found by chance."""

_WORD_SCORE: Final = 0.9
"""A word in an address must not keep the address from being found."""

_BEHIND: Final = 64
"""Characters that a pattern may look back at."""


class Words:
    """Finds words and phrases as words of their own.

    Args:
        kind: what they are reported as.
        phrases: the words and phrases.
    """

    context: int = REACH

    def __init__(self, kind: str, phrases: Iterable[str]) -> None:
        self._kind = kind
        self._phrases = phrases_of(phrases)

    def find(self, seen: Seen) -> Iterator[Span]:
        """Yield the words; see `aigw.guards.moderation.seen.Finder`."""
        folded = seen.folded
        for match in self._phrases.pattern.finditer(folded.text, seen.first, seen.end):
            yield Span(*folded.span(*match.span()), self._kind, _WORD_SCORE)

    def begun(self, seen: Seen) -> int:
        """Return where a word may have begun."""
        match = self._phrases.begun.search(seen.folded.text, seen.first, seen.end)
        return seen.folded.place(seen.end if match is None else match.start())


class Patterns:
    """Finds what patterns of the user match, whose matches have a longest length.

    Args:
        patterns: the patterns by the kind to report.
    """

    def __init__(self, patterns: Mapping[str, Custom]) -> None:
        from aigw.guards.pii.custom import CustomRule

        self._rules = [CustomRule(kind, pattern) for kind, pattern in patterns.items()]
        self._longest = max(rule.max_length for rule in self._rules)
        self.context = self._longest + _BEHIND

    def find(self, seen: Seen) -> Iterator[Span]:
        """Yield the matches; see `aigw.guards.moderation.seen.Finder`."""
        for rule in self._rules:
            yield from rule.find(seen.text, seen.start)

    def begun(self, seen: Seen) -> int:
        """Return where a match may have begun."""
        return max(seen.start, len(seen.text) - self._longest)


class Canaries:
    """Finds texts by their letters and digits alone, also in disguise.

    Args:
        canaries: the texts.

    Raises:
        ConfigError: one is too short.
    """

    context: int = REACH

    def __init__(self, canaries: Iterable[str]) -> None:
        canaries = tuple(canaries)
        if any(len(letters_of(canary)) < SHORTEST_CANARY for canary in canaries):
            raise ConfigError(f"Moderation(canaries) must have at least {SHORTEST_CANARY} letters and digits each")
        self._needles = Needles(form for canary in canaries for form in disguises(canary))

    def find(self, seen: Seen) -> Iterator[Span]:
        """Yield where they stand; see `aigw.guards.moderation.seen.Finder`."""
        return seen.spans_of(self._needles.find(seen.letters.text), "CANARY")

    def begun(self, seen: Seen) -> int:
        """Return where one may have begun."""
        return seen.place_of(self._needles.begun(seen.letters.text))


class Length:
    """Finds the first character that is too many.

    Args:
        most: how many there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.context = most + 1
        """The text is counted from its beginning, which is gone only when the end of what is allowed is, too."""

    def find(self, seen: Seen) -> list[Span]:
        """Return that character; see `aigw.guards.moderation.seen.Finder`."""
        if len(seen.text) <= self._most or self._most < seen.start:
            return []
        return [Span(self._most, self._most + 1, "TOO_LONG", 0.95)]

    def begun(self, seen: Seen) -> int:
        """Return the length of the text: a character is too many or not, whatever comes."""
        return len(seen.text)


def sorted_out(given: Mapping[str, Any]) -> tuple[dict[str, Custom], dict[str, re.Pattern[str]]]:
    """Return the patterns that say how long a match may be, and those that do not.

    Args:
        given: patterns of the user by the kind to report.

    Raises:
        ConfigError: one of them is none, or matches nothing at all as well.
    """
    limited: dict[str, Custom] = {}
    endless: dict[str, re.Pattern[str]] = {}
    for kind, pattern in given.items():
        if isinstance(pattern, (str, re.Pattern)):
            endless[kind] = compiled(f"Moderation(patterns[{kind!r}])", pattern)
            continue
        from aigw.guards.pii.custom import Custom

        if not isinstance(pattern, Custom):
            raise ConfigError(f"Moderation(patterns[{kind!r}]) is no regular expression: {pattern!r}")
        limited[kind] = pattern
    return limited, endless


def compiled(name: str, pattern: Any) -> re.Pattern[str]:
    """Compile a pattern of the user.

    Raises:
        ConfigError: it is none, or it matches nothing at all as well.
    """
    try:
        made: re.Pattern[Any] = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigError(f"{name} is no regular expression: {error}") from None
    if not isinstance(made.pattern, str):
        raise ConfigError(f"{name} is a regular expression of bytes, and must be one of texts")
    if made.match(""):
        raise ConfigError(f"{name} fits nothing at all as well: it would be found everywhere")
    return made

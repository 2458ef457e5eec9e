"""`Moderation`: words, topics, patterns, canaries, links and lengths that an answer must not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.guards.moderation.folded import Folded
from aigw.guards.moderation.links import find_links
from aigw.guards.moderation.words import pattern_of
from aigw.guards.normalise import fold
from aigw.guards.normalise_decoders import readings
from aigw.guards.span import Span, best

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHORTEST_CANARY: Final = 6


class Moderation:
    """Finds what a text must not say, by lists and rules: it does not understand what is meant.

    >>> [span.kind for span in Moderation(topics={"rivals": ["Acme Corp"]}).find("Ask A c m e  C 0 r p.")]
    ['RIVALS']

    Words and topics are found whatever they are disguised as (other alphabets, digits for letters, letters written
    apart or repeated), and only as words of their own: ``ass`` is not found in ``assassin``.

    Args:
        words: words and phrases; found as ``WORD``.
        topics: phrases by the name of their topic; found as that name, in capitals.
        patterns: regular expressions by the kind to report. One that runs away holds everything up: write none that
            can.
        canaries: texts that must never appear, such as one that was hidden in a system prompt; also found in base64,
            hex, reversed and the like, as ``CANARY``.
        links: hosts to which links may lead; ``None`` for any. Images of others, and links to them that carry data, are
            found as ``EXFILTRATION``.
        max_length: characters that a text may have; what is too much is found as ``TOO_LONG``.

    Raises:
        ConfigError: an argument makes no sense, or there is nothing to look for.
    """

    default_where: ClassVar[str] = "answer"
    default_action: ClassVar[str] = "block"
    is_quick: ClassVar[bool] = False

    def __init__(
        self,
        words: Iterable[str] = (),
        *,
        topics: Mapping[str, Iterable[str]] | None = None,
        patterns: Mapping[str, str] | None = None,
        canaries: Iterable[str] = (),
        links: Iterable[str] | None = None,
        max_length: int | None = None,
    ) -> None:
        phrases = {"WORD": _texts("words", words)}
        for topic, given in (topics or {}).items():
            phrases[topic.upper()] = _texts(f"topics[{topic!r}]", given)
        self._phrases = {kind: pattern_of(found) for kind, found in phrases.items() if found}
        self._patterns = {kind: _compiled(kind, pattern) for kind, pattern in (patterns or {}).items()}
        self._canaries = tuple([squash_all(canary) for canary in _texts("canaries", canaries)])
        if any(len(canary) < SHORTEST_CANARY for canary in self._canaries):
            raise ConfigError(f"Moderation(canaries) must have at least {SHORTEST_CANARY} letters and digits each")
        self._links = None if links is None else tuple([host.lower() for host in _texts("links", links)])
        self._max_length = None if max_length is None else at_least("Moderation(max_length)", max_length, 1)
        if not (self._phrases or self._patterns or self._canaries) and links is None and max_length is None:
            raise ConfigError(
                "Moderation() looks for nothing: give words, topics, patterns, canaries, links, max_length"
            )

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find what is in a text; see `aigw.guards.Detector`."""
        found = [
            Span(*match.span(), kind) for kind, pattern in self._patterns.items() for match in pattern.finditer(text)
        ]
        if self._phrases:
            folded = Folded(text)
            for kind, pattern in self._phrases.items():
                found += [Span(*folded.span(*match.span()), kind) for match in pattern.finditer(folded.text)]
        if self._links is not None:
            found += find_links(text, self._links)
        if self._canaries and self._has_canary(text):
            found.append(Span(0, len(text), "CANARY"))
        if self._max_length is not None and len(text) > self._max_length:
            found.append(Span(self._max_length, len(text), "TOO_LONG", 0.99))
        return [span for span in best([span for span in found if span.start < span.end]) if span.start >= start]

    def _has_canary(self, text: str) -> bool:
        seen = [squash_all(text), *(squash_all(reading) for reading in readings(text))]
        seen.append(seen[0][::-1])
        return any(canary in one for canary in self._canaries for one in seen)


def squash_all(text: str) -> str:
    """Return only the letters and digits of a text, folded."""
    return "".join([character for character in fold(text) if character.isalnum()])


def _texts(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ConfigError(f"Moderation({name}) must be a list of texts, such as [{given!r}]")
    found = tuple(given)
    if not all(isinstance(one, str) and squash_all(one) for one in found):
        raise ConfigError(f"Moderation({name}) must hold texts with letters or digits in them")
    return found


def _compiled(kind: str, pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigError(f"Moderation(patterns[{kind!r}]) is no regular expression: {error}") from None
    if compiled.match(""):
        raise ConfigError(f"Moderation(patterns[{kind!r}]) fits nothing at all as well: it would be found everywhere")
    return compiled

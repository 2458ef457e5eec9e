"""`Moderation`: words, topics, patterns, canaries, links and lengths that an answer must not have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.guards.moderation.finders import Canaries, Length, Patterns, Words, sorted_out
from aigw.guards.moderation.folded import REACH
from aigw.guards.moderation.letters import letters_of
from aigw.guards.moderation.links import Links
from aigw.guards.moderation.seen import decided, found_in
from aigw.guards.span import Span, best

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aigw.guards.moderation.seen import Finder
    from aigw.guards.pii import Custom


class Moderation:
    """Finds what a text must not say, by lists and rules: it does not understand what is meant.

    >>> [span.kind for span in Moderation(topics={"rivals": ["Acme Corp"]}).find("Ask A c m e  C 0 r p.")]
    ['RIVALS']

    Words and topics are found whatever they are disguised as (other alphabets, digits for letters, letters written
    apart or repeated), and only as words of their own: ``ass`` is not found in ``assassin``. With a star at its end a
    word is also found with more letters behind it: ``hammer*`` in ``hammering``.

    A `StreamDetector`, unless it has patterns whose matches may have any length.

    Args:
        words: words and phrases; found as ``WORD``.
        topics: phrases by the name of their topic; found as that name, in capitals.
        patterns: regular expressions by the kind to report. For those that are plain texts, or compiled, a stream is
            held to its end; an `aigw.guards.pii.Custom` says how long a match may be. One that runs away holds
            everything up: write none that can.
        canaries: texts that must never appear, such as one that was hidden in a system prompt; also found reversed, in
            base64, hex and the like, as ``CANARY``.
        links: hosts to which links may lead; ``None`` for any. Images of others, and links to them that carry data, are
            found as ``EXFILTRATION``.
        max_length: characters that a text may have; the first that is too many is found as ``TOO_LONG``.

    Raises:
        ConfigError: an argument makes no sense, or there is nothing to look for.
    """

    default_where: ClassVar[str] = "answer"
    default_action: ClassVar[str] = "block"

    def __init__(
        self,
        words: Iterable[str] = (),
        *,
        topics: Mapping[str, Iterable[str]] | None = None,
        patterns: Mapping[str, str | re.Pattern[str] | Custom] | None = None,
        canaries: Iterable[str] = (),
        links: Iterable[str] | None = None,
        max_length: int | None = None,
    ) -> None:
        finders: list[Finder] = []
        phrases: dict[str, tuple[str, ...]] = {"WORD": _texts("words", words)}
        for topic, listed in (topics or {}).items():
            kind = _kind("topics", topic).upper()
            phrases[kind] = phrases.get(kind, ()) + _texts(f"topics[{topic!r}]", listed)
        finders += [Words(kind, listed) for kind, listed in phrases.items() if listed]
        given = {_kind("patterns", kind): pattern for kind, pattern in (patterns or {}).items()}
        limited, self._endless = sorted_out(given)
        if limited:
            finders.append(Patterns(limited))
        hidden = _texts("canaries", canaries)
        if hidden:
            finders.append(Canaries(hidden))
        if links is not None:
            finders.append(Links([_host(host) for host in _texts("links", links)]))
        if max_length is not None:
            finders.append(Length(at_least("Moderation(max_length)", max_length, 1)))
        if not finders and not self._endless:
            raise ConfigError(
                "Moderation() looks for nothing: give words, topics, patterns, canaries, links, max_length"
            )
        self._finders = tuple(finders)
        self.context = max([REACH, *(finder.context for finder in finders)])
        """How many characters before a cut later findings may depend on."""
        self.streams = not self._endless
        """Whether it can watch a stream."""
        self.is_quick = not patterns
        """It ends soon for any text: patterns of your own may not."""

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find what is in a text; see `aigw.guards.Detector`."""
        if self.streams:
            return best(found_in(self._finders, text, start, self.context))
        # What a place belongs to may begin anywhere before it where matches have any length.
        found = found_in(self._finders, text, 0, self.context)
        for kind, pattern in self._endless.items():
            matches = [match.span() for match in pattern.finditer(text)]
            found += [Span(*place, kind) for place in matches if place[0] < place[1]]
        return [span for span in best(found) if span.start >= start]

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided, whatever comes after it; see `aigw.guards.StreamDetector`."""
        return decided(self._finders, text, start)[0] if self.streams else start


def _texts(name: str, given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ConfigError(f"Moderation({name}) must be a list of texts, such as [{given!r}]")
    try:
        found = tuple(given)
    except TypeError:
        raise ConfigError(f"Moderation({name}) must be a list of texts, not {given!r}") from None
    for one in found:
        if not isinstance(one, str) or not letters_of(one):
            raise ConfigError(f"Moderation({name}) must hold texts with letters or digits in them, not {one!r}")
    return found


def _kind(name: str, given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(f"Moderation({name}) must have texts as names, not {given!r}")
    return given


def _host(given: str) -> str:
    host = given.strip().lower().removeprefix("*.").strip(".")
    if not re.fullmatch(r"[^\s/\\:@?#*]+", host):
        raise ConfigError(f"Moderation(links) must hold hosts, such as 'example.org', not {given!r}")
    return host

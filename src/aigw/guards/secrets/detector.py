"""`Secrets`: finds keys, tokens, passwords and private keys in texts."""

from __future__ import annotations

import re
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe
from aigw.errors import ConfigError
from aigw.guards.secrets.assigned import AHEAD, Assigned
from aigw.guards.secrets.commands import find_given
from aigw.guards.secrets.cookies import find_sessions
from aigw.guards.secrets.formats import FORMATS
from aigw.guards.secrets.judged import LABELS
from aigw.guards.secrets.pairs import find_pairs
from aigw.guards.secrets.pem import find_keys, open_block
from aigw.guards.secrets.seen import CONTEXT, GAPS, REACH, Seen, last_token, without_hidden_end
from aigw.guards.secrets.shapes import FORMS, SURE, find_credentials, find_tokens
from aigw.guards.secrets.values import is_strong
from aigw.guards.span import Span, best

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: Final = tuple(
    sorted(
        {*LABELS.values(), "PRIVATE_KEY", "URL_CREDENTIALS", "DISCORD_BOT_TOKEN"}
        | {one.kind for one in FORMATS}
        | {one.kind for one in FORMS}
    )
)
"""The kinds of secrets: four general ones, private keys, credentials in addresses, and those of the providers."""

_LONGEST_CUSTOM: Final = 200
_SLICE: Final = 16_384
"""Characters of a large text that are looked at together."""
_LONGEST_TOKEN: Final = 98_304
"""A token that is longer is decided piece by piece: no secret without a gap has more than `_LONGEST_SECRET`."""
_LONGEST_SECRET: Final = 24_576
_TOKENS: Final = re.compile(f"[^{GAPS}]+")


class Secrets:
    """Finds secrets by the formats of their providers, the names they are assigned to, and what sentences say of them.

    >>> [(span.kind, span.start, span.end) for span in Secrets().find("the db password is Tr0ub4dor&3, don't share it")]
    [('PASSWORD', 19, 30)]

    A `StreamDetector`: what it finds in a text that grows is what it finds in the whole. A span covers the secret
    alone, without its name and quotes; of a private key the whole block, of an address ``user:password``.

    Args:
        kinds: which of `KINDS` are reported; by default all. What `custom` finds is always reported.
        exclude: which of them are not.
        custom: patterns of your own by the kind to report. A match has no white space in it and at most 200 characters;
            a pattern may look at the word that it stands in.
        allow: values that are no secrets, such as those of your tests: texts, or compiled patterns of the whole.
        entropy: the least entropy of keys and tokens without a known format, in bits for each character; more finds
            less.
        min_score: what the detector is less sure of is left out. At 0.4 also single words that are assigned to a
            password, and default passwords of services, are reported.

    Raises:
        ConfigError: an argument makes no sense.
    """

    context: int = CONTEXT
    default_action = "mask"

    def __init__(
        self,
        kinds: Iterable[str] | None = None,
        *,
        exclude: Iterable[str] = (),
        custom: Mapping[str, str | re.Pattern[str]] | None = None,
        allow: Iterable[str | re.Pattern[str]] = (),
        entropy: float = 3.0,
        min_score: float = 0.5,
    ) -> None:
        chosen = frozenset(KINDS if kinds is None else _names("kinds", kinds))
        self._custom = [(kind, _pattern(kind, pattern)) for kind, pattern in (custom or {}).items()]
        self.is_quick = not self._custom
        """It ends soon for any text, as far as it is known: patterns of your own may take long."""
        self._reported = chosen - frozenset(_names("exclude", exclude)) | {kind for kind, _ in self._custom}
        if isinstance(allow, str):
            raise ConfigError("allow must be a list of values and patterns, not one string")
        allowed = list(allow)
        for value in allowed:
            if not isinstance(value, (str, re.Pattern)):
                raise ConfigError(f"allow must hold texts and compiled patterns, not {value!r}")
        self._allowed = frozenset([value for value in allowed if isinstance(value, str)])
        self._allowed_patterns = [value for value in allowed if not isinstance(value, str)]
        self._min_score = _number("min_score", min_score, 1)
        self._assigned = Assigned(_number("entropy", entropy, 8))

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find secrets, in order of place; spans do not overlap.

        Args:
            text: the text.
            start: return only spans that begin here or later.
        """
        if len(text) - start > _SLICE:
            return self._find_in_slices(text, start)
        seen = Seen(text)
        spans, _ = self._look(seen, seen.place(start))
        return self._reportable(seen, spans)

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided, whatever comes after it.

        Args:
            text: the text so far.
            start: what it returned before.
        """
        return self._decide(text, start)[0]

    def _find_in_slices(self, text: str, start: int) -> list[Span]:
        """Find secrets as in a stream, so that no call of `re` keeps other threads waiting for long."""
        found: list[Span] = []
        size = _SLICE
        while start + size < len(text):
            base = max(0, start - CONTEXT)
            cut, spans = self._decide(text[base : start + size], start - base)
            found += [Span(span.start + base, span.end + base, span.kind, span.score) for span in spans]
            size = _SLICE if base + cut > start else 2 * size
            start = base + cut
        base = max(0, start - CONTEXT)
        rest = Seen(text[base:])
        spans, _ = self._look(rest, rest.place(start - base))
        spans = self._reportable(rest, spans)
        return found + [Span(span.start + base, span.end + base, span.kind, span.score) for span in spans]

    def _decide(self, text: str, start: int) -> tuple[int, list[Span]]:
        """Return how far a text is decided, and what is found in what is decided now."""
        end = without_hidden_end(text)
        if end <= start:
            return start, []
        breathe()
        seen = Seen(text[:end])
        breathe()
        begin = seen.place(start)
        cut = last_token(seen.text, begin)
        if cut == begin and len(seen.text) - begin > _LONGEST_TOKEN:
            cut = len(seen.text) - _LONGEST_SECRET
        cut = min(_before_strong(seen.text, begin, cut), open_block(seen.text, begin))
        cut = _before_type(seen.text, cut)
        if cut <= begin:
            return start, []
        spans, still_open = self._look(seen, begin)
        cut = min(cut, still_open)
        for span in reversed(spans):
            if span.start < cut < span.end:
                cut = span.start
        if cut <= begin:
            return start, []
        spans = self._reportable(seen, [span for span in spans if span.start < cut])
        return max(start, seen.original(cut)), spans

    def _reportable(self, seen: Seen, spans: list[Span]) -> list[Span]:
        """Leave out what is not asked for, and return the places in the text as it was given."""
        spans = [span for span in spans if span.kind in self._reported]
        if self._allowed or self._allowed_patterns:
            spans = [span for span in spans if not self._is_allowed(seen.text[span.start : span.end])]
        if not seen.is_shifted:
            return spans
        return [
            Span(seen.original(span.start), seen.original(span.end - 1) + 1, span.kind, span.score) for span in spans
        ]

    def _look(self, seen: Seen, start: int) -> tuple[list[Span], int]:
        """Return what is found from a place on, and where a value begins whose quotes are still open."""
        text = seen.text
        begin = max(0, start - REACH)
        breathe()
        tokens = list(find_tokens(text, start))
        breathe()
        before = find_tokens(text[:start], begin)  # names that stand there do not look past a token
        known = frozenset([token.start for token in (*before, *tokens) if token.score >= SURE >= self._min_score])
        found, still_open = self._assigned.find(seen, begin, start, known)
        breathe()
        found += tokens
        found += find_credentials(text, start)
        breathe()
        found += [span for span in find_given(text, begin) if span.start >= start]
        breathe()
        found += [span for span in find_pairs(seen, begin) if span.start >= start]
        found += [span for span in find_sessions(seen, begin) if span.start >= start]
        breathe()
        found += find_keys(text, start)
        for kind, pattern in self._custom:
            found += _custom(text, start, kind, pattern)
        return _in_order([span for span in found if span.score >= self._min_score]), still_open

    def _is_allowed(self, value: str) -> bool:
        return value in self._allowed or any(pattern.fullmatch(value) for pattern in self._allowed_patterns)


def _in_order(spans: list[Span]) -> list[Span]:
    """Sort spans, and choose among those that overlap, which are few."""
    spans.sort(key=_START)
    return best(spans) if any(span.start < before.end for before, span in pairwise(spans)) else spans


_START: Final = attrgetter("start")


def _before_strong(text: str, start: int, last: int) -> int:
    """Return where what looks like a password begins, while the text may still come to say that it is one.

    Args:
        text: the text.
        start: where to begin.
        last: where the last token begins, whose end may still say so.
    """
    low = last_token(text[: max(start, last - AHEAD - REACH)], start)  # a token is not cut
    for token in _TOKENS.finditer(text, low, max(low, last)):
        if last - token.end() <= AHEAD and _may_be_said(token[0]):
            return token.start()
    return last


def _before_type(text: str, cut: int) -> int:
    """Move a cut before what is a value, unless a sign comes that makes it the type of one: ``password: str = ...``."""
    last = _TYPE_AT_END.search(text, max(0, len(text) - _LONGEST_TYPE))
    return min(cut, last.start(1)) if last else cut


def _may_be_said(token: str) -> bool:
    return any(is_strong(part) for part in _QUOTES.split(token))


_LONGEST_TYPE: Final = 40
_TYPE_AT_END: Final = re.compile(r":[ \t]{0,2}([A-Za-z_][A-Za-z0-9_.\[\]|?]{0,30})[ \t]{1,4}\Z")
_QUOTES: Final = re.compile("[\"'`]|[.,;:]+$")


def _custom(text: str, start: int, kind: str, pattern: re.Pattern[str]) -> Iterable[Span]:
    """Yield what a pattern of the user matches, word by word."""
    for token in _TOKENS.finditer(text, start):
        for match in pattern.finditer(text, token.start(), token.end()):
            if 0 < match.end() - match.start() <= _LONGEST_CUSTOM:
                yield Span(match.start(), match.end(), kind, 1.0)


def _pattern(kind: str, pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigError(f"custom[{kind!r}] must be a regular expression, not {pattern!r}: {error}") from error
    if compiled.match(""):
        raise ConfigError(f"custom[{kind!r}] must not match nothing at all, as {compiled.pattern!r} does")
    return compiled


def _names(argument: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise ConfigError(f"{argument} must be a list of kinds, not the string {values!r}")
    names = list(values)
    for name in names:
        if name not in KINDS:
            raise ConfigError(f"{argument} must be among secrets.KINDS, such as 'PASSWORD', not {name!r}")
    return names


def _number(argument: str, value: object, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise ConfigError(f"{argument} must be between 0 and {most}, not {value!r}")
    return float(value)

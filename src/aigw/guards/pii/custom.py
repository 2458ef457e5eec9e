"""`Custom`: a pattern of the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aigw.checks import at_least
from aigw.errors import ConfigError
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 2000


@dataclass(frozen=True)
class Custom:
    """A regular expression for values that only you know.

    In a stream nothing is handed on before `max_length` characters behind it are known, so a small number means less
    delay. A pattern may look at that many characters from where a match begins, and 64 behind. Keep it linear: no
    nested repetition such as ``(a+)+``, which can take forever.

    Args:
        pattern: the expression, as a string or compiled.
        max_length: the longest match in characters, with what it looks at behind its end; longer ones are not found.
        score: how sure a match is, from 0 to 1.
    """

    pattern: str | re.Pattern[str]
    max_length: int = 64
    score: float = 1.0

    def __post_init__(self) -> None:
        at_least("max_length", self.max_length, 1)
        if self.max_length > _MOST:
            raise ConfigError(f"max_length must be at most {_MOST}, not {self.max_length}")
        if not 0 <= self.score <= 1:
            raise ConfigError(f"score must be between 0 and 1, not {self.score!r}")
        try:
            compiled = re.compile(self.pattern)
        except (re.error, TypeError) as error:
            raise ConfigError(f"pattern must be a regular expression, not {self.pattern!r}: {error}") from error
        if compiled.match(""):
            raise ConfigError(f"pattern must not match nothing at all, as {compiled.pattern!r} does")

    def compiled(self) -> re.Pattern[str]:
        """Return the compiled expression."""
        return re.compile(self.pattern)


class CustomRule:
    """Finds what a pattern of the user matches.

    Args:
        kind: what it is reported as.
        custom: the pattern.
    """

    def __init__(self, kind: str, custom: Custom) -> None:
        self.kind = kind
        self.max_length = custom.max_length
        self._score = custom.score
        self._pattern = custom.compiled()

    def find(self, text: str, start: int) -> Iterator[Span]:
        """Yield what is found from a place on."""
        while match := self._pattern.search(text, start):
            end = match.end()
            if end - match.start() > self.max_length:
                short = self._pattern.match(text, match.start(), match.start() + self.max_length)
                end = short.end() if short else match.start()
            if end > match.start():
                yield Span(match.start(), end, self.kind, self._score)
            start = max(end, match.start() + 1)

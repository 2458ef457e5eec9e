"""`Form`: what an answer must look like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from aigw.answer import Answer, Choice
from aigw.checks import at_least
from aigw.errors import BadResponse, ConfigError
from aigw.guards.moderation.finders import compiled
from aigw.guards.span import Span
from aigw.message import Text
from aigw.schema import as_schema, parse_answer

if TYPE_CHECKING:
    import re


class Form:
    """Finds texts that have the wrong form: no JSON, not as a schema says, too long, too short, not as a pattern says.

    >>> [span.kind for span in Form(json=True).find("Sure! {}")]
    ['NOT_JSON']

    The first thing that is wrong is found: as the whole text, but for ``TOO_LONG``, which is the first character that
    is too many. With `max_length` alone it watches streams, and stops them there without holding anything back; with
    anything else a stream is held to its end, so that ``Fallback(on=[AnswerBlocked])`` can still ask another target.

    Args:
        schema: the text must be JSON that fits, found as ``SCHEMA`` if not: a pydantic model, another type or a JSON
            schema, as of ``chat(schema=…)``, and looked at as there.
        json: the text must be JSON, found as ``NOT_JSON`` if not. It is so anyway with a schema.
        max_length: characters that it may have at most (``TOO_LONG``).
        min_length: characters that it must have at least (``TOO_SHORT``).
        must_match: a regular expression that must match all of it (``NO_MATCH``).

    Raises:
        ConfigError: an argument makes no sense, or there is nothing to look for.
    """

    default_where: ClassVar[str] = "answer"
    default_action: ClassVar[str] = "block"
    skips_labels: ClassVar[bool] = True
    """Fields beside a text have a form of their own."""

    def __init__(
        self,
        *,
        schema: object = None,
        json: bool = False,
        max_length: int | None = None,
        min_length: int | None = None,
        must_match: str | re.Pattern[str] | None = None,
    ) -> None:
        self._schema = None if schema is None else as_schema(schema)
        self._json = json or schema is not None
        self._most = None if max_length is None else at_least("Form(max_length)", max_length, 1)
        self._least = None if min_length is None else at_least("Form(min_length)", min_length, 1)
        self._pattern = None if must_match is None else compiled("Form(must_match)", must_match)
        self.needs_whole = bool(self._json or self._least is not None or self._pattern is not None)
        """A part of a text tells nothing, and neither does it tell nothing that there is no text."""
        if not self.needs_whole and self._most is None:
            raise ConfigError("Form() looks for nothing: give schema, json=True, max_length, min_length or must_match")
        if self._most is not None and self._least is not None and self._least > self._most:
            raise ConfigError(f"Form(min_length={self._least}) is above max_length={self._most}")
        self.streams = not self.needs_whole
        """Whether it can watch a stream."""
        self.is_quick = self.streams
        """It ends soon for any text."""
        self.context = 0 if self._most is None else self._most + 1
        """How many characters before a cut later findings may depend on: the text is counted from its beginning."""

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find what is wrong; see `aigw.guards.Detector`."""
        if self._most is not None and len(text) > self._most:
            return [Span(self._most, self._most + 1, "TOO_LONG")] if self._most >= start else []
        kind = self._wrong(text)
        return [Span(0, len(text), kind)] if kind and start == 0 else []

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided: all of it; see `aigw.guards.StreamDetector`."""
        return max(len(text), start) if self.streams else start

    def _wrong(self, text: str) -> str:
        if self._least is not None and len(text) < self._least:
            return "TOO_SHORT"
        if self._json and not _is_json(text):
            return "NOT_JSON"
        if self._schema is not None:
            try:
                parse_answer(self._schema, Answer(choices=(Choice((Text(text),)),)))
            except BadResponse:
                return "SCHEMA"
        if self._pattern is not None and self._pattern.fullmatch(text) is None:
            return "NO_MATCH"
        return ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse, parse_int=_number)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _number(digits: str) -> int:
    return len(digits)  # its value does not matter, and takes quadratic time

"""Find a marked key or a marked prompt in whatever an error or a trace says."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-marked-key-0123456789"
PROMPT = "a marked prompt, never to be repeated"
SECRETS = (KEY, PROMPT, "marked")
"""What must not be seen, and a word that is part of both: what is left of them when they are cut must not be seen too.
"""


def said_by(error: BaseException) -> str:
    """Return all that an error and what lies behind it say: texts, notes, tracebacks, traces."""
    parts = traceback.format_exception(error)
    for link in chain(error):
        parts += [str(link), repr(link), *getattr(link, "__notes__", [])]
        trace = getattr(link, "trace", None)
        if trace is not None:
            parts += [str(trace), repr(trace), trace.to_json()]
    return "\n".join(parts)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and every one that it holds or hides, each once."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        left += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]


def leaks(text: str) -> list[str]:
    """Name the secrets in a text."""
    return [secret for secret in SECRETS if secret in text]

"""`Dialect`: what servers that speak the OpenAI format do differently, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak OpenAI chat completions.

    The defaults are OpenAI's own API. Many other servers know only the older ``max_tokens``::

        Dialect(provider="vllm", max_tokens="max_tokens")

    Args:
        provider: name of the provider, for errors.
        max_tokens: name of the field that bounds the output.
        stream_usage: ask for usage at the end of a stream (``stream_options.include_usage``); off for servers that
            refuse the field.
        reasoning_fields: fields of an answer in which readable reasoning may stand; the first one that holds text is
            taken, the others repeat it.
        reasoning_back: field of an assistant message in which its reasoning goes back to the server (DeepSeek wants it
            with tool results, as ``reasoning_content``); ``None`` leaves it out, because most servers refuse it.
    """

    provider: str = "openai"
    max_tokens: str = "max_completion_tokens"
    stream_usage: bool = True
    reasoning_fields: tuple[str, ...] = ("reasoning_content", "reasoning")
    reasoning_back: str | None = None


DEFAULT: Final = Dialect()
"""OpenAI's own API; meant wherever no dialect is given."""

"""The table of HTTP services. A service that speaks OpenAI's format is one row of data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from aigw.providers.http import Format, HttpService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Operation
    from aigw.errors import ProviderError


def openai_formats(*, max_tokens: str = "max_completion_tokens") -> Mapping[Operation, Format]:
    """Return the formats of OpenAI's API.

    Args:
        max_tokens: how the field is called; OpenAI's reasoning models refuse the old name, other servers know only it.
    """
    from functools import partial

    from aigw.wire import embeddings, openai_chat

    dialect = openai_chat.Dialect(max_tokens=max_tokens)
    return {
        "chat": Format(
            "/chat/completions",
            partial(openai_chat.render_request, dialect=dialect),
            openai_chat.parse_response,
            openai_chat.StreamParser,
        ),
        "embeddings": Format("/embeddings", embeddings.render_request, embeddings.parse_response),
    }


def _compatible_formats() -> Mapping[Operation, Format]:
    return openai_formats(max_tokens="max_tokens")


def _classify(*args: Any, **kwargs: Any) -> ProviderError:
    from aigw.wire.openai_errors import classify

    error: ProviderError = classify(*args, **kwargs)
    return error


SERVICES: Final[Mapping[str, HttpService]] = MappingProxyType(
    {
        service.name: service
        for service in (
            HttpService("openai", "https://api.openai.com/v1", openai_formats, _classify, "OPENAI_API_KEY"),
        )
    }
)

COMPATIBLE: Final = HttpService("openai-compatible", "", _compatible_formats, _classify)
"""Any server that speaks OpenAI's format, by its URL."""

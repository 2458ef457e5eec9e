"""Counting the tokens of a call without making it: the requests and answers of ``/v1/messages/count_tokens``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.wire.answers import wrong_answer
from aigw.wire.anthropic_messages.dialect import DEFAULT, Dialect
from aigw.wire.anthropic_messages.request import render_request
from aigw.wire.fields import checked, required

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call

PATH: Final = "/v1/messages/count_tokens"
"""Where these requests go, below the base URL."""

_COUNTED: Final = (
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
    "context_management",
    "mcp_servers",
)
"""The fields that such a request takes; it refuses the others."""


def render_count_tokens(
    call: Call, model: str, dialect: Dialect = DEFAULT, *, strict: bool | None = None
) -> dict[str, Any]:
    """Render the request that counts the input tokens of a chat call; see `render_request`."""
    body = render_request(call, model, dialect, strict=strict)
    return {name: body[name] for name in _COUNTED if name in body}


def parse_count_tokens(body: Mapping[str, Any], dialect: Dialect = DEFAULT, model: str = "") -> int:
    """Read the answer: the number of input tokens.

    Raises:
        BadResponse: it tells no number.
    """
    try:
        return required(checked(body, dict, "it"), "input_tokens", int)
    except ConfigError as error:
        raise wrong_answer("a count of tokens", error, dialect.provider, model) from None

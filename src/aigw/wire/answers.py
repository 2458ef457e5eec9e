"""Answers that do not fit their format. The checks of requests serve there too, but the provider is at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from aigw.errors import BadResponse
from aigw.wire.fields import checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.errors import ConfigError, ProviderError


def checked_answer(body: Any, classify: Callable[..., ProviderError], provider: str, model: str) -> dict[str, Any]:
    """Return the body of an answer if it is an object and not an error, which some servers send under status 200.

    Args:
        body: the decoded JSON.
        classify: makes an error of what the provider says of one; see `Failures.classify`.
        provider: name of the provider.
        model: the model that was asked for.

    Raises:
        ConfigError: it is no object.
        ProviderError: it is an error.
    """
    data = checked(body, dict, "it")
    if data.get("error"):
        raise classify(200, {}, to_json(data), provider=provider, model=model)
    return data


def wrong_answer(what: str, error: ConfigError, provider: str, model: str) -> BadResponse:
    """Make the error of an answer in which a check of `aigw.wire.fields` failed: the provider is to blame.

    Args:
        what: what the answer should be: ``a chat completion``.
        error: what the check says.
        provider: name of the provider.
        model: the model that was asked for.
    """
    return BadResponse(f"the answer is not {what}: {error}", provider=provider, model=model)

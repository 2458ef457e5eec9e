"""Failures of servers that speak Cohere's chat format, as a table; see `aigw.wire.failures`.

Their bodies are ``{"message": "…"}`` with no code at all: the status decides, and under a plain 400 the message. The
codes of the table below are finish reasons, which a failed generation has in place of an HTTP status.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextTooLong,
    NotFound,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.wire.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.errors import ProviderError
    from aigw.wire.failures import Kind

_BY_TYPE: Final[Mapping[str, Kind]] = {
    "ERROR": ServerError,
    "TIMEOUT": TimedOut,
}

_BY_MESSAGE: Final[tuple[tuple[str, Kind], ...]] = (
    # The first that fits counts. This one is about the field max_tokens, however short the prompt is.
    ("too many tokens: max tokens must be", BadRequest),
    ("too many tokens", ContextTooLong),
    ("invalid api token", AuthenticationFailed),
    ("no api key supplied", AuthenticationFailed),
)

_BY_STATUS: Final[Mapping[int, Kind]] = {
    498: AuthenticationFailed,  # the token is invalid
    499: ServerError,  # the request was cancelled, which we did not do: it is worth another try
    501: NotFound,  # not implemented
}

FAILURES: Final = Failures(by_type=_BY_TYPE, by_message=_BY_MESSAGE, by_status=_BY_STATUS)
"""What these servers answer when they fail."""

_MONTHLY: Final = replace(FAILURES, by_status={**_BY_STATUS, 429: QuotaExhausted})
_QUOTA_OF_THE_MONTH: Final = re.compile(rb"\bcalls ?/ ?month\b")


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    model: str,
    now: Callable[[], float] | None = None,
) -> ProviderError:
    """Make an error of a failed request; see `Failures.classify`.

    A trial key whose calls of the month are used up is `QuotaExhausted`, although the status is that of a rate.
    """
    failures = _MONTHLY if _QUOTA_OF_THE_MONTH.search(body) else FAILURES
    return failures.classify(status, headers, body, provider=provider, model=model, now=now)

"""Failures of OpenAI-style servers: from a status, headers and a body to one of our errors.

The status and the body's ``code`` and ``type`` decide. The message is looked at only where nothing else tells: see
`_BY_MESSAGE`. What the provider wrote goes to ``ProviderError.detail`` and never into the message.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
    ContentFiltered,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Kind = type[ProviderError]

_BY_CODE: Final[Mapping[str, _Kind]] = {
    "context_length_exceeded": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,  # llama.cpp, under status 400, 500 or 200
    "content_filter": ContentFiltered,
    "content_policy_violation": ContentFiltered,
    "moderation_blocked": ContentFiltered,
    "insufficient_quota": QuotaExhausted,
    "billing_hard_limit_reached": QuotaExhausted,
    "billing_not_active": QuotaExhausted,
    "organization_spend_limit_exceeded": QuotaExhausted,
    "organization_usage_limit_exceeded": QuotaExhausted,
    "project_spend_limit_exceeded": QuotaExhausted,
    "exceeded_current_quota_error": QuotaExhausted,  # Moonshot
    "billing_error": QuotaExhausted,
    "model_not_found": NotFound,
}
"""Codes and types that say more than the status, whatever it is."""

_BY_STATUS: Final[Mapping[int, _Kind]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    408: TimedOut,
    409: ServerError,  # a conflict within the provider, or (425) too early: both pass
    413: ContextTooLong,
    422: BadRequest,
    425: ServerError,
    429: ProviderRateLimited,
    503: Overloaded,
    504: TimedOut,
    524: TimedOut,  # Cloudflare gave up waiting for the server behind it
    529: Overloaded,
}

_BY_CENTURY: Final[Mapping[int, _Kind]] = {4: BadRequest, 5: ServerError}
"""What the table above leaves open. Everything else, redirects among it, is a `BadResponse`."""

_BY_TYPE: Final[Mapping[str, _Kind]] = {
    "invalid_request_error": BadRequest,
    "authentication_error": AuthenticationFailed,
    "invalid_api_key": AuthenticationFailed,
    "permission_error": PermissionDenied,
    "not_found_error": NotFound,
    "request_too_large": ContextTooLong,
    "rate_limit_error": ProviderRateLimited,
    "rate_limit_exceeded": ProviderRateLimited,
    "overloaded_error": Overloaded,
    "unavailable_error": Overloaded,
    "timeout_error": TimedOut,
}
"""Codes and types of an error inside an answer with status 200, which says nothing. All others: `ServerError`."""

_BY_MESSAGE: Final[tuple[tuple[str, _Kind], ...]] = (
    ("maximum context length", ContextTooLong),  # vLLM, SGLang, DeepSeek: "This model's maximum context length is"
    ("maximum model length", ContextTooLong),  # vLLM: "is longer than the maximum model length of"
    ("model's context length", ContextTooLong),  # SGLang: "is longer than the model's context length"
    ("maximum prompt length", ContextTooLong),  # xAI
    ("available context size", ContextTooLong),  # llama.cpp before it had a type for it
    ("incorrect api key", AuthenticationFailed),  # xAI
    ("api key not valid", AuthenticationFailed),  # Gemini
)
"""What these servers say under a plain 400 or 422, with no code that tells it from any other wrong request."""

_MEANING: Final[Mapping[_Kind, str]] = {
    BadRequest: "the provider refused the request as wrong",
    ContextTooLong: "the request is longer than the model can take",
    ContentFiltered: "the provider's content filter refused the prompt",
    AuthenticationFailed: "the provider refused the key",
    PermissionDenied: "the key may not do this",
    NotFound: "the provider does not know this model or path",
    QuotaExhausted: "the account has no quota or money left",
    ProviderRateLimited: "the provider limits the rate of requests",
    Overloaded: "the provider has no capacity just now",
    ServerError: "the provider failed",
    TimedOut: "the provider took too long and gave up",
    BadResponse: "the status is none that an answer has",
}
_REDIRECT: Final = "the server sent a redirect; redirects are not followed, the base URL is probably wrong"

_DETAIL_LIMIT: Final = 2000
_TOKEN_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class _Said:
    """What the body says: the provider's words, its code and type, and a status where the body has one of its own."""

    message: str = ""
    code: str | None = None
    type: str | None = None
    status: int | None = None


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    provider: str,
    model: str,
    now: Callable[[], float] | None = None,
) -> ProviderError:
    """Make an error of a failed request. Never raises, whatever the body holds.

    Args:
        status: the HTTP status; 200 for an error inside an answer or a stream, whose own numeric ``code`` then counts.
        headers: headers of the answer, looked up in lower case.
        body: the body, or the JSON text of the error.
        provider: name of the provider.
        model: the model that was asked for.
        now: wall-clock time in seconds, for a ``retry-after`` that is a date; ``None`` is `time.time`.
    """
    said = _read(body)
    if status // 100 == 2 and said.status is not None:  # noqa: PLR2004  (2xx)
        status = said.status
    kind = _kind(status, said)
    return kind(
        _REDIRECT if status // 100 == 3 else _MEANING[kind],  # noqa: PLR2004  (3xx)
        provider=provider,
        model=model,
        status=status,
        code=said.code or said.type,
        request_id=_token(headers.get("x-request-id")),
        retry_after=retry_after(headers, now),
        detail=said.message[:_DETAIL_LIMIT],
    )


def _kind(status: int, said: _Said) -> _Kind:
    specific = _lookup(_BY_CODE, said)
    if specific is not None:
        return specific
    if status in (400, 422):
        text = said.message.lower()
        return next((kind for fragment, kind in _BY_MESSAGE if fragment in text), BadRequest)
    if status // 100 == 2 and said != _Said():  # noqa: PLR2004  (2xx)
        return _lookup(_BY_TYPE, said) or ServerError
    return _BY_STATUS.get(status) or _BY_CENTURY.get(status // 100, BadResponse)


def _lookup(table: Mapping[str, _Kind], said: _Said) -> _Kind | None:
    return table.get(said.code or "") or table.get(said.type or "")


def retry_after(headers: Mapping[str, str], now: Callable[[], float] | None = None) -> float | None:
    """Return the seconds that the provider asks to wait: ``retry-after-ms``, else ``retry-after`` (seconds or a date).

    ``None`` where it does not say, and for what makes no sense: negative, infinite, a date that is over.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    given = headers.get("retry-after")
    seconds = _number(given)
    if seconds is None and given:
        wait = _date(given) - (now or time.time)()
        seconds = wait if wait >= 0 else None
    return seconds


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str) -> float:
    from datetime import UTC  # few answers have a date, and these two take a while to load
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return -math.inf


def _read(body: bytes) -> _Said:
    """Find what a body says, in any of the shapes that servers use.

    ``{"error": {...}}``, ``{"error": "text"}``, ``{"message": …, "code": …}``, ``{"detail": …}``, a list that begins
    with one of them, plain text or HTML.
    """
    try:
        value = from_json(body)
    except ValueError:
        return _Said(body[: 4 * _DETAIL_LIMIT].decode(errors="replace").strip())
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return _Said(value)
    if not isinstance(value, dict):
        return _Said()
    inner = value.get("error")
    fields = inner if isinstance(inner, dict) else value
    number = fields.get("code")
    if isinstance(number, str) and number.isdecimal():
        number = int(number[:4])
    return _Said(
        message=_words(inner if isinstance(inner, str) else fields.get("message") or fields.get("detail")),
        code=_token(fields.get("code")),
        type=_token(fields.get("type")),
        status=number if type(number) is int and 400 <= number < 600 else None,  # noqa: PLR2004  (statuses of failures)
    )


def _words(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return to_json(value).decode(errors="replace")


def _token(value: Any) -> str | None:
    """Keep a code or id that is one short word, so that no prose gets into the messages of errors."""
    if isinstance(value, str) and len(value) <= _TOKEN_LIMIT and value.isprintable() and value.split() == [value]:
        return value
    return None

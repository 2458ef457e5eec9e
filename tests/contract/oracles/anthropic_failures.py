"""How Anthropic says no: bodies and headers as its API sends them, and what they must become."""

from __future__ import annotations

from typing import Any, Final

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    ContentFiltered,
    ContextTooLong,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from contract.said import Failure

_ID: Final = "req_011CSHoEeqs5C35K2UUqR7Fy"


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": _ID}


def _failure(name: str, status: int, kind: str, message: str, becomes: Any, *, after: float | None = None) -> Failure:
    headers = {"request-id": _ID, "content-type": "application/json"}
    if after is not None:
        headers |= {"retry-after": f"{after:g}", "anthropic-ratelimit-requests-remaining": "0"}
    return Failure(name, status, _error(kind, message), becomes, kind, headers, _ID, after)


ANTHROPIC: Final = (
    _failure("wrong request", 400, "invalid_request_error", "max_tokens: Field required", BadRequest),
    _failure(
        "too long",
        400,
        "invalid_request_error",
        "prompt is too long: 210003 tokens > 200000 maximum",
        ContextTooLong,
    ),
    _failure(
        "too long with the answer",
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or "
        "`max_tokens` and try again",
        ContextTooLong,
    ),
    _failure(
        "no money",
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
        QuotaExhausted,
    ),
    _failure("billing", 402, "billing_error", "Your organization has reached its limit.", QuotaExhausted),
    _failure(
        "filtered",
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
        ContentFiltered,
    ),
    _failure("wrong key", 401, "authentication_error", "invalid x-api-key", AuthenticationFailed),
    _failure(
        "not allowed",
        403,
        "permission_error",
        "Your API key does not have permission to use the specified resource.",
        PermissionDenied,
    ),
    _failure("no such model", 404, "not_found_error", "model: claude-9", NotFound),
    _failure("too large", 413, "request_too_large", "Request exceeds the maximum size", ContextTooLong),
    _failure(
        "too fast",
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
        ProviderRateLimited,
        after=14.0,
    ),
    _failure("it broke", 500, "api_error", "Internal server error", ServerError),
    _failure("slow", 504, "timeout_error", "Request timed out", TimedOut),
    _failure("no capacity", 529, "overloaded_error", "Overloaded", Overloaded),
    Failure("a proxy before it", 502, b"<html><body>502 Bad Gateway</body></html>", ServerError),
    Failure("an error as an answer", 200, _error("overloaded_error", "Overloaded"), Overloaded, "overloaded_error"),
)

VERTEX: Final = (
    Failure(
        "too fast, says Google",
        429,
        {
            "error": {
                "code": 429,
                "message": "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model.",
                "status": "RESOURCE_EXHAUSTED",
            }
        },
        ProviderRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
)


def failures(provider: str) -> tuple[Failure, ...]:
    """Return the failures of a server."""
    return (*VERTEX, *ANTHROPIC) if provider == "vertex" else ANTHROPIC

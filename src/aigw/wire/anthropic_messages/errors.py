"""Failures of servers that speak Anthropic's format, as a table; see `aigw.wire.failures`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from aigw.wire.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.failures import Kind

_BY_CODE: Final[Mapping[str, Kind]] = {
    "billing_error": QuotaExhausted,
    "overloaded_error": Overloaded,
    "request_too_large": ContextTooLong,
    "contract_spend_limit_reached": QuotaExhausted,  # these say 429 too, but waiting for a minute does not help
    "enforced_spend_limit_reached": QuotaExhausted,
    "linked_organization_billing_unavailable": QuotaExhausted,
    "linked_organization_spend_limit_reached": QuotaExhausted,
    "request_body_too_large_after_decoding": ContextTooLong,
    "exceed_context_size_error": ContextTooLong,  # llama.cpp
    "exceeded_current_quota_error": QuotaExhausted,  # Moonshot
}

_BY_TYPE: Final[Mapping[str, Kind]] = {
    "invalid_request_error": BadRequest,
    "authentication_error": AuthenticationFailed,
    "permission_error": PermissionDenied,
    "not_found_error": NotFound,
    "rate_limit_error": ProviderRateLimited,
    "timeout_error": TimedOut,
    "api_error": ServerError,
    "conflict_error": ServerError,
    "unavailable_error": Overloaded,  # llama.cpp
}

_BY_MESSAGE: Final[tuple[tuple[str, Kind], ...]] = (
    ("prompt is too long", ContextTooLong),
    ("exceed context limit", ContextTooLong),  # "input length and `max_tokens` exceed context limit"
    ("maximum context length", ContextTooLong),  # DeepSeek, vLLM
    ("credit balance is too low", QuotaExhausted),
    ("api usage limits", QuotaExhausted),  # a spend limit that the organization set for itself
    ("content filtering policy", ContentFiltered),
)


FAILURES: Final = Failures(by_code=_BY_CODE, by_type=_BY_TYPE, by_message=_BY_MESSAGE)
"""What these servers answer when they fail."""

classify: Final = FAILURES.classify

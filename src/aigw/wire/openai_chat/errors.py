"""Failures of servers that speak OpenAI's format, as a table; see `aigw.wire.failures`."""

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
    TimedOut,
)
from aigw.wire.failures import Failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.failures import Kind

_BY_CODE: Final[Mapping[str, Kind]] = {
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
    "invalid_model": NotFound,  # Mistral and Perplexity, under status 400
}

_BY_TYPE: Final[Mapping[str, Kind]] = {
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

_BY_MESSAGE: Final[tuple[tuple[str, Kind], ...]] = (
    ("maximum context length", ContextTooLong),  # vLLM, SGLang, DeepSeek: "This model's maximum context length is"
    ("maximum model length", ContextTooLong),  # vLLM: "is longer than the maximum model length of"
    ("model's context length", ContextTooLong),  # SGLang: "is longer than the model's context length"
    ("maximum prompt length", ContextTooLong),  # xAI
    ("available context size", ContextTooLong),  # llama.cpp before it had a type for it
    ("incorrect api key", AuthenticationFailed),  # xAI
    ("api key not valid", AuthenticationFailed),  # Gemini
    ("greater than the context length", ContextTooLong),  # LM Studio
    ("max_new_tokens` must be", ContextTooLong),  # Hugging Face: "`inputs` tokens + `max_new_tokens` must be <= 4096"
    ("model not exist", NotFound),  # DeepSeek
    ("is not a valid model id", NotFound),  # OpenRouter
    ("content exists risk", ContentFiltered),  # DeepSeek
    ("used all available credits", QuotaExhausted),  # xAI, under 429
    ("spending limit", QuotaExhausted),  # Fireworks, under 412
    ("daily free allocation", QuotaExhausted),  # Cloudflare, under 429
)

_BY_STATUS: Final[Mapping[int, Kind]] = {498: Overloaded}  # Groq: its flex tier has no capacity

FAILURES: Final = Failures(by_code=_BY_CODE, by_type=_BY_TYPE, by_message=_BY_MESSAGE, by_status=_BY_STATUS)
"""What these servers answer when they fail."""

classify: Final = FAILURES.classify

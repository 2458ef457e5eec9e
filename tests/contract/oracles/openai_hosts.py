"""How hosts of many models say no: bodies and headers as they send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
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

if TYPE_CHECKING:
    from collections.abc import Mapping


def _mistral(message: str, kind: str, code: str, status: int) -> dict[str, Any]:
    told = {"object": "error", "message": message, "type": kind, "param": None}
    return {**told, "code": code, "raw_status_code": status}


def _plain(message: str, kind: str, code: Any = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _numbered(message: str, code: int, **metadata: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **({"metadata": metadata} if metadata else {})}}


def _cloudflare(message: str, code: int) -> dict[str, Any]:
    return {"errors": [{"message": message, "code": code}], "success": False, "result": {}, "messages": []}


HOSTS: Final[Mapping[str, tuple[Failure, ...]]] = {
    "mistral": (
        Failure("wrong key", 401, {"detail": "Unauthorized"}, AuthenticationFailed),
        Failure("wrong key, newer", 401, {"message": "Unauthorized", "request_id": "93ab"}, AuthenticationFailed),
        Failure(
            "too fast", 429, _mistral("Rate limit exceeded", "rate_limited", "1300", 429), ProviderRateLimited, "1300"
        ),
        Failure(
            "no capacity for the tier",
            429,
            _mistral("Service tier capacity exceeded for this model.", "service_tier_capacity_exceeded", "3505", 429),
            ProviderRateLimited,
            "3505",
        ),
        Failure("no such model", 400, _mistral("Invalid model: x", "invalid_model", "1500", 400), NotFound, "1500"),
        Failure(
            "too long",
            400,
            _mistral(
                "Prompt contains 140012 tokens and 0 draft tokens, too large for model with 131072 maximum context "
                "length",
                "invalid_request_message_order",
                "3051",
                400,
            ),
            ContextTooLong,
            "3051",
        ),
        Failure(
            "wrong request",
            422,
            {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": {}}]},
            BadRequest,
        ),
        Failure(
            "no backend",
            503,
            _mistral("Service unavailable.", "unreachable_backend", "1100", 503),
            Overloaded,
            "1100",
        ),
    ),
    "xai": (
        Failure(
            "wrong key",
            400,
            {
                "code": "Client specified an invalid argument",
                "error": "Incorrect API key provided: xa***cd. You can obtain an API key from https://console.x.ai.",
            },
            AuthenticationFailed,
        ),
        Failure(
            "no such model",
            404,
            {
                "code": "Some requested entity was not found",
                "error": "The model grok-9 does not exist or your team does not have access to it.",
            },
            NotFound,
        ),
        Failure(
            "too long",
            400,
            {
                "code": "Client specified an invalid argument",
                "error": "This model's maximum prompt length is 131072 but the request contains 140012 tokens.",
            },
            ContextTooLong,
        ),
        Failure(
            "too fast",
            429,
            {"code": "Some resource has been exhausted", "error": "Too many requests for team 1 and model grok-4."},
            ProviderRateLimited,
        ),
        Failure(
            "no money",
            429,
            {
                "code": "Some resource has been exhausted",
                "error": "Your team 1 has either used all available credits or reached its monthly spending limit. To "
                "continue making API requests, please purchase more credits or raise your spending limit.",
            },
            QuotaExhausted,
        ),
    ),
    "groq": (
        Failure(
            "wrong key",
            401,
            _plain("Invalid API Key", "invalid_request_error", "invalid_api_key"),
            AuthenticationFailed,
            "invalid_api_key",
        ),
        Failure(
            "too large for the tier",
            413,
            _plain(
                "Request too large for model `llama-3.1-8b-instant` in organization `org_1` service tier `on_demand` "
                "on tokens per minute (TPM): Limit 6000, Requested 12328.",
                "tokens",
                "rate_limit_exceeded",
            ),
            ContextTooLong,
            "rate_limit_exceeded",
        ),
        Failure(
            "too fast",
            429,
            _plain("Rate limit reached for model `llama-3.1-8b-instant`.", "tokens", "rate_limit_exceeded"),
            ProviderRateLimited,
            "rate_limit_exceeded",
            {"retry-after": "5"},
            retry_after=5.0,
        ),
    ),
    "together": (
        Failure(
            "no such model",
            404,
            _plain("Unable to access model x.", "invalid_request_error", "model_not_available"),
            NotFound,
            "model_not_available",
        ),
        Failure(
            "too fast",
            429,
            _plain("You have reached the rate limit specific to this model.", "model_rate_limit"),
            ProviderRateLimited,
            "model_rate_limit",
        ),
    ),
    "fireworks": (
        Failure(
            "too fast",
            429,
            {"error": "Too Many Requests", "message": "You have exceeded your usage limits."},
            ProviderRateLimited,
        ),
        Failure(
            "too long",
            400,
            _plain(
                "The prompt is too long: 140012, model maximum context length: 131071",
                "invalid_request_error",
                "invalid_request_error",
            ),
            ContextTooLong,
            "invalid_request_error",
        ),
        Failure(
            "suspended",
            412,
            _plain(
                "Account x is suspended, possibly due to reaching the monthly spending limit or failure to pay past "
                "invoices.",
                "error",
                "PRECONDITION_FAILED",
            ),
            QuotaExhausted,
            "PRECONDITION_FAILED",
        ),
    ),
    "openrouter": (
        Failure("wrong key", 401, _numbered("No auth credentials found", 401), AuthenticationFailed),
        Failure(
            "no money",
            402,
            _numbered("Insufficient credits. Add more.", 402, limit_source="openrouter_credits"),
            QuotaExhausted,
        ),
        Failure(
            "too fast behind it",
            429,
            _numbered("Provider returned error", 429, raw="x is rate-limited upstream", provider_name="Chutes"),
            ProviderRateLimited,
        ),
        Failure("slow", 408, _numbered("Your request timed out", 408), TimedOut),
        Failure("no such model", 400, _numbered("claude-sonnet-9 is not a valid model ID", 400), NotFound),
        Failure(
            "too long",
            400,
            _numbered("This endpoint's maximum context length is 131072 tokens.", 400),
            ContextTooLong,
        ),
        Failure("broken behind it", 502, _numbered("Provider returned error", 502), ServerError),
        Failure("under status 200", 200, _numbered("Internal Server Error", 500), ServerError),
    ),
    "perplexity": (
        Failure(
            "wrong key",
            401,
            b"<html>\r\n<head><title>401 Authorization Required</title></head>\r\n",
            AuthenticationFailed,
            headers={"content-type": "text/html"},
        ),
        Failure(
            "no money",
            401,
            _plain("You exceeded your current quota.", "insufficient_quota", 401),
            QuotaExhausted,
            "insufficient_quota",
        ),
        Failure("no such model", 400, _plain("Invalid model 'x'.", "invalid_model", 400), NotFound, "invalid_model"),
        Failure(
            "too fast",
            429,
            _plain("Request rate limit exceeded, please try again later.", "request_rate_limit_exceeded", 429),
            ProviderRateLimited,
            "request_rate_limit_exceeded",
        ),
    ),
    "huggingface": (
        Failure("wrong key", 401, {"error": "Invalid username or password."}, AuthenticationFailed),
        Failure(
            "no money",
            402,
            {"error": "You have exceeded your monthly included credits for Inference Providers."},
            QuotaExhausted,
        ),
        Failure(
            "too long",
            422,
            {
                "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 "
                "`inputs` tokens and 512 `max_new_tokens`",
                "error_type": "validation",
            },
            ContextTooLong,
            None,
        ),
        Failure("loading", 503, {"error": "Model x is currently loading", "estimated_time": 20.0}, Overloaded),
    ),
    "github": (
        Failure(
            "no such model",
            404,
            {"error": {"code": "unknown_model", "message": "Unknown model: x", "details": "Unknown model: x"}},
            NotFound,
            "unknown_model",
        ),
        Failure(
            "no access",
            403,
            {"error": {"code": "no_access", "message": "No access to model: x", "details": "No access to model: x"}},
            PermissionDenied,
            "no_access",
        ),
        Failure(
            "too large",
            413,
            {"error": {"code": "tokens_limit_reached", "message": "Request body too large. Max size: 8000 tokens."}},
            ContextTooLong,
            "tokens_limit_reached",
        ),
        Failure(
            "used up for the day",
            429,
            {"error": {"code": "RateLimitReached", "message": "Rate limit of 150 per 86400s exceeded."}},
            QuotaExhausted,
            "RateLimitReached",
            {"retry-after": "52220", "x-ratelimit-type": "UserByModelByDay", "x-ratelimit-timeremaining": "52220"},
            retry_after=52220.0,
        ),
    ),
    "cloudflare": (
        Failure("wrong key", 401, _cloudflare("Authentication error", 10000), AuthenticationFailed),
        Failure("no capacity", 429, _cloudflare("AiError: Capacity temporarily exceeded", 3040), ProviderRateLimited),
        Failure(
            "used up for the day",
            429,
            _cloudflare(
                "AiError: AiError: you have used up your daily free allocation of 10,000 neurons, please upgrade to "
                "Cloudflare's Workers Paid plan if you would like to continue usage.",
                4006,
            ),
            QuotaExhausted,
        ),
    ),
}
"""Failures by the names of the providers."""

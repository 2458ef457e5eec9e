"""How servers that speak OpenAI's format say no: bodies and headers as they send them, and what they must become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
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
from contract.oracles.openai_hosts import HOSTS
from contract.oracles.openai_locals import LOCALS
from contract.said import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping


def _error(message: str, kind: str | None = None, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


_ID: Final = {"x-request-id": "req_0123", "content-type": "application/json"}
_TOO_FAST: Final = {
    **_ID,
    "retry-after": "2",
    "retry-after-ms": "1740",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "1.74s",
}
_HTML: Final = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1>"

OPENAI: Final = (
    Failure(
        "wrong key",
        401,
        _error(
            "Incorrect API key provided: sk-proj-****abcd. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            "invalid_request_error",
            "invalid_api_key",
        ),
        AuthenticationFailed,
        "invalid_api_key",
        _ID,
        "req_0123",
    ),
    Failure(
        "country",
        403,
        _error(
            "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory"
        ),
        PermissionDenied,
        "unsupported_country_region_territory",
    ),
    Failure(
        "no such model",
        404,
        _error(
            "The model `contract-model` does not exist or you do not have access to it.",
            "invalid_request_error",
            "model_not_found",
        ),
        NotFound,
        "model_not_found",
    ),
    Failure(
        "wrong request",
        400,
        _error(
            "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and "
            "'developer'.",
            "invalid_request_error",
            "invalid_value",
            "messages[0].role",
        ),
        BadRequest,
        "invalid_value",
    ),
    Failure(
        "too long",
        400,
        _error(
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 140012 tokens. "
            "Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
            "messages",
        ),
        ContextTooLong,
        "context_length_exceeded",
    ),
    Failure(
        "safety system",
        400,
        _error(
            "Your request was rejected as a result of our safety system.",
            "invalid_request_error",
            "content_policy_violation",
        ),
        ContentFiltered,
        "content_policy_violation",
    ),
    Failure(
        "too fast",
        429,
        _error(
            "Rate limit reached for gpt-5.5 in organization org-1 on tokens per min (TPM): Limit 30000, Used 29500, "
            "Requested 1370. Please try again in 1.74s.",
            "tokens",
            "rate_limit_exceeded",
        ),
        ProviderRateLimited,
        "rate_limit_exceeded",
        _TOO_FAST,
        "req_0123",
        1.74,
    ),
    Failure(
        "no money",
        429,
        _error(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        QuotaExhausted,
        "insufficient_quota",
    ),
    Failure(
        "it broke",
        500,
        _error("The server had an error while processing your request. Sorry about that!", "server_error"),
        ServerError,
        "server_error",
    ),
    Failure(
        "no capacity",
        503,
        _error("The server is currently overloaded with other requests. Please retry.", "server_error"),
        Overloaded,
        "server_error",
        {"retry-after": "7"},
        retry_after=7.0,
    ),
    Failure("a proxy before it", 502, _HTML, ServerError, headers={"content-type": "text/html"}),
    Failure("a proxy gave up", 504, b"<html><body>504 Gateway Time-out</body></html>", TimedOut),
    Failure("Cloudflare gave up", 524, b"error code: 524", TimedOut),
    Failure("a redirect", 302, b"", BadResponse, headers={"location": "https://example.org/"}),
    Failure("nothing at all", 500, b"", ServerError),
)
"""OpenAI's own, and what stands before any server."""

_FILTERED: Final = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
        },
    }
}


def _azure(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


_AZURE: Final = (
    Failure(
        "wrong key",
        401,
        _azure(
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
            "for an active subscription and use a correct regional API endpoint for your resource.",
        ),
        AuthenticationFailed,
        "401",
        {"apim-request-id": "5f0c-1"},
        "5f0c-1",
    ),
    Failure(
        "no such deployment",
        404,
        _azure("DeploymentNotFound", "The API deployment for this resource does not exist."),
        NotFound,
        "DeploymentNotFound",
    ),
    Failure(
        "keys are off",
        403,
        _azure("AuthenticationTypeDisabled", "Key based authentication is disabled for this resource."),
        PermissionDenied,
        "AuthenticationTypeDisabled",
    ),
    Failure(
        "too fast",
        429,
        _azure(
            "429",
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded "
            "token rate limit of your current OpenAI S0 pricing tier. Please retry after 60 seconds.",
        ),
        ProviderRateLimited,
        "429",
        {"retry-after": "60", "retry-after-ms": "59500"},
        retry_after=59.5,
    ),
    Failure("filtered", 400, _FILTERED, ContentFiltered, "content_filter"),
    Failure("slow", 408, _azure("Timeout", "The operation was timeout."), TimedOut, "Timeout"),
)


def _deepseek(status: int, message: str, kind: str = "invalid_request_error") -> tuple[int, dict[str, Any]]:
    return status, _error(message, kind, "invalid_request_error")


_BY_PROVIDER: Final[Mapping[str, tuple[Failure, ...]]] = {
    **HOSTS,
    **LOCALS,
    "azure": _AZURE,
    "deepseek": (
        Failure(
            "wrong key",
            *_deepseek(401, "Authentication Fails, Your api key: ****abcd is invalid", "authentication_error"),
            AuthenticationFailed,
            "invalid_request_error",
        ),
        Failure(
            "no money",
            *_deepseek(402, "Insufficient Balance", "unknown_error"),
            QuotaExhausted,
            "invalid_request_error",
        ),
        Failure("no such model", *_deepseek(400, "Model Not Exist"), NotFound, "invalid_request_error"),
        Failure("filtered", *_deepseek(400, "Content Exists Risk"), ContentFiltered, "invalid_request_error"),
        Failure(
            "too long",
            *_deepseek(
                400,
                "This model's maximum context length is 131072 tokens. However, you requested 140012 tokens (131820 "
                "in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
            ),
            ContextTooLong,
            "invalid_request_error",
        ),
        Failure(
            "busy",
            503,
            _error("Service is too busy.", "service_unavailable_error", "service_unavailable_error"),
            Overloaded,
            "service_unavailable_error",
        ),
    ),
}


def failures(provider: str) -> tuple[Failure, ...]:
    """Return the failures of a server: those of OpenAI, which most of them copy, with its own in their place."""
    return tuple({failure.name: failure for failure in (*OPENAI, *_BY_PROVIDER.get(provider, ()))}.values())

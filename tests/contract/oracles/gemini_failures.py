"""How Google says no: bodies as the Gemini API and Vertex AI send them, and what they must become."""

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

_TYPE: Final = "type.googleapis.com/google.rpc"


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return {"error": {**error, "details": list(details)} if details else error}


def _info(reason: str) -> dict[str, Any]:
    return {"@type": f"{_TYPE}.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": {"service": "x"}}


def _quota(identity: str, delay: str) -> tuple[dict[str, Any], ...]:
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation = {"quotaMetric": metric, "quotaId": identity, "quotaValue": "20"}
    return (
        {"@type": f"{_TYPE}.QuotaFailure", "violations": [violation]},
        {"@type": f"{_TYPE}.RetryInfo", "retryDelay": delay},
    )


_BOTH: Final = (
    Failure(
        "wrong request",
        400,
        _error(400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified"),
        BadRequest,
        "INVALID_ARGUMENT",
    ),
    Failure(
        "too long",
        400,
        _error(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200001) exceeds the maximum number of tokens allowed (1048576).",
        ),
        ContextTooLong,
        "INVALID_ARGUMENT",
    ),
    Failure(
        "service is off",
        403,
        _error(403, "PERMISSION_DENIED", "Generative Language API has not been used.", _info("SERVICE_DISABLED")),
        PermissionDenied,
        "SERVICE_DISABLED",
    ),
    Failure(
        "no such model",
        404,
        _error(404, "NOT_FOUND", "models/x is not found for API version v1, or is not supported for generateContent."),
        NotFound,
        "NOT_FOUND",
    ),
    Failure(
        "too fast",
        429,
        _error(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."),
        ProviderRateLimited,
        "RESOURCE_EXHAUSTED",
    ),
    Failure("it broke", 500, _error(500, "INTERNAL", "An internal error has occurred."), ServerError, "INTERNAL"),
    Failure("no capacity", 503, _error(503, "UNAVAILABLE", "The model is overloaded."), Overloaded, "UNAVAILABLE"),
    Failure(
        "in a list",
        503,
        [_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")],
        Overloaded,
        "UNAVAILABLE",
    ),
    Failure("slow", 504, _error(504, "DEADLINE_EXCEEDED", "Deadline expired."), TimedOut, "DEADLINE_EXCEEDED"),
    Failure(
        "blocked prompt",
        200,
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
            "modelVersion": "contract-model-001",
        },
        ContentFiltered,
        "PROHIBITED_CONTENT",
    ),
    Failure("a proxy before it", 502, b"<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>", ServerError),
)

_GEMINI: Final = (
    Failure(
        "wrong key",
        400,
        _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", _info("API_KEY_INVALID")),
        AuthenticationFailed,
        "API_KEY_INVALID",
    ),
    Failure(
        "no key",
        403,
        _error(
            403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key to call this API."
        ),
        PermissionDenied,
        "PERMISSION_DENIED",
    ),
    Failure(
        "country",
        400,
        _error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        PermissionDenied,
        "FAILED_PRECONDITION",
    ),
    Failure(
        "too many in a minute",
        429,
        _error(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            *_quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "34s"),
        ),
        ProviderRateLimited,
        "RESOURCE_EXHAUSTED",
        retry_after=34.0,
    ),
    Failure(
        "too many in a day",
        429,
        _error(
            429,
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            *_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "12s"),
        ),
        QuotaExhausted,
        "RESOURCE_EXHAUSTED",
        retry_after=12.0,
    ),
)

_VERTEX: Final = (
    Failure(
        "wrong token",
        401,
        _error(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token.",
            _info("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        ),
        AuthenticationFailed,
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
    ),
    Failure(
        "no permission",
        403,
        _error(
            403,
            "PERMISSION_DENIED",
            "Permission 'aiplatform.endpoints.predict' denied on resource.",
            _info("IAM_PERMISSION_DENIED"),
        ),
        PermissionDenied,
        "IAM_PERMISSION_DENIED",
    ),
    Failure(
        "billing is off",
        403,
        _error(403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", _info("BILLING_DISABLED")),
        QuotaExhausted,
        "BILLING_DISABLED",
    ),
)


def failures(provider: str) -> tuple[Failure, ...]:
    """Return the failures of a server."""
    return (*(_VERTEX if provider == "vertex" else _GEMINI), *_BOTH)

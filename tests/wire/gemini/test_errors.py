"""Failures of Google's servers, as a table of what they really answer."""

from __future__ import annotations

import json

import pytest

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
from aigw.wire.gemini import FAILURES, classify

RPC = "type.googleapis.com/google.rpc."


def body(code: int, status: str, message: str = "It failed.", *details: dict) -> bytes:
    """An error as Google writes it."""
    error = {"code": code, "message": message, "status": status}
    return json.dumps({"error": {**error, "details": list(details)} if details else error}, indent=2).encode()


def info(reason: str) -> dict:
    """A detail that gives a reason."""
    return {"@type": RPC + "ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def quota(*ids: str) -> dict:
    """A detail that names the quotas that were exceeded."""
    return {"@type": RPC + "QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": one} for one in ids]}


RETRY = {"@type": RPC + "RetryInfo", "retryDelay": "34.07s"}
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TOO_LONG = "The input token count (3475108) exceeds the maximum number of tokens allowed (1048576)."
TOO_LONG_VERTEX = (
    "Unable to submit request because the input token count is 1150000 but model only supports up to 1048576."
)
NO_KEY = "API key not valid. Please pass a valid API key."

TABLE = [
    (400, body(400, "INVALID_ARGUMENT", "Function call is missing a thought_signature"), BadRequest),
    (400, body(400, "INVALID_ARGUMENT", NO_KEY, info("API_KEY_INVALID")), AuthenticationFailed),
    (400, body(400, "INVALID_ARGUMENT", NO_KEY), AuthenticationFailed),
    (400, body(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), AuthenticationFailed),
    (400, body(400, "INVALID_ARGUMENT", TOO_LONG), ContextTooLong),
    (400, body(400, "INVALID_ARGUMENT", TOO_LONG_VERTEX), ContextTooLong),
    (400, body(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."), ContextTooLong),
    (400, body(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), PermissionDenied),
    (400, body(400, "FAILED_PRECONDITION", "Please enable billing on your project."), PermissionDenied),
    (401, body(401, "UNAUTHENTICATED", "x", info("ACCESS_TOKEN_EXPIRED")), AuthenticationFailed),
    (402, body(402, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), QuotaExhausted),
    (403, body(403, "PERMISSION_DENIED"), PermissionDenied),
    (403, body(403, "PERMISSION_DENIED", "x", info("SERVICE_DISABLED")), PermissionDenied),
    (403, body(403, "PERMISSION_DENIED", "x", info("BILLING_DISABLED")), QuotaExhausted),
    (404, body(404, "NOT_FOUND", "models/x is not found for API version v1beta"), NotFound),
    (429, body(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."), ProviderRateLimited),
    (429, body(429, "RESOURCE_EXHAUSTED", "x", quota(PER_MINUTE), RETRY), ProviderRateLimited),
    (429, body(429, "RESOURCE_EXHAUSTED", "x", quota(PER_MINUTE, PER_DAY), RETRY), QuotaExhausted),
    (429, body(429, "RESOURCE_EXHAUSTED", "quotaId PerDay"), ProviderRateLimited),
    (499, body(499, "CANCELLED", "The operation was cancelled."), ServerError),
    (500, body(500, "INTERNAL"), ServerError),
    (503, body(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), Overloaded),
    (504, body(504, "DEADLINE_EXCEEDED"), TimedOut),
    (502, b"<html>Bad Gateway</html>", ServerError),
]


@pytest.mark.parametrize(("status", "said", "kind"), TABLE)
def test_kinds(status: int, said: bytes, kind: type) -> None:
    """The status and Google's codes decide, its words only where there is no code for it."""
    error = classify(status, {}, said, provider="gemini", model="m")

    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize(("status", "said", "kind"), [row for row in TABLE if row[1].startswith(b"{")])
def test_the_same_within_a_stream(status: int, said: bytes, kind: type) -> None:
    """Under status 200 the code in the body counts, and a list with one error is an error."""
    for text in (said, b"[" + said + b"]"):
        error = classify(200, {}, text, provider="gemini", model="m")

        assert type(error) is kind
        assert error.status == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("UNAVAILABLE", Overloaded),
        ("RESOURCE_EXHAUSTED", ProviderRateLimited),
        ("INVALID_ARGUMENT", BadRequest),
        ("INTERNAL", ServerError),
        ("UNAUTHENTICATED", AuthenticationFailed),
    ],
)
def test_a_status_without_a_number(status: str, kind: type) -> None:
    """Google's word alone is enough."""
    assert (
        type(FAILURES.classify(200, {}, json.dumps({"error": {"status": status}}).encode(), provider="p", model="m"))
        is kind
    )


def test_what_an_error_tells() -> None:
    """The delay that it asks for, its code, and its words apart from the message."""
    said = body(429, "RESOURCE_EXHAUSTED", "secret", quota(PER_MINUTE), RETRY)
    error = classify(429, {"x-request-id": "r"}, said, provider="gemini", model="m", now=lambda: 0.0)

    assert error.retry_after == 34.07
    assert (error.code, error.request_id, error.detail) == ("RESOURCE_EXHAUSTED", "r", "secret")
    assert "secret" not in str(error)

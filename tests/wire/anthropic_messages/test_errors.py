"""The table that tells the failures of Anthropic-style servers apart."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
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
from aigw.wire.anthropic_messages import FAILURES, classify
from strategies import json_values


def failure(status: int, body: object, headers: dict[str, str] | None = None) -> ProviderError:
    """Classify a failure."""
    return classify(status, headers or {}, json.dumps(body).encode(), provider="anthropic", model="m")


def error(kind: str, message: str = "words", **fields: object) -> dict:
    """A body as the server writes it."""
    return {"type": "error", "error": {"type": kind, "message": message, **fields}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request_error", BadRequest),
        (401, "authentication_error", AuthenticationFailed),
        (402, "billing_error", QuotaExhausted),
        (403, "permission_error", PermissionDenied),
        (404, "not_found_error", NotFound),
        (409, "conflict_error", ServerError),
        (413, "request_too_large", ContextTooLong),
        (429, "rate_limit_error", ProviderRateLimited),
        (500, "api_error", ServerError),
        (503, "overloaded_error", Overloaded),
        (504, "timeout_error", TimedOut),
        (529, "overloaded_error", Overloaded),
    ],
)
def test_each_type_is_told(status: int, kind: str, expected: type[ProviderError]) -> None:
    """With its status, and inside an answer or a stream that began with status 200."""
    for under in (status, 200):
        failed = failure(under, error(kind, "hunter2"))

        assert type(failed) is expected
        assert failed.code == kind
        assert failed.detail == "hunter2"
        assert "hunter2" not in str(failed)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("prompt is too long: 208310 tokens > 200000 maximum", ContextTooLong),
        ("input length and `max_tokens` exceed context limit: 199999 + 8192 > 200000", ContextTooLong),
        ("This model's maximum context length is 65536 tokens.", ContextTooLong),
        ("Your credit balance is too low to access the Anthropic API.", QuotaExhausted),
        ("You have reached your specified API usage limits. You will regain access later.", QuotaExhausted),
        ("Output blocked by content filtering policy", ContentFiltered),
        ("messages: text content blocks must be non-empty", BadRequest),
    ],
)
def test_where_only_the_message_tells(message: str, expected: type[ProviderError]) -> None:
    """One type stands for many mistakes."""
    assert type(failure(400, error("invalid_request_error", message))) is expected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "enforced_spend_limit_reached", QuotaExhausted),
        (429, "contract_spend_limit_reached", QuotaExhausted),
        (402, "linked_organization_spend_limit_reached", QuotaExhausted),
        (413, "request_body_too_large_after_decoding", ContextTooLong),
        (429, "ramp_limit_exceeded", ProviderRateLimited),
        (400, "some_new_code", BadRequest),
    ],
)
def test_the_code_says_more_than_the_type(status: int, code: str, expected: type[ProviderError]) -> None:
    """It stands in the details; a spend limit is no rate limit, though it has the same status."""
    failed = failure(status, error("rate_limit_error", details={"error_code": code}))

    assert type(failed) is expected
    assert failed.code == code


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}}, ContextTooLong),
        (503, {"error": {"code": 503, "type": "unavailable_error", "message": "Loading model"}}, Overloaded),
        (429, {"error": {"type": "exceeded_current_quota_error", "message": "x"}}, QuotaExhausted),
    ],
)
def test_other_servers(status: int, body: dict, expected: type[ProviderError]) -> None:
    """llama.cpp and Moonshot have types of their own."""
    assert type(failure(status, body)) is expected


def test_the_id_of_the_request() -> None:
    """It stands in a header."""
    assert failure(500, error("api_error"), {"request-id": "req_2"}).request_id == "req_2"


@given(json_values)
def test_any_body_is_classified(body: object) -> None:
    """Whatever stands in it, and even if it mentions a code."""
    for shape in (body, {"error": body, "error_code": 1}, {"error": {"details": body, "error_code": body}}):
        assert isinstance(failure(400, shape), BadRequest)


def test_bytes_that_only_look_like_it() -> None:
    """A body that is no JSON is read as text."""
    assert type(FAILURES.classify(500, {}, b'<"error_code">', provider="p", model="m")) is ServerError

"""The table that tells the failures of OpenAI-style servers apart."""

from __future__ import annotations

import json

import pytest

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
from aigw.wire.openai_chat import classify


def failure(status: int, body: object) -> ProviderError:
    """Classify a failure whose body is JSON."""
    return classify(status, {}, json.dumps(body).encode(), provider="openai", model="m")


def error(message: str = "words", **fields: object) -> dict:
    """The usual shape of an error."""
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (
            400,
            error(code="context_length_exceeded", type="invalid_request_error"),
            ContextTooLong,
            "context_length_exceeded",
        ),
        (400, error(code=400, type="exceed_context_size_error"), ContextTooLong, "exceed_context_size_error"),
        (500, error(code=500, type="exceed_context_size_error"), ContextTooLong, "exceed_context_size_error"),
        (400, error(code="content_filter"), ContentFiltered, "content_filter"),
        (400, error(code="content_policy_violation"), ContentFiltered, "content_policy_violation"),
        (
            400,
            error(code="moderation_blocked", type="image_generation_user_error"),
            ContentFiltered,
            "moderation_blocked",
        ),
        (429, error(code="rate_limit_exceeded", type="tokens"), ProviderRateLimited, "rate_limit_exceeded"),
        (429, error(code="insufficient_quota", type="insufficient_quota"), QuotaExhausted, "insufficient_quota"),
        (429, error(code=None, type="insufficient_quota"), QuotaExhausted, "insufficient_quota"),
        (403, error(code="insufficient_quota"), QuotaExhausted, "insufficient_quota"),
        (400, error(code="billing_hard_limit_reached"), QuotaExhausted, "billing_hard_limit_reached"),
        (429, error(code="billing_not_active"), QuotaExhausted, "billing_not_active"),
        (429, error(type="exceeded_current_quota_error"), QuotaExhausted, "exceeded_current_quota_error"),
        (400, error(type="billing_error"), QuotaExhausted, "billing_error"),
        (429, error(code="project_spend_limit_exceeded"), QuotaExhausted, "project_spend_limit_exceeded"),
        (404, error(code="model_not_found"), NotFound, "model_not_found"),
        (403, error(code="model_not_found"), NotFound, "model_not_found"),
        (401, error(code="invalid_api_key"), AuthenticationFailed, "invalid_api_key"),
        (413, error(code="rate_limit_exceeded"), ContextTooLong, "rate_limit_exceeded"),
        (400, error(type="some_new_type", code="some_new_code"), BadRequest, "some_new_code"),
        (429, error(type="some_new_type", code="some_new_code"), ProviderRateLimited, "some_new_code"),
    ],
)
def test_code_and_type_say_more_than_the_status(status: int, body: dict, kind: type, code: str) -> None:
    """A code or type that is known wins; others leave the decision to the status."""
    failed = failure(status, body)

    assert type(failed) is kind
    assert failed.code == code


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "This model's maximum context length is 4096 tokens. However, you requested 5000.", ContextTooLong),
        (400, "The decoder prompt (length 9) is longer than the maximum model length of 8.", ContextTooLong),
        (400, "The input (9 tokens) is longer than the model's context length (8 tokens).", ContextTooLong),
        (400, "This model's maximum prompt length is 8 but the request contains 9 tokens.", ContextTooLong),
        (400, "the request exceeds the available context size, try increasing it", ContextTooLong),
        (422, "Maximum context length is 8", ContextTooLong),
        (400, "Incorrect API key provided: xa***", AuthenticationFailed),
        (400, "API key not valid. Please pass a valid API key.", AuthenticationFailed),
        (500, "maximum context length", ServerError),
        (429, "You exceeded your current quota", ProviderRateLimited),
    ],
)
def test_the_message_counts_only_where_nothing_else_tells(status: int, message: str, kind: type) -> None:
    """Some servers have no code for a prompt that is too long or a wrong key; only 400 and 422 are looked at so."""
    assert type(failure(status, error(message, type="BadRequestError", code=status))) is kind


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (error(code=429), ProviderRateLimited, 429),
        (error(code="503"), Overloaded, 503),
        (error(code=400, type="exceed_context_size_error"), ContextTooLong, 400),
        (error(code=200), ServerError, 200),
        (error(code="99999999"), ServerError, 200),
        (error(type="server_error"), ServerError, 200),
        (error(code="rate_limit_exceeded"), ProviderRateLimited, 200),
        (error(type="overloaded_error"), Overloaded, 200),
        (error(type="invalid_request_error"), BadRequest, 200),
        (error(type="authentication_error"), AuthenticationFailed, 200),
        (error(type="permission_error"), PermissionDenied, 200),
        (error(type="not_found_error"), NotFound, 200),
        (error(type="timeout_error"), TimedOut, 200),
        (error(code="insufficient_quota"), QuotaExhausted, 200),
        ({"error": "it broke"}, ServerError, 200),
    ],
)
def test_an_error_inside_an_answer_says_it_itself(body: dict, kind: type, status: int) -> None:
    """Under status 200 the error's own number counts, then its code or type; anything else is the server's failure."""
    failed = failure(200, body)

    assert type(failed) is kind
    assert failed.status == status

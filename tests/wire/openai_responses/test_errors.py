"""Failures: from a status and a body, or an error within an answer, to one of our errors."""

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
from aigw.wire.openai_responses import classify


def kind_of(status: int, **error: object) -> type[ProviderError]:
    """Classify a failure with this error in its body."""
    body = json.dumps({"error": {"message": "hunter2", **error}}).encode()
    failure = classify(status, {}, body, provider="openai", model="m")
    assert "hunter2" not in str(failure)
    return type(failure)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"type": "invalid_request_error"}, BadRequest),
        (400, {"type": "invalid_request_error", "code": "context_length_exceeded"}, ContextTooLong),
        (400, {"type": "invalid_request_error", "code": "invalid_prompt"}, ContentFiltered),
        (400, {"type": "invalid_request_error", "code": "previous_response_not_found"}, BadRequest),
        (400, {"type": "exceed_context_size_error", "code": 400}, ContextTooLong),
        (401, {"code": "invalid_api_key"}, AuthenticationFailed),
        (403, {"code": "unsupported_country_region_territory"}, PermissionDenied),
        (404, {"code": "model_not_found"}, NotFound),
        (429, {"code": "rate_limit_exceeded"}, ProviderRateLimited),
        (429, {"code": "insufficient_quota"}, QuotaExhausted),
        (500, {"type": "server_error"}, ServerError),
        (503, {"code": "slow_down"}, Overloaded),
    ],
)
def test_failed_requests(status: int, error: dict, kind: type[ProviderError]) -> None:
    """The code says most, then the status."""
    assert kind_of(status, **error) is kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", ServerError),
        ("rate_limit_exceeded", ProviderRateLimited),
        ("insufficient_quota", QuotaExhausted),
        ("context_length_exceeded", ContextTooLong),
        ("invalid_prompt", ContentFiltered),
        ("bio_policy", ContentFiltered),
        ("misalignment_policy_violation", ContentFiltered),
        ("image_content_policy_violation", ContentFiltered),
        ("data_residency_mismatch", PermissionDenied),
        ("vector_store_timeout", TimedOut),
        ("invalid_image", BadRequest),
        ("image_too_large", BadRequest),
        ("failed_to_download_image", BadRequest),
        ("image_file_not_found", BadRequest),
        ("server_is_overloaded", Overloaded),
        ("something_new", ServerError),
    ],
)
def test_errors_within_an_answer(code: str, kind: type[ProviderError]) -> None:
    """Under status 200 the code is all there is."""
    assert kind_of(200, code=code) is kind


def test_every_code_of_the_sdk_is_known() -> None:
    """No error that an answer may hold is taken for a failure of the server that is not one."""
    from typing import get_args

    from openai.types.responses.response_error import ResponseError

    codes = get_args(ResponseError.model_fields["code"].annotation)

    assert [code for code in codes if kind_of(200, code=code) is ServerError] == ["server_error"]

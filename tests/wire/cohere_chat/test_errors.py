"""Failures of Cohere's servers: their real bodies, as a table."""

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
from aigw.wire.cohere_chat import classify

TABLE = [
    (400, "invalid request: list of documents must not be empty", BadRequest),
    (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.", ContextTooLong),
    (400, "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs.", ContextTooLong),
    (400, "too many tokens: multi-hop prompt is too long even after truncation", ContextTooLong),
    (400, "too many tokens: max tokens must be less than or equal to 4096, the maximum output", BadRequest),
    (400, "invalid request: temperature must be between 0 and 1.0 inclusive.", BadRequest),
    (401, "no api key supplied", AuthenticationFailed),
    (401, "invalid api token", AuthenticationFailed),
    (402, "Maximum billing reached for this API key as set in your dashboard", QuotaExhausted),
    (403, "access denied", PermissionDenied),
    (404, "model 'xyz' not found, make sure the correct model ID was used", NotFound),
    (422, "unprocessable", BadRequest),
    (429, "You are past the per minute request limit, please wait and try again later.", ProviderRateLimited),
    (429, "You are using a Trial key, which is limited to 40 API calls / minute.", ProviderRateLimited),
    (429, "You are using a Trial key, which is limited to 1000 API calls / month.", QuotaExhausted),
    (498, "invalid token", AuthenticationFailed),
    (499, "request cancelled", ServerError),
    (500, "internal server error", ServerError),
    (501, "not implemented", NotFound),
    (503, "service unavailable", Overloaded),
    (504, "gateway timeout", TimedOut),
]


@pytest.mark.parametrize(("status", "message", "kind"), TABLE)
def test_every_failure_is_what_it_says(status: int, message: str, kind: type) -> None:
    """The status decides, and under a plain 400 the message; what Cohere wrote is a detail, never the message."""
    body = json.dumps({"id": "1c", "message": message}).encode()
    error = classify(status, {"retry-after": "7"}, body, provider="cohere", model="m")

    assert type(error) is kind
    assert (error.status, error.detail, error.retry_after) == (status, message, 7)
    assert message not in str(error)

"""Failures of Bedrock: the code from the header, the body or the stream decides."""

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
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.wire.bedrock_converse import classify
from aigw.wire.bedrock_converse.errors import classify_exception

TABLE = [
    (400, "ValidationException", "The request is wrong: hunter2", BadRequest),
    (400, "ValidationException", "Input is too long for requested model.", ContextTooLong),
    (
        400,
        "ValidationException",
        "The model returned the following errors: prompt is too long: 227255 tokens > 200000 maximum",
        ContextTooLong,
    ),
    (400, "ValidationException", "input length and `max_tokens` exceed context limit: 1 + 2 > 2", ContextTooLong),
    (
        400,
        "ValidationException",
        "Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
        ContextTooLong,
    ),
    (400, "ValidationException", "This model's maximum context length is 8192 tokens.", ContextTooLong),
    (400, "ValidationException", "The provided model identifier is invalid.", NotFound),
    (400, "ValidationException", "Invocation of model ID m with on-demand throughput isn't supported.", NotFound),
    (400, "ServiceQuotaExceededException", "The quota of your account is used up.", QuotaExhausted),
    (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", PermissionDenied),
    (
        403,
        "AccessDeniedException",
        "Authentication failed: Please make sure your API Key is valid.",
        AuthenticationFailed,
    ),
    (403, "ExpiredTokenException", "The security token included in the request is expired", AuthenticationFailed),
    (
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        AuthenticationFailed,
    ),
    (403, "InvalidSignatureException", "The request signature we calculated does not match.", AuthenticationFailed),
    (404, "ResourceNotFoundException", "Could not resolve the foundation model.", NotFound),
    (408, "ModelTimeoutException", "Processing timed out.", TimedOut),
    (424, "ModelErrorException", "The model failed.", ServerError),
    (429, "ModelNotReadyException", "Not yet.", Overloaded),
    (429, "ThrottlingException", "Too many tokens, please wait before trying again.", ProviderRateLimited),
    (429, "ThrottlingException", "Too many tokens per day, please wait before trying again.", QuotaExhausted),
    (500, "InternalServerException", "It broke.", ServerError),
    (503, "ServiceUnavailableException", "Not now.", Overloaded),
]


@pytest.mark.parametrize("place", ["header", "long header", "body", "long body"])
@pytest.mark.parametrize(("status", "code", "message", "kind"), TABLE)
def test_failures_are_told_apart(status: int, code: str, message: str, kind: type, place: str) -> None:
    """Wherever Bedrock writes the code; its words go to the detail and never into the message."""
    headers = {"x-amzn-requestid": "r-1"}
    body = {"message": message}
    if "header" in place:
        suffix = ":http://internal.amazon.com/coral/com.amazon.bedrock/" if place == "long header" else ""
        headers["x-amzn-errortype"] = code + suffix
    else:
        body["__type"] = f"com.amazon.coral.service#{code}" if place == "long body" else code
    error = classify(status, headers, json.dumps(body).encode(), provider="bedrock", model="m")

    assert type(error) is kind
    assert error.status == status
    assert error.request_id == "r-1"
    assert error.detail == message
    assert message not in str(error)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"Message": "User is not authorized"}', "User is not authorized"),
        (b"not JSON", "not JSON"),
        (b"", ""),
        (b"[1]", ""),
        (b'{"message": 7, "__type": 8}', "7"),
        (b'{"error": {"message": "from the model", "code": "x"}}', "from the model"),
    ],
)
def test_no_body_is_too_strange(body: bytes, detail: str) -> None:
    """Whatever the body holds, the status alone is enough."""
    error = classify(403, {}, body, provider="bedrock", model="m")

    assert type(error) is PermissionDenied
    assert error.detail == detail


def test_a_header_is_enough() -> None:
    """An error without a body is known by its header."""
    error = classify(403, {"x-amzn-errortype": "ExpiredTokenException"}, b"", provider="bedrock", model="m")

    assert type(error) is AuthenticationFailed
    assert error.code == "ExpiredTokenException"


@pytest.mark.parametrize(
    ("name", "message", "kind", "status"),
    [
        ("throttlingException", "Too many requests", ProviderRateLimited, 429),
        ("modelStreamErrorException", "It broke.", ServerError, 424),
        ("internalServerException", "It broke.", ServerError, 500),
        ("serviceUnavailableException", "Not now.", Overloaded, 503),
        ("validationException", "Input is too long for requested model.", ContextTooLong, 400),
        ("validationException", "It is wrong.", BadRequest, 400),
        ("modelTimeoutException", "Too slow.", TimedOut, 500),
        ("someNewException", "Who knows.", ServerError, 500),
    ],
)
def test_exceptions_of_a_stream(name: str, message: str, kind: type[ProviderError], status: int) -> None:
    """They are the same errors as those before it."""
    error = classify_exception(name, json.dumps({"message": message}).encode(), provider="bedrock", model="m")

    assert type(error) is kind
    assert error.status == status
    assert error.detail == message

"""The table that tells the failures of OpenAI-style servers apart."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.errors import (
    AuthenticationFailed,
    BadRequest,
    BadResponse,
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
from aigw.wire.openai_errors import classify, retry_after
from strategies import json_values

NOW = 1_700_000_000.0


def failure(status: int, body: object = b"", headers: dict[str, str] | None = None) -> ProviderError:
    """Classify a failure at a fixed time; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(status, headers or {}, data, provider="openai", model="m", now=lambda: NOW)


def error(message: str = "words", **fields: object) -> dict:
    """The usual shape of an error."""
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, BadResponse),
        (307, BadResponse),
        (400, BadRequest),
        (401, AuthenticationFailed),
        (402, QuotaExhausted),
        (403, PermissionDenied),
        (404, NotFound),
        (405, BadRequest),
        (408, TimedOut),
        (409, ServerError),
        (413, ContextTooLong),
        (415, BadRequest),
        (422, BadRequest),
        (425, ServerError),
        (429, ProviderRateLimited),
        (451, BadRequest),
        (500, ServerError),
        (501, ServerError),
        (502, ServerError),
        (503, Overloaded),
        (504, TimedOut),
        (520, ServerError),
        (524, TimedOut),
        (529, Overloaded),
        (200, BadResponse),
        (204, BadResponse),
        (100, BadResponse),
        (0, BadResponse),
        (999, BadResponse),
    ],
)
def test_a_bare_status_says_this(status: int, kind: type) -> None:
    """Without a body the status alone decides."""
    failed = failure(status)

    assert type(failed) is kind
    assert (failed.status, failed.provider, failed.model, failed.code, failed.detail) == (
        status,
        "openai",
        "m",
        None,
        "",
    )


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


@pytest.mark.parametrize(
    ("body", "detail", "code"),
    [
        (b"", "", None),
        (b"<html>502 Bad Gateway</html>\n", "<html>502 Bad Gateway</html>", None),
        (b'{"error": {"mess', '{"error": {"mess', None),
        (b"\xff\xfe", "\ufffd\ufffd", None),
        ([], "", None),
        (7, "", None),
        ("words", "words", None),
        ([error(code="c")], "words", "c"),
        ({"error": "words"}, "words", None),
        ({"error": "words", "code": "c"}, "words", "c"),
        ({"error": None}, "", None),
        ({"error": {}}, "", None),
        (error(None), "", None),
        (error(["a"]), '["a"]', None),
        ({"message": "words", "code": "c", "type": "t"}, "words", "c"),
        ({"object": "error", "message": "words", "type": "t", "code": 500}, "words", "t"),
        ({"detail": "words"}, "words", None),
        ({"detail": [{"loc": ["body"]}]}, '[{"loc":["body"]}]', None),
        (error(code="prose that might quote a prompt"), "words", None),
        (error(code="c" * 101, type="t"), "words", "t"),
        (error(code="a\nb"), "words", None),
        (error(code={}, type=[]), "words", None),
        (error("x" * 3000), "x" * 2000, None),
        (b"y" * 9000, "y" * 2000, None),
    ],
)
def test_any_shape_of_body_is_read(body: object, detail: str, code: str | None) -> None:
    """The provider's words and code are found in every shape; what is no code is not taken for one."""
    failed = failure(500, body)

    assert (failed.detail, failed.code) == (detail, code)


def test_the_message_never_holds_what_the_provider_wrote() -> None:
    """Providers quote prompts and keys; their words are in ``detail`` and not in the text of the error."""
    failed = failure(400, error("you wrote: hunter2", param="hunter2"), {"x-request-id": "req_1"})

    assert "hunter2" not in str(failed)
    assert str(failed) == "openai/m: the provider refused the request as wrong (status 400, request req_1)"


def test_a_redirect_points_to_the_base_url() -> None:
    """A redirect is explained, because it most often means a wrong base URL."""
    assert "base URL is probably wrong" in str(failure(301))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after-ms": "-1", "retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW + 30).replace("+0000", "-0000")}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, None),
        ({"retry-after": "Wed, 99 Foo 20230 99:99:99 GMT"}, None),
    ],
)
def test_the_wait_that_the_provider_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds first, then seconds or a date; what makes no sense counts as not said."""
    assert failure(429, headers=headers).retry_after == seconds


def test_the_wall_clock_is_the_default() -> None:
    """Without a clock the wall clock is used: a date in the distant past or future is seen as such."""
    assert retry_after({"retry-after": formatdate(0, usegmt=True)}) is None
    assert retry_after({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) > 0


@pytest.mark.parametrize("value", ["", "two words", "x" * 101])
def test_a_request_id_that_is_no_id_is_dropped(value: str) -> None:
    """Only one short word is an id."""
    assert failure(500, headers={"x-request-id": value}).request_id is None


odd_errors = st.dictionaries(
    st.sampled_from(["message", "code", "type", "detail", "error", "status"]), json_values | st.integers(), max_size=4
)


@settings(deadline=None)
@given(
    st.integers(-1, 1000),
    st.binary(max_size=40) | odd_errors | odd_errors.map(lambda inner: {"error": inner}) | json_values,
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "x-request-id"]), st.text(max_size=20)),
)
def test_classifying_never_raises(status: int, body: object, headers: dict[str, str]) -> None:
    """Whatever a server sends, the outcome is one of our errors, with words within bounds."""
    failed = failure(status, body, headers)

    assert isinstance(failed, ProviderError)
    assert len(failed.detail) <= 2000
    assert failed.retry_after is None or failed.retry_after >= 0


@pytest.mark.parametrize(
    "body", [b'{"error": {"code": ' + b"9" * 5000 + b"}}", b"[" * 5000, b'{"error": {"code": "\xd9\xa4"}}']
)
def test_bodies_made_to_hurt_do_not(body: bytes) -> None:
    """Huge numbers, deep nesting and digits of other scripts are read over."""
    assert type(failure(500, body)) is ServerError

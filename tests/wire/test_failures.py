"""Failures of providers: from any status, headers and body to one of our errors."""

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
from aigw.wire.failures import Failures, Said, read_said, retry_after
from strategies import json_values

NOW = 1_700_000_000.0

FAILURES = Failures(
    by_code={
        "out_of_money": QuotaExhausted,
        "ThrottlingException": ProviderRateLimited,
        "API_KEY_INVALID": AuthenticationFailed,
    },
    by_type={"busy": Overloaded},
    by_message=(("too many tokens", ContextTooLong),),
    by_status={400: NotFound, 529: TimedOut},
)
"""A table in which nothing is as elsewhere, so that it shows."""

PLAIN = Failures()
"""A provider that has nothing of its own."""


def failure(
    status: int, body: object = b"", headers: dict[str, str] | None = None, failures: Failures = PLAIN
) -> ProviderError:
    """Classify a failure at a fixed time; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failures.classify(status, headers or {}, data, provider="p", model="m", now=lambda: NOW)


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
        "p",
        "m",
        None,
        "",
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, error(code="out_of_money"), QuotaExhausted),
        (200, error(type="out_of_money"), QuotaExhausted),
        (400, error("too many tokens"), ContextTooLong),
        (422, error("Too many TOKENS here"), ContextTooLong),
        (500, error("too many tokens"), ServerError),
        (400, error("other words"), NotFound),
        (422, error("other words"), BadRequest),
        (529, b"", TimedOut),
        (503, b"", Overloaded),
        (200, error(type="busy"), Overloaded),
        (500, error(type="busy"), ServerError),
        (200, error(type="unheard of"), ServerError),
        (200, b"", BadResponse),
        (200, error(code=529), TimedOut),
        (200, error(code="429"), ProviderRateLimited),
        (200, error(code=200), ServerError),
        (200, error(code="99999999"), ServerError),
        (500, error(code=429), ServerError),
    ],
)
def test_the_order_of_the_tables(status: int, body: object, kind: type) -> None:
    """Codes first, then the words of a plain 400, then the types of an error under 200, then the status."""
    assert type(failure(status, body, failures=FAILURES)) is kind


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}
REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
GOOGLE = {"code": 429, "message": "words", "status": "RESOURCE_EXHAUSTED", "details": [REASON, {"x": 1}, RETRY]}
ANTHROPIC = {"type": "error", "error": {"type": "overloaded_error", "message": "words"}, "request_id": "req_1"}
OPENAI = {"error": {"message": "words", "type": "invalid_request_error", "param": "n", "code": "wrong_n"}}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(OPENAI, Said("words", ("wrong_n", "invalid_request_error")), id="OpenAI"),
        pytest.param(error(type="t", code=None), Said("words", ("t",)), id="OpenAI without a code"),
        pytest.param(ANTHROPIC, Said("words", ("overloaded_error",)), id="Anthropic"),
        pytest.param(
            {"error": GOOGLE}, Said("words", ("API_KEY_INVALID", "RESOURCE_EXHAUSTED"), 429, 34.0), id="Google"
        ),
        pytest.param([{"error": GOOGLE}], read_said(json.dumps({"error": GOOGLE}).encode()), id="Google in a list"),
        pytest.param(
            {"error": {**GOOGLE, "details": [{"retryDelay": "0.5s"}]}},
            Said("words", ("RESOURCE_EXHAUSTED",), 429, 0.5),
            id="Google with less than a second",
        ),
        pytest.param(
            {"error": {**GOOGLE, "details": [{"retryDelay": "soon"}, {"retryDelay": 3}, "x"]}},
            Said("words", ("RESOURCE_EXHAUSTED",), 429),
            id="Google with nonsense",
        ),
        pytest.param(
            {"__type": "com.amazon.coral.service#ThrottlingException", "message": "words"},
            Said("words", ("ThrottlingException",)),
            id="AWS",
        ),
        pytest.param({"__type": "ThrottlingException"}, Said("", ("ThrottlingException",)), id="AWS, the short form"),
        pytest.param({"message": "words"}, Said("words"), id="Cohere"),
        pytest.param({"message": "words", "id": "x"}, Said("words"), id="Cohere with an id"),
        pytest.param(
            {"object": "error", "message": "words", "type": "invalid_request_error", "param": None, "code": "1800"},
            Said("words", ("1800", "invalid_request_error")),
            id="Mistral",
        ),
        pytest.param(
            {"object": "error", "message": {"detail": [{"loc": ["body"]}]}, "type": "invalid_request_error"},
            Said('{"detail":[{"loc":["body"]}]}', ("invalid_request_error",)),
            id="Mistral, an invalid request",
        ),
        pytest.param(
            {"object": "error", "message": "words", "type": "BadRequestError", "code": 400},
            Said("words", ("BadRequestError",), 400),
            id="vLLM",
        ),
        pytest.param({"detail": "words"}, Said("words"), id="FastAPI"),
        pytest.param({"error": "words"}, Said("words"), id="Ollama"),
        pytest.param({"error": "words", "code": "c"}, Said("words", ("c",)), id="xAI"),
        pytest.param("words", Said("words"), id="a text in JSON"),
        pytest.param(b" no JSON at all\n", Said("no JSON at all"), id="plain text"),
        pytest.param(b"<html>502 Bad Gateway</html>", Said("<html>502 Bad Gateway</html>"), id="HTML"),
        pytest.param(b"\xff\xfe", Said("\ufffd\ufffd"), id="garbage"),
        pytest.param(b"", Said(), id="nothing"),
        pytest.param(None, Said(), id="null"),
        pytest.param(7, Said(), id="a number"),
        pytest.param([], Said(), id="an empty list"),
        pytest.param([7], Said(), id="a list of something else"),
        pytest.param({}, Said(), id="an empty object"),
        pytest.param({"error": []}, Said(), id="an error of another type"),
        pytest.param(error(code=99), Said("words"), id="a number that is no status"),
        pytest.param(error(code=600), Said("words"), id="a number that is no status either"),
        pytest.param(error(code=True), Said("words"), id="a truth that is no number"),
    ],
)
def test_what_a_body_says(body: object, said: Said) -> None:
    """The words, the codes, the status and the wait are found in the shape of every provider."""
    assert read_said(body if isinstance(body, bytes) else json.dumps(body).encode()) == said


def test_the_code_that_says_most_is_the_code_of_the_error() -> None:
    """Reasons of Google before its status, a code before a type."""
    assert failure(400, {"error": GOOGLE}).code == "API_KEY_INVALID"
    assert failure(400, OPENAI).code == "wrong_n"


def test_the_wait_in_a_header_comes_before_the_one_in_the_body() -> None:
    """Google tells it in the body, everybody else in a header."""
    assert failure(429, {"error": GOOGLE}).retry_after == 34.0
    assert failure(429, {"error": GOOGLE}, {"retry-after": "7"}).retry_after == 7.0


@pytest.mark.parametrize(
    "name", ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-goog-request-id"]
)
def test_every_provider_calls_its_id_differently(name: str) -> None:
    """The id of the request is taken from the header that there is."""
    assert failure(500, headers={name: "req_1"}).request_id == "req_1"


def test_a_failure_tells_about_the_quota() -> None:
    """What a provider asks us to wait is in the hint about its quota too."""
    assert failure(429, headers={"retry-after": "7"}).quota.retry_after == 7.0


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
    assert str(failed) == "p/m: the provider refused the request as wrong (status 400, request req_1)"


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

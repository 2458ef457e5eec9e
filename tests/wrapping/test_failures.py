"""What clients raise is recognised without importing them, as a table; and it is what the caller gets in the end."""

from __future__ import annotations

import asyncio
import builtins
from types import SimpleNamespace

import anthropic
import botocore.exceptions
import httpx
import httpx2
import openai
import pytest
from google.genai import errors as google_errors

from aigw import Retry, errors
from aigw.wrapping.failures import judge
from wrapping.clients import Server
from wrapping.watch import Watch, gateway

REQUEST = httpx2.Request("POST", "http://test/v1")


def openai_error(status, code, headers=None):
    """Make what OpenAI's SDK raises for such an answer."""
    body = {"error": {"message": "no", "type": "x", "code": code}}
    client = Server(httpx2.Response(status, json=body, headers=headers)).openai
    try:
        client.chat.completions.create(model="m", messages=[])
    except openai.OpenAIError as error:
        return error
    raise AssertionError("nothing was raised")


def anthropic_error(status, kind):
    """Make what Anthropic's SDK raises."""
    body = {"type": "error", "error": {"type": kind, "message": "no"}}
    try:
        Server(httpx2.Response(status, json=body)).anthropic.messages.create(model="m", max_tokens=1, messages=[])
    except anthropic.AnthropicError as error:
        return error
    raise AssertionError("nothing was raised")


def google_error(status, word):
    """Make what Google's SDK raises."""
    body = {"error": {"code": status, "message": "no", "status": word}}
    try:
        Server(httpx2.Response(status, json=body)).google.models.generate_content(model="m", contents="hi")
    except google_errors.APIError as error:
        return error
    raise AssertionError("nothing was raised")


def bedrock_error(status, code):
    """Make what botocore raises."""
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, "Converse")


def plain(**fields):
    """Make an exception with attributes."""
    error = Exception("no")
    for name, value in fields.items():
        setattr(error, name, value)
    return error


CASES = {
    "openai-429": (lambda: openai_error(429, "rate_limit_exceeded"), errors.ProviderRateLimited),
    "openai-quota": (lambda: openai_error(429, "insufficient_quota"), errors.QuotaExhausted),
    "openai-401": (lambda: openai_error(401, "invalid_api_key"), errors.AuthenticationFailed),
    "openai-context": (lambda: openai_error(400, "context_length_exceeded"), errors.ContextTooLong),
    "openai-500": (lambda: openai_error(500, None), errors.ServerError),
    "openai-timeout": (lambda: openai.APITimeoutError(REQUEST), errors.TimedOut),
    "openai-connection": (lambda: openai.APIConnectionError(request=REQUEST), errors.Unreachable),
    "openai-in-stream": (
        lambda: openai.APIError("no", REQUEST, body={"message": "no", "type": "server_error"}),
        errors.ServerError,
    ),
    "anthropic-529": (lambda: anthropic_error(529, "overloaded_error"), errors.Overloaded),
    "anthropic-404": (lambda: anthropic_error(404, "not_found_error"), errors.NotFound),
    "anthropic-timeout": (lambda: anthropic.APITimeoutError(REQUEST), errors.TimedOut),
    "google-503": (lambda: google_error(503, "UNAVAILABLE"), errors.Overloaded),
    "google-403": (lambda: google_error(403, "PERMISSION_DENIED"), errors.PermissionDenied),
    "bedrock-throttled": (lambda: bedrock_error(429, "ThrottlingException"), errors.ProviderRateLimited),
    "bedrock-connect": (
        lambda: botocore.exceptions.EndpointConnectionError(endpoint_url="http://test"),
        errors.Unreachable,
    ),
    "httpx-connect": (lambda: httpx.ConnectError("no"), errors.Unreachable),
    "httpx-timeout": (lambda: httpx.ReadTimeout("no"), errors.TimedOut),
    "httpx2-cut": (lambda: httpx2.RemoteProtocolError("no"), errors.Unreachable),
    "httpx-status": (
        lambda: httpx.HTTPStatusError("no", request=None, response=httpx.Response(503, request=None)),
        errors.Overloaded,
    ),
    "timeout": (builtins.TimeoutError, errors.TimedOut),
    "reset": (ConnectionResetError, errors.Unreachable),
    "status": (lambda: plain(status_code=502), errors.ServerError),
    "status-and-text": (lambda: plain(status=400, body="{"), errors.BadRequest),
    "response": (lambda: plain(response=SimpleNamespace(status_code=429, content=b"")), errors.ProviderRateLimited),
}


@pytest.mark.parametrize("name", CASES)
def test_what_clients_raise_is_recognised(name):
    """By its attributes and names alone: status, headers, body; words for time and connections."""
    make, kind = CASES[name]
    judged = judge(make(), "test", "large")

    assert type(judged) is kind
    assert (judged.provider, judged.model) == ("test", "large")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        plain(status_code=200),
        plain(code="E1"),
        plain(status="bad"),
        FileNotFoundError("no"),
        openai.OpenAIError("no"),
        asyncio.QueueFull(),
    ],
    ids=repr,
)
def test_everything_else_is_left_alone(error):
    """What only looks a little like it is no failure of a provider."""
    assert judge(error, "test", "large") is None


def test_headers_count():
    """How long to wait is read where the server said it."""
    judged = judge(openai_error(429, "rate_limit_exceeded", {"retry-after": "7"}), "test", "large")

    assert judged.retry_after == 7
    assert judged.code == "rate_limit_exceeded"


def test_what_cannot_be_tried_again_is_not():
    """A wrong key is one attempt."""
    watch, server = Watch(), Server(httpx2.Response(401, json={"error": {"message": "no"}}))

    @gateway(watch, Retry()).wrap(model="m")
    def ask(question):
        return server.openai.chat.completions.create(model="m", messages=[])

    with pytest.raises(openai.AuthenticationError) as caught:
        ask("hi")

    assert len(server.requests) == 1
    assert isinstance(caught.value.aigw_error, errors.AuthenticationFailed)


def test_a_policy_that_raises_something_else_is_heard():
    """If a policy makes an error of its own of it, that is what the caller gets."""

    class Hides:
        async def handle(self, call, inner):
            try:
                return await inner(call)
            except errors.ProviderError as error:
                raise errors.AccessDenied("not you", policy="Hides") from error

    @gateway(Hides()).wrap(model="m")
    def ask(question):
        raise ConnectionError

    with pytest.raises(errors.AccessDenied):
        ask("hi")


def test_an_exception_that_takes_no_attributes():
    """It is raised all the same."""

    class Odd(ConnectionError):
        def __setattr__(self, name, value):
            raise AttributeError(name)

    error = Odd("no")

    @gateway().wrap(model="m")
    def ask(question):
        raise error

    with pytest.raises(Odd) as caught:
        ask("hi")

    assert caught.value is error


def test_wrapped_functions_within_each_other():
    """The inner one's exception goes through both; each of them judges it."""
    watch = Watch()
    made = gateway(watch, Retry(2, budget=None))

    @made.wrap(model="inner")
    def inner(question):
        raise ConnectionError(question)

    @gateway().wrap(model="outer")
    def outer(question):
        return inner(question)

    with pytest.raises(ConnectionError) as caught:
        outer("hi")

    assert len(caught.value.__notes__) == 2
    assert watch.outcomes == ["Unreachable", "Unreachable"]

"""What the gateway refuses and what fails: answers of the SDK's own API, and one attempt."""

from __future__ import annotations

import json
import logging

import anthropic
import openai
import pytest
from google.genai import errors as google

import aigw
from aigw import AllTargetsFailed, AnswerBlocked, Fallback, Gateway, Retry, Target
from aigw.testing import ScriptedProvider

ASKED = [{"role": "user", "content": "a secret question"}]
CASES = {
    "access": (aigw.AccessDenied("no"), 403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "prompt": (aigw.PromptBlocked("no"), 403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "answer": (AnswerBlocked("no"), 403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "rate": (aigw.RateLimited("no", retry_after=7.25), 429, openai.RateLimitError, anthropic.RateLimitError),
    "budget": (aigw.BudgetExceeded("no"), 429, openai.RateLimitError, anthropic.RateLimitError),
    "queue": (aigw.QueueFull("no"), 503, openai.InternalServerError, anthropic.ServiceUnavailableError),
    "audit": (aigw.AuditUnavailable("no"), 503, openai.InternalServerError, anthropic.ServiceUnavailableError),
    "circuit": (aigw.CircuitOpen("no"), 503, openai.InternalServerError, anthropic.ServiceUnavailableError),
    "deadline": (aigw.DeadlineExceeded("no"), 504, openai.InternalServerError, anthropic.DeadlineExceededError),
    "capable": (aigw.NoCapableTarget("no"), 400, openai.BadRequestError, anthropic.BadRequestError),
    "bad": (
        aigw.BadRequest("no", status=422),
        422,
        openai.UnprocessableEntityError,
        anthropic.UnprocessableEntityError,
    ),
    "long": (aigw.ContextTooLong("no", status=200), 400, openai.BadRequestError, anthropic.BadRequestError),
    "filter": (aigw.ContentFiltered("no"), 400, openai.BadRequestError, anthropic.BadRequestError),
    "key": (
        aigw.AuthenticationFailed("no", status=400),
        401,
        openai.AuthenticationError,
        anthropic.AuthenticationError,
    ),
    "may not": (aigw.PermissionDenied("no"), 403, openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    "unknown": (aigw.NotFound("no", status=404), 404, openai.NotFoundError, anthropic.NotFoundError),
    "quota": (aigw.QuotaExhausted("no", status=429), 429, openai.RateLimitError, anthropic.RateLimitError),
    "fast": (aigw.ProviderRateLimited("no", retry_after=2), 429, openai.RateLimitError, anthropic.RateLimitError),
    "server": (aigw.ServerError("no", status=500), 500, openai.InternalServerError, anthropic.InternalServerError),
    "odd": (aigw.ServerError("no", status=520), 502, openai.InternalServerError, anthropic.InternalServerError),
    "gone": (aigw.Unreachable("no"), 502, openai.InternalServerError, anthropic.InternalServerError),
    "slow": (aigw.TimedOut("no"), 504, openai.InternalServerError, anthropic.DeadlineExceededError),
    "cut": (aigw.BadResponse("no"), 502, openai.InternalServerError, anthropic.InternalServerError),
    "set-up": (aigw.ConfigError("no"), 400, openai.BadRequestError, anthropic.BadRequestError),
    "bug": (ValueError("a secret question"), 500, openai.InternalServerError, anthropic.InternalServerError),
}


@pytest.mark.parametrize("case", CASES)
def test_every_error_is_an_answer(case, side, scripted, caplog):
    """Each error is the status and the exception that stand for it in the SDK; nothing is tried a second time."""
    error, status, of_openai, of_anthropic = CASES[case]
    gateway, provider = scripted(*[error] * 8)
    chat = side.openai(gateway).chat.completions
    with caplog.at_level(logging.CRITICAL, "aigw.dropin"):
        with pytest.raises(of_openai) as plain:
            side.wait(chat.create(model="smart", messages=ASKED))
        with pytest.raises(of_openai):
            side.wait(chat.create(model="smart", messages=ASKED, stream=True))
        with pytest.raises(of_openai):
            side.wait(side.openai(gateway).responses.create(model="smart", input="a secret question"))
        with pytest.raises(of_anthropic) as message:
            side.wait(side.anthropic(gateway).messages.create(model="smart", max_tokens=9, messages=ASKED))
        with pytest.raises(google.APIError) as content:
            side.wait(side.gemini(gateway).models.generate_content(model="smart", contents="a secret question"))

    assert [plain.value.status_code, message.value.status_code, content.value.code] == [status] * 3
    assert len(provider.calls) == 5
    for raised in (plain, message, content):
        assert "secret" not in str(raised.value)
    headers = plain.value.response.headers
    assert headers["x-should-retry"] == "false"
    assert headers["x-aigw-error"] == type(error).__name__


def test_the_bodies(scripted):
    """Each API tells an error in its own shape, with the words that programs look for."""
    gateway, _ = scripted(*[aigw.RateLimited("too fast", retry_after=7.25)] * 3, aigw.ContextTooLong("long", code="x"))
    with gateway.http_client("openai") as client:
        chat = client.post("/chat/completions", json={"model": "smart", "messages": ASKED})
        message = client.post("http://any/v1/messages", json={"model": "smart", "max_tokens": 1, "messages": ASKED})
        content = client.post("http://any/v1/models/smart:generateContent", json={"contents": []})
        long = client.post("/chat/completions", json={"model": "smart", "messages": ASKED})

    assert chat.json() == {
        "error": {"message": "too fast", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    }
    assert message.json() == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "too fast"},
        "request_id": message.headers["request-id"],
    }
    assert content.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert content.json()["error"]["details"][0]["retryDelay"] == "7.25s"
    assert (chat.headers["retry-after"], chat.headers["retry-after-ms"]) == ("8", "7250")
    assert chat.headers["x-request-id"] == chat.headers["x-aigw-call-id"]
    assert long.json()["error"]["code"] == "context_length_exceeded"


def test_overloaded_is_529_where_that_is_known(side, scripted):
    """Anthropic's status for a lack of capacity is for its SDK only."""
    gateway, provider = scripted(*[aigw.Overloaded("busy", status=529)] * 2)
    with pytest.raises(anthropic.OverloadedError):
        side.wait(side.anthropic(gateway).messages.create(model="smart", max_tokens=9, messages=ASKED))
    with pytest.raises(openai.InternalServerError) as raised:
        side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED))

    assert raised.value.status_code == 503
    assert len(provider.calls) == 2


def test_the_gateway_retries_and_the_sdk_does_not(side, scripted, clock):
    """All attempts are the gateway's: its own number of them, whatever ``max_retries`` the SDK has."""
    gateway, provider = scripted(*[aigw.ServerError] * 9)
    gateway = Gateway({"smart": Target(provider, model="test-model")}, [Retry(attempts=3)], clock=clock)
    client = side.openai(gateway, max_retries=5)
    with pytest.raises(openai.InternalServerError):
        side.wait(client.chat.completions.create(model="smart", messages=ASKED))

    assert len(provider.calls) == 3


@pytest.mark.parametrize(
    ("second", "status"),
    [(aigw.Overloaded("b", retry_after=3), 503), (aigw.ServerError("b", status=500), 503), (aigw.NotFound("b"), 404)],
)
def test_targets_that_all_fail(side, second, status):
    """What all targets agree on is told, and otherwise that none can serve the call now."""
    first = aigw.NotFound("a") if status == 404 else aigw.Overloaded("a", retry_after=9)
    fallback = Fallback(
        Target(ScriptedProvider(first), name="a", model="m"), Target(ScriptedProvider(second), name="b", model="m")
    )
    with pytest.raises(openai.APIStatusError) as raised:
        side.wait(side.openai(Gateway({"smart": fallback})).chat.completions.create(model="smart", messages=ASKED))

    assert raised.value.status_code == status
    assert raised.value.response.headers["x-aigw-error"] == AllTargetsFailed.__name__


def test_what_stays_in_this_process(scripted):
    """The trace, and the provider's own words, are with the response, and not in the text of the error."""
    gateway, _ = scripted(aigw.BadRequest("refused", detail="a secret question?"), "fine")
    with gateway.http_client("openai") as client:
        failed = client.post("/chat/completions", json={"model": "smart", "messages": ASKED})
        fine = client.post("/chat/completions", json={"model": "smart", "messages": ASKED})

    assert "secret" not in failed.text
    assert failed.extensions["aigw.detail"] == "a secret question?"
    assert [attempt.outcome for attempt in failed.extensions["aigw.trace"].attempts] == ["BadRequest"]
    assert [attempt.outcome for attempt in fine.extensions["aigw.trace"].attempts] == ["ok"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "the body is not valid JSON"),
        (b"[]", "the request must be an object, not list"),
        (b'{"model": "smart"}', "messages is missing"),
        (b'{"model": "smart", "messages": 3}', "messages must be a list, not int"),
        (b'{"model": "smart", "messages": [], "stream_options": 3}', "stream_options must be an object, not int"),
    ],
)
def test_requests_that_make_no_sense(scripted, body, told):
    """They are refused with the path of the field, before anything is sent."""
    gateway, provider = scripted()
    with gateway.http_client("openai") as client:
        answer = client.post("/chat/completions", content=body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, told)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert provider.calls == []


def test_unknown_models(side, monkeypatch):
    """Any model name goes to the only route or to ``default``; among several routes it must be one of them."""
    one, two = ScriptedProvider.repeat("one"), ScriptedProvider.repeat("two")
    routes = {"a": Target(one, model="m"), "b": Target(two, model="m")}

    def ask(routes, model):
        client = side.openai(Gateway(routes))
        return side.wait(client.chat.completions.create(model=model, messages=ASKED)).choices[0].message.content

    assert ask({"a": Target(one, model="m")}, "gpt-9") == "one"
    assert ask({**routes, "default": Target(two, model="m")}, "meta-llama/llama-9") == "two"
    with pytest.raises(openai.NotFoundError, match="'gpt-9' is no route of the gateway") as raised:
        ask(routes, "gpt-9")
    assert raised.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError, match="set the environment variable OPENAI_API_KEY"):
        ask(routes, "openai/gpt-9")


def test_an_unforeseen_error_is_logged(scripted, caplog):
    """A bug in a policy is told to the log with its traceback, and to the SDK without its words."""
    gateway, _ = scripted(ValueError("a secret"))
    with gateway.http_client("openai") as client:
        answer = client.post("/chat/completions", json={"model": "smart", "messages": ASKED})

    assert answer.status_code == 500
    assert "a secret" not in answer.text
    assert caplog.records[0].exc_info[0] is ValueError
    assert json.loads(answer.content)["error"]["type"] == "server_error"


def test_an_sdk_that_sends_a_request_again_is_told_of(caplog, scripted):
    """Its own retries would multiply the gateway's: a warning, and a note in the trace."""
    gateway, _ = scripted("fine", "fine")
    asked = {"model": "smart", "messages": ASKED}
    with gateway.http_client("openai") as client:
        first = client.post("/chat/completions", json=asked, headers={"x-stainless-retry-count": "0"})
        again = client.post("/chat/completions", json=asked, headers={"x-stainless-retry-count": "1"})

    assert first.extensions["aigw.trace"].decisions == ()
    assert [note.reason for note in again.extensions["aigw.trace"].decisions] == [
        "it has sent this request 2 times; give it max_retries=0"
    ]
    assert [record.name for record in caplog.records] == ["aigw.dropin"]


def test_the_key_of_an_sdk_goes_on(scripted):
    """What an SDK was told as the key of a request is the key of the call."""
    gateway, provider = scripted("fine")
    with gateway.http_client("openai") as client:
        client.post(
            "/chat/completions", json={"model": "smart", "messages": ASKED}, headers={"Idempotency-Key": "order-7"}
        )

    assert provider.calls[0].idempotency_key == "order-7"

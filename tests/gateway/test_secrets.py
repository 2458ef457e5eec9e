"""Keys and prompts are never repeated: not by errors, their causes or tracebacks, not by traces and descriptions.

`test_fault_matrix` looks at every fault of an upstream; here are the other ways to fail.
"""

from __future__ import annotations

import json
import logging
import pickle
from dataclasses import dataclass

import pytest

from aigw import AnswerBlocked, Balance, ConfigError, Fallback, Retry, Target, errors
from aigw.testing import FakeClock, FaultyUpstream, Malformed, Status
from gateway.secrets_check import KEY, PROMPT, leaks, said_by
from transport.raw_server import EVENTS, RawServer, receive, whole

both_calls = pytest.mark.parametrize("call", ["chat", "read"])


def failure(gateway, call="chat", prompt=PROMPT, **options):
    """Return the error of a call."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  (any error at all: what it says is what is tested)
        getattr(gateway, call)(prompt, **options)
    return caught.value


ILLEGAL = [f"{KEY}\n", f"{KEY}\r\nx-more: 1", f"{KEY}\x00", f"{KEY}é", f"{KEY}\N{EURO SIGN}"]


@pytest.mark.parametrize("key", ILLEGAL, ids=ascii)
@both_calls
def test_a_key_that_is_no_legal_header(face, upstream, key, call):
    """A key with a line break, say from a file, is a ConfigError that does not show it, and nothing is sent."""
    gateway = face({"r": Target(upstream.url, model="m", api_key=lambda: key)}, [Retry()])
    error = failure(gateway, call)

    assert type(error) is ConfigError
    assert "key" in str(error)
    assert leaks(said_by(error)) == []
    assert upstream.requests == []


PLACES = [(key, given) for key in ILLEGAL for given in ("api_key", "headers", "environment")]


@pytest.mark.parametrize(
    ("key", "given"),
    [place for place in PLACES if place != (f"{KEY}\x00", "environment")],  # which cannot hold it
    ids=ascii,
)
def test_an_illegal_key_wherever_it_comes_from(face, upstream, monkeypatch, key, given):
    """As an argument, as a header of one's own, or from the environment: a ConfigError without it, sooner or later."""
    if given == "environment":
        monkeypatch.setenv("OPENAI_API_KEY", key)

    def ask():
        if given == "environment":
            target = Target("openai/m", base_url=upstream.url)
        elif given == "api_key":
            target = Target(upstream.url, model="m", api_key=key)
        else:
            target = Target(upstream.url, model="m", headers={"x-api-key": key})
        face({"r": target}).chat(PROMPT)

    with pytest.raises(ConfigError) as caught:
        ask()

    assert leaks(said_by(caught.value)) == []


@both_calls
def test_a_function_for_the_key_that_fails(face, upstream, call):
    """The application's own error goes on as it is; aigw adds nothing to it, and the trace shows no prompt."""

    def key():
        raise LookupError("the vault is closed")

    target = Target(upstream.url, model="m", api_key=key)
    error = failure(face({"r": target}, [Retry()]), call)

    assert type(error) is LookupError
    assert leaks(said_by(error)) == []
    assert target.in_flight == 0


def test_a_key_that_is_no_text(face, upstream):
    """A function that returns something else than a text is a ConfigError."""
    error = failure(face({"r": Target(upstream.url, model="m", api_key=KEY.encode)}))

    assert isinstance(error, (ConfigError, TypeError))
    assert leaks(said_by(error)) == []


def test_a_coroutine_function_for_the_key(face, upstream):
    """The async face awaits it; the blocking one cannot, and says so."""

    async def key():
        return KEY

    gateway = face({"r": Target(upstream.url, model="m", api_key=key)})
    if gateway.blocking:
        error = failure(gateway)

        assert type(error) is ConfigError
        assert "gateway.aio" in str(error)
        assert leaks(said_by(error)) == []
    else:
        assert gateway.chat(PROMPT).text == upstream.answer
        assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_call_that_is_no_json(face, upstream):
    """What cannot be written as JSON is a ConfigError that names where to look."""
    gateway = face({"r": Target(upstream.url, model="m", api_key=KEY)})
    error = failure(gateway, extra={"x": object(), "y": PROMPT})

    assert type(error) is ConfigError
    assert "extra" in str(error)
    assert leaks(said_by(error)) == []


@both_calls
def test_all_targets_failed(face, upstream, second, call):
    """The group of all failures, each of which had quoted key and prompt."""
    words = f"{KEY}: {PROMPT}"
    upstream.always(Status(401, message=words, code="invalid_api_key"))
    second.always(Status(500, body=words))
    pool = Balance(
        Target(upstream.url, model="m", name="a", api_key=KEY), Target(upstream.url, model="m", name="b", api_key=KEY)
    )
    gateway = face({"r": Fallback(pool, Target(second.url, model="m", name="c", api_key=KEY))}, clock=FakeClock())
    error = failure(gateway, call)

    assert type(error) is errors.AllTargetsFailed
    assert [type(one).__name__ for one in error.exceptions] == ["AuthenticationFailed"] * 2 + ["ServerError"]
    assert error.targets == {"a", "b", "c"}
    assert leaks(said_by(error)) == []


def test_what_the_provider_wrote_is_kept_apart(face, upstream):
    """Its words are in ``detail`` for those who look for them, also through pickle, and nowhere else."""
    upstream.next(Status(400, message=f"you said {PROMPT}"))
    error = failure(face({"r": Target(upstream.url, model="m", api_key=KEY)}))
    again = pickle.loads(pickle.dumps(error))

    assert error.detail == again.detail == f"you said {PROMPT}"
    assert str(again) == str(error)
    assert leaks(said_by(error) + said_by(again)) == []


BODIES = [
    PROMPT.encode(),
    json.dumps(PROMPT).encode(),
    json.dumps([PROMPT]).encode(),
    json.dumps({PROMPT: PROMPT}).encode(),
    json.dumps({"choices": PROMPT}).encode(),
    json.dumps({"choices": [{"message": PROMPT}]}).encode(),
    json.dumps({"choices": [{"message": {"content": {"text": PROMPT}}}]}).encode(),
    json.dumps({"choices": [{"message": {"content": "a"}, "finish_reason": [PROMPT]}]}).encode(),
    json.dumps({"choices": [], "id": [PROMPT]}).encode(),
    json.dumps({"error": {"message": PROMPT, "code": PROMPT, "type": [PROMPT]}}).encode(),
    json.dumps({"error": PROMPT}).encode(),
    f'{{"choices": "{PROMPT}'.encode() + b"\xff",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_answers_that_make_no_sense(face, body):
    """A whole answer of the wrong form is told without quoting it; so is an event of a stream."""

    def answer(server, connection):
        receive(connection)
        connection.sendall(whole(body))

    def stream(server, connection):
        receive(connection)
        data = b"data: " + body + b"\n\n"
        connection.sendall(EVENTS + b"content-length: %d\r\n\r\n" % len(data) + data)

    for handle, call in ((answer, "chat"), (stream, "read"), (answer, "embed")):
        with RawServer(handle) as server:
            gateway = face({"r": Target(server.url, model="m", api_key=KEY)})
            error = failure(gateway, call)
            gateway.close()

        assert isinstance(error, errors.ProviderError)
        assert (error.provider, error.model, error.target) == ("openai-compatible", "m", gateway_target(gateway))
        assert leaks(said_by(error)) == []


def gateway_target(gateway):
    """Return the name of the only target."""
    return gateway.explain(model="r").targets[0].name


def test_headers_of_an_answer_that_quote(face):
    """A request id is kept only if it looks like one, and so is a code."""
    body = json.dumps({"error": {"message": "no", "code": PROMPT, "type": PROMPT}}).encode()

    def answer(server, connection):
        receive(connection)
        head = f"HTTP/1.1 400 {PROMPT}\r\nx-request-id: {PROMPT}\r\nretry-after: {PROMPT}\r\n"
        connection.sendall(head.encode() + b"content-length: %d\r\n\r\n" % len(body) + body)

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")})
        error = failure(gateway)
        gateway.close()

    assert (error.request_id, error.code, error.retry_after) == (None, None, None)
    assert leaks(said_by(error)) == []


@dataclass
class Forecast:
    """What a schema is made of."""

    city: str
    days: int


def test_a_schema_that_the_answer_does_not_fit(face, upstream):
    """It tells where, not what."""
    upstream.answer = json.dumps({"days": PROMPT, "city": PROMPT})
    gateway = face({"r": Target(upstream.url, model="m")})
    error = failure(gateway, schema=Forecast)
    mapping = failure(gateway, schema=dict[str, int])

    assert type(error) is type(mapping) is errors.BadResponse
    assert "days" in str(error)
    assert leaks(said_by(error) + said_by(mapping)) == []
    assert leaks(said_by(error)) == []


def test_a_policy_of_ours_that_blocks(face, upstream):
    """The trace of what came before it shows no prompt and no answer."""
    upstream.answer = PROMPT

    class Block:
        async def handle(self, call, inner):
            reply = await inner(call)

            def see(chunk):
                if chunk.text:
                    raise AnswerBlocked("not this", policy="Block")
                return chunk

            reply.tap(see)
            return reply

    for call in ("chat", "read"):
        error = failure(face({"r": Target(upstream.url, model="m", api_key=KEY)}, [Block()]), call)

        assert type(error) is AnswerBlocked
        assert leaks(said_by(error)) == []


def test_what_a_gateway_says_about_itself(face, upstream, monkeypatch):
    """No description shows a key, wherever it comes from; no explanation shows the prompt."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    tree = Fallback(
        Target("openai/m", base_url=upstream.url),
        Target(upstream.url, model="m", name="own", api_key=KEY, headers={"x-key": KEY}),
    )
    gateway = face({"r": tree}, [Retry()])
    answer = gateway.chat(PROMPT, extra={"x": PROMPT}, metadata={"m": PROMPT})
    explained = gateway.explain(PROMPT, model="r")
    said = [
        repr(gateway.gateway),
        gateway.gateway.describe(),
        str(explained),
        repr(explained),
        explained.to_json(),
        str(answer.trace),
        repr(answer.trace),
        answer.trace.to_json(),
        repr(answer),
        repr(tree),
        *[repr(target) + repr(target.provider) + target.provider.where for target in tree.targets],
    ]

    assert upstream.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert leaks("\n".join(said)) == []


@pytest.mark.parametrize("where", ["user", "password"])
def test_a_key_in_the_url(where):
    """It does not belong there, and the error does not repeat it."""
    there = f"{KEY}@" if where == "user" else f"user:{KEY}@"
    with pytest.raises(ConfigError) as caught:
        Target(f"http://{there}127.0.0.1:1/v1", model="m")

    assert leaks(said_by(caught.value)) == []


def test_a_proxy_with_a_password(face, monkeypatch):
    """A proxy that cannot be reached is told without its password."""
    with FaultyUpstream() as upstream:
        dead = upstream.url
    monkeypatch.setenv("http_proxy", dead.replace("//", f"//user:{KEY}@").removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    error = failure(face({"r": Target("http://model.test/v1", model="m", plain_http=True)}))

    assert type(error) is errors.Unreachable
    assert leaks(said_by(error)) == []


def test_nothing_is_logged(face, upstream, caplog):
    """Neither keys nor prompts, at any level."""
    caplog.set_level(logging.DEBUG)
    upstream.next(Status(500, message=PROMPT), Malformed(0))
    gateway = face({"r": Target(upstream.url, model="m", api_key=KEY)}, [Retry()], clock=FakeClock())
    gateway.read(PROMPT)
    gateway.chat(PROMPT)

    assert leaks(caplog.text) == []

"""AWS Bedrock: its URLs and signatures are those of AWS's SDK, whatever shows who asks."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import sys
import threading
from urllib.parse import quote

import botocore.session
import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError, ProfileNotFound

from aigw import Gateway, Target
from aigw.errors import AuthenticationFailed, BadResponse, ConfigError, NoCapableTarget, PermissionDenied
from aigw.runtime import drive
from providers.aws import (
    ACCESS,
    ANSWER,
    CLAUDE,
    JSON,
    PROFILE,
    SECRET,
    TOKEN,
    answers,
    connect,
    forget_this_machine,
    sent,
    set_credentials,
)
from providers.fake_http import FakeResponse, FakeTransport
from transport.raw_server import RawServer
from wire.bedrock_converse.encoder import event


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Nothing of this machine."""
    forget_this_machine(monkeypatch, tmp_path)


@pytest.fixture
def credentials(monkeypatch):
    """Credentials in the environment."""
    set_credentials(monkeypatch)


@pytest.mark.parametrize(
    "region",
    [
        "us-east-1",
        "eu-west-1",
        "us-gov-west-1",
        "cn-north-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eusc-de-east-1",
        "mx-central-1",
    ],
)
def test_endpoints_are_those_of_botocore(region):
    """Of every part of AWS."""
    client = botocore.session.Session().create_client(
        "bedrock-runtime", region_name=region, aws_access_key_id="a", aws_secret_access_key="b"
    )
    theirs = client.meta.endpoint_url
    client.close()

    assert connect(region=region, api_key="k").where == theirs


@pytest.mark.parametrize(
    ("model", "region", "environment", "expected"),
    [
        (CLAUDE, "eu-west-1", {"AWS_REGION": "us-east-1"}, "eu-west-1"),
        (PROFILE, None, {"AWS_REGION": "us-east-1"}, "eu-west-1"),
        (PROFILE, "us-west-2", {}, "us-west-2"),
        (CLAUDE, None, {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"}, "us-east-1"),
        (CLAUDE, None, {"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
    ],
)
def test_where_the_region_comes_from(monkeypatch, model, region, environment, expected):
    """The argument, the ARN of the model, the environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert connect(model, region=region, api_key="k").where == f"https://bedrock-runtime.{expected}.amazonaws.com"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "bedrock: give region=, or set the environment variable AWS_REGION"),
        ({"region": "x.evil.example/"}, "is not the name of an AWS region, such as eu-west-1"),
        ({"region": "eu-west-1", "api_version": "1"}, "bedrock has no api_version"),
        ({"region": "eu-west-1", "wire": "openai_chat"}, "bedrock does not speak wire='openai_chat'"),
    ],
)
def test_a_wrong_set_up_is_told_at_once(settings, message):
    """When the target is made."""
    with pytest.raises(ConfigError, match=message):
        connect(**settings)


@pytest.mark.usefixtures("credentials")
def test_another_base_url(monkeypatch):
    """From the argument or the variables of AWS's SDKs; only a signature still needs the region."""
    provider = connect(base_url="https://gateway.example/bedrock")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://all.example")
    every = connect().where
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://runtime.example")

    assert every == "https://all.example"
    assert connect().where == "https://runtime.example"
    with pytest.raises(ConfigError, match="a signature names the region"):
        provider.check()
    with pytest.raises(ConfigError, match="a signature names the region"):
        drive(provider.send(answers().call(), CLAUDE))
    assert sent(base_url="https://x.example", region="eu-west-1").requests[0].url == (
        "https://x.example/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse"
    )


def test_keys_of_bedrock_need_no_botocore(monkeypatch):
    """An API key goes as a bearer token; the argument counts more than the environment, and both more than signing."""
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from-environment")
    environment = sent(region="eu-west-1")
    argument = sent(region="eu-west-1", api_key=lambda: "from-function")
    connect(region="eu-west-1").check()

    assert environment.header("authorization") == ["Bearer from-environment"]
    assert argument.header("authorization") == ["Bearer from-function"]
    assert environment.header("x-amz-date") == []


def test_a_key_can_appear_while_the_program_runs(monkeypatch):
    """The environment is read for each attempt."""
    provider = connect(region="eu-west-1")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "late")
    transport = answers()
    drive(provider.send(transport.call(), CLAUDE))

    assert transport.header("authorization") == ["Bearer late"]


def test_without_botocore_signing_is_told_how(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "botocore", None)
    provider = connect(region="eu-west-1")
    for step in (provider.check, lambda: drive(provider.send(answers().call(), CLAUDE))):
        with pytest.raises(ConfigError, match=r'needs the package botocore: pip install "aigw\[bedrock\]"'):
            step()


def test_without_credentials_the_error_says_what_to_do():
    """Nothing was found by botocore."""
    with pytest.raises(ConfigError, match="no AWS credentials for bedrock: set AWS_ACCESS_KEY_ID"):
        sent(region="eu-west-1")


@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        (ProfileNotFound(profile="hunter2"), ConfigError, "AWS_PROFILE names a profile that is not in the AWS files"),
        (
            CredentialRetrievalError(provider="p", error_msg="hunter2"),
            AuthenticationFailed,
            r"no AWS credentials could be fetched \(CredentialRetrievalError\)",
        ),
        (RuntimeError("hunter2"), AuthenticationFailed, r"no AWS credentials could be fetched \(RuntimeError\)"),
    ],
)
def test_credentials_that_cannot_be_fetched(monkeypatch, failure, kind, message):
    """The error names the kind of failure, and quotes nothing."""

    def fail(_):
        raise failure

    monkeypatch.setattr(botocore.session.Session, "get_credentials", fail)
    with pytest.raises(kind, match=message) as caught:
        sent(region="eu-west-1")

    assert "hunter2" not in str(caught.value)


def refreshable(*tokens):
    """Credentials that expire at once, and become new ones each time."""
    now = dt.datetime.now(dt.UTC)
    given = iter(tokens)

    def metadata(token, minutes):
        expires = (now + dt.timedelta(minutes=minutes)).isoformat()
        return {"access_key": ACCESS, "secret_key": SECRET, "token": token, "expiry_time": expires}

    return RefreshableCredentials.create_from_metadata(
        metadata(next(given), 1), lambda: metadata(next(given), 60), "test"
    )


def test_credentials_that_expire_are_refreshed(monkeypatch):
    """Before they expire, and not again while they last."""
    monkeypatch.setattr(botocore.session.Session, "get_credentials", lambda _: refreshable("old", "new"))
    provider, transport = connect(region="eu-west-1"), answers(number=2)
    seen = []
    for _ in range(2):
        drive(provider.send(transport.call(), CLAUDE))
        seen += transport.header("x-amz-security-token")

    assert seen == ["new", "new"]


def test_fetching_credentials_never_stops_an_event_loop(monkeypatch):
    """They are fetched in a thread, while the loop goes on."""
    begun, may_end = threading.Event(), threading.Event()

    def fetch(_):
        begun.set()
        assert may_end.wait(10)
        return Credentials(ACCESS, SECRET)

    monkeypatch.setattr(botocore.session.Session, "get_credentials", fetch)

    async def main():
        provider, transport = connect(region="eu-west-1"), answers()
        call = transport.call(loop=asyncio.get_running_loop())
        task = asyncio.create_task(provider.send(call, CLAUDE))
        await asyncio.to_thread(begun.wait, 10)
        went_on = not task.done()
        may_end.set()
        await task
        return went_on, transport

    went_on, transport = asyncio.run(main())

    assert went_on
    assert transport.header("authorization")[0].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")


@pytest.mark.usefixtures("credentials")
def test_refused_credentials_are_looked_for_again(monkeypatch):
    """A key that was changed in the environment is used by the next call."""
    body = b'{"message": "The security token included in the request is expired"}'
    refused = FakeResponse(body, status=403, headers={"x-amzn-errortype": "ExpiredTokenException:http://x/"})
    transport = FakeTransport(refused, FakeResponse(ANSWER, headers=JSON))
    provider = connect(region="eu-west-1")
    with pytest.raises(AuthenticationFailed):
        drive(provider.send(transport.call(), CLAUDE))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDNEW")
    drive(provider.send(transport.call(), CLAUDE))

    assert "Credential=AKIDNEW/" in transport.header("authorization")[0]


@pytest.mark.usefixtures("credentials")
def test_secrets_never_show(monkeypatch, caplog):
    """Neither in what is printed, nor in errors, nor in logs."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "")
    provider = connect(region="eu-west-1")
    transport = FakeTransport(FakeResponse(b'{"Message": "denied"}', status=403))
    with caplog.at_level(logging.DEBUG), pytest.raises(PermissionDenied) as caught:
        drive(provider.send(transport.call(), CLAUDE))
    shown = f"{provider!r} {caught.value} {caught.value!r} {vars(caught.value)} {caplog.text}"

    assert "hunter2" not in shown
    assert transport.header("x-amz-security-token") == [TOKEN]


def test_other_operations_are_not_there():
    """The Converse API has chats only."""
    provider = connect(region="eu-west-1", api_key="k")
    with pytest.raises(NoCapableTarget, match="bedrock does not do embeddings"):
        drive(provider.send(answers().call(operation="embeddings"), CLAUDE))


def test_what_is_no_answer():
    """A wrong answer is the provider's fault, and names it and the model."""
    transport = FakeTransport(FakeResponse(b"{}", headers=JSON))
    with pytest.raises(BadResponse, match=f"^bedrock/{CLAUDE}: the answer is not one of the Converse API"):
        drive(connect(region="eu-west-1", api_key="k").send(transport.call(), CLAUDE))


STREAM = (
    event("messageStart", {"role": "assistant"})
    + event("contentBlockDelta", {"delta": {"text": "hel"}, "contentBlockIndex": 0})
    + event("contentBlockDelta", {"delta": {"text": "lo"}, "contentBlockIndex": 0})
    + event("contentBlockStop", {"contentBlockIndex": 0})
    + event("messageStop", {"stopReason": "end_turn"})
    + event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "metrics": {"latencyMs": 1}})
)


def upstream(lines):
    """A server that answers both ways, and keeps the first line of each request."""

    def handle(_, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines.append(head.split(b"\r\n")[0].decode())
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < int(length.partition(b":")[2]):
            body += connection.recv(65536)
        kind, answer = (b"vnd.amazon.eventstream", STREAM) if b"-stream" in head else (b"json", ANSWER)
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/%b\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % (kind, len(answer)) + answer)

    return RawServer(handle)


@pytest.mark.usefixtures("credentials")
def test_end_to_end_over_a_socket():
    """A whole and a streamed answer, blocking and in a loop; the model stands in the path as it was signed."""
    lines = []
    with upstream(lines) as server:
        provider = connect(PROFILE, base_url=server.url, region="eu-west-1")
        with Gateway(routes={"r": Target(provider, model=PROFILE)}) as gateway:
            whole = gateway.chat("hi", model="r")
            with gateway.stream("hi", model="r") as stream:
                texts = [chunk.text for chunk in stream if chunk.text]

            async def main():
                answer = await gateway.aio.chat("hi", model="r")
                async with gateway.aio.stream("hi", model="r") as stream:
                    texts = [chunk.text async for chunk in stream if chunk.text]
                await gateway.aio.close()
                return answer.text, texts

            in_loop = asyncio.run(main())
    place = f"/v1/model/{quote(PROFILE, safe='')}/converse"

    assert (whole.text, whole.usage.total, whole.finish_reason) == ("hello", 3, "stop")
    assert texts == ["hel", "lo"]
    assert in_loop == ("hello", ["hel", "lo"])
    assert lines == [f"POST {place}{suffix} HTTP/1.1" for suffix in ("", "-stream", "", "-stream")]

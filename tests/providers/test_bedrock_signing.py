"""Signatures for AWS Bedrock: botocore's client and AWS's documentation are the judges."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote, urlsplit

import botocore.session
import pytest

from aigw.runtime import drive
from providers.aws import (
    ACCESS,
    ANSWER,
    CLAUDE,
    JSON,
    PROFILE,
    SECRET,
    TOKEN,
    connect,
    forget_this_machine,
    headers_of,
    set_credentials,
)
from providers.fake_http import FakeResponse, FakeTransport


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Nothing of this machine."""
    forget_this_machine(monkeypatch, tmp_path)


@pytest.fixture
def credentials(monkeypatch):
    """Credentials in the environment."""
    set_credentials(monkeypatch)


class Asked(Exception):
    """Carries the request out of botocore's client, which sends nothing."""


def asked_by_botocore(model, region, body, *, stream=False):
    """Let botocore's own client send the same; return its request."""

    def capture(request, **_):
        raise Asked(request)

    client = botocore.session.Session().create_client("bedrock-runtime", region_name=region)
    client.meta.events.register("before-send.bedrock-runtime", capture)
    method = client.converse_stream if stream else client.converse
    with pytest.raises(Asked) as caught:
        method(modelId=model, **body)
    client.close()
    return caught.value.args[0]


def signature_by_the_book(url, headers, body, secret):
    """Sign a request as AWS's documentation says, in the time and with the headers that it has."""
    authorization = dict(part.split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(", "))
    scope = authorization["Credential"].split("/", 1)[1]
    date, region, service, last = scope.split("/")
    signed = authorization["SignedHeaders"].split(";")
    values = {**headers, "host": urlsplit(url).netloc}
    canonical = "\n".join(
        [
            "POST",
            quote(urlsplit(url).path, safe="/-_.~"),
            "",
            *[f"{name}:{' '.join(values[name].split())}" for name in signed],
            "",
            ";".join(signed),
            hashlib.sha256(body).hexdigest(),
        ]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashed])
    key = f"AWS4{secret}".encode()
    for step in (date, region, service, last, to_sign):
        key = hmac.new(key, step.encode(), "sha256").digest()
    return authorization, key.hex()


class Recording(FakeTransport):
    """Also keeps the bodies as they were sent."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.raw = []

    async def send(self, request, body, *, connect, timeout):
        self.raw.append(body)
        return await super().send(request, body, connect=connect, timeout=timeout)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [CLAUDE, PROFILE, "us.amazon.nova-lite-v1:0", "meta.llama3-8b"])
@pytest.mark.usefixtures("credentials")
def test_signatures_are_those_of_botocore(model, stream):
    """The same URL, scope and signed headers as its client's; signatures that are right by AWS's documentation."""
    transport = Recording(FakeResponse(ANSWER, headers=JSON))
    drive(connect(model, region="eu-west-1").send(transport.call(stream=stream), model))
    ours = headers_of(transport)
    theirs = asked_by_botocore(model, "eu-west-1", transport.bodies[0], stream=stream)
    their_headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in theirs.headers.items()
    }
    our_parts, our_right = signature_by_the_book(transport.requests[0].url, ours, transport.raw[0], SECRET)
    their_parts, their_right = signature_by_the_book(theirs.url, their_headers, theirs.body, SECRET)

    assert transport.requests[0].url == theirs.url
    assert our_parts["SignedHeaders"] == their_parts["SignedHeaders"]
    assert our_parts["Credential"].split("/")[0] == ACCESS
    assert our_parts["Credential"].split("/")[2:] == their_parts["Credential"].split("/")[2:]
    assert their_parts["Signature"] == their_right
    assert our_parts["Signature"] == our_right
    assert ours["x-amz-security-token"] == TOKEN
    assert our_parts["Credential"].split("/")[1] == ours["x-amz-date"].partition("T")[0]


@pytest.mark.usefixtures("credentials")
def test_headers_that_must_be_signed_are_signed():
    """What a target adds, where AWS wants it within the signature."""
    transport = Recording(FakeResponse(ANSWER, headers=JSON))
    own = {"X-Amzn-Bedrock-Trace": "ENABLED", "Content-Type": "application/json; charset=utf-8", "X-Other": "x"}
    drive(connect(region="eu-west-1", headers=own).send(transport.call(), CLAUDE))
    parts, right = signature_by_the_book(transport.requests[0].url, headers_of(transport), transport.raw[0], SECRET)

    assert parts["SignedHeaders"] == "content-type;host;x-amz-date;x-amz-security-token;x-amzn-bedrock-trace"
    assert parts["Signature"] == right

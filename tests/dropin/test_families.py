"""Both families of HTTP libraries, blocking and not, and the choice between them."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import types

import httpx
import httpx2
import openai
import pytest

import aigw
from aigw import ConfigError, Gateway, Target
from aigw.dropin import GatewayTransport
from aigw.dropin.transport import make_client
from aigw.testing import ScriptedProvider

FAMILIES = pytest.mark.parametrize("family", [httpx, httpx2], ids=lambda family: family.__name__)
BODY = {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}


@FAMILIES
@pytest.mark.parametrize("stream", [False, True])
def test_a_blocking_client(family, scripted, stream):
    """A response is made of the classes of the family that the request came from."""
    gateway, provider = scripted("hello")
    with (
        family.Client(transport=GatewayTransport(gateway)) as client,
        client.stream("POST", "https://api.openai.com/v1/chat/completions", json={**BODY, "stream": stream}) as answer,
    ):
        body = answer.read()

    assert type(answer) is family.Response
    assert answer.status_code == 200
    assert b"hello" in body
    assert body.endswith(b"data: [DONE]\n\n") == stream
    assert provider.open == 0


@FAMILIES
@pytest.mark.parametrize("stream", [False, True])
def test_an_async_client(family, scripted, stream):
    """So it is with async clients; the same transport object serves both."""
    gateway, provider = scripted("hello", "hello")
    transport = GatewayTransport(gateway.aio)
    body = {**BODY, "stream": stream}

    async def main() -> bytes:
        async with (
            family.AsyncClient(transport=transport) as client,
            client.stream("POST", "http://any/v1/chat/completions", json=body) as answer,
        ):
            assert type(answer) is family.Response
            return await answer.aread()

    got = asyncio.run(main())
    with family.Client(transport=transport) as client:
        plain = client.post("http://any/v1/chat/completions", json=body)

    assert b"hello" in got
    assert b"hello" in plain.content
    assert provider.open == 0


def test_openai_with_the_older_family(scripted):
    """OpenAI's SDK still takes clients of httpx."""
    gateway, _ = scripted("hello", aigw.RateLimited("too fast"), ["so ", "far"])
    with httpx.Client(transport=GatewayTransport(gateway)) as http:
        client = openai.OpenAI(api_key="none", http_client=http)
        answer = client.chat.completions.create(**BODY)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(**BODY)
        texts = [chunk.choices[0].delta.content for chunk in client.chat.completions.create(**BODY, stream=True)]

    assert answer.choices[0].message.content == "hello"
    assert texts == ["so ", "far", None]


@pytest.mark.parametrize("sdk", ["openai", "anthropic", "gemini"])
def test_the_client_for_an_sdk(scripted, sdk):
    """It is of the family that the installed SDK wants, waits as long as SDKs do, and its host does not exist."""
    gateway, _ = scripted()

    assert type(gateway.http_client(sdk)) is httpx2.Client
    assert type(gateway.aio.http_client(sdk)) is httpx2.AsyncClient
    assert gateway.http_client(sdk).base_url.host == "aigw.invalid"
    assert gateway.http_client(sdk).timeout == httpx2.Timeout(600, connect=5) == openai.DEFAULT_TIMEOUT


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["httpx<1,>=0.23.0", "pydantic"], httpx),
        (["pydantic", "httpx2<3,>=2.12.0"], httpx2),
        (["httpx2<3", "httpx<1; extra == 'httpx'"], httpx2),
        (["requests"], httpx2),
        (None, httpx2),
    ],
)
def test_older_versions_want_the_older_family(scripted, monkeypatch, lines, wanted):
    """What the metadata of the SDK says decides; where it says nothing, the newer family is taken."""
    gateway, _ = scripted()
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: lines)

    assert type(gateway.http_client("openai")) is wanted.Client


def test_without_the_sdk(scripted, monkeypatch):
    """Another program may speak the API without the SDK: any family that is installed will do."""

    def requires(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    gateway, _ = scripted()
    monkeypatch.setattr(importlib.metadata, "requires", requires)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "httpx2" else object())

    assert type(gateway.http_client("openai")) is httpx.Client


def test_what_cannot_be_made(scripted, monkeypatch):
    """An unknown SDK, and a library that is missing, are told with what to do."""
    gateway, _ = scripted()
    with pytest.raises(ConfigError, match="'openai', 'anthropic', 'gemini'"):
        gateway.http_client("cohere")
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: ["httpx2>=2"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="pip install httpx2"):
        make_client(gateway, "openai", blocking=True)


def test_requests_of_something_else(scripted):
    """A transport does not guess what a request of another library is."""
    gateway, _ = scripted()
    with pytest.raises(TypeError, match="httpx2 or httpx"):
        GatewayTransport(gateway).handle_request(types.SimpleNamespace())


def test_closing_a_client_leaves_the_gateway_open(scripted):
    """Several clients share a gateway, and none of them owns it."""
    gateway, _ = scripted("one", "two")
    for said in ("one", "two"):
        with gateway.http_client("openai") as client:
            assert said in client.post("/chat/completions", json=BODY).text


def test_the_time_of_an_answer():
    """The wall clock can be replaced, for tests of applications that show it."""
    gateway = Gateway({"smart": Target(ScriptedProvider("hello"), model="m")})
    transport = GatewayTransport(gateway, now=lambda: 1234.5)
    with httpx.Client(transport=transport) as client:
        answer = client.post("http://any/v1/chat/completions", json=BODY)

    assert answer.json()["created"] == 1234

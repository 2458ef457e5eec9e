"""Vertex AI: its URLs are those of the official SDKs, and its tokens come from google-auth."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import anthropic
import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google import genai
from google.genai import errors as genai_errors
from google.genai.types import HttpOptions
from google.oauth2.credentials import Credentials

from aigw.errors import AuthenticationFailed, BadResponse, ConfigError
from aigw.runtime import drive
from providers.fake_http import FakeResponse, FakeTransport, connect

PROJECT = "my-project"


def sent(model, *, stream=False, **settings):
    """Send a call through it, and return the transport. What comes back is not looked at."""
    transport = FakeTransport(FakeResponse(b"{}"))
    with pytest.raises(BadResponse):
        drive(connect("vertex", model, **settings).send(transport.call(stream=stream), model))
    return transport


def asked_by_google(model, *, stream=False, **settings):
    """Return the URL that Google's SDK asks."""
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return httpx2.Response(500)

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http_client:
        options = HttpOptions(httpx_client=http_client)
        client = genai.Client(vertexai=True, http_options=options, **settings)
        method = client.models.generate_content_stream if stream else client.models.generate_content
        with pytest.raises(genai_errors.ServerError):
            list(method(model=model, contents="hi"))
    return seen[0]


def asked_by_anthropic(model, region, *, stream=False):
    """Return the URL that Anthropic's SDK asks."""
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return httpx2.Response(500)

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http_client:
        client = anthropic.AnthropicVertex(
            region=region, project_id=PROJECT, access_token="t", http_client=http_client, max_retries=0
        )
        with pytest.raises(anthropic.InternalServerError):
            client.messages.create(
                model=model, max_tokens=5, messages=[{"role": "user", "content": "hi"}], stream=stream
            )
    return seen[0]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("region", ["global", "us", "europe-west4"])
def test_gemini_is_asked_where_googles_sdk_asks(monkeypatch, region, stream):
    """The endpoint of each kind of location, the project and the method."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    theirs = asked_by_google(
        "gemini-2.5-pro", stream=stream, project=PROJECT, location=region, credentials=Credentials("ya29.t")
    )
    transport = FakeTransport(FakeResponse(b"{}", headers={"content-type": "application/json"}))
    provider = connect("vertex", "gemini-2.5-pro", region=region, api_key="ya29.t")
    with pytest.raises(BadResponse):
        drive(provider.send(transport.call(stream=stream), "gemini-2.5-pro"))

    assert transport.requests[0].url == theirs
    assert transport.header("authorization") == ["Bearer ya29.t"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("region", ["global", "eu", "us-east5"])
def test_claude_is_asked_where_anthropics_sdk_asks(monkeypatch, region, stream):
    """The publisher and the method stand in the path, the version in the body, the model in the path alone."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    url = asked_by_anthropic("claude-sonnet-5@20260101", region, stream=stream)
    transport = FakeTransport(FakeResponse(b"{}", headers={"content-type": "application/json"}))
    provider = connect("vertex", "claude-sonnet-5@20260101", region=region, api_key=lambda: "t")
    with pytest.raises(BadResponse):
        drive(provider.send(transport.call(stream=stream), "claude-sonnet-5@20260101"))

    assert transport.requests[0].url == url
    assert transport.bodies[0]["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in transport.bodies[0]
    assert transport.header("anthropic-version") == []
    assert transport.header("authorization") == ["Bearer t"]


@pytest.mark.parametrize("model", ["text-embedding-005", "gemini-embedding-001"])
def test_vectors_are_asked_for_where_googles_sdk_asks(monkeypatch, model):
    """Gemini's own models for them have another method than those before."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return httpx2.Response(500)

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http_client:
        options = HttpOptions(httpx_client=http_client)
        settings = {"project": PROJECT, "location": "us-east5", "credentials": Credentials("ya29.t")}
        client = genai.Client(vertexai=True, http_options=options, **settings)
        with pytest.raises(genai_errors.ServerError):
            client.models.embed_content(model=model, contents=["a", "b"])
    transport = FakeTransport(FakeResponse(b"{}"))
    provider = connect("vertex", model, region="us-east5", api_key="ya29.t")
    with pytest.raises(BadResponse):
        drive(provider.send(transport.call(operation="embeddings", inputs=("a", "b")), model))

    assert transport.requests[0].url == seen[0]


def test_models_of_other_publishers(monkeypatch):
    """They are asked in OpenAI's format, at the endpoint that Vertex has for it."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    transport = sent("meta/llama-4-maverick", region="us-east5", api_key="ya29.t")
    place = f"https://us-east5-aiplatform.googleapis.com/v1/projects/{PROJECT}/locations/us-east5"

    assert transport.requests[0].url == f"{place}/endpoints/openapi/chat/completions"
    assert transport.bodies[0]["model"] == "meta/llama-4-maverick"


def test_a_key_of_the_express_mode():
    """It needs no project, and goes where Google's keys go."""
    transport = sent("gemini-2.5-pro", api_key="AQ.key")

    assert transport.requests[0].url == asked_by_google("gemini-2.5-pro", api_key="AQ.key")
    assert transport.header("x-goog-api-key") == ["AQ.key"]


def test_without_a_project():
    """It is told when the target is made."""
    with pytest.raises(ConfigError, match="vertex: set the environment variable GOOGLE_CLOUD_PROJECT"):
        connect("vertex", "gemini-2.5-pro")


def test_a_wire_that_it_does_not_speak(monkeypatch):
    """The formats that there are, are named."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    with pytest.raises(ConfigError, match="vertex does not speak wire='cohere_chat'; it speaks 'gemini'"):
        connect("vertex", "gemini-2.5-pro", wire="cohere_chat")


class TokenServer:
    """Google's token endpoint, on this machine."""

    def __init__(self, status=200):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked.append(parse_qs(body.decode()))
                answer = {"access_token": f"ya29.{len(outer.asked)}", "expires_in": 3600, "token_type": "Bearer"}
                data = json.dumps(answer if status == 200 else {"error": "invalid_grant"}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def service_account(path, token_uri):
    """Write the file of a service account."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    info = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "k",
        "private_key": text,
        "client_email": "a@b.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    path.write_text(json.dumps(info))
    return str(path)


def ask_on(face, provider, transport):
    """Make one call on a face; the answer makes no sense and is not looked at."""

    def block():
        drive(provider.send(transport.call(), "gemini-2.5-pro"))

    async def wait():
        await provider.send(transport.call(loop=asyncio.get_running_loop()), "gemini-2.5-pro")

    with pytest.raises(BadResponse):
        block() if face == "blocking" else asyncio.run(wait())


@pytest.mark.parametrize("face", ["blocking", "async"])
def test_application_default_credentials(monkeypatch, tmp_path, face):
    """The token is fetched once, with the credentials that google-auth finds, and kept while it is valid."""
    with TokenServer() as server:
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", service_account(tmp_path / "key.json", server.url))
        provider = connect("vertex", "gemini-2.5-pro")
        provider.check()
        transport = FakeTransport(FakeResponse(b"{}"), FakeResponse(b"{}"))
        ask_on(face, provider, transport)
        ask_on(face, provider, transport)

        assert [transport.header("authorization", number) for number in (0, 1)] == [["Bearer ya29.1"]] * 2
        assert len(server.asked) == 1


def test_credentials_that_are_refused(monkeypatch, tmp_path):
    """It is an AuthenticationFailed, so that a fallback can help, and shows nothing of the credentials."""
    with TokenServer(status=400) as server:
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", service_account(tmp_path / "key.json", server.url))
        with pytest.raises(AuthenticationFailed) as caught:
            drive(connect("vertex", "gemini-2.5-pro").send(FakeTransport().call(), "gemini-2.5-pro"))

    assert str(caught.value) == "vertex: no access token could be fetched (RefreshError)"


def test_without_credentials(monkeypatch, tmp_path):
    """It is told what to do."""
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        drive(connect("vertex", "gemini-2.5-pro").send(FakeTransport().call(), "gemini-2.5-pro"))

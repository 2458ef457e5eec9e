"""Azure OpenAI: its URLs are those of the official SDK, and its keys go where it wants them."""

from __future__ import annotations

import httpx2
import openai
import pytest

from aigw.errors import AuthenticationFailed, ConfigError, ServerError
from aigw.runtime import drive
from providers.fake_http import FakeResponse, FakeTransport, answer, connect, error_body
from testing.faces import read_all

ENDPOINT = "https://mine.openai.azure.com"
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


def sent(transport_answers=1, *, model="my deployment", operation="chat", **settings):
    """Send a call through it, and return the transport."""
    body = answer() if operation == "chat" else b'{"data": [], "model": "m"}'
    transport = FakeTransport(*[FakeResponse(body) for _ in range(transport_answers)])
    provider = connect("azure", model, **settings)
    drive(read_all(drive(provider.send(transport.call(operation=operation), model))))
    return transport


def asked_by_the_sdk(ask, **settings):
    """Return the request that the official SDK makes."""
    seen = []

    def handle(request):
        seen.append(request)
        return httpx2.Response(500)

    transport = httpx2.MockTransport(handle)
    with httpx2.Client(transport=transport) as http_client:
        client = openai.AzureOpenAI(http_client=http_client, max_retries=0, **settings)
        with pytest.raises(openai.InternalServerError):
            ask(client)
    return seen[0]


def chat(client):
    """Ask for a chat."""
    client.chat.completions.create(model="my deployment", messages=[])


def embed(client):
    """Ask for a vector."""
    client.embeddings.create(model="my deployment", input="x")


@pytest.mark.parametrize(("operation", "ask"), [("chat", chat), ("embeddings", embed)])
def test_the_deployments_form_is_that_of_the_sdk(operation, ask):
    """With a dated version the deployment stands in the path, escaped, and the version behind it."""
    ours = sent(operation=operation, base_url=ENDPOINT, api_version="2024-10-21", api_key="k").requests[0]
    theirs = asked_by_the_sdk(ask, azure_endpoint=ENDPOINT, api_version="2024-10-21", api_key="k")

    assert ours.url == str(theirs.url)
    assert ("api-key", "k") in ours.headers
    assert theirs.headers["api-key"] == "k"


def test_a_whole_base_url_is_taken_as_it_is():
    """A path behind the host means what it means in the SDK: only the operation is put behind it."""
    base = f"{ENDPOINT}/openai/deployments/mine"
    ours = sent(base_url=base, api_version="2024-10-21", api_key="k").requests[0]
    theirs = asked_by_the_sdk(chat, base_url=base, api_version="2024-10-21", api_key="k")

    assert ours.url == str(theirs.url)


@pytest.mark.parametrize(
    ("version", "query"),
    [(None, ""), ("v1", ""), ("preview", "?api-version=preview"), ("latest", "?api-version=latest")],
)
def test_the_v1_form(version, query):
    """Without a dated version it is OpenAI's own API, below the endpoint."""
    transport = sent(base_url=ENDPOINT, api_version=version, api_key="k")

    assert transport.requests[0].url == f"{ENDPOINT}/openai/v1/chat/completions{query}"
    assert transport.bodies[0]["model"] == "my deployment"


def test_the_responses_format_has_one_path_for_all_deployments():
    """In the dated form too, as in the SDK."""
    provider = connect(
        "azure", base_url=ENDPOINT, api_version="2025-04-01-preview", wire="openai_responses", api_key="k"
    )
    transport = FakeTransport(FakeResponse(error_body(), status=500))
    with pytest.raises(ServerError):
        drive(provider.send(transport.call(), "m"))
    theirs = asked_by_the_sdk(
        lambda client: client.responses.create(model="m", input="x"),
        azure_endpoint=ENDPOINT,
        api_version="2025-04-01-preview",
        api_key="k",
    )

    assert transport.requests[0].url == str(theirs.url)


def test_the_environment(monkeypatch):
    """Endpoint, key and version come from the variables that the SDK reads."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{ENDPOINT}/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from-env")
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    ours = sent().requests[0]
    theirs = asked_by_the_sdk(chat)

    assert ours.url == str(theirs.url)
    assert ("api-key", "from-env") in ours.headers


def test_without_an_endpoint():
    """It is told when the target is made, with both ways to give one."""
    with pytest.raises(ConfigError, match="set the environment variable AZURE_OPENAI_ENDPOINT, or give base_url="):
        connect("azure", api_key="k")


@pytest.mark.parametrize("given", [TOKEN, lambda: TOKEN])
def test_a_token_of_entra(given):
    """A token goes where tokens go, given as a text or by a function."""
    transport = sent(base_url=ENDPOINT, api_key=given)

    assert transport.header("authorization") == [f"Bearer {TOKEN}"]
    assert transport.header("api-key") == []


def test_a_pool_of_a_token_and_a_key():
    """A token that is refused rests, and the key is tried at once."""
    transport = FakeTransport(FakeResponse(error_body(), status=401), FakeResponse(answer()))
    provider = connect("azure", base_url=ENDPOINT, api_key=[TOKEN, "k"])
    drive(read_all(drive(provider.send(transport.call(), "m"))))

    assert [transport.header("authorization", 0), transport.header("api-key", 1)] == [[f"Bearer {TOKEN}"], ["k"]]


def test_a_refused_key():
    """It is an AuthenticationFailed, like everywhere."""
    transport = FakeTransport(FakeResponse(error_body(), status=401))
    with pytest.raises(AuthenticationFailed):
        drive(connect("azure", base_url=ENDPOINT, api_key="k").send(transport.call(), "m"))

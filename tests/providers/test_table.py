"""The table of providers: every row is complete, and can be called in every format that it names."""

from __future__ import annotations

from typing import get_args

import pytest

from aigw.call import Operation
from aigw.errors import BadRequest, ConfigError
from aigw.providers.service import HttpService, Settings
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.providers.wires import FORMATS
from aigw.runtime import drive
from aigw.testing import make_call
from providers.fake_http import FakeTransport, connect

PLACES = {
    "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com",
    "CONTENT_SAFETY_ENDPOINT": "https://mine.cognitiveservices.azure.com",
    "CLOUDFLARE_ACCOUNT_ID": "account",
    "GOOGLE_CLOUD_PROJECT": "project",
    "AWS_REGION": "eu-west-1",
}
WIRES = [(name, wire) for name, service in SERVICES.items() for wire in service.wires]


@pytest.fixture(autouse=True)
def _places(monkeypatch):
    for name, value in PLACES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_row_is_complete(name):
    """It is found by its own name, names its keys and what it does, and its target can be made without a key."""
    service = SERVICES[name]
    provider = service.connect(Settings(), "m")

    assert service.name == provider.name == name
    assert all(env.isupper() for env in service.key_env)
    assert service.wires or service.others
    assert provider.where.startswith(("https://", "http://localhost:"))


@pytest.mark.parametrize(("name", "wire"), WIRES)
def test_every_format_of_a_row_can_be_rendered(name, wire):
    """A chat and a stream; the path begins below the base URL, and nothing is left to fill in."""
    provider = connect(name, "m", wire=wire)

    assert provider.refusal(make_call("hi"), "m") == ""
    assert provider.refusal(make_call("hi", stream=True), "m") == ""


@pytest.mark.parametrize("operation", get_args(Operation))
@pytest.mark.parametrize("name", SERVICES)
def test_what_a_row_does_not_do(name, operation):
    """It says so before anything is sent; what it does, it can render."""
    provider = connect(name, "m")
    call = make_call("hi", operation=operation, inputs=("a",), query="q")

    assert provider.refusal(call, "m") in {"", f"{name} does not do {operation}"}


def test_every_format_is_used_by_a_row():
    """The list of formats has no entry that nobody can reach."""
    used = set(COMPATIBLE) | {wire for service in SERVICES.values() for wire in service.wires}
    used |= {other for service in SERVICES.values() for other in getattr(service, "others", ())}

    assert set(FORMATS) == used - {"bedrock_converse"}  # which the row of Bedrock takes by itself


def test_the_table_cannot_be_changed():
    """Nobody adds a provider for everybody else by accident."""
    with pytest.raises(TypeError):
        SERVICES["mine"] = COMPATIBLE["openai_chat"]


@pytest.mark.parametrize(("name", "field"), [("openai", "max_completion_tokens"), ("vllm", "max_tokens")])
def test_how_the_limit_of_tokens_is_called(name, field):
    """OpenAI's own API knows the new name, other servers the old one."""
    provider, transport = connect(name, api_key="k"), FakeTransport(BadRequest("seen"))
    with pytest.raises(BadRequest):
        drive(provider.send(transport.call(max_tokens=7), "m"))

    assert {"max_tokens", "max_completion_tokens"} & transport.bodies[0].keys() == {field}


@pytest.mark.parametrize("wire", COMPATIBLE)
def test_any_server_needs_no_key(wire):
    """A server that is named by its URL has no address of its own and no variable."""
    service = COMPATIBLE[wire]
    provider = service.connect(Settings(base_url="http://gpu-1:8000", wire=wire), "m")
    provider.check()

    assert (service.base_url, service.key_env) == ("", ())
    assert provider.refusal(make_call("hi"), "m") == ""


def test_a_wire_that_a_provider_does_not_speak():
    """It is told when the target is made, with those that it speaks."""
    with pytest.raises(ConfigError, match="openai does not speak wire='gemini'; it speaks 'openai_chat', 'openai_re"):
        connect("openai", wire="gemini")


def test_a_version_where_there_is_none():
    """It is told when the target is made."""
    with pytest.raises(ConfigError, match="groq has no api_version; leave it out"):
        connect("groq", api_version="v1")


def test_a_place_that_is_not_set(monkeypatch):
    """The variable is named, and the other way to say it."""
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID")
    message = "cloudflare: set the environment variable CLOUDFLARE_ACCOUNT_ID, or give base_url="
    with pytest.raises(ConfigError, match=message):
        connect("cloudflare")


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:8080/v1", "http://localhost:8080/v1/messages"),
        ("http://localhost:8080", "http://localhost:8080/v1/messages"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1/messages"),
        ("http://localhost:8080/other", "http://localhost:8080/other/v1/messages"),
    ],
)
def test_a_version_that_stands_in_base_url_and_path(base_url, url):
    """It counts once: OpenAI's SDK has it in the base URL, Anthropic's in the path, and one server speaks both."""
    provider, transport = (
        connect("llamacpp", base_url=base_url, wire="anthropic_messages"),
        FakeTransport(BadRequest("x")),
    )
    with pytest.raises(BadRequest):
        drive(provider.send(transport.call(), "m"))

    assert transport.requests[0].url == url


def test_a_new_provider_is_one_row():
    """Its name, address and key are all that has to be said."""
    row = HttpService("mine", "https://api.mine.example/v1", ("MINE_API_KEY",))
    transport = FakeTransport(BadRequest("seen"))
    with pytest.raises(BadRequest):
        drive(row.connect(Settings(api_key="k"), "m").send(transport.call(), "m"))

    assert transport.requests[0].url == "https://api.mine.example/v1/chat/completions"
    assert transport.header("authorization") == ["Bearer k"]


@pytest.mark.parametrize(("version", "temperature"), [(None, 0.5), ("2023-06-01", 0.5), ("2026-10-21", None)])
def test_the_versions_of_anthropics_api(version, temperature):
    """The newer one takes no sampling parameters, not even for models that have them: they are left out."""
    provider, transport = connect("anthropic", api_key="k", api_version=version), FakeTransport(BadRequest("seen"))
    with pytest.raises(BadRequest):
        drive(provider.send(transport.call(temperature=0.5), "claude-sonnet-4-6"))

    assert transport.header("anthropic-version") == [version or "2023-06-01"]
    assert transport.bodies[0].get("temperature") == temperature

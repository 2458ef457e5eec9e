"""``aigw models``: what is configured, told without sending anything and without showing a key."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from aigw.cli import main
from aigw.providers.capabilities import capabilities_of
from aigw.providers.service import HttpService
from aigw.providers.table import SERVICES
from cli.standby import Standby, nothing

KEY = "sk-a-secret-key"
OPENAI = {"OPENAI_API_KEY": KEY}


def listed(capsys, *arguments, env=OPENAI, installed=nothing):
    """Run the command, and return what it prints."""
    code = main(["models", *arguments], env=env, installed=installed)
    printed = capsys.readouterr()

    assert code == 0
    assert KEY not in printed.out + printed.err
    return printed


def document(capsys, *arguments, **options):
    """Return the providers by their names, and the local model."""
    told = json.loads(listed(capsys, "--json", *arguments, **options).out)
    return {provider["name"]: provider for provider in told["providers"]}, told["local"]


@pytest.fixture
def table(monkeypatch):
    """Put a small table in place of the real one."""
    rows = (
        HttpService("acme", "https://api.acme.example/v1", ("ACME_KEY", "OTHER_KEY"), ("openai_chat", "gemini")),
        HttpService("cloud", "https://{CLOUD_REGION}.example/{CLOUD_ID}/v1", ("CLOUD_KEY",)),
        HttpService("platform", "https://{CLOUD_REGION}.platform.example"),
        HttpService("here", "http://localhost:8000/v1"),
        HttpService("own", "{OWN_URL}", ("OWN_KEY",)),
    )
    monkeypatch.setattr("aigw.cli.models.SERVICES", MappingProxyType({row.name: row for row in rows}))


def test_the_provider_with_a_key(capsys):
    """A provider is listed with the variable of its key, its address, its formats and its models."""
    printed = listed(capsys).out
    can = capabilities_of("openai", "gpt-5.5")
    (line,) = [line for line in printed.splitlines() if line.split()[:1] == ["openai/gpt-5.5"]]

    assert printed.startswith(
        "openai: https://api.openai.com/v1\n  key      OPENAI_API_KEY is set\n  formats  openai_chat"
    )
    assert line.split(maxsplit=3)[1:] == [
        f"{can.context_window:,}",
        f"{can.max_output:,}",
        "vision, files, tools, json_schema, reasoning",
    ]
    assert "anthropic" not in printed


def test_the_columns_stand_under_each_other(capsys):
    """Numbers end, and abilities begin, in one column."""
    lines = [line for line in listed(capsys).out.splitlines() if line.startswith(("  openai/", "  model "))]

    assert len({line.index("  ", 4 + len(line.split()[0])) for line in lines if line.split()[0] == "model"}) == 1
    assert len({line.index(line.split()[3]) for line in lines if len(line.split()) > 3}) == 1


def test_as_json(capsys):
    """The same, for programs: providers with their models, and the local model."""
    providers, local = document(capsys, installed=Standby)
    openai = providers["openai"]
    (model,) = [model for model in openai.pop("models") if model["model"] == "openai/gpt-5.5"]

    assert openai == {
        "name": "openai",
        "base_url": "https://api.openai.com/v1",
        "key_env": ["OPENAI_API_KEY"],
        "key_set": "OPENAI_API_KEY",
        "unset": [],
        "wires": list(SERVICES["openai"].wires),
    }
    assert (model["vision"], model["context_window"]) == (True, capabilities_of("openai", "gpt-5.5").context_window)
    assert model["rejects_reasoning"] == sorted(model["rejects_reasoning"])
    assert list(providers) == ["openai"]
    assert local == {"file": "standby.gguf", "trouble": ""}


def test_all_of_them(capsys):
    """--all lists every provider of the table, and what to set for it."""
    providers, _ = document(capsys, "--all", env={})
    printed = listed(capsys, "--all", env={}).out

    assert list(providers) == list(SERVICES)
    assert all(provider["key_set"] is None for provider in providers.values())
    assert "key      set OPENAI_API_KEY\n" in printed
    assert "key      set GEMINI_API_KEY or GOOGLE_API_KEY\n" in printed


@pytest.mark.parametrize(
    ("env", "lines"),
    [
        (
            {"OTHER_KEY": KEY},
            ["acme: https://api.acme.example/v1", "key OTHER_KEY is set", "formats openai_chat, gemini"],
        ),
        ({"ACME_KEY": "", "OTHER_KEY": KEY}, ["acme: https://api.acme.example/v1", "key OTHER_KEY is set"]),
        (
            {"CLOUD_KEY": KEY, "CLOUD_ID": "1"},
            [
                "cloud: https://{CLOUD_REGION}.example/1/v1",
                "key CLOUD_KEY is set",
                "address set CLOUD_REGION",
            ],
        ),
        ({"CLOUD_REGION": "eu"}, ["platform: https://eu.platform.example", "key credentials of its platform"]),
    ],
    ids=["second variable", "empty variable", "address not set", "no key but an address"],
)
def test_what_the_environment_says(capsys, table, env, lines):
    """Which variable is set, which is still to be set, and where calls would go."""
    printed = [" ".join(line.split()) for line in listed(capsys, env=env).out.splitlines()]

    assert printed[: len(lines)] == lines


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://user:{KEY}@own.example/v1", "https://own.example/v1"),
        (f"https://own.example/v1?key={KEY}#{KEY}", "https://own.example/v1"),
        (f"https://[{KEY}", "not a URL"),
    ],
)
def test_an_address_shows_no_secret(capsys, table, url, shown):
    """What stands in an address of the environment and may be a key is left out."""
    providers, _ = document(capsys, env={"OWN_KEY": KEY, "OWN_URL": url})

    assert providers["own"]["base_url"] == shown


def test_servers_on_this_machine(capsys, table):
    """One that needs no key is listed with --all: nothing here says that it runs."""
    assert "here: " not in listed(capsys, env={}).out
    assert "here: http://localhost:8000/v1\n  key      none needed\n" in listed(capsys, "--all", env={}).out


def test_nothing_is_configured(capsys):
    """Whoever has neither a key nor a local model is told how to go on."""
    printed = listed(capsys, env={})

    assert printed.out == (
        "local: there is none\n  AIGW_LOCAL_MODEL is not set, and no package with a model is installed\n"
    )
    assert "aigw models --all" in printed.err


def test_the_local_model(capsys):
    """The local model is found as the other commands find it, and closed again."""
    local = Standby()
    printed = listed(capsys, installed=lambda: local).out

    assert printed.endswith("local: standby.gguf\n  runs in this process, and needs no key\n")
    assert local.closed


def test_the_help(capsys):
    """Help names every option, and ends with exit code 0."""
    with pytest.raises(SystemExit) as ended:
        main(["models", "--help"])
    printed = capsys.readouterr().out

    assert ended.value.code == 0
    assert all(word in printed for word in ("--all", "--json", "no key is shown"))

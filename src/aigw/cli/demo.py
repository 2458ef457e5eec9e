"""``aigw demo``: the main job, on a real model, without leaving this machine."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Final

import aigw
from aigw.cli import terminal
from aigw.cli.local import INSTALL, NoModel, find_local
from aigw.testing import FaultyUpstream, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.cli.local import Installed

FIRST: Final = "In one short sentence: why is the sky blue?"
SECOND: Final = "Tell me a fun fact about the moon in one sentence."

NO_LOCAL: Final = f"""\
the demo needs a small model that runs inside the process. Install one:
{INSTALL}
or name a GGUF file: aigw demo --model PATH
The local model cannot be used now: """


def run(env: Mapping[str, str], installed: Installed, path: str | None = None) -> None:
    """Show it.

    Args:
        env: the environment.
        installed: finds a model that is installed as a package.
        path: a GGUF file.

    Raises:
        NoModel: there is no local model.
    """
    try:
        local = find_local(env, installed, path or "")
    except aigw.ConfigError as error:
        raise NoModel(NO_LOCAL + str(error)) from error
    with closing(local), FaultyUpstream() as upstream:
        upstream.always(Status(500))
        primary = aigw.Target(upstream.url, model="primary", name="primary")
        routes = {"smart": aigw.Fallback(primary, aigw.Target(local))}
        with aigw.Gateway(routes, aigw.standard()) as gateway:
            _show(gateway)


def _show(gateway: aigw.Gateway) -> None:
    terminal.line("A gateway inside this process. The primary is a server that fails every request;")
    terminal.line("behind it stands a small model that runs here, with no server and no key.\n")
    terminal.line(_indented(gateway.describe()))

    terminal.line(f"\nA streamed call: {FIRST}\n")
    with gateway.stream(FIRST, max_tokens=48, temperature=0) as stream:
        for chunk in stream:
            terminal.write(chunk.text)
    terminal.line("\n\nWhat happened:\n")
    terminal.line(_indented(str(stream.trace)))

    terminal.line(f"\nThe same gateway from asyncio: {SECOND}\n")
    answer = asyncio.run(_ask(gateway.aio))
    terminal.line(answer.text)
    terminal.line("\nWhat happened:\n")
    terminal.line(_indented(str(answer.trace)))


async def _ask(gateway: aigw.AsyncGateway) -> aigw.Answer:
    async with gateway:
        return await gateway.chat(SECOND, max_tokens=40, temperature=0)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

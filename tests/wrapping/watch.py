"""A policy that remembers what it saw, and ways to run the same function as each kind of function."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aigw import Gateway
from aigw.testing import FakeClock

both_kinds = pytest.mark.parametrize("waits", [False, True], ids=["function", "coroutine"])
both_generators = pytest.mark.parametrize("waits", [False, True], ids=["generator", "async-generator"])


class Watch:
    """Remembers calls, replies and how they ended."""

    def __init__(self):
        self.calls = []
        self.replies = []
        self.ends = []

    async def handle(self, call, inner):
        """Pass the call on."""
        self.calls.append(call)
        reply = await inner(call)
        self.replies.append(reply)
        reply.when_done(self.ends.append)
        return reply

    @property
    def text(self) -> str:
        """The text of the last reply."""
        return "".join([chunk.text for chunk in self.replies[-1].delivered])

    @property
    def prompt(self) -> list[tuple[str, str]]:
        """What the last call asked: roles and texts."""
        return [(message.role, message.text) for message in self.calls[-1].messages]

    @property
    def usage(self) -> Any:
        """What the last reply told of its usage."""
        return self.ends[-1].usage

    @property
    def outcomes(self) -> list[str]:
        """What became of the attempts of the last call."""
        return [attempt.outcome for attempt in self.calls[-1].trace.attempts]


def gateway(*policies: Any) -> Gateway:
    """Make a gateway without routes, on a clock that never waits."""
    return Gateway({}, list(policies), clock=FakeClock())


def wrapped(made: Gateway, body: Any, *, waits: bool, **options: Any) -> Any:
    """Wrap a function that does what `body` does; return one that runs it to its end, whatever its kind."""
    options = {"model": "test/large", "name": "ask", **options}
    if not waits:

        @made.wrap(**options)
        def ask(*args, **kwargs):
            return body(*args, **kwargs)

        return ask

    @made.aio.wrap(**options)
    async def ask_async(*args, **kwargs):
        await asyncio.sleep(0)
        return body(*args, **kwargs)

    return lambda *args, **kwargs: asyncio.run(ask_async(*args, **kwargs))


def streamed(made: Gateway, body: Any, *, waits: bool, **options: Any) -> Any:
    """Wrap a generator that gives out what `body` does; return a function that lists its items."""
    options = {"model": "test/large", "name": "ask", **options}
    if not waits:

        @made.wrap(**options)
        def ask(*args, **kwargs):
            yield from body(*args, **kwargs)

        return lambda *args, **kwargs: list(ask(*args, **kwargs))

    @made.wrap(**options)
    async def ask_async(*args, **kwargs):
        for item in body(*args, **kwargs):
            await asyncio.sleep(0)
            yield item

    async def listed(*args, **kwargs):
        return [item async for item in ask_async(*args, **kwargs)]

    return lambda *args, **kwargs: asyncio.run(listed(*args, **kwargs))

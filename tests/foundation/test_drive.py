"""`drive`: runs a coroutine that never waits for a loop, and names the one that does."""

from __future__ import annotations

import asyncio
import gc

import pytest

from aigw.errors import ConfigError, SuspendedError
from aigw.pipeline import stack
from aigw.reply import Reply
from aigw.runtime import drive
from aigw.testing import make_call


class Polite:
    """A policy that waits only through its ports."""

    async def handle(self, call, inner):
        await call.clock.sleep(1)
        return await inner(call)


class Sleepy:
    """A policy that waits on an event loop."""

    def __init__(self, wait):
        self._wait = wait

    async def handle(self, call, inner):
        await self._wait()
        return await inner(call)


async def never():
    """Wait for something that never comes."""
    await asyncio.get_running_loop().create_future()


async def on_a_future():
    """Wait for something that never comes, and needs no running loop to be made."""
    loop = asyncio.new_event_loop()
    try:
        await loop.create_future()
    finally:
        loop.close()


async def in_time():
    """Wait with a time limit."""
    async with asyncio.timeout(1):
        await asyncio.sleep(1)


WAITS = {
    "asyncio.sleep": lambda: asyncio.sleep(1),
    "asyncio.sleep(0)": lambda: asyncio.sleep(0),
    "a future": on_a_future,
    "asyncio.to_thread": lambda: asyncio.to_thread(print),
    "asyncio.timeout": in_time,
    "an event": lambda: asyncio.Event().wait(),
}
any_wait = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


async def endpoint(call):
    """Answer with nothing."""
    return Reply.replay([])


def test_drive_returns_what_the_coroutine_returns():
    """A coroutine that never suspends is run to its end."""
    reply = drive(stack([Polite(), Polite()], endpoint)(make_call()))

    assert isinstance(reply, Reply)


def test_drive_raises_what_the_coroutine_raises():
    """Its errors come out as they are, also those that look like what asyncio raises without a loop."""

    async def fail(error):
        raise error

    for error in (KeyError("x"), RuntimeError("mine"), AttributeError("mine"), asyncio.CancelledError()):
        with pytest.raises(type(error)) as caught:
            drive(fail(error))
        assert caught.value is error


@any_wait
def test_who_waits_on_a_loop_is_named(wait):
    """Without a running loop the error names the policy among the others of the stack, and what to do."""
    with pytest.raises(SuspendedError) as caught:
        drive(stack([Polite(), Sleepy(wait), Polite()], endpoint)(make_call()))

    assert "Polite.handle > Sleepy.handle" in str(caught.value)
    assert "call.clock" in str(caught.value)
    assert isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("wait", [*WAITS.values(), never], ids=[*WAITS, "a future of the loop"])
def test_who_waits_on_a_loop_is_named_inside_a_running_loop(wait):
    """Inside a running loop, as in a notebook, it is the same error, and the loop is left as it was."""

    async def main():
        with pytest.raises(SuspendedError) as caught:
            drive(stack([Polite(), Sleepy(wait), Polite()], endpoint)(make_call()))
        return str(caught.value), len(asyncio.all_tasks())

    message, tasks = asyncio.run(main())

    assert "Polite.handle > Sleepy.handle" in message
    assert tasks == 1


@any_wait
def test_what_was_suspended_is_cleaned_up(wait):
    """The coroutine is closed: its ``finally`` blocks run before the error is raised, and nothing is left over."""
    cleaned = []

    async def main():
        try:
            await wait()
        finally:
            cleaned.append(1)

    with pytest.raises(SuspendedError):
        drive(main())
    gc.collect()

    assert cleaned == [1]

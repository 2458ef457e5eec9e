"""Blocking work of other people's libraries, on both faces."""

from __future__ import annotations

import asyncio
import threading

import pytest

from aigw.errors import TimedOut
from aigw.providers.background import in_background
from aigw.runtime import drive
from providers.fake_http import FakeTransport


def on_a_loop(make):
    """Run a coroutine function that takes a loop."""

    async def main():
        return await make(asyncio.get_running_loop())

    return asyncio.run(main())


def test_a_blocking_call_does_it_itself():
    """No thread is started where nobody else would be kept waiting."""
    assert drive(in_background(FakeTransport().call(), threading.current_thread)) is threading.current_thread()


def test_a_loop_goes_on_meanwhile():
    """The loop runs other tasks while the work blocks in a thread of its own."""
    blocked = threading.Event()

    def work():
        assert blocked.wait(10)
        return threading.current_thread().name

    async def both(loop):
        waiting = asyncio.ensure_future(in_background(FakeTransport().call(loop=loop), work))
        await asyncio.sleep(0)
        blocked.set()  # only a loop that goes on gets here
        return await waiting

    assert on_a_loop(both) == "aigw-beside"


def test_what_it_raises_is_raised():
    """An error comes out where the work is waited for."""

    def work():
        raise LookupError("no credentials")

    async def failing(loop):
        await in_background(FakeTransport().call(loop=loop), work)

    with pytest.raises(LookupError, match="no credentials"):
        on_a_loop(failing)
    with pytest.raises(LookupError, match="no credentials"):
        drive(in_background(FakeTransport().call(), work))


def test_the_deadline_of_the_call_bounds_it():
    """A call does not wait for credentials longer than it may take."""
    end = threading.Event()

    async def waiting(loop):
        call = FakeTransport().call(loop=loop)
        await in_background(call.evolve(deadline=call.clock.now()), lambda: end.wait(10))

    with pytest.raises(TimedOut, match="credentials"):
        on_a_loop(waiting)
    end.set()

"""`Runtime.spawn`: work beside its caller, in threads and in tasks, and how it is cancelled."""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading

import pytest

from aigw.ports import INTERRUPT, CancelledError, Interrupt
from aigw.runtime import BlockingRuntime, LoopRuntime, drive

NAME = contextvars.ContextVar("name", default="")


def blocking(main):
    """Run a test of branches without a loop."""
    return drive(main(BlockingRuntime(None, random.Random(0), object)))


def looping(main):
    """Run a test of branches in a loop."""

    async def run():
        return await main(LoopRuntime(asyncio.get_running_loop(), None, random.Random(0), object))

    return asyncio.run(run())


faces = pytest.mark.parametrize("run", [blocking, looping])


async def over(runtime, branch):
    """Wait until a branch is over."""
    flag = runtime.flag()
    branch.when_over(flag.set)
    assert await flag.wait(5)


@faces
def test_what_comes_of_it(run):
    """It returns what the work returns, and raises what it raises."""

    async def main(runtime):
        async def good():
            return 7

        async def bad():
            raise LookupError("no")

        branches = [runtime.spawn(good), runtime.spawn(bad)]
        for branch in branches:
            await over(runtime, branch)
        with pytest.raises(LookupError):
            branches[1].result()
        return branches[0].is_over, branches[0].result()

    assert run(main) == (True, 7)


@faces
def test_context_variables(run):
    """The work sees those of the caller, and changes them for itself only."""

    async def main(runtime):
        async def work():
            seen = NAME.get()
            NAME.set("work")
            return seen

        NAME.set("caller")
        branch = runtime.spawn(work)
        await over(runtime, branch)
        return branch.result(), NAME.get()

    assert contextvars.copy_context().run(run, main) == ("caller", "caller")


@faces
def test_a_sleep_that_is_cancelled(run):
    """It ends at once, and not in silence."""

    async def main(runtime):
        begun = runtime.flag()

        async def work():
            begun.set()
            await runtime.clock.sleep(3600)

        branch = runtime.spawn(work)
        await begun.wait(5)
        branch.cancel()
        await over(runtime, branch)
        with pytest.raises((CancelledError, asyncio.CancelledError)):
            branch.result()
        branch.cancel()

    run(main)


def test_a_task_that_is_cancelled_before_its_first_step():
    """It is over, although it has never begun."""

    async def main(runtime):
        async def work():
            raise AssertionError("it must not begin")

        branch = runtime.spawn(work)
        branch.cancel()
        await over(runtime, branch)
        with pytest.raises(asyncio.CancelledError):
            branch.result()

    looping(main)


def test_threads_are_daemons():
    """One that hangs does not keep the program alive, and what interrupts it is its own."""

    async def main(runtime):
        async def work():
            return threading.current_thread().daemon, INTERRUPT.get() is not None

        branch = runtime.spawn(work)
        await over(runtime, branch)
        return branch.result(), INTERRUPT.get()

    assert blocking(main) == ((True, True), None)


def test_an_interrupt_stops_what_goes_on():
    """It stops the wait that it guards, once it is set, and none that is over."""
    stopped = []
    interrupt = Interrupt()
    interrupt.guard(lambda: stopped.append("first"))
    interrupt.release()
    interrupt.guard(lambda: stopped.append("second"))
    interrupt.set()
    interrupt.release()
    interrupt.guard(lambda: stopped.append("third"))

    assert stopped == ["second", "third"]
    with pytest.raises(CancelledError):
        interrupt.check()
    with pytest.raises(CancelledError):
        interrupt.sleep(3600)

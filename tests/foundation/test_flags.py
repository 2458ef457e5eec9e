"""Clocks and flags of the runtimes: what one can wait for on each face, and from where it is set."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from aigw.flags import BlockingFlag, LoopFlag
from aigw.runtime import BlockingClock, LoopClock, drive
from testing.faces import both_faces, run


def flag_of(blocking):
    """Make a flag for the face that runs."""
    return BlockingFlag() if blocking else LoopFlag(asyncio.get_running_loop())


async def all_wait(flag, count):
    """Let other tasks run until so many wait for a flag."""
    while len(flag._waiters) < count:  # noqa: ASYNC110  (nothing tells when a task begins to wait)
        await asyncio.sleep(0)


@both_faces
def test_a_flag_that_is_set_already(blocking):
    """Whoever waits later goes on at once, any number of times; setting it again changes nothing."""

    async def main():
        flag = flag_of(blocking)
        before = flag.is_set()
        flag.set()
        flag.set()
        return before, flag.is_set(), await flag.wait(), await flag.wait(0)

    assert run(blocking, main) == (False, True, True, True)


@both_faces
def test_a_wait_with_a_limit(blocking):
    """A wait that runs out says that the flag is not set; who waits again still hears of it."""

    async def main():
        flag = flag_of(blocking)
        first = await flag.wait(0), await flag.wait(0.001)
        flag.set()
        return first, await flag.wait(60)

    assert run(blocking, main) == ((False, False), True)


@both_faces
def test_another_thread_sets_the_flag(blocking):
    """A thread may set a flag that is waited for here, whichever comes first."""

    async def main():
        flag = flag_of(blocking)
        thread = threading.Thread(target=flag.set)
        thread.start()
        heard = await flag.wait(60)
        thread.join()
        return heard

    assert run(blocking, main)


def test_threads_wake_each_other():
    """Many threads that wait for one flag all go on when a task of a loop sets it."""
    flag = BlockingFlag()
    heard = []
    threads = [threading.Thread(target=lambda: heard.append(drive(flag.wait(60)))) for _ in range(4)]
    for thread in threads:
        thread.start()

    async def main():
        flag.set()

    asyncio.run(main())
    for thread in threads:
        thread.join()

    assert heard == [True] * 4


def test_a_thread_wakes_the_tasks_that_wait():
    """All tasks that wait go on when another thread sets their flag, and nothing is left of them."""

    async def main():
        flag = LoopFlag(asyncio.get_running_loop())
        tasks = [asyncio.create_task(flag.wait()) for _ in range(3)]
        await all_wait(flag, 3)
        await asyncio.to_thread(flag.set)
        return await asyncio.gather(*tasks), flag._waiters

    assert asyncio.run(main()) == ([True, True, True], [])


@pytest.mark.parametrize("timeout", [None, 60])
def test_a_cancelled_wait_leaves_nothing(timeout):
    """A task that is cancelled while it waits is forgotten, and the others still wait."""

    async def main():
        flag = LoopFlag(asyncio.get_running_loop())
        tasks = [asyncio.create_task(flag.wait(timeout)) for _ in range(2)]
        await all_wait(flag, 2)
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        left = len(flag._waiters)
        flag.set()
        return tasks[0].cancelled(), left, await tasks[1]

    assert asyncio.run(main()) == (True, 1, True)


def test_a_wait_that_runs_out_leaves_nothing():
    """A limit that is over takes the waiter away."""

    async def main():
        flag = LoopFlag(asyncio.get_running_loop())
        await flag.wait(0)
        return flag._waiters

    assert asyncio.run(main()) == []


def test_a_wait_that_is_cancelled_just_as_the_flag_is_set():
    """Setting a flag for a task that was cancelled a moment ago does no harm, in the loop neither."""
    complaints = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        flag = LoopFlag(asyncio.get_running_loop())
        task = asyncio.create_task(flag.wait())
        await all_wait(flag, 1)
        flag.set()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), flag.is_set()

    assert asyncio.run(main()) == (True, True)
    assert complaints == []


def test_setting_a_flag_of_a_loop_that_is_closed():
    """A flag may outlive its loop: setting it is fine, even if somebody waited there to the end."""
    loop = asyncio.new_event_loop()
    flag = LoopFlag(loop)
    waiting = flag.wait()

    async def main():
        waiting.send(None)

    loop.run_until_complete(main())
    loop.close()
    flag.set()
    waiting.close()

    assert flag.is_set()


@pytest.mark.parametrize("clock", [BlockingClock(), LoopClock()], ids=["blocking", "loop"])
def test_the_clocks_are_monotonic(clock):
    """Both show the same monotonic seconds; a sleep of nothing, or less, is over at once."""

    async def main():
        before = time.monotonic()
        shown = clock.now()
        await clock.sleep(0)
        await clock.sleep(-1)
        await clock.sleep(0.001)
        return before <= shown, clock.now() - shown

    in_order, slept = run(isinstance(clock, BlockingClock), main)

    assert in_order
    assert slept >= 0.001


def test_sleeping_on_the_loop_lets_others_run():
    """The clock of a loop suspends its task, also for a sleep of nothing."""
    order = []

    async def other():
        order.append("other")

    async def main():
        task = asyncio.create_task(other())
        await LoopClock().sleep(0)
        order.append("slept")
        await task

    asyncio.run(main())

    assert order == ["other", "slept"]


@both_faces
def test_a_finalizer_in_the_middle_of_waiting(blocking):
    """A flag may be set by the garbage collector, in the thread that is about to wait for it, at any line of `wait`."""

    async def main(line):
        flag = flag_of(blocking)
        code = type(flag).wait.__code__
        seen = []

        def at_each_line(frame, event, argument):
            if event == "line" and frame.f_code is code:
                seen.append(frame.f_lineno)
                if len(seen) == line:
                    late.append(time.monotonic() >= began + 0.05)
                    flag.set()
            return at_each_line

        late = []
        before = sys.gettrace()
        began = time.monotonic()
        sys.settrace(at_each_line)
        try:
            done = await flag.wait(0.05)
        finally:
            sys.settrace(before)
        return done or any(late), len(seen)

    _, lines = run(blocking, lambda: main(0))
    seen_in_time = [run(blocking, lambda line=line: main(line))[0] for line in range(1, lines + 1)]

    assert lines >= 3
    assert seen_in_time == [True] * lines

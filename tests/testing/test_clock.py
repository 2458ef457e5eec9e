"""The clocks of aigw.testing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw.runtime import drive
from aigw.testing import FakeClock, HeldClock
from testing.faces import both_faces, run


@both_faces
def test_sleeping_moves_the_clock_and_is_written_down(blocking):
    """On both faces `sleep` takes no time, advances `now` and records the seconds."""
    clock = FakeClock(start=100)

    async def sleep():
        await clock.sleep(2.5)
        await clock.sleep(0)

    run(blocking, sleep)

    assert clock.now() == 102.5
    assert clock.sleeps == [2.5, 0]
    assert repr(clock) == "FakeClock(102.5)"


def test_sleeping_never_suspends():
    """Another task of the loop does not get a turn while one sleeps on a fake clock."""
    order = []

    async def main():
        clock = FakeClock()
        other = asyncio.create_task(note())
        await clock.sleep(60)
        order.append("slept")
        await other

    async def note():
        order.append("other")

    asyncio.run(main())

    assert order == ["slept", "other"]


def test_a_clock_never_goes_back():
    """A negative sleep is over at once, as on a real clock; a negative advance is a mistake."""
    clock = FakeClock()
    drive(clock.sleep(-5))
    clock.advance(3)

    assert clock.now() == 3
    assert clock.sleeps == [-5]
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)


def test_threads_share_a_clock():
    """No sleep of any thread is lost."""
    clock = FakeClock()

    def sleep(_):
        for _ in range(250):
            drive(clock.sleep(1))
            clock.advance(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sleep, range(8)))

    assert clock.now() == 4000
    assert len(clock.sleeps) == 2000


def test_a_held_clock_waits_for_its_release():
    """`waiting` returns when somebody sleeps, and `release` lets everybody go on at the time of the last."""

    async def main():
        clock = HeldClock(start=10)
        tasks = [asyncio.create_task(clock.sleep(seconds)) for seconds in (5, 20)]
        await clock.waiting(2)
        before = clock.sleepers, clock.now(), [task.done() for task in tasks]
        clock.release()
        after = clock.sleepers, clock.now()
        await asyncio.gather(*tasks)
        return before, after, clock.sleeps

    before, after, sleeps = asyncio.run(main())

    assert before == (2, 10, [False, False])
    assert after == (0, 30)
    assert sleeps == [5, 20]


def test_a_held_clock_wakes_whom_it_passes():
    """`advance` wakes the sleepers whose time has come, and no others."""

    async def main():
        clock = HeldClock()
        short, long = asyncio.create_task(clock.sleep(5)), asyncio.create_task(clock.sleep(20))
        await clock.waiting(2)
        clock.advance(4)
        asleep = clock.sleepers
        clock.advance(1)
        await short
        done = long.done()
        clock.advance(15)
        await long
        return asleep, done, clock.now()

    assert asyncio.run(main()) == (2, False, 20)


def test_a_held_sleep_can_be_cancelled():
    """A sleeper that is cancelled leaves the clock, and nothing is left over."""

    async def main():
        clock = HeldClock()
        task = asyncio.create_task(clock.sleep(5))
        await clock.waiting()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        clock.release()
        return clock.sleepers, clock.now()

    assert asyncio.run(main()) == (0, 0)


def test_waiting_can_be_cancelled_and_answers_at_once_where_somebody_sleeps():
    """`waiting` looks first, leaves nothing behind when it is cancelled, and is not woken by too few sleepers."""

    async def main():
        clock = HeldClock()
        first = asyncio.create_task(clock.sleep(1))
        await clock.waiting()
        await clock.waiting()
        patient = asyncio.create_task(clock.waiting(3))
        second = asyncio.create_task(clock.sleep(1))
        await clock.waiting(2)
        woken = patient.done()
        patient.cancel()
        await asyncio.gather(patient, return_exceptions=True)
        clock.release()
        await asyncio.gather(first, second)
        return woken, clock._watchers

    assert asyncio.run(main()) == (False, [])


@both_faces
def test_a_held_clock_does_not_hold_a_sleep_of_nothing(blocking):
    """Zero seconds are over at once, on both faces."""
    clock = HeldClock()
    run(blocking, lambda: clock.sleep(0))

    assert clock.sleeps == [0]
    assert clock.sleepers == 0


def test_a_held_clock_holds_threads():
    """Without a loop the sleeping thread is blocked, and another thread sees it and lets it go on."""
    clock = HeldClock()
    sleeper = threading.Thread(target=lambda: drive(clock.sleep(7)))
    sleeper.start()
    drive(clock.waiting())
    alive = sleeper.is_alive()
    clock.advance(7)
    sleeper.join()

    assert alive
    assert clock.now() == 7

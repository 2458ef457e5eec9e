"""The timer of a line in an event loop: it does what `asyncio.timeout` does, for one wait after the other."""

from __future__ import annotations

import asyncio

import pytest

from aigw.transport.timer import Timer

LONG = 60.0
SHORT = 0.02


async def forever():
    """Wait for longer than any limit of these tests."""
    await asyncio.sleep(5)
    pytest.fail("nobody ended the wait")


async def wait_with(timer, seconds):
    """Wait for nothing, so long."""
    with timer(seconds):
        await forever()


def entries(loop):
    """Return how many entries wait in the loop's heap, and were not taken back."""
    return len([entry for entry in loop._scheduled if not entry.cancelled()])


def test_a_wait_that_takes_too_long():
    """It ends with a TimeoutError, and the task is as if it had never been cancelled."""

    async def main():
        timer = Timer()
        with pytest.raises(TimeoutError), timer(SHORT):
            await forever()

        assert asyncio.current_task().cancelling() == 0
        await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_limit_that_is_over_already(seconds):
    """It ends the first wait."""

    async def main():
        timer = Timer()
        with pytest.raises(TimeoutError), timer(seconds):
            await forever()

    asyncio.run(main())


def test_no_limit():
    """``None`` waits for ever, and puts nothing into the loop."""

    async def main():
        timer = Timer()
        with timer(None):
            await asyncio.sleep(0)
            count = entries(asyncio.get_running_loop())

        assert count == 0

    asyncio.run(main())


def test_a_wait_in_time():
    """Nothing happens, then or later: the limit of a wait that is over does not reach into what comes next."""

    async def main():
        timer = Timer()
        with timer(SHORT):
            await asyncio.sleep(0)
        await asyncio.sleep(2 * SHORT)
        with timer(None):
            await asyncio.sleep(2 * SHORT)
        return "done"

    assert asyncio.run(main()) == "done"


def test_many_waits_keep_one_entry():
    """While the limit moves on, the loop's heap has one entry; closing the line takes it out."""

    async def main():
        timer, loop = Timer(), asyncio.get_running_loop()
        for _ in range(100):
            with timer(LONG):
                await asyncio.sleep(0)
        during = len(loop._scheduled)
        timer.stop()
        timer.stop()

        assert (during, entries(loop)) == (1, 0)

    asyncio.run(main())


def test_the_newest_limit_counts():
    """A later one moves the end on, an earlier one draws it in, `None` switches it off."""

    async def main():
        timer = Timer()
        with timer(SHORT):
            await asyncio.sleep(0)
        with timer(LONG):
            await asyncio.sleep(2 * SHORT)
        with timer(SHORT):
            await asyncio.sleep(0)
        with timer(None):
            await asyncio.sleep(2 * SHORT)
        with timer(LONG):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError), timer(SHORT):
            await forever()
        with pytest.raises(TimeoutError), timer(SHORT):
            await forever()

    asyncio.run(main())


def test_a_cancellation_from_outside():
    """It stays one, and the timer is as good as new."""

    async def main():
        timer = Timer()

        async def wait():
            with timer(LONG):
                await forever()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert (task.cancelled(), task.cancelling()) == (True, 1)
        with timer(SHORT):
            await asyncio.sleep(0)

    asyncio.run(main())


def test_a_cancellation_in_the_same_turn():
    """If the task is cancelled when its time is over as well, the cancellation counts, as it does for asyncio."""

    async def main():
        timer, loop = Timer(), asyncio.get_running_loop()
        tasks = []

        async def wait():
            with timer(SHORT):
                # Behind the timer's own entry in the same turn: that one cancels the task first.
                loop.call_at(timer._entry.when(), tasks[0].cancel)
                await forever()

        tasks.append(asyncio.create_task(wait()))
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]

        assert tasks[0].cancelled()

    asyncio.run(main())


def test_a_task_that_is_being_cancelled_already():
    """A limit inside of a clean-up after a cancellation is a limit, and the cancellation goes on behind it."""

    async def main():
        timer, seen = Timer(), []

        async def wait():
            try:
                await forever()
            finally:
                try:
                    with timer(SHORT):
                        await forever()
                except TimeoutError:
                    seen.append("late")

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert seen == ["late"]

    asyncio.run(main())


def test_an_error_inside():
    """It goes through as it is; an error that came of the end of the time is the one that is raised."""

    async def main():
        timer = Timer()
        with pytest.raises(LookupError), timer(LONG):
            raise LookupError("inside")

        async def translate():
            with timer(SHORT):
                try:
                    await forever()
                except asyncio.CancelledError:
                    raise LookupError("of the library below") from None

        with pytest.raises(LookupError):
            await translate()

        assert asyncio.current_task().cancelling() == 0
        await asyncio.sleep(0)

    asyncio.run(main())


def test_inside_a_limit_of_the_application():
    """`asyncio.timeout` around it works, whichever of the two is shorter."""

    async def main():
        timer = Timer()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SHORT):
                await wait_with(timer, LONG)
        outer = asyncio.timeout(LONG)
        with pytest.raises(TimeoutError):
            async with outer:
                await wait_with(timer, SHORT)

        assert not outer.expired()
        assert asyncio.current_task().cancelling() == 0

    asyncio.run(main())


def test_one_task_after_the_other():
    """A line goes from task to task; the limit is for the one that waits now."""

    async def main():
        timer = Timer()

        async def wait(seconds, *, late):
            if late:
                with pytest.raises(TimeoutError), timer(seconds):
                    await forever()
            else:
                with timer(seconds):
                    await asyncio.sleep(0)
            return asyncio.current_task().cancelling()

        tasks = [wait(SHORT, late=False), wait(SHORT, late=True), wait(LONG, late=False), wait(SHORT, late=True)]

        assert [await asyncio.create_task(task) for task in tasks] == [0, 0, 0, 0]

    asyncio.run(main())


def test_a_result_in_the_turn_of_the_end():
    """A wait whose result comes in the very turn in which its time is over is either late or not, and nothing else."""

    async def main():
        for _ in range(20):
            timer, loop = Timer(), asyncio.get_running_loop()
            result = loop.create_future()
            try:
                with timer(0.001):
                    loop.call_at(timer._entry.when(), result.set_result, "in time")
                    said = await result
            except TimeoutError:
                said = "late"
            await asyncio.sleep(0)
            await asyncio.sleep(0.002)

            assert said in ("in time", "late")
            assert asyncio.current_task().cancelling() == 0

    asyncio.run(main())

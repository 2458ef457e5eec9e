"""`Slots`: a fair gate that loses no slot."""

import asyncio
import threading

import pytest

from aigw.errors import DeadlineExceeded
from aigw.providers.slots import Slots
from aigw.runtime import drive
from aigw.testing import make_call


async def queued(slots, count):
    """Let other tasks run until so many wait."""
    while slots.waiting < count:  # noqa: ASYNC110  (nothing tells when a call begins to wait)
        await asyncio.sleep(0)


def test_the_first_to_come_is_the_first_to_enter():
    """Slots are handed on in the order of arrival."""

    async def scenario():
        slots, order = Slots(1), []
        await slots.enter(make_call(blocking=False))

        async def visit(name):
            await slots.enter(make_call(blocking=False))
            order.append(name)
            slots.leave()

        tasks = []
        for name in "abc":
            tasks.append(asyncio.create_task(visit(name)))
            await queued(slots, len(tasks))
        slots.leave()
        await asyncio.gather(*tasks)
        return order, slots.free

    assert asyncio.run(scenario()) == (["a", "b", "c"], 1)


def test_a_cancelled_waiter_leaves_the_queue():
    """Who is cancelled while it waits gets no slot, and the one behind it does."""

    async def scenario():
        slots = Slots(1)
        await slots.enter(make_call(blocking=False))
        first = asyncio.create_task(slots.enter(make_call(blocking=False)))
        await queued(slots, 1)
        second = asyncio.create_task(slots.enter(make_call(blocking=False)))
        await queued(slots, 2)
        first.cancel()
        await asyncio.wait([first])
        waiting = slots.waiting
        slots.leave()
        await second
        slots.leave()
        return first.cancelled(), waiting, slots.free

    assert asyncio.run(scenario()) == (True, 1, 1)


def test_a_slot_handed_to_a_cancelled_waiter_is_not_lost():
    """When the slot and the cancellation come at the same moment, the slot goes back."""

    async def scenario():
        slots = Slots(1)
        await slots.enter(make_call(blocking=False))
        task = asyncio.create_task(slots.enter(make_call(blocking=False)))
        await queued(slots, 1)
        slots.leave()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), slots.free

    assert asyncio.run(scenario()) == (True, 1)


@pytest.mark.parametrize(("deadline", "free"), [(-1.0, 1), (0.01, 0)], ids=["over", "comes while it waits"])
def test_the_deadline_bounds_the_wait(deadline, free):
    """A deadline that is over or comes before a slot is `DeadlineExceeded`, and leaves nothing behind."""
    slots = Slots(1)
    if not free:
        drive(slots.enter(make_call()))

    with pytest.raises(DeadlineExceeded):
        drive(slots.enter(make_call(deadline=deadline)))
    assert (slots.free, slots.waiting) == (free, 0)


def test_a_loop_and_a_thread_wait_for_each_other():
    """A slot goes from a task to a blocked thread and back."""
    slots, order = Slots(1), []

    def block():
        drive(slots.enter(make_call()))
        order.append("thread")
        slots.leave()

    async def scenario():
        await slots.enter(make_call(blocking=False))
        thread = threading.Thread(target=block)
        thread.start()
        await queued(slots, 1)
        task = asyncio.create_task(slots.enter(make_call(blocking=False)))
        await queued(slots, 2)
        slots.leave()
        await task
        order.append("task")
        slots.leave()
        thread.join(60)

    asyncio.run(scenario())

    assert order == ["thread", "task"]
    assert slots.free == 1

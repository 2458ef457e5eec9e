"""Work beside a call: done by threads, waited for through ports, and never in the way of what comes after it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading

import pytest

from aigw.aside import Aside, TooSlow, beside, breathe
from aigw.runtime import drive
from providers.fake_http import FakeTransport


def on_a_loop(make):
    """Run a coroutine function that takes the ports of a loop."""

    async def main():
        return await make(FakeTransport().call(loop=asyncio.get_running_loop()).ports)

    return asyncio.run(main())


def test_beside_does_it_itself_where_it_may_block():
    """No thread is started where nobody else would be kept waiting; a loop is not blocked."""
    assert drive(beside(FakeTransport().call().ports, threading.current_thread)) is threading.current_thread()
    assert on_a_loop(lambda ports: beside(ports, threading.current_thread)) is not threading.current_thread()


@pytest.mark.parametrize("run", [beside, lambda *given: Aside().run(*given)], ids=["beside", "Aside"])
def test_what_it_raises_is_raised(run):
    """An error comes out where the work is waited for."""
    with pytest.raises(ZeroDivisionError):
        on_a_loop(lambda ports: run(ports, lambda: 1 / 0))


@pytest.mark.parametrize("run", [beside, lambda *given: Aside().run(*given)], ids=["beside", "Aside"])
def test_what_takes_too_long_is_left(run):
    """Whoever waits goes on after his time."""
    end = threading.Event()
    with pytest.raises(TooSlow, match="not done within 0 s"):
        on_a_loop(lambda ports: run(ports, lambda: end.wait(60), 0.0))
    end.set()


def test_the_blocking_face_is_not_held_up_either():
    """`Aside` has a thread do it on both faces: a function that never ends costs its caller no more than his time."""
    end = threading.Event()
    with pytest.raises(TooSlow):
        drive(Aside().run(FakeTransport().call().ports, lambda: end.wait(60), 0.0))
    end.set()

    assert drive(Aside().run(FakeTransport().call().ports, threading.current_thread)) is not threading.current_thread()


def test_work_that_nobody_wants_any_more():
    """What was cancelled is not begun, what failed is told to its own caller, and the thread goes on."""
    release, done = threading.Event(), []

    async def work(ports):
        aside = Aside(1)
        first = asyncio.ensure_future(aside.run(ports, lambda: release.wait(60)))
        cancelled = asyncio.ensure_future(aside.run(ports, lambda: done.append("cancelled")))
        failed = asyncio.ensure_future(aside.run(ports, lambda: 1 / 0))
        last = asyncio.ensure_future(aside.run(ports, lambda: "last"))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        release.set()
        told = await asyncio.gather(first, failed, last, return_exceptions=True)
        return *told, await aside.run(ports, lambda: "again")

    first, failed, *others = on_a_loop(work)

    assert (first, type(failed), others) == (True, ZeroDivisionError, ["last", "again"])
    assert done == []


def test_the_others_go_on():
    """A function that never ends keeps one thread; more than there are threads do not run at a time."""
    release, running, most = threading.Event(), [], []

    def job():
        running.append(1)
        most.append(len(running))
        release.wait(60)
        running.pop()

    async def work(ports):
        aside = Aside(2)
        stuck = asyncio.ensure_future(aside.run(ports, lambda: release.wait(60)))
        await asyncio.sleep(0)
        quick = [await aside.run(ports, lambda: "quick") for _ in range(5)]
        release.set()
        await asyncio.gather(stuck, *[aside.run(ports, job) for _ in range(6)])
        return quick

    assert on_a_loop(work) == ["quick"] * 5
    assert max(most) <= 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_works_by_itself():
    """A child forked while its parent's thread is busy has a thread of its own, and none of the parent's jobs."""
    aside, begun, release = Aside(1), threading.Event(), threading.Event()
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()

    def ask(work):
        return on_a_loop(lambda ports: aside.run(ports, work))

    busy = threading.Thread(target=lambda: ask(lambda: (begun.set(), release.wait(60))))
    busy.start()
    begun.wait(60)
    child = context.Process(target=lambda: results.put(ask(lambda: "done")))
    child.start()
    child.join(60)
    if child.exitcode is None:
        child.kill()
    release.set()
    busy.join(60)

    assert child.exitcode == 0
    assert results.get() == "done"


def test_a_thread_waits_for_more():
    """One job after the other starts no thread for each; without work the threads end."""
    aside = Aside()

    async def work(ports):
        return {await aside.run(ports, threading.current_thread) for _ in range(50)}

    threads = on_a_loop(work)
    for thread in threads:
        thread.join(60)

    assert len(threads) <= 2
    assert not any(thread.is_alive() for thread in threads)
    assert on_a_loop(lambda ports: aside.run(ports, lambda: "again")) == "again"


def test_nothing_is_lost_between_threads():
    """Many jobs from many loops are each done once, however threads come and go."""
    aside, done = Aside(3), []

    async def work(ports):
        await asyncio.gather(*[aside.run(ports, lambda: done.append(1)) for _ in range(50)])

    callers = [threading.Thread(target=on_a_loop, args=(work,)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)

    assert len(done) == 400


def test_a_thread_beside_a_loop_rests():
    """What computes for long gives way again and again, but only beside a loop, and not more often than needed."""
    rests, now = [], [0.0]

    def work():
        rests.clear()
        for _ in range(1000):
            now[0] += 0.0001
            breathe(lambda: now[0], rests.append)
        return len(rests)

    assert 80 <= on_a_loop(lambda ports: Aside().run(ports, work)) <= 100
    assert work() == 0

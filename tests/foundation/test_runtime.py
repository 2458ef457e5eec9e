"""The runtimes of a gateway: one for all threads, one for each loop, and what becomes of their connections."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import weakref
from functools import partial

import pytest

from aigw.errors import ConfigError
from aigw.runtime import (
    BlockingClock,
    BlockingFlag,
    BlockingRuntime,
    LoopClock,
    LoopFlag,
    LoopRuntime,
    Runtimes,
    drive,
)
from aigw.testing import FakeClock


class FakeTransport:
    """Counts how often it is closed, and remembers where it was made."""

    def __init__(self, made):
        self.thread = threading.get_ident()
        self.closed = 0
        made.append(self)

    async def close(self):
        self.closed += 1


class Made:
    """Runtimes, and the transports that they made."""

    def __init__(self, clock=None):
        self.for_threads = []
        self.for_loops = []
        self.rng = random.Random(0)
        self.runtimes = Runtimes(
            clock=clock,
            rng=self.rng,
            blocking=partial(FakeTransport, self.for_threads),
            loop=partial(FakeTransport, self.for_loops),
        )

    async def transport(self):
        """Return the transport of the running loop."""
        return (await self.runtimes.current()).transport


@pytest.fixture
def made():
    """Runtimes with fake transports."""
    return Made()


async def plain():
    """Do nothing, as a coroutine function."""
    return "later"


def test_the_ports_of_each_face(made):
    """Each face has its own clock and flags, and both the same source of chance."""

    async def main():
        loop = await made.runtimes.current()
        return loop, type(loop.flag()), type(loop.clock)

    loop, flag, clock = asyncio.run(main())
    blocking = made.runtimes.blocking

    assert (flag, clock, loop.blocking) == (LoopFlag, LoopClock, False)
    assert (type(blocking.flag()), type(blocking.clock), blocking.blocking) == (BlockingFlag, BlockingClock, True)
    assert loop.rng is blocking.rng is made.rng


def test_a_clock_of_a_test_serves_all():
    """A clock that is given replaces that of every runtime."""
    clock = FakeClock()
    made = Made(clock)

    async def main():
        return (await made.runtimes.current()).clock

    assert asyncio.run(main()) is clock
    assert made.runtimes.blocking.clock is clock


def test_threads_share_one_transport(made):
    """The transport of the blocking face is made when it is first needed, once, whichever threads ask for it."""
    unused = len(made.for_threads)
    barrier = threading.Barrier(8)
    seen = []

    def ask():
        barrier.wait()
        seen.append(made.runtimes.blocking.transport)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert unused == 0
    assert made.for_threads == [seen[0]]
    assert set(seen) == {seen[0]}


def test_closing_the_blocking_runtime(made):
    """Closing closes the transport once; a later call makes a new one; closing what was never used is nothing."""
    runtime = made.runtimes.blocking
    drive(runtime.close())
    first = runtime.transport
    drive(runtime.close())
    drive(runtime.close())

    assert first.closed == 1
    assert runtime.transport is not first
    assert len(made.for_threads) == 2


def test_forgetting_the_connections(made):
    """After a fork they belong to the parent: they are dropped, not closed, and the next call makes new ones."""
    runtime = made.runtimes.blocking
    runtime.forget()
    first = runtime.transport
    runtime.forget()

    assert first.closed == 0
    assert runtime.transport is not first


def test_a_loop_has_one_runtime(made):
    """Every task of a loop gets the same runtime, and its transport is made when it is first needed."""

    async def main():
        found = await asyncio.gather(*[made.runtimes.current() for _ in range(5)])
        unused = len(made.for_loops)
        transports = {runtime.transport for runtime in found}
        return len(set(found)), unused, len(transports)

    assert asyncio.run(main()) == (1, 0, 1)
    assert len(made.for_loops) == 1


def test_connections_are_closed_at_the_end_of_asyncio_run(made):
    """``asyncio.run`` closes the transport of its loop, even if nobody called `close`; the next run has its own."""
    for _ in range(3):
        asyncio.run(made.transport())

    assert [transport.closed for transport in made.for_loops] == [1, 1, 1]


def test_connections_are_closed_at_the_end_of_asyncio_run_that_fails(made):
    """A main task that fails, or is cancelled, changes nothing about that."""

    async def fail(error):
        await made.transport()
        raise error

    with pytest.raises(KeyError):
        asyncio.run(fail(KeyError("x")))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(fail(asyncio.CancelledError()))

    assert [transport.closed for transport in made.for_loops] == [1, 1]


def test_closing_the_runtime_of_a_loop(made):
    """`close_current` closes the connections of the running loop at once; a later call makes new ones."""

    async def main():
        await made.runtimes.close_current()
        first = await made.transport()
        await made.runtimes.close_current()
        closed = first.closed
        await made.runtimes.close_current()
        return closed, await made.transport() is first

    assert asyncio.run(main()) == (1, False)
    assert [transport.closed for transport in made.for_loops] == [1, 1]


def test_a_loop_runtime_that_was_never_watched_closes_quietly():
    """Closing a runtime that has no janitor yet does nothing."""

    async def main():
        runtime = LoopRuntime(asyncio.get_running_loop(), None, random.Random(0), object)
        await runtime.close()
        return runtime.clock

    assert isinstance(asyncio.run(main()), LoopClock)


def test_loops_in_threads_have_their_own(made):
    """Four loops in four threads at once: each has one transport, made in its thread, closed once."""
    barrier = threading.Barrier(4)
    seen = {}

    def work():
        async def main():
            transport = await made.transport()
            barrier.wait()
            return transport, await made.transport()

        seen[threading.get_ident()] = asyncio.run(main())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made.for_loops) == len(set(made.for_loops)) == 4
    assert all(first is second and first.thread == thread for thread, (first, second) in seen.items())
    assert [transport.closed for transport in made.for_loops] == [1] * 4


def test_loops_are_not_kept(made):
    """A gateway that lives long does not keep the loops that it has served."""
    gone = []
    for _ in range(5):
        gone.append(weakref.ref(used(made)))
        gc.collect()
    asyncio.run(made.transport())
    gc.collect()

    assert [loop() for loop in gone] == [None] * 5


def used(made):
    """Serve a loop, and return it closed."""
    with asyncio.Runner() as runner:
        runner.run(made.transport())
        return runner.get_loop()


def test_a_loop_that_was_closed_the_hard_way_is_forgotten(made):
    """A loop that was closed without a shutdown cannot close its connections; the next loop finds it and lets go."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(made.transport())
    loop.close()
    gone = weakref.ref(loop)
    del loop
    asyncio.run(made.transport())
    gc.collect()

    assert gone() is None
    assert [transport.closed for transport in made.for_loops] == [0, 1]


def test_resolving_a_function_on_both_faces(made):
    """A plain function is called, on the async face also a coroutine function; its errors come out as they are."""

    async def main():
        runtime = await made.runtimes.current()
        return await runtime.resolve(lambda: "now"), await runtime.resolve(plain)

    def fail():
        raise KeyError("x")

    assert asyncio.run(main()) == ("now", "later")
    assert drive(made.runtimes.blocking.resolve(lambda: "now")) == "now"
    with pytest.raises(KeyError):
        drive(made.runtimes.blocking.resolve(fail))


class Awaitable:
    """Something to wait for that is no coroutine."""

    def __await__(self):
        yield


def test_the_blocking_face_takes_no_coroutine_function(made):
    """It cannot wait for one: an error that names the function, without what it holds; and no forgotten coroutine."""
    with pytest.raises(ConfigError, match=r"^plain is a coroutine function: use it with gateway\.aio"):
        drive(made.runtimes.blocking.resolve(plain))
    with pytest.raises(ConfigError, match=r"^partial is a coroutine function"):
        drive(made.runtimes.blocking.resolve(partial(plain)))
    with pytest.raises(ConfigError, match="coroutine function"):
        drive(made.runtimes.blocking.resolve(Awaitable))
    gc.collect()


def test_discarding_on_the_blocking_face(made):
    """What nobody waits for any more is closed at once."""
    closed = []

    async def close():
        closed.append(1)

    made.runtimes.blocking.discard(close)

    assert closed == [1]


def test_discarding_on_a_loop(made):
    """From any thread: the loop closes it in its own time."""
    closed = asyncio.Event()

    async def close():
        closed.set()

    async def main():
        runtime = await made.runtimes.current()
        await asyncio.to_thread(runtime.discard, close)
        await closed.wait()
        return runtime

    runtime = asyncio.run(main())
    closed.clear()
    runtime.discard(close)

    assert not closed.is_set()


def test_a_runtime_whose_loop_is_gone_says_so():
    """A flag for a loop that does not exist any more is an error, and there is nothing left to close there."""
    loop = asyncio.new_event_loop()
    runtime = LoopRuntime(loop, None, random.Random(0), object)
    loop.close()
    del loop
    gc.collect()
    runtime.discard(plain)

    with pytest.raises(ConfigError, match="gone"):
        runtime.flag()


def test_a_runtime_stands_for_itself():
    """The blocking runtime can be made without a gateway, as the test helpers do."""
    clock = FakeClock()

    assert BlockingRuntime(clock, random.Random(0), object).clock is clock

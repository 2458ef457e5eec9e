"""A gateway in a running loop, and in one loop after the other: it belongs to none of them."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref

import pytest

from aigw import AsyncGateway, Gateway, Target
from aigw.testing import ScriptedProvider, Stall


async def use(gateway):
    """Make each kind of call through the async face."""
    async with gateway.stream("hello") as stream:
        streamed = "".join([chunk.text async for chunk in stream])
    return (await gateway.chat("hello")).text, streamed, len((await gateway.embed(["a", "b"])).vectors)


def use_blocking(gateway):
    """Make each kind of call through the blocking face."""
    with gateway.stream("hello") as stream:
        streamed = "".join([chunk.text for chunk in stream])
    return gateway.chat("hello").text, streamed, len(gateway.embed(["a", "b"]).vectors)


def test_the_blocking_face_inside_a_running_loop(upstream):
    """It blocks the loop, as in a notebook, and works like anywhere else."""
    with Gateway({"r": Target(upstream.url, model="m")}) as gateway:

        async def main():
            return use_blocking(gateway)

        expected = (upstream.answer, upstream.answer, 2)

        assert asyncio.run(main()) == expected
        assert asyncio.run(main()) == expected
        assert use_blocking(gateway) == expected
        assert upstream.accepted == 1


def test_both_faces_in_one_coroutine(upstream):
    """They have connections of their own and everything else in common."""
    target = Target(upstream.url, model="m")

    async def main():
        with Gateway({"r": target}) as gateway:
            return await use(gateway.aio), use_blocking(gateway), await asyncio.to_thread(use_blocking, gateway)

    first, *others = asyncio.run(main())

    assert others == [first, first]
    assert upstream.accepted == 2
    upstream.wait_until(lambda: upstream.connections == 0)


def test_one_loop_after_the_other(upstream):
    """Each has its own connection, which is closed with the loop, although nobody closes the gateway."""
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})
    for number in range(1, 5):
        texts = asyncio.run(use(gateway))
        upstream.wait_until(lambda: upstream.connections == 0)

        assert texts == (upstream.answer, upstream.answer, 2)
        assert upstream.accepted == number


def test_loops_are_not_kept(upstream):
    """A loop that is over is forgotten, with all that belongs to it, at the latest when another one comes."""
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})
    loops = []

    async def main():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        await use(gateway)

    for _ in range(4):
        asyncio.run(main())
    gc.collect()

    assert [loop() for loop in loops[:-1]] == [None] * 3


def test_loops_in_threads_at_the_same_time(upstream):
    """Two loops use the gateway in turn, each with a connection of its own."""
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})
    turns = threading.Barrier(2)
    texts = []

    async def main():
        for _ in range(3):
            await asyncio.to_thread(turns.wait)
            texts.append((await gateway.chat("hello")).text)

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    upstream.wait_until(lambda: upstream.connections == 0)

    assert texts == [upstream.answer] * 6
    assert upstream.accepted == 2


def test_a_loop_that_is_run_by_hand(upstream):
    """Without `asyncio.run` the gateway is closed by hand; another loop may use it then."""
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})
    for _ in range(2):
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(use(gateway))
            loop.run_until_complete(use(gateway))
            loop.run_until_complete(gateway.close())
        finally:
            loop.close()

    upstream.wait_until(lambda: upstream.connections == 0)

    assert upstream.accepted == 2


def test_the_context_manager_of_the_async_face(upstream):
    """``async with`` closes what this loop has opened."""

    async def main():
        async with AsyncGateway({"r": Target(upstream.url, model="m")}) as gateway:
            await use(gateway)
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 0)

    asyncio.run(main())


def test_closing_one_face_leaves_the_other_alone(upstream):
    """The connections of the threads and those of a loop are closed separately."""
    gateway = Gateway({"r": Target(upstream.url, model="m")})

    async def main():
        gateway.chat("hello")
        await gateway.aio.chat("hello")
        await gateway.aio.close()
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 1)
        gateway.chat("hello")
        await gateway.aio.chat("hello")

    asyncio.run(main())
    upstream.wait_until(lambda: upstream.connections == 1)
    gateway.chat("hello")
    gateway.close()
    upstream.wait_until(lambda: upstream.connections == 0)

    assert upstream.accepted == 3


def test_closing_a_gateway_that_never_sent_anything():
    """There is nothing to close, in a loop or out of it."""
    gateway = Gateway({"r": Target(ScriptedProvider("hello"))})
    gateway.close()
    asyncio.run(gateway.aio.close())

    assert gateway.chat("hello").text == "hello"


def test_a_stream_that_goes_from_task_to_task(upstream):
    """One task opens it, another reads, a third closes: it belongs to none of them."""
    upstream.always(Stall(2))
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})

    async def main():
        stream = gateway.stream("hello")
        await asyncio.create_task(stream.__aenter__())
        chunks = [await asyncio.create_task(anext_of(stream)) for _ in range(3)]
        await asyncio.create_task(stream.close())
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 0)
        return "".join([chunk.text for chunk in chunks])

    assert asyncio.run(main()) == "one two "


async def anext_of(stream):
    """Read the next chunk."""
    return await anext(stream)


def test_a_stream_that_goes_from_thread_to_thread(upstream):
    """Likewise on the blocking face."""
    upstream.always(Stall(2))
    with Gateway({"r": Target(upstream.url, model="m")}) as gateway:
        stream = gateway.stream("hello")
        chunks = []
        for work in (stream.__enter__, *[lambda: chunks.append(next(stream))] * 3, stream.close):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        upstream.wait_until(lambda: upstream.connections == 0)

        assert "".join([chunk.text for chunk in chunks]) == "one two "


def test_a_stream_that_is_dropped_in_another_thread(upstream):
    """The loop that it belongs to closes its connection."""
    upstream.always(Stall(1))
    target = Target(upstream.url, model="m")
    gateway = AsyncGateway({"r": target})

    async def main():
        held = [gateway.stream("hello")]
        await anext(held[0])
        await asyncio.to_thread(held.clear)
        await asyncio.to_thread(upstream.wait_until, lambda: upstream.connections == 0)
        return target.in_flight

    assert asyncio.run(main()) == 0


EXIT = """
import asyncio, sys
from aigw import AsyncGateway, Gateway, Target
from aigw.testing import FaultyUpstream, Stall

upstream = FaultyUpstream("one two").start()
target = Target(upstream.url, model="m")

async def left_in_a_loop():
    async for chunk in AsyncGateway({"r": target}).stream("hello"):
        if chunk.text:
            return

async def kept():
    await AsyncGateway({"r": target}).chat("hello")

if sys.argv[1] == "kept":
    gateway = Gateway({"r": target})
    gateway.chat("hello")
    asyncio.run(kept())
elif sys.argv[1] == "open":
    upstream.always(Stall(1))
    stream = Gateway({"r": target}).stream("hello")
    next(stream)
else:
    upstream.always(Stall(1))
    asyncio.run(left_in_a_loop())
print("done")
"""


@pytest.mark.parametrize("how", ["kept", "open", "left"])
def test_a_program_that_just_ends(how):
    """Idle connections, an open stream or one that was left: the program ends in silence."""
    command = [sys.executable, "-W", "always", "-c", EXIT, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


def test_many_tasks_of_one_loop(upstream):
    """As many connections as calls at once, and all of them are used again."""
    gateway = AsyncGateway({"r": Target(upstream.url, model="m")})

    async def main():
        for _ in range(3):
            answers = await asyncio.gather(*[gateway.chat("hello") for _ in range(16)])
            assert {answer.text for answer in answers} == {upstream.answer}
        return upstream.connections

    open_at_the_end = asyncio.run(main())
    upstream.wait_until(lambda: upstream.connections == 0)

    assert open_at_the_end == upstream.accepted <= 16

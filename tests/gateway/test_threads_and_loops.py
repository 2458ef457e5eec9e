"""One gateway, many threads and several event loops at once: nothing is lost, mixed up or left open."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice

import pytest
from tenacity import wait_none

from aigw import AttemptTimeout, Balance, Deadline, Fallback, Gateway, Retry, Target, errors
from aigw.testing import FakeClock, FaultyUpstream, ScriptedProvider, Status
from gateway.counting import Counting

THREADS = 32
LOOPS = 4
TASKS = 8  # of each loop
CALLS = 47  # of each thread and each task: some 3,000 in all


def echo(request):
    """Answer with the question."""
    return "you said " + request.json["messages"][-1]["content"]


@pytest.fixture
def upstreams():
    """Two servers that repeat what they are told."""
    with ExitStack() as stack:
        yield [stack.enter_context(FaultyUpstream(echo, record=False, burst=True)) for _ in range(2)]


def run_all(*workers):
    """Run each worker in a thread of its own, all starting at the same time; raise what one of them raises."""
    barrier = threading.Barrier(len(workers))

    def run(worker):
        barrier.wait()
        return worker()

    with ThreadPoolExecutor(len(workers)) as pool:
        return list(pool.map(run, workers))


def ask(gateway, name):
    """Ask from a thread, streamed and not; return what was not answered right."""
    wrong = []
    for number in range(CALLS):
        question = f"{name} number {number} " * (1 + number % 3)
        if number % 3 == 0:
            with gateway.stream(question) as stream:
                text = "".join([chunk.text for chunk in stream])
        elif number % 3 == 1:
            text = gateway.chat(question).text
        else:
            with gateway.stream(question) as stream:
                texts = (chunk.text for chunk in stream if chunk.text)
                begun = "".join(islice(texts, 6))  # as far as its number, and then it is left
            text = f"you said {question}" if begun == f"you said {name} number {number} " else begun
        if text != f"you said {question}":
            wrong.append((question, text))
    return wrong


async def ask_aio(gateway, name):
    """Ask from a task; see `ask`."""
    wrong = []
    for number in range(CALLS):
        question = f"{name} number {number} " * (1 + number % 3)
        if number % 2:
            async with gateway.stream(question) as stream:
                text = "".join([chunk.text async for chunk in stream])
        else:
            text = (await gateway.chat(question)).text
        if text != f"you said {question}":
            wrong.append((question, text))
    return wrong


def ask_in_loop(gateway, name):
    """Ask from several tasks of a loop of its own."""

    async def main():
        found = await asyncio.gather(*[ask_aio(gateway.aio, f"{name} task {task}") for task in range(TASKS)])
        return [wrong for wrongs in found for wrong in wrongs]

    return asyncio.run(main())


def test_one_gateway_for_32_threads_and_4_loops(upstreams):
    """Every answer belongs to its question; at the end no call is in flight and no connection open."""
    counting = Counting()
    targets = [Target(upstream.url, model="m", name=f"t{at}") for at, upstream in enumerate(upstreams)]
    policies = [Deadline(120), Retry(), AttemptTimeout(first_chunk=60), counting]
    with Gateway({"r": Balance(*targets, by="least_busy")}, policies) as gateway:
        wrong = run_all(
            *[lambda name=f"thread {at}": ask(gateway, name) for at in range(THREADS)],
            *[lambda name=f"loop {at}": ask_in_loop(gateway, name) for at in range(LOOPS)],
        )
    for upstream in upstreams:
        upstream.wait_until(lambda upstream=upstream: upstream.connections == 0)
    calls = (THREADS + LOOPS * TASKS) * CALLS

    assert [one for some in wrong for one in some] == []
    assert [target.in_flight for target in targets] == [0, 0]
    assert counting.counts == [1] * calls
    assert set(counting.outcomes) == {"ok", "abandoned"}


def test_failures_are_not_mixed_up_either(upstreams):
    """One of two targets fails every other time, and still each question gets its own answer."""
    first, second = upstreams
    first.next(*[Status(500), None] * 300)
    tree = Fallback(Target(first.url, model="m", name="first"), Target(second.url, model="m", name="second"))
    gateway = Gateway({"r": tree}, [Retry()])

    def work(name):
        for number in range(25):
            question = f"{name} number {number}"
            answer = gateway.chat(question)
            assert answer.text == f"you said {question}"
            tried = [attempt.outcome for attempt in answer.trace.attempts]
            assert tried in (["ok"], ["ServerError", "ok"])
        return len(tried)

    with gateway:
        run_all(*[lambda name=f"thread {at}": work(name) for at in range(16)])

    assert [target.in_flight for target in tree.targets] == [0, 0]


def test_keys_are_not_mixed_up():
    """Each thread has a key of its own at the same target, and each answer was got with the right one."""
    mine = threading.local()

    def work(gateway, name):
        wrong = []
        for number in range(30):
            mine.key = f"{name}-{number % 2}"
            text = gateway.chat("hello").text
            if text != f"Bearer {mine.key}":
                wrong.append((mine.key, text))
        return wrong

    with (
        FaultyUpstream(lambda request: request.headers["authorization"], record=False) as upstream,
        Gateway({"r": Target(upstream.url, model="m", api_key=lambda: mine.key)}) as gateway,
    ):
        wrong = run_all(*[lambda name=f"key-{at}": work(gateway, name) for at in range(16)])

    assert wrong == [[]] * 16


def test_closing_while_others_call(upstreams):
    """Closing the gateway again and again breaks no call of another thread or task, and leaves nothing open."""
    upstream = upstreams[0]
    gateway = Gateway({"r": Target(upstream.url, model="m")})
    done = threading.Event()

    def work(name):
        return [gateway.chat(f"{name} {number}").text == f"you said {name} {number}" for number in range(40)]

    def work_in_loop(name):
        async def main():
            closer = asyncio.create_task(close_often())
            found = await asyncio.gather(*[gateway.aio.chat(f"{name} {number}") for number in range(40)])
            closer.cancel()
            return [answer.text == f"you said {name} {number}" for number, answer in enumerate(found)]

        async def close_often():
            while True:
                await gateway.aio.close()
                await asyncio.sleep(0)

        return asyncio.run(main())

    def close():
        while not done.is_set():
            gateway.close()

    closer = threading.Thread(target=close)
    closer.start()
    try:
        right = run_all(
            *[lambda name=f"thread {at}": work(name) for at in range(8)],
            *[lambda name=f"loop {at}": work_in_loop(name) for at in range(2)],
        )
    finally:
        done.set()
        closer.join()
        gateway.close()
    upstream.wait_until(lambda: upstream.connections == 0)

    assert right == [[True] * 40] * 10


def test_turns_are_shared_exactly():
    """Round robin takes turns over all threads and loops together."""
    providers = [ScriptedProvider.repeat("hello", name=f"p{at}") for at in range(3)]
    pool = Balance(*[Target(provider) for provider in providers], by="round_robin")
    gateway = Gateway({"r": pool})

    async def main():
        for _ in range(150):
            await gateway.aio.chat("hello")

    def work():
        for _ in range(150):
            gateway.chat("hello")

    run_all(*[work] * 6, *[lambda: asyncio.run(main())] * 2)

    assert [len(provider.calls) for provider in providers] == [400, 400, 400]
    assert pool.in_flight == 0


def test_the_retry_budget_is_shared_exactly():
    """However many threads retry at once, no more tries are made than the budget of the route allows."""
    calls = 800
    provider = ScriptedProvider.repeat(errors.ServerError)
    retry = Retry(2, wait=wait_none(), budget=0.1)
    gateway = Gateway({"r": Target(provider)}, [retry], clock=FakeClock())

    def work():
        for _ in range(calls // 16):
            with pytest.raises(errors.ServerError):
                gateway.chat("hello")

    run_all(*[work] * 16)
    retries = len(provider.calls) - calls

    assert calls * 0.1 <= retries <= 10 + calls * 0.1


def test_faces_share_their_limits():
    """What one face has used up the other one misses."""
    provider = ScriptedProvider.repeat(errors.ServerError)
    gateway = Gateway({"r": Target(provider)}, [Retry(2, wait=wait_none())], clock=FakeClock())
    for _ in range(30):
        with pytest.raises(errors.ServerError):
            gateway.chat("hello")
    before = len(provider.calls)
    with pytest.raises(errors.ServerError) as caught:
        asyncio.run(gateway.aio.chat("hello"))

    assert 30 + 12 <= before <= 30 + 13  # ten at once, and a tenth of a retry for each call
    assert caught.value.trace.decisions[-1].reason.endswith("the retry budget of the route is used up")

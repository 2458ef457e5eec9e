"""`Concurrency`: so many calls at a time, each place given back once, and a limit that finds itself."""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import timedelta
from multiprocessing import get_context

import pytest

from aigw import (
    Breaker,
    Chunk,
    Concurrency,
    ConfigError,
    DeadlineExceeded,
    Overloaded,
    ProviderRateLimited,
    QueueFull,
    RateLimit,
    Reply,
    Retry,
    ServerError,
    Target,
    TimedOut,
)
from aigw.flags import BlockingFlag
from aigw.pipeline import check_order
from aigw.policies.line import Waiter
from aigw.policies.places import Places
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from policies.inner import Inner, handle, of_target


class Server:
    """An endpoint whose answers end when the test says so.

    Args:
        seconds: how long they take to begin, on the clock of the call.
    """

    def __init__(self, seconds=0.0):
        self.replies = []
        self.seconds = seconds

    async def __call__(self, call):
        await call.clock.sleep(self.seconds)
        self.replies.append(Reply.replay([Chunk(text="hello")]))
        return self.replies[-1]

    def end(self, position=0):
        """Let one of the answers end."""
        drive(self.replies.pop(position).close())


def take(policy, server, **fields):
    """Make a call that stays."""
    call = make_call(**fields)
    return call, drive(policy.handle(call, server))


def actions(call):
    """Tell what was noted."""
    return [decision.action for decision in call.trace.decisions]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "give it a limit"),
        ({"limit": 3, "adaptive": True}, "not both"),
        ({"limit": 0}, r"Concurrency\(limit\).* 0"),
        ({"limit": True}, r"Concurrency\(limit\).* True"),
        ({"limit": 3, "max_wait": 0}, r"Concurrency\(max_wait\).* 0"),
        ({"limit": 3, "on_exceeded": "drop"}, r"Concurrency\(on_exceeded\).*'drop'"),
        ({"limit": 3, "name": ""}, r"Concurrency\(name\).*''"),
        ({"adaptive": True, "start": 300}, "start=300 must be between least"),
        ({"adaptive": True, "least": 0}, r"Concurrency\(least\).* 0"),
    ],
)
def test_bad_arguments(options, named):
    """An argument that makes no sense is named at once, with its value."""
    with pytest.raises(ConfigError, match=named):
        Concurrency(**options)


def test_it_shows_its_settings():
    """``describe()`` prints what was set."""
    assert repr(Concurrency(8, on_exceeded="reject")) == "Concurrency(8, on_exceeded='reject')"
    assert repr(Concurrency(adaptive=True, most=64)) == "Concurrency(adaptive=True, most=64)"
    assert repr(Concurrency(8, max_wait=timedelta(minutes=1))) == "Concurrency(8, max_wait=60.0)"


def test_one_too_many_is_refused():
    """The error tells who refused, what is limited, for whom, and when to come again as far as that is known."""
    clock, server = FakeClock(), Server()
    policy = Concurrency(2, on_exceeded="reject").at_target(Target(ScriptedProvider("x"), model="m", name="gpu-1"))
    for _ in range(2):
        take(policy, server, clock=clock)
    with pytest.raises(QueueFull, match="gpu-1 gets at most 2 calls at a time") as first:
        take(policy, server, clock=clock)
    clock.advance(4)
    server.end()
    take(policy, server, clock=clock)
    with pytest.raises(QueueFull) as second:
        take(policy, server, clock=clock)
    known = second.value

    assert first.value.retry_after is None
    assert (known.policy, known.status, known.retry_after) == ("Concurrency", 503, 2.0)
    assert (known.scope, known.dimension, known.target) == ("target gpu-1", "concurrency", "gpu-1")


def test_a_place_is_given_back_once():
    """When the answer has ended, however often it is closed, there is exactly one place more."""
    policy, server = Concurrency(2), Server()
    replies = [take(policy, server)[1] for _ in range(2)]
    for _ in range(3):
        drive(replies[0].close())
    drive(replies[1].close())

    assert policy.in_flight == 0


@pytest.mark.parametrize("error", [ServerError("broke"), KeyboardInterrupt(), GeneratorExit()])
def test_a_failure_gives_it_back(error):
    """Whatever is raised in place of an answer, the place is free again."""
    policy = Concurrency(1)

    async def fail(call):
        raise error

    with pytest.raises(type(error)):
        drive(policy.handle(make_call(), fail))

    assert policy.in_flight == 0


def test_a_failure_with_an_open_answer():
    """A policy inside fails with an answer in its hand: the server still serves it, and so the place is taken."""
    policy = Concurrency(1)
    call = make_call(opened=[])

    async def fail(call):
        call.opened.append(Reply.replay([Chunk(text="hello")]))
        raise KeyError

    with pytest.raises(KeyError):
        drive(policy.handle(call, fail))
    before = policy.in_flight
    drive(call.opened[0].close())

    assert (before, policy.in_flight) == (1, 0)


def test_no_time_left():
    """A call whose deadline is over does not wait, and one that may wait is refused when its time is over."""
    clock, policy, server = FakeClock(), Concurrency(1, max_wait=0.01), Server()
    take(policy, server, clock=clock)
    with pytest.raises(QueueFull):
        take(policy, server, clock=clock, deadline=-1.0)
    call = make_call(clock=clock)
    with pytest.raises(QueueFull, match=r"none was free within 0\.01 s"):
        drive(policy.handle(call, server))

    assert actions(call) == ["waits", "refused"]
    assert policy.waiting == 0


def test_first_come_first_served():
    """Tasks get their places in the order in which they came."""

    async def main():
        policy, server, order = Concurrency(1), Server(), []

        async def ask(number):
            reply = await policy.handle(make_call(blocking=False), server)
            order.append(number)
            return reply

        tasks = [asyncio.create_task(ask(number)) for number in range(20)]
        for task in tasks:
            await (await task).close()

        assert order == list(range(20))
        assert policy.in_flight == policy.waiting == 0

    asyncio.run(main())


@pytest.mark.parametrize("handed", [False, True])
def test_a_cancelled_waiter(handed):
    """Cancelled in the line, or just when a place was handed over: the next one gets it, and none is lost."""

    async def main():
        policy, server = Concurrency(1), Server()
        reply = await policy.handle(make_call(blocking=False), server)
        tasks = [asyncio.create_task(policy.handle(make_call(blocking=False), server)) for _ in range(3)]
        await asyncio.sleep(0)
        assert policy.waiting == 3
        if handed:
            await reply.close()
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await reply.close()
        await (await tasks[1]).close()
        await (await tasks[2]).close()

        assert policy.in_flight == policy.waiting == 0

    asyncio.run(main())


def test_a_thread_and_a_loop_wait_for_each_other():
    """A place that a thread gives back is handed to a task, and the other way round."""
    policy, server, waiting = Concurrency(1), Server(), threading.Event()
    _, reply = take(policy, server)

    async def wait():
        task = asyncio.create_task(policy.handle(make_call(blocking=False), server))
        await asyncio.sleep(0)
        waiting.set()
        return await task

    got = []
    thread = threading.Thread(target=lambda: got.append(asyncio.run(wait())))
    thread.start()
    assert waiting.wait(30)
    assert policy.waiting == 1
    drive(reply.close())
    thread.join(30)

    other = threading.Thread(target=lambda: got.append(take(policy, server)[1]))
    other.start()
    while not policy.waiting:
        other.join(0.001)
    drive(got[0].close())
    other.join(30)

    assert len(got) == 2
    assert policy.in_flight == 1


def test_a_finalizer_in_the_middle_of_a_step():
    """A place that is given back while its own thread is counting neither blocks nor is lost, and wakes who waits."""
    dropped = []

    def limit():
        while dropped:
            places.give_back(dropped.pop())
        return 1

    places = Places(limit)
    assert places.take() == 1
    dropped.append(1.0)
    waiter = Waiter(BlockingFlag())
    assert places.join(waiter)

    assert waiter.flag.is_set()
    assert places.has_place(waiter)
    assert (places.taken, places.waiting) == (1, 0)


def test_whoever_leaves_is_not_handed_a_place():
    """A waiter whose time was over is out of the line, and the place goes to the next."""
    places = Places(lambda: 1)
    places.take()
    first, second = Waiter(BlockingFlag()), Waiter(BlockingFlag())
    assert places.join(first)
    assert places.join(second)
    gone = places.has_place(first)
    places.give_back(1.0)

    assert (gone, first.flag.is_set(), second.flag.is_set()) == (False, False, True)
    assert (places.taken, places.waiting) == (1, 0)


def count_in_child(policy, pipe):
    """Tell what a forked child sees, and that it can take places of its own."""
    before = (policy.in_flight, policy.waiting)
    take(policy, Server())
    pipe.send((*before, policy.in_flight))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_starts_anew():
    """Calls of the parent hold no place in the child."""
    policy, server = Concurrency(1), Server()
    take(policy, server)
    context = get_context("fork")
    mine, childs = context.Pipe()
    child = context.Process(target=count_in_child, args=(policy, childs))
    child.start()
    child.join(30)

    assert mine.poll(0)
    assert mine.recv() == (0, 0, 1)
    assert policy.in_flight == 1
    for pipe in (mine, childs):
        pipe.close()


def test_shadow_waits():
    """It notes who would wait, counts all, and lets all through."""
    policy, server = Concurrency(1, shadow=True), Server()
    take(policy, server)
    call, _ = take(policy, server)
    in_flight = policy.in_flight
    server.end()
    server.end()

    assert actions(call) == ["would wait"]
    assert (in_flight, policy.in_flight, policy.availability(0)) == (2, 0, 1.0)


def test_shadow_refuses():
    """It notes whom it would refuse; such a call takes no place, as it would not really."""
    policy, server = Concurrency(1, on_exceeded="reject", shadow=True), Server()
    take(policy, server)
    call, reply = take(policy, server)
    in_flight = policy.in_flight
    drive(reply.close())

    assert actions(call) == ["would refuse"]
    assert (in_flight, policy.in_flight) == (1, 1)


def test_availability():
    """Full, it gets nothing where it would refuse, and less and less where calls would wait."""
    server = Server()
    rejecting, waiting = Concurrency(1, on_exceeded="reject"), Concurrency(1)
    before = rejecting.availability(0), waiting.availability(0)
    take(rejecting, server)
    take(waiting, server)

    assert before == (1.0, 1.0)
    assert (rejecting.availability(0), waiting.availability(0)) == (0.0, 0.5)


def test_targets_count_apart():
    """One object given to several targets limits each of them by itself."""
    policy, server = Concurrency(1, on_exceeded="reject"), Server()
    targets = [Target(ScriptedProvider("x"), model="m", name=name, policies=[policy]) for name in "ab"]
    placed = [target.policies[0] for target in targets]
    take(placed[0], server)

    assert [one.in_flight for one in (*placed, policy, policy.at_node(targets[0]))] == [1, 0, 0, 0]


def test_the_order():
    """Inside Retry and, at a target, inside its rate limit; outside the Breaker if it lets calls wait."""
    target = Target(ScriptedProvider("x"), model="m")
    check_order([RateLimit(concurrency=3), Retry(), Concurrency(3), Breaker()])
    check_order([Retry(), Breaker(), Concurrency(3, on_exceeded="reject")])
    for wrong in (
        [Concurrency(3), Retry()],
        [Breaker(), Concurrency(3)],
        [Concurrency(3).at_target(target), RateLimit(concurrency=3)],
    ):
        with pytest.raises(ConfigError, match="Concurrency must stand"):
            check_order(wrong)


@pytest.mark.parametrize(
    ("error", "limit"),
    [(Overloaded, 9), (ProviderRateLimited, 9), (TimedOut, 9), (ServerError, 10), (ValueError, 10)],
)
def test_a_server_that_is_too_busy(error, limit):
    """No capacity, a 429 and a time that ran out shrink the limit by a tenth; other failures leave it."""
    policy = Concurrency(adaptive=True, start=10)
    with pytest.raises(error):
        handle(policy, Inner(error("busy")))

    assert policy.limit == limit


def test_a_cut_stream_tells_as_well():
    """A stream that stalls in its middle shrinks the limit."""
    policy = Concurrency(adaptive=True, start=10)
    reply = handle(policy, Inner(["so far ", of_target(TimedOut("stalled"), "t")]), stream=True)

    async def read():
        while await reply.read() is not None:
            pass

    with pytest.raises(Exception, match="cut"):
        drive(read())

    assert policy.limit == 9


def test_streams_make_it_grow_and_other_calls_do_not():
    """Quick first chunks of streams raise the limit while it is in use; whole answers never beyond the start."""
    grown = []
    for stream in (True, False):
        policy, clock, server = Concurrency(adaptive=True, start=4), FakeClock(), Server(0.2)
        for _ in range(200):
            while policy.in_flight < policy.limit:
                take(policy, server, stream=stream, clock=clock)
            server.end()
        grown.append(policy.limit)

    assert grown[0] > 10
    assert grown[1] == 4


def test_slow_first_chunks_make_it_shrink():
    """When first chunks take ten times as long as they did, the limit goes down to the least."""
    policy, clock, server = Concurrency(adaptive=True, start=20, least=7), FakeClock(), Server(0.2)
    for _ in range(40):
        take(policy, server, stream=True, clock=clock)
        server.end()
    server.seconds = 2.0
    for _ in range(230):
        while policy.in_flight < policy.limit:
            take(policy, server, stream=True, clock=clock)
        server.end()

    assert policy.limit == 7


def test_whole_answers_bring_back_what_refusals_took():
    """Without any streams the limit returns to the start, and not further."""
    policy, clock, server = Concurrency(adaptive=True, start=2, least=1), FakeClock(), Server()
    for _ in range(3):
        clock.advance(10)
        with pytest.raises(Overloaded):
            handle(policy, Inner(Overloaded), clock=clock)
    shrunk = policy.limit

    async def read(reply):
        while await reply.read() is not None:
            pass

    for _ in range(50):
        drive(read(take(policy, server, clock=clock)[1]))

    assert (shrunk, policy.limit) == (1, 2)


@pytest.mark.parametrize(("waited", "shrunk"), [(0.22, False), (30.0, True)])
def test_a_deadline_in_the_line_of_the_server(waited, shrunk):
    """A stream whose deadline falls long after its first chunk was due shows a line; a short deadline shows nothing."""
    policy, clock, server = Concurrency(adaptive=True, start=20), FakeClock(), Server(0.2)
    for _ in range(40):
        take(policy, server, stream=True, clock=clock)
        server.end()
    for _ in range(12):
        take(policy, server, stream=True, clock=clock)
    before = policy.limit

    async def late(call):
        await call.clock.sleep(waited)
        raise DeadlineExceeded("late") from TimedOut("late")

    for _ in range(20):
        with pytest.raises(DeadlineExceeded):
            drive(policy.handle(make_call(stream=True, clock=clock), late))

    assert (policy.limit < before) is shrunk

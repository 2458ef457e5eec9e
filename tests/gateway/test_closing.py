"""Streams that are left early, and gateways that are closed: nothing stays open, and everything is settled once."""

from __future__ import annotations

import gc
import math
import signal
import sys
import threading
import warnings

import pytest

from aigw import AttemptTimeout, Balance, Gateway, Retry, Target, errors
from aigw.testing import Hangup, ScriptedProvider, Slow, Stall
from gateway.counting import Counting


class Setup:
    """A gateway with one upstream that has always the same fault."""

    def __init__(self, face, upstream, fault):
        self.upstream = upstream
        self.counting = Counting()
        self.target = Target(upstream.url, model="m", policies=[self.counting])
        self.gateway = face({"r": self.target})
        upstream.always(fault)

    def check(self, *outcomes):
        """Make sure that all is over: connections, calls in flight, replies, each as it should have ended."""
        self.gateway.wait_until(self.upstream, lambda: self.upstream.connections == 0)

        assert self.target.in_flight == 0
        assert self.counting.counts == [1] * len(outcomes)
        assert self.counting.outcomes == list(outcomes)


@pytest.fixture
def setup(face, upstream):
    """Make a gateway whose upstream stalls."""
    return Setup(face, upstream, Stall(2))


@pytest.mark.parametrize("words", [0, 1, 2])
def test_a_stream_that_is_closed_early(setup, words):
    """The connection is closed at once, wherever the reader stands; closing again and reading on do nothing."""
    reading = setup.gateway.stream()
    with reading:
        reading.take(words)
        assert setup.target.in_flight == 1
    setup.check("abandoned")
    reading.close()

    assert reading.next() is None
    assert [attempt.outcome for attempt in reading.trace.attempts] == ["abandoned"]
    assert reading.trace.duration is not None
    assert len(setup.upstream.requests) == 1


def test_a_stream_that_is_closed_before_it_is_opened(setup):
    """Nothing is sent, and it cannot be opened any more."""
    reading = setup.gateway.stream()
    reading.close()
    with pytest.raises(RuntimeError, match="closed"), reading:
        pass

    assert setup.upstream.accepted == 0
    assert setup.counting.replies == []


def test_an_exception_in_the_middle_of_a_stream(setup):
    """Leaving the block with an exception closes the connection, and the exception goes on."""
    reading = setup.gateway.stream()

    def read_a_little():
        with reading:
            reading.take(1)
            raise LookupError("of the application")

    with pytest.raises(LookupError, match="of the application"):
        read_a_little()

    setup.check("abandoned")


@pytest.mark.parametrize("words", [0, 2])
def test_a_stream_that_is_dropped(setup, words):
    """A stream that nobody closes is settled when it is forgotten, and its connection is closed."""
    reading = setup.gateway.stream()
    reading.take(words)
    reading.drop()

    setup.check(*(["abandoned"] if words else []))


def test_a_stream_that_is_dropped_while_its_loop_stands_still(setup):
    """A loop that runs again later closes the connection then."""
    reading = setup.gateway.stream()
    reading.take(1)
    reading.stream = None
    gc.collect()

    setup.check("abandoned")


def test_a_dropped_stream_in_a_cycle(setup):
    """The garbage collector is as good as the last reference."""
    reading = setup.gateway.stream()
    reading.take(1)
    reading.stream.itself = reading.stream
    reading.drop()

    setup.check("abandoned")


def test_a_stream_that_failed_is_over(setup):
    """After an error there is nothing more to read, and nothing is sent again."""
    setup.upstream.always(None)
    setup.upstream.next(Hangup())
    reading = setup.gateway.stream()
    with pytest.raises(errors.Unreachable):
        reading.next()
    rest = reading.rest()

    assert rest == []
    assert len(setup.upstream.requests) == 1


def test_the_trace_of_a_stream_that_could_not_be_opened(setup):
    """It tells what happened, as the error's does."""
    setup.upstream.always(Hangup())
    reading = setup.gateway.stream()
    with pytest.raises(errors.Unreachable) as caught:
        reading.next()

    assert [attempt.outcome for attempt in caught.value.trace.attempts] == ["Unreachable"]
    assert reading.trace == caught.value.trace


def test_closing_the_gateway_twice_and_using_it_again(face, upstream):
    """A closed gateway has no connections; it opens new ones when it is called again."""
    gateway = face({"r": Target(upstream.url, model="m")})
    gateway.close()
    texts = []
    for _ in range(2):
        texts += [gateway.chat().text, gateway.read()]
        gateway.close()
        gateway.close()
        gateway.wait_until(upstream, lambda: upstream.connections == 0)

    assert texts == [upstream.answer] * 4
    assert upstream.accepted == 2


def test_closing_the_gateway_under_an_open_stream(face, upstream):
    """The stream can still be read to its end; its connection is closed then."""
    upstream.next(Stall(1, 0.1))
    gateway = face({"r": Target(upstream.url, model="m")})
    reading = gateway.stream()
    reading.take(1)
    gateway.close()
    reading.rest()
    gateway.wait_until(upstream, lambda: upstream.connections == 0)

    assert reading.text == upstream.answer


def test_limits_hold_when_the_gateway_is_closed(face, upstream):
    """A stream that stands still is stopped, although its gateway was closed meanwhile."""
    upstream.next(Stall(1, 1.0))
    gateway = face({"r": Target(upstream.url, model="m")}, [AttemptTimeout(between_chunks=0.1)])
    reading = gateway.stream()
    reading.take(1)
    gateway.close()
    with pytest.raises(errors.StreamInterrupted):
        reading.rest()


def test_a_gateway_that_is_dropped(upstream):
    """One that nobody closes takes its threads and connections with it, though Python warns of the latter."""
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(3):
            Gateway({"r": Target(upstream.url, model="m")}).chat("hello")
        gc.collect()
        upstream.wait_until(lambda: upstream.connections == 0, timeout=1)
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(1)

    assert [thread for thread in started if thread.is_alive()] == []


def test_connections_are_used_again_only_after_whole_answers(face, upstream):
    """One connection serves call after call, streamed or not; one that was left in the middle is never used again."""
    gateway = face({"r": Target(upstream.url, model="m")}, [AttemptTimeout(30)])
    for _ in range(3):
        gateway.chat()
        gateway.read()
        gateway.embed("text")
    kept = upstream.accepted
    with gateway.stream() as reading:
        reading.take(1)
    text = gateway.chat().text

    assert (kept, upstream.accepted) == (1, 2)
    assert text == upstream.answer


@pytest.fixture
def _interruptible():
    """Take interrupts as a program in the foreground does: one that was begun in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of threads are POSIX")
@pytest.mark.parametrize("fault", [Slow(math.inf), Stall(1)], ids=["head", "body"])
@pytest.mark.parametrize("call", ["chat", "read"])
def test_an_interrupt_from_the_keyboard(face, upstream, fault, call):
    """Ctrl-C in the middle of a call closes its connection and settles it; the gateway can go on."""
    setup = Setup(face, upstream, fault)
    main = threading.main_thread().ident

    def interrupt():
        upstream.wait_until(lambda: upstream.requests)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        getattr(setup.gateway, call)()
    thread.join()
    setup.gateway.wait_until(upstream, lambda: upstream.connections == 0)
    upstream.always(None)

    assert setup.target.in_flight == 0
    assert set(setup.counting.counts) <= {1}
    assert setup.gateway.chat().text == upstream.answer


def test_a_failure_at_one_target_frees_it_before_the_next_is_tried(face, upstream, second):
    """Between two tries nothing of the first one is left open."""
    first = Target(upstream.url, model="m", name="first")
    seen = []

    class Look:
        async def handle(self, call, inner):
            seen.append(first.in_flight)
            return await inner(call)

    upstream.always(Stall(0))
    pool = Balance(first, Target(second.url, model="m", name="second", policies=[Look()]), by="round_robin")
    gateway = face({"r": pool}, [Retry(), AttemptTimeout(first_chunk=0.2)])
    text = gateway.read()
    gateway.wait_until(upstream, lambda: upstream.connections == 0)

    assert text == second.answer
    assert seen == [0]


class FailsWithAReply:
    """Refuses when it has got an answer."""

    async def handle(self, call, inner):
        """Throw the reply away."""
        await inner(call)
        raise errors.AnswerBlocked("no")


class AsksTwice:
    """Takes the second answer."""

    async def handle(self, call, inner):
        """Throw the first reply away."""
        await inner(call)
        return await inner(call)


@pytest.mark.parametrize("call", ["chat", "read"])
def test_a_policy_that_fails_with_a_reply_in_its_hand(face, call):
    """The reply is settled, and its attempt is in the trace, although nobody can read it any more."""
    provider, counting = ScriptedProvider.repeat(["hello ", "world"]), Counting()
    target = Target(provider, policies=[counting])
    gateway = face({"r": target}, [FailsWithAReply()])
    with pytest.raises(errors.AnswerBlocked) as caught:
        getattr(gateway, call)()

    assert (provider.open, target.in_flight, counting.counts) == (0, 0, [1])
    assert [attempt.outcome for attempt in caught.value.trace.attempts] == ["abandoned"]


@pytest.mark.parametrize("call", ["chat", "read"])
def test_a_policy_that_forgets_a_reply(face, call):
    """When the call is over, what a policy has thrown away is settled too."""
    provider, counting = ScriptedProvider.repeat(["hello ", "world"]), Counting()
    target = Target(provider, policies=[counting])
    gateway = face({"r": target}, [AsksTwice()])
    getattr(gateway, call)()
    gateway.run(lambda: None)  # the loop closes it in its next turn

    assert (provider.open, target.in_flight, counting.counts) == (0, 0, [1, 1])


def test_a_callback_that_fails(face):
    """A mistake in one `when_done` is raised, and keeps no other from running, nor a connection open."""

    class Mistaken:
        async def handle(self, call, inner):
            reply = await inner(call)

            def fail(end):
                raise LookupError("a mistake in a program")

            reply.when_done(fail)
            return reply

    provider, inner, outer = ScriptedProvider.repeat(["hello ", "world"]), Counting(), Counting()
    target = Target(provider)
    gateway = face({"r": target}, [outer, Mistaken(), inner])
    with pytest.raises(LookupError, match="a mistake"):
        gateway.chat()
    reading = gateway.stream()
    reading.take(1)
    with pytest.raises(LookupError, match="a mistake"):
        reading.close()

    assert (inner.outcomes, outer.outcomes) == (["ok", "abandoned"], ["ok", "abandoned"])
    assert (provider.open, target.in_flight) == (0, 0)

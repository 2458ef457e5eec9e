"""`Retry`: what is tried again, how long it waits for that, and what it writes down."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw import errors
from aigw.chunk import Chunk, ToolCallDelta
from aigw.errors import (
    AigwError,
    AllTargetsFailed,
    AnswerBlocked,
    CircuitOpen,
    ConfigError,
    NotFound,
    Overloaded,
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
    Refused,
    ServerError,
    StreamInterrupted,
    TimedOut,
)
from aigw.policies import Retry
from aigw.runtime import drive
from aigw.testing import FakeClock, HeldClock, make_call
from aigw.trace import Decision
from policies.inner import Inner, handle, of_target, others_left
from testing.faces import both_faces, read_all, run

PROVIDER_ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ProviderError)]
REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refused)]


@both_faces
def test_a_failure_that_may_go_away_is_tried_again(blocking):
    """On both faces the call is made again after a wait, as the next attempt, and its answer is the answer."""
    clock = FakeClock()
    inner = Inner(Overloaded, ServerError, "hello")

    async def main():
        reply = await Retry().handle(make_call(clock=clock, blocking=blocking), inner)
        return await read_all(reply)

    (chunk,) = run(blocking, main)

    assert chunk.text == "hello"
    assert [call.attempt for call in inner.calls] == [1, 2, 3]
    assert len(clock.sleeps) == 2
    assert inner.open == 0


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_there_are_so_many_attempts(attempts, clock):
    """`attempts` counts the first one; the last failure is raised as it is."""
    inner = Inner.repeat(Overloaded("busy", code="last"))
    with pytest.raises(Overloaded, match="last"):
        handle(Retry(attempts), inner, clock=clock)

    assert len(inner.calls) == attempts
    assert len(clock.sleeps) == attempts - 1


@pytest.mark.parametrize("kind", PROVIDER_ERRORS)
@pytest.mark.parametrize("alternatives", [0, 1])
def test_which_failures_of_a_provider_are_tried_again(kind, alternatives, clock):
    """Those that may go away; those of one target while another is left; never what is wrong everywhere."""
    inner = Inner(others_left(kind("x"), alternatives), "hello")
    again = kind.retryable or (kind.target_fault and alternatives > 0)
    if again:
        handle(Retry(), inner, clock=clock)
    else:
        with pytest.raises(kind):
            handle(Retry(), inner, clock=clock)

    assert len(inner.calls) == (2 if again else 1)
    assert len(clock.sleeps) == (1 if again and not alternatives else 0)


@pytest.mark.parametrize("kind", [*REFUSALS, AnswerBlocked, StreamInterrupted, ConfigError, AigwError, KeyError])
def test_what_is_never_tried_again(kind, clock):
    """Refusals of our own policies, blocked answers, cut streams, mistakes: raised at once, without a note."""
    inner = Inner(kind("no"))
    call = make_call(clock=clock)
    with pytest.raises(kind):
        drive(Retry().handle(call, inner))

    assert len(inner.calls) == 1
    assert call.trace.events == []


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_one_target_is_tried_at_another(kind, clock):
    """What the own policies of a target refuse is no word of the others: while one is left it is asked, at once."""
    inner = Inner(others_left(of_target(kind("no"), "a")), "hello")
    handle(Retry(), inner, clock=clock)

    assert [call.avoid for call in inner.calls] == [frozenset(), {"a"}]
    assert clock.sleeps == []


def test_a_spent_quota_is_not_worth_waiting_for():
    """Another target may have quota left; where there is none, the error comes at once."""
    inner = Inner(others_left(QuotaExhausted("x")), QuotaExhausted("y"))
    with pytest.raises(QuotaExhausted, match="y"):
        handle(Retry(9), inner)

    assert len(inner.calls) == 2


@pytest.mark.parametrize(
    ("failures", "tries"),
    [([Overloaded("x"), NotFound("x")], 2), ([NotFound("x"), CircuitOpen("x")], 1), ([NotFound("x")], 1)],
)
def test_a_fallback_that_failed_is_tried_again_if_one_of_its_targets_may_recover(failures, tries):
    """All targets failed: it is worth another try if one of the failures may go away."""
    inner = Inner(AllTargetsFailed("all", failures), "hello")
    with suppress(AllTargetsFailed):
        handle(Retry(), inner)

    assert len(inner.calls) == tries


def test_another_target_is_tried_at_once(clock):
    """While another target of the pool is left there is no wait, whatever the failed one asked for."""
    inner = Inner(others_left(of_target(ProviderRateLimited("x", retry_after=60), "a")), "hello")
    call = make_call(clock=clock)
    drive(Retry().handle(call, inner))

    assert clock.sleeps == []
    assert inner.calls[1].avoid == {"a"}
    assert call.trace.decisions == (
        Decision(0.0, "Retry", "retry", "ProviderRateLimited, another target is left", 0.0),
    )


def test_targets_that_failed_are_avoided():
    """Each next attempt avoids all targets that have failed in this call, those of a fallback too."""
    group = AllTargetsFailed("all", [of_target(Overloaded("x"), "b"), of_target(Overloaded("x"), "c")])
    inner = Inner(of_target(Overloaded("x"), "a"), group, CircuitOpen("no"))
    with pytest.raises(CircuitOpen):
        handle(Retry(9), inner, avoid=frozenset({"z"}))

    assert [call.avoid for call in inner.calls] == [{"z"}, {"z", "a"}, {"z", "a", "b", "c"}]


@settings(max_examples=50)
@given(st.integers(0, 2**32))
def test_the_waits_are_full_jitter(seed):
    """Where nothing else is asked for the waits lie between nothing and 0.5, 1, 2, 4, 8, 8 seconds."""
    clock = FakeClock()
    inner = Inner.repeat(Overloaded)
    with pytest.raises(Overloaded):
        handle(Retry(7), inner, clock=clock, rng=random.Random(seed))

    assert len(clock.sleeps) == 6
    assert all(wait <= bound for wait, bound in zip(clock.sleeps, (0.5, 1, 2, 4, 8, 8), strict=True))


@settings(max_examples=50)
@given(st.floats(0.5, 20), st.integers(0, 2**32))
def test_what_the_provider_asks_for_is_obeyed(asked, seed):
    """``Retry-After`` is waited for, and at most a tenth more."""
    clock = FakeClock()
    handle(Retry(), Inner(Overloaded("x", retry_after=asked), "hello"), clock=clock, rng=random.Random(seed))
    (wait,) = clock.sleeps

    assert asked <= wait <= asked * 1.1


def test_a_provider_that_asks_for_no_wait_gets_the_usual_one():
    """``Retry-After: 0`` does not make the clients of a busy provider return all at once."""
    clock = FakeClock()
    handle(Retry(), Inner(Overloaded("x", retry_after=0), "hello"), clock=clock)

    assert 0 < clock.sleeps[0] <= 0.5


def test_the_shortest_wait_of_a_fallback_counts(clock):
    """After all targets failed it waits for the one that asked for the least."""
    failures = [Overloaded("x", retry_after=9), Overloaded("x", retry_after=2)]
    handle(Retry(), Inner(AllTargetsFailed("all", failures), "hello"), clock=clock)

    assert 2 <= clock.sleeps[0] <= 2.2


@pytest.mark.parametrize(("most", "asked", "tries"), [(20.0, 20, 2), (20.0, 20.5, 1), (1, 5, 1), (60, 45, 2)])
def test_a_provider_that_asks_for_too_much(most, asked, tries, clock):
    """If it wants a longer wait than `max_retry_after`, its error is raised at once and tells what it wants."""
    inner = Inner(Overloaded("x", retry_after=asked), "hello")
    call = make_call(clock=clock)
    if tries == 1:
        with pytest.raises(Overloaded) as caught:
            drive(Retry(max_retry_after=most).handle(call, inner))
        assert caught.value.retry_after == asked
        assert call.trace.decisions[0].action == "gave up"
        assert f"the provider wants {asked:g} s" in call.trace.decisions[0].reason
    else:
        drive(Retry(max_retry_after=most).handle(call, inner))

    assert len(inner.calls) == tries
    assert len(clock.sleeps) == tries - 1


def test_no_attempt_begins_after_the_deadline(clock):
    """If the wait would reach the deadline, the failure is raised now, not later; nothing is waited for in vain."""
    inner = Inner.repeat(Overloaded("x", retry_after=3))
    call = make_call(clock=clock, deadline=8.0)
    with pytest.raises(Overloaded):
        drive(Retry(9).handle(call, inner))

    assert len(inner.calls) == 3
    assert clock.now() < 8
    assert call.trace.decisions[-1].reason == "Overloaded: the deadline comes before the next attempt"


def test_a_deadline_that_is_over_stops_also_the_next_target(clock):
    """Another target that could be tried at once is not tried when there is no time left."""
    inner = Inner([10.0, others_left(TimedOut("x"))], "hello")
    with pytest.raises(TimedOut):
        handle(Retry(), inner, clock=clock, deadline=10.0)

    assert len(inner.calls) == 1


@settings(max_examples=60)
@given(
    st.lists(st.floats(0, 5) | st.none(), min_size=1, max_size=8),
    st.floats(0.1, 30),
    st.integers(1, 8),
    st.integers(0, 99),
)
def test_the_waits_fit_into_the_deadline(asked, deadline, attempts, seed):
    """Whatever providers ask for, all waits together end before the deadline."""
    clock = FakeClock()
    inner = Inner(*[Overloaded("x", retry_after=wait) for wait in asked], "hello")
    with suppress(Overloaded):
        handle(Retry(attempts), inner, clock=clock, deadline=deadline, rng=random.Random(seed))

    assert clock.now() < deadline
    assert len(inner.calls) <= attempts


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_that_fails_before_its_first_output_is_tried_again(stream):
    """A stream is read ahead to its first output: what fails before that is an ordinary failure."""
    inner = Inner([Chunk(id="x"), ServerError], ["hello"])
    chunks = drive(read_all(handle(Retry(), inner, stream=stream)))

    assert "".join(chunk.text for chunk in chunks) == "hello"
    assert inner.open == 0


@pytest.mark.parametrize(
    "output", ["text", Chunk(reasoning="hm"), Chunk(tool_calls=(ToolCallDelta(0, "c", "f"),)), Chunk(refusal="no")]
)
def test_a_stream_is_never_tried_again_after_its_first_output(output):
    """After output of any kind the caller hears of the failure, and there is no second attempt."""
    inner = Inner([output, ServerError], "never")
    reply = handle(Retry(), inner, stream=True)
    with pytest.raises(StreamInterrupted):
        drive(read_all(reply))

    assert len(inner.calls) == 1
    assert inner.open == 0


def test_the_trace_tells_each_decision(clock):
    """Every retry is written down with its reason and its wait, and so is why there is no next one."""
    failed = Overloaded("x", retry_after=2)
    call = make_call(clock=clock)
    with pytest.raises(ServerError):
        drive(Retry(3).handle(call, Inner(failed, TimedOut, ServerError)))
    first, second, third = call.trace.decisions

    assert (first.at, first.by, first.action) == (0.0, "Retry", "retry")
    assert first.reason == "Overloaded, the provider asks for 2 s"
    assert (second.reason, second.at) == ("TimedOut", first.wait)
    assert [first.wait, second.wait] == clock.sleeps
    assert (third.action, third.wait) == ("gave up", None)
    assert third.reason == "ServerError in attempt 3, which was the last"


def test_cancelling_a_call_that_waits():
    """A task that is cancelled while it waits for its next attempt ends there: no attempt, and nobody sleeps on."""

    async def main():
        clock = HeldClock()
        inner = Inner(Overloaded, "never")
        call = make_call(clock=clock, blocking=False)
        task = asyncio.create_task(Retry().handle(call, inner))
        await clock.waiting()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), len(inner.calls), inner.open, clock.sleepers

    assert asyncio.run(main()) == (True, 1, 0, 0)


def test_cancelling_a_call_that_reads_ahead():
    """A task that is cancelled while a stream is read ahead settles that stream, and there is no next attempt."""

    async def main():
        clock = HeldClock()
        inner = Inner([30.0, "late"], "never")
        ends = []

        async def listening(call):
            reply = await inner(call)
            reply.when_done(lambda end: ends.append(end.outcome))
            return reply

        task = asyncio.create_task(Retry().handle(make_call(clock=clock, blocking=False, stream=True), listening))
        await clock.waiting()
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled(), len(inner.calls), inner.open, ends

    assert asyncio.run(main()) == (True, 1, 0, ["CancelledError"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"attempts": 0}, "Retry(attempts) must be a whole number of at least 1, not 0"),
        ({"attempts": 1.5}, "Retry(attempts) must be a whole number of at least 1, not 1.5"),
        ({"max_retry_after": 0}, "Retry(max_retry_after) must be a positive number of seconds, not 0"),
        ({"budget": -1}, "Retry(budget) must be a number that is not negative, not -1"),
        ({"budget": "few"}, "Retry(budget) must be a number that is not negative, not 'few'"),
    ],
)
def test_wrong_arguments(arguments, message):
    """A number that makes no sense is told when the policy is made."""
    with pytest.raises(ConfigError) as caught:
        Retry(**arguments)

    assert str(caught.value) == message

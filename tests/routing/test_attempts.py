"""What a target does with each call: it counts it, writes it down, and signs its failure."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from aigw.chunk import Chunk, Usage
from aigw.errors import BadRequest, ConfigError, Overloaded, RateLimited, ServerError, StreamInterrupted
from aigw.policies import AttemptTimeout
from aigw.routing import Target
from aigw.runtime import drive
from aigw.testing import FakeClock, HeldClock, ScriptedProvider, make_call
from aigw.trace import Attempt
from testing.faces import both_faces, read_all, run


def target_of(*script, **arguments):
    """Make a target with a script."""
    return Target(ScriptedProvider(*script), model="m", **arguments)


class Watch:
    """A policy that looks how many calls a target has in flight while it serves one."""

    def __init__(self):
        self.seen = []
        self.target = None

    async def handle(self, call, inner):
        reply = await inner(call)
        self.seen.append(self.target.in_flight)
        reply.when_done(lambda _: self.seen.append(self.target.in_flight))
        return reply


@both_faces
def test_an_attempt_that_succeeds(blocking):
    """It is written down at the end of the answer, with its times and what the provider counted."""
    clock = FakeClock(start=10)
    target = target_of([0.5, Chunk(id="x"), 0.25, "hello ", 1.0, "you"])

    async def main():
        call = make_call(clock=clock, blocking=blocking, stream=True, started=9.0)
        reply = await target(call)
        before = len(call.trace.events), target.in_flight
        await read_all(reply)
        return call.trace.attempts, before

    attempts, before = run(blocking, main)

    assert before == (0, 1)
    assert attempts == (Attempt(1.0, "scripted/m", "scripted", "m", "ok", 1.75, 0.75, Usage(1, 2)),)
    assert target.in_flight == 0


def test_a_call_that_is_not_streamed_is_done_when_it_returns():
    """Its whole answer has been read by then, so every failure of it is an ordinary one."""
    target = target_of(["so ", "far", Overloaded("x", status=503)], "hello")
    call = make_call()
    with pytest.raises(Overloaded):
        drive(target(call))
    first = target.in_flight
    reply = drive(target(call))

    assert (first, target.in_flight) == (0, 1)
    assert [chunk.text for chunk in drive(read_all(reply))] == ["hello"]
    assert [attempt.outcome for attempt in call.trace.attempts] == ["Overloaded", "ok"]
    assert target.in_flight == 0


def test_an_attempt_that_fails():
    """The failure is written down with its status and what it says, and names the target."""
    clock = FakeClock()
    target = target_of(Overloaded("busy", status=503, detail="secret"), region="eu")
    call = make_call(clock=clock)
    with pytest.raises(Overloaded) as caught:
        drive(target(call))

    reason = "scripted/m: busy (status 503)"
    assert call.trace.attempts == (
        Attempt(0.0, "scripted/m@eu", "scripted", "m", "Overloaded", 0.0, status=503, reason=reason, cost=Decimal(0)),
    )
    assert caught.value.target == "scripted/m@eu"
    assert target.in_flight == 0


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (BadRequest("x"), "BadRequest", "scripted/m: x"),
        (RateLimited("slow down"), "RateLimited", "slow down"),
        (ConfigError("no key"), "ConfigError", "no key"),
        (KeyError("bug"), "KeyError", "'bug'"),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_every_failure_is_written_down(error, outcome, reason, late):
    """Whatever is raised, by the provider or while its answer is read, ends the attempt."""
    target = target_of([error] if late else error)
    call = make_call(stream=True)
    with pytest.raises(type(error)):
        drive(target(call))
    (attempt,) = call.trace.attempts

    assert (attempt.outcome, attempt.reason, attempt.time_to_first_chunk) == (outcome, reason, None)
    assert target.in_flight == 0


def test_a_stream_that_is_cut():
    """It is written down when it breaks, with the time of its first output; what was told so far may not be all."""
    clock = FakeClock()
    target = target_of([0.5, Chunk("so far", usage=Usage(3, 2)), 1.0, Overloaded("x")])
    call = make_call(clock=clock, stream=True)
    reply = drive(target(call))
    with pytest.raises(StreamInterrupted):
        drive(read_all(reply))
    (attempt,) = call.trace.attempts

    assert (attempt.outcome, attempt.duration, attempt.time_to_first_chunk) == ("StreamInterrupted", 1.5, 0.5)
    assert attempt.usage == Usage(3, 2, estimated=True)
    assert attempt.cost is None
    assert target.in_flight == 0


def test_a_stream_that_is_abandoned():
    """A stream that is closed early is written down as that, and the target is free again."""
    target = target_of(["one ", "two"])
    call = make_call(stream=True)
    reply = drive(target(call))
    drive(reply.read())
    drive(reply.close())

    assert [attempt.outcome for attempt in call.trace.attempts] == ["abandoned"]
    assert (target.in_flight, target.provider.open) == (0, 0)


@pytest.mark.parametrize("script", [5.0, [5.0, "late"]], ids=["before the reply", "while it is read ahead"])
def test_an_attempt_that_is_cancelled(script):
    """A task that is cancelled while the target works on its call frees the target, and the trace says so."""
    provider = ScriptedProvider("late", latency=5.0) if script == 5.0 else ScriptedProvider(script)
    target = Target(provider, model="m")

    async def main():
        clock = HeldClock()
        call = make_call(clock=clock, blocking=False)
        task = asyncio.create_task(target(call))
        await clock.waiting()
        busy = target.in_flight
        task.cancel()
        await asyncio.wait([task])
        return busy, task.cancelled(), [(attempt.outcome, attempt.reason) for attempt in call.trace.attempts]

    assert asyncio.run(main()) == (1, True, [("cancelled", "")])
    assert (target.in_flight, provider.open) == (0, 0)


def test_calls_in_flight_are_counted_one_by_one():
    """Each reply counts until its end, whichever ends first."""
    target = target_of(["a", "b"], ["a", "b"], ["a", "b"])
    replies = [drive(target(make_call(stream=True))) for _ in range(3)]
    counts = [target.in_flight]
    drive(read_all(replies[1]))
    counts.append(target.in_flight)
    drive(replies[0].close())
    counts.append(target.in_flight)
    drive(replies[0].close())
    drive(replies[2].close())
    counts.append(target.in_flight)

    assert counts == [3, 2, 1, 0]


def test_policies_of_a_target_stand_around_its_attempts():
    """They see the target's own calls only, in their order, and may change them."""
    watch = Watch()
    watch.target = target = target_of(["hello"], policies=[AttemptTimeout(total=7), watch])
    reply = drive(target(make_call(stream=True)))
    drive(read_all(reply))

    assert target.provider.calls[0].timeouts.total == 7
    assert watch.seen == [1, 0]


def test_replies_are_noted_for_who_must_close_them():
    """A gateway keeps a list in its call: every reply of every target is in it, whoever loses it on the way."""
    opened = []
    target = target_of(["a"], ServerError, ["b"])
    call = make_call(stream=True, opened=opened)
    first = drive(target(call))
    with pytest.raises(ServerError):
        drive(target(call))
    second = drive(target(call.evolve(attempt=2)))

    assert opened == [first, second]


def test_a_call_without_a_trace():
    """Nothing needs a trace: without one nothing is written, and everything else is the same."""
    target = target_of("hello", Overloaded)
    drive(read_all(drive(target(make_call(trace=None)))))
    with pytest.raises(Overloaded) as caught:
        drive(target(make_call(trace=None)))

    assert caught.value.target == "scripted/m"
    assert target.in_flight == 0

"""Policies that users write, in whole gateways: what they may do, and what happens when they do something else."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from aigw import (
    AccessDenied,
    AsyncGateway,
    AttemptTimeout,
    Balance,
    ConfigError,
    Deadline,
    Fallback,
    Gateway,
    Reply,
    Retry,
    SuspendedError,
    Target,
    errors,
)
from aigw.chunk import Chunk
from aigw.testing import FakeClock, HeldClock, ScriptedProvider
from gateway.counting import Counting


class Slow:
    """The policy of the documentation."""

    outside: ClassVar = {"Retry": "the pause is meant once for each call, not for each attempt"}

    def __init__(self):
        self.outcomes = []

    async def handle(self, call, inner):
        """Wait, go on, listen to the end."""
        await call.clock.sleep(1)
        reply = await inner(call)
        reply.when_done(lambda end: self.outcomes.append(end.outcome))
        return reply


class Upper:
    """Rewrites every chunk."""

    async def handle(self, call, inner):
        """Tap the reply."""
        reply = await inner(call)
        reply.tap(lambda chunk: Chunk(chunk.text.upper(), finish_reason=chunk.finish_reason, usage=chunk.usage))
        return reply


class Cached:
    """Answers by itself, without going on."""

    async def handle(self, call, inner):
        """Replay what is known."""
        call.note("Cached", "hit")
        return Reply.replay([Chunk("from "), Chunk("the cache", finish_reason="stop")])


class Sorry:
    """Answers in place of an error."""

    async def handle(self, call, inner):
        """Try."""
        try:
            reply = await inner(call)
            await reply.prime()
        except errors.AigwError:
            return Reply.replay([Chunk("sorry", finish_reason="stop")])
        return reply


class Brief:
    """Changes the call."""

    async def handle(self, call, inner):
        """Pass a changed copy on."""
        return await inner(call.evolve(max_tokens=5, messages=(*call.messages, *call.messages)))


class Refusing:
    """Lets nobody in."""

    async def handle(self, call, inner):
        """Refuse."""
        raise AccessDenied("not you", policy="Refusing")


def test_the_policy_of_the_documentation(face):
    """It sleeps on the clock of the call, sees the end, and stands where it said it must."""
    slow, clock = Slow(), FakeClock()
    gateway = face({"r": Target(ScriptedProvider(errors.ServerError, "hello", "again"))}, [slow, Retry()], clock=clock)
    gateway.chat()
    with gateway.stream() as reading:
        reading.take(1)

    assert clock.sleeps[0] == clock.sleeps[2] == 1
    assert slow.outcomes == ["ok", "abandoned"]
    with pytest.raises(ConfigError, match="Slow must stand outside Retry: the pause is meant once for each call"):
        face({"r": Target(ScriptedProvider())}, [Retry(), slow])


@pytest.mark.parametrize("place", ["gateway", "node", "target"])
def test_a_policy_may_stand_anywhere(face, place):
    """Around all routes, a node or a target: it does the same, in both kinds of call."""
    levels = {name: [Upper()] if name == place else [] for name in ("gateway", "node", "target")}
    target = Target(ScriptedProvider("hello", ["hel", "lo"]), policies=levels["target"])
    gateway = face({"r": Fallback(target, policies=levels["node"])}, levels["gateway"])

    assert gateway.chat().text == "HELLO"
    assert gateway.read() == "HELLO"


def test_policies_see_chunks_from_the_inside_out(face):
    """The innermost tap is the first to see a chunk, and the outermost has the last word."""

    class Mark:
        def __init__(self, mark):
            self.mark = mark

        async def handle(self, call, inner):
            reply = await inner(call)
            reply.tap(lambda chunk: Chunk(chunk.text + self.mark) if chunk.text else chunk)
            return reply

    target = Target(ScriptedProvider.repeat(["x"]), policies=[Mark("1")])
    gateway = face({"r": Fallback(target, policies=[Mark("2")])}, [Mark("4"), Mark("3")])

    assert gateway.read() == "x1234"
    assert gateway.chat().text == "x1234"


def test_an_answer_without_a_provider(face):
    """A policy may answer by itself: nothing is sent, and the trace tells who did it."""
    provider, counting = ScriptedProvider(), Counting()
    gateway = face({"r": Target(provider)}, [counting, Cached()])
    answer = gateway.chat()

    assert (answer.text, answer.finish_reason) == ("from the cache", "stop")
    assert gateway.read() == "from the cache"
    assert [(decision.by, decision.action) for decision in answer.trace.decisions] == [("Cached", "hit")]
    assert (provider.calls, counting.outcomes) == ([], ["ok", "ok"])


def test_an_answer_in_place_of_an_error(face):
    """What fails before the first output may still become an answer; what fails after it may not."""
    script = [errors.BadRequest, ["so far", errors.BadResponse], errors.ServerError, ["so far", errors.BadResponse]]
    gateway = face({"r": Target(ScriptedProvider(*script))}, [Sorry()])

    assert gateway.chat().text == "sorry"
    assert gateway.chat().text == "sorry"
    assert gateway.read() == "sorry"
    with pytest.raises(errors.StreamInterrupted):
        gateway.read()


@pytest.mark.parametrize("call", ["chat", "read"])
def test_a_target_s_own_policy_that_finds_the_answer_bad(face, call):
    """What it raises before the first output has come out is the target's failure: the next one is tried."""

    class Check:
        async def handle(self, call, inner):
            reply = await inner(call)

            def see(chunk):
                if "bad" in chunk.text:
                    raise errors.BadResponse("not this")
                return chunk

            reply.tap(see)
            return reply

    provider, counting = ScriptedProvider.repeat(["bad ", "words"], name="a"), Counting()
    first = Target(provider, policies=[Check(), counting])
    gateway = face({"r": Fallback(first, Target(ScriptedProvider.repeat("good", name="b")))})
    found = getattr(gateway, call)()

    assert (found if call == "read" else found.text) == "good"
    assert (first.in_flight, provider.open, counting.outcomes) == (0, 0, ["BadResponse"])


def test_a_changed_call(face):
    """What stands inside sees the change; the caller's own call stays as it was."""
    provider = ScriptedProvider("hello")
    gateway = face({"r": Target(provider)}, [Brief()])
    gateway.chat("hello", max_tokens=100)

    assert provider.calls[0].max_tokens == 5
    assert [message.text for message in provider.calls[0].messages] == ["hello", "hello"]


def test_a_refusal(face):
    """At the gateway it ends the call; at a target the fallback goes elsewhere."""
    refused, other = Target(ScriptedProvider(name="a"), policies=[Refusing()]), Target(ScriptedProvider("b", name="b"))
    routes = {"single": refused, "fallback": Fallback(refused, other)}
    with pytest.raises(AccessDenied) as caught:
        face(routes).chat(model="single")

    assert (caught.value.policy, caught.value.status, caught.value.trace.route) == ("Refusing", 403, "single")
    assert face(routes).chat(model="fallback").text == "b"
    with pytest.raises(AccessDenied):
        face(routes, [Refusing()]).chat(model="fallback")
    assert other.provider.calls[1:] == []


def test_a_mistake_in_a_policy(face):
    """It comes out as it is, is neither retried nor taken for a failure of a target, and leaves nothing open."""

    class Mistaken:
        async def handle(self, call, inner):
            reply = await inner(call)
            reply.tap(lambda chunk: chunk.no_such_field)
            return reply

    provider, counting = ScriptedProvider.repeat("hello"), Counting()
    target = Target(provider, policies=[counting])
    gateway = face({"r": Fallback(target, Target(ScriptedProvider(name="b")))}, [Retry(), Mistaken()])
    for call in (gateway.chat, gateway.read):
        with pytest.raises(AttributeError, match="no_such_field"):
            call()

    assert (len(provider.calls), provider.open, target.in_flight) == (2, 0, 0)
    assert counting.counts == [1, 1]


class Sleepy:
    """Waits on an event loop, which it must not."""

    async def handle(self, call, inner):
        """Wait."""
        await asyncio.sleep(0)
        return await inner(call)


class SleepyLater:
    """Waits on an event loop with a reply in its hand."""

    async def handle(self, call, inner):
        """Wait."""
        reply = await inner(call)
        await asyncio.sleep(0.001)
        return reply


@pytest.mark.parametrize("policy", [Sleepy(), SleepyLater()], ids=lambda policy: type(policy).__name__)
def test_a_policy_that_waits_on_an_event_loop(face, policy):
    """The async face allows it; the blocking one names the policy and says what to do, and leaves nothing open."""
    counting, provider = Counting(), ScriptedProvider.repeat(["hello"])
    target = Target(provider, policies=[counting])
    gateway = face({"r": target}, [policy])
    if not gateway.blocking:
        assert gateway.read() == gateway.chat().text == "hello"
        return
    for call in (gateway.chat, gateway.read):
        with pytest.raises(SuspendedError, match=rf"{type(policy).__name__}\.handle.*call\.clock.*gateway\.aio"):
            call()

    assert (target.in_flight, provider.open, set(counting.counts)) == (0, 0, {1} if counting.counts else set())


@pytest.mark.parametrize("policy", [Sleepy(), SleepyLater()], ids=lambda policy: type(policy).__name__)
def test_the_same_inside_a_running_loop(policy):
    """Where a loop runs, the blocking face says it too: it drives the call, not the loop."""
    counting, provider = Counting(), ScriptedProvider.repeat(["hello"])
    target = Target(provider, policies=[counting])
    gateway = Gateway({"r": target}, [policy])

    async def main():
        for call in (gateway.chat, lambda prompt: next(gateway.stream(prompt))):
            with pytest.raises(SuspendedError, match=rf"{type(policy).__name__}\.handle"):
                call("hello")

    asyncio.run(main())

    assert (target.in_flight, provider.open, set(counting.counts)) == (0, 0, {1} if counting.counts else set())


def test_a_policy_that_waits_on_a_flag(face):
    """A flag wakes up whoever waits, on both faces, also from another call."""

    class Gate:
        def __init__(self):
            self.flag = None

        async def handle(self, call, inner):
            flag = call.ports.flag()
            flag.set()
            assert await flag.wait(1)
            assert not await call.ports.flag().wait(0.001)
            return await inner(call)

    assert face({"r": Target(ScriptedProvider("hello"))}, [Gate()]).chat().text == "hello"


def test_the_description_of_a_gateway(face, monkeypatch):
    """It shows all policies where they stand, and every target with its model and place."""
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    tree = Fallback(
        Balance(
            Target("openai/gpt-5.5", region="eu", policies=[AttemptTimeout(5)]),
            Target("openai/gpt-5.5", weight=3),
            name="pool",
            by="round_robin",
        ),
        Target("https://gpu-1:8000/v1", model="llama", name="own"),
        name="both",
        policies=[Counting("node")],
    )
    gateway = face({"smart": tree, "fast": "openai/gpt-5.5-mini"}, [Deadline(60), Retry()])

    assert gateway.gateway.describe().splitlines() == [
        "| Deadline(60)",
        "| Retry(attempts=3)",
        "smart:",
        "  both",
        "    | Counting('node')",
        "    pool, by round_robin",
        "      openai/gpt-5.5@eu: gpt-5.5 at https://api.openai.com/v1",
        "        | AttemptTimeout(total=5.0)",
        "      openai/gpt-5.5: gpt-5.5 at https://api.openai.com/v1, weight 3",
        "    own: llama at https://gpu-1:8000/v1",
        "fast:",
        "  openai/gpt-5.5-mini: gpt-5.5-mini at https://api.openai.com/v1",
    ]
    assert repr(gateway.gateway) in ("Gateway(routes=['smart', 'fast'])", "AsyncGateway(routes=['smart', 'fast'])")


def test_the_explanation_of_a_call(face, monkeypatch):
    """It names the route, the policies and the targets in order, and what stands in the way; nothing is sent."""
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    provider = ScriptedProvider(name="scripted")
    gateway = face({"smart": Fallback("openai/gpt-5.5", Target(provider, model="m"))}, [Deadline(60)])
    monkeypatch.delenv("OPENAI_API_KEY")
    explained = gateway.explain("hello")

    assert (explained.route, explained.policies) == ("smart", ("Deadline(60)",))
    assert [target.name for target in explained.targets] == ["openai/gpt-5.5", "scripted/m"]
    assert [target.where for target in explained.targets] == ["https://api.openai.com/v1", "scripted"]
    assert "OPENAI_API_KEY" in explained.targets[0].problem
    assert explained.targets[1].problem == ""
    assert "OPENAI_API_KEY" in str(explained)
    assert type(explained).from_json(explained.to_json()) == explained
    assert provider.calls == []


def test_sleeping_policies_do_not_hold_up_others():
    """While one call waits on the async face, another goes through."""

    async def main():
        clock = HeldClock()
        slow, fast = Target(ScriptedProvider("slow"), policies=[Slow()]), Target(ScriptedProvider("fast"))
        gateway = AsyncGateway({"slow": slow, "fast": fast}, clock=clock)
        waiting = asyncio.create_task(gateway.chat("hello", model="slow"))
        await clock.waiting()
        first = await gateway.chat("hello", model="fast")
        clock.release()
        return first.text, (await waiting).text

    assert asyncio.run(main()) == ("fast", "slow")

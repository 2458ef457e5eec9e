"""Uses of the public face that mypy --strict and pyright must accept, and misuses that they must find.

Nothing here is run. An ignore that is no longer needed is an error of both.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, assert_type

from tenacity import retry_if_exception_type, stop_after_delay, wait_exponential_jitter

import aigw
from aigw.providers import Local
from aigw.runtime import drive
from aigw.testing import FakeClock, FaultyUpstream, ScriptedProvider, Stall, Status, make_call

if TYPE_CHECKING:
    from aigw.policy import Next
    from aigw.providers.base import Provider


@dataclass
class City:
    """What an answer is read as."""

    name: str


def ask(gateway: aigw.Gateway) -> None:
    """Every way to ask, with every option."""
    answer = gateway.chat("Why is the sky blue?", model="smart")
    assert_type(answer, aigw.Answer)
    assert_type(answer.text, str)
    assert_type(answer.usage, aigw.Usage | None)
    assert_type(answer.cost, Decimal | None)
    assert_type(answer.trace, aigw.CallTrace)
    assert_type(answer.tool_calls, tuple[aigw.ToolCall, ...])
    assert_type(answer.parsed, Any)
    assert_type(answer.trace.attempts, tuple[aigw.Attempt, ...])

    weather = aigw.Tool("weather", "Tells the weather.", {"type": "object", "properties": {}})
    gateway.chat(aigw.Message("user", "hi"))
    gateway.chat({"role": "user", "content": "hi"})
    gateway.chat(
        [{"role": "system", "content": "Be short."}, aigw.Message("user", ["Look:", aigw.Image("https://a/b")])]
    )
    gateway.chat([*answer_to(answer), aigw.Message("tool", aigw.ToolResult("call_1", "rain"))])
    gateway.chat(
        "hi",
        model="smart",
        tools=[weather, {"type": "function", "function": {"name": "other"}}],
        tool_choice="weather",
        parallel_tool_calls=False,
        schema=City,
        temperature=0.5,
        top_p=1,
        max_tokens=100,
        stop=["\n"],
        seed=7,
        n=2,
        reasoning="low",
        principal=aigw.Principal("alice", team="research"),
        priority="batch",
        timeout=timedelta(minutes=1),
        tags={"confidential"},
        metadata={"feature": "search"},
        extra={"service_tier": "flex"},
    )
    gateway.chat("hi", timeout=None, schema={"type": "object"}, stop="END", tags="one", principal="bob")
    gateway.chat("hi", timeout=aigw.UNSET)


def answer_to(answer: aigw.Answer) -> list[aigw.Message]:
    """Go on with a conversation."""
    return [aigw.Message("user", "hi"), answer.message]


def read(gateway: aigw.Gateway) -> str:
    """Read a stream."""
    with gateway.stream("hi", model="smart", max_tokens=5) as stream:
        assert_type(stream, aigw.Stream)
        for chunk in stream:
            assert_type(chunk, aigw.Chunk)
            assert_type(chunk.tool_calls, tuple[aigw.ToolCallDelta, ...])
        assert_type(stream.trace, aigw.CallTrace)
        return stream.answer.text


async def ask_async(gateway: aigw.AsyncGateway) -> None:
    """The same on the other face."""
    async with gateway:
        assert_type(await gateway.chat("hi", temperature=0), aigw.Answer)
        assert_type(await gateway.embed(["a"], dimensions=3), aigw.Embeddings)
        async with gateway.stream("hi") as stream:
            assert_type(stream, aigw.AsyncStream)
            async for chunk in stream:
                assert_type(chunk.text, str)
    await gateway.close()


def embed(gateway: aigw.Gateway) -> None:
    """Embed and explain."""
    vectors = gateway.embed("a", model="openai/text-embedding-3-small").vectors
    assert_type(vectors, tuple[tuple[float, ...], ...])
    assert_type(gateway.explain("hi", model="smart"), aigw.Explanation)
    assert_type(gateway.describe(), str)
    assert_type(gateway.aio, aigw.AsyncGateway)


async def fresh_key() -> str:
    """Fetch a key."""
    return "key"


def build() -> aigw.Gateway:
    """Every way to build a gateway."""
    policies = aigw.standard(timeout=timedelta(seconds=60), attempts=2, first_chunk=None, between_chunks=5)
    assert_type(policies, list[aigw.Policy])
    aigw.AsyncGateway({"smart": "openai/gpt-5.5"}, [aigw.Deadline(30), aigw.Retry(2), aigw.AttemptTimeout(10)])
    tree = aigw.Fallback(
        aigw.Balance(
            aigw.Target("openai/gpt-5.5", region="eu", api_key=fresh_key, tags=["eu"]),
            aigw.Target("https://gpu-1:8000/v1", model="llama-3.3-70b", weight=2, headers={"x-team": "a"}),
            "openai/gpt-5.5-mini",
            by="least_busy",
        ),
        aigw.Target(Local("model.gguf", context=2048, parallel=1), name="local", policies=[aigw.AttemptTimeout(60)]),
        tries=1,
        name="smart",
    )
    return aigw.Gateway({"smart": tree}, policies, clock=FakeClock(), rng=random.Random(7))


def retries() -> list[aigw.Policy]:
    """Tenacity's strategies are taken as they are."""
    return [
        aigw.Retry(
            wait=wait_exponential_jitter(1, 10),
            stop=stop_after_delay(30),
            retry=retry_if_exception_type(aigw.Overloaded),
            max_retry_after=5,
            budget=None,
        ),
        aigw.AttemptTimeout(connect=1, first_chunk=timedelta(seconds=5), between_chunks=None),
    ]


class Shout:
    """A policy of somebody else's; it inherits from nothing."""

    inside: ClassVar = {"Retry": "each attempt is made loud"}

    async def handle(self, call: aigw.Call, inner: Next) -> aigw.Reply:
        """Make every answer loud."""
        reply = await inner(call.evolve(max_tokens=50))
        reply.tap(lambda chunk: chunk.evolve(text=chunk.text.upper()))
        reply.when_done(self.note)
        return reply

    def note(self, end: aigw.End) -> None:
        """Hear of the end."""
        assert_type(end.usage, aigw.Usage | None)


class Echo:
    """A provider of somebody else's."""

    name = "echo"
    where = "here"

    def check(self) -> None:
        """Find nothing wrong."""

    async def send(self, call: aigw.Call, model: str) -> aigw.Reply:
        """Say what was said."""
        return aigw.Reply.replay([aigw.Chunk(call.messages[-1].text, finish_reason="stop", model=model)])


def structural() -> tuple[aigw.Policy, Provider, aigw.Gateway]:
    """Policies and providers are protocols."""
    return Shout(), Echo(), aigw.Gateway({"echo": aigw.Target(Echo())}, [Shout()])


def errors(gateway: aigw.Gateway) -> None:
    """What a caller may look at."""
    try:
        gateway.chat("hi")
    except aigw.StreamInterrupted as error:
        assert_type(error.partial, str)
        assert_type(error.tool_calls, tuple[aigw.ToolCall, ...])
    except aigw.ProviderError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.retryable, bool)
    except aigw.Refused as error:
        assert_type(error.status, int)
    except aigw.AllTargetsFailed as error:
        assert_type(error.targets, frozenset[str])
    except aigw.AigwError as error:
        assert_type(error.trace, aigw.CallTrace | None)


def testing() -> None:
    """What tests of an application use."""
    provider = ScriptedProvider("hello", aigw.Overloaded("busy", retry_after=7), ["a ", 0.5, "b", aigw.BadResponse])
    aigw.Target(ScriptedProvider.repeat(lambda call: call.model), model="m")
    assert_type(provider.calls, list[aigw.Call])
    with FaultyUpstream() as upstream:
        upstream.next(Status(429, retry_after=7), None, Stall(after=2))
        aigw.Target(upstream.url, model="test-model")

    async def inner(call: aigw.Call) -> aigw.Reply:
        return aigw.Reply.replay([aigw.Chunk(call.model)])

    assert_type(drive(aigw.Retry().handle(make_call(), inner)), aigw.Reply)


def values(call: aigw.Call) -> None:
    """Values are copied, never changed, and go to JSON and back."""
    assert_type(call.evolve(max_tokens=5), aigw.Call)
    assert_type(aigw.Chunk("a").evolve(text="b"), aigw.Chunk)
    assert_type(aigw.Call.from_json(call.to_json()), aigw.Call)
    call.max_tokens = 5  # type: ignore[misc]


def misuses(gateway: aigw.Gateway) -> None:
    """What a type checker finds before the program runs."""
    gateway.chat("hi", temprature=0.5)  # type: ignore[call-arg]
    gateway.chat("hi", max_tokens="5")  # type: ignore[arg-type]
    gateway.chat("hi", priority="urgent")  # type: ignore[arg-type]
    gateway.chat(5)  # type: ignore[arg-type]
    gateway.embed("hi", temperature=1)  # type: ignore[call-arg]
    aigw.Balance("openai/gpt-5.5", by="chance")  # type: ignore[arg-type]
    aigw.Gateway(policies=[object()])  # type: ignore[list-item]

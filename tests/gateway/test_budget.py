"""`Budget` in whole gateways, on both faces: calls at the same time never spend more than there is."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from aigw import (
    AsyncGateway,
    Balance,
    Budget,
    BudgetExceeded,
    Degrade,
    Fallback,
    Gateway,
    Overloaded,
    Retry,
    Target,
    TimedOut,
    standard,
)
from aigw.chunk import Chunk, Usage
from aigw.errors import BadResponse, ConfigError, StreamInterrupted
from aigw.metering import PriceTable
from aigw.testing import FakeClock, ScriptedProvider

PRICES = [PriceTable({"cheap": {"input": 1, "output": 1}, "dear": {"input": 10_000, "output": 10_000}})]
TEXT = "Tell me something about the colours of the sky, please, in a few words. " * 3
USAGE = Usage(40, 60)
"""A dollar at the dear model."""


def target(*script, model="dear", usage=USAGE, **options):
    """Make a target; its name is that of the model."""
    return Target(ScriptedProvider(*script, usage=usage), model=model, name=model, **options)


def spent(gateway, policy, scope=""):
    """Tell what is spent of the first limit."""
    runtime = gateway.gateway._engine.runtimes.blocking

    async def ask():
        return await policy.standing(runtime, scope)

    try:
        ask_now = ask()
        ask_now.send(None)
    except StopIteration as stop:
        return stop.value[0].used
    raise AssertionError("the store in memory does not wait")


class Chance:
    """Answers that use any number of tokens up to what is allowed.

    Args:
        seed: of the chance.
    """

    def __init__(self, seed):
        self._rng = random.Random(seed)
        self._lock = threading.Lock()

    def __call__(self, call):
        with self._lock:
            usage = Usage(self._rng.randint(1, 40), self._rng.randint(0, call.max_tokens))
        return [Chunk(text="hi", usage=usage, finish_reason="stop")]


class Yielding:
    """Lets other tasks run in the middle of a call."""

    async def handle(self, call, inner):
        for _ in range(call.ports.rng.randint(0, 5)):
            await asyncio.sleep(0)
        reply = await inner(call)
        await asyncio.sleep(0)
        return reply


def crowded(policies):
    """Return the arguments of a gateway whose calls cost up to a few cents, and their providers."""
    provider = ScriptedProvider.repeat(Chance(1), usage=None)
    prices = [PriceTable({"m": {"input": 100, "output": 100}})]
    return {"routes": {"smart": Target(provider, model="m")}, "policies": policies, "prices": prices}


def check_spent(costs, budget):
    """Compare what was spent with the budget: never more, and nearly all."""
    total = sum(costs, Decimal(0))

    assert len(costs) > 500
    assert budget * Decimal("0.99") <= total <= budget


def test_500_tasks_never_spend_more_than_there_is():
    """Calls that run at the same time reserve the most that they may cost; in the end hardly anything is left."""
    costs = []

    async def one(gateway):
        try:
            answer = await gateway.chat(TEXT, max_tokens=180)
        except BudgetExceeded:
            return False
        costs.append(answer.cost)
        return True

    async def main():
        async with AsyncGateway(**crowded([Budget(usd_per_day=10), Yielding()])) as gateway:
            while any(await asyncio.gather(*[one(gateway) for _ in range(500)])):
                pass

    asyncio.run(main())
    check_spent(costs, 10)


def test_threads_never_spend_more_than_there_is():
    """The same with threads."""
    costs = []
    with Gateway(**crowded([Budget(usd_per_day=10)])) as gateway:

        def work(calls):
            for _ in range(calls):
                with suppress(BudgetExceeded):
                    costs.append(gateway.chat(TEXT, max_tokens=180).cost)

        threads = [threading.Thread(target=work, args=(40,)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        work(50)  # those that were refused while others held what they did not need

    check_spent(costs, 10)


def test_a_refusal_reaches_the_caller(face):
    """Its trace tells why, and when to come again."""
    clock = FakeClock(epoch=datetime(2026, 11, 1, 23, tzinfo=UTC).timestamp())
    gateway = face({"smart": target("hi", "ho")}, [Budget(usd_per_day=3)], prices=PRICES, clock=clock)
    first = gateway.chat("hello", max_tokens=60)
    gateway.chat("hello", max_tokens=60)
    with pytest.raises(BudgetExceeded, match="less is left of") as caught:
        gateway.chat(TEXT, max_tokens=60)

    assert first.cost == 1
    assert caught.value.retry_after == 3600
    assert caught.value.trace.decisions[-1].action == "refused"


def test_a_stream_is_settled_at_its_end(face):
    """Until then the most is reserved."""
    policy = Budget(usd_per_day=10)
    gateway = face({"smart": target(["one ", "two ", "three"])}, [policy], prices=PRICES)
    with gateway.stream(TEXT, max_tokens=60) as reading:
        reading.take(1)
        during = spent(gateway, policy)
        reading.rest()

    assert during > 1
    assert spent(gateway, policy) == 1


@pytest.mark.parametrize("end", ["closed", "dropped"])
def test_a_stream_that_nobody_reads_on_counts_as_reserved(face, end):
    """The provider has not told what it used."""
    policy = Budget(usd_per_day=10)
    gateway = face({"smart": target(["one ", "two ", "three"])}, [policy], prices=PRICES)
    reading = gateway.stream(TEXT, max_tokens=60)
    reading.take(1)
    reserved = spent(gateway, policy)
    if end == "closed":
        reading.close()
    else:
        reading.drop()

    assert spent(gateway, policy) == reserved > 1


def test_a_cut_stream_may_be_estimated(face):
    """By what came of it, if that was asked for."""
    policy = Budget(usd_per_day=10, on_unknown_cost="estimate")
    gateway = face({"smart": target(["one ", BadResponse])}, [policy], prices=PRICES)
    with pytest.raises(StreamInterrupted):
        gateway.read(TEXT, max_tokens=60)

    assert 0 < spent(gateway, policy) < 1


def test_a_cancelled_task_is_settled():
    """Cancelled while the provider computes: it may have been charged, as much as was reserved, and not again."""
    policy = Budget(usd_per_day=10)
    started = asyncio.Event()

    class Stuck:
        async def handle(self, call, inner):
            reply = await inner(call)
            started.set()
            await asyncio.Event().wait()
            return reply

    async def main():
        gateway = AsyncGateway({"smart": target(["one ", "two"])}, [policy, Stuck()], prices=PRICES)
        task = asyncio.create_task(gateway.chat(TEXT, max_tokens=60))
        await started.wait()
        runtime = await gateway._engine.runtimes.current()
        before = (await policy.standing(runtime))[0].used
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        after = (await policy.standing(runtime))[0].used
        await gateway.close()
        return before, after

    before, after = asyncio.run(main())

    assert 0 < after <= before


def test_answers_that_a_policy_throws_away_are_charged(face):
    """Also those that nobody has read to the end when the next attempt begins."""
    policy = Budget(usd_per_day=10)

    class Picky:
        tries = 0

        async def handle(self, call, inner):
            reply = await inner(call)
            self.tries += 1
            if self.tries == 1:
                raise Overloaded("not good enough")
            return reply

    gateway = face(
        {"smart": target(["no ", "no"], ["yes ", "yes"])},
        [policy, Retry(2), Picky()],
        prices=PRICES,
        clock=FakeClock(),
    )
    gateway.read(TEXT, max_tokens=60)

    assert 2 < spent(gateway, policy) < 3


def test_billed_retries_are_added(face):
    """An attempt that timed out after it was sent counts as reserved, the next one as it was."""
    policy = Budget(usd_per_day=10)
    gateway = face({"smart": target(TimedOut("slow"), "hi")}, [policy, Retry(2)], prices=PRICES, clock=FakeClock())
    answer = gateway.chat(TEXT, max_tokens=60)

    assert answer.cost is None
    assert spent(gateway, policy) > 2


def test_attempts_that_cost_nothing_are_not_counted(face):
    """A provider that refuses charges nothing."""
    policy = Budget(usd_per_day=10)
    gateway = face({"smart": target(Overloaded("busy"), "hi")}, [policy, Retry(2)], prices=PRICES, clock=FakeClock())
    gateway.chat(TEXT, max_tokens=60)

    assert spent(gateway, policy) == 1


def test_the_dearest_target_is_reserved(face):
    """Whatever a fallback costs was reserved before; what the cheap one leaves is given back."""
    policy = Budget(usd_per_day=10)
    tree = Fallback(target("hi", Overloaded("busy"), model="cheap"), target("ho"))
    gateway = face({"smart": tree}, [policy], prices=PRICES)
    with pytest.raises(BudgetExceeded, match="this call may need"):
        face({"smart": tree}, [Budget(usd_per_day="0.5")], prices=PRICES).chat(TEXT, max_tokens=60)
    gateway.chat(TEXT, max_tokens=60)
    cheap = spent(gateway, policy)
    gateway.chat(TEXT, max_tokens=60)

    assert cheap == Decimal("0.0001")
    assert spent(gateway, policy) == 1 + cheap


def test_a_pool_with_an_unknown_price_is_refused(face):
    """One target whose price is not known is enough; nothing is sent."""
    tree = Balance(target("hi"), target("ho", model="other"))
    gateway = face({"smart": tree}, [Budget(usd_per_day=10)], prices=PRICES)
    with pytest.raises(BudgetExceeded, match="the price of 'smart' is not known"):
        gateway.chat(TEXT)

    assert [one.provider.calls for one in tree.targets] == [[], []]


def test_calls_go_to_a_cheaper_route(face):
    """When the rest does not suffice for the dear one; what they cost there counts as well."""
    policy = Budget(usd_per_day=3, on_exceeded=Degrade("cheap"))
    routes = {"smart": target("dear", "dear"), "cheap": target(*["cheap"] * 3, model="cheap")}
    gateway = face(routes, [policy], prices=PRICES)
    answers = [gateway.chat(TEXT, model="smart", max_tokens=60) for _ in range(4)]

    assert [answer.text for answer in answers] == ["dear", "dear", "cheap", "cheap"]
    assert answers[-1].trace.route == "cheap"
    assert spent(gateway, policy) == Decimal("2.0002")


def test_the_cheaper_route_must_exist(face):
    """A typing error is told at once."""
    with pytest.raises(ConfigError, match="cheep"):
        face({"smart": target("hi")}, [Budget(usd_per_day=1, on_exceeded=Degrade("cheep"))])


def test_a_target_with_its_own_budget_is_left_for_another(face):
    """Around a target, what does not fit goes to the next one, at that target's own price."""
    policy = Budget(usd_per_day=2)
    tree = Fallback(target("dear", policies=[policy]), target(*["cheap"] * 2, model="cheap"))
    gateway = face({"smart": tree}, [Retry(2)], prices=PRICES)
    answers = [gateway.chat(TEXT, max_tokens=60) for _ in range(3)]

    assert [answer.text for answer in answers] == ["dear", "cheap", "cheap"]
    assert spent(gateway, policy, "target dear") == 1


def test_attempts_at_a_target_are_reserved_one_by_one(face):
    """Around a target a budget holds also where attempts that failed were billed."""
    policy = Budget(usd_per_day=2)
    inner = target(TimedOut("slow"), "hi", policies=[policy])
    gateway = face({"smart": inner}, [Retry(3)], prices=PRICES, clock=FakeClock())
    with pytest.raises(BudgetExceeded):
        gateway.chat(TEXT, max_tokens=60)

    assert len(inner.provider.calls) == 1
    assert 1 < spent(gateway, policy, "target dear") <= 2


def test_embeddings_and_unbounded_answers(face):
    """Embeddings have no output; a chat call gets a bound, which the provider sees."""
    inner = target("hi", "ho", model="cheap")
    gateway = face({"smart": inner}, [Budget(usd_per_day=1)], prices=PRICES)
    gateway.embed(["one"])
    answer = gateway.chat("hello")

    assert [call.max_tokens for call in inner.provider.calls] == [None, 4096]
    assert answer.trace.decisions[0].action == "bounded"


def test_the_standard_policies_have_one(face):
    """``standard(usd_per_day=…)`` puts it where it belongs."""
    gateway = face({"smart": target("hi")}, standard(usd_per_day="0.5", tokens_per_minute=1000), prices=PRICES)
    with pytest.raises(BudgetExceeded, match=r"more than \$0.50 per day"):
        gateway.chat(TEXT, max_tokens=60)

    assert [line.split("(")[0] for line in gateway.gateway.describe().splitlines()[:2]] == ["| Deadline", "| Budget"]

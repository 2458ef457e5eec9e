"""Limits and budgets of whole gateways that share a store, as those of several processes do, on both faces."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal

import pytest

from aigw import AsyncGateway, Budget, BudgetExceeded, Gateway, RateLimit, RateLimited, Target
from aigw.chunk import Chunk, Usage
from aigw.testing import ScriptedProvider
from stores.ledgers import STORES

PRICES = {"scripted/m": {"input": 1000, "output": 1000}}
"""A tenth of a cent a token."""


@pytest.fixture(params=STORES)
def stand(request, tmp_path):
    """One store."""
    with STORES[request.param](tmp_path) as made:
        yield made


def answering(*script):
    """Make a target that always answers alike."""
    return Target(ScriptedProvider.repeat(*script), model="m")


def test_gateways_share_a_rate_limit(face, stand):
    """What one has admitted counts for the other; the refusal says when to come back."""
    made = [
        face(
            {"r": answering("hi")},
            [RateLimit(requests_per_minute=3, burst=60, on_exceeded="reject", store=stand.ledger())],
            clock=stand.clock,
        )
        for _ in range(2)
    ]
    for number in range(3):
        made[number % 2].chat()
    errors = []
    for gateway in made:
        with pytest.raises(RateLimited) as caught:
            gateway.chat()
        errors.append(caught.value)
    stand.advance(20.5)
    again = made[1].chat().text

    assert again == "hi"
    assert all(error.retry_after == pytest.approx(20, abs=0.5) for error in errors)
    assert {error.dimension for error in errors} == {"requests_per_minute"}


def test_gateways_share_a_budget(face, stand):
    """One has spent what the other then lacks; what was reserved and not used is given back."""
    answer = [Chunk("hi", usage=Usage(100, 400))]
    ledgers = [stand.ledger(), stand.ledger()]
    made = [
        face(
            {"r": answering(answer)},
            [Budget(usd_per_day="1.20", store=ledger, warn_at=())],
            clock=stand.clock,
            prices=PRICES,
        )
        for ledger in ledgers
    ]
    costs = [made[0].chat(model="r", max_tokens=500).cost]
    stand.settled(ledgers[0])
    costs.append(made[1].chat(model="r", max_tokens=500).cost)
    stand.settled(ledgers[1])
    with pytest.raises(BudgetExceeded):
        made[0].chat(model="r", max_tokens=500)

    assert costs == [Decimal("0.5"), Decimal("0.5")]


def test_a_stream_that_is_left_gives_back(face, stand):
    """Whoever reads only the beginning has not used what was reserved for all of it."""
    ledger = stand.ledger()
    limit = RateLimit(output_tokens_per_minute=1000, burst=60, estimate="most", on_exceeded="reject", store=ledger)
    gateway = face({"r": answering([Chunk("one"), Chunk("two"), Chunk("three")])}, [limit], clock=stand.clock)
    reading = gateway.stream(max_tokens=900)
    reading.next()
    with pytest.raises(RateLimited):
        gateway.chat(max_tokens=900)
    reading.close()
    stand.settled(ledger)

    assert gateway.chat(max_tokens=900).text == "onetwothree"


def budgeted(stand):
    """Make the arguments of a gateway with $10, whose calls cost up to 60 cents and most often less."""
    outputs = iter(range(1, 100_000))
    provider = ScriptedProvider.repeat(lambda _: [Chunk("hi", usage=Usage(10, 1 + next(outputs) * 37 % 500))])
    policies = [Budget(usd_per_day=10, store=stand.ledger(), warn_at=())]
    return {"r": Target(provider, model="m")}, policies, {"clock": stand.clock, "prices": PRICES}


def spent(costs):
    """Add up what was answered, and count what was refused."""
    return sum(cost for cost in costs if cost is not None), costs.count(None)


def test_many_tasks_and_a_budget(stand):
    """Two hundred calls at once, of two gateways, never spend more than the budget, whatever they reserve."""
    costs = []

    async def one(gateway):
        try:
            costs.append((await gateway.chat("hi", max_tokens=500)).cost)
        except BudgetExceeded:
            costs.append(None)

    async def main():
        made = [
            AsyncGateway(routes, policies, **options)
            for routes, policies, options in (budgeted(stand), budgeted(stand))
        ]
        await asyncio.gather(*(one(made[number % 2]) for number in range(200)))
        for gateway in made:
            await gateway.close()

    asyncio.run(main())
    total, refused = spent(costs)

    assert Decimal(3) < total <= 10
    assert refused > 100


def test_many_threads_and_a_budget(stand):
    """The same with threads on the blocking face."""
    costs = []
    made = [Gateway(routes, policies, **options) for routes, policies, options in (budgeted(stand), budgeted(stand))]

    def work(gateway):
        for _ in range(8):
            try:
                costs.append(gateway.chat("hi", max_tokens=500).cost)
            except BudgetExceeded:
                costs.append(None)

    threads = [threading.Thread(target=work, args=(made[number % 2],)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for gateway in made:
        gateway.close()
    total, refused = spent(costs)

    assert Decimal(9) < total <= 10
    assert refused > 50

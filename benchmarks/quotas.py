"""Six accounts with quotas, nearly used up: how many calls does the provider refuse?

In virtual time, with the real `Balance`, `RateLimit` and `Retry`. The provider counts as Azure does: the prompt and
`max_tokens` when a call comes, in windows of a minute that begin anew all at once, and a 429 with the time until then.
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import virtual

from aigw import Balance, Call, Chunk, Message, RateLimit, Reply, Retry, Target, Text, Usage
from aigw.errors import AigwError, ProviderRateLimited
from aigw.pipeline import stack
from aigw.runtime import LoopRuntime
from aigw.testing import FixedMeter
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUOTAS = (240_000, 120_000, 120_000, 60_000, 60_000, 60_000)
WINDOW = 60.0
MOST = (256, 512, 1024, 2048)
"""`max_tokens` of calls, each as often as the others."""
MEAN = 1000 + statistics.fmean(MOST)
"""Tokens that the provider counts for a call, on average."""
WAYS = ("score", "score, waiting", "shuffled", "shuffled by quota", "least busy")


class Ask(NamedTuple):
    """One call: when it comes, its prompt, the output that it allows and has, and how wrong the count is."""

    at: float
    prompt: int
    most: int
    output: int
    error: float


def asked(load: float, number: int, seed: int) -> list[Ask]:
    """Draw calls that ask for a share of all quotas together."""
    rng = random.Random(seed)
    rate = load * sum(QUOTAS) / WINDOW / MEAN
    now, asks = 0.0, []
    for _ in range(number):
        now += rng.expovariate(rate)
        prompt, most = round(rng.lognormvariate(math.log(1000) - 0.5, 1.0)), rng.choice(MOST)
        output = min(most, round(rng.lognormvariate(math.log(300) - 0.405, 0.9)))
        asks.append(Ask(now, prompt, most, output, rng.lognormvariate(0, 0.03)))
    return asks


class Account:
    """A provider's account: elastic, and strict about its quota."""

    where = "in virtual time"

    def __init__(self, name: str, quota: int, clock: virtual.LoopTime) -> None:
        self.name = name
        self.refused = 0
        self._quota = quota
        self._clock = clock
        self._window = 0
        self._used = 0

    def check(self) -> None:
        pass

    async def send(self, call: Call, model: str) -> Reply:  # noqa: ARG002  (as the protocol has it)
        ask: Ask = call.extra["ask"]
        now = self._clock.now()
        if int(now / WINDOW) != self._window:
            self._window, self._used = int(now / WINDOW), 0
        if self._used + ask.prompt + ask.most > self._quota:
            self.refused += 1
            raise ProviderRateLimited("quota", status=429, retry_after=(self._window + 1) * WINDOW - now)
        self._used += ask.prompt + ask.most
        await self._clock.sleep(0.3 + ask.prompt / 5000 + 0.02 * ask.output)
        return Reply.replay([Chunk("x", finish_reason="stop", usage=Usage(ask.prompt, ask.output))])


class Counted(FixedMeter):
    """Counts prompts as well as a tokenizer does that is not quite the provider's."""

    async def input_tokens(self, call: Call) -> int:
        ask: Ask = call.extra["ask"]
        return round(ask.prompt * ask.error)


class Found(NamedTuple):
    """What came of a run: for each 1,000 calls those that the provider refused, and those that failed for good."""

    refused: float
    failed: float
    p99: float


def pool(way: str, accounts: Sequence[Account]) -> Balance:
    """Put the accounts together."""
    if way.startswith("score"):
        then: Any = {"on_exceeded": "wait", "max_wait": 60} if way.endswith("waiting") else {}
        limits = [RateLimit(tokens_per_minute=quota, estimate="most", refund=False, **then) for quota in QUOTAS]
        members = [
            Target(account, model="m", name=account.name, policies=[limit])
            for account, limit in zip(accounts, limits, strict=True)
        ]
        return Balance(*members)
    weights = QUOTAS if way == "shuffled by quota" else (1,) * len(QUOTAS)
    members = [
        Target(account, model="m", name=account.name, weight=weight)
        for account, weight in zip(accounts, weights, strict=True)
    ]
    return Balance(*members, by="least_busy" if way == "least busy" else "weighted")


def measure(way: str, load: float, number: int, seed: int) -> Found:
    """Make the calls of one run."""
    asks = asked(load, number, seed)
    failed, refused, seconds = 0, 0, []

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        nonlocal failed, refused
        clock = virtual.LoopTime(loop)
        accounts = [Account(f"a{place}", quota, clock) for place, quota in enumerate(QUOTAS)]
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]
        endpoint = stack([Retry(6)], pool(way, accounts))
        message, ids = Message("user", (Text("x"),)), count()

        async def one(ask: Ask) -> None:
            nonlocal failed
            call = Call(
                messages=(message,),
                max_tokens=ask.most,
                extra={"ask": ask},
                runtime=runtime,
                metering=Counted(output=ask.most),
                trace=CallTrace(str(next(ids))),
                started=loop.time(),
                deadline=loop.time() + 120,
            )
            try:
                reply = await endpoint(call)
                while await reply.read() is not None:
                    pass
                seconds.append(loop.time() - ask.at)
            except AigwError:
                failed += 1

        tasks: set[asyncio.Task[Any]] = set()
        for ask in asks:
            await asyncio.sleep(ask.at - loop.time())
            task = loop.create_task(one(ask))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        refused = sum(account.refused for account in accounts)

    virtual.run(main)
    return Found(1000 * refused / number, 1000 * failed / number, statistics.quantiles(seconds, n=100)[98])


def run(number: int = 4000, seeds: Sequence[int] = (1, 2, 3)) -> Iterator[str]:
    """Yield a table: for each load what the provider refused of 1,000 calls, and what failed for good."""
    yield f"{'refused (failed) of 1,000 calls':34}" + "".join(f"{way:>20}" for way in WAYS)
    for load in (0.7, 0.85, 0.95):
        cells = []
        for way in WAYS:
            found = [measure(way, load, number, seed) for seed in seeds]
            refused, failed = (statistics.fmean(one[place] for one in found) for place in (0, 1))
            cells.append(f"{refused:.1f} ({failed:.1f})")
        yield f"{f'load {load:.0%} of the quotas':34}" + "".join(f"{cell:>20}" for cell in cells)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

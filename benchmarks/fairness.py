"""Who is served when there is too little for all, in virtual time: `Queue` against first come, first served.

The policies are the real ones, on an event loop whose time is virtual. Only the server is made up: a call holds it for
as long as its tokens take.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import virtual

from aigw import Call, Chunk, Concurrency, Message, Principal, Queue, RateLimit, Reply, Text, Usage
from aigw.call import Priority
from aigw.pipeline import stack
from aigw.runtime import LoopRuntime
from aigw.testing import FixedMeter
from aigw.trace import Attempt, CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aigw.policy import Policy

PROMPT, OUTPUT = 400, 300
"""Mean tokens of a call; outputs are guessed to have the mean."""

PLACES = 4
CAPACITY = 1.2
"""Calls that the server, or the limit, lets through in a second."""

LONG = 1e6


Policies = Sequence[Callable[[], "Policy"]]
"""Makes the policies of a run, the outermost first."""


@dataclass(frozen=True)
class Tenant:
    """Somebody who makes calls, at random times.

    Args:
        name: who.
        rate: calls per second.
        priority: their class.
    """

    name: str
    rate: float
    priority: Priority = "standard"


@dataclass
class Found:
    """What came of a run: by tenant its waits, and when it was served how much."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    served: list[tuple[float, str, float]] = field(default_factory=list)

    def share(self, start: float, end: float) -> dict[str, float]:
        """Weighted tokens that each tenant got in a span of time."""
        got = dict.fromkeys(self.waits, 0.0)
        for at, name, cost in self.served:
            if start <= at < end:
                got[name] += cost
        return got


def queue(**options: Any) -> Queue:
    """Make a queue that refuses nobody."""
    return Queue(max_wait=LONG, most=1_000_000, most_per_tenant=1_000_000, **options)


def places() -> Policy:
    """Make the limit of a server."""
    return Concurrency(PLACES, max_wait=LONG)


def rate() -> Policy:
    """Make a limit of tokens that lets as much through."""
    return RateLimit(tokens_per_minute=round(CAPACITY * 60 * (PROMPT + OUTPUT)), max_wait=LONG, burst=1)


def serve(policies: Policies, tenants: Sequence[Tenant], seconds: float, seed: int = 1) -> Found:
    """Let tenants call for so long, and the server work until all are done."""
    found = Found({tenant.name: [] for tenant in tenants})
    ids = count()

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        clock = virtual.LoopTime(loop)
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]
        message = Message("user", (Text("x"),))

        async def server(call: Call) -> Reply:
            usage: Usage = call.extra["usage"]
            began = loop.time()
            found.waits[call.metadata["tenant"]].append(began - call.started)
            await clock.sleep(PLACES / CAPACITY * (usage.input + 2 * usage.output) / (PROMPT + 2 * OUTPUT))
            found.served.append((began, call.metadata["tenant"], usage.input + 2.0 * usage.output))
            assert call.trace is not None
            call.trace.add(Attempt(began - call.started, "m", "p", "m", "ok", loop.time() - began, usage=usage))
            return Reply.replay([Chunk("x", finish_reason="stop", usage=usage)])

        endpoint = stack([make() for make in policies], server)

        async def one(tenant: Tenant, usage: Usage) -> None:
            call = Call(
                messages=(message,),
                extra={"usage": usage},
                metadata={"tenant": tenant.name},
                principal=Principal(tenant.name),
                priority=tenant.priority,
                runtime=runtime,
                trace=CallTrace(str(next(ids))),
                started=loop.time(),
                metering=FixedMeter(usage.input, OUTPUT),
            )
            await (await endpoint(call)).close()

        async def arrive(tenant: Tenant) -> None:
            rng = random.Random(f"{seed} {tenant.name}")
            async with asyncio.TaskGroup() as calls:
                while True:
                    await clock.sleep(rng.expovariate(tenant.rate))
                    if loop.time() >= seconds:
                        return
                    prompt, output = (max(1, round(mean * rng.lognormvariate(-0.18, 0.6))) for mean in (PROMPT, OUTPUT))
                    calls.create_task(one(tenant, Usage(prompt, output)))

        async with asyncio.TaskGroup() as arriving:
            for tenant in tenants:
                arriving.create_task(arrive(tenant))

    virtual.run(main)
    return found


FLOOD = (Tenant("A", 10.0), Tenant("B", 1.5), Tenant("C", 0.1))
CLASSES: tuple[Priority, ...] = ("interactive", "standard", "batch")


def jain(shares: Sequence[float]) -> float:
    """Compute Jain's index: 1 where all have got the same."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def flood(policies: Policies, seconds: float = 600.0) -> tuple[float, float, float]:
    """One floods, one asks for more than its share, one asks now and then.

    Returns:
        What A got for each of B's while both had calls waiting, and the median and the longest wait of C.
    """
    found = serve(policies, FLOOD, seconds)
    got = found.share(seconds / 6, seconds)
    return got["A"] / got["B"], statistics.median(found.waits["C"]), max(found.waits["C"])


def weighted(policies: Policies, seconds: float = 1_200.0) -> Mapping[str, float]:
    """Return the share of each class, as a ratio to what its weight says, while all have calls waiting."""
    found = serve(policies, [Tenant(name, 2.0, name) for name in CLASSES], seconds)
    got = found.share(seconds / 6, seconds)
    return {name: got[name] / sum(got.values()) * 21 / part for name, part in zip(CLASSES, (16, 4, 1), strict=True)}


def alike(policies: Policies, seconds: float = 600.0) -> float:
    """Return the least Jain's index over any minute, of four tenants that ask for different amounts, all too much."""
    tenants = [Tenant(name, rate) for name, rate in zip("ABCD", (0.6, 1.2, 2.4, 4.8), strict=True)]
    found = serve(policies, tenants, seconds)
    return min(jain(list(found.share(at, at + 60).values())) for at in range(60, int(seconds) - 60, 30))


def starved(policies: Policies, seconds: float = 1_200.0) -> tuple[float, float]:
    """Return the median and the longest wait of batch calls beside twice as many interactive ones, at 90 % load."""
    load = 0.9 * CAPACITY
    tenants = [Tenant("interactive", load * 2 / 3, "interactive"), Tenant("batch", load / 3, "batch")]
    waits = serve(policies, tenants, seconds).waits["batch"]
    return statistics.median(waits), max(waits)


def run() -> Iterator[str]:
    """Yield a table."""
    ways = {
        "first come, Concurrency": (places,),
        "Queue, Concurrency": (queue, places),
        "first come, RateLimit": (rate,),
        "Queue, RateLimit": (queue, rate),
        "Queue, both": (queue, rate, places),
    }
    yield f"{'':26}{'A / B':>8}{'C waits: median':>17}{'longest':>9}{'Jain':>8}{'16:4:1':>22}{'batch waits':>14}"
    for name, policies in ways.items():
        ratio, median, longest = flood(policies)
        classes = " ".join(f"{share:.3f}" for share in weighted(policies).values())
        usual, worst = starved(policies)
        yield (
            f"{name:26}{ratio:8.2f}{median:15.1f} s{longest:7.1f} s{alike(policies):8.3f}{classes:>22}"
            f"{usual:7.1f}, {worst:3.0f} s"
        )


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

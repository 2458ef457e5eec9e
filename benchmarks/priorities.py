"""What priorities do to the score: half of the calls are interactive, the others a batch.

The servers and calls are those of `balancing`; in the last case the fastest server fails a tenth of its calls.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from typing import TYPE_CHECKING, Any

import virtual
from balancing import SCENARIOS, Provider, Server, asked

from aigw import Balance, Call, Message, Target, Text
from aigw.errors import ServerError
from aigw.runtime import LoopRuntime
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw import Reply

CASES = tuple((scenario, 0.0) for scenario in SCENARIOS if scenario.name in {"uneven .7, 1", "uneven .85, 8"})


class Failing(Provider):
    """Fails some of its calls, at once."""

    def __init__(self, name: str, server: Server, clock: virtual.LoopTime, rate: float, rng: random.Random) -> None:
        super().__init__(name, server, clock)
        self._rate = rate
        self._rng = rng

    async def send(self, call: Call, model: str) -> Reply:
        if self._rng.random() < self._rate:
            raise ServerError("broken", status=500)
        return await super().send(call, model)


def measure(scenario: Any, rate: float, seed: int, number: int, *, told: bool) -> dict[str, tuple[float, float, float]]:
    """Return median, 99th percentile and share of failures for each priority.

    Args:
        scenario: the servers and the load.
        rate: share of its calls that the fastest server fails.
        seed: of the calls.
        number: how many calls.
        told: the calls tell their priority; otherwise all are standard ones.
    """
    rng = random.Random(seed)
    seconds: dict[str, list[float]] = {"interactive": [], "batch": []}
    failed = dict.fromkeys(seconds, 0)

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        clock = virtual.LoopTime(loop)
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]
        servers = [Server(speed, None, elastic=False) for speed in scenario.speeds]
        pools = [
            Balance(
                *(
                    Target(Failing(f"s{place}", server, clock, 0 if place else rate, rng), model="m", name=f"s{place}")
                    for place, server in enumerate(servers)
                )
            )
            for _ in range(scenario.gateways)
        ]

        async def one(ask: Any, kind: Any, pool: Balance) -> None:
            call = Call(
                messages=(Message("user", (Text("x"),)),),
                extra={"ask": ask},
                priority=kind if told else "standard",
                runtime=runtime,
                trace=CallTrace("x"),
                started=loop.time(),
            )
            try:
                reply = await pool(call)
                while await reply.read() is not None:
                    pass
                seconds[kind].append(loop.time() - ask.at)
            except ServerError:
                failed[kind] += 1

        tasks = []
        for place, ask in enumerate(asked(scenario, number, seed)):
            await asyncio.sleep(ask.at - loop.time())
            kind = "batch" if rng.random() < 0.5 else "interactive"
            tasks.append(loop.create_task(one(ask, kind, pools[place % len(pools)])))
        await asyncio.gather(*tasks)

    virtual.run(main)
    return {
        kind: (statistics.median(found), statistics.quantiles(found, n=100)[98], failed[kind] / len(found))
        for kind, found in seconds.items()
    }


def run(number: int = 8000, seeds: Sequence[int] = (1, 2, 3)) -> Iterator[str]:
    """Yield a table: seconds of the median and the 99th percentile, and the share that failed."""
    yield f"{'p50, p99 (failed)':36}{'interactive':>26}{'batch':>26}"
    for scenario, rate in (*CASES, (CASES[0][0], 0.1)):
        for told in (False, True):
            runs = [measure(scenario, rate, seed, number, told=told) for seed in seeds]
            name = f"{scenario.name}{', one fails 10 %' if rate else ''}: {'told' if told else 'all alike'}"
            cells = []
            for kind in ("interactive", "batch"):
                p50, p99, failed = (statistics.fmean(one[kind][place] for one in runs) for place in range(3))
                cells.append(f"{p50:.2f} s, {p99:.1f} s ({failed:.2%})")
            yield f"{name:36}" + "".join(f"{cell:>26}" for cell in cells)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

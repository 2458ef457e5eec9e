"""What `Hedge` brings, in virtual time: the time to the first chunk with and without, and what it costs.

Times are log-normal with a median of half a second, and two in a hundred are ten times as long. Targets are slow
independently of each other, or for a part of it together.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NamedTuple

import virtual

from aigw import Balance, Call, Hedge, Message, Target, Text, Usage
from aigw.runtime import LoopRuntime
from aigw.testing import FixedMeter, ScriptedProvider
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aigw.policy import Policy

USAGE = Usage(300, 200)
STRAGGLERS = 0.02
SLOWER = 10.0


class Found(NamedTuple):
    """What came of a run.

    Args:
        times: seconds to the first chunk, sorted.
        calls: second attempts for each call.
        spend: the share of all spending that went into attempts that lost.
    """

    times: list[float]
    calls: float
    spend: float

    def at(self, share: float) -> float:
        """Return a quantile of the times."""
        return self.times[int(share * len(self.times))]


def seconds(rng: random.Random) -> float:
    """Draw a time to the first chunk."""
    return rng.lognormvariate(-0.693, 0.45) * (SLOWER if rng.random() < STRAGGLERS else 1.0)


def serve(policies: Sequence[Policy], common: float = 0.0, number: int = 6_000, seed: int = 7) -> Found:
    """Make calls, a tenth of a second apart.

    Args:
        policies: around the pool.
        common: share of the stragglers that are slow everywhere.
        number: of calls.
        seed: of chance.
    """
    calls: list[Call] = []
    times: list[float] = []

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        rng = random.Random(seed)
        clock = virtual.LoopTime(loop)
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]

        def script(call: Call) -> list[float | str]:
            slow = call.extra["slow"]
            return [slow if slow is not None else seconds(rng), "hello"]

        targets = [
            Target(ScriptedProvider.repeat(script, name=name, usage=USAGE), model="m", name=name) for name in "ab"
        ]
        pool = Balance(*targets, by="round_robin", policies=policies)

        async def one(number: int) -> None:
            slow = SLOWER * rng.lognormvariate(-0.693, 0.45) if rng.random() < common * STRAGGLERS else None
            call = Call(
                messages=(Message("user", (Text("x"),)),),
                extra={"slow": slow},
                stream=True,
                runtime=runtime,
                trace=CallTrace(str(number)),
                started=loop.time(),
                metering=FixedMeter(USAGE.input),
            )
            reply = await pool(call)
            times.append(loop.time() - call.started)
            calls.append(call)
            while await reply.read() is not None:
                pass

        async with asyncio.TaskGroup() as group:
            for place in range(number):
                group.create_task(one(place))
                await clock.sleep(0.1)

    virtual.run(main)
    attempts = [attempt for call in calls if call.trace is not None for attempt in call.trace.attempts]
    lost, spent = 0, 0
    for attempt in attempts:
        usage = attempt.usage or Usage()
        price = usage.input + 4 * usage.output
        spent += price
        lost += price if attempt.outcome == "cancelled" else 0
    return Found(sorted(times), len(attempts) / number - 1, lost / spent)


def run() -> Iterator[str]:
    """Yield a table."""
    yield f"{'time to the first chunk':34}{'p50':>7}{'p95':>7}{'p99':>7}{'p99.9':>7}{'more calls':>12}{'of spend':>10}"
    ways: dict[str, tuple[Sequence[Policy], float]] = {
        "without": ([], 0.0),
        "Hedge()": ([Hedge()], 0.0),
        "Hedge(quantile=0.9, calls=0.1)": ([Hedge(quantile=0.9, calls=0.1, spend=0.1)], 0.0),
        "without, 60 % slow everywhere": ([], 0.6),
        "Hedge(), 60 % slow everywhere": ([Hedge()], 0.6),
    }
    for name, (policies, common) in ways.items():
        found = serve(policies, common)
        quantiles = "".join(f"{found.at(share):7.2f}" for share in (0.5, 0.95, 0.99, 0.999))
        yield f"{name:34}{quantiles}{found.calls:11.2%} {found.spend:9.2%}"


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

"""How well `Concurrency(adaptive=True)` finds what a server bears, in virtual time.

The server has so many slots, and a line in front of them; a call has its first chunk about 0.2 s after it got a slot,
and holds it for about 3 s. It is asked for half as much again as it can do. A call is good if it begins within 2 s.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import virtual

from aigw import Call, Concurrency, Message, QueueFull, Target, Text
from aigw.runtime import LoopRuntime
from aigw.testing import FixedMeter, ScriptedProvider
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator

KNEE = 32
HOLD = 3.0
GOOD = 2.0
START = 300.0
"""Seconds that are not looked at."""


class Found(NamedTuple):
    """What came of a run.

    Args:
        goodput: good calls, as a share of what the server can do.
        limits: pairs of a time and the limit then.
    """

    goodput: float
    limits: list[tuple[float, int]]


def serve(
    limit: Concurrency | None, seconds: float = 1_200.0, halves: float | None = None, *, spread: float = 0.06
) -> Found:
    """Ask a server for too much.

    Args:
        limit: what stands around it.
        seconds: how long.
        halves: when half of its slots go.
        spread: of the times to the first chunk, as the deviation of their logarithms.
    """
    good: list[float] = []
    limits: list[tuple[float, int]] = []

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        rng = random.Random(1)
        clock = virtual.LoopTime(loop)
        runtime = LoopRuntime(loop, clock, random.Random(1), lambda: None)  # type: ignore[arg-type, return-value]
        free, slots, ids = [0.0] * KNEE, KNEE, count()

        def script(_: Call) -> list[float | str]:
            now = loop.time()
            begins = max(now, heapq.heappop(free))
            first, hold = 0.2 * rng.lognormvariate(0.0, spread), rng.uniform(HOLD - 1, HOLD + 1)
            heapq.heappush(free, begins + hold)
            return [begins + first - now, "x", hold - first, "y"]

        target = Target(
            ScriptedProvider.repeat(script), model="m", name="server", policies=[] if limit is None else [limit]
        )

        async def one() -> None:
            call = Call(
                messages=(Message("user", (Text("x"),)),),
                stream=True,
                runtime=runtime,
                trace=CallTrace(str(next(ids))),
                started=loop.time(),
                metering=FixedMeter(),
            )
            try:
                reply = await target(call)
            except QueueFull:
                return
            if loop.time() - call.started <= GOOD and loop.time() >= START:
                good.append(loop.time())
            while await reply.read() is not None:
                pass

        async with asyncio.TaskGroup() as group:
            while loop.time() < seconds:
                if halves is not None and loop.time() >= halves and slots == KNEE:
                    slots //= 2
                    free[:] = heapq.nlargest(slots, free)
                    heapq.heapify(free)
                group.create_task(one())
                await clock.sleep(rng.expovariate(1.5 * slots / HOLD))
                if limit is not None:
                    limits.append((loop.time(), target.policies[0].limit))  # type: ignore[attr-defined]

    virtual.run(main)
    return Found(len(good) / (KNEE / HOLD * (seconds - START)), limits)


def found_again(limits: list[tuple[float, int]], since: float, knee: int) -> float:
    """Return the seconds from a time until the limit was within a fifth of the knee."""
    return next((at - since for at, limit in limits if at >= since and limit <= 1.2 * knee), float("inf"))


def run() -> Iterator[str]:
    """Yield a table."""
    yield f"{'a server with 32 slots':34}{'goodput':>9}{'limit':>16}{'halved: after':>16}"
    for name, make, spread in (
        ("no limit", lambda: None, 0.06),
        ("adaptive, the others are refused", lambda: Concurrency(adaptive=True, on_exceeded="reject"), 0.06),
        ("adaptive, they wait for 1 s", lambda: Concurrency(adaptive=True, max_wait=1.0), 0.06),
        ("refused; times differ by 0.3", lambda: Concurrency(adaptive=True, on_exceeded="reject"), 0.3),
        ("refused; by 0.6", lambda: Concurrency(adaptive=True, on_exceeded="reject"), 0.6),
    ):
        found = serve(make(), spread=spread)
        late = [limit for at, limit in found.limits if at >= START]
        span = f"{min(late)} to {max(late)}" if late else ""
        again = found_again(serve(make(), 900.0, 600.0, spread=spread).limits, 600.0, KNEE // 2) if late else None
        yield f"{name:34}{found.goodput:9.1%}{span:>16}" + ("" if again is None else f"{again:14.0f} s")


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

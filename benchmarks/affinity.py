"""What `Balance(affinity=…)` does for the caches of prompts: long system prompts, sessions of several turns.

In virtual time, with the real `Balance`. Six servers of one speed with eight slots each keep what they have read of a
prompt for five minutes; what they have not, they must read before they write. Twenty applications, some much more used
than others, have system prompts of 2,000 to 8,000 tokens; a session has eight turns.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import virtual

from aigw import Balance, Call, Chunk, Message, Reply, Target, Usage
from aigw.runtime import LoopRuntime
from aigw.testing import FixedMeter
from aigw.trace import CallTrace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVERS, SLOTS, APPS, TURNS = 6, 8, 20, 8
LOAD, THINKING = 0.7, 20.0
READ, WRITE, FIRST, LASTS = 1 / 5000, 0.02, 0.3, 300.0
"""Seconds to read a token, to write one, before anything; and for which a server remembers."""
WORDS = 4
"""Characters of a token."""
WAYS: dict[str, dict[str, Any]] = {
    "score, by prefix": {"affinity": "prefix"},
    "score, by session": {"affinity": "session"},
    "score": {"affinity": None},
    "least busy": {"by": "least_busy"},
    "random": {"by": "weighted"},
}


class Server:
    """A server that remembers how much of which conversation it has read."""

    where = "in virtual time"

    def __init__(self, name: str, clock: virtual.LoopTime, found: Found) -> None:
        self.name = name
        self._clock = clock
        self._free = [0.0] * SLOTS
        self._read: dict[object, tuple[int, float]] = {}
        self._found = found

    def check(self) -> None:
        pass

    async def send(self, call: Call, model: str) -> Reply:  # noqa: ARG002  (as the protocol has it)
        app, session, system, prompt, output = call.extra["turn"]
        now = self._clock.now()
        cached = max(self._known(app, now), self._known(session, now))
        start = max(now, heapq.heappop(self._free))
        first = start + FIRST + (prompt - cached) * READ
        end = first + output * WRITE
        heapq.heappush(self._free, end)
        self._found.add(self.name, prompt, cached, first - now)
        await self._clock.sleep(end - now)
        self._read[app] = (system, end + LASTS)
        self._read[session] = (prompt + output, end + LASTS)
        return Reply.replay([Chunk("x", finish_reason="stop", usage=Usage(prompt, output))])

    def _known(self, what: object, now: float) -> int:
        tokens, until = self._read.get(what, (0, 0.0))
        return tokens if until > now else 0


class Found:
    """What came of a run."""

    def __init__(self) -> None:
        self.prompts = 0
        self.cached = 0
        self.first: list[float] = []
        self.served: Counter[str] = Counter()

    def add(self, server: str, prompt: int, cached: int, first: float) -> None:
        """Take note of a call."""
        self.prompts += prompt
        self.cached += cached
        self.first.append(first)
        self.served[server] += 1


class Figures(NamedTuple):
    """Share of the prompts that was cached, seconds to the first token (p50, p99), load of the busiest to the mean."""

    cached: float
    p50: float
    p99: float
    busiest: float


def measure(way: str, sessions: int, seed: int) -> Figures:
    """Run the sessions."""
    rng = random.Random(seed)
    systems = [rng.randrange(2000, 8000) for _ in range(APPS)]
    popularity = [1 / (rank + 1) for rank in range(APPS)]
    found = Found()

    async def main(loop: asyncio.AbstractEventLoop) -> None:
        clock = virtual.LoopTime(loop)
        runtime = LoopRuntime(loop, clock, random.Random(seed), lambda: None)  # type: ignore[arg-type, return-value]
        servers = [Server(f"s{place}", clock, found) for place in range(SERVERS)]
        pool = Balance(*(Target(server, model="m", name=server.name) for server in servers), **WAYS[way])

        async def session(number: int, app: int) -> None:
            messages = [Message("system", f"You are application {app}. ".ljust(systems[app] * WORDS, "."))]
            prompt = systems[app]
            for turn in range(TURNS):
                asked, output = 50 + rng.randrange(100), min(2000, round(rng.lognormvariate(math.log(200), 0.9)))
                prompt += asked
                messages.append(Message("user", f"{number}.{turn} ".ljust(asked * WORDS, "?")))
                call = Call(
                    messages=tuple(messages),
                    extra={"turn": (("app", app), number, systems[app], prompt, output)},
                    metadata={"session": str(number)},
                    runtime=runtime,
                    metering=FixedMeter(input=prompt),
                    trace=CallTrace("x"),
                    started=loop.time(),
                )
                reply = await pool(call)
                while await reply.read() is not None:
                    pass
                messages.append(Message("assistant", f"{number}.{turn} ".ljust(output * WORDS, "!")))
                prompt += output
                await asyncio.sleep(rng.expovariate(1 / THINKING))

        rate = LOAD * SERVERS * SLOTS / 6.8 / TURNS
        tasks = []
        for number in range(sessions):
            await asyncio.sleep(rng.expovariate(rate))
            tasks.append(loop.create_task(session(number, rng.choices(range(APPS), popularity)[0])))
        await asyncio.gather(*tasks)

    virtual.run(main)
    cuts = statistics.quantiles(found.first, n=100)
    calls = found.served.total() / SERVERS
    return Figures(found.cached / found.prompts, cuts[49], cuts[98], max(found.served.values()) / calls)


def run(sessions: int = 500, seeds: Sequence[int] = (1, 2)) -> Iterator[str]:
    """Yield a table."""
    yield f"{'':22}{'cached':>10}{'first p50':>12}{'first p99':>12}{'busiest/mean':>14}"
    for way in WAYS:
        runs = [measure(way, sessions, seed) for seed in seeds]
        mean = Figures(*(statistics.fmean(values) for values in zip(*runs, strict=True)))
        yield f"{way:22}{mean.cached:>10.0%}{mean.p50:>10.2f} s{mean.p99:>10.2f} s{mean.busiest:>14.2f}"


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)

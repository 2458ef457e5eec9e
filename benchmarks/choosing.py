"""What it takes to choose one of several targets by score: all that `Balance` does before it calls one."""

from __future__ import annotations

import random
import timeit
from typing import TYPE_CHECKING

from aigw import Balance, Breaker, Message, Target
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw import Call
    from aigw.policy import Policy
    from aigw.routing.affinity import Affinity

LONG = "You are a helpful application. " * 800
"""About 6,000 tokens."""


def pool(size: int, *policies: Policy, **arguments: object) -> Balance:
    """Make a pool that has served some calls already."""
    rng = random.Random(1)
    targets = [
        Target(ScriptedProvider.repeat("x"), model="m", name=f"t{place}", policies=policies) for place in range(size)
    ]
    for target in targets:
        for now in range(20):
            target.answered(1 + 4 * rng.random(), others=now % 5, output=200, first=None, now=float(now))
        for _ in range(1 + rng.randrange(4)):
            target.begin()
    return Balance(*targets, **arguments)  # type: ignore[arg-type]


def choose(node: Balance, call: Call) -> float:
    """Return the microseconds of a choice."""
    able = list(range(len(node.members)))

    affinity = affinity_of(node)

    def once() -> None:
        blocks = affinity.blocks(call) if affinity is not None else None
        drive(node._chosen(call, able, blocks))  # noqa: SLF001  (what it takes is what is measured)

    return min(timeit.repeat(once, number=1000, repeat=9)) * 1000


def affinity_of(node: Balance) -> Affinity | None:
    """Return what a pool remembers of prompts."""
    return node._affinity  # noqa: SLF001  (it is measured by itself)


def run() -> Iterator[str]:
    """Yield a table."""
    clock = FakeClock()
    clock.advance(25.0)
    short = make_call(clock=clock)
    long = make_call(clock=clock, messages=(Message("system", LONG), Message("user", "Why?")))
    yield f"{'targets':>8}{'alone':>10}{'affinity, short':>18}{'affinity, 6,000 tokens':>25}{'Breaker':>10}  in µs"
    for size in (2, 6, 16, 40):
        plain, near, guarded = pool(size, affinity=None), pool(size), pool(size, Breaker(), affinity=None)
        affinity = affinity_of(near)
        blocks = affinity.blocks(long) if affinity is not None else None
        assert affinity is not None
        assert blocks is not None
        for member in near.members[: size // 2]:
            affinity.learn(blocks, member, clock.now())
        yield (
            f"{size:>8}{choose(plain, short):>10.1f}{choose(near, short):>18.1f}{choose(near, long):>25.1f}"
            f"{choose(guarded, short):>10.1f}"
        )


if __name__ == "__main__":
    for line in run():
        print(line)

"""Counting tokens: the longest pause of an event loop meanwhile, and what it costs a call where nobody asks."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aigw import Usage
from aigw.metering import load_encodings
from aigw.metering.encodings import FACTS, LIGHT, Encodings, build, build_light
from aigw.metering.meter import CallMeter, Metering
from aigw.testing import make_call

if TYPE_CHECKING:
    from collections.abc import Callable

LIGHT_LENGTH = 1_000_000
"""Characters of the longest text that is counted by a light encoding here."""

ENGLISH = "The quick brown fox jumps over the lazy dog. "
TEXTS = {
    "8 kB of English": ENGLISH * 180,
    "1 MB of English": ENGLISH * 22_000,
    "5 MB of English": ENGLISH * 111_000,
    "5 MB of Chinese": "敏捷的棕色狐狸跳过了懒狗。" * 128_000,
    "5 MB of one letter": "a" * 5_000_000,
    "5 MB of spaces": " " * 5_000_000,
    "50,000 messages": None,
}


def make_meter(model: str) -> CallMeter:
    route = SimpleNamespace(name="smart", node=SimpleNamespace(targets=[SimpleNamespace(model=model)]))
    return CallMeter(Metering(), lambda _: route, route)


async def watched(job) -> tuple[float, float]:
    """Run a job; return how long it took, and the longest time that the loop did nothing else, in ms."""
    worst, task, begun = 0.0, asyncio.ensure_future(job), time.perf_counter()
    last = begun
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    await task
    return (last - begun) * 1e3, worst * 1e3


async def idle() -> None:
    """Do nothing for as long as a count may take: the pauses that the machine itself makes."""
    await asyncio.sleep(0.2)


async def count(model: str, text: str | None) -> None:
    call = make_call(text or "hello", route="smart", blocking=False)
    if text is None:
        call = call.evolve(messages=call.messages * 50_000)
    await make_meter(model).input_tokens(call)


async def load(name: str, make: Callable[[str], Any]) -> None:
    loader = Encodings(make)
    while loader.ready(name) is None:  # noqa: ASYNC110  (a thread of its own loads it, and tells nobody)
        await asyncio.sleep(0.001)
    KEPT.append(loader)  # to free an encoding takes as long again


KEPT: list[Encodings[Any]] = []


def pauses(rounds: int = 5) -> list[tuple[str, float, float]]:
    """Return what was done, how long it took and the longest pause, in ms; the medians of the rounds."""

    def median(make) -> tuple[float, float]:
        found = [asyncio.run(watched(make())) for _ in range(rounds)]
        return tuple(sorted(column)[rounds // 2] for column in zip(*found, strict=True))

    rows = [("nothing", *median(idle))]
    rows += [(f"loading light {name}", *median(lambda name=name: load(name, build_light))) for name in FACTS]
    for name in FACTS:
        LIGHT.load(name)
    rows += [
        (f"gpt-5.5, light: {name}", *median(lambda text=text: count("gpt-5.5", text)))
        for name, text in TEXTS.items()
        if text is None or len(text) <= LIGHT_LENGTH
    ]
    load_encodings()
    for model in ("gpt-5.5", "claude-sonnet-5"):
        rows += [
            (f"{model}: {name}", *median(lambda model=model, text=text: count(model, text)))
            for name, text in TEXTS.items()
        ]
    rows += [(f"loading {name}", *asyncio.run(watched(load(name, build)))) for name in FACTS]
    return rows


def micros(job, times: int = 100_000) -> float:
    begun = time.process_time()
    for _ in range(times):
        job()
    return (time.process_time() - begun) / times * 1e6


def costs() -> list[tuple[str, float]]:
    """Return what a call pays, in µs of CPU."""
    call = make_call("Why is the sky blue?", route="smart")
    usage, metering = Usage(13, 200), Metering()
    route = SimpleNamespace(name="smart", node=SimpleNamespace(targets=[SimpleNamespace(model="gpt-5.5")]))

    def meter() -> CallMeter:
        return CallMeter(metering, lambda _: route, route)

    one = meter()

    def ask() -> None:
        with suppress(StopIteration):
            meter().input_tokens(call).send(None)

    return [
        ("make a meter", micros(meter)),
        ("learn, nobody asked", micros(lambda: one.learn(call, "gpt-5.5", usage))),
        ("guess the output", micros(lambda: one.output_tokens(call))),
        ("count a short prompt", micros(ask, 20_000)),
    ]


def main() -> None:
    """Print both tables."""
    for name, took, pause in pauses():
        print(f"{name:40} took {took:8.1f} ms, longest pause {pause:6.2f} ms")
    for name, cost in costs():
        print(f"{name:40} {cost:8.2f} µs")


if __name__ == "__main__":
    main()

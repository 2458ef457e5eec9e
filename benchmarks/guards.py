"""A guard with everything on: what a prompt of 2 kB costs, new and known, and the longest pause of a loop meanwhile."""

from __future__ import annotations

import asyncio
import random
import statistics
import time

from counting import idle, watched
from guards_streams import PROSE, SECRETS, shuffled

from aigw import Chunk, Guard, Reply
from aigw.guards import Injection, Pii, Secrets
from aigw.runtime import drive
from aigw.testing import make_call

ROUNDS = 60
CODE = (
    "def settle(self, ticket: Ticket, used: Mapping[str, int]) -> None:\n    for claim in ticket.claims:\n"
    "        left = self._book[claim.key].left - used.get(claim.dimension, 0)\n        if left < 0:\n"
    "            raise LedgerError(f'{claim.key}: {left} left')  # see issue 4711, fixed in 2.14.3\n"
)
DOCUMENTS = {"prose": PROSE * 4, "prose with values": (PROSE + SECRETS) * 3, "code": CODE * 6}


async def inner(_: object) -> Reply:
    return Reply.replay([Chunk("fine", finish_reason="stop")])


def everything() -> Guard:
    return Guard(Pii(), Secrets(), Injection(), action={"INJECTION": "flag", "*": "mask"}, where="prompt")


def cost(guard: Guard, texts: list[str]) -> float:
    """Return the median µs of a call."""
    found = []
    for text in texts:
        call = make_call(text)
        begun = time.perf_counter()
        drive(guard.handle(call, inner))
        found.append(time.perf_counter() - begun)
    return statistics.median(found) * 1e6


def run() -> list[str]:
    """Return the table."""
    lines = [f"{'Guard(Pii, Secrets, Injection)':34} {'new µs':>8} {'known µs':>9}"]
    rng = random.Random(5)
    for name, document in DOCUMENTS.items():
        words = document.split(" ")
        new = [
            " ".join(rng.sample(words, len(words)) if name == "prose" else words)[:1990] + f" {n}"
            for n in range(ROUNDS)
        ]
        lines.append(
            f"{'2 kB of ' + name:34} {cost(everything(), new):8.0f} {cost(everything(), [new[0]] * ROUNDS):9.0f}"
        )
    lines.append(f"{'Longest pause of a loop':34} {'took ms':>8} {'pause ms':>9}")
    for name, text in {
        "nothing": "",
        "1 MB of prose": shuffled(PROSE, 1300)[:1_000_000],
        "1 MB of x": "x" * 10**6,
    }.items():
        took, pause = asyncio.run(looked_at(text))
        lines.append(f"{name:34} {took:8.1f} {pause:9.1f}")
    return lines


async def looked_at(text: str) -> tuple[float, float]:
    guard = everything()
    await guard.handle(make_call("hello", blocking=False), inner)
    return await watched(guard.handle(make_call(text, blocking=False), inner) if text else idle())


def main() -> None:
    for line in run():
        print(line)


if __name__ == "__main__":
    main()

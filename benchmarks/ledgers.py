"""What a reservation of three limits and its settlement cost, beside a hit of three limits of another library."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
import timeit
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from aigw.mechanics.limits import Claim, Rate, Slots, Spend
from aigw.runtime import BlockingRuntime, LoopRuntime, drive
from aigw.stores import Ledger, MemoryLedger, SqliteLedger

ROUNDS = 7
RATES = (Claim(Rate("requests", 10**9), 1), Claim(Rate("tokens", 10**12), 1000))
USED = (1, 900, 1)
CLAIMS = {
    "two rates and slots": (*RATES, Claim(Slots("calls", 100), 1)),
    "two rates and a budget": (*RATES, Claim(Spend("day", 10**15, 1, 1), 1000)),
}


def blocking(ledger: Ledger, claims: tuple[Claim, ...], times: int) -> float:
    """Return µs for a reservation and its settlement in the blocking face."""
    runtime = BlockingRuntime(None, random.Random(0), lambda: None)

    def call() -> None:
        ledger.settle(drive(ledger.reserve(claims, runtime, 60.0)), USED)

    return best(call, times)


def on_loop(ledger: Ledger, claims: tuple[Claim, ...], tasks: int) -> float:
    """Return µs for each of the calls of as many tasks."""

    async def call(runtime: LoopRuntime) -> None:
        ledger.settle(await ledger.reserve(claims, runtime, 60.0), USED)

    async def main() -> None:
        runtime = LoopRuntime(asyncio.get_running_loop(), None, random.Random(0), lambda: None)
        await asyncio.gather(*(call(runtime) for _ in range(tasks)))
        await ledger.used(claims[0].limit, runtime)

    return best(lambda: asyncio.run(main()), 1) / tasks


def limits_package() -> float | None:
    """Return µs for a moving window of three limits, in memory; ``None`` where the package is not there."""
    with suppress(ImportError):
        import limits

        hit = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage()).hit
        items = [limits.parse(f"{10**6} per {n} minute") for n in (1, 2, 3)]
        return best(lambda: [hit(item, "key") for item in items], 2000)
    return None


def bare_transaction(folder: Path, times: int) -> float:
    """Return µs for two transactions that write one row each, as SQLite does them."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")

        def twice() -> None:
            for _ in range(2):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT OR REPLACE INTO t VALUES (1, 2)")
                connection.execute("COMMIT")

        return best(twice, times)


def best(call: Any, times: int) -> float:
    """Return the µs of a call in the best round."""
    call()
    return min(timeit.repeat(call, number=times, repeat=ROUNDS)) / times * 1e6


def run() -> list[str]:
    """Return the rows of the table."""
    rows = []
    peer = limits_package()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = bare_transaction(folder, 1000)
        for what, claims in CLAIMS.items():
            rows.append(_row(f"memory: {what}", blocking(MemoryLedger(), claims, 20_000), peer))
            ledger = SqliteLedger(folder / "limits.db")
            rows.append(_row(f"SQLite: {what}", blocking(ledger, claims, 1000), bare))
            ledger.close()
        ledger = SqliteLedger(folder / "loop.db")
        rows.append(
            _row("SQLite: 100 tasks of a loop, each", on_loop(ledger, CLAIMS["two rates and a budget"], 100), bare)
        )
        ledger.close()
    return rows


def _row(name: str, ours: float, peer: float | None) -> str:
    return f"{name:38} {ours:8.1f} " + ("" if peer is None else f"{peer:8.1f} {ours / peer:7.2f}")


def main() -> None:
    """Print the table. Peers: three moving windows of ``limits`` in memory; two bare transactions of SQLite."""
    print(f"{'reserve + settle of three limits':38} {'aigw µs':>8} {'peer µs':>8}   ratio")
    for row in run():
        print(row)


if __name__ == "__main__":
    main()

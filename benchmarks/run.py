"""Run every benchmark: `nox -s bench`. Figures are ratios against a peer in the same run; see docs/benchmarks.md."""

from __future__ import annotations

import platform
from importlib.metadata import version

import adaptive
import affinity
import balancing
import choosing
import counting
import fairness
import guards_injection
import guards_moderation
import guards_pii
import guards_secrets
import guards_streams
import hedging
import importing
import ledgers
import memory
import metastability
import overhead
import priorities
import quotas
import redis_ledger

import dropin
import guards

GUARDS = {
    "Personal data": guards_pii.main,
    "Secrets": guards_secrets.main,
    "Injection": guards_injection.cost,  # what it finds needs data of others: see there
    "Moderation": guards_moderation.main,
    "Masking and restoring streams": guards_streams.main,
}


def main() -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("httpx", "httpcore", "h11", "pydantic_core", "anyio"))
    print(f"Python {platform.python_version()}, {packages}\n")
    print(f"{'CPU per call over loopback':34} {'aigw µs':>8} {'httpx µs':>8}   ratio")
    for row in overhead.run():
        print(row)
    print(f"\n{'CPU per call of an SDK':34} {'more µs':>8} {'SDK µs':>8}   ratio")
    for row in dropin.run():
        print(row)
    print("\nImport, CPU in fresh interpreters")
    medians = importing.run()
    for name, value in medians.items():
        print(f"{name:34} {value:8.1f} ms        {value / medians['import httpx']:5.2f}")
    print("\nLimits")
    ledgers.main()
    redis_ledger.main()
    print("\nGuards")
    guards.main()
    for title, job in GUARDS.items():
        print(f"\n{title}")
        job()
    print("\nTokens")
    counting.main()
    print("\nBalancing, in virtual time")
    for line in balancing.run(("score", "latency", "least_busy", "weighted")):
        print(line)
    for table in (balancing.recovery, affinity.run, quotas.run, priorities.run, choosing.run):
        print()
        for line in table():
            print(line)
    simulations = {
        "Hedging": hedging.run,
        "Adaptive concurrency": adaptive.run,
        "Fairness": fairness.run,
        "An outage": metastability.run,
    }
    for title, simulation in simulations.items():
        print(f"\n{title}, in virtual time")
        for line in simulation():
            print(line)
    print("\nResident memory over 20,000 calls, MiB after each tenth")
    found = memory.run()
    print(" ".join(f"{value:.1f}" for value in found), f"  grown after the first tenth: {found[-1] - found[0]:.2f}")


if __name__ == "__main__":
    main()

"""Whether memory stays flat over many calls: resident memory after each tenth, the first tenth left out as warm-up."""

from __future__ import annotations

import gc
from pathlib import Path

from overhead import PROMPT, make_gateway
from upstream import serving


def resident() -> float:
    """Resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def run(calls: int = 20_000) -> list[float]:
    """Make calls, streamed and not; return the resident memory after each tenth."""
    after = []
    with serving() as base, make_gateway(base) as gateway:
        for _ in range(10):
            for number in range(calls // 10):
                if number % 10:
                    gateway.chat(PROMPT, model="good")
                else:
                    with gateway.stream(PROMPT, model="good") as stream:
                        for _ in stream:
                            pass
            gc.collect()
            after.append(resident())
    return after


if __name__ == "__main__":
    found = run()
    print("MiB after each tenth of 20,000 calls:", " ".join(f"{value:.1f}" for value in found))
    print(f"grown after the first tenth: {found[-1] - found[0]:.2f} MiB")

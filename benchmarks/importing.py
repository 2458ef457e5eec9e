"""How long `import aigw` takes against `import httpx`: CPU in fresh interpreters, interleaved, medians."""

from __future__ import annotations

import statistics
import subprocess
import sys

STATEMENTS = {
    "import httpx": "import httpx",
    "import aigw": "import aigw",
    "import aigw; aigw.Gateway": "import aigw; aigw.Gateway",
}


def cpu_of(statement: str) -> float:
    """Milliseconds of CPU that a statement takes in a fresh interpreter."""
    code = f"import time; c = time.process_time(); {statement}; print((time.process_time() - c) * 1e3)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def run(rounds: int = 15) -> dict[str, float]:
    """Return the median of each."""
    found: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            found[name].append(cpu_of(statement))
    return {name: statistics.median(values) for name, values in found.items()}


if __name__ == "__main__":
    medians = run()
    for name, value in medians.items():
        print(f"{name:28} {value:6.1f} ms   {value / medians['import httpx']:.2f} of httpx")

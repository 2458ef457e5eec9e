"""What `Secrets` finds on generated rows and real code, and what looking costs: prose, code, logs, hostile texts."""

from __future__ import annotations

import random
import sys
import sysconfig
import time
from pathlib import Path

from aigw.guards import Secrets

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "guards" / "secrets"))

from rows import HALVES, figures, rows

PROSE = (
    "Nobody remembers who planted the old pear tree behind the library, but everybody has an opinion about it. The key "
    "to the gate is with the author of the town's chronicle, who passes it on each spring. In 1987 a storm took the "
    "largest branch; a carpenter made three benches of it. Please do not ask him for the password of the archive. "
)
LOG = (
    "2026-11-20T10:15:30.123Z INFO worker-{n} request_id=3f2b8c1e-77aa-4c1d-9e0f-{n:012d} GET /api/items?page={n} 200 "
    'trace=9f86d081884c7d659a2feaa0c55ad015 user_agent="Mozilla/5.0 (X11; Linux x86_64)"\n'
)
HOSTILE = (
    "password=",
    "password: ",
    "sk-proj-",
    "eyJ.",
    "-----BEGIN PRIVATE KEY-----\n",
    "://a:",
    "key is ",
    "is the password ",
    ":AA",
    "Q~",
    "pin ",
)


def micros(detector: Secrets, text: str, rounds: int = 5) -> float:
    """Return the least CPU for a text, in µs for each KB."""
    least = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        detector.find(text)
        least = min(least, time.process_time() - begun)
    return least * 1e6 / len(text) * 1024


def sources(most: int) -> list[Path]:
    """Return files of the standard library and of what is installed beside it, the same ones each time."""
    paths = sysconfig.get_paths()
    files = [path for root in ("stdlib", "purelib") for path in Path(paths[root]).rglob("*.py")]
    return random.Random(7).sample(sorted(set(files)), min(most, len(set(files))))


def main() -> None:
    detector = Secrets()
    print("rows              F1   recall  false alarms  coverage  rows")
    for half in HALVES:
        made = figures(detector.find, rows(half, each=20))
        print(
            f"{half:14} {made['f1']:6.3f} {made['recall']:8.3f} {made['false_positive_rate']:13.4f}"
            f" {made['coverage']:9.3f} {made['rows']:5.0f}"
        )
    files = sources(1500)
    size = hits = 0
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")[:200_000]
        size += len(text)
        hits += len(detector.find(text))
    print(f"\nreal code: {hits} finds in {size / 1e6:.1f} MB, {hits / size * 1e6:.2f} for each MB")
    code = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files[:40])
    log = "".join(LOG.format(n=number) for number in range(100))
    print("\nµs/KB             4 KB")
    for name, text in (
        ("prose", PROSE * 20),
        ("code", code),
        ("log", log),
        ("rows", "\n".join(row.text for row in rows("seen"))),
    ):
        print(f"{name:14} {micros(detector, text[:4096]):7.0f}")
    print("\nms for hostile    50,000  100,000 characters")
    for unit in HOSTILE:
        small, large = (
            micros(detector, (unit * (length // len(unit) + 1))[:length], 2) * length / 1024e3
            for length in (50_000, 100_000)
        )
        print(f"{unit[:14]!r:16} {small:7.0f} {large:8.0f}")


if __name__ == "__main__":
    main()

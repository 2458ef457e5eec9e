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
    " = password ",
    "key=",
    "token: ",
    "a.b.",
    "-p ",
    '"',
    "q9Xc2LmV7bNw4RtY",
    "sk-proj-",
    "eyJ",
    "eyJ.",
    "://",
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


def documents(share: float, number: int = 20) -> list[str]:
    """Join rows of both halves to texts of 4 KB, of which a share holds a secret."""
    rng = random.Random(7)
    texts: dict[bool, list[str]] = {True: [], False: []}
    for row in rows("seen") + rows("unseen"):
        texts[bool(row.secret)].append(row.text)
    made = []
    for _ in range(number):
        text = ""
        while len(text) < 4096:
            text += rng.choice(texts[rng.random() < share]) + "\n"
        made.append(text)
    return made


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
    for name, texts in (
        ("prose", [(PROSE * 20)[:4096]]),
        ("code", [code[at : at + 4096] for at in range(0, 20 * 4096, 4096)]),
        ("log", [log[:4096]]),
        ("rows", documents(1)),
        ("half of them", documents(0.5)),
        ("a tenth", documents(0.1)),
    ):
        print(f"{name:14} {sum(micros(detector, text) for text in texts) / len(texts):7.0f}")
    print("\nms for 1 MB")
    for name, text in (("prose", PROSE), ("code", code), ("x", "x"), ("a=b;", "a=b;")):
        large = (text * (1_000_000 // len(text) + 1))[:1_000_000]
        print(f"{name:14} {micros(detector, large, 1) * 1e6 / 1024e3:7.0f}")
    print("\nms for hostile   100,000  1,000,000 characters")
    for unit in HOSTILE:
        small, large = (
            micros(detector, (unit * (length // len(unit) + 1))[:length], 2) * length / 1024e3
            for length in (100_000, 1_000_000)
        )
        print(f"{unit[:14]!r:16} {small:7.0f} {large:10.0f}")


if __name__ == "__main__":
    main()

"""`Pii`: accuracy on generated sentences, cost per kB of text, and growth on texts made to be slow."""

# ruff: noqa: E501  (texts)
from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "guards" / "pii"))

import corpus

from aigw.guards.pii import Pii

PROSE = (
    "The committee met on Tuesday to discuss the new library, which had been planned for 12 years. Nobody was surprised "
    "that the costs had grown; what surprised them was by how much. \u201cWe will find a way,\u201d said the chair, and opened "
    "the window. Outside, the river moved slowly under the bridge, as it had in 1985. "
)
CODE = (
    "def load(path: str, *, size: int = 4096) -> list[Row]:\n    rows = [Row(line.split(',')[0:3]) for line in open(path)]\n"
    "    if len(rows) > 100 and rows[-1].id % 2 == 0:\n        log.info('%d rows\\n', len(rows))\n    return rows[1::2]\n\n"
)
LOG = '10.0.0.7 - - [15/Jan/2024:10:30:05 +0000] "GET /api/v1/items/1234567890?q=12 HTTP/1.1" 200 5316 "-" "curl/8.4.0" 0.123 1705312205\n'
SLOW = {
    "digits": "7",
    "digits and spaces": "1 ",
    "pairs": "12 34 56 78 90 ",
    "cards": "4111 1111 1111 1111 ",
    "dashes": "1-",
    "brackets": "(1",
    "at signs": "a@",
    "dots": "a.b@",
    "letters": "a",
    "colons": "a1:",
    "plus": "+1",
    "zero width": "1\u200b",
    "base 58": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ",
    "accounts": "GB29 ",
    "urls": "https://a:b",
    "marks": "(at",
    "spoken": "a at b dot ",
    "phones": "call 415-555-0132 ",
    "dates": "born 12 March 1985 ",
    "commas": "1,a",
    "months": "12 de enero de ",
    "hex": "ab:cd:ef:",
    "openers": "([{<",
    "zeros": "00 12 ",
    "threes": "123 456 789 ",
    "named pairs": "call 12 34 56 78 90 12 34 56 78 90 12 34 ",
    "mixed separators": "call 12 34-56 78 90-12 34 56-78 90 12-34 ",
    "born pairs": "born 12 34 56 78 90 12 34 56 78 90 12 34 ",
    "named cards": "card 123 456 123 456 123 456 123 456 123 456 ",
    "named numbers": "tax id ssn 123456789 ",
    "IBANs": "GB29 NWBK 6016 1331 9268 19 ",
    "networks": "10.0.0.1 ",
    "scripts": "\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 ",
    "papers": "passport 12345678 ",
    "letters and digits": "AB123456C ",
    "versions": "upgraded to 1.2.3.4 ",
    "acronyms": "D.B. ",
    "capitals": "1 AB CD ",
    "birthdays": "born 1/1/85 ",
}


def document(piece: str, size: int) -> str:
    return (piece * (size // len(piece) + 1))[:size]


def microseconds_per_kb(pii: Pii, text: str, rounds: int) -> float:
    best = min(_timed(pii, text) for _ in range(rounds))
    return best * 1e6 / (len(text.encode("utf-8", "replace")) / 1024)


def _timed(pii: Pii, text: str) -> float:
    begun = time.thread_time()
    pii.find(text)
    return time.thread_time() - begun


def main() -> None:
    pii = Pii()
    rows = corpus.positives(seed=11) + corpus.negatives()
    written = corpus.written()
    for half in (*corpus.HALVES, "written"):
        chosen = [row for row in rows + written if row.half == half]
        figures = corpus.score(pii, chosen)
        print(f"{half:12} {len(chosen)} rows: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    alarms = sum(len(pii.find(row.text)) for row in corpus.negatives())
    print(f"false alarms in {len(corpus.negatives())} hard negatives: {alarms}")
    rng = random.Random(3)
    mixed = " ".join(row.text for row in rng.sample(rows, 200))
    lines = "\n".join(row.text for row in rng.sample(written, len(written))) + "\n"
    for name, text in {"prose": PROSE, "code": CODE, "log": LOG, "personal data": mixed, "written": lines}.items():
        print(f"{name:14} {microseconds_per_kb(pii, document(text, 4096), 20):8.0f} us/KB")
    groups = "".join(str(rng.randrange(10 ** rng.randrange(1, 6))) + rng.choice(" -./") for _ in range(40_000))
    for name, piece in {**SLOW, "groups of any length": groups}.items():
        one, two = (microseconds_per_kb(pii, document(piece, size), 1) for size in (50_000, 100_000))
        print(f"{name:20} {one:8.0f} us/KB at 50 kB, {two:8.0f} at 100 kB")


if __name__ == "__main__":
    main()

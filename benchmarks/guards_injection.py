"""The injection guard: what it finds on data that was left out of training, and what it costs.

``python benchmarks/guards_injection.py <injection_train.jsonl>`` takes some minutes. Rows are left out by
quarters (of our own rows whole templates), and then by source.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import train_injection as tool

from aigw.guards.injection import Injection

SOURCES = (("deepset",), ("inthewild", "pyrit"), ("agentdojo", "bipia"))
ENGLISH = (
    "The museum opens at nine and closes at five; tickets are sold at the door. Which of the paintings would you see? "
)


def evaluate(bags: list[tool.Bag], is_out) -> list[tuple[tool.Row, bool]]:
    machine = tool.train([bag for bag in bags if not is_out(bag.row)], 8)
    out = [bag for bag in bags if is_out(bag.row)]
    return [(bag.row, machine.score(bag) >= tool.SHIFT or bag.by_rules >= 0.5) for bag in out]


def report(title: str, results: list[tuple[tool.Row, bool]]) -> None:
    table = defaultdict(list)
    for row, is_found in results:
        table[row.is_attack, row.source].append(is_found)
        if not row.source.startswith("own/"):
            table[row.is_attack, "= all of the data"].append(is_found)
    print(f"\n{title}")
    for (is_attack, source), found in sorted(table.items()):
        print(
            f"{('harmless', 'attacks ')[is_attack]} {source:26} {len(found):5} {sum(found) / len(found):6.1%} flagged"
        )


def cost() -> None:
    for name, detector in (("all", Injection()), ("rules alone", Injection(model=False))):
        for kind, text in (("prose", ENGLISH * 9), ("1 MB", ENGLISH * 9000)):
            detector.score(text)
            rounds = 200 if len(text) < 10_000 else 1
            begun = time.process_time()
            for _ in range(rounds):
                detector.score(text)
            spent = (time.process_time() - begun) / rounds
            print(f"{name:12} {kind:6} {spent / len(text) * 1024 * 1e6:7.0f} us/KB {spent:8.4f} s")


def main() -> None:
    maker = tool.Bags()
    bags = [maker.make(row) for row in [*tool.data_rows(Path(sys.argv[1])), *tool.own_rows()]]
    quarters = [evaluate(bags, lambda row, number=number: tool.quarter(row.group) == number) for number in range(4)]
    report("a quarter left out", [result for quarter in quarters for result in quarter])
    for sources in SOURCES:
        report(f"without {', '.join(sources)}", evaluate(bags, lambda row, out=sources: row.source in out))
    cost()


if __name__ == "__main__":
    main()

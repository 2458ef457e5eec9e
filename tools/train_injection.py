"""Makes the weights of `aigw.guards.Injection`: ``python tools/train_injection.py <injection_train.jsonl>``.

A linear support vector machine with squared hinge loss, trained by dual coordinate descent (Hsieh et al., 2008), on the
rows of the data and on texts written for this project (``injection_rows/``). The standard library only, and only sums,
products and roots in a fixed order, so that the same rows give the same weights on any machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zlib
from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import fsum, log, sqrt
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from aigw.guards.injection import features
from aigw.guards.injection.rules import rules
from aigw.guards.injection.salad import salad
from aigw.guards.injection.words import Words, read
from aigw.guards.normalise import fold
from aigw.guards.normalise_decoders import readings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROWS = Path(__file__).with_name("injection_rows")
HOME = Path(__file__).parents[1] / "src" / "aigw" / "guards" / "injection"
MOST_WINDOWS = 6
"""Windows of a row that are learned from: the first ones and the last."""
COST = 16.0
AGAINST = 3.0
"""How much more a false alarm costs than an attack that is missed."""
ROUNDS = 14
SLOPE = 4.0
"""How fast the score rises with the margin of the machine."""
SHIFT = 0.6
"""The margin where the score is one half, chosen by leaving out one source at a time (docs/guards/injection.md)."""
LENGTH = 0.7
"""What an e-fold number of windows takes from the margin: the highest of many is high by chance."""
QUOTED = 1.2
"""What is taken from the margin of a text that quotes attacks and talks about them."""
SAMPLES = 2
KINDS = (
    ("attacks", True),
    ("varied_attacks", True),
    ("benign", False),
    ("briefs", False),
    ("long_benign", False),
    ("guarded", False),
)
"""Files of templates, and whether they are attacks."""

_CHOICE = re.compile(r"\{([^{}]*)\}")
_COUNT = re.compile(r"(\d+): ")


@dataclass(frozen=True)
class Row:
    """A text to learn from; those of a group come from the same template."""

    text: str
    is_attack: bool
    source: str
    group: str


@dataclass
class Bag:
    """The windows of a row, as features; of an attack at least one window is an attack."""

    row: Row
    windows: list[array[int]]
    evidence: list[int]
    by_rules: float
    is_quoting: bool
    chosen: list[int] = field(default_factory=list)


def data_rows(path: Path) -> list[Row]:
    """Read the data."""
    lines = path.read_text(encoding="utf-8").strip().split("\n")
    records = [json.loads(line) for line in lines]
    return [
        Row(record["text"], record["label"] == 1, record["source"], record["text"])
        for record in records
        if record["kind"] != "indirect_plain" and not (record["label"] == 1 and is_plain_role(record))
    ]


def is_plain_role(record: dict[str, str]) -> bool:
    """Tell whether a row is an order to play a role, like thousands of harmless ones, though its source says attack."""
    return (
        record["source"] == "deepset"
        and re.match(r"I want you to act as|Ich möchte, dass (?:Sie|du) als", record["text"]) is not None
    )


def own_rows() -> list[Row]:
    """Read what was written for this project."""
    rows: dict[str, Row] = {}
    for name, is_attack in KINDS:
        for section, template, text in expand(ROWS / f"{name}.txt"):
            rows.setdefault(text, Row(text, is_attack, f"own/{section}", template))
    for name, is_attack in (("languages", True), ("languages_benign", False)):
        for line in (ROWS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[1:]:
            rows.setdefault(line, Row(line, is_attack, f"own/{name}", line))
    own = list(rows.values())
    return [*own, *in_forms(own), *in_company(own), *in_length(own), *own_documents(), *written()]


def quarter(group: str) -> int:
    """Return which quarter a group belongs to: rows are joined only within one, so that it can be left out whole."""
    return zlib.crc32(group.encode("utf-8", "replace")) % 4


def own_documents() -> Iterator[Row]:
    """Yield pieces of the documentation and the code of this project, as they were when the file was made."""
    for line in (ROWS / "documents.jsonl").read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["text"]
        yield Row(text, is_attack=False, source="own/documents", group=text)


def written() -> Iterator[Row]:
    """Yield texts that were written one by one or from templates with parts of their own: ``group`` tells which."""
    for line in (ROWS / "written.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield Row(record["text"], record["label"] == 1, f"own/{record['class']}", record["group"])


FORMS: tuple[str, ...] = (
    "# {}",
    "/* {} */",
    "<!-- {} -->",
    "> {}",
    "- {}",
    "User: {}",
    "Subject: {}",
    "({})",
    "**{}**",
    "<p>{}</p>",
    '{{"note": "{}"}}',
    '"{}"',
    "1. {}\n2. ok",
    "{}\n\nThanks!",
    "Hi! {}",
    "=head1 NOTES\n\n{}\n\n=cut",
    "=item C<{}>",
    ".SH DESCRIPTION\n{}",
    "\\section{{Notes}}\n{}",
    "notes: |\n  {}",
    "@@ -1 +1 @@\n+{}",
    "-- {}",
    "// {}",
    "; {}",
    "## {}",
    "[{}](https://docs.example/page)",
    "<li>{}</li>",
    "{}\n=====",
)
"""What harmless texts and attacks stand in alike, so that no form is a sign of either."""
LONGEST_IN_A_FORM = 200


def in_forms(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield short rows again, one in four in a form, or as the name of a file."""
    rng = Random("forms")  # noqa: S311  (the same forms each time)
    for row in rows:
        chance, number = rng.random(), int(rng.random() * (len(FORMS) + 2))
        if chance < 0.25 and len(row.text) < LONGEST_IN_A_FORM and "\n" not in row.text:  # noqa: PLR2004  (one in four)
            text = FORMS[number].format(row.text) if number < len(FORMS) else as_name(row.text)
            yield Row(text, row.is_attack, row.source, row.group)


def in_company(rows: list[Row]) -> Iterator[Row]:
    """Yield short rows, with harmless ones before or after it: one attack in six, one harmless text in three."""
    rng = Random("company")  # noqa: S311  (the same company each time)
    by_quarter = harmless_rows(rows, LONGEST_IN_A_FORM)
    for row in rows:
        harmless = by_quarter[quarter(row.group)]
        others = [harmless[int(rng.random() * len(harmless))].text for _ in range(1 + int(rng.random() * 3))]
        place, gap, chance = int(rng.random() * (len(others) + 1)), rng.random() < 0.3, rng.random()  # noqa: PLR2004
        if chance < (1 / 6 if row.is_attack else 1 / 3) and len(row.text) < LONGEST_IN_A_FORM:
            texts = [*others[:place], row.text, *others[place:]]
            yield Row(("\n\n" if gap else " ").join(texts), row.is_attack, row.source, row.group)


def harmless_rows(rows: list[Row], longest: int) -> list[list[Row]]:
    """Return the harmless rows below a length, by quarters."""
    short = [row for row in rows if not row.is_attack and len(row.text) < longest]
    return [[row for row in short if quarter(row.group) == number] for number in range(4)]


LONG_ROWS = 480
JOINTS = ("\n\n", "\n", " ", "\n- ", "\n\n## ")


def in_length(rows: list[Row]) -> Iterator[Row]:
    """Yield long harmless texts of many harmless ones: length is no sign of an attack."""
    rng = Random("length")  # noqa: S311  (the same texts each time)
    by_quarter = harmless_rows(rows, 1000)
    for number in range(LONG_ROWS):
        harmless = by_quarter[number % 4]
        chosen = [harmless[int(rng.random() * len(harmless))] for _ in range(6 + int(rng.random() * 12))]
        joint = JOINTS[int(rng.random() * len(JOINTS))]
        yield Row(joint.join([row.text for row in chosen]), is_attack=False, source="own/long", group=chosen[0].group)


def as_name(text: str) -> str:
    """Return a text as names of files are written."""
    return "_".join(re.findall(r"\w+", text.lower())) + ".pdf"


def expand(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the section, the template and the text of each sample of a file of templates."""
    lists: dict[str, list[str]] = {}
    rng, section = Random(path.name), ""  # noqa: S311  (the same texts each time)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines:
        if line.startswith("$"):
            name, _, values = line[1:].partition(" = ")
            lists[name] = values.replace("\\n", "\n").split(" | ")
    for line in lines:
        count = _COUNT.match(line)
        if line.startswith("["):
            section = line.strip("[]")
        if count:
            template = line[count.end() :].replace("{{", "\x01").replace("}}", "\x02").replace("\\n", "\n")
            for _ in range(int(count[1]) * SAMPLES):
                yield section, template, sample(template, lists, rng)


def sample(template: str, lists: dict[str, list[str]], rng: Random) -> str:
    """Choose among the alternatives of a template, the innermost first."""

    def choose(match: re.Match[str]) -> str:
        options = lists.get(match[1]) or match[1].split("|")
        if len(options) == 1:
            return f"\x01{match[1]}\x02"
        return options[int(rng.random() * len(options))]

    while _CHOICE.search(template):
        template = _CHOICE.sub(choose, template)
    text = template.replace("\x01", "{").replace("\x02", "}").strip()
    return text[:1].upper() + text[1:] if rng.random() < 0.6 else text  # noqa: PLR2004  (more often than not)


class Bags:
    """Makes bags; pieces of texts are looked at once."""

    def __init__(self) -> None:
        self._looks: dict[str, list[int]] = {}

    def make(self, row: Row) -> Bag:
        """Return the features of a row."""
        words = read(fold(row.text))
        fits = rules(words)
        hits = [*fits, *salad(row.text, words.folded)]
        windows = [*self._windows(words)]
        scores = [hit.score for hit in hits]
        for reading in map(read, readings(row.text)):
            windows += self._windows(reading)
            scores += [hit.score for hit in rules(reading)]
        evidence = [features.rule(hit.rule) for hit in hits]
        is_quoting = any(fit.is_quoting for fit in fits)
        return Bag(row, windows, evidence, max(scores, default=0.0), is_quoting, list(range(len(windows))))

    def _windows(self, words: Words) -> Iterator[array[int]]:
        for token in words.tokens:
            if token not in self._looks:
                self._looks[token] = features.look(token)
        parts = [features.chunk_features(self._looks, words, place) for place in features.chunks(len(words.tokens))]
        windows = [one + two for one, two in pairwise(parts)] or parts
        for window in windows if len(windows) <= MOST_WINDOWS else [*windows[: MOST_WINDOWS - 1], windows[-1]]:
            yield array("I", window)


class Machine:
    """The support vector machine."""

    def __init__(self) -> None:
        self.weights = [0.0] * (features.MASK + 1)
        self.bias = 0.0

    def margin(self, window: Sequence[int], evidence: Iterable[int]) -> float:
        """Return how far a window is on the side of attacks."""
        look = self.weights.__getitem__
        own = fsum(map(look, window)) / sqrt(max(len(window), features.FEWEST))
        return own + fsum(map(look, evidence)) * features.RULE_VALUE + self.bias

    def score(self, bag: Bag) -> float:
        """Return the margin of a row: that of its window that is most like an attack."""
        margins = [self.margin(window, bag.evidence) for window in bag.windows]
        less = LENGTH * log(max(len(margins), 1)) + (QUOTED if bag.is_quoting else 0.0)
        return max(margins, default=-9.0) - less

    def train(self, bags: Sequence[Bag], rounds: int, cost: float = COST) -> None:
        """Learn from the chosen windows of bags."""
        self.__init__()  # type: ignore[misc]  # from the beginning
        examples = [(bag, bag.windows[number]) for bag in bags for number in bag.chosen]
        signs = [1.0 if bag.row.is_attack else -1.0 for bag, _ in examples]
        norms = [_square(window, bag.evidence) for bag, window in examples]
        alphas = [0.0] * len(examples)
        diagonals = [0.5 / cost / (1.0 if sign > 0 else AGAINST) for sign in signs]
        order, rng = list(range(len(examples))), Random(0)  # noqa: S311  (the same order each time)
        for _ in range(rounds):
            for last in range(len(order) - 1, 0, -1):
                other = int(rng.random() * (last + 1))
                order[last], order[other] = order[other], order[last]
            for number in order:
                bag, window = examples[number]
                sign, alpha, diagonal = signs[number], alphas[number], diagonals[number]
                gradient = sign * self.margin(window, bag.evidence) - 1.0 + alpha * diagonal
                if alpha == 0.0 and gradient >= 0.0:
                    continue
                changed = max(alpha - gradient / (norms[number] + diagonal), 0.0)
                if changed != alpha:
                    alphas[number] = changed
                    self._move(window, bag.evidence, (changed - alpha) * sign)

    def _move(self, window: Sequence[int], evidence: Iterable[int], step: float) -> None:
        weights, small = self.weights, step / sqrt(max(len(window), features.FEWEST))
        for index in window:
            weights[index] += small
        for index in evidence:
            weights[index] += step * features.RULE_VALUE
        self.bias += step


def _square(window: Sequence[int], evidence: Sequence[int]) -> float:
    """Return the squared length of an example."""
    own = sum(count * count for count in Counter(window).values()) / max(len(window), features.FEWEST)
    return own + len(evidence) * features.RULE_VALUE**2 + 1.0


def train(bags: Sequence[Bag], rounds: int = ROUNDS) -> Machine:
    """Learn twice: the second time of attacks only from the windows that the first machine takes for one."""
    machine = Machine()
    for bag in bags:
        bag.chosen = list(range(len(bag.windows)))
    machine.train(bags, rounds // 2)
    for bag in bags:
        if bag.row.is_attack and len(bag.windows) > 1:
            margins = [machine.margin(window, bag.evidence) for window in bag.windows]
            bag.chosen = [at for at, margin in enumerate(margins) if margin > 0 or margin == max(margins)]
    machine.train(bags, rounds)
    return machine


def quantise(machine: Machine) -> tuple[bytes, float]:
    """Return the weights as signed bytes, and what a byte counts."""
    largest = max(map(abs, machine.weights))
    step = largest / 127
    return array("b", [round(weight / step) for weight in machine.weights]).tobytes(), step


def main() -> None:
    """Train, and write the weights into the package."""
    rows = [*data_rows(Path(sys.argv[1])), *own_rows()]
    maker = Bags()
    machine = train([maker.make(row) for row in rows])
    weights, step = quantise(machine)
    card = {
        "scale": step * SLOPE,
        "bias": (machine.bias - SHIFT) * SLOPE,
        "length": LENGTH * SLOPE,
        "quoted": QUOTED * SLOPE,
        "rows": len(rows),
        "attacks": sum(row.is_attack for row in rows),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    (HOME / "weights.bin").write_bytes(zlib.compress(weights, 9))
    (HOME / "weights.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(card))


if __name__ == "__main__":
    main()

"""`Model`: a linear model over hashed features, whose weights are a file of this package."""

from __future__ import annotations

import json
import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.guards.injection.features import (
    MASK,
    RULE_VALUE,
    classes,
    look,
    pair,
    pieces,
    rule,
    triple,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

WEIGHTS: Final = "weights.bin"
CARD: Final = "weights.json"
REMEMBERED: Final = 1 << 15
LONGEST_REMEMBERED: Final = 20


class _Seen(NamedTuple):
    weight: int
    features: int
    word: int
    letters: str


class Model:
    """Tells how much a folded text reads like an attack.

    Args:
        weights: one signed byte for each feature.
        scale: what a byte counts.
        bias: what is added.
    """

    def __init__(self, weights: bytes, scale: float, bias: float) -> None:
        self._weights = memoryview(weights).cast("b")
        self._scale = scale
        self._bias = bias
        self._seen: dict[str, _Seen] = {}

    def score(self, folded: str, rules: Iterable[str] = ()) -> float:
        """Return the highest score of a window of a text, from 0 to 1.

        Args:
            folded: the text, folded.
            rules: names of the rules that fit the whole of it.
        """
        evidence = sum([self._weights[rule(name)] for name in rules]) * RULE_VALUE
        margin = max(self._margins(folded), default=0.0) + evidence
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, margin * self._scale + self._bias))))

    def _margins(self, folded: str) -> list[float]:
        """Return the sum of the weights of each window over the root of the number of its features."""
        weights = self._weights
        found = pieces(folded)
        seen = {piece: self._look(piece) for piece in found}
        words = [seen[piece].word for piece in found]
        pairs = [*map(pair, words, words[1:])]
        triples = [*map(triple, words, words[1:], words[2:])]
        margins: list[float] = []
        for start, end in windows(len(found)):
            own = [seen[piece] for piece in set(found[start:end])]
            letters = "".join([seen[piece].letters for piece in found[start:end]])
            others = [*set(pairs[start : end - 1]), *set(triples[start : max(start, end - 2)]), *set(classes(letters))]
            total = sum([one.weight for one in own]) + sum([weights[index] for index in others])
            margins.append(total / math.sqrt(max(sum([one.features for one in own]) + len(others), 1)))
        return margins

    def _look(self, piece: str) -> _Seen:
        known = self._seen.get(piece)
        if known is None:
            new = look(piece)
            known = _Seen(sum([self._weights[at] for at in new.indices]), len(new.indices), new.word, new.letters)
            if len(self._seen) < REMEMBERED and len(piece) <= LONGEST_REMEMBERED and piece.strip(".,;:!?").isalpha():
                self._seen[piece] = known
        return known


@cache
def load() -> Model:
    """Read the model of this package, once.

    Raises:
        ValueError: the file is not the one that the card tells of.
    """
    home = resources.files("aigw.guards.injection")
    weights = home.joinpath(WEIGHTS).read_bytes()
    card = json.loads(home.joinpath(CARD).read_text(encoding="utf-8"))
    if len(weights) != MASK + 1:
        raise ValueError(f"{WEIGHTS} has {len(weights)} bytes, not {MASK + 1}")
    return Model(weights, card["scale"], card["bias"])

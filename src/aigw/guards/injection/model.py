"""`Model`: a linear model over hashed features, whose weights are a file of this package."""

from __future__ import annotations

import json
import math
import zlib
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe
from aigw.guards.injection.features import (
    FEWEST,
    MASK,
    RULE_VALUE,
    chunks,
    classes,
    left,
    look,
    of_classes,
    pairs,
    right,
    rule,
)
from aigw.guards.injection.senses import senses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.guards.injection.mention import Mentions
    from aigw.guards.injection.words import Words

WEIGHTS: Final = "weights.bin"
CARD: Final = "weights.json"
REMEMBERED: Final = 1 << 15
LONGEST_REMEMBERED: Final = 20
UNLIKELY: Final = -2.0
"""The margin below which a text is none, whatever else is known of it."""
_ZERO: Final = 128
"""The byte that stands for no weight in memory: bytes without a sign are looked up several times faster."""
_UNSIGNED: Final = bytes([(code + _ZERO) % 256 for code in range(256)])

_Seen = tuple[int, int, int, int]
"""Of a token: the sum of the weights of its features, their number, and its halves of pairs."""


class _OfClasses(dict[str, int]):
    """The weights of classes of words, each looked up once."""

    def __init__(self, weights: bytes) -> None:
        super().__init__()
        self._weights = weights

    def __missing__(self, letters: str) -> int:
        weight = self._weights[of_classes(letters)] - _ZERO
        if len(self) < REMEMBERED:
            self[letters] = weight
        return weight


class Model:
    """Tells how much a folded text reads like an attack.

    Args:
        weights: one signed byte for each feature.
        scale: what a byte counts.
        bias: what is added.
        length: what is taken away for each time that the number of windows grows e-fold: the highest of many
            is high by chance.
        quoted: what is taken away from a text that quotes an attack: the model knows no quotation.
    """

    def __init__(self, weights: bytes, scale: float, bias: float, *, length: float, quoted: float) -> None:
        self._weights = weights.translate(_UNSIGNED)
        self._of_classes = _OfClasses(self._weights)
        self._scale = scale
        self._bias = bias
        self._length = length
        self._quoted = quoted
        self._seen: dict[str, _Seen] = {}

    def score(
        self,
        words: Words,
        rules: Sequence[str] = (),
        windows: int = 1,
        mentions: Mentions | None = None,
        *,
        is_quoting: bool = False,
    ) -> float:
        """Return the highest score of a window of a text, from 0 to 1.

        Args:
            words: the text.
            rules: names of the rules that fit the whole of it.
            windows: of all the text that it is read from; its own count at least.
            mentions: tells whether the text is an article on attacks; asked only where that may matter.
            is_quoting: the words of a rule are quoted.
        """
        evidence = sum([self._weights[rule(name)] - _ZERO for name in rules]) * RULE_VALUE
        margins = self._margins(words)
        margin = (max(margins, default=0.0) + evidence) * self._scale + self._bias
        margin -= self._length * math.log(max(len(margins), windows, 1))
        if is_quoting or (margin > UNLIKELY and mentions and mentions.is_article):
            margin -= self._quoted
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, margin))))

    def _margins(self, words: Words) -> list[float]:
        """Return the sum of the weights of each window over the root of the number of its features."""
        look_up, known, of_parts = self._weights.__getitem__, self._seen.get, self._of_classes.__getitem__
        tokens, letters = words.tokens, words.letters
        seen = {token: known(token) or self._look(token) for token in words.kinds}
        in_order = [seen[token] for token in tokens]
        lefts, rights = [one[2] for one in in_order], [one[3] for one in in_order]
        sums: list[tuple[int, int]] = []
        for start, end in chunks(len(tokens)):
            breathe()
            own = {*in_order[start:end]}
            near = pairs(lefts, rights, start, end)
            parts = classes("".join(letters[start:end]))
            total = sum([one[0] for one in own]) + sum(map(look_up, near)) + sum(map(of_parts, parts))
            count = sum([one[1] for one in own]) + len(parts)
            sums.append((total - _ZERO * len(near), count + len(near)))
        windows = [*pairwise(sums)] or [(one, (0, 0)) for one in sums]
        return [(one[0] + two[0]) / math.sqrt(max(one[1] + two[1], FEWEST)) for one, two in windows]

    def _look(self, token: str) -> _Seen:
        """Look at a token; what is not made of letters may be a key or a number, and is not kept."""
        indices = look(token)
        total = sum(map(self._weights.__getitem__, indices)) - _ZERO * len(indices)
        seen = (total, len(indices), left(indices[0]), right(indices[0]))
        if len(token) <= LONGEST_REMEMBERED and len(self._seen) < REMEMBERED and (token.isalpha() or len(token) == 1):
            self._seen[token] = seen
        return seen


@cache
def load() -> Model:
    """Read the model of this package with the senses of words, once.

    Raises:
        ValueError: the file is not the one that the card tells of.
    """
    home = resources.files("aigw.guards.injection")
    weights = zlib.decompress(home.joinpath(WEIGHTS).read_bytes())
    card = json.loads(home.joinpath(CARD).read_text(encoding="utf-8"))
    senses()
    if len(weights) != MASK + 1:
        raise ValueError(f"{WEIGHTS} has {len(weights)} bytes, not {MASK + 1}")
    return Model(weights, card["scale"], card["bias"], length=card["length"], quoted=card["quoted"])

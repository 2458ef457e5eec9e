"""Makes `senses.txt`: groups of English words that mean nearly the same: ``python tools/word_senses.py <model.gguf>``.

The words are those that the vocabulary of a small language model has as a whole, and the groups are found by spherical
k-means (Dhillon and Modha, 2001) over its table of embeddings, without what all words have in common (Mu and Viswanath,
2018). The model is SmolLM2-135M-Instruct (Apache-2.0), which ``aigw[local]`` installs. Needs ``numpy`` and ``gguf``;
other versions of these may round otherwise and move words that lie between two groups.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, dequantize

SENSES = Path(__file__).parents[1] / "src" / "aigw" / "guards" / "injection" / "senses.txt"
GROUPS = 1500
ROUNDS = 25
COMMON = 3
"""Directions in which all words lie."""
_WORD = re.compile("\u0120([A-Za-z]{2,})")  # the first character stands for a space before the word
_HEAD = """\
# Words that mean nearly the same, a group a line: made by tools/word_senses.py from the embeddings of
# SmolLM2-135M-Instruct (Hugging Face, Apache-2.0).
"""


def read(path: str) -> tuple[list[str], np.ndarray]:
    """Return the words of a model, and a vector of length one for each."""
    model = GGUFReader(path)
    tokens = model.fields["tokenizer.ggml.tokens"]
    names = [bytes(tokens.parts[at]).decode() for at in tokens.data]
    [table] = [tensor for tensor in model.tensors if tensor.name == "token_embd.weight"]
    rows = dequantize(table.data, table.tensor_type).astype(np.float32)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if word := _WORD.fullmatch(name):
            places.setdefault(word[1].lower(), []).append(place)
    words = sorted(places)
    vectors = np.stack([rows[places[word]].mean(0) for word in words])
    vectors -= vectors.mean(0)
    common = np.linalg.svd(vectors, full_matrices=False)[2][:COMMON]
    vectors -= vectors @ common.T @ common
    return words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def groups(vectors: np.ndarray) -> np.ndarray:
    """Return the group of each vector."""
    centres = vectors[np.random.default_rng(0).choice(len(vectors), GROUPS, replace=False)]
    for _ in range(ROUNDS):
        likeness = vectors @ centres.T
        nearest = likeness.argmax(1)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        empty = np.bincount(nearest, minlength=GROUPS) == 0
        sums[empty] = vectors[likeness.max(1).argsort()[: empty.sum()]]
        centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return nearest


def main() -> None:
    """Write the groups of more than one word, in alphabetical order."""
    words, vectors = read(sys.argv[1])
    found: dict[int, list[str]] = {}
    for word, group in zip(words, groups(vectors), strict=True):
        found.setdefault(int(group), []).append(word)
    lines = sorted(" ".join(group) for group in found.values() if len(group) > 1)
    SENSES.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

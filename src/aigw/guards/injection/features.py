"""Features of the model: hashed beginnings, endings and insides of words, words one to three, and their classes.

The same code runs when the model is trained and when it is asked. A feature is the CRC-32 of its text (ITU-T V.42,
computed in C), cut to the number of weights; collisions are part of the model.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

from aigw.guards.injection.words import classify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BITS: Final = 17
MASK: Final = (1 << BITS) - 1
WINDOW: Final = 128
"""Pieces of a window: about 750 characters of English."""
STRIDE: Final = 64
RULE_VALUE: Final = 0.3
"""What a rule counts, where all the pieces of a window together count one."""

_PIECE: Final = re.compile(r"\S{1,24}")
_EDGES: Final = re.compile(r"^[^\w]+|[^\w]+$")
_DIGITS: Final = str.maketrans("123456789", "000000000")
_RUN_OF_LETTERS: Final = re.compile(r"[^\W\d_]+")
_GRAMS: Final = (2, 3, 4, 5)
_SEED_OF_WORD: Final = 1
_SEED_OF_SHAPE: Final = 2
_SEED_OF_CLASS: Final = 4
_SEED_OF_RULE: Final = 5


_SPREAD: Final = 0x9E3779B1
_HIGH: Final = 12
"""A multiplier that spreads hashes over all bits (the golden ratio, Knuth), and the bits that are left out as the least
mixed ones."""


class Piece(NamedTuple):
    """What one piece of a text, a run without spaces, adds.

    Args:
        indices: of its features.
        word: the hash of it without the punctuation around it.
        letters: the classes of its words.
    """

    indices: tuple[int, ...]
    word: int
    letters: str


def pieces(folded: str) -> list[str]:
    """Cut a folded text at spaces; a run without spaces is cut as well, once it gets long."""
    return _PIECE.findall(folded)


def look(piece: str) -> Piece:
    """Return what a piece adds."""
    plain = piece.translate(_DIGITS)
    word = _EDGES.sub("", plain)
    padded = f" {plain} "
    if padded.isascii():
        octets = padded.encode()
        indices = [crc32(octets[at : at + size]) & MASK for size in _GRAMS for at in range(len(padded) - size + 1)]
    else:
        indices = [_index(padded[at : at + size], 0) for size in _GRAMS for at in range(len(padded) - size + 1)]
    word_hash = crc32(word.encode("utf-8", "replace"), _SEED_OF_WORD)
    if word:
        indices.append(word_hash & MASK)
    shape = _RUN_OF_LETTERS.sub("a", plain)
    if len(shape) > 1:
        indices.append(_index(shape[:8], _SEED_OF_SHAPE))
    return Piece(tuple(dict.fromkeys(indices)), word_hash, classify(piece))


def pair(first: int, second: int) -> int:
    """Return the feature of two words in a row, from their hashes."""
    return ((first * _SPREAD + second) * _SPREAD >> _HIGH) & MASK


def triple(first: int, second: int, third: int) -> int:
    """Return the feature of three words in a row, from their hashes."""
    return (((first * _SPREAD + second) * _SPREAD + third) * _SPREAD >> _HIGH) & MASK


def classes(letters: str) -> Iterator[int]:
    """Yield the features of the classes of words: those that follow each other within a sentence, others left out."""
    for sentence in letters.replace(".", "").split("|"):
        for at in range(len(sentence) - 1):
            yield _class_index(sentence[at : at + 2])
            if at + 2 < len(sentence):
                yield _class_index(sentence[at : at + 3])


@lru_cache(1 << 14)
def _class_index(letters: str) -> int:
    return _index(letters, _SEED_OF_CLASS)


def rule(name: str) -> int:
    """Return the feature of a rule that fits the text."""
    return _index(name, _SEED_OF_RULE)


def windows(count: int) -> list[tuple[int, int]]:
    """Return where the windows of a text of some pieces begin and end: each piece is in one or two of them."""
    if count <= WINDOW:
        return [(0, count)]
    starts = [*range(0, count - WINDOW, STRIDE), count - WINDOW]
    return [(start, start + WINDOW) for start in starts]


def window_features(looks: Sequence[Piece], start: int, end: int) -> Iterable[int]:
    """Yield the features of a window, as training needs them; `Model` adds up the same ones faster.

    What stands in a window several times counts once, so that repetition makes nothing look worse.
    """
    for one in dict.fromkeys(looks[start:end]):
        yield from one.indices
    words = [one.word for one in looks[start:end]]
    yield from dict.fromkeys(map(pair, words, words[1:]))
    yield from dict.fromkeys(map(triple, words, words[1:], words[2:]))
    yield from dict.fromkeys(classes("".join([one.letters for one in looks[start:end]])))


def _index(text: str, seed: int) -> int:
    return crc32(text.encode("utf-8", "replace"), seed) & MASK

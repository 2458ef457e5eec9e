"""Features of the model: hashed words and their senses, pairs of words in a row or with one between, classes of words.

The same code runs when the model is trained and when it is asked. A feature of a word is the CRC-32 of a part of it
(ITU-T V.42, computed in C), cut to the number of weights; collisions are part of the model.
"""

from __future__ import annotations

import re
from itertools import repeat
from operator import add, xor
from typing import TYPE_CHECKING, Final
from zlib import crc32

from aigw.guards.injection.senses import senses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.guards.injection.words import Words

BITS: Final = 20
MASK: Final = (1 << BITS) - 1
CHUNK: Final = 80
"""Tokens that are counted together; two neighbouring chunks are a window, about 800 characters of English."""
FEWEST: Final = 10
"""Features of a window that count at least, so that a sign that is repeated does not say as much as a sentence."""
RULE_VALUE: Final = 0.3
"""What a rule counts, where all the tokens of a window together count one."""

_DIGITS: Final = str.maketrans("123456789", "000000000")
_UNSPACED: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff]")
_SEED_OF_WORD: Final = 1
_SEED_OF_BEGINNING: Final = 2
_SEED_OF_ENDING: Final = 3
_SEED_OF_CLASS: Final = 4
_SEED_OF_RULE: Final = 5
_SEED_OF_PART: Final = 6
_SEED_OF_SENSE: Final = 7
_LONGEST: Final = 24
_SHORT: Final = 3
_APART: Final = 0x15555
_FIRST: Final = 8191
_SECOND: Final = 5381
"""Primes that make two hashes of one: the checksum is linear, and pairs must not be."""


def look(token: str) -> list[int]:
    """Return the features of a token: the hash of all of it, that of its sense, if it has one, those of its parts."""
    number = senses().get(token)
    if number is not None:
        return [_index(token, _SEED_OF_WORD), _index(str(number), _SEED_OF_SENSE)]
    plain = token[:_LONGEST] if token.isalpha() else token[:_LONGEST].translate(_DIGITS)
    own = _index(plain, _SEED_OF_WORD)
    return [own] if plain.isascii() else [own, *_parts(plain)]


def _parts(plain: str) -> list[int]:
    """Return the features of the parts of a word that is not ASCII; of a script without spaces all short ones."""
    if _UNSPACED.search(plain):
        sizes = (1, 2, 3)
        return [_index(plain[at : at + size], _SEED_OF_PART) for size in sizes for at in range(len(plain) - size + 1)]
    parts = [_index(plain[:size], _SEED_OF_BEGINNING) for size in range(3, min(len(plain), 7))]
    return [*parts, _index(plain[-3:], _SEED_OF_ENDING)] if len(plain) > _SHORT else parts


def left(index: int) -> int:
    """Return the half that a word adds to the feature of a pair where it is the first one, from its own feature."""
    return index * _FIRST >> 3 & MASK


def right(index: int) -> int:
    """Return the half that a word adds to the feature of a pair where it is the second one."""
    return index * _SECOND >> 5 & MASK


def pairs(lefts: Sequence[int], rights: Sequence[int], start: int, end: int) -> set[int]:
    """Return the features of two words in a row, or with one between them; the first is one of a chunk."""
    first = lefts[start:end]
    found = {*map(xor, first, rights[start + 1 : end + 1])}
    found.update(map(xor, map(xor, first, rights[start + 2 : end + 2]), repeat(_APART)))
    return found


def classes(letters: str) -> set[str]:
    """Return the classes of two and of three words that follow each other, words without a class left out."""
    known = letters.replace(".", "")
    parts = {*map(add, known, known[1:])}
    parts.update(map("".join, zip(known, known[1:], known[2:], strict=False)))
    return parts


def of_classes(letters: str) -> int:
    """Return the feature of classes of words; the end of a sentence is one of them."""
    return _index(letters, _SEED_OF_CLASS)


def rule(name: str) -> int:
    """Return the feature of a rule that fits the text."""
    return _index(name, _SEED_OF_RULE)


def chunks(count: int) -> list[tuple[int, int]]:
    """Return where the chunks of a text of some tokens begin and end."""
    return [(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def chunk_features(looks: Mapping[str, Sequence[int]], words: Words, place: tuple[int, int]) -> list[int]:
    """Return the features of a chunk, as training needs them; `Model` adds up the same ones faster.

    What stands in a chunk several times counts once, so that repetition makes nothing look worse.

    Args:
        looks: what `look` says of each token.
        words: the text.
        place: where the chunk begins and ends.
    """
    start, end = place
    found = [index for token in {*words.tokens[start:end]} for index in looks[token]]
    own = [looks[token][0] for token in words.tokens[start : end + 2]]
    found += pairs([*map(left, own)], [*map(right, own)], 0, end - start)
    found += map(of_classes, classes("".join(words.letters[start:end])))
    return sorted(found)


def _index(text: str, seed: int) -> int:
    return crc32(text.encode("utf-8", "replace"), seed) & MASK

"""Beginnings of prompts: equal ones have equal keys, and are remembered for a while by who has read them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.mechanics import prefix
from aigw.mechanics.prefix import BLOCK, LASTS, MOST, MOST_BLOCKS, Blocks, Prefixes, cut

pieces = st.lists(st.builds(lambda letter, size: letter * size, st.sampled_from("ab"), st.integers(0, 3 * BLOCK)))


@settings(max_examples=50)
@given(pieces, pieces, pieces)
def test_equal_beginnings_have_equal_keys(common, one, other):
    """Two prompts share the keys of the blocks that end within what they have in common, and no later ones."""
    a, b, shared = cut((), common + one), cut((), common + other), cut((), common)
    same = [first == second for first, second in zip(a.keys, b.keys, strict=False)]

    assert a.keys[: len(shared.keys)] == b.keys[: len(shared.keys)] == shared.keys
    assert same == sorted(same, reverse=True)
    assert all(later - earlier >= BLOCK / 4 for earlier, later in zip(a.tokens, a.tokens[1:], strict=False))


def test_what_is_cut():
    """A short prompt has no blocks, a long one not too many; what comes before the texts counts as well."""
    assert not cut((), ["x" * (BLOCK - 1)]).keys
    assert len(cut((), ["x" * BLOCK * 3]).keys) == 3
    assert len(cut((), ["x" * 100] * BLOCK).keys) == MOST_BLOCKS
    assert cut("a", ["x" * BLOCK]).keys != cut("b", ["x" * BLOCK]).keys


def test_who_has_read_how_much():
    """Each member is found with the longest beginning that it has read, the best first, until that is too long ago."""
    known, blocks = Prefixes(), cut((), ["a" * BLOCK, "b" * BLOCK])
    known.learn(Blocks(blocks.keys[:1], blocks.tokens[:1]), "short", 0.0)
    known.learn(blocks, "long", 100.0)

    assert list(known.read(blocks, 200.0).items()) == [("long", BLOCK / 2), ("short", BLOCK / 4)]
    assert known.read(blocks, LASTS + 50) == {"long": BLOCK / 2}
    assert known.read(blocks, LASTS + 150) == {}
    assert known.read(cut((), ["b" * BLOCK]), 200.0) == {}


def test_what_is_remembered_is_bounded():
    """What was used least lately is forgotten first."""
    known = Prefixes()
    for number in range(MOST + 100):
        known.learn(Blocks((number,), (1.0,)), "a", 0.0)
        known.learn(Blocks((0,), (1.0,)), "b", 0.0)

    assert len(known) == MOST
    assert known.read(Blocks((0,), (1.0,)), 0.0) == {"a": 1.0, "b": 1.0}
    assert known.read(Blocks((50,), (1.0,)), 0.0) == {}


def test_reading_is_work():
    """A prompt of 18,000 tokens that must be read again about doubles a call; nothing missing costs nothing."""
    assert prefix.work(0.0) == 1.0
    assert 1.9 < prefix.work(18_000) < 2.1

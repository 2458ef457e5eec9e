"""What stands in for a model: counting, cutting, vectors."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from aigw.testing.fake_model import count_tokens, pieces, vector


@given(st.text())
def test_pieces_are_the_text(text):
    """Joined, the pieces are the text; no piece is empty."""
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


def test_words_are_pieces_and_tokens():
    """A word is a piece with the space behind it, and a token."""
    assert pieces("a bc\n d") == ["a ", "bc\n ", "d"]
    assert count_tokens("a bc\n d") == 3


@given(st.text(), st.text(), st.integers(1, 64))
def test_a_vector_depends_on_nothing_but_its_text(first, second, dimensions):
    """The same text has the same vector, another text another one; its length is 1."""
    made = vector(first, dimensions)

    assert len(made) == dimensions
    assert math.isclose(math.hypot(*made), 1)
    assert made == vector(first, dimensions)
    assert (vector(first, 16) == vector(second, 16)) == (first == second)

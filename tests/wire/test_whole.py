"""What the chunks of an answer say of all of it."""

from __future__ import annotations

import pytest

from aigw.chunk import Chunk, Usage
from aigw.wire.whole import id_of, last_usage, model_of, own_extra, own_extras

CHUNKS = [
    Chunk("a", extra={"x": 1, "y": 1}, wire="this"),
    Chunk("b", id="first", model="m", usage=Usage(1), extra={"x": 2}),
    Chunk("c", id="second", usage=Usage(1, 2), extra={"z": 3}, wire="other"),
    Chunk("d"),
]


def test_identity_is_told_by_the_first_that_knows_it() -> None:
    """The first id and model count; where there are none, the default does."""
    assert (id_of(CHUNKS, "none"), model_of(CHUNKS, "none")) == ("first", "m")
    assert (id_of([], "none"), model_of([Chunk("x")], "none")) == ("none", "none")


def test_usage_is_told_by_the_last() -> None:
    """The last usage is that of the whole."""
    assert last_usage(CHUNKS) == Usage(1, 2)
    assert last_usage([Chunk("x")]) is None


@pytest.mark.parametrize(("at", "extra"), [(0, {"x": 1, "y": 1}), (1, {"x": 2}), (2, {}), (3, {})])
def test_fields_of_other_formats_mean_nothing(at: int, extra: dict) -> None:
    """Unknown fields count if they are of this format or were made by hand."""
    assert own_extra(CHUNKS[at], "this") == extra


def test_the_last_chunk_that_tells_a_field_counts() -> None:
    """The fields of all chunks are joined."""
    assert own_extras(CHUNKS, "this") == {"x": 2, "y": 1}

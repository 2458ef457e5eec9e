"""`Pool`: how many may be out at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.pool import Pool


@pytest.mark.parametrize(("size", "most"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)])
def test_never_more_than_half_nor_the_last_one(size, most):
    """Of a pool at most half may leave, and of a pool of one nobody."""
    pool = Pool(size)

    assert [pool.leave() for _ in range(size)] == [True] * most + [False] * (size - most)


@given(size=st.integers(1, 12), steps=st.lists(st.booleans(), max_size=60))
def test_places_are_kept_count_of(size, steps):
    """However members come and go, the count is right and more than half stay."""
    pool, out = Pool(size), 0
    for leaves in steps:
        if leaves:
            out += pool.leave()
        elif out:
            pool.come_back()
            out -= 1
        assert pool.out == out <= size / 2
    assert out < size

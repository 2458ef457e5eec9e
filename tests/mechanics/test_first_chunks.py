"""`FirstChunks`: what is usual of a target, and when nothing is known."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.first_chunks import LASTS, LEAST, MOST, FirstChunks


def seen(times, *, every=0.0):
    """Make one that has seen these times."""
    chunks = FirstChunks()
    for number, seconds in enumerate(times):
        chunks.add(seconds, number * every)
    return chunks


@given(st.lists(st.floats(0, 100), max_size=100))
def test_half_of_the_newest_stay_below(times):
    """It is the median of the newest times, and nothing while there are too few."""
    usual = seen(times).usual(0.0)

    assert usual == (statistics.median_high(times[-MOST:]) if len(times) >= LEAST else None)


def test_what_is_old_is_forgotten():
    """A target that nobody asks any more, because it was slow, is tried again after a minute."""
    chunks = seen([5.0] * MOST)

    assert chunks.usual(LASTS) == 5.0
    assert chunks.usual(LASTS + 1) is None


def test_it_follows():
    """Times change, and so does what is usual."""
    chunks = seen([5.0] * MOST + [1.0] * MOST, every=0.1)

    assert chunks.usual(8.0) == pytest.approx(1.0)

"""Limits are plain values."""

from __future__ import annotations

import pytest

from aigw.mechanics.limits import LONGEST_PERIOD, Claim, Denial, Rate, Slots, Spend


def test_limits_are_values():
    """Equal limits are the same key of a dict, and cannot be changed."""
    assert Rate("a", 1) == Rate("a", 1, window=60.0, burst=10.0)
    assert len({Slots("a", 1), Slots("a", 1), Slots("b", 1)}) == 2
    with pytest.raises(AttributeError):
        Slots("a", 1).capacity = 2  # type: ignore[misc]


def test_what_limits_do_without_their_store():
    """Rates and slots are counted in this process then; money is not spent at all."""
    assert [limit.when_down for limit in (Rate("a", 1), Slots("a", 1), Spend("a", 1, 0, 0))] == [
        "local",
        "local",
        "closed",
    ]


def test_a_period_lasts_a_month_unless_told():
    """A store may forget what was spent a month ago."""
    assert Spend("a", 1, 0, 0).lasts == LONGEST_PERIOD > 31 * 86_400


def test_a_denial_tells_no_more_than_it_knows():
    """It is neither for ever nor for want of an answer, unless said so."""
    denial = Denial(Claim(Slots("a", 1), 1).limit, None)

    assert not denial.never
    assert not denial.unknown

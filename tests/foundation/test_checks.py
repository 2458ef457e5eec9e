"""Checks of arguments: what they take, and how they name what is wrong."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw import checks
from aigw.errors import ConfigError


@given(st.floats(0, 1e300, exclude_min=True) | st.integers(1, 10**9))
def test_seconds(value):
    """Any positive number of seconds is taken, and is a float then."""
    taken = checks.seconds("x", value)

    assert taken == value
    assert type(taken) is float


def test_seconds_as_a_timedelta():
    """A `timedelta` is taken as its seconds."""
    assert checks.seconds("x", timedelta(minutes=1, milliseconds=500)) == 60.5


@pytest.mark.parametrize("value", [0, -1, -0.5, math.inf, math.nan, True, "5", None, [], timedelta(0), timedelta(-1)])
def test_no_seconds(value):
    """Nothing, negative, endless, not a number: each is refused, with the argument's name and the value."""
    with pytest.raises(ConfigError, match=r"^Deadline\(seconds\) must be a positive number of seconds, not "):
        checks.seconds("Deadline(seconds)", value)


@given(st.integers(-5, 5), st.integers(0, 10))
def test_at_least(least, more):
    """A whole number that is large enough is taken as it is, and one below is refused."""
    assert checks.at_least("x", least + more, least) == least + more
    with pytest.raises(ConfigError, match=rf"x must be a whole number of at least {least}, not {least - 1 - more}$"):
        checks.at_least("x", least - 1 - more, least)


@pytest.mark.parametrize("value", [1.0, True, "1", None, math.nan])
def test_no_whole_number(value):
    """What is not an int is refused, also a float that is whole and a bool."""
    with pytest.raises(ConfigError, match="whole number"):
        checks.at_least("x", value, 0)


@pytest.mark.parametrize("value", [0, 0.0, 0.5, 3])
def test_weights(value):
    """Zero and every finite positive number is a weight."""
    taken = checks.weight("x", value)

    assert (taken, type(taken)) == (value, float)


@pytest.mark.parametrize("value", [-1, -0.1, math.inf, math.nan, True, "1", None])
def test_no_weights(value):
    """Anything else is refused by its name."""
    with pytest.raises(ConfigError, match=r"^a: weight must be a number that is not negative, not "):
        checks.weight("a: weight", value)

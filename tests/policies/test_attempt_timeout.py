"""`AttemptTimeout`: the limits of each attempt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aigw.call import DEFAULT_TIMEOUTS, UNSET, Timeouts
from aigw.errors import ConfigError
from aigw.pipeline import stack
from aigw.policies import AttemptTimeout
from aigw.runtime import drive
from aigw.testing import make_call
from policies.inner import Inner

NAMES = ("total", "connect", "first_chunk", "between_chunks")


def timeouts_of(*policies, **fields):
    """Return the limits that a call has inside of these policies."""
    inner = Inner("hello")
    drive(stack(policies, inner)(make_call(**fields)))
    return inner.calls[0].timeouts


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("value", "limit"), [(7, 7.0), (timedelta(seconds=1.5), 1.5), (None, None)])
def test_each_limit(name, value, limit):
    """What is given is set, ``None`` switches a limit off, and the others stay as they are."""
    limits = timeouts_of(AttemptTimeout(**{name: value}))

    assert {field: getattr(limits, field) for field in NAMES} == {
        field: limit if field == name else getattr(DEFAULT_TIMEOUTS, field) for field in NAMES
    }


def test_what_is_not_given_stays():
    """``UNSET`` and nothing at all leave the limits of the call, be they the defaults or not."""
    own = Timeouts(1, 2, 3, 4)

    assert timeouts_of(AttemptTimeout()) == DEFAULT_TIMEOUTS
    assert timeouts_of(AttemptTimeout(UNSET, connect=UNSET), timeouts=own) == own
    assert timeouts_of(AttemptTimeout(9), timeouts=own) == Timeouts(1, 2, 3, 9)


def test_limits_can_be_nested():
    """The innermost counts for what it sets, the outer ones for the rest."""
    limits = timeouts_of(AttemptTimeout(10, first_chunk=5), AttemptTimeout(first_chunk=None, connect=1))

    assert limits == Timeouts(connect=1, first_chunk=None, between_chunks=60, total=10)


def test_the_first_argument_is_the_whole_attempt():
    """``AttemptTimeout(5)`` bounds the attempt as a whole."""
    assert timeouts_of(AttemptTimeout(5)).total == 5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, "5", True])
def test_wrong_arguments(name, value):
    """What is no time is told by its name when the policy is made."""
    with pytest.raises(ConfigError, match=rf"AttemptTimeout\({name}\) must be a positive number of seconds"):
        AttemptTimeout(**{name: value})


def test_it_shows_its_limits():
    """``repr`` has what was given and nothing else, for `describe`."""
    assert repr(AttemptTimeout()) == "AttemptTimeout()"
    assert repr(AttemptTimeout(10, between_chunks=None)) == "AttemptTimeout(total=10.0, between_chunks=None)"

"""`QuotaHint` and `Allowance`: what a provider tells about its limits."""

from __future__ import annotations

import pytest

from aigw.errors import ProviderRateLimited
from aigw.quota import Allowance, QuotaHint


def test_what_is_not_told_is_none():
    """Unknown is never zero."""
    allowance, hint = Allowance("tokens"), QuotaHint()

    assert (allowance.limit, allowance.remaining, allowance.resets_after, allowance.window) == (None,) * 4
    assert (hint.allowances, hint.retry_after) == ((), None)


@pytest.mark.parametrize(
    ("allowances", "tightest"),
    [
        ((), None),
        ((Allowance("requests", 10, 0),), None),
        ((Allowance("tokens", 10, 5),), Allowance("tokens", 10, 5)),
        (
            (Allowance("tokens", 10, 5), Allowance("tokens", 99, 3, window=60.0)),
            Allowance("tokens", 99, 3, window=60.0),
        ),
        ((Allowance("tokens", 10), Allowance("tokens", 99, 3)), Allowance("tokens", 99, 3)),
        ((Allowance("tokens", 10),), Allowance("tokens", 10)),
        ((Allowance("tokens", 10, 0), Allowance("tokens", 99)), Allowance("tokens", 10, 0)),
    ],
)
def test_the_tightest_limit_of_a_dimension(allowances, tightest):
    """The one of which the least is left; one that does not tell what is left counts as wide open."""
    assert QuotaHint(allowances).tightest("tokens") == tightest


def test_an_error_carries_the_quota():
    """A failure that told nothing has none."""
    error = ProviderRateLimited("too fast")
    before = error.quota
    error.quota = QuotaHint(retry_after=3.0)

    assert before is None
    assert error.quota.retry_after == 3.0

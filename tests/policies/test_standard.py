"""`standard`: a good list to start from."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from aigw import standard
from aigw.errors import ConfigError
from aigw.pipeline import check_order, describe
from guards.codes import Codes


@pytest.mark.parametrize(
    ("arguments", "stack"),
    [
        (
            {},
            ["Deadline(300)", "Retry(attempts=3)", "AttemptTimeout(first_chunk=30.0, between_chunks=20.0)"],
        ),
        (
            {"timeout": timedelta(minutes=1), "attempts": 2, "first_chunk": 5, "between_chunks": None},
            ["Deadline(60)", "Retry(attempts=2)", "AttemptTimeout(first_chunk=5.0, between_chunks=None)"],
        ),
        (
            {"timeout": None, "first_chunk": None, "between_chunks": None, "concurrency": 4, "requests_per_minute": 60},
            [
                "Queue()",
                "RateLimit(60 requests per minute)",
                "Retry(attempts=3)",
                "Concurrency(4)",
                "AttemptTimeout(first_chunk=None, between_chunks=None)",
            ],
        ),
        ({"timeout": None, "attempts": 1}, ["AttemptTimeout(first_chunk=30.0, between_chunks=20.0)"]),
    ],
)
def test_the_policies_that_most_applications_want(arguments, stack):
    """They stand in a right order, and what is switched off is left out."""
    policies = standard(**arguments)
    check_order(policies)

    assert describe(policies) == stack


def test_the_list_is_the_users():
    """It is a new plain list each time: change it as you like."""
    first = standard()
    first.clear()

    assert len(standard()) == 3


@pytest.mark.parametrize("arguments", [{"timeout": 0}, {"attempts": 0}, {"first_chunk": -1}, {"between_chunks": "5"}])
def test_wrong_arguments(arguments):
    """What makes no sense is told at once."""
    with pytest.raises(ConfigError):
        standard(**arguments)


def test_no_module_stands_in_its_way():
    """The public name is the function, also after its module was imported: no module is called like it."""
    before = f"import {standard.__module__}, aigw; assert aigw.standard()"

    subprocess.run([sys.executable, "-c", before], check=True)


def test_guards_stand_outside_of_what_counts():
    """A prompt is looked at before anything is reserved for it, and once, not for each attempt."""
    detector = Codes()
    policies = standard(guards=[detector], usd_per_day=5)

    assert [type(policy).__name__ for policy in policies][:3] == ["Deadline", "Guard", "Budget"]
    assert policies[1].rules[0].detector is detector

"""Answers that do not fit, or are errors."""

from __future__ import annotations

import pytest

from aigw.errors import BadResponse, ConfigError, Overloaded
from aigw.wire.answers import checked_answer, wrong_answer
from aigw.wire.failures import Failures

CLASSIFY = Failures(by_type={"busy": Overloaded}).classify


def test_a_wrong_answer_is_the_fault_of_the_provider() -> None:
    """The error names whose answer it was, what it should be, and what is wrong with it."""
    error = wrong_answer("a list of ranks", ConfigError("results must be a list, not str"), "p", "m")

    assert isinstance(error, BadResponse)
    assert str(error) == "p/m: the answer is not a list of ranks: results must be a list, not str"


def test_an_answer_is_an_object() -> None:
    """An object is returned as it is; anything else is refused."""
    body = {"data": [], "error": None}
    with pytest.raises(ConfigError, match=r"^it must be an object, not list$"):
        checked_answer([], CLASSIFY, "p", "m")

    assert checked_answer(body, CLASSIFY, "p", "m") is body


def test_an_error_under_a_good_status_is_raised() -> None:
    """What the provider says of it decides which one."""
    with pytest.raises(Overloaded) as caught:
        checked_answer({"error": {"type": "busy", "message": "later"}}, CLASSIFY, "p", "m")

    assert (caught.value.provider, caught.value.model, caught.value.detail) == ("p", "m", "later")

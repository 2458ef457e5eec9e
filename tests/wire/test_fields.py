"""Reading typed fields."""

from __future__ import annotations

import pytest

from aigw.errors import ConfigError
from aigw.wire.fields import checked_request, merge, optional, required, rest


@pytest.mark.parametrize(
    ("kind", "good", "bad", "wanted"),
    [
        (str, "x", 1, "a string"),
        (bool, False, 1, "true or false"),
        (int, 3, True, "an integer"),
        (int, 3, 3.5, "an integer"),
        (float, 3, True, "a number"),
        (float, 3.5, "3.5", "a number"),
        (list, (1,), "abc", "a list"),
        (dict, {}, [], "an object"),
    ],
)
def test_a_field_has_its_type_or_the_error_says_which(kind: type, good: object, bad: object, wanted: str) -> None:
    """A value of the right type is returned as it is; another is refused by path, wanted and given type."""
    assert optional({"f": good}, "f", kind) is good
    with pytest.raises(ConfigError) as caught:
        optional({"f": bad}, "f", kind, "a[0]")

    assert str(caught.value) == f"a[0].f must be {wanted}, not {type(bad).__name__}"


@pytest.mark.parametrize("data", [{}, {"f": None}])
def test_null_is_the_same_as_missing(data: dict) -> None:
    """Null and a missing field read alike; a required field must be there."""
    assert optional(data, "f", str) is None
    with pytest.raises(ConfigError, match=r"^f is missing$"):
        required(data, "f", str)
    with pytest.raises(ConfigError, match=r"^a\.f is missing$"):
        required(data, "f", str, "a")


def test_unknown_fields_leave_and_come_back() -> None:
    """`rest` takes out what is not known and not null; `merge` puts it back, into inner objects too."""
    rendered = {"a": {"b": 1}, "c": 2}

    assert rest({"a": 1, "x": 2, "y": None}, ["a"]) == {"x": 2}
    assert merge(rendered, {"a": {"x": 3}, "c": {"y": 4}}) == {"a": {"b": 1, "x": 3}, "c": {"y": 4}}


def test_a_request_is_an_object() -> None:
    """Anything else is refused, by its type."""
    checked_request({})
    with pytest.raises(ConfigError, match=r"^the request must be an object, not list$"):
        checked_request([])

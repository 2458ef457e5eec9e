"""Arguments of tool calls as objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.wire.arguments import INVALID, is_valid, parse_object, read_arguments, write_arguments
from strategies import json_values, texts


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"a": [1]}', {"a": [1]}),
        ("{oops", {INVALID: "{oops"}),
        ("[1]", {INVALID: "[1]"}),
        ("null", {INVALID: "null"}),
        ('{"a": NaN}', {INVALID: '{"a": NaN}'}),
    ],
)
def test_what_is_no_object_is_wrapped(arguments: str, written: dict) -> None:
    """An object goes out as such, nothing as an empty one, all else as the text that it is."""
    assert write_arguments(arguments) == written
    assert is_valid(arguments) is (INVALID not in written)
    assert parse_object(arguments) == (written if arguments.startswith("{") and INVALID not in written else None)


@given(texts.filter(lambda text: text.strip()))
def test_a_text_comes_back(text: str) -> None:
    """Whatever a model wrote is read as it was, but for the spaces of an object."""
    back = read_arguments(write_arguments(text))

    assert back == text or from_json(back) == from_json(text)


@given(st.dictionaries(texts | st.just(INVALID), json_values | st.sampled_from(['{"a":1}', "{}", ""]), max_size=2))
def test_an_object_comes_back(value: dict) -> None:
    """An object that only looks like a wrapped text is none: it survives being read and written."""
    assert write_arguments(read_arguments(value)) == from_json(to_json(value))


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("", ""), ("{oops", "{oops"), ([1], "[1]"), ({}, "{}")])
def test_other_values_are_read_as_text(value: object, text: str) -> None:
    """Nothing is empty, a text is the text itself, anything else is its JSON."""
    assert read_arguments(value) == text

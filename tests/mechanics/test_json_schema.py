"""Whether a value fits a JSON schema; what is turned down breaks it for sure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from aigw.mechanics.json_schema import violation

ITEM = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}
ORDER = {
    "type": "object",
    "properties": {"items": {"type": "array", "items": ITEM, "minItems": 1}},
    "required": ["items"],
}
TREE = {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "additionalProperties": {"$ref": "#/$defs/node"}}}}
CIRCLE = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}


@pytest.mark.parametrize(
    ("value", "schema", "place"),
    [
        ({"items": [{"name": "a", "price": 1}]}, ORDER, ""),
        ({}, ORDER, "answer (required)"),
        ([], ORDER, "answer (type)"),
        ({"items": []}, ORDER, "items (minItems)"),
        ({"items": [{"name": "a"}, {"name": 7}]}, ORDER, "items.1.name (type)"),
        ({"items": [{"name": "a", "price": -1}]}, ORDER, "items.0.price (minimum)"),
        ({"items": [{"name": "a", "secret": 1}]}, ORDER, "items.0.* (false)"),
        ({"x": {"y": {}}}, TREE, ""),
        ({"x": {"y": 7}}, TREE, "*.* (type)"),
        (7, CIRCLE, ""),
        (True, {"type": "integer"}, "answer (type)"),
        (1.0, {"type": "integer"}, ""),
        (10**400, {"type": "integer"}, ""),
        (1.5, {"type": ["integer", "null"]}, "answer (type)"),
        (None, {"type": ["integer", "null"]}, ""),
        ("b", {"enum": ["a", "b"]}, ""),
        (1, {"enum": [True]}, "answer (enum)"),
        ({"a": [1.0]}, {"const": {"a": [1]}}, ""),
        ({"a": [2]}, {"const": {"a": [1]}}, "answer (const)"),
        ("abc", {"maxLength": 2}, "answer (maxLength)"),
        (3, {"exclusiveMaximum": 3}, "answer (exclusiveMaximum)"),
        ("a", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "answer (anyOf)"),
        (7, {"oneOf": [{"type": "integer"}, {"type": "string"}]}, ""),
        (7, {"allOf": [{"type": "integer"}, {"minimum": 8}]}, "answer (minimum)"),
        ([1, "a"], {"prefixItems": [{"type": "integer"}], "items": {"type": "integer"}}, "1 (type)"),
        ({"x-1": 1}, {"patternProperties": {"^x-": True}, "additionalProperties": False}, ""),
        (7, {"$ref": "https://example.org/schema"}, ""),
        (7, {"$ref": "#/nowhere"}, ""),
    ],
)
def test_places(value, schema, place):
    """It names the first place that does not fit and the keyword, and no name that is the value's own."""
    assert violation(value, schema) == place


@pytest.mark.parametrize(
    "schema", [True, {}, {"type": 5}, {"required": "x"}, {"properties": []}, {"enum": 3}, {"not": {}}]
)
def test_what_it_does_not_understand_allows_everything(schema):
    """A schema that makes no sense, or a keyword that is not known, turns nothing down."""
    assert violation({"a": [1]}, schema) == ""


class Address(BaseModel):
    """A part of a person."""

    street: str
    number: int | None = None


class Person(BaseModel):
    """Something with a bit of everything."""

    name: str
    age: int
    tags: list[str] = []
    addresses: dict[str, Address] = {}


SCHEMA = TypeAdapter(Person).json_schema()
json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "age", "tags", "addresses", "street", "number"]), inner, max_size=4)
    ),
    max_leaves=12,
)
people = st.fixed_dictionaries(
    {"name": json, "age": json}, optional={"tags": json, "addresses": st.dictionaries(st.sampled_from("ab"), json)}
)


@given(json | people)
def test_it_agrees_with_pydantic(value):
    """Of a schema that pydantic made, it says the same as pydantic."""
    try:
        Person.model_validate(value, strict=True)
        fits = True
    except ValidationError:
        fits = False

    assert (violation(value, SCHEMA) == "") == fits

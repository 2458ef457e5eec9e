"""Schemas in the format's older words, as JSON schema."""

from __future__ import annotations

from aigw.wire.gemini.schema import to_json_schema


def test_the_words_of_openapi() -> None:
    """Types are lower case, null is a type, and large numbers are numbers."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": True, "enum": ["a"]},
            "items": {"type": "ARRAY", "items": {"type": "INTEGER", "nullable": False}, "minItems": "1"},
            "any": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
        },
        "required": ["type"],
        "propertyOrdering": ["type", "items"],
    }

    assert to_json_schema(schema) == {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", None]},
            "items": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
            "any": {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
        },
        "required": ["type"],
        "propertyOrdering": ["type", "items"],
    }


def test_json_schema_stays_as_it_is() -> None:
    """Also where it is not what it should be."""
    schema = {
        "type": ["object", "null"],
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": True},
        "$defs": {"A": {"const": "STRING"}},
        "additionalProperties": False,
        "anyOf": "x",
        "minItems": "many",
    }

    assert to_json_schema(schema) == schema

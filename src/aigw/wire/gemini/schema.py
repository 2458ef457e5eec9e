"""The format's older kind of schema, a part of OpenAPI's, as JSON schema."""

from __future__ import annotations

from typing import Any, Final

_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_INNER: Final = ("items", "additionalProperties")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS: Final = ("properties", "$defs", "defs")


def to_json_schema(schema: Any) -> Any:
    """Return a schema in JSON schema's words: ``STRING`` is ``string``, ``nullable`` is one of several types.

    What is JSON schema already stays as it is.
    """
    if not isinstance(schema, dict):
        return schema
    converted = _plain(schema)
    for name in _INNER:
        if name in converted:
            converted[name] = to_json_schema(converted[name])
    for name in _LISTS:
        if isinstance(items := converted.get(name), list):
            converted[name] = [to_json_schema(item) for item in items]
    for name in _MAPS:
        if isinstance(members := converted.get(name), dict):
            converted[name] = {key: to_json_schema(member) for key, member in members.items()}
    return converted


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert what stands at the top of a schema."""
    converted = dict(schema)
    kind = converted.get("type")
    if isinstance(kind, str):
        converted["type"] = kind.lower()
        if converted.pop("nullable", None) is True:
            converted["type"] = [kind.lower(), "null"]
            if isinstance(values := converted.get("enum"), list) and None not in values:
                converted["enum"] = [*values, None]
    for name in _COUNTS:
        value = converted.get(name)
        if isinstance(value, str) and value.isdecimal():  # 64-bit integers are strings in Google's JSON
            converted[name] = int(value)
    return converted

"""Structured answers: from a Python type to the JSON schema for the provider, and from its answer back to the type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import TYPE_CHECKING, Any

from aigw.call import Schema
from aigw.errors import BadResponse, ConfigError
from aigw.mechanics.json_schema import violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import TypeAdapter

    from aigw.answer import Answer


def as_schema(given: object) -> Schema:
    """Take a pydantic model, a dataclass or another type that pydantic knows, a JSON schema, or a `Schema`.

    A type gives a strict schema: all of its fields are required and others are forbidden, as providers demand of it.

    Raises:
        ConfigError: it is none of these.
    """
    if isinstance(given, Schema):
        return given
    if isinstance(given, Mapping):
        return Schema(given, name=_safe_name(str(given.get("title") or "answer")))
    if not isinstance(given, (type, UnionType)) and not hasattr(given, "__origin__"):
        raise ConfigError(f"schema={given!r}: give a pydantic model, another type, or a JSON schema as a dict")
    return Schema(_strict_schema(given), name=_safe_name(getattr(given, "__name__", "answer")), strict=True, type=given)


def parse_answer(schema: Schema, answer: Answer) -> Any:
    """Read the answer as the schema says; ``None`` if the model called tools or refused instead.

    A plain JSON schema is looked at as far as `aigw.mechanics.json_schema` knows its keywords.

    Raises:
        BadResponse: it does not fit; the message tells where, without quoting the answer.
    """
    if answer.refusal or (answer.tool_calls and not answer.text):
        return None
    if answer.finish_reason == "length":
        raise BadResponse("the answer does not fit the schema: it was cut at max_tokens", model=answer.model or "")
    try:
        if schema.type is not None:
            return _adapter(schema.type).validate_json(answer.text)
        from pydantic_core import from_json

        value = from_json(answer.text)
    except ValueError as error:
        places = _places(error, schema)
    else:
        places = violation(value, schema.schema)
        if not places:
            return value
    # Raised outside of the block: the chain of the error must not hold pydantic's own, which quotes the answer.
    raise BadResponse(f"the answer does not fit the schema: {places}", model=answer.model or "")


def _places(error: ValueError, schema: Schema) -> str:
    """Tell where it does not fit; names that the model made up, the keys of a mapping say, are a part of its answer."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return "it is not JSON"
    names = set(_names(schema.schema))
    places = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:5]:
        path = [str(part) if isinstance(part, int) or part in names else "*" for part in item["loc"]]
        places.append(f"{'.'.join(path) or 'answer'} ({item['type']})")
    return "; ".join(places)


@lru_cache(maxsize=256)
def _adapter(given: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(given)


@lru_cache(maxsize=256)
def _strict_schema(given: Any) -> dict[str, Any]:
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    try:
        schema = _adapter(given).json_schema()
    except (PydanticUndefinedAnnotation, PydanticUserError) as error:
        words = str(error).partition("\n")[0]
        raise ConfigError(f"schema={given!r}: pydantic makes no JSON schema of it: {words}") from error
    _make_strict(schema)
    return schema


def _make_strict(schema: dict[str, Any]) -> None:
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
        schema["required"] = list(schema["properties"])
    schema.pop("default", None)  # strict schemas know no defaults
    for inner in _inner(schema):
        _make_strict(inner)


def _inner(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas that stand directly within a schema."""
    for keyword in ("properties", "patternProperties", "$defs"):
        yield from schema.get(keyword, {}).values()
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        yield from schema.get(keyword, ())
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield schema[keyword]


def _names(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all properties."""
    yield from schema.get("properties", {})
    for inner in _inner(schema):
        yield from _names(inner)


def _safe_name(name: str) -> str:
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_" for letter in name)
    return kept[:64] or "answer"

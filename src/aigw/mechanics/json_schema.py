"""Whether a value fits a JSON schema: the keywords that structured answers are asked for with.

What is not here does not count: ``format``, ``pattern``, ``not``, ``uniqueItems``, ``unevaluatedProperties``,
references to other documents. A value that is let through may still break those; one that is turned down breaks the
schema for sure. So of ``oneOf`` at least one must fit: that only one does cannot be told without knowing every keyword.

Source: JSON Schema 2020-12, Core and Validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Final

DEEPEST: Final = 100
"""Schemas within each other beyond which nothing is looked at: references may go in circles."""

Path = tuple[str | int, ...]


def violation(value: Any, schema: Any, root: Any = None, path: Path = (), depth: int = 0) -> str:
    """Return the first place where a value breaks a schema, such as ``items.0.price (type)``; empty if it fits.

    Args:
        value: the value, as JSON is read.
        schema: the schema.
        root: the document that references point into; the schema itself unless given.
        path: where the value stands. Names that the schema does not know are shown as ``*``: they are the value's own.
        depth: how many schemas there are around.
    """
    if schema is False:
        return _at(path, "false")
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return ""
    root = schema if root is None else root
    for keyword, operand in schema.items():
        look = _LOOKS.get(keyword)
        if look is not None and not look(value, operand):
            return _at(path, keyword)
    for inner, wanted, place in _within(value, schema, path):
        if wanted is not True and (broken := violation(inner, wanted, root, place, depth + 1)):
            return broken
    return _combined(value, schema, root, path, depth)


def _within(value: Any, schema: Mapping[str, Any], path: Path) -> list[tuple[Any, Any, Path]]:
    """Return what stands within a value, each with its schema and its place."""
    if isinstance(value, dict):
        known = _mapping(schema.get("properties"))
        others = schema.get("additionalProperties", True)
        if schema.get("patternProperties"):  # which might allow any of them
            others = True
        return [
            (inner, known[name], (*path, name)) if name in known else (inner, others, (*path, "*"))
            for name, inner in value.items()
        ]
    if isinstance(value, list):
        first = schema.get("prefixItems")
        first = first if isinstance(first, Sequence) else ()
        others = schema.get("items", True)
        return [
            (inner, first[place] if place < len(first) else others, (*path, place)) for place, inner in enumerate(value)
        ]
    return []


def _combined(value: Any, schema: Mapping[str, Any], root: Any, path: Path, depth: int) -> str:
    """Look at the schemas that a schema is combined of."""

    def broken(inner: Any) -> str:
        return violation(value, inner, root, path, depth + 1)

    if "$ref" in schema and (found := broken(_target(schema["$ref"], root))):
        return found
    for inner in _list(schema.get("allOf")):
        if found := broken(inner):
            return found
    for keyword in ("anyOf", "oneOf"):
        choices = _list(schema.get(keyword))
        if choices and all(broken(inner) for inner in choices):
            return _at(path, keyword)
    return ""


def _target(reference: Any, root: Any) -> Any:
    """Follow a reference within the document; what it does not find allows everything."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return True
    found = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            return True
        found = found[name]
    return found


def _at(path: Path, keyword: str) -> str:
    return f"{'.'.join(map(str, path)) or 'answer'} ({keyword})"


def _mapping(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, Mapping) else {}


def _list(given: Any) -> Sequence[Any]:
    return given if isinstance(given, Sequence) and not isinstance(given, str) else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _has_type(value: Any, wanted: Any) -> bool:
    names = (wanted,) if isinstance(wanted, str) else _list(wanted)
    return not names or any(name not in _TYPES or _TYPES[name](value) for name in names)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same JSON: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one == other)


def _sized(kind: type[Sized], fits: Callable[[int, Any], bool]) -> Callable[[Any, Any], bool]:
    """Make a look at the length of values of one type."""
    return lambda value, limit: not isinstance(value, kind) or not _is_number(limit) or fits(len(value), limit)


def _bounded(fits: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Make a look at numbers."""
    return lambda value, limit: not _is_number(value) or not _is_number(limit) or fits(value, limit)


_LOOKS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "type": _has_type,
    "const": _same,
    "enum": lambda value, allowed: not _list(allowed) or any(_same(value, one) for one in _list(allowed)),
    "required": lambda value, names: not isinstance(value, dict) or all(name in value for name in _list(names)),
    "minProperties": _sized(dict, lambda size, limit: size >= limit),
    "maxProperties": _sized(dict, lambda size, limit: size <= limit),
    "minItems": _sized(list, lambda size, limit: size >= limit),
    "maxItems": _sized(list, lambda size, limit: size <= limit),
    "minLength": _sized(str, lambda size, limit: size >= limit),
    "maxLength": _sized(str, lambda size, limit: size <= limit),
    "minimum": _bounded(lambda value, limit: value >= limit),
    "maximum": _bounded(lambda value, limit: value <= limit),
    "exclusiveMinimum": _bounded(lambda value, limit: value > limit),
    "exclusiveMaximum": _bounded(lambda value, limit: value < limit),
}
"""Keywords that look at a value as a whole."""

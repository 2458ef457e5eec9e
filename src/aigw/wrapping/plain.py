"""From the objects of any SDK to the JSON that they stand for. Nothing is changed or used up by looking at it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

DEEPEST: Final = 20
"""Levels of objects within objects that are looked at."""

_SIGNS: Final = frozenset(
    {"choices", "candidates", "content", "delta", "message", "output", "parts", "role", "text", "type", "usage"}
)
"""Attributes by which an object is known to be one of an SDK. Others are not opened: who knows what hangs on them."""


def plain(value: Any, *, known: bool = False) -> Any:
    """Turn an object of an SDK into the values that JSON has: models of pydantic, dataclasses, objects with fields.

    What stands for nothing in JSON becomes ``None``; iterators among it, because reading them would use them up.

    Args:
        value: the object.
        known: it is one of an SDK, whatever it looks like.
    """
    return _plain(value, DEEPEST, known=known)


def _plain(value: Any, depth: int, *, known: bool) -> Any:
    """Turn a value into JSON.

    Args:
        value: the value.
        depth: levels that may still be looked at.
        known: it belongs to an object of an SDK.
    """
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    if depth == 0 or isinstance(value, type):
        return None
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, depth - 1, known=known) for item in value]
    if hasattr(type(value), "model_dump"):
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(value, by_alias=True, exclude_none=True, bytes_mode="base64", fallback=lambda _: None)
    inner = value if isinstance(value, Mapping) else _fields(value, known=known)
    known = known or not isinstance(value, Mapping)
    return None if inner is None else {str(name): _plain(item, depth - 1, known=known) for name, item in inner.items()}


def _fields(value: Any, *, known: bool) -> Mapping[str, Any] | None:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    given = getattr(value, "__dict__", None)
    if not given or callable(value) or not (known or _SIGNS & given.keys()):
        return None
    return {name: item for name, item in given.items() if not name.startswith("_")}

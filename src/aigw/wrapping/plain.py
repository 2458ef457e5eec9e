"""From the objects of any SDK to the JSON that they stand for."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Turn an object of an SDK into the values that JSON has: a model of pydantic, a dataclass, or any other object.

    What stands for nothing in JSON becomes ``None``.

    Raises:
        ValueError: it contains itself.
    """
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value, by_alias=True, exclude_none=True, bytes_mode="base64", fallback=_opened)


def _opened(value: Any) -> Any:
    """Show the fields of an object that is no model; functions and the like have none that mean anything."""
    if callable(value) or isinstance(value, type):
        return None
    fields = getattr(value, "__dict__", None)
    return {name: field for name, field in fields.items() if not name.startswith("_")} if fields else None

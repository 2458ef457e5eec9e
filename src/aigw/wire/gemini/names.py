"""Names of fields: clients may write those of a message in snake_case too, as Google's own examples for curl do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.wire.fields import checked

if TYPE_CHECKING:
    from re import Match

_UNDERSCORE: Final = re.compile("_([a-z0-9])")


def message(value: Any, path: str) -> dict[str, Any]:
    """Return the fields of one of the format's own objects under the names that the wire has, without null.

    Raises:
        ConfigError: it is no object; the message names `path`.
    """
    fields: dict[str, Any] = checked(value, dict, path)
    return {_camel(name): item for name, item in fields.items() if item is not None}


def optional_message(fields: Mapping[str, Any], name: str, where: str = "") -> dict[str, Any] | None:
    """Return the fields of an object within an object; ``None`` where it is not there."""
    value = fields.get(name)
    return None if value is None else message(value, f"{where}.{name}" if where else name)


def merged(rendered: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Put the fields that aigw does not model back, into objects within objects at any depth."""
    joined = dict(rendered)
    for name, value in extra.items():
        there = joined.get(name)
        joined[name] = merged(there, value) if isinstance(there, dict) and isinstance(value, Mapping) else value
    return joined


def _camel(name: str) -> str:
    return _UNDERSCORE.sub(_capital, name) if "_" in name else name


def _capital(found: Match[str]) -> str:
    return found[1].upper()

"""Reading fields out of decoded JSON, for all wire formats: typed, with errors that name the field and never quote it.

In these formats ``null`` means the same as a field that is not there, and is read so everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aigw.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

T = TypeVar("T")

_KINDS: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    list: "a list",
    dict: "an object",
}
_TAKEN: Final[Mapping[type, tuple[type, ...]]] = {float: (float, int), list: (list, tuple)}


def optional(data: Mapping[str, Any], name: str, kind: type[T], where: str = "") -> T | None:
    """Read a field of a request; ``None`` where it is not there.

    Args:
        data: the object that has the field.
        name: the field.
        kind: ``str``, ``bool``, ``int``, ``float`` (takes integers too), ``list`` (takes tuples too) or
            ``dict``.
        where: path of the object, for the error.

    Raises:
        ConfigError: it has another type; the message names the path of the field.
    """
    value = data.get(name)
    if value is None or type(value) is kind:
        return value
    return checked(value, kind, f"{where}.{name}" if where else name)


def required(data: Mapping[str, Any], name: str, kind: type[T], where: str = "") -> T:
    """Read a field of a request that must be there.

    Raises:
        ConfigError: it is missing or has another type; the message names the path of the field.
    """
    value = optional(data, name, kind, where)
    if value is None:
        raise ConfigError(f"{where}.{name} is missing" if where else f"{name} is missing")
    return value


def checked(value: Any, kind: type[T], path: str) -> T:
    """Return a value of a request if it has the right type.

    Raises:
        ConfigError: it has another type; the message names `path`.
    """
    wanted: Any = _TAKEN.get(kind, kind)
    if not isinstance(value, wanted) or (kind is not bool and isinstance(value, bool)):
        raise ConfigError(f"{path} must be {_KINDS[kind]}, not {type(value).__name__}")
    narrowed: T = value
    return narrowed


def checked_request(body: Any) -> None:
    """Refuse what cannot be a request.

    Raises:
        ConfigError: it is no object.
    """
    if not isinstance(body, Mapping):
        raise ConfigError(f"the request must be an object, not {type(body).__name__}")


def rest(data: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return the fields that are not among the known ones."""
    return {name: value for name, value in data.items() if value is not None and name not in known}


def merge(rendered: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Put the fields that aigw does not model back into a rendered object, objects within objects included."""
    for name, value in extra.items():
        there = rendered.get(name)
        rendered[name] = {**there, **value} if isinstance(there, dict) and isinstance(value, Mapping) else value
    return rendered

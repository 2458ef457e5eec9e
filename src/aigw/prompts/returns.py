"""What a prompt function returns: its return annotation decides what is asked for and what becomes of the answer."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, make_dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from aigw.answer import Answer
from aigw.call import Schema
from aigw.errors import ConfigError
from aigw.schema import as_schema

_ITERATORS: Final = (Iterator, Iterable)
_ASYNC_ITERATORS: Final = (AsyncIterator, AsyncIterable)


@dataclass(frozen=True, slots=True)
class Returns:
    """What a function returns.

    Args:
        kind: ``text``, ``answer``, a ``value`` of some type, ``pieces`` of a stream, or ``async pieces``.
        schema: what the answer must fit, for a value.
        boxed: the value stands in a field of its own: schemas for providers are objects, and its type is none.
    """

    kind: Literal["text", "answer", "value", "pieces", "async pieces"]
    schema: Schema | None = None
    boxed: bool = False


def returns_of(function: Callable[..., Any], owner: str) -> Returns:
    """Read the return annotation of a function.

    Raises:
        ConfigError: there is none, it names something unknown, or nothing can be made of it.
    """
    given = _annotation(function, owner)
    if given is str:
        return Returns("text")
    if given is Answer:
        return Returns("answer")
    origin = get_origin(given) or given
    if origin in _ITERATORS or origin in _ASYNC_ITERATORS:
        if get_args(given) != (str,):
            raise ConfigError(
                f"{owner}: only a stream of texts can be returned, as Iterator[str] or AsyncIterator[str]"
            )
        return Returns("pieces" if origin in _ITERATORS else "async pieces")
    if given is None or given is type(None) or given is Any:
        raise ConfigError(f"{owner}: {_CHOICES}")
    return _value(given)


_CHOICES: Final = (
    "say what it returns: str, a pydantic model or another type, Iterator[str], AsyncIterator[str] or aigw.Answer"
)


def _annotation(function: Callable[..., Any], owner: str) -> Any:
    given = getattr(function, "__annotations__", {}).get("return")
    if not isinstance(given, str):
        return given
    module = sys.modules.get(function.__module__)
    known = getattr(function, "__globals__", None) or vars(module)
    holder = type("Holder", (), {"__annotations__": {"return": given}})  # the arguments may name what is not imported
    try:
        return get_type_hints(holder, known, include_extras=True)["return"]
    except (NameError, AttributeError) as error:
        raise ConfigError(
            f"{owner}: the return annotation {given!r} names what is not known when the program runs ({error}): "
            "import or define it in the module, above the function, and not under TYPE_CHECKING"
        ) from None


def _value(given: Any) -> Returns:
    if isinstance(given, type) or hasattr(given, "__origin__"):
        schema = as_schema(given)
        if schema.schema.get("type") == "object":
            return Returns("value", schema)
    return Returns("value", as_schema(make_dataclass("answer", [("value", given)])), boxed=True)

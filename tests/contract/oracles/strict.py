"""The SDKs' own types of requests, as strict as their words: unknown fields are refused, and lists are looked into.

An SDK declares its requests as ``TypedDict``. Pydantic lets unknown fields of those pass, and reads an ``Iterable``
only when somebody iterates over it, which nobody does when a request is merely validated. Both would leave a judge
blind.
"""

from __future__ import annotations

import collections.abc
import json
import os
import types
import typing
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import pydantic
from typing_extensions import TypedDict, is_typeddict

_LISTS = {collections.abc.Iterable, collections.abc.Sequence, list}
_NO_JSON = {typing.IO, os.PathLike}
_MARKS = {Required, NotRequired, typing.Required, typing.NotRequired}


class Judge:
    """Tells whether JSON is what a type says.

    Args:
        kind: a ``TypedDict`` of an SDK, or any type made of them.
    """

    def __init__(self, kind: Any) -> None:
        self._known: dict[Any, Any] = {}
        self._adapter = pydantic.TypeAdapter(self._strict(kind))

    def check(self, value: object) -> None:
        """Raise an error that names the fields that do not fit."""
        try:
            self._adapter.validate_json(json.dumps(value), strict=True)
        except pydantic.ValidationError as error:
            told = _told(error)
        else:
            return
        raise AssertionError(told)

    def _strict(self, kind: Any) -> Any:
        if is_typeddict(kind):
            if kind not in self._known:
                self._known[kind] = kind  # a type within itself stays as it is there
                self._known[kind] = self._object(kind)
            return self._known[kind]
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is None or origin is Literal:
            return kind
        if origin in _MARKS or origin is typing.Annotated:
            return self._strict(arguments[0])
        if origin in _LISTS:
            return list[self._strict(arguments[0])]
        if origin in (Union, types.UnionType):
            can_be_json = [argument for argument in arguments if get_origin(argument) not in _NO_JSON]
            return Union[tuple(self._strict(argument) for argument in can_be_json)]  # noqa: UP007  (of a tuple)
        return origin[tuple(self._strict(argument) for argument in arguments)]

    def _object(self, kind: Any) -> Any:
        hints = get_type_hints(kind, include_extras=True)
        fields = {name: _mark(kind, name, hint)[self._strict(hint)] for name, hint in hints.items()}
        made = TypedDict(kind.__name__, fields)  # type: ignore[operator]
        made.__pydantic_config__ = pydantic.ConfigDict(extra="forbid")
        return made


def _mark(kind: Any, name: str, hint: Any) -> Any:
    """Tell whether a field must be there. What its annotation says counts, even if it was written as a text."""
    origin = get_origin(hint)
    if origin in _MARKS:
        return origin
    return Required if name in kind.__required_keys__ else NotRequired


def _told(error: pydantic.ValidationError) -> str:
    """Tell what is wrong, without the members of unions that are something else altogether."""
    wrong = error.errors(include_url=False, include_input=False)
    others = {item["loc"][:-1] for item in wrong if item["type"] == "literal_error" and len(item["loc"]) > 1}
    meant = [item for item in wrong if not any(item["loc"][: len(other)] == other for other in others)]
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in meant or wrong[:5])

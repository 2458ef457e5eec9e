"""Arguments of tool calls in formats that want an object: the text that a model wrote as one, and back."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import from_json, to_json

INVALID: Final = "INVALID_JSON"
"""The only field of an object that stands for arguments which are none: text that is no JSON, or JSON of another kind.

Formats have no other place for what a model got wrong; Anthropic's documentation advises to send it back like this."""


def parse_object(text: str) -> dict[str, Any] | None:
    """Return the object whose JSON a text is; ``None`` if it is none."""
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def is_valid(arguments: str) -> bool:
    """Tell whether the arguments of a call are the JSON of an object, or nothing at all."""
    return not arguments.strip() or parse_object(arguments) is not None


def write_arguments(arguments: str) -> dict[str, Any]:
    """Return the arguments of a call as an object: none at all are ``{}``, and what is no object is wrapped."""
    if not arguments.strip():
        return {}
    value = parse_object(arguments)
    return {INVALID: arguments} if value is None else value


def read_arguments(value: Any) -> str:
    """Return the arguments of a call as JSON text; the reverse of `write_arguments`.

    Empty where there are none; some servers write the text itself.
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, dict) and value.keys() == {INVALID}:
        text = value[INVALID]
        if isinstance(text, str) and not is_valid(text):
            return text
    return to_json(value).decode()

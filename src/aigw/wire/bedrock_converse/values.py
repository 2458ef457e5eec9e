"""Small translations that requests and answers share: arguments of tools, texts in base64, pieces that grow."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json, to_json

from aigw.wire.bedrock_converse.dialect import RAW_ARGUMENTS

_ENCODED: Final = frozenset({"bytes", "redactedContent"})
"""Fields that hold base64."""


def write_arguments(arguments: str) -> dict[str, Any]:
    """Return the arguments of a tool call as the object that the format wants.

    None at all are ``{}``. What is no JSON object is kept as text in the field `RAW_ARGUMENTS`, where the model can
    read what it did.
    """
    if not arguments.strip():
        return {}
    try:
        value = from_json(arguments, allow_inf_nan=False)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {RAW_ARGUMENTS: arguments}


def read_arguments(value: Any) -> str:
    """Return the JSON text of the input of a tool call; the reverse of `write_arguments`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {RAW_ARGUMENTS}:
        raw = value[RAW_ARGUMENTS]
        if isinstance(raw, str) and raw.strip() and RAW_ARGUMENTS in write_arguments(raw):
            return raw
    return to_json(value).decode()


def grow(there: Any, piece: Any, name: str = "") -> Any:
    """Join a piece of a streamed value to what has come before: texts and lists grow, objects field by field."""
    if isinstance(there, str) and isinstance(piece, str):
        return _join_encoded(there, piece) if name in _ENCODED else there + piece
    if isinstance(there, list) and isinstance(piece, list):
        return there + piece
    if isinstance(there, Mapping) and isinstance(piece, Mapping):
        return {**there, **{key: grow(there.get(key), value, key) for key, value in piece.items()}}
    return piece


def _join_encoded(there: str, piece: str) -> str:
    """Join two texts in base64, of which the first may be padded."""
    try:
        return b64encode(b64decode(there, validate=True) + b64decode(piece, validate=True)).decode()
    except ValueError:
        return there + piece

"""Vectors as formats write them: lists of numbers, or base64 of little-endian 32-bit floats."""

from __future__ import annotations

import struct
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.wire.fields import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLOAT_SIZE: Final = 4


def read_vector(data: Any, path: str) -> tuple[float, ...]:
    """Read a vector, in either form.

    Raises:
        ConfigError: it is neither; the message names `path`.
    """
    try:
        if isinstance(data, str):
            raw = a2b_base64(data, strict_mode=True)
            return struct.unpack(f"<{len(raw) // _FLOAT_SIZE}f", raw)
        return tuple(map(float, checked(data, list, path)))
    except (Base64Error, struct.error, TypeError, ValueError, OverflowError):
        raise ConfigError(f"{path} is neither numbers nor base64 of 32-bit floats") from None


def write_vector(vector: Sequence[float], encoding: str) -> list[float] | str:
    """Render a vector; ``base64`` is base64, any other encoding is numbers."""
    if encoding == "base64":
        return b2a_base64(struct.pack(f"<{len(vector)}f", *vector), newline=False).decode()
    return list(vector)

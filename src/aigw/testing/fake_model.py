"""What a model does, done without one and always the same: count tokens, cut text into pieces, make vectors."""

from __future__ import annotations

import hashlib
import math
import re


def count_tokens(text: str) -> int:
    """Count tokens: a word is one."""
    return len(text.split())


def pieces(text: str) -> list[str]:
    """Cut a text into words, each with the space behind it. Joined they are the text again."""
    return re.findall(r"\s*\S+\s*|\s+", text)


def vector(text: str, dimensions: int | None = None) -> tuple[float, ...]:
    """Make a vector of length 1 that depends on nothing but the text.

    Args:
        text: what it stands for.
        dimensions: how many numbers; 4 unless given.
    """
    raw = [byte - 127.5 for byte in hashlib.shake_256(text.encode()).digest(dimensions or 4)]
    length = math.hypot(*raw)
    return tuple(number / length for number in raw)

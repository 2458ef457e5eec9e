"""`senses`: which words mean nearly the same, so that the model knows more of them than it has learned from."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def senses() -> Mapping[str, int]:
    """Return a number for each word of ``senses.txt``, the same for those of a group; read once."""
    text = resources.files("aigw.guards.injection").joinpath("senses.txt").read_text(encoding="utf-8")
    groups = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {word: number for number, group in enumerate(groups) for word in group}

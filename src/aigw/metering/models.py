"""What is known of models by the beginnings of their names: how they cut text into tokens, and what an image costs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

from aigw.metering.images import MIDDLING, Area, Fixed, Patches, Tiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.metering.images import ImageRule

T = TypeVar("T")

ENCODINGS_BY_MODEL: Final[Mapping[str, str]] = {
    "babbage-002": "cl100k_base",
    "chatgpt-4o": "o200k_base",
    "codex-mini": "o200k_base",
    "computer-use-preview": "o200k_base",
    "davinci-002": "cl100k_base",
    "gpt-3.5": "cl100k_base",
    "gpt-35": "cl100k_base",
    "gpt-4": "cl100k_base",
    "gpt-4.1": "o200k_base",
    "gpt-4.5": "o200k_base",
    "gpt-4o": "o200k_base",
    "gpt-5": "o200k_base",
    "gpt-6": "o200k_base",
    "gpt-oss": "o200k_base",
    "o1": "o200k_base",
    "o3": "o200k_base",
    "o4": "o200k_base",
    "text-embedding-3": "cl100k_base",
    "text-embedding-ada-002": "cl100k_base",
}
"""Which encoding a model uses; the longest beginning counts. ``gpt-oss`` has special tokens of its own, but cuts
ordinary text as ``o200k_base`` does."""

TOOL_TOKENS: Final[Mapping[str, int]] = {
    "gpt-3.5": 10,
    "gpt-35": 10,
    "gpt-4": 10,
    "gpt-4.1": 7,
    "gpt-4.5": 7,
    "gpt-4o": 7,
}
"""Tokens of a tool besides its texts, by OpenAI's cookbook; 7 for models that it does not name."""

IMAGE_RULES: Final[Mapping[str, ImageRule]] = {
    "chatgpt-4o": Tiles(85, 170),
    "claude": Area(750, 1568, 1600),
    "computer-use-preview": Tiles(65, 129),
    "gemini": Fixed(258),
    "gemini-3": Fixed(1120),
    "gemini-4": Fixed(1120),
    "gpt-4": Tiles(85, 170),
    "gpt-4.1-mini": Patches(1.62, 1536),
    "gpt-4.1-nano": Patches(2.46, 1536),
    "gpt-4o-mini": Tiles(2833, 5667),
    "gpt-5": Tiles(70, 140),
    "gpt-5-mini": Patches(1.62, 1536),
    "gpt-5-nano": Patches(2.46, 1536),
    "gpt-5.4": Patches(1.2, 2500),
    "gpt-5.5": Patches(1.2, 10_000),
    "gpt-6": Patches(1.2, 10_000),
    "o1": Tiles(75, 150),
    "o3": Tiles(75, 150),
    "o4-mini": Patches(1.72, 1536),
}
"""What an image costs; the longest beginning counts."""


@lru_cache(maxsize=1024)
def encoding_of(model: str) -> str | None:
    """Return the name of the encoding of a model; ``None`` where the model's tokenizer is not known.

    Args:
        model: a model, also with what stands before it: ``openai/gpt-5.5``, ``ft:gpt-4o``, ``openai.gpt-oss-20b``.
    """
    return _by_prefix(ENCODINGS_BY_MODEL, model)


@lru_cache(maxsize=1024)
def image_rule_of(model: str) -> ImageRule:
    """Return what an image costs at a model; the cost of an image of middling size where that is not known."""
    return _by_prefix(IMAGE_RULES, model) or MIDDLING


@lru_cache(maxsize=1024)
def tool_tokens_of(model: str) -> int:
    """Return the tokens that a tool costs at a model besides its texts."""
    return _by_prefix(TOOL_TOKENS, model) or 7


def _by_prefix(table: Mapping[str, T], model: str) -> T | None:
    name = model.rpartition("/")[2].removeprefix("ft:").lower()
    for vendor in ("openai.", "anthropic."):  # as Bedrock writes them, with a region or without
        name = name.rpartition(vendor)[2]
    known = [prefix for prefix in table if name.startswith(prefix)]
    return table[max(known, key=len)] if known else None

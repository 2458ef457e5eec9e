"""`Dialect`: what servers that speak Cohere's chat format do differently, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one server differs from the others that speak Cohere's chat format.

    The defaults are Cohere's own API.

    Args:
        provider: name of the provider, for errors and as the owner of its reasoning.
        schema_with_tools: it takes a JSON schema for the answer beside tools. Cohere documents that it does not: then
            an instruction holds the schema.
        stop_limit: how many texts may end an answer; ``None`` for as many as one likes.
    """

    provider: str = "cohere"
    schema_with_tools: bool = False
    stop_limit: int | None = 5


WIRE: Final = "cohere_chat"
"""The name of this format."""

DEFAULT: Final = Dialect()
"""Cohere's own API; meant wherever no dialect is given."""

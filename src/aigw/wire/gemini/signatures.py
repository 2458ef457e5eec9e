"""Thought signatures: opaque data that Gemini wants back on the very part on which it came.

A signature is kept together with the name of the provider that gave it, and given to no other one:

- of a thought in ``Reasoning.signature``;
- of a text in a `Reasoning` without text right behind it, with ``extra={"signs": {"text": 5}}``: it signs the last five
  characters, so that pieces of a stream that came without a signature stay without one;
- of anything else (function calls, images, …) in ``extra={"thoughtSignature": {"gemini": "…"}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SIGNATURE: Final = "thoughtSignature"
SIGNS: Final = "signs"

SKIP: Final = "skip_thought_signature_validator"
"""Stands for the signature of a function call that another model made. Google documents it for this, together with
another word, which Vertex AI does not take."""


def keep(fields: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """Return the fields of a part with the signature kept under the provider's name."""
    kept = dict(fields)
    if isinstance(signature := kept.get(SIGNATURE), str):
        kept[SIGNATURE] = {provider: signature}
    return kept


def give(fields: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """Return the fields of a part as they are sent to this provider: with its own signature, or without any.

    A signature without a name was written by hand, and is sent.
    """
    given = dict(fields)
    if isinstance(signature := given.get(SIGNATURE), Mapping):
        del given[SIGNATURE]
        if provider in signature:
            given[SIGNATURE] = signature[provider]
    return given


def is_foreign(fields: Mapping[str, Any], provider: str) -> bool:
    """Tell whether there is a signature, but none of this provider."""
    signature = fields.get(SIGNATURE)
    return isinstance(signature, Mapping) and provider not in signature


def signed_length(extra: Mapping[str, Any], kind: str) -> int | None:
    """Return how many characters before it a `Reasoning` signs of a ``text`` or ``thought``; ``None`` if not told."""
    place = extra.get(SIGNS)
    length = place.get(kind) if isinstance(place, Mapping) else None
    return length if type(length) is int and length >= 0 else None

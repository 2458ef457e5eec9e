"""The formats of embeddings; what this module exports is OpenAI's, which most servers speak.

Cohere's is `aigw.wire.embeddings.cohere`. An answer is one `Chunk` with all vectors in the order of the inputs.
"""

from __future__ import annotations

from aigw.wire.embeddings.openai import (
    DEFAULT,
    WIRE,
    Dialect,
    parse_request,
    parse_response,
    render_request,
    render_response,
)

__all__ = ["DEFAULT", "WIRE", "Dialect", "parse_request", "parse_response", "render_request", "render_response"]

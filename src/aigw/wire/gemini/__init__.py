"""Gemini's ``generateContent``, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`
====================  =======================================  =======================================

Failures are told apart in `aigw.wire.gemini.errors`. What servers do differently is a `Dialect`, what models do
differently a `Family` of it. Embeddings are in `aigw.wire.gemini.embeddings` and `aigw.wire.gemini.predict`.
"""

from __future__ import annotations

from aigw.wire.gemini.answer import parse_response
from aigw.wire.gemini.dialect import DEFAULT, FAMILIES, WIRE, Dialect, Family
from aigw.wire.gemini.errors import FAILURES, classify
from aigw.wire.gemini.render import render_response
from aigw.wire.gemini.request import parse_request, render_request
from aigw.wire.gemini.stream import StreamParser, StreamRenderer

__all__ = [
    "DEFAULT",
    "FAILURES",
    "FAMILIES",
    "WIRE",
    "Dialect",
    "Family",
    "StreamParser",
    "StreamRenderer",
    "classify",
    "parse_request",
    "parse_response",
    "render_request",
    "render_response",
]

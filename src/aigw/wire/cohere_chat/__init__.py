"""Cohere's chat API, version 2, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`
====================  =======================================  =======================================

Failures are told apart in `aigw.wire.cohere_chat.errors`. What servers do differently is a `Dialect`.
"""

from __future__ import annotations

from aigw.wire.cohere_chat.answer import parse_response
from aigw.wire.cohere_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.cohere_chat.errors import FAILURES, classify
from aigw.wire.cohere_chat.render import StreamRenderer, render_response
from aigw.wire.cohere_chat.request import parse_request, render_request
from aigw.wire.cohere_chat.stream import StreamParser

__all__ = [
    "DEFAULT",
    "FAILURES",
    "WIRE",
    "Dialect",
    "StreamParser",
    "StreamRenderer",
    "classify",
    "parse_request",
    "parse_response",
    "render_request",
    "render_response",
]

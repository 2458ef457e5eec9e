"""Anthropic Messages, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`
a count of tokens     `render_count_tokens`                    `parse_count_tokens`
a failure                                                      `classify`
====================  =======================================  =======================================

What servers and models do differently is a `Dialect`.
"""

from __future__ import annotations

from aigw.wire.anthropic_messages.answer import parse_response, render_response
from aigw.wire.anthropic_messages.count_tokens import parse_count_tokens, render_count_tokens
from aigw.wire.anthropic_messages.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.anthropic_messages.errors import FAILURES, classify
from aigw.wire.anthropic_messages.request import parse_request, render_request
from aigw.wire.anthropic_messages.stream import StreamParser, StreamRenderer

__all__ = [
    "DEFAULT",
    "FAILURES",
    "WIRE",
    "Dialect",
    "StreamParser",
    "StreamRenderer",
    "classify",
    "parse_count_tokens",
    "parse_request",
    "parse_response",
    "render_count_tokens",
    "render_request",
    "render_response",
]

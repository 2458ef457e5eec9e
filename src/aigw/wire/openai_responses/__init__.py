"""OpenAI Responses, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
its input             `render_input`                           `parse_input`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`
====================  =======================================  =======================================

Failures are told apart in `aigw.wire.openai_responses.errors`. What servers do differently is a `Dialect`.
"""

from __future__ import annotations

from aigw.wire.openai_responses.answer import parse_response, render_response
from aigw.wire.openai_responses.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_responses.errors import FAILURES, classify
from aigw.wire.openai_responses.messages import parse_input, render_input
from aigw.wire.openai_responses.request import parse_request, render_request
from aigw.wire.openai_responses.stream import StreamParser, StreamRenderer

__all__ = [
    "DEFAULT",
    "FAILURES",
    "WIRE",
    "Dialect",
    "StreamParser",
    "StreamRenderer",
    "classify",
    "parse_input",
    "parse_request",
    "parse_response",
    "render_input",
    "render_request",
    "render_response",
]

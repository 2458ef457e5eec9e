"""AWS Bedrock's Converse API, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`
a failure                                                      `classify`, `FAILURES`
====================  =======================================  =======================================

The model and whether the answer is streamed stand in the URL, not in the body. What servers do differently is a
`Dialect`, what models do differently a `Family`.
"""

from __future__ import annotations

from aigw.wire.bedrock_converse.answer import parse_response, render_response
from aigw.wire.bedrock_converse.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.bedrock_converse.errors import FAILURES, classify
from aigw.wire.bedrock_converse.families import FAMILIES, Family
from aigw.wire.bedrock_converse.request import parse_request, render_request
from aigw.wire.bedrock_converse.stream import StreamParser, StreamRenderer

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

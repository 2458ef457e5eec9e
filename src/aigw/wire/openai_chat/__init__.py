"""OpenAI chat completions, sans-IO, in both directions: the one module to import for this format.

====================  =======================================  =======================================
what                  to the wire                              from the wire
====================  =======================================  =======================================
a request             `render_request`                         `parse_request`
a message, a tool     `render_message`, `render_tool`          `parse_message`, `parse_tool`
a whole answer        `render_response`                        `parse_response`
a streamed answer     `StreamRenderer`                         `StreamParser`, `parse_event`
a failure                                                      `classify`
====================  =======================================  =======================================

What servers do differently is a `Dialect`.
"""

from __future__ import annotations

from aigw.wire.openai_chat.answer import parse_event, parse_response
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.errors import FAILURES, classify
from aigw.wire.openai_chat.messages import parse_message, parse_tool, render_tool
from aigw.wire.openai_chat.render import render_response
from aigw.wire.openai_chat.request import parse_request, render_request
from aigw.wire.openai_chat.speech import render_message
from aigw.wire.openai_chat.stream import StreamParser, StreamRenderer

__all__ = [
    "DEFAULT",
    "FAILURES",
    "WIRE",
    "Dialect",
    "StreamParser",
    "StreamRenderer",
    "classify",
    "parse_event",
    "parse_message",
    "parse_request",
    "parse_response",
    "parse_tool",
    "render_message",
    "render_request",
    "render_response",
    "render_tool",
]

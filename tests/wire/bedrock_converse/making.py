"""What the tests of requests share: models, a plain call, and a look at the trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.message import Message, ToolCall, ToolResult
from aigw.trace import CallTrace
from aigw.wire.bedrock_converse import render_request

if TYPE_CHECKING:
    from aigw.call import Call

SONNET_4_6 = "eu.anthropic.claude-sonnet-4-6-v1:0"
OPUS_4_8 = "us.anthropic.claude-opus-4-8"
SONNET_5 = "global.anthropic.claude-sonnet-5"
HAIKU_4_5 = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"
NOVA_2 = "global.amazon.nova-2-lite-v1:0"
GPT_OSS = "openai.gpt-oss-120b-1:0"
GPT = "us.openai.gpt-5.6-sol"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
HELLO = (Message("user", "hi"),)
HISTORY = (*HELLO, Message("assistant", ToolCall("c", "f")), Message("tool", ToolResult("c", "1")))
SENT = [{"role": "user", "content": [{"text": "hi"}]}]
OBJECT = {"type": "object", "properties": {}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def notes(call: Call, model: str = "m", **options: object) -> tuple[dict, list[tuple[str, str]]]:
    """Render a call; return the request and what was written into the trace."""
    trace = CallTrace()
    body = render_request(call.evolve(trace=trace, runtime=_Clock()), model, **options)
    return body, [(event.action, event.reason) for event in trace.decisions]


class _Clock:
    """A runtime with nothing but a clock that stands still."""

    clock = property(lambda self: self)

    def now(self) -> float:
        return 0.0

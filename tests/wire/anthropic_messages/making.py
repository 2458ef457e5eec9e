"""Short ways to what the tests are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aigw.assembly import assemble
from aigw.message import Message, Part
from aigw.testing.call import make_call
from aigw.trace import CallTrace
from aigw.wire.anthropic_messages import DEFAULT, Dialect, StreamParser, StreamRenderer, render_request

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.chunk import Chunk

NEW = "claude-sonnet-5"
"""Thinks by itself, adaptively, and takes no temperature."""
MIDDLE = "claude-opus-4-6"
"""Thinks adaptively if asked to."""
OLD = "claude-haiku-4-5"
"""Thinks with a budget."""


def answer(*content: dict, reason: str | None = "end_turn", **fields: object) -> dict:
    """A whole answer with these blocks."""
    usage = {"input_tokens": 3, "output_tokens": 5}
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": list(content)}
    return {**whole, "stop_reason": reason, "stop_sequence": None, "usage": usage, **fields}


def sse(*events: dict) -> bytes:
    """A stream of these events, as the server writes it."""
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def start(**fields: object) -> dict:
    """The first event of a stream."""
    message = {**answer(reason=None), "usage": {"input_tokens": 3, "output_tokens": 1}, **fields}
    return {"type": "message_start", "message": message}


def block(index: int, content: dict, *deltas: dict) -> list[dict]:
    """The events of one content block."""
    between = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    first = {"type": "content_block_start", "index": index, "content_block": content}
    return [first, *between, {"type": "content_block_stop", "index": index}]


def text_block(index: int, *texts: str) -> list[dict]:
    """The events of a text."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in texts))


def end(reason: str | None = "end_turn", usage: dict | None = None, **fields: object) -> list[dict]:
    """The last events of a stream."""
    delta = {"stop_reason": reason, "stop_sequence": None, **fields}
    return [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5} if usage is None else usage},
        {"type": "message_stop"},
    ]


def parse(*pieces: bytes, dialect: Dialect = DEFAULT) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser(dialect, "m")
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


def render(chunks: list[Chunk], **options: object) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer(**options)
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def events(chunks: list[Chunk], **options: object) -> list[dict]:
    """Render a whole stream and read its JSON."""
    lines = render(chunks, **options).decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def parts_of(chunks: list[Chunk]) -> tuple[Part, ...]:
    """The parts of the message that the chunks make."""
    return assemble(chunks, CallTrace()).message.parts


def traced(*messages: Message, **fields: object) -> Call:
    """A call that keeps its notes."""
    return make_call(messages=messages or (Message("user", "hi"),), **fields)


def rendered(call: Call, model: str = "m", dialect: Dialect = DEFAULT, **options: object) -> tuple[dict, list[tuple]]:
    """Render a call; return the body and what was noted."""
    body = render_request(call, model, dialect, **options)
    return body, [(note.action, note.reason) for note in call.trace.decisions]

"""Short ways to what the tests are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aigw.assembly import assemble
from aigw.testing.call import make_call
from aigw.trace import CallTrace
from aigw.wire.gemini import DEFAULT, Dialect, StreamParser, StreamRenderer, render_request

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.chunk import Chunk
    from aigw.message import Message, Part

NEWER = "gemini-3.8-flash"
OLDER = "gemini-2.5-flash"


def answer(*parts: dict, reason: str | None = "STOP", **fields: object) -> dict:
    """A whole answer, or an event of a stream, of one candidate."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    return {"candidates": [candidate if reason is None else {**candidate, "finishReason": reason}], **fields}


def sse(*events: object) -> bytes:
    """A stream with these events, in the way in which Google writes it."""
    return b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)


def parse(*pieces: bytes, dialect: Dialect = DEFAULT) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser(dialect, "m")
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


def events(*chunks: Chunk, **options: object) -> list[dict]:
    """Render a whole stream and read its JSON."""
    renderer = StreamRenderer(**options)
    body = b"".join([*map(renderer.render, chunks), renderer.finish()])
    return [json.loads(event.removeprefix(b"data: ")) for event in body.split(b"\n\n") if event]


def parts_of(chunks: list[Chunk]) -> tuple[Part, ...]:
    """The parts of the message that the chunks make."""
    return assemble(chunks, CallTrace()).message.parts


def traced(*messages: Message, **fields: object) -> Call:
    """A call that keeps its notes."""
    return make_call(messages=messages, **fields)


def rendered(call: Call, model: str = NEWER, dialect: Dialect = DEFAULT, **options: object) -> tuple[dict, list[tuple]]:
    """Render a call; return the body and what was noted."""
    body = render_request(call, model, dialect, **options)
    return body, [(note.action, note.reason) for note in call.trace.decisions]

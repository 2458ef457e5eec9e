"""Whatever the Converse API can express survives being written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.wire.bedrock_converse import (
    WIRE,
    StreamParser,
    StreamRenderer,
    parse_request,
    parse_response,
    render_request,
    render_response,
)
from strategies import splits
from wire.bedrock_converse.samples import calls, streams, whole_answers

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.chunk import Chunk


def render(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def parse(*pieces: bytes) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser()
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


@settings(max_examples=150)
@given(calls())
def test_calls_survive_the_wire(call: Call) -> None:
    """A call that was rendered, sent as JSON and read again is the same call."""
    body = from_json(to_json(render_request(call, call.model, strict=True)))
    again = parse_request(body, model=call.model, stream=call.stream)

    assert again == call
    assert again.wire == WIRE
    assert all(message.wire == WIRE for message in again.messages)


@settings(max_examples=150)
@given(whole_answers())
def test_whole_answers_survive_the_wire(chunks: list[Chunk]) -> None:
    """A whole answer that was rendered, sent as JSON and read again is the same chunks in the same order."""
    again = parse_response(from_json(to_json(render_response(chunks))))

    assert again == chunks
    assert all(chunk.wire == WIRE for chunk in again)


@settings(max_examples=150)
@given(streams())
def test_streams_survive_the_wire(chunks: list[Chunk]) -> None:
    """A stream that was rendered and read again is the same chunks in the same order."""
    again = parse(render(chunks))

    assert again == chunks
    assert all(chunk.wire == WIRE for chunk in again)


@settings(max_examples=50)
@given(st.data())
def test_any_split_gives_the_same_chunks(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference."""
    body = render(data.draw(streams()))

    assert parse(*data.draw(splits(body))) == parse(body)

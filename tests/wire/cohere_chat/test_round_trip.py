"""What Cohere's chat format can express survives the way there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.assembly import assemble
from aigw.call import Call
from aigw.trace import CallTrace
from aigw.wire.cohere_chat import (
    WIRE,
    StreamParser,
    StreamRenderer,
    parse_request,
    parse_response,
    render_request,
    render_response,
)
from strategies import splits
from wire.cohere_chat.strategies import chat_calls, streams, whole_answers

if TYPE_CHECKING:
    from aigw.chunk import Chunk


def over_the_wire(body: object) -> object:
    """The body as the other side reads it."""
    return from_json(to_json(body))


def stream_of(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def read(*pieces: bytes) -> list[Chunk]:
    """Read a stream that comes in pieces."""
    parser = StreamParser()
    return [*(chunk for piece in pieces for chunk in parser.feed(piece)), *parser.finish()]


def parts_of(chunks: list[Chunk]) -> object:
    """What the application sees of an answer."""
    answer = assemble(chunks, CallTrace())
    return answer.first.parts, answer.finish_reason, answer.usage, answer.id


@given(chat_calls())
def test_requests_survive_the_wire(call: Call) -> None:
    """A call that was rendered, sent as JSON and read again is the same call, and knows where it was read."""
    again = parse_request(over_the_wire(render_request(call, call.model)))

    assert again == call
    assert {again.wire, *(message.wire for message in again.messages)} == {WIRE}


@given(whole_answers())
def test_whole_answers_survive_the_wire(chunks: list[Chunk]) -> None:
    """A whole answer is read back chunk by chunk."""
    again = parse_response(over_the_wire(render_response(chunks)))

    assert again == chunks
    assert {chunk.wire for chunk in again} == {WIRE}


@given(streams())
def test_streams_survive_the_wire(chunks: list[Chunk]) -> None:
    """A stream is read back chunk by chunk."""
    again = read(stream_of(chunks))

    assert again == chunks
    assert {chunk.wire for chunk in again} == {WIRE}


@given(streams(), st.data())
def test_a_stream_may_be_split_anywhere(chunks: list[Chunk], data: st.DataObject) -> None:
    """However the bytes are cut, the chunks are the same."""
    assert read(*data.draw(splits(stream_of(chunks)))) == chunks


@given(streams())
def test_a_stream_and_its_whole_answer_say_the_same(chunks: list[Chunk]) -> None:
    """What an application sees does not depend on whether it streams."""
    whole = parse_response(over_the_wire(render_response(chunks)))
    citations = [chunk for chunk in chunks if "citations" in ((chunk.extra or {}).get("part") or {})]
    plain = [chunk for chunk in chunks if chunk not in citations]

    assert parts_of(parse_response(over_the_wire(render_response(plain)))) == parts_of(plain)
    assert "".join(chunk.text for chunk in whole) == "".join(chunk.text for chunk in chunks)


@given(whole_answers())
def test_an_answer_goes_back_as_it_came(chunks: list[Chunk]) -> None:
    """A conversation that goes on sends the answer's own message: thinking, text, citations, plan and calls."""
    body = over_the_wire(render_response(chunks))
    message = assemble(parse_response(body), CallTrace()).message
    (sent,) = render_request(Call(messages=(message,)), "m")["messages"]
    came = body["message"]

    assert sent.get("tool_plan") == came.get("tool_plan")
    assert sent.get("citations") == came.get("citations")
    assert [call["id"] for call in sent.get("tool_calls", ())] == [call["id"] for call in came.get("tool_calls", ())]
    assert sent.get("content", []) in (came.get("content", []), _text_alone(came), "")


def _text_alone(message: dict) -> object:
    content = message.get("content", [])
    return content[0]["text"] if len(content) == 1 and set(content[0]) == {"type", "text"} else None

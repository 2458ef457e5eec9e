"""What the format can express survives the way there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.assembly import assemble
from aigw.call import Call
from aigw.message import Message
from aigw.trace import CallTrace
from aigw.wire.anthropic_messages import WIRE, parse_request, parse_response, render_request, render_response
from strategies import splits
from wire.anthropic_messages.making import parse, render
from wire.anthropic_messages.strategies import chat_calls, streams, whole_answers

if TYPE_CHECKING:
    from aigw.chunk import Chunk


@given(chat_calls())
def test_requests_survive_the_wire(call: Call) -> None:
    """A request that was rendered and read again is the same call."""
    read = parse_request(render_request(call, call.model))

    assert read == call
    assert {message.wire for message in read.messages} <= {WIRE}
    assert read.wire == WIRE


@given(whole_answers())
def test_answers_survive_the_wire(chunks: list[Chunk]) -> None:
    """An answer that was rendered and read again is the same chunks in the same order."""
    read = parse_response(render_response(chunks))

    assert read == chunks
    assert {chunk.wire for chunk in read} == {WIRE}


@given(streams())
def test_streams_survive_the_wire(chunks: list[Chunk]) -> None:
    """A stream that was rendered and read again is the same chunks in the same order."""
    read = parse(render(chunks))

    assert read == chunks
    assert {chunk.wire for chunk in read} == {WIRE}


@given(st.data())
def test_any_split_gives_the_same_chunks(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference, nor does the kind of line end."""
    body = render(data.draw(streams())).replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))

    assert parse(*data.draw(splits(body))) == parse(body)


@given(streams())
def test_a_stream_makes_the_same_answer_as_a_whole(chunks: list[Chunk]) -> None:
    """Rendered whole or as a stream, the chunks make the same message with the same counts."""
    streamed = assemble(parse(render(chunks)), CallTrace())
    whole = assemble(parse_response(render_response(chunks)), CallTrace())

    assert whole.message == streamed.message
    assert (whole.usage, whole.finish_reason, whole.id) == (streamed.usage, streamed.finish_reason, streamed.id)


@pytest.mark.parametrize("model", ["m", "claude-sonnet-5", "claude-opus-4-6", "claude-opus-5-5"])
@given(st.data())
def test_a_conversation_goes_on_with_the_blocks_that_came(model: str, data: st.DataObject) -> None:
    """The message of an answer is sent back block for block; only thinking that nobody signed may be left out."""
    answered = data.draw(whole_answers())
    signed = [chunk for chunk in answered if all(getattr(part, "signature", "s") for part in chunk.parts)]
    sent = render_response(signed)
    back = assemble(parse_response(sent), CallTrace()).message
    body = render_request(Call(messages=(Message("user", "hi"), back, Message("user", "go on"))), model)
    content = body["messages"][1]["content"] if sent["content"] else []

    assert content in (sent["content"], sent["content"] and sent["content"][0].get("text"))

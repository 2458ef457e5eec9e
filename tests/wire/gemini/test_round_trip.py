"""What is written in Gemini's format is read back as it was."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from aigw.assembly import assemble
from aigw.call import Call
from aigw.chunk import Chunk
from aigw.message import Message
from aigw.trace import CallTrace
from aigw.wire.gemini import (
    Dialect,
    Family,
    StreamParser,
    StreamRenderer,
    embeddings,
    parse_request,
    parse_response,
    predict,
    render_request,
    render_response,
)
from strategies import names, splits
from wire.gemini.strategies import chat_calls, embedding_calls, streams, whole_answers


def over_the_wire(body: object) -> object:
    """The body as the other side reads it."""
    return json.loads(json.dumps(body))


def render_stream(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def parse_stream(*pieces: bytes) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser()
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


@given(chat_calls())
def test_requests(call: Call) -> None:
    """A request that was rendered and read again is the same call, whatever it holds."""
    body = over_the_wire(render_request(call, call.model))

    assert parse_request(body, model=call.model, stream=call.stream) == call


@given(chat_calls())
def test_requests_that_go_through(call: Call) -> None:
    """A request that was read goes out again as it came."""
    body = over_the_wire(render_request(call, call.model))
    again = parse_request(body, model=call.model)

    assert over_the_wire(render_request(again, call.model)) == body


@given(whole_answers())
def test_whole_answers(chunks: list[Chunk]) -> None:
    """An answer that was rendered and read again is the same chunks."""
    assert parse_response(over_the_wire(render_response(chunks))) == chunks


@given(streams())
def test_streams(chunks: list[Chunk]) -> None:
    """A stream that was rendered and read again is the same chunks in the same order."""
    assert parse_stream(render_stream(chunks)) == chunks


@given(st.data())
def test_any_split_gives_the_same_chunks(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference, nor does the kind of line end."""
    body = render_stream(data.draw(streams())).replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))

    assert parse_stream(*data.draw(splits(body))) == parse_stream(body)


@given(streams())
def test_a_conversation_goes_on_with_exactly_what_came(chunks: list[Chunk]) -> None:
    """The message of an answer renders to its parts, signatures and all, streamed or not."""
    first = [chunk for chunk in chunks if chunk.index == 0]
    message = assemble(first, CallTrace()).message
    whole = render_response(first)["candidates"][0].get("content", {}).get("parts", [])
    lenient = Dialect(families=(Family("", {}, signed_calls=False),))
    body = render_request(Call(messages=(Message("user", "hi"), message)), "gemini-3", lenient)

    assert [content["parts"] for content in body["contents"][1:]] == ([whole] if whole else [])


@given(embedding_calls, st.booleans())
def test_embeddings(call: Call, nested: bool) -> None:  # noqa: FBT001  (given by hypothesis)
    """So do requests for embeddings, of both kinds."""
    body = over_the_wire(embeddings.render_request(call, call.model, nested=nested))

    assert embeddings.parse_request(body, model=call.model) == call


@given(embedding_calls, st.just({}) | st.just({"parameters": {"autoTruncate": False}}))
def test_embeddings_by_predict(call: Call, more: dict) -> None:
    """And those of Vertex AI's older models."""
    call = call.evolve(extra={**call.extra, **more})
    body = over_the_wire(predict.render_request(call, call.model))

    assert predict.parse_request(body, model=call.model) == call


vectors = st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple), max_size=3)


@given(vectors.map(tuple), names)
def test_answers_with_embeddings(rows: tuple, word: str) -> None:
    """Vectors come back to the last digit, and so do fields that aigw does not model."""
    chunks = [Chunk(vectors=rows, extra={"metadata": {word: 1}})]

    assert embeddings.parse_response(over_the_wire(embeddings.render_response(chunks))) == chunks
    assert predict.parse_response(over_the_wire(predict.render_response(chunks))) == chunks

"""What goes through this format comes back the same: requests, whole answers, streams; to the wire and from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.assembly import assemble
from aigw.call import Call
from aigw.trace import CallTrace
from aigw.wire.openai_responses import (
    WIRE,
    StreamParser,
    StreamRenderer,
    parse_request,
    parse_response,
    render_request,
    render_response,
)
from strategies import splits
from wire.openai_responses.server import events, sse
from wire.openai_responses.strategies import chat_calls, responses

if TYPE_CHECKING:
    from aigw.chunk import Chunk


def parse(*pieces: bytes) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser()
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


def render(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def decoded(body: bytes) -> list[dict]:
    """Decode the events of a stream."""
    return [json.loads(block.partition(b"data: ")[2]) for block in body.split(b"\n\n") if block]


@settings(max_examples=40)
@given(chat_calls)
def test_requests_survive_the_wire(call: Call) -> None:
    """A call that was rendered and read again is the same call."""
    body = json.loads(json.dumps(render_request(call, call.model)))
    read = parse_request(body)

    assert read == call
    assert read.wire == WIRE
    assert {message.wire for message in read.messages} <= {WIRE}
    assert render_request(read, call.model) == body


@settings(max_examples=40)
@given(responses)
def test_whole_answers_survive_in_both_directions(response: dict) -> None:
    """From the wire to chunks to the wire nothing is lost, and from chunks to the wire to chunks neither."""
    chunks = parse_response(response)
    again = render_response(chunks)

    assert again == response
    assert parse_response(again) == chunks
    assert {chunk.wire for chunk in chunks} == {WIRE}


@settings(max_examples=40)
@given(responses, st.integers(0, 3))
def test_streams_survive_in_both_directions(response: dict, pieces: int) -> None:
    """The answer at the end of a stream is the one that came in, and what was rendered is read as the same chunks."""
    chunks = parse(sse(*events(response, pieces)))
    body = render(chunks)
    end = decoded(body)[-1]["response"]

    assert end == response
    assert parse(body) == chunks
    assert {chunk.wire for chunk in chunks} == {WIRE}


@settings(max_examples=40)
@given(responses, st.integers(0, 3))
def test_a_stream_says_the_same_as_the_whole(response: dict, pieces: int) -> None:
    """Put together, the chunks of a stream are the same answer as that of the whole response."""
    whole = assemble(parse_response(response), CallTrace())
    streamed = assemble(parse(sse(*events(response, pieces))), CallTrace())
    rest = {name: value for name, value in streamed.extra.items() if name != "events"}

    assert streamed.choices == whole.choices
    assert (streamed.usage, streamed.id, streamed.model, rest) == (whole.usage, whole.id, whole.model, whole.extra)


def without_refusals(response: dict) -> dict:
    """Leave refusals out, which are not part of a message of ours; and empty logprobs, which no question has."""
    output = []
    for item in response["output"]:
        if item["type"] == "message":
            texts = [part for part in item["content"] if part["type"] == "output_text"]
            texts = [{name: part[name] for name in part if name != "logprobs" or part[name]} for part in texts]
            output += [{**item, "content": texts}] if texts else []
        else:
            output.append(item)
    return {**response, "output": output}


@settings(max_examples=40)
@given(responses.map(without_refusals), st.booleans())
def test_a_conversation_goes_on_with_exactly_what_came(response: dict, stream: bool) -> None:  # noqa: FBT001
    """Where the server remembers, the items of an answer go back as they came, in their order."""
    chunks = parse(sse(*events(response))) if stream else parse_response(response)
    message = assemble(chunks, CallTrace()).message
    sent = render_request(Call(messages=(message,), extra={"store": True}), "m")["input"]

    assert sent == response["output"]


@settings(max_examples=40)
@given(st.data())
def test_any_split_gives_the_same_chunks(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference, nor does the kind of line end."""
    body = sse(*events(data.draw(responses))).replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))

    assert parse(*data.draw(splits(body))) == parse(body)


@settings(max_examples=40)
@given(responses)
def test_the_events_are_numbered_and_complete(response: dict) -> None:
    """Every item is announced once and ended once, in order, and the numbers have no gaps."""
    found = decoded(render(parse(sse(*events(response)))))
    places = range(len(response["output"]))

    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    for name in ("added", "done"):
        kind = f"response.output_item.{name}"
        assert [event["output_index"] for event in found if event["type"] == kind] == list(places)
    assert [event["type"] for event in found[:2]] == ["response.created", "response.in_progress"]

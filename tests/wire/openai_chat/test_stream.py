"""Streams in the format of OpenAI chat completions, bytes to chunks and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.chunk import Chunk, ToolCallDelta, Usage, join_tool_calls
from aigw.errors import BadResponse, ContextTooLong, Overloaded, ProviderError, ServerError
from aigw.message import ToolCall
from aigw.wire.openai_chat import Dialect, StreamParser, StreamRenderer
from strategies import splits, streams

DONE = b"data: [DONE]\n\n"


def sse(*payloads: object) -> bytes:
    """Events with these payloads."""
    return b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)


def delta(content: str | None = None, *, index: int = 0, finish_reason: str | None = None, **fields: object) -> dict:
    """An event of a stream with one choice."""
    said = {} if content is None else {"content": content}
    return {"choices": [{"index": index, "delta": {**said, **fields}, "finish_reason": finish_reason}]}


HI = sse(delta("hi"))
STOP = sse(delta(finish_reason="stop"))


def parse(*pieces: bytes) -> list[Chunk]:
    """Read a stream that ends after these pieces."""
    parser = StreamParser()
    return [chunk for piece in pieces for chunk in parser.feed(piece)] + parser.finish()


def render(chunks: list[Chunk], **options: object) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer(**options)
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


@settings(deadline=None)
@given(streams())
def test_streams_survive_the_wire(chunks: list[Chunk]) -> None:
    """A stream that was rendered and read again is the same chunks in the same order."""
    assert parse(render(chunks)) == chunks


@settings(deadline=None)
@given(st.data())
def test_any_split_gives_the_same_chunks(data: st.DataObject) -> None:
    """Where the bytes are cut makes no difference, nor does the kind of line end."""
    body = render(data.draw(streams())).replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b"\r"])))

    assert parse(*data.draw(splits(body))) == parse(body)


def test_chunks_come_as_soon_as_they_are_there() -> None:
    """Every feed gives what it completes; after ``[DONE]`` nothing counts any more."""
    parser = StreamParser()
    seen = [parser.feed(piece) for piece in (b": hello\n\n", HI[:9], HI[9:], HI + STOP)]
    before = parser.ended
    after = parser.feed(DONE + HI)

    assert seen == [[], [], [Chunk(text="hi")], [Chunk(text="hi"), Chunk(finish_reason="stop")]]
    assert not before
    assert parser.ended
    assert after == []
    assert parser.feed(b"data: garbage\n\n") == []
    assert parser.finish() == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(HI + STOP + DONE, id="done"),
        pytest.param(HI + STOP + b"data: [DONE]", id="done without line end"),
        pytest.param(HI + STOP + b"data:[DONE]\n\n", id="done without space"),
        pytest.param(HI + DONE, id="done without finish reason"),
        pytest.param(DONE, id="done at once"),
        pytest.param(HI + STOP, id="finish reason"),
        pytest.param(HI + STOP.rstrip(), id="finish reason without line end"),
        pytest.param(HI + STOP + sse({"choices": [], "usage": {"prompt_tokens": 1}}), id="usage at the end"),
        pytest.param(
            sse(delta("a"), delta("b", index=1), delta(finish_reason="stop"), delta(index=1, finish_reason="stop")),
            id="every choice has its finish reason",
        ),
    ],
)
def test_a_proper_end_is_no_error(body: bytes) -> None:
    """``[DONE]``, or a finish reason for every choice that was seen, ends a stream properly."""
    assert all(isinstance(chunk, Chunk) for chunk in parse(body))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b": ping\n\n", id="only comments"),
        pytest.param(HI, id="no finish reason"),
        pytest.param(HI + b"data: {", id="cut within an event"),
        pytest.param(HI + STOP + b'data: {"choices": [], "usa', id="cut within the usage"),
        pytest.param(HI + STOP + b"data: [DO", id="cut within the end"),
        pytest.param(sse(delta("a"), delta("b", index=1), delta(finish_reason="stop")), id="one choice unfinished"),
        pytest.param(sse({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}), id="only usage"),
        pytest.param(b"<html>hello</html>", id="no stream at all"),
    ],
)
def test_a_stream_that_is_cut_is_never_taken_for_complete(body: bytes) -> None:
    """Without its proper end a stream fails, and goes on failing."""
    parser = StreamParser(Dialect(provider="p"), "m")
    parser.feed(body)

    for _ in range(2):
        with pytest.raises(BadResponse, match=r"^p/m: the stream ended before its end$"):
            parser.finish()


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        pytest.param(b"data: {hunter2\n\n", BadResponse, id="no JSON"),
        pytest.param(b"data: \xff\n\n", BadResponse, id="no UTF-8"),
        pytest.param(b'data: "hunter2"\n\n', BadResponse, id="no object"),
        pytest.param(b'data: {"choices": "hunter2"}\n\n', BadResponse, id="no choices"),
        pytest.param(sse({"error": {"message": "hunter2", "type": "server_error"}}), ServerError, id="error"),
        pytest.param(sse({"error": {"message": "hunter2", "code": 503}}), Overloaded, id="numbered error"),
        pytest.param(sse({"error": "hunter2"}), ServerError, id="error as text"),
        pytest.param(
            sse({"error": {"code": 400, "message": "hunter2", "type": "exceed_context_size_error"}}),
            ContextTooLong,
            id="typed error",
        ),
        pytest.param(b"event: error\n" + sse({"message": "hunter2", "code": 503}), Overloaded, id="named error"),
        pytest.param(b"event: error\ndata: hunter2\n\n", ServerError, id="named error as text"),
        pytest.param(b"event: error\n" + sse({"error": {"message": "hunter2", "code": 503}}), Overloaded, id="both"),
        pytest.param(b"event: chunk\ndata: {hunter2\n\n", BadResponse, id="named, no JSON"),
    ],
)
def test_good_chunks_are_handed_out_before_what_is_wrong(bad: bytes, kind: type[ProviderError]) -> None:
    """What came before an error in the same bytes is not lost; then the error comes, and comes again, unquoted."""
    parser = StreamParser()
    first = parser.feed(HI + bad + HI)
    errors = []
    for step in (lambda: parser.feed(HI), parser.finish, lambda: parser.feed(DONE)):
        with pytest.raises(ProviderError) as caught:
            step()
        errors.append(caught.value)

    assert first == [Chunk(text="hi")]
    assert [type(error) for error in errors] == [kind] * 3
    assert "hunter2" not in str(errors[0])
    with pytest.raises(kind):
        StreamParser().feed(bad)


def test_an_error_without_its_line_end_is_still_that_error() -> None:
    """A server that sends an error and hangs up is believed."""
    parser = StreamParser()
    parser.feed(HI + sse({"error": {"message": "m", "code": 503}}).rstrip())

    with pytest.raises(Overloaded):
        parser.finish()


@pytest.mark.parametrize(
    "noise",
    [
        b"event: ping\ndata: {}\n\n",
        b"event: ping\n\n",
        b"event: ping\ndata: [1]\n\n",
        b"data:\n\n",
        b": c\n\n",
        b"id: 1\n\n",
    ],
)
def test_pings_and_comments_are_no_chunks(noise: bytes) -> None:
    """What keeps a connection alive does not show."""
    assert parse(noise + HI + noise + STOP + noise) == [Chunk(text="hi"), Chunk(finish_reason="stop")]


def test_a_named_event_with_a_chunk_is_a_chunk() -> None:
    """A server that names its events is understood."""
    assert parse(b"event: message\n" + HI + STOP) == [Chunk(text="hi"), Chunk(finish_reason="stop")]


def test_parallel_tool_calls_are_kept_apart() -> None:
    """Pieces of several tool calls in one stream are joined by their index."""
    first = {"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}}
    second = {"index": 1, "id": "c1", "type": "function", "function": {"name": "g", "arguments": "{"}}
    body = sse(
        delta(tool_calls=[first]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}, second]),
        delta(tool_calls=[{"index": 1, "function": {"arguments": "}"}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": ":1}"}}]),
        delta(finish_reason="tool_calls"),
    )

    assert join_tool_calls(parse(body)) == (ToolCall("c0", "f", '{"a":1}'), ToolCall("c1", "g", "{}"))


def events(body: bytes) -> list[dict]:
    """Decode the events of a stream, without its end."""
    return [json.loads(line[6:]) for line in body.split(b"\n\n") if line and line != b"data: [DONE]"]


def test_a_stream_looks_like_this_on_the_wire() -> None:
    """One id, model and time for all; the role once; usage in an event of its own at the end."""
    body = render(
        [
            Chunk(id="s", model="m"),
            Chunk(text="a", id="other", model="other", usage=Usage(1, 1)),
            Chunk(tool_calls=(ToolCallDelta(0, "c", "f", "{"),), extra={"choice": {"logprobs": {"content": []}}}),
            Chunk(finish_reason="stop", usage=Usage(1, 2), extra={"usage": {"cost": 0.5}, "tier": 1}),
        ],
        created=7,
    )
    head = {"id": "s", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}

    assert events(body) == [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]},
        {
            **head,
            "choices": [
                {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None, "logprobs": {"content": []}}
            ],
        },
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "tier": 1},
        {
            **head,
            "choices": [],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "cost": 0.5},
        },
    ]
    assert body.endswith(DONE)


def test_usage_is_left_out_where_the_client_did_not_ask() -> None:
    """Without ``include_usage`` the stream ends without an event for it."""
    assert events(render([Chunk(usage=Usage(1, 2))], include_usage=False)) == []


def test_given_names_win_over_those_of_the_chunks() -> None:
    """A drop-in can answer under its own id and model."""
    (event,) = events(render([Chunk(text="a", id="x", model="y")], id="mine", model="ours"))

    assert (event["id"], event["model"]) == ("mine", "ours")


def test_a_chunk_that_says_nothing_is_rendered_once_at_most() -> None:
    """An empty chunk opens a choice; more of them are nothing."""
    renderer = StreamRenderer()

    assert renderer.render(Chunk()) != b""
    assert renderer.render(Chunk()) == b""


def test_fields_of_the_whole_answer_need_no_choice() -> None:
    """What comes before the first choice is handed on without one."""
    (event,) = events(render([Chunk(extra={"prompt_filter_results": [1]})]))

    assert (event["choices"], event["prompt_filter_results"]) == ([], [1])


def test_content_in_parts_is_handed_on_in_parts() -> None:
    """Parts of a delta that are no text go out again beside it."""
    body = sse(delta(finish_reason="stop", content=[{"type": "text", "text": "a"}, {"type": "thinking"}]))
    chunks = parse(body)

    assert parse(render(chunks)) == chunks
    assert chunks[0].text == "a"

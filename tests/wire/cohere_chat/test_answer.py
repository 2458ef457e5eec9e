"""Answers in Cohere's chat format, whole and streamed: what is read, and what is made of strange ones."""

from __future__ import annotations

import json

import pytest

from aigw.assembly import assemble
from aigw.call import Call
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, ServerError, TimedOut
from aigw.message import Image, Other, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.wire.cohere_chat import (
    WIRE,
    StreamParser,
    StreamRenderer,
    parse_response,
    render_request,
    render_response,
)

CITATION = {"start": 0, "end": 2, "text": "Hi", "sources": []}


def body(finish: str | None = "COMPLETE", **message: object) -> dict:
    """An answer."""
    return {"id": "r", "finish_reason": finish, "message": {"role": "assistant", **message}}


def events(*data: dict, done: bool = True) -> bytes:
    """A stream as the server sends it."""
    sent = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in data]
    return "".join([*sent, "data: [DONE]\n\n" if done else ""]).encode()


def event(kind: str, index: int | None = None, **message: object) -> dict:
    """An event of a stream."""
    place = {} if index is None else {"index": index}
    return {"type": kind, **place, **({"delta": {"message": message}} if message else {})}


def end(reason: str = "COMPLETE", **delta: object) -> dict:
    """The last event of a stream."""
    return {"type": "message-end", "delta": {"finish_reason": reason, **delta}}


def read(data: bytes) -> list[Chunk]:
    """Read a whole stream."""
    parser = StreamParser()
    return parser.feed(data) + parser.finish()


def parts(chunks: list[Chunk]) -> tuple:
    """The parts of an answer."""
    return assemble(chunks, CallTrace()).first.parts


def test_a_plain_answer_is_one_chunk() -> None:
    """Most answers are a text and nothing else."""
    answer = {
        **body(content=[{"type": "text", "text": "Hi"}]),
        "usage": {"tokens": {"input_tokens": 3.0, "output_tokens": 1.0}},
    }

    assert parse_response(answer) == [Chunk("Hi", finish_reason="stop", usage=Usage(3, 1), id="r")]


def test_an_answer_with_everything() -> None:
    """Thinking, text with its citations, the plan and the calls come in their order, and are the provider's own."""
    chunks = parse_response(
        body(
            "TOOL_CALL",
            content=[{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}, {"type": "new", "x": 1}],
            citations=[CITATION],
            tool_plan="I call f.",
            tool_calls=[{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x'}}],
        )
    )

    assert parts(chunks) == (
        Reasoning("hm", None, "cohere"),
        Text("Hi", {"citations": [CITATION]}),
        Other({"type": "new", "x": 1}),
        Reasoning("I call f.", None, "cohere", {"type": "tool_plan"}),
        ToolCall("a", "f", '{"x'),
    )
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
        ("stop", "stop"),
    ],
)
def test_finish_reasons(given: str, reason: str) -> None:
    """They are ours where there is one, and Cohere's own word goes back to a client of its format."""
    whole = parse_response(body(given, content=[]))
    streamed = read(events(end(given)))

    assert whole[-1].finish_reason == streamed[-1].finish_reason == reason
    assert render_response(whole)["finish_reason"] == render_response(streamed)["finish_reason"] == given


@pytest.mark.parametrize(
    ("given", "more", "kind", "detail"),
    [
        ("ERROR", {}, ServerError, "ERROR"),
        ("ERROR", {"error": "out of luck"}, ServerError, "out of luck"),
        ("TIMEOUT", {}, TimedOut, "TIMEOUT"),
    ],
)
def test_a_generation_that_failed_is_an_error(given: str, more: dict, kind: type, detail: str) -> None:
    """It is no answer, though the status says so; in a stream what came before it is read first."""
    with pytest.raises(kind) as caught:
        parse_response({**body(given, content=[{"type": "text", "text": "Hal"}]), **more}, model="m")
    parser = StreamParser(model="m")
    chunks = parser.feed(events(event("content-delta", 0, content={"text": "Hal"}), end(given, **more)))
    with pytest.raises(kind) as streamed:
        parser.feed(b"")

    assert [chunk.text for chunk in chunks] == ["Hal"]
    assert caught.value.detail == streamed.value.detail == detail
    assert (caught.value.code, caught.value.provider, caught.value.model) == (given, "cohere", "m")
    with pytest.raises(kind):
        parser.finish()


def test_an_error_in_place_of_an_answer() -> None:
    """A body, or an event, that holds a message only is classified like a failed request."""
    with pytest.raises(ServerError):
        parse_response({"message": "no"})
    for data in (
        b'data: {"message": "no"}\n\n',
        b'event: error\ndata: {"detail": "no"}\n\n',
        b"event: error\ndata: no\n\n",
    ):
        with pytest.raises(ServerError):
            StreamParser().feed(data)


@pytest.mark.parametrize(
    ("usage", "read_as", "left"),
    [
        ({"tokens": {"input_tokens": 9, "output_tokens": 7}, "cached_tokens": 2}, Usage(9, 7, 2), None),
        ({"tokens": {"input_tokens": 9.0, "output_tokens": 7.0, "x": 1}}, Usage(9, 7), {"tokens": {"x": 1}}),
        (
            {"billed_units": {"input_tokens": 5, "output_tokens": 7}},
            Usage(5, 7),
            {"billed_units": {"input_tokens": 5, "output_tokens": 7}},
        ),
        ({"tokens": {"input_tokens": 9}}, None, None),
        ({"tokens": {"input_tokens": -1, "output_tokens": 0.5}}, None, None),
        ({"billed_units": {"search_units": 1}}, None, {"billed_units": {"search_units": 1}}),
        (None, None, None),
        ("none", None, None),
    ],
)
def test_usage(usage: object, read_as: Usage | None, left: dict | None) -> None:
    """Tokens count, billed units only where there are none; what is not told is unknown, and nothing is lost."""
    (chunk,) = parse_response({**body(content=[]), "usage": usage})
    (streamed,) = read(events(end(usage=usage)))

    assert chunk.usage == streamed.usage == read_as
    assert (chunk.extra or {}).get("usage") == (streamed.extra or {}).get("usage") == left


def test_citations_without_a_text_go_back_too() -> None:
    """They stand with a text that is empty, which is no block of the message that goes back."""
    sent = {"content": [{"type": "thinking", "thinking": "hm"}], "citations": [CITATION]}
    message = assemble(parse_response(body(**sent)), CallTrace()).message

    assert message.parts == (Reasoning("hm", None, "cohere"), Text("", {"citations": [CITATION]}))
    assert render_request(Call(messages=(message,)), "m")["messages"] == [{"role": "assistant", **sent}]


def test_a_plan_that_comes_whole_is_a_plan() -> None:
    """Nothing depends on how an answer was cut into chunks."""
    plan = Reasoning("p", None, "cohere", {"type": "tool_plan"})
    counts = {"usage": {"billed_units": {"search_units": 1}}}
    chunks = [Chunk(parts=(Reasoning("hm", None, "cohere"), plan)), Chunk(finish_reason="stop", extra=counts)]
    answer = render_response(chunks)

    assert (answer["message"]["tool_plan"], answer["usage"]) == ("p", {"billed_units": {"search_units": 1}})
    assert parts(parse_response(answer)) == parts(chunks)


def test_an_answer_may_be_a_string() -> None:
    """Where a server writes no blocks, the text is the text; a block of another format is kept."""
    assert parse_response(body(content="Hi"))[0].text == "Hi"
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    assert parts(parse_response(body(content=[image]))) == (Other(image),)


def test_a_stream_without_starts_and_ends() -> None:
    """Blocks begin and end where their kind changes; indexes of calls may begin anywhere; no id is no chunk."""
    chunks = read(
        events(
            event("message-start", role="assistant", content=[], tool_plan="", tool_calls=[], citations=[]),
            event("content-delta", 0, content={"thinking": "hm"}),
            event("content-delta", 1, content={"text": "Hi"}),
            event("tool-plan-delta", tool_plan="p"),
            event("content-delta", 2, content={"thinking": "so"}),
            event("tool-call-start", 3, tool_calls={"id": "a", "type": "function", "function": {"name": "f"}}),
            event("tool-call-delta", 3, tool_calls={"function": {"arguments": "{}"}}),
            event("tool-call-start", 7, tool_calls={"id": "b", "type": "function", "function": {"name": "g"}}),
            end("TOOL_CALL"),
        )
    )

    assert parts(chunks) == (
        Reasoning("hm", None, "cohere"),
        Text("Hi"),
        Reasoning("p", None, "cohere", {"type": "tool_plan"}),
        Reasoning("so", None, "cohere"),
        ToolCall("a", "f", "{}"),
        ToolCall("b", "g"),
    )


def test_unknown_events_blocks_and_fields_pass_through() -> None:
    """Nothing that a server may add breaks a stream, and a client of this format gets it back."""
    debug = {"type": "debug", "prompt": "p"}
    sent = [
        {**event("message-start", role="assistant", x_message=1), "id": "r"},
        debug,
        event("content-start", 0, content={"type": "text", "text": "", "x_block": 1}),
        event("content-delta", 0, content={"text": "Hi"}),
        {**event("content-end", 0), "x_end": 1},
        event("content-start", 1, content={"type": "new", "text": "a", "rows": [1], "x": 1}),
        event("content-delta", 1, content={"text": "b", "rows": [2], "x": 2}),
        event("content-end", 1),
        event("content-start", 2, content={"type": "thinking", "thinking": "", "x_block": 1}),
        {**event("content-end", 2), "x_end": 1},
        end(x_whole=1),
    ]
    chunks = read(events(*sent))
    renderer = StreamRenderer()
    again = read(b"".join([*map(renderer.render, chunks), renderer.finish()]))

    assert chunks[0].extra == {"message": {"x_message": 1}}
    assert chunks[1].extra == {"events": [debug]}
    assert parts(chunks) == (
        Text("Hi", {"x_block": 1, "x_end": 1}),
        Other({"type": "new", "text": "ab", "rows": [1, 2], "x": 2}),
        Reasoning("", None, "cohere", {"x_block": 1, "x_end": 1}),
    )
    assert chunks[-1].extra == {"x_whole": 1}
    assert parts(again) == parts(chunks)
    assert again[1] == chunks[1]
    assert read(b'event: new\ndata: {"a": 1}\n\n' + events(end()))[0].extra == {"events": [{"type": "new", "a": 1}]}


def test_a_stream_ends_with_message_end_and_nothing_else() -> None:
    """What follows it is ignored; without it the stream was cut, whatever else came."""
    delta = event("content-delta", 0, content={"text": "Hi"})
    parser = StreamParser()
    chunks = parser.feed(events(delta, end()) + b"data: {rubbish\n\n")

    assert parser.ended
    assert [chunk.finish_reason for chunk in chunks] == [None, "stop"]
    assert (parser.feed(b"more"), parser.finish()) == ([], [])
    for cut in (events(delta), events(delta, done=False), events(delta, end(), done=False)[:-9], b""):
        parser = StreamParser(model="m")
        parser.feed(cut)
        with pytest.raises(BadResponse, match="cohere/m: the stream ended before its end"):
            parser.finish()


def test_the_last_blank_line_may_be_missing() -> None:
    """An end that lacks only the end of its event is an end."""
    parser = StreamParser()
    parser.feed(events(end(), done=False)[:-2])

    assert [chunk.finish_reason for chunk in parser.finish()] == ["stop"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "it must be an object, not list"),
        ({}, "message must be an object, not NoneType"),
        (body(content=3), "content must be a list, not int"),
        (body(content=[3]), "content[0] must be an object, not int"),
        (body(tool_calls=[3]), "a tool call must be an object, not int"),
        (body(tool_plan=3), "tool_plan must be a string, not int"),
        (body(citations=3), "citations must be a list, not int"),
        ({**body(content=[]), "id": 3}, "id must be a string, not int"),
        (body(finish=3), "finish_reason is not a string"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(given: object, problem: str) -> None:
    """The error says what is wrong."""
    with pytest.raises(BadResponse) as caught:
        parse_response(given, model="m")

    assert str(caught.value) == f"cohere/m: the answer is not one of Cohere's: {problem}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"data: {\n\n", "an event of the stream is not valid JSON"),
        (b"data: []\n\n", "an event of the stream is not one of Cohere's: it must be an object, not list"),
        (
            events({"type": "content-delta", "delta": 3}),
            "an event of the stream is not one of Cohere's: delta must be an object, not int",
        ),
        (
            events(event("content-delta", 0, content={"text": 3})),
            "an event of the stream is not one of Cohere's: text must be a string, not int",
        ),
    ],
)
def test_what_is_no_event_is_a_bad_response(data: bytes, problem: str) -> None:
    """The error says what is wrong, now and whenever it is asked again."""
    parser = StreamParser()
    for _ in range(2):
        with pytest.raises(BadResponse) as caught:
            parser.feed(data)

        assert str(caught.value) == f"cohere: {problem}"


def test_answers_of_other_formats_are_written_as_far_as_they_can_be() -> None:
    """A refusal is text, reasoning is thinking, ids are made up; unknown fields and other choices stay behind."""
    chunks = [
        Chunk(reasoning="hm", id="x", model="gpt", extra={"choice": {"a": 1}}, wire="openai_chat"),
        Chunk(parts=(Reasoning("", "sig", "openai", {"id": "rs"}),), wire="openai_chat"),
        Chunk(refusal="No.", extra={"part": {"annotations": [1]}}, wire="openai_chat"),
        Chunk("other choice", index=1, wire="openai_chat"),
        Chunk(
            parts=(Other({"type": "x"}), Image("data:,"), Text("!"), ToolCall("", "f", "{}", {"type": "custom"})),
            wire="openai_chat",
        ),
        Chunk(parts=(Reasoning("late", None, "openai"),), wire="openai_chat"),
        Chunk(usage=Usage(3, 2), wire="openai_chat"),
    ]
    whole = render_response(chunks)
    renderer = StreamRenderer(id="mine")
    streamed = read(b"".join([*map(renderer.render, chunks), renderer.finish()]))

    assert whole == {
        "id": "x",
        "finish_reason": "TOOL_CALL",
        "usage": {"tokens": {"input_tokens": 3, "output_tokens": 2}},
        "message": {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "No.!"},
                {"type": "thinking", "thinking": "late"},
            ],
            "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    }
    assert streamed[0].id == "mine"
    assert parts(streamed) == (
        *parts(parse_response(whole))[:2],
        ToolCall("call_0", "f", "{}"),
        Reasoning("late", None, "cohere"),
    )


def test_calls_whose_pieces_are_mixed_keep_their_places() -> None:
    """A piece of a call that is over still finds it by its index."""
    chunks = [
        Chunk(tool_calls=(ToolCallDelta(0, "a", "f"), ToolCallDelta(1, "b", "g"))),
        Chunk(tool_calls=(ToolCallDelta(0, arguments="{"), ToolCallDelta(1, arguments="["))),
        Chunk(
            tool_calls=(ToolCallDelta(0, arguments="}"), ToolCallDelta(1, arguments="]")), finish_reason="tool_calls"
        ),
    ]
    renderer = StreamRenderer()
    again = read(b"".join([*map(renderer.render, chunks), renderer.finish()]))

    assert parts(again) == parts(chunks) == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"))
    assert [call["function"]["arguments"] for call in render_response(chunks)["message"]["tool_calls"]] == ["{}", "[]"]


def test_nothing_at_all_is_an_answer_too() -> None:
    """An empty stream is rendered as an empty answer."""
    assert render_response([]) == {
        "id": "",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": []},
    }
    assert read(StreamRenderer().finish()) == [Chunk(finish_reason="stop", wire=WIRE)]

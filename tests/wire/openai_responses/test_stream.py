"""Streams of servers that leave things out, break off or fail; and what is written for other formats."""

from __future__ import annotations

import json

import pytest

from aigw.assembly import assemble
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import (
    BadResponse,
    ContentFiltered,
    ContextTooLong,
    Overloaded,
    ProviderError,
    ProviderRateLimited,
    ServerError,
)
from aigw.message import Other, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.wire.openai_responses import WIRE, Dialect, StreamParser, StreamRenderer
from wire.openai_responses.server import sse

CREATED = {"type": "response.created", "response": {"id": "r", "model": "m", "status": "in_progress"}}
HELLO = {
    "type": "message",
    "role": "assistant",
    "id": "msg_1",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}],
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "Hm"}],
    "encrypted_content": "",
}
HEL = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hel"}
USAGE = {"input_tokens": 3, "output_tokens": 4}


def end(*output: dict, status: str = "completed", **fields: object) -> dict:
    """The event that ends a stream."""
    response = {"id": "r", "model": "m", "status": status, "output": list(output), **fields}
    return {"type": f"response.{status}", "response": response}


def parse(*events: dict) -> list[Chunk]:
    """Read a stream of these events."""
    parser = StreamParser()
    return parser.feed(sse(*events)) + parser.finish()


def parts(*events: dict) -> tuple:
    """Read a stream of these events; return the parts of the answer."""
    return assemble(parse(*events), CallTrace()).first.parts


def without(events: list[dict], *names: str) -> list[dict]:
    """Leave fields of these names out of events, and of the items in them."""
    kept = [{name: value for name, value in event.items() if name not in names} for event in events]
    for event in kept:
        if "item" in event:
            event["item"] = {name: value for name, value in event["item"].items() if name not in names}
    return kept


SAID = Text("Hello", {"pieces": [{"type": "message", "id": "msg_1"}]})
CALLED = ToolCall("c", "f", '{"a":1}', {"id": "fc_1"})
FULL = [
    CREATED,
    {"type": "response.output_item.added", "output_index": 0, "item": {**HELLO, "content": []}},
    {**HEL, "output_index": 0, "content_index": 0},
    {**HEL, "output_index": 0, "content_index": 0, "delta": "lo"},
    {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "content_index": 0, "text": "Hello"},
    {"type": "response.output_item.done", "output_index": 0, "item": HELLO},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": '{"a"'},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 1, "arguments": '{"a":1}'},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    end(HELLO, CALL),
]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(FULL, id="everything"),
        pytest.param(without(FULL, "output_index", "content_index"), id="no indexes"),
        pytest.param(without(FULL, "item_id"), id="no ids of items"),
        pytest.param(without(FULL, "item_id", "output_index"), id="neither"),
        pytest.param([FULL[0], *FULL[-1:]], id="only the end"),
        pytest.param(FULL[-1:], id="only the end, without a beginning"),
        pytest.param([event for event in FULL if "delta" not in event], id="no deltas"),
        pytest.param([event for event in FULL if "item" not in event], id="no beginnings and ends of items"),
        pytest.param([event for event in FULL if not event["type"].endswith(".done")], id="no ends"),
        pytest.param([event for event in FULL if "added" not in event["type"]], id="no beginnings of items"),
        pytest.param([*FULL[:-1], end()], id="no output at the end"),
        pytest.param([*FULL[:-1], {"type": "response.completed", "response": {}}], id="nothing at the end"),
        pytest.param([*FULL[:1], *FULL[2:5], FULL[5], *FULL[6:]], id="a message that was not announced"),
    ],
)
def test_whatever_is_left_out_the_answer_is_the_same(events: list[dict]) -> None:
    """Servers leave out indexes, ids, deltas, beginnings and ends; nothing is lost, and nothing is said twice."""
    chunks = parse(*events)
    answer = assemble(chunks, CallTrace()).first

    assert answer.text == "Hello"
    assert [(call.id, call.name, call.parse()) for call in answer.tool_calls] == [("c", "f", {"a": 1})]
    assert answer.finish_reason == "tool_calls"
    assert [chunk.wire for chunk in chunks] == [WIRE] * len(chunks)


def test_llama_cpp_is_understood() -> None:
    """Its server numbers nothing, gives little of the answer at the beginning, and adds timings at the end."""
    found = parse(
        {"type": "response.created", "response": {"id": "r", "object": "response", "status": "in_progress"}},
        {"type": "response.output_item.added", "item": {**THOUGHT, "content": []}},
        {"type": "response.reasoning_text.delta", "item_id": "rs_1", "delta": "Hm"},
        {"type": "response.output_item.done", "item": THOUGHT},
        {"type": "response.output_item.added", "item": {**HELLO, "content": []}},
        {"type": "response.content_part.added", "item_id": "msg_1", "part": {"type": "output_text", "text": ""}},
        HEL,
        {**HEL, "delta": "lo"},
        {"type": "response.output_item.done", "item": HELLO},
        {**end(THOUGHT, HELLO, usage={**USAGE, "input_tokens_details": {"cached_tokens": 2}}), "timings": {"n": 1}},
    )
    answer = assemble(found, CallTrace())
    thought = Reasoning("Hm", "", "openai", {"id": "rs_1", "pieces": [{"type": "reasoning_text"}]})

    assert answer.first.parts == (thought, SAID)
    assert (answer.id, answer.model, answer.usage) == ("r", "m", Usage(3, 4, 2))
    assert answer.extra == {"timings": {"n": 1}}


def test_an_item_whose_id_changes_on_the_way_is_told_once() -> None:
    """Some servers name an item differently at its beginning, in its pieces and at its end."""
    done = {"type": "response.output_item.done", "item": {**HELLO, "id": "msg_2"}}
    added = {"type": "response.output_item.added", "item": {**HELLO, "id": "msg_0", "content": []}}

    assert [part.text for part in parts(added, HEL, done, end({**HELLO, "id": "msg_3"}))] == ["Hello"]


def test_what_the_end_says_differently_is_not_said_twice() -> None:
    """A text at the end that does not go on with the pieces before it cannot be told any more."""
    other = {**HELLO, "content": [{"type": "output_text", "text": "Something else"}]}

    assert "".join(part.text for part in parts(HEL, end(other))) == "Hel"


def test_summaries_are_apart() -> None:
    """Between the pieces of reasoning stands an empty line, and where they begin is kept."""
    place = {"item_id": "rs_1", "output_index": 0}
    delta = {"type": "response.reasoning_summary_text.delta", **place}
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    pieces = [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}]
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {**delta, "summary_index": 0, "delta": "One."},
        {**delta, "summary_index": 1, "delta": "Two."},
        {"type": "response.output_item.done", "output_index": 0, "item": {**item, "summary": pieces}},
        end(),
    ]
    extra = {"id": "rs_1", "pieces": [{"type": "summary_text", "at": 4}]}

    assert parts(*events) == (Reasoning("One.\n\nTwo.", None, "openai", extra),)
    assert [chunk.reasoning for chunk in parse(*events) if chunk.reasoning] == ["One.", "\n\nTwo."]


def test_two_messages_in_a_row_stay_apart() -> None:
    """Their texts join, as the pieces of an answer do, but where the second one begins is kept."""
    second = {**HELLO, "id": "msg_2", "phase": "final_answer"}
    begins = [{"type": "message", "id": "msg_1"}, {"type": "message", "id": "msg_2", "phase": "final_answer", "at": 5}]

    assert parts(end(HELLO, second)) == (Text("HelloHello", {"pieces": begins}),)


def test_text_after_a_call_is_a_part_of_its_own() -> None:
    """Parts stand in the order in which the model made them."""
    second = {**HELLO, "id": "msg_2"}
    last = Text("Hello", {"pieces": [{"type": "message", "id": "msg_2"}]})

    assert parts(end(HELLO, CALL, second)) == (SAID, CALLED, last)


def test_a_refusal_is_no_text() -> None:
    """Pieces of a refusal come as such, in whatever way they are sent."""
    delta = {"type": "response.refusal.delta", "item_id": "msg_1", "delta": "No"}
    whole = {**HELLO, "content": [{"type": "refusal", "refusal": "No."}]}
    streamed = parse(delta, {"type": "response.refusal.done", "item_id": "msg_1", "refusal": "No."}, end())

    assert [chunk.refusal for chunk in streamed if chunk.refusal] == ["No", "."]
    assert assemble(parse(end(whole)), CallTrace()).refusal == "No."
    assert assemble(parse(end(whole)), CallTrace()).text == ""


def test_unknown_events_and_items_are_handed_on() -> None:
    """Events of tools of the server go through to a client of this format, at the place where the item stands now."""
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AA"}
    place = {"output_index": 7, "item_id": "ig_1"}
    found = parse(
        CREATED,
        {"type": "response.output_item.added", "output_index": 7, "item": {**item, "result": None}},
        {"type": "response.image_generation_call.partial_image", **place, "partial_image_b64": "A"},
        {"type": "response.something.new", "error": {"x": 1}},
        {"type": "response.output_item.done", "output_index": 7, "item": item},
        end(item),
    )
    events = decoded(render(found))

    assert [chunk.parts for chunk in found if chunk.parts] == [(Other(item),)]
    assert [chunk.has_output for chunk in found] == [False, False, False, False, True, False]
    assert [event["type"] for event in events[2:]] == [
        "response.output_item.added",
        "response.image_generation_call.partial_image",
        "response.something.new",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.get("output_index") for event in events[2:]] == [0, 0, None, 0, None]
    assert events[-1]["response"]["output"] == [item]


def test_unknown_content_is_handed_on() -> None:
    """A part of a message that is neither text nor refusal is kept as a message of its own."""
    sound = {"type": "output_audio", "data": "AA"}
    mixed = {**HELLO, "content": [*HELLO["content"], sound]}

    assert parts(end(mixed)) == (SAID, Other({"type": "message", "role": "assistant", "content": [sound]}))


@pytest.mark.parametrize(
    "noise", [b": hi\n\n", b"event: ping\ndata: {}\n\n", b"event: ping\ndata: 1\n\n", b"data:\n\n"]
)
def test_what_keeps_the_connection_alive_is_no_chunk(noise: bytes) -> None:
    """Comments and pings do not show."""
    parser = StreamParser()
    keepalive = {"type": "keepalive", "sequence_number": 3}
    found = parser.feed(noise + sse(HEL, keepalive) + noise + sse(end(HELLO)) + noise)

    assert found == StreamParser().feed(sse(HEL, end(HELLO)))


def test_chunks_come_as_soon_as_they_are_there() -> None:
    """Every feed gives what it completes; after the end nothing counts any more."""
    parser = StreamParser()
    body = sse(CREATED, HEL, end(HELLO))
    cut = body.index(b"event: response.completed")
    seen = [parser.feed(piece) for piece in (body[:9], body[9:cut])]
    before = parser.ended
    last = parser.feed(body[cut:] + b"data: garbage\n\n")

    assert [[chunk.text for chunk in chunks if chunk.text] for chunks in seen] == [[], ["Hel"]]
    assert not before
    assert parser.ended
    assert [chunk.text for chunk in last if chunk.text] == ["lo"]
    assert (parser.feed(b"data: more\n\n"), parser.finish()) == ([], [])


def test_the_end_counts_without_its_line_end() -> None:
    """A server that ends the body right after the last event has ended the stream."""
    parser = StreamParser()
    parser.feed(sse(HEL, end(HELLO)).rstrip())

    assert parser.finish()[-1].finish_reason == "stop"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b": ping\n\n", id="only comments"),
        pytest.param(sse(CREATED, HEL), id="no end"),
        pytest.param(sse(*FULL[:-1]), id="every item, and no end"),
        pytest.param(sse(HEL) + b"data: [DONE]\n\n", id="the end of another format"),
        pytest.param(sse(HEL, end(HELLO))[:-9], id="cut within the end"),
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
        pytest.param(b'data: "hunter2"\n\n', BadResponse, id="no object"),
        pytest.param(b'data: {"choices": [], "x": "hunter2"}\n\n', BadResponse, id="another format"),
        pytest.param(b'data: {"type": 7}\n\n', BadResponse, id="a type that is none"),
        pytest.param(sse({"type": "response.completed", "x": "hunter2"}), BadResponse, id="an end without an answer"),
        pytest.param(sse({**HEL, "delta": ["hunter2"]}), BadResponse, id="a delta that is no text"),
        pytest.param(
            sse({"type": "response.output_item.done", "item": ["hunter2"]}), BadResponse, id="an item that is none"
        ),
        pytest.param(sse({"type": "error", "code": "server_error", "message": "hunter2"}), ServerError, id="error"),
        pytest.param(
            sse({"type": "error", "code": "rate_limit_exceeded", "message": "hunter2", "param": None}),
            ProviderRateLimited,
            id="error with a code",
        ),
        pytest.param(
            sse({"type": "error", "error": {"type": "x", "code": "context_length_exceeded", "message": "hunter2"}}),
            ContextTooLong,
            id="error within an error",
        ),
        pytest.param(b'data: {"error": {"code": 503, "message": "hunter2"}}\n\n', Overloaded, id="error of a server"),
        pytest.param(b"event: error\ndata: hunter2\n\n", ServerError, id="error as text"),
        pytest.param(b'event: error\ndata: "hunter2"\n\n', ServerError, id="error as a string"),
        pytest.param(
            sse(end(status="failed", error={"code": "invalid_prompt", "message": "hunter2"})),
            ContentFiltered,
            id="failed",
        ),
        pytest.param(sse(end(status="failed", error=None)), ServerError, id="failed without a reason"),
        pytest.param(sse({"type": "response.failed", "response": {}}), ServerError, id="failed without anything"),
    ],
)
def test_good_chunks_are_handed_out_before_what_is_wrong(bad: bytes, kind: type[ProviderError]) -> None:
    """What came before an error in the same bytes is not lost; then the error comes, and comes again, unquoted."""
    parser = StreamParser()
    first = parser.feed(sse(HEL) + bad + sse(HEL))
    errors = []
    for step in (lambda: parser.feed(sse(HEL)), parser.finish, lambda: parser.feed(sse(end(HELLO)))):
        with pytest.raises(ProviderError) as caught:
            step()
        errors.append(caught.value)

    assert [chunk.text for chunk in first] == ["Hel"]
    assert [type(error) for error in errors] == [kind] * 3
    assert "hunter2" not in str(errors[0])
    with pytest.raises(kind):
        StreamParser().feed(bad)


def test_an_error_without_its_line_end_is_still_that_error() -> None:
    """A server that sends an error and hangs up is believed."""
    parser = StreamParser()
    parser.feed(sse(HEL, {"type": "error", "code": "server_is_overloaded", "message": "m"}).rstrip())

    with pytest.raises(Overloaded):
        parser.finish()


def render(chunks: list[Chunk], **options: object) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer(**options)
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def decoded(body: bytes) -> list[dict]:
    """Decode the events of a stream."""
    return [json.loads(block.partition(b"data: ")[2]) for block in body.split(b"\n\n") if block]


def test_a_stream_looks_like_this_on_the_wire() -> None:
    """The events stand in the order of the official server, named as their type says."""
    body = render([Chunk(text="a", id="resp_1"), Chunk(text="b"), Chunk(finish_reason="stop")], created=7, model="m")
    events = decoded(body)

    assert body.startswith(b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"')
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.delta", "output_text.delta", "output_text.done"),
        *("content_part.done", "output_item.done", "completed"),
    ]
    assert events[2]["item"] == {
        "id": "msg_aigw_1_0",
        "type": "message",
        "role": "assistant",
        "status": "in_progress",
        "content": [],
    }
    assert {event["item_id"] for event in events if "item_id" in event} == {"msg_aigw_1_0"}
    assert (events[-1]["response"]["created_at"], events[-1]["response"]["model"]) == (7, "m")


def test_an_empty_stream_is_a_stream() -> None:
    """An answer without anything in it begins and ends."""
    assert [event["type"] for event in decoded(render([]))] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]


def test_calls_that_are_mixed_are_kept_apart() -> None:
    """Pieces of several calls belong to their items; each item ends once, whatever its pieces did."""
    first, second = ToolCallDelta(0, "a", "f", "{"), ToolCallDelta(1, "b", "g", "{")
    chunks = [
        Chunk(tool_calls=(first, second), wire="x"),
        Chunk(tool_calls=(ToolCallDelta(1, arguments="}"), ToolCallDelta(0, arguments="}")), wire="x"),
        Chunk(finish_reason="tool_calls", wire="x"),
    ]
    events = decoded(render(chunks))

    assert [item["arguments"] for item in events[-1]["response"]["output"]] == ["{}", "{}"]
    assert [event["output_index"] for event in events if "arguments.delta" in event["type"]] == [0, 1, 1, 0]
    assert [event["output_index"] for event in events if event["type"] == "response.output_item.done"] == [0, 1]


def test_a_call_ends_when_the_next_item_begins() -> None:
    """A client of this format hears of a complete call at once, and not only at the end of the answer."""
    renderer = StreamRenderer()
    renderer.render(Chunk(tool_calls=(ToolCallDelta(0, "a", "f", "{}"),), wire=WIRE))
    body = renderer.render(Chunk(text="a", wire=WIRE))

    assert b"response.function_call_arguments.done" in body


def test_fields_and_parts_of_another_format_stay_behind() -> None:
    """What a client of this format could not read is not sent to it; a signature is, wrapped, to come back."""
    chunks = [
        Chunk(text="a", extra={"part": {"citations": [1]}, "citations": 2}, wire="anthropic_messages"),
        Chunk(parts=(Other({"type": "server_tool_use"}),), wire="anthropic_messages"),
        Chunk(parts=(Reasoning("", "sig", "anthropic"),), wire="anthropic_messages"),
        Chunk(finish_reason="pause_turn", wire="anthropic_messages"),
    ]
    response = decoded(render(chunks))[-1]["response"]

    assert "citations" not in str(response)
    assert [item["type"] for item in response["output"]] == ["message", "reasoning"]
    assert response["output"][1]["encrypted_content"] == "aigw:anthropic:sig"
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "pause_turn"})


def test_parts_that_came_whole_are_items_too() -> None:
    """A text, a call or reasoning that came as a part is rendered like one that came in pieces."""
    parts = (Reasoning("Hm", "sig", "openai"), Text("a"), ToolCall("c", "f", "{}"), ToolCall("d", "g", "{}"))
    output = decoded(render([Chunk(parts=parts), Chunk(text="b")]))[-1]["response"]["output"]

    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call", "message"]
    assert output[0]["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert output[0]["encrypted_content"] == "sig"

"""Streams of events: what they mean, how they end, what may be wrong with them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, Overloaded, ProviderError, ProviderRateLimited, ServerError
from aigw.message import Other, Reasoning, Text, ToolCall
from aigw.wire.anthropic_messages import WIRE, Dialect, StreamParser
from strategies import json_values
from wire.anthropic_messages.making import block, end, events, parse, parts_of, sse, start, text_block

FIRST = Chunk(id="msg_1", model="m", usage=Usage(3, 1), wire=WIRE)
LAST = Chunk(finish_reason="stop", usage=Usage(3, 5), wire=WIRE)
HI = sse(start(), *text_block(0, "hi"))


def tool(*pieces: str, **fields: object) -> list[dict]:
    """The events of a tool call."""
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    return block(0, {"type": "tool_use", "id": "c1", "name": "f", "input": {}, **fields}, *deltas)


def read(*given: dict) -> list[Chunk]:
    """The chunks between the first and the last event."""
    return parse(sse(start(), *given, *end()))[1:-1]


def test_a_plain_stream() -> None:
    """The first event tells who answers, the last but one why it ended, and the counts of all of it."""
    assert parse(HI + sse(*end())) == [FIRST, Chunk("hi", wire=WIRE), LAST]


def test_chunks_come_as_soon_as_they_are_there() -> None:
    """Every feed gives what it completes; after ``message_stop`` nothing counts any more."""
    body = sse(start(), *text_block(0, "hi"), *end())
    first = sse(start())
    parser = StreamParser()
    seen = [parser.feed(piece) for piece in (first[:9], first[9:], body[len(first) :])]

    assert seen == [[], [FIRST], [Chunk("hi"), LAST]]
    assert parser.ended
    assert parser.feed(b"data: garbage\n\n") == []
    assert parser.finish() == []


def test_thinking_ends_with_its_signature() -> None:
    """Readable thinking comes in pieces; its end brings the signature, and joins with it to one part."""
    deltas = [{"type": "thinking_delta", "thinking": text} for text in ("let me ", "see")]
    deltas += [{"type": "signature_delta", "signature": "sig"}, {"type": "new_delta", "new": 1}]
    chunks = read(*block(0, {"type": "thinking", "thinking": "", "signature": ""}, *deltas), *text_block(1, "a"))

    assert chunks == [
        Chunk(reasoning="let me "),
        Chunk(reasoning="see"),
        Chunk(parts=(Reasoning("", "sig", "anthropic", {"new": 1}),)),
        Chunk("a"),
    ]
    assert parts_of(chunks) == (Reasoning("let me see", "sig", "anthropic", {"new": 1}), Text("a"))


def test_thinking_that_is_not_shown() -> None:
    """Only a signature comes, or data that nobody can read; both are parts."""
    hidden = block(0, {"type": "thinking", "thinking": ""}, {"type": "signature_delta", "signature": "sig"})
    redacted = block(1, {"type": "redacted_thinking", "data": "data"})

    assert parts_of(read(*hidden, *redacted)) == (
        Reasoning("", "sig", "anthropic"),
        Reasoning("", "data", "anthropic", {"type": "redacted_thinking"}),
    )


def test_a_tool_call_in_pieces() -> None:
    """Id and name come first, then the text of the arguments as the model writes it."""
    assert read(*tool("", '{"a":', " 1}", caller={"type": "direct"})) == [
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", "", {"caller": {"type": "direct"}}),)),
        Chunk(tool_calls=(ToolCallDelta(0, arguments='{"a":'),)),
        Chunk(tool_calls=(ToolCallDelta(0, arguments=" 1}"),)),
    ]


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        (tool(), "{}"),
        (tool("", ""), "{}"),
        (tool(input={"a": 1}), '{"a":1}'),
        (tool('{"b":2}', input={"a": 1}), '{"b":2}'),
        (tool("{broken"), "{broken"),
        (tool(input=None), "{}"),
    ],
)
def test_arguments_that_come_otherwise(given: list[dict], arguments: str) -> None:
    """None at all is an empty object; some servers write all of them at the start; invalid ones are kept raw."""
    assert parts_of(read(*given)) == (ToolCall("c1", "f", arguments),)


def test_server_tools_are_parts_when_they_are_complete() -> None:
    """The pieces of blocks that aigw does not model are put together."""
    used = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in ('{"query":', '"q"}')]
    compaction = {"type": "compaction", "content": None}
    grown = [
        {"type": "compaction_delta", "content": "a"},
        {"type": "compaction_delta", "content": "b", "more": [1]},
        {"type": "compaction_delta", "content": None, "more": [2]},
        {"type": "citations_delta", "citation": 1},
    ]

    assert parts_of(read(*block(0, used, *pieces), *block(1, compaction, *grown), *text_block(2, "a"))) == (
        Other({**used, "input": {"query": "q"}}),
        Other({"type": "compaction", "content": "ab", "more": [1, 2], "citations": [1]}),
        Text("a"),
    )


def test_citations_belong_to_their_text() -> None:
    """Whether they come before its words or after them."""

    def citations(*names: str) -> list[dict]:
        return [{"type": "citations_delta", "citation": name} for name in names]

    before = block(
        0, {"type": "text", "text": "", "citations": []}, *citations("a"), {"type": "text_delta", "text": "x"}
    )
    after = block(2, {"type": "text", "text": "y"}, *citations("b", "c"))
    between = block(1, {"type": "some_new_block"})

    assert parts_of(read(*before, *between, *after)) == (
        Text("x", {"citations": ["a"]}),
        Other({"type": "some_new_block"}),
        Text("y", {"citations": ["b", "c"]}),
    )


def test_unknown_deltas_and_fields_go_through() -> None:
    """What a delta brings besides belongs to the block; what stands beside its text is passed on with it."""
    shown = {"type": "thinking_delta", "thinking": "", "estimated_tokens": 50}
    given = [
        *block(0, {"type": "thinking", "thinking": ""}, shown, {"type": "thinking_delta", "thinking": "hm"}),
        *block(1, {"type": "text", "text": "a"}, {"type": "new_delta", "new": 1}, {"type": "empty_delta"}),
        *block(2, {"type": "tool_use", "id": "c", "name": "f", "input": {}}, {"type": "new_delta", "new": 2}),
    ]
    chunks = read(*given)

    assert chunks[0].extra == {"delta": {"type": "thinking_delta", "estimated_tokens": 50}}
    assert parts_of(chunks) == (
        Reasoning("hm", None, "anthropic"),
        Text("a", {"new": 1}),
        ToolCall("c", "f", "{}", {"new": 2}),
    )


def test_counts_are_totals() -> None:
    """Each count replaces the one before; what the end does not tell again stays as the start told it."""
    first = {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 1, "service_tier": "standard"}
    last = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 2}, "input_tokens": None}
    chunks = parse(sse(start(usage=first), *end(usage=last)))

    assert [chunk.usage for chunk in chunks] == [Usage(7, 1, 4), Usage(7, 9, 4, None, 2)]
    assert [chunk.extra for chunk in chunks] == [{"usage": {"service_tier": "standard"}}] * 2


@pytest.mark.parametrize(
    ("first", "last", "usage"),
    [
        ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 3, "output_tokens": 5}, Usage(3, 5)),
        (None, {"input_tokens": 3, "output_tokens": 5}, Usage(3, 5)),
        (None, {"output_tokens": 5}, None),
        (None, {}, None),
    ],
)
def test_counts_that_come_late(first: dict | None, last: dict, usage: Usage | None) -> None:
    """Some servers count when all is done; what nobody tells is not zero."""
    assert parse(sse(start(usage=first), *end(usage=last)))[-1].usage == usage


def test_fields_of_the_end_are_kept() -> None:
    """Whether they stand in its ``delta`` or beside it."""
    last = end("refusal", stop_details={"type": "refusal"}, container={"id": "c"})
    last[0]["context_management"] = {"applied_edits": []}
    chunks = parse(sse(start(), *last))

    assert chunks[-1].finish_reason == "content_filter"
    assert chunks[-1].extra == {
        "stop_details": {"type": "refusal"},
        "container": {"id": "c"},
        "context_management": {"applied_edits": []},
    }
    assert events(chunks)[-2] == {
        **last[0],
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


@pytest.mark.parametrize(
    "odd",
    [
        b'event: ping\ndata: {"type": "ping"}\n\n',
        b": comment\n\n",
        b"event: ping\ndata:\n\n",
        b'data: {"type": "some_new_event", "x": 1}\n\n',
        b"data: {}\n\n",
        b"data: [DONE]\n\n",
        b'event: content_block_stop\ndata: {"type": "content_block_stop", "index": 9}\n\n',
        b'data: {"type": "content_block_delta", "index": 9, "delta": {"type": "new_delta"}}\n\n',
    ],
)
def test_unknown_events_are_passed_over(odd: bytes) -> None:
    """Pings, comments, new kinds of events and the end of another format mean nothing."""
    assert parse(odd + HI + odd + sse(*end())) == [FIRST, Chunk("hi"), LAST]


def test_servers_that_leave_things_out() -> None:
    """No names of events, no starts and ends of blocks, an answer in the first event: it is all read."""
    deltas = [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "text_delta", "text": "a"},
        {"type": "input_json_delta", "partial_json": "{}"},
    ]
    given = [{"type": "content_block_delta", "index": at, "delta": delta} for at, delta in enumerate(deltas)]
    unnamed = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in (*given, *end(usage={})))
    chunks = parse(unnamed)
    begun = parse(sse(start(content=[{"type": "text", "text": "x"}]), *end()))

    assert parts_of(chunks) == (Reasoning("hm", None, "anthropic"), Text("a"), ToolCall("call_0", "", "{}"))
    assert parts_of(begun) == (Text("x"),)


def test_a_server_that_counts_no_blocks() -> None:
    """Each block is read even if all have the same index, and none is ended."""
    given = [text_block(0, "a"), tool("{}"), tool(id="c2"), text_block(0, "b")]

    assert parts_of(read(*(event for events in given for event in events[:-1]))) == (
        Text("a"),
        ToolCall("c1", "f", "{}"),
        ToolCall("c2", "f", "{}"),
        Text("b"),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b": ping\n\n",
        HI,
        HI + b"data: {",
        HI + sse(end()[0]),
        HI + b'event: message_stop\ndata: {"type": "mess',
        b"<html>hello</html>",
    ],
)
def test_a_stream_that_is_cut_is_never_taken_for_complete(body: bytes) -> None:
    """Without its proper end a stream fails, and goes on failing."""
    parser = StreamParser(Dialect("p"), "m")
    parser.feed(body)

    for _ in range(2):
        with pytest.raises(BadResponse, match=r"^p/m: the stream ended before its end$"):
            parser.finish()


@pytest.mark.parametrize("cut", [1, 2])
def test_the_last_event_may_lack_its_blank_line(cut: int) -> None:
    """The body is over, and the event is complete."""
    assert parse((HI + sse(*end()))[:-cut]) == [FIRST, Chunk("hi"), LAST]


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        pytest.param(b"data: {hunter2\n\n", BadResponse, id="no JSON"),
        pytest.param(b'data: "hunter2"\n\n', BadResponse, id="no object"),
        pytest.param(b'data: {"type": "message_start", "message": "hunter2"}\n\n', BadResponse, id="no message"),
        pytest.param(b'data: {"type": "content_block_start"}\n\n', BadResponse, id="no block"),
        pytest.param(
            b'data: {"type": "content_block_delta", "index": "hunter2", "delta": {}}\n\n', BadResponse, id="index"
        ),
        pytest.param(b'data: {"type": "message_delta", "delta": "hunter2"}\n\n', BadResponse, id="no delta"),
        pytest.param(
            sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ["hunter2"]}}),
            BadResponse,
            id="no text",
        ),
        pytest.param(
            sse({"type": "error", "error": {"type": "overloaded_error", "message": "hunter2"}}),
            Overloaded,
            id="overloaded",
        ),
        pytest.param(
            sse({"type": "error", "error": {"type": "rate_limit_error", "message": "hunter2"}}),
            ProviderRateLimited,
            id="too fast",
        ),
        pytest.param(b"event: error\ndata: hunter2\n\n", ServerError, id="error as text"),
        pytest.param(b'data: {"error": {"message": "hunter2"}}\n\n', ServerError, id="error without a type"),
    ],
)
def test_what_is_wrong_in_a_stream(bad: bytes, kind: type[ProviderError]) -> None:
    """What came before is returned first; then it fails, and goes on failing, and quotes nothing."""
    parser = StreamParser(Dialect("p"), "m")
    before = parser.feed(HI + bad)

    assert before == [FIRST, Chunk("hi")]
    for again in (parser.feed, lambda _: parser.finish()):
        with pytest.raises(kind) as caught:
            again(b"")
        assert type(caught.value) is kind
        assert "hunter2" not in str(caught.value)


@given(
    st.lists(json_values, max_size=3), st.sampled_from(["message_start", "content_block_delta", "message_delta", ""])
)
def test_any_json_is_read_or_refused(values: list, kind: str) -> None:
    """Whatever stands in the events, the error is one of ours."""
    parser = StreamParser()
    for value in values:
        fields = value if isinstance(value, dict) else {"delta": value, "message": value, "index": 0}
        try:
            parser.feed(b"data: " + json.dumps({"type": kind, **fields}).encode() + b"\n\n")
        except ProviderError:
            break

    assert not parser.ended


def test_a_rendered_stream_has_the_shape_of_the_servers_own() -> None:
    """One block after the other, each with its index, between the message's start and end."""
    chunks = [
        Chunk(reasoning="hm", id="i", model="m"),
        Chunk("a"),
        Chunk("b"),
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "f"), ToolCallDelta(0, arguments="{}"))),
        Chunk(tool_calls=(ToolCallDelta(1, "c2", "g", "{}"),)),
        Chunk(finish_reason="tool_calls"),
        Chunk(usage=Usage(3, 5)),
    ]
    rendered = events(chunks)
    shape = [(event["type"], event.get("index")) for event in rendered]
    deltas = [event["delta"]["type"] for event in rendered if event["type"] == "content_block_delta"]

    assert shape == [
        ("message_start", None),
        *[("content_block_start", 0), ("content_block_delta", 0), ("content_block_stop", 0)],
        *[
            ("content_block_start", 1),
            ("content_block_delta", 1),
            ("content_block_delta", 1),
            ("content_block_stop", 1),
        ],
        *[("content_block_start", 2), ("content_block_delta", 2), ("content_block_stop", 2)],
        *[("content_block_start", 3), ("content_block_delta", 3), ("content_block_stop", 3)],
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert deltas == ["thinking_delta", "text_delta", "text_delta", "input_json_delta", "input_json_delta"]
    assert rendered[-2] == {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"input_tokens": 3, "output_tokens": 5},
    }


def test_calls_that_come_mixed_keep_their_indices() -> None:
    """A late piece of an earlier call goes out for its own block."""
    chunks = [
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", '{"a":'), ToolCallDelta(1, "c2", "g", "{}"))),
        Chunk(tool_calls=(ToolCallDelta(0, arguments="1}"),)),
    ]
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events(chunks))

    assert parts_of(parse(body)) == (ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "{}"))


def test_an_empty_stream_is_whole() -> None:
    """Without any chunk it has its start and its end."""
    assert [event["type"] for event in events([])] == ["message_start", "message_delta", "message_stop"]
    assert events([Chunk("x", index=1)])[1]["delta"]["stop_reason"] == "end_turn"


def test_the_end_of_a_refusal() -> None:
    """A refusal is a text here, and the stop reason tells."""
    rendered = events([Chunk(refusal="no"), Chunk(finish_reason="stop")])

    assert rendered[2]["delta"] == {"type": "text_delta", "text": "no"}
    assert rendered[-2]["delta"]["stop_reason"] == "refusal"


def test_fields_that_have_no_delta_of_their_own() -> None:
    """They go out in a delta of a kind that readers pass over, and come back to the part that they belong to."""
    chunks = [
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", "{}"),)),
        Chunk(tool_calls=(ToolCallDelta(0, extra={"new": 1}),)),
        Chunk("a"),
        Chunk(extra={"part": {"citations": "none"}}),
        Chunk(extra={"delta": {"type": "some_new_delta", "x": 1}}),
        Chunk(finish_reason="stop"),
    ]
    body = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events(chunks))

    assert parts_of(parse(body)) == (ToolCall("c1", "f", "{}", {"new": 1}), Text("a", {"citations": "none"}))

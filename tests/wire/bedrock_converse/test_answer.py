"""Whole answers of the Converse API."""

from __future__ import annotations

import pytest

from aigw.assembly import assemble
from aigw.call import Call
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse
from aigw.message import Image, Message, Other, Reasoning, Text, Tool, ToolCall
from aigw.trace import CallTrace
from aigw.wire.bedrock_converse import (
    Dialect,
    StreamParser,
    StreamRenderer,
    parse_response,
    render_request,
    render_response,
)
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL
from wire.bedrock_converse.oracle import parse_stream

USAGE = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}


def body(*content: dict, reason: str = "end_turn", **fields: object) -> dict:
    """A whole answer."""
    message = {"role": "assistant", "content": list(content)}
    return {"output": {"message": message}, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 5}, **fields}


def test_a_plain_answer_is_one_chunk() -> None:
    """With everything that belongs to the whole of it."""
    given = body({"text": "hi"}, trace={"guardrail": {}}, additionalModelResponseFields={"stop_sequence": "x"})

    assert parse_response(given) == [
        Chunk(
            text="hi",
            finish_reason="stop",
            usage=Usage(1, 2),
            extra={
                "metrics": {"latencyMs": 5},
                "trace": {"guardrail": {}},
                "additionalModelResponseFields": {"stop_sequence": "x"},
            },
        )
    ]


def test_blocks_keep_their_order() -> None:
    """A chunk for each block, calls numbered, kinds that are not modelled whole."""
    server = {"toolUse": {"toolUseId": "s", "name": "web", "input": {}, "type": "server_tool_use"}}
    chunks = parse_response(
        body(
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"text": "a"},
            {"toolUse": {"toolUseId": "c0", "name": "f", "input": {"x": 1}}},
            server,
            {"toolUse": {"toolUseId": "c1", "name": "g", "input": {}}},
            {"citationsContent": {"content": [{"text": "b"}, {"text": "c"}], "citations": [{"title": "t"}]}},
            {"image": {"format": "png", "source": {"bytes": "AAEC"}}},
            {"newKind": 1},
            reason="tool_use",
        )
    )

    assert chunks == [
        Chunk(reasoning="hm", parts=(Reasoning("", "s", "bedrock"),)),
        Chunk(text="a"),
        Chunk(tool_calls=(ToolCallDelta(0, "c0", "f", '{"x":1}'),)),
        Chunk(parts=(Other(server),)),
        Chunk(tool_calls=(ToolCallDelta(1, "c1", "g", "{}"),)),
        Chunk(text="bc", extra={"part": {"citations": [{"title": "t"}]}}),
        Chunk(parts=(Image("data:image/png;base64,AAEC"),)),
        Chunk(
            parts=(Other({"newKind": 1}),),
            finish_reason="tool_calls",
            usage=Usage(1, 2),
            extra={"metrics": {"latencyMs": 5}},
        ),
    ]


def test_an_answer_without_content_is_an_answer() -> None:
    """A guardrail may leave nothing."""
    (chunk,) = parse_response({**body(reason="guardrail_intervened"), "usage": None})

    assert chunk.finish_reason == "content_filter"
    assert chunk.usage is None
    assert chunk.extra == {"metrics": {"latencyMs": 5}, "stopReason": "guardrail_intervened"}


def test_an_answer_through_our_own_tool_is_text() -> None:
    """Where a schema was sent as a tool."""
    block = {"toolUse": {"toolUseId": "c", "name": ANSWER_TOOL, "input": {"a": 1}}}
    (chunk,) = parse_response(body(block, reason="tool_use"))

    assert (chunk.text, chunk.finish_reason) == ('{"a":1}', "stop")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["hunter2"], "it must be an object, not list"),
        ({}, "output is missing"),
        ({"output": {}}, "output.message is missing"),
        ({"output": {"message": {"content": "hunter2"}}, "stopReason": "x"}, "output.message.content must be a list"),
        ({"output": {"message": {"content": ["hunter2"]}}}, r"output.message.content\[0\] must be an object, not str"),
        (body({"text": {"hunter2": 1}}), r"output.message.content\[0\].text must be a string, not dict"),
        (body({"toolUse": {"name": "hunter2"}}), r"content\[0\].toolUse.toolUseId is missing"),
        ({"output": {"message": {"content": []}}}, "stopReason is missing"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(given: dict, message: str) -> None:
    """The error names the field and quotes nothing."""
    with pytest.raises(BadResponse, match=f"^p/m: the answer is not one of the Converse API: .*{message}") as caught:
        parse_response(given, Dialect(provider="p"), "m")

    assert "hunter2" not in str(caught.value)


BLOCKS = [
    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
    {"reasoningContent": {"redactedContent": "AAEC"}},
    {"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "t"}]}},
    {"toolUse": {"toolUseId": "s", "name": "web", "input": {"q": 1}, "type": "server_tool_use"}},
    {"toolResult": {"toolUseId": "s", "type": "web_result", "content": [{"text": "r"}]}},
    {"toolUse": {"toolUseId": "c", "name": "f", "input": {"x": 1}}},
]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_conversation_goes_on_with_the_blocks_that_came(streamed: bool) -> None:  # noqa: FBT001  (a parameter)
    """What the model said goes back as it came, signatures, server tools and citations included."""
    chunks = parse_response(body(*BLOCKS, reason="tool_use"))
    if streamed:
        renderer, parser = StreamRenderer(), StreamParser()
        chunks = [chunk for piece in chunks for chunk in parser.feed(renderer.render(piece))]
        chunks += parser.feed(renderer.finish())
    message = assemble(chunks, CallTrace()).message
    call = Call(messages=(Message("user", "hi"), message), tools=(Tool("f"),))

    assert render_request(call, "eu.anthropic.claude-sonnet-4-6-v1:0")["messages"][1]["content"] == BLOCKS


OTHER_FORMAT = [
    Chunk(id="x", model="m", wire="openai_chat"),
    Chunk(reasoning="hm", wire="openai_chat"),
    Chunk(text="a", extra={"service_tier": "flex", "part": {"annotations": [1]}}, wire="openai_chat"),
    Chunk(parts=(Reasoning("", "foreign", "openai"), Other({"type": "audio"})), wire="openai_chat"),
    Chunk(tool_calls=(ToolCallDelta(0, None, "f", "{oops", {"x": 1}),), wire="openai_chat"),
    Chunk(refusal="no", index=1, wire="openai_chat"),
    Chunk(refusal="no", wire="openai_chat"),
    Chunk(finish_reason="tool_calls", wire="openai_chat"),
    Chunk(usage=Usage(10, 3, 4, None, 2), extra={"usage": {"cost": 1}}, wire="openai_chat"),
]


def test_answers_of_other_formats_are_handed_on() -> None:
    """Fields, signatures and parts that only another format knows stay out, as do further choices."""
    assert render_response(OTHER_FORMAT, id="x", model="m", created=1) == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
                    {"text": "a"},
                    {"toolUse": {"toolUseId": "call_0", "name": "f", "input": {"INVALID_JSON": "{oops"}}},
                    {"text": "no"},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {"inputTokens": 6, "outputTokens": 3, "totalTokens": 13, "cacheReadInputTokens": 4},
        "metrics": {"latencyMs": 0},
    }


def test_streams_of_other_formats_are_handed_on() -> None:
    """In the order of events that Bedrock's clients expect, one block after the other."""
    renderer = StreamRenderer(id="x", model="m", created=1)
    events = parse_stream(*map(renderer.render, OTHER_FORMAT), renderer.finish())

    assert events == [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 1}},
        {"contentBlockStop": {"contentBlockIndex": 1}},
        {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "call_0", "name": "f"}}, "contentBlockIndex": 2}},
        {"contentBlockDelta": {"delta": {"toolUse": {"input": "{oops"}}, "contentBlockIndex": 2}},
        {"contentBlockStop": {"contentBlockIndex": 2}},
        {"contentBlockDelta": {"delta": {"text": "no"}, "contentBlockIndex": 3}},
        {"contentBlockStop": {"contentBlockIndex": 3}},
        {"messageStop": {"stopReason": "tool_use"}},
        {
            "metadata": {
                "usage": {"inputTokens": 6, "outputTokens": 3, "totalTokens": 13, "cacheReadInputTokens": 4},
                "metrics": {"latencyMs": 0},
            }
        },
    ]


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([], "end_turn"),
        ([Chunk(text="a")], "end_turn"),
        ([Chunk(tool_calls=(ToolCallDelta(0, "c", "f"),))], "tool_use"),
    ],
)
def test_an_end_that_nobody_told_is_told(chunks: list[Chunk], reason: str) -> None:
    """A client always gets a stop reason; usage that is not known is not made up."""
    rendered = render_response(chunks)

    assert rendered["stopReason"] == reason
    assert "usage" not in rendered


def test_calls_that_are_mixed_stay_apart() -> None:
    """Pieces of parallel calls that come in turns are put to the right block."""
    first, second = ToolCallDelta(0, "a", "f", "{"), ToolCallDelta(1, "b", "g", "{")
    rest = (ToolCallDelta(0, None, None, "}"), ToolCallDelta(1, None, None, '"x": 1}'))
    rendered = render_response([Chunk(tool_calls=(first, second)), Chunk(tool_calls=rest, finish_reason="tool_calls")])

    assert rendered["output"]["message"]["content"] == [
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {}}},
        {"toolUse": {"toolUseId": "b", "name": "g", "input": {"x": 1}}},
    ]


def test_parts_that_came_whole_are_written() -> None:
    """A text, a tool call and reasoning in one piece."""
    parts = (Reasoning("hm", "c2ln", "bedrock"), Text("a"), ToolCall("c", "f", '{"x":1}'))

    assert render_response([Chunk(parts=parts)])["output"]["message"]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"text": "a"},
        {"toolUse": {"toolUseId": "c", "name": "f", "input": {"x": 1}}},
    ]

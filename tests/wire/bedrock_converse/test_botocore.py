"""What we write is what botocore would write and can read: its service model is the judge."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from botocore.exceptions import EventStreamError
from hypothesis import given, settings

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.bedrock_converse import StreamRenderer, parse_request, render_request, render_response
from wire.bedrock_converse.encoder import exception
from wire.bedrock_converse.oracle import answer_shape, as_python, check_request, parse_answer, parse_stream
from wire.bedrock_converse.samples import MODELS, streams, whole_answers

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ROUND = Call(
    messages=(
        Message("system", "Be brief."),
        Message("developer", Text("Be kind.", {"cachePoint": {"type": "default"}})),
        Message("user", ("What?", Image("data:image/jpeg;base64,/9j/4A=="), Image("s3://bucket/b.png"))),
        Message("user", File.from_bytes(b"%PDF", "application/pdf", "report (final).v2.pdf")),
        Message("user", File.from_bytes(b"....", "video/mp4", "v.mp4")),
        Message("assistant", ("Let me see.", ToolCall("c1", "f", '{"a": 1}'), ToolCall("c|2", "f"))),
        Message(
            "tool",
            (ToolResult("c1", "1"), ToolResult("c|2", (Text("2"), Image("data:image/png;base64,AA==")), is_error=True)),
        ),
        Message("user", "And?"),
        Message(
            "assistant",
            (Reasoning("hm", "c2ln", "bedrock"), Reasoning("", "AA==", "bedrock", {"redactedContent": True}), "Done."),
        ),
        Message("user", "Thanks."),
    ),
    tools=(Tool("f", "does f", SCHEMA, strict=True), Tool("g", extra={"cachePoint": {"type": "default"}})),
    temperature=0.5,
    top_p=0.5,
    max_tokens=5000,
    stop=("END",),
    extra={
        "requestMetadata": {"a": "b"},
        "performanceConfig": {"latency": "standard"},
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"},
        "serviceTier": {"type": "flex"},
    },
)


@pytest.mark.parametrize("operation", ["Converse", "ConverseStream"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("tool_choice", [None, "auto", "none", "required", "f"])
@pytest.mark.parametrize("reasoning", [None, "low"])
def test_a_request_fits_the_service_model(
    model: str, tool_choice: str | None, reasoning: str | None, operation: str
) -> None:
    """A request with everything in it is one that botocore validates, and writes in the same way."""
    call = ROUND.evolve(tool_choice=tool_choice, reasoning=reasoning, schema=Schema(SCHEMA, "place"))

    check_request(render_request(call, model), model, operation)


@pytest.mark.parametrize(
    "call",
    [
        Call(messages=(Message("user", "hi"),)),
        Call(messages=(Message("system", "hi"),)),
        Call(
            messages=(Message("user", "hi"), Message("assistant", ToolCall("", "f")), Message("tool", ToolResult("")))
        ),
        Call(messages=ROUND.messages, tools=(Tool("h"),), tool_choice="none"),
    ],
)
def test_small_requests_fit_too(call: Call) -> None:
    """Little is as valid as much."""
    check_request(render_request(call, "m"), "m")


def render(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


ANSWER = [
    Chunk(reasoning="hm", parts=(Reasoning("", "c2ln", "bedrock"),)),
    Chunk(parts=(Reasoning("", "AAEC", "bedrock", {"redactedContent": True}),)),
    Chunk(text="Let me see. ", extra={"part": {"citations": [{"title": "t"}]}}),
    Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", '{"a": 1}'), ToolCallDelta(1, "c2", "g", ""))),
    Chunk(parts=(Image("data:image/png;base64,AAEC"),)),
    Chunk(finish_reason="tool_calls", usage=Usage(10, 5, 3, 2), extra={"trace": {"guardrail": {"actionReason": "x"}}}),
]


def test_a_whole_answer_is_what_botocore_reads() -> None:
    """Every kind of content, the stop reason, and tokens counted as AWS counts them."""
    body = render_response(ANSWER)

    assert parse_answer(body) == {
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                    {"reasoningContent": {"redactedContent": b"\x00\x01\x02"}},
                    {"citationsContent": {"content": [{"text": "Let me see. "}], "citations": [{"title": "t"}]}},
                    {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"a": 1}}},
                    {"toolUse": {"toolUseId": "c2", "name": "g", "input": {}}},
                    {"image": {"format": "png", "source": {"bytes": b"\x00\x01\x02"}}},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {
            "inputTokens": 5,
            "outputTokens": 5,
            "totalTokens": 15,
            "cacheReadInputTokens": 3,
            "cacheWriteInputTokens": 2,
        },
        "metrics": {"latencyMs": 0},
        "trace": {"guardrail": {"actionReason": "x"}},
    }


@settings(max_examples=50)
@given(whole_answers())
def test_botocore_loses_nothing_that_it_knows(chunks: list[Chunk]) -> None:
    """What botocore reads from a whole answer is what stands there, where it knows the members."""
    body = json.loads(json.dumps(render_response(chunks)))
    read = parse_answer(body)

    assert read["stopReason"] == body["stopReason"]
    assert read.get("usage") == body.get("usage")
    assert len(read["output"]["message"]["content"]) == len(body["output"]["message"]["content"])
    for there, given_block in zip(
        read["output"]["message"]["content"], body["output"]["message"]["content"], strict=True
    ):
        if given_block.keys() == {"text"}:
            assert there == given_block
    assert as_python(body["metrics"], answer_shape().members["metrics"]) == read["metrics"]


def test_a_stream_is_what_botocore_reads() -> None:
    """The order of events that Bedrock has, with the indices of the blocks."""
    body = render(ANSWER)
    events = parse_stream(body[:100], body[100:])
    kinds = [next(iter(event)) for event in events]
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    starts = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]

    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    assert deltas == [
        {"reasoningContent": {"text": "hm"}},
        {"reasoningContent": {"signature": "c2ln"}},
        {"reasoningContent": {"redactedContent": b"\x00\x01\x02"}},
        {"text": "Let me see. "},
        {"citation": {"title": "t"}},
        {"toolUse": {"input": '{"a": 1}'}},
        {"image": {"source": {"bytes": b64decode("AAEC")}}},
    ]
    assert starts == [
        {"start": {"toolUse": {"toolUseId": "c1", "name": "f"}}, "contentBlockIndex": 3},
        {"start": {"toolUse": {"toolUseId": "c2", "name": "g"}}, "contentBlockIndex": 4},
        {"start": {"image": {"format": "png"}}, "contentBlockIndex": 5},
    ]
    assert events[-2] == {"messageStop": {"stopReason": "tool_use"}}
    assert events[-1]["metadata"]["usage"]["inputTokens"] == 5


@settings(max_examples=50)
@given(streams())
def test_any_stream_is_one_that_botocore_reads(chunks: list[Chunk]) -> None:
    """Every block that starts or grows is stopped once, and the text comes through."""
    events = parse_stream(render(chunks))
    grown = {event["contentBlockDelta"]["contentBlockIndex"] for event in events if "contentBlockDelta" in event}
    grown |= {event["contentBlockStart"]["contentBlockIndex"] for event in events if "contentBlockStart" in event}
    stopped = [event["contentBlockStop"]["contentBlockIndex"] for event in events if "contentBlockStop" in event]
    said = [event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event]

    assert sorted(stopped) == sorted(grown)
    assert "".join(said) == "".join(chunk.text for chunk in chunks)


def test_the_encoder_of_the_tests_is_one_that_botocore_reads() -> None:
    """The streams that our parser is tested with are right."""
    with pytest.raises(EventStreamError, match="throttlingException"):
        parse_stream(exception("throttlingException", "slow"))


def test_a_request_of_botocore_is_read() -> None:
    """What botocore's serializer writes for a conversation is understood, and goes out as it came."""
    body = render_request(ROUND, MODELS[1])
    call = parse_request(body, model=MODELS[1], stream=True)

    assert call.stream
    assert call.model == MODELS[1]
    assert render_request(call, MODELS[1]) == body

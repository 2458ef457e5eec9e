"""Cohere's own client is the judge: it reads what we write, and what it writes we read."""

from __future__ import annotations

import json
import logging

import pytest
from cohere.types import ChatMessages, CitationOptions, ResponseFormatV2, Thinking, ToolV2
from cohere.v2.types.v2chat_response import V2ChatResponse
from cohere.v2.types.v2chat_stream_response import V2ChatStreamResponse
from hypothesis import given
from pydantic import TypeAdapter

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.cohere_chat import StreamParser, StreamRenderer, parse_request, render_request, render_response
from aigw.wire.sse import EventStream
from wire.cohere_chat.client import Server
from wire.cohere_chat.strategies import chat_calls, streams, whole_answers

CITATION = {"start": 0, "end": 2, "text": "Hi", "sources": [{"type": "document", "id": "d", "document": {"a": 1}}]}
ANSWER = [
    Chunk(id="r"),
    Chunk(reasoning="hm"),
    Chunk(parts=(Reasoning("", None, "cohere"),)),
    Chunk("Hi", extra={"part": {"citations": [CITATION]}}),
    Chunk(reasoning="I will call f.", extra={"part": {"type": "tool_plan"}}),
    Chunk(parts=(Reasoning("", None, "cohere"),)),
    Chunk(tool_calls=(ToolCallDelta(0, "a", "f"),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='{"x":1}'),)),
    Chunk(tool_calls=(ToolCallDelta(1, "b", "g", "{}"),)),
    Chunk(
        finish_reason="tool_calls",
        usage=Usage(9, 7, 2),
        extra={"usage": {"billed_units": {"input_tokens": 5, "output_tokens": 7}}},
    ),
]
EVERYTHING = Call(
    messages=(
        Message("system", "Be brief."),
        Message("user", ("What?", Image("https://x/y.png", "low"))),
        Message(
            "assistant",
            (
                Reasoning("hm", None, "cohere"),
                Reasoning("I call both.", None, "cohere", {"type": "tool_plan"}),
                ToolCall("a", "f", "{}"),
                ToolCall("b", "f", "{}"),
            ),
        ),
        Message("tool", (ToolResult("a", "1"), ToolResult("b", (Text("2"),)))),
        Message("assistant", Text("Done.", {"citations": [CITATION]})),
        Message("user", "Thanks"),
    ),
    tools=(Tool("f", "does f", {"type": "object", "properties": {}}, strict=True), Tool("g")),
    tool_choice="required",
    temperature=0.5,
    top_p=0.5,
    max_tokens=5,
    stop=("END",),
    seed=1,
    reasoning="low",
    extra={"citation_options": {"mode": "FAST"}, "documents": [{"data": {"a": 1}, "id": "d"}], "priority": 1},
)
FIELDS = {
    "messages": TypeAdapter(ChatMessages),
    "tools": TypeAdapter(list[ToolV2]),
    "response_format": TypeAdapter(ResponseFormatV2),
    "thinking": TypeAdapter(Thinking),
    "citation_options": TypeAdapter(CitationOptions),
}
RESPONSE = TypeAdapter(V2ChatResponse)
EVENT = TypeAdapter(V2ChatStreamResponse)


def fits(kind: TypeAdapter, value: object) -> object:
    """Validate JSON against a type of the SDK, which the SDK at run time does not."""
    return kind.validate_json(json.dumps(value))


def fits_request(body: dict) -> None:
    """Validate a request field by field."""
    for name, kind in FIELDS.items():
        if name in body:
            fits(kind, body[name])


def stream_of(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def test_the_client_reads_an_answer() -> None:
    """Thinking, text, citations, the plan, calls and counts stand where the client looks for them."""
    with Server(render_response(ANSWER)) as client:
        answer = client.chat(model="m", messages=[])
    message = answer.message
    first, second = message.tool_calls

    assert (answer.id, answer.finish_reason) == ("r", "TOOL_CALL")
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert (message.content[0].thinking, message.content[1].text) == ("hm", "Hi")
    assert message.tool_plan == "I will call f."
    assert [citation.text for citation in message.citations] == ["Hi"]
    assert (first.id, first.function.name, first.function.arguments) == ("a", "f", '{"x":1}')
    assert (second.id, second.function.name, second.function.arguments) == ("b", "g", "{}")
    assert (answer.usage.tokens.input_tokens, answer.usage.tokens.output_tokens) == (9, 7)
    assert (answer.usage.cached_tokens, answer.usage.billed_units.input_tokens) == (2, 5)


def test_the_client_reads_a_stream(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets every event, in the order that it knows, and skips none of them as malformed."""
    with caplog.at_level(logging.WARNING), Server(stream_of(ANSWER)) as client:
        events = list(client.chat_stream(model="m", messages=[]))

    assert [event.type for event in events] == [
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "content-start",
        "content-delta",
        "citation-start",
        "citation-end",
        "content-end",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "tool-call-start",
        "tool-call-end",
        "message-end",
    ]
    assert [event.index for event in events if event.type == "content-delta"] == [0, 1]
    assert [event.index for event in events if event.type == "tool-call-start"] == [0, 1]
    assert events[-1].delta.finish_reason == "TOOL_CALL"
    assert events[-1].delta.usage.tokens.input_tokens == 9
    assert not caplog.records


@given(whole_answers())
def test_answers_fit_the_types_of_the_client(chunks: list[Chunk]) -> None:
    """Whatever an answer holds, it has the form that the client declares."""
    known = [chunk for chunk in chunks if not any(part.type == "other" for part in chunk.parts)]

    fits(RESPONSE, render_response([*known, Chunk(finish_reason="stop")]))


@given(streams())
def test_streams_fit_the_types_of_the_client(chunks: list[Chunk]) -> None:
    """Each event has the form that the client declares, and is named as its type."""
    known = [chunk for chunk in chunks if not any(part.type == "other" for part in chunk.parts)]
    *events, done = EventStream().feed(stream_of(known))
    types = [fits(EVENT, json.loads(event.data)).type for event in events]

    assert types == [event.event for event in events]
    assert (types[0], types[-1], done.data) == ("message-start", "message-end", b"[DONE]")


@pytest.mark.parametrize("tool_choice", [None, "auto", "none", "required", "f"])
@pytest.mark.parametrize("schema", [None, Schema({"type": "object", "properties": {}})])
def test_a_request_fits_the_types_of_the_client(tool_choice: str | None, schema: Schema | None) -> None:
    """A request with everything in it is one that the client would send."""
    call = EVERYTHING.evolve(tool_choice=tool_choice, schema=schema)
    body = render_request(call, "m")
    fits_request(body)
    server = Server(render_response(ANSWER))
    with server as client:
        client.chat(**body)

    assert server.requests == [{**body, "stream": False}]


@given(chat_calls())
def test_all_requests_fit(call: Call) -> None:
    """What was read from this format goes out in the form that the client declares."""
    plain = [
        message
        for message in call.messages
        if message.role in ("user", "assistant") and all(part.type not in ("other", "image") for part in message.parts)
    ]

    fits_request(render_request(call.evolve(messages=tuple(plain)), "m"))


def test_we_read_what_the_client_sends() -> None:
    """Requests of the client become calls, and go out again as they came."""
    server = Server(render_response(ANSWER))
    with server as client:
        client.chat(
            model="m",
            messages=[
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Where?"}]},
                {
                    "role": "assistant",
                    "tool_plan": "I look.",
                    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {
                    "role": "tool",
                    "tool_call_id": "a",
                    "content": [{"type": "document", "document": {"data": {"title": "Here"}, "id": "1"}}],
                },
            ],
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
            strict_tools=True,
            tool_choice="NONE",
            response_format={"type": "json_object", "json_schema": {"type": "object"}},
            thinking={"type": "enabled", "token_budget": 777},
            k=5,
            p=0.3,
            stop_sequences=["x"],
        )
    (sent,) = server.requests
    call = parse_request(sent)
    again = render_request(call, call.model)

    assert (call.messages[3].parts[0].content[0].text, call.tools[0].strict) == ('{"title":"Here"}', True)
    assert (call.tool_choice, call.reasoning, call.top_p, call.stop) == ("none", "minimal", 0.3, ("x",))
    assert call.schema == Schema({"type": "object"})
    assert {**again, "stream": False} == {
        **sent,
        "messages": [sent["messages"][0], {"role": "user", "content": "Where?"}, *sent["messages"][2:]],
    }


def test_the_client_ends_where_we_end() -> None:
    """A stream that the client reads to its end is one that we read to its end."""
    parser = StreamParser()
    chunks = parser.feed(stream_of(ANSWER))

    assert parser.ended
    assert chunks[-1].finish_reason == "tool_calls"

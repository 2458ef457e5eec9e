"""The official SDK takes what we write, and we read what it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import anthropic
import httpx2
import pytest
from anthropic.types import ContentBlockParam, MessageParam, RawMessageStreamEvent, TextBlockParam, ToolUnionParam
from anthropic.types import Message as SdkMessage
from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from hypothesis import given, settings
from pydantic import TypeAdapter

from aigw.assembly import assemble
from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.trace import CallTrace
from aigw.wire.anthropic_messages import (
    parse_count_tokens,
    parse_request,
    parse_response,
    render_count_tokens,
    render_request,
    render_response,
)
from wire.anthropic_messages.making import MIDDLE, NEW, OLD, events, parse, parts_of, render
from wire.anthropic_messages.strategies import streams, whole_answers

CALLS = (Text("Let me see."), ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "f", "{broken"))
ROUND = Call(
    messages=(
        Message("system", "Be brief."),
        Message("developer", ("a", Text("b", {"cache_control": {"type": "ephemeral"}}))),
        Message("user", ("What?", Image("https://x/y.png"), Image.from_bytes(b"x", "image/png"))),
        Message("assistant", (Reasoning("hm", "sig", "anthropic"), *CALLS)),
        Message("tool", (ToolResult("c1", "1"), ToolResult("c2", (Text("2"),), is_error=True))),
        Message("system", "Be kind."),
        Message("assistant", (Reasoning("", "data", "anthropic", {"type": "redacted_thinking"}), Text("Done."))),
        Message(
            "user",
            (
                File.from_bytes(b"%PDF", "application/pdf", "a.pdf"),
                File.from_bytes(b"text", "text/plain", "b.txt"),
                File("https://x/c.pdf"),
                File(file_id="file_1"),
            ),
        ),
    ),
    tools=(
        Tool("f", "does f", {"type": "object", "properties": {"a": {"type": "integer"}}}, strict=True),
        Tool("h"),
        Tool("web_search", extra={"type": "web_search_20260318", "name": "web_search"}),
    ),
    parallel_tool_calls=False,
    schema=Schema({"type": "object", "properties": {}, "additionalProperties": False}),
    temperature=1.0,
    max_tokens=5000,
    stop=("END",),
    reasoning="medium",
    extra={"metadata": {"user_id": "u"}, "service_tier": "auto"},
)


def strict(kind: object, value: object) -> None:
    """Validate JSON against a type of the SDK; unlike the SDK at run time this is strict about missing fields."""
    adapter_of(kind).validate_json(json.dumps(value))


@cache
def adapter_of(kind: object) -> TypeAdapter:
    """Make the validator of a type once: these types take seconds."""
    return TypeAdapter(kind)


def check_request(kind: object, body: dict) -> None:
    """Validate a request, and its lists one by one: of an `Iterable` pydantic looks at no item."""
    strict(kind, body)
    for tool in body.get("tools", ()):
        strict(ToolUnionParam, tool)
    if isinstance(body.get("system"), list):
        for content in body["system"]:
            strict(TextBlockParam, content)
    for message in body["messages"]:
        strict(MessageParam, message)
        for content in _blocks(message["content"]):
            strict(ContentBlockParam, content)
            for inner in _blocks(content.get("content", "")):
                strict(ContentBlockParam, inner)


def _blocks(content: str | list[dict]) -> list[dict]:
    return [] if isinstance(content, str) else content


def client(respond: object) -> anthropic.Anthropic:
    """The SDK's client, which gets its answers here."""
    transport = httpx2.MockTransport(respond)
    return anthropic.Anthropic(
        api_key="k", base_url="http://x", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


@pytest.mark.parametrize("model", ["m", NEW, MIDDLE, OLD, "claude-opus-5-5"])
@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_request_fits_the_parameters_of_the_sdk(model: str, choice: str | None) -> None:
    """A request with everything in it is a request that the SDK would send."""
    call = replace(ROUND, tool_choice=choice)

    check_request(MessageCreateParamsNonStreaming, render_request(call, model))
    check_request(MessageCreateParamsStreaming, render_request(replace(call, stream=True), model))
    check_request(MessageCountTokensParams, render_count_tokens(call, model))


@pytest.mark.parametrize("choice", ["required", "f"])
def test_a_forced_tool_fits_too(choice: str) -> None:
    """Both ways to force a call are ways of the SDK."""
    check_request(MessageCreateParamsNonStreaming, render_request(replace(ROUND, tool_choice=choice), NEW))


def test_the_check_above_sees_what_is_wrong() -> None:
    """A block without its fields, deep within the messages, does not fit."""
    body = render_request(ROUND, "m")
    del body["messages"][1]["content"][0]["signature"]

    with pytest.raises(ValueError, match="signature"):
        check_request(MessageCreateParamsNonStreaming, body)


# The SDK lists the blocks and the reasons of today; all others pass it at run time, but not a strict validation.
_KNOWN_REASONS = ("stop", "length", "tool_calls", "content_filter", "pause_turn", None)


def known(chunks: list[Chunk]) -> bool:
    """Whether the SDK knows all the reasons, blocks and citations."""
    return all(
        chunk.finish_reason in _KNOWN_REASONS
        and not any(isinstance(part, Other) for part in chunk.parts)
        and "citations" not in ((chunk.extra or {}).get("part") or {})
        and (chunk.extra or {}).get("delta", {}).get("type") != "some_new_delta"
        for chunk in chunks
    )


@settings(max_examples=40)
@given(whole_answers().filter(known))
def test_a_rendered_answer_fits_the_sdk(chunks: list[Chunk]) -> None:
    """Whatever an answer holds, the SDK's type takes it."""
    strict(SdkMessage, render_response(chunks))


@settings(max_examples=40)
@given(streams().filter(known))
def test_a_rendered_stream_fits_the_sdk(chunks: list[Chunk]) -> None:
    """Every event of a rendered stream is an event of the SDK, but for fields that it does not know yet."""
    for event in events(chunks):
        if event.get("delta", {}).get("type") != "fields_delta":
            strict(RawMessageStreamEvent, event)


def streamed(body: bytes) -> SdkMessage:
    """The final message that the SDK's stream helper makes of a stream."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    with (
        client(respond) as sdk,
        sdk.messages.stream(model="m", max_tokens=5, messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        return stream.get_final_message()


CITATION = {
    "type": "char_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
    "file_id": None,
}
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
STREAM = [
    Chunk(id="msg_1", model="m", usage=Usage(9, 1, 2, 3)),
    Chunk(reasoning="let me "),
    Chunk(reasoning="see"),
    Chunk(parts=(Reasoning("", "sig", "anthropic"),)),
    Chunk(parts=(Reasoning("", "data", "anthropic", {"type": "redacted_thinking"}),)),
    Chunk("Hel"),
    Chunk("lo"),
    Chunk(extra={"part": {"citations": [CITATION]}}),
    Chunk(" world", extra={"new_part": True}),
    Chunk(tool_calls=(ToolCallDelta(0, "c1", "f"),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='{"a":'),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments="1}"),)),
    Chunk(tool_calls=(ToolCallDelta(1, "c2", "g"),)),
    Chunk(tool_calls=(ToolCallDelta(1, arguments="{}"),)),
    Chunk(parts=(Other(SEARCH),)),
    Chunk(finish_reason="tool_calls", usage=Usage(9, 7, 2, 3, 4)),
]


def test_the_stream_helper_of_the_sdk_reads_our_stream() -> None:
    """Blocks, indices and counts stand where the SDK's own accumulator looks for them."""
    final = streamed(render(STREAM))

    assert [content.type for content in final.content] == [
        "thinking",
        "redacted_thinking",
        "text",
        "text",
        "tool_use",
        "tool_use",
        "server_tool_use",
    ]
    assert (final.content[0].thinking, final.content[0].signature) == ("let me see", "sig")
    assert final.content[1].data == "data"
    assert (final.content[2].text, final.content[2].citations[0].cited_text) == ("Hello", "x")
    assert final.content[3].text == " world"
    assert (final.content[4].id, final.content[4].name, final.content[4].input) == ("c1", "f", {"a": 1})
    assert final.content[6].input == {"query": "q"}
    assert (final.id, final.model, final.stop_reason) == ("msg_1", "m", "tool_use")
    assert (final.usage.input_tokens, final.usage.output_tokens) == (4, 7)
    assert (final.usage.cache_read_input_tokens, final.usage.cache_creation_input_tokens) == (2, 3)
    assert final.usage.output_tokens_details.thinking_tokens == 4


@settings(max_examples=20)
@given(streams().filter(known))
def test_the_stream_helper_makes_the_same_of_it_as_we_do(chunks: list[Chunk]) -> None:
    """The SDK's final message, read as a whole answer, is the answer that the chunks make."""
    chunks = [chunk for chunk in chunks if not chunk.tool_calls]  # it gives up on arguments that are not JSON
    final = streamed(render(chunks)).to_dict()
    ours = assemble(chunks, CallTrace())
    theirs = assemble(parse_response(final), CallTrace())

    assert theirs.text == ours.text
    assert theirs.reasoning == ours.reasoning
    assert theirs.usage == ours.usage
    assert theirs.finish_reason == ours.finish_reason


def test_the_sdk_reads_the_values_that_we_wrote() -> None:
    """Chunks of another format make a message that the SDK understands."""
    message = SdkMessage.model_validate(
        render_response(
            [
                Chunk(
                    text="hi",
                    reasoning="hm",
                    tool_calls=(ToolCallDelta(0, "c1", "f", '{"a": 1}'),),
                    finish_reason="tool_calls",
                    usage=Usage(9, 7, 2, 3, 5),
                    id="a",
                    model="m",
                    extra={"choice": {"logprobs": {}}, "usage": {"total_tokens": 1}},
                    wire="openai_chat",
                )
            ]
        )
    )

    assert [content.type for content in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[2].input == {"a": 1}
    assert message.stop_reason == "tool_use"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (4, 7)


def test_what_the_sdk_sends_is_read() -> None:
    """A request of the SDK's client is a call with nothing left over, and its next one holds the first answer."""
    seen: list[Call] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        seen.append(parse_request(json.loads(request.content)))
        return httpx2.Response(200, json=render_response(STREAM))

    tool = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    asked = [{"role": "user", "content": "hi"}]
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "2"}
    options = {"model": "m", "max_tokens": 9, "tools": [tool], "tool_choice": {"type": "any"}, "system": "Be brief."}
    with client(respond) as sdk:
        message = sdk.messages.create(messages=asked, **options)
        going_on = [*asked, message.to_param(), {"role": "user", "content": [result]}]
        sdk.messages.create(messages=going_on, **options)
    first, second = seen

    assert first == Call(
        model="m",
        messages=(Message("system", "Be brief."), Message("user", "hi")),
        tools=(Tool("f", parameters=tool["input_schema"]),),
        tool_choice="required",
        max_tokens=9,
    )
    assert second.messages[2].tool_calls == (ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "{}"))
    assert second.messages[2].parts[0] == Reasoning("let me see", "sig", "anthropic")
    assert second.messages[3] == Message("tool", ToolResult("c1", "2"))


def test_what_the_sdk_streams_is_read() -> None:
    """The SDK asks for a stream, and reads its text as it comes."""
    seen: list[Call] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        seen.append(parse_request(json.loads(request.content)))
        body = render([Chunk("Hel"), Chunk("lo"), Chunk(finish_reason="stop", usage=Usage(3, 2))])
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    with (
        client(respond) as sdk,
        sdk.messages.stream(model="m", max_tokens=5, messages=[{"role": "user", "content": "hi"}]) as stream,
    ):
        texts = list(stream.text_stream)

    assert seen[0].stream
    assert texts == ["Hel", "lo"]


def test_a_message_of_the_sdk_is_read() -> None:
    """What the SDK dumps, null fields and all, is read like what the server sends."""
    message = SdkMessage.model_validate(render_response(STREAM))

    dumped = parts_of(parse_response(message.model_dump()))

    assert dumped[:-1] == parts_of(parse(render(STREAM)))[:-1]


def test_the_sdk_counts_tokens() -> None:
    """The request that counts is one of the SDK's, and so is its answer."""
    call = Call(messages=(Message("system", "Be brief."), Message("user", "hi")), temperature=0.5, stop=("x",))
    body = render_count_tokens(call, "m")

    def respond(request: httpx2.Request) -> httpx2.Response:
        assert json.loads(request.content) == body
        return httpx2.Response(200, json={"input_tokens": 8})

    with client(respond) as sdk:
        counted = sdk.messages.count_tokens(**body)

    assert counted.input_tokens == parse_count_tokens(counted.to_dict()) == 8

"""What we render is what the official SDK's types say."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx2
import openai
import pytest
from hypothesis import given, settings
from openai.types import CreateEmbeddingResponse, EmbeddingCreateParams
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Text, Tool, ToolCall, ToolResult
from aigw.wire import embeddings
from aigw.wire.openai_chat import StreamRenderer, parse_message, parse_request, render_request, render_response
from strategies import embedding_calls, streams, whole_answers

ROUND = Call(
    messages=(
        Message("system", "Be brief."),
        Message("developer", ("a", "b")),
        Message("user", ("What?", Image("https://x/y.png", "low"), File(file_id="f", name="n")), name="bob"),
        Message("assistant", (Text("Let me see."), ToolCall("c1", "f", "{}"), ToolCall("c2", "f", "{}"))),
        Message("tool", (ToolResult("c1", "1"), ToolResult("c2", (Text("2"),)))),
        Message("assistant", ToolCall("c3", "g", "free", {"type": "custom"})),
        Message("assistant", "Done."),
    ),
    tools=(
        Tool("f", "does f", {"type": "object", "properties": {}}, strict=True),
        Tool("h"),
        Tool("g", extra={"type": "custom", "custom": {"name": "g"}}),
    ),
    tool_choice="f",
    parallel_tool_calls=True,
    schema=Schema({"type": "object"}, strict=True),
    temperature=0.5,
    top_p=0.5,
    max_tokens=5,
    stop=("END",),
    seed=1,
    n=2,
    reasoning="low",
    extra={"logprobs": True, "user": "u"},
    wire="openai_chat",
)


def strict(kind: object, value: object) -> None:
    """Validate JSON against a type of the SDK; unlike the SDK at run time this is strict about missing fields."""
    TypeAdapter(kind).validate_json(json.dumps(value))


@pytest.mark.parametrize("tool_choice", [None, "auto", "none", "required", "f"])
def test_a_request_fits_the_parameters_of_the_sdk(tool_choice: str | None) -> None:
    """A request with everything in it is a request that the SDK would send."""
    call = replace(ROUND, tool_choice=tool_choice)

    strict(CompletionCreateParamsNonStreaming, render_request(call, "m"))
    strict(CompletionCreateParamsStreaming, render_request(replace(call, stream=True), "m"))


def test_a_minimal_request_fits_too() -> None:
    """Little is as valid as much."""
    strict(CompletionCreateParamsNonStreaming, render_request(Call(messages=(Message("user", "hi"),)), "m"))


# The SDK lists the finish reasons of today; all others pass it at run time, but not a strict validation.
_KNOWN_REASONS = ("stop", "length", "tool_calls", "content_filter", None)


def known(chunks: list[Chunk]) -> bool:
    """Whether the SDK knows all the finish reasons."""
    return all(chunk.finish_reason in _KNOWN_REASONS for chunk in chunks)


@settings(deadline=None)
@given(whole_answers(plain=True).filter(known))
def test_a_rendered_answer_fits_the_sdk(chunks: list[Chunk]) -> None:
    """Whatever an answer holds, the SDK's type takes it."""
    strict(ChatCompletion, render_response(chunks, created=7))


@settings(deadline=None)
@given(streams(plain=True).filter(known))
def test_a_rendered_stream_fits_the_sdk(chunks: list[Chunk]) -> None:
    """Every event of a rendered stream is a chunk of the SDK."""
    renderer = StreamRenderer(created=7)
    body = b"".join([*map(renderer.render, chunks), renderer.finish()])
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n")]

    assert lines[-2:] == [b"[DONE]", b""]
    for line in lines[:-2]:
        ChatCompletionChunk.model_validate_json(line)


def test_the_sdk_reads_the_values_that_we_wrote() -> None:
    """Text, tool calls and counts stand where the SDK looks for them."""
    answer = ChatCompletion.model_validate(
        render_response(
            [
                Chunk(
                    text="hi",
                    refusal="no",
                    tool_calls=(
                        ToolCallDelta(0, "c1", "f", "{}"),
                        ToolCallDelta(1, "c2", "g", "x", {"type": "custom"}),
                    ),
                    finish_reason="tool_calls",
                    usage=Usage(9, 7, 2, 3, 5),
                    id="a",
                    model="m",
                )
            ]
        )
    )
    message = answer.choices[0].message

    assert (answer.id, answer.model, message.content, message.refusal) == ("a", "m", "hi", "no")
    assert [call.type for call in message.tool_calls] == ["function", "custom"]
    assert message.tool_calls[1].custom.input == "x"
    assert answer.usage.prompt_tokens_details.cached_tokens == 2
    assert answer.usage.prompt_tokens_details.cache_write_tokens == 3
    assert answer.usage.completion_tokens_details.reasoning_tokens == 5


def test_a_message_that_the_sdk_dumps_is_read() -> None:
    """The usual way to go on with a conversation: dump the SDK's message and send it back."""
    message = ChatCompletionMessage.model_validate(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
    )

    assert parse_message(message.model_dump()) == Message("assistant", ToolCall("c", "f", "{}"))


def client_of(answer: object) -> openai.OpenAI:
    """A client of the SDK whose requests go to a function."""
    http_client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client)


STREAM = [
    Chunk(id="a", model="m"),
    Chunk(reasoning="h"),
    Chunk(reasoning="m"),
    Chunk("He"),
    Chunk("llo", extra={"choice": {"logprobs": {"content": [], "refusal": None}}}),
    Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", "{"), ToolCallDelta(1, "c2", "g", ""))),
    Chunk(tool_calls=(ToolCallDelta(1, arguments="{}"), ToolCallDelta(0, arguments="}"))),
    Chunk(finish_reason="tool_calls"),
    Chunk(usage=Usage(9, 7, 2)),
]


def test_the_sdk_reads_our_stream() -> None:
    """The SDK's own reader of streams puts text, tool calls and usage together as they were."""
    renderer = StreamRenderer(created=7)
    body = b"".join([*map(renderer.render, STREAM), renderer.finish()])
    client = client_of(lambda _: httpx2.Response(200, content=body, headers={"content-type": "text/event-stream"}))
    ask = [{"role": "user", "content": "hi"}]
    with client.chat.completions.stream(model="m", messages=ask, stream_options={"include_usage": True}) as stream:
        kinds = {event.type for event in stream}
        whole = stream.get_final_completion()
    client.close()
    message = whole.choices[0].message

    assert {"content.delta", "tool_calls.function.arguments.done"} <= kinds
    assert (whole.id, message.content, whole.choices[0].finish_reason) == ("a", "Hello", "tool_calls")
    assert [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls] == [
        ("c1", "f", "{}"),
        ("c2", "g", "{}"),
    ]
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (9, 7)


@settings(deadline=None)
@given(embedding_calls)
def test_an_embeddings_request_fits_the_parameters_of_the_sdk(call: Call) -> None:
    """Any embeddings call is one that the SDK would send."""
    strict(EmbeddingCreateParams, embeddings.render_request(call, "m"))


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_the_sdk_reads_our_embeddings(encoding: str) -> None:
    """The SDK's client decodes both encodings to the vectors that we had."""
    chunk = Chunk(vectors=((1.5, -2.0), (0.25, 4.0)), usage=Usage(3), model="m")
    body = embeddings.render_response([chunk], encoding=encoding)
    if encoding == "float":
        strict(CreateEmbeddingResponse, body)
    sent = {}

    def answer(request: object) -> object:
        sent.update(json.loads(request.content))
        return httpx2.Response(200, json=body)

    client = client_of(answer)
    options = {} if encoding == "base64" else {"encoding_format": "float"}
    read = client.embeddings.create(model="m", input=["a", "b"], **options)
    client.close()

    assert [item.embedding for item in read.data] == [[1.5, -2.0], [0.25, 4.0]]
    assert embeddings.parse_request(sent).inputs == ("a", "b")


def test_nothing_that_the_sdk_sends_is_left_unread() -> None:
    """A request of known fields only is read without a field left over, except those that `Call` does not model."""
    assert parse_request(render_request(ROUND, "m")).extra == ROUND.extra

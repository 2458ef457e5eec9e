"""What we write is what the official SDK's types say, and what the SDK's client reads; and the other way round."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from hypothesis import given, settings
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import BaseModel, TypeAdapter

from aigw.assembly import assemble
from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
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
from wire.openai_responses.server import events, sse
from wire.openai_responses.strategies import responses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HISTORY = (
    Message("system", "Be brief."),
    Message("user", ("What?", Image("https://x/y.png", "low"), Image("data:image/png;base64,AA"))),
    Message("user", (File("data:application/pdf;base64,AA", name="a.pdf"), File(file_id="f"), File("https://x/b.pdf"))),
    Message(
        "assistant",
        (
            Reasoning("Hm.", "sig", "openai", {"id": "rs_1"}),
            Text("Let me see.", {"pieces": [{"type": "message", "id": "msg_1", "phase": "commentary"}]}),
            ToolCall("c1", "f", "{}", {"id": "fc_1"}),
            ToolCall("c2", "g", "free", {"type": "custom_tool_call"}),
        ),
        wire=WIRE,
    ),
    Message("tool", (ToolResult("c1", "1"), ToolResult("c2", (Text("2"), Image("https://x/z.png"))))),
    Message("developer", "Go on."),
    Message("assistant", ("Done.", "Really.")),
    Message("user", "Thanks."),
)
CALL = Call(
    messages=HISTORY,
    tools=(
        Tool("f", "does f", {"type": "object", "properties": {}}, strict=True),
        Tool("h"),
        Tool("g", extra={"type": "custom", "name": "g"}),
        Tool("web_search", extra={"type": "web_search"}),
    ),
    tool_choice="f",
    parallel_tool_calls=True,
    schema=Schema({"type": "object"}, strict=True),
    temperature=0.5,
    top_p=0.5,
    max_tokens=50,
    reasoning="low",
    extra={"truncation": "auto", "text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}},
)

CHUNKS = [
    Chunk(id="chatcmpl-1", model="m", wire="openai_chat"),
    Chunk(reasoning="First ", wire="openai_chat"),
    Chunk(reasoning="this.", wire="openai_chat"),
    Chunk(text="Hello ", wire="openai_chat", extra={"choice": {"logprobs": {"content": []}}}),
    Chunk(text="there", wire="openai_chat"),
    Chunk(tool_calls=(ToolCallDelta(0, "c0", "f", '{"a"'), ToolCallDelta(1, None, "g", "")), wire="openai_chat"),
    Chunk(tool_calls=(ToolCallDelta(0, arguments=":1}"), ToolCallDelta(1, arguments="{}")), wire="openai_chat"),
    Chunk(finish_reason="tool_calls", usage=Usage(9, 7, 2, 1, 3), wire="openai_chat"),
]
"""A stream of another format: pieces of two tool calls mixed, no ids of items, a call without an id."""


@cache
def adapter(kind: Any) -> TypeAdapter:
    """Make the validator of a type, which takes long, once."""
    return TypeAdapter(kind)


def strict(kind: object, value: object) -> Any:
    """Validate JSON against a type of the SDK; unlike the SDK at run time this is strict about missing fields."""
    return adapter(kind).validate_json(json.dumps(value))


def stream(chunks: list[Chunk], **options: Any) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer(**options)
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def decoded(body: bytes) -> list[dict]:
    """Decode the events of a stream."""
    return [json.loads(block.partition(b"data: ")[2]) for block in body.split(b"\n\n") if block]


@pytest.fixture
def serve() -> Iterator[Callable[[bytes], tuple[openai.OpenAI, list[dict]]]]:
    """Make an SDK client whose server sends this body; its second part fills with the requests that it sends."""
    clients = []

    def made(body: bytes) -> tuple[openai.OpenAI, list[dict]]:
        sent: list[dict] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            sent.append(json.loads(request.content))
            kind = "text/event-stream" if sent[-1].get("stream") else "application/json"
            return httpx2.Response(200, content=body, headers={"content-type": kind})

        http = httpx2.Client(transport=httpx2.MockTransport(answer))
        clients.append(openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http, max_retries=0))
        return clients[-1], sent

    yield made
    for client in clients:
        client.close()


@pytest.mark.parametrize("tool_choice", [None, "auto", "none", "required", "f", "g"])
def test_a_request_fits_the_parameters_of_the_sdk(tool_choice: str | None) -> None:
    """A call with everything in it is one that the SDK would send, streamed or not."""
    whole = render_request(CALL.evolve(tool_choice=tool_choice), "m")
    streamed = render_request(CALL.evolve(tool_choice=tool_choice, stream=True), "m")

    strict(ResponseCreateParamsNonStreaming, whole)
    strict(ResponseCreateParamsStreaming, streamed)


def test_a_request_that_remembers_fits_the_parameters_of_the_sdk() -> None:
    """So is one that sends the ids of items back."""
    body = render_request(CALL.evolve(extra={"store": True}), "m")

    strict(ResponseCreateParamsNonStreaming, body)
    assert [item["id"] for item in body["input"] if "id" in item] == ["rs_1", "msg_1", "fc_1"]


def test_the_model_said_it_in_these_items() -> None:
    """The SDK takes what was said before for messages, reasoning and calls, not for something else that fits too."""
    body = render_request(CALL, "m")

    assert [item.get("type", item.get("role")) for item in body["input"]] == [
        *("system", "user", "user", "reasoning", "message", "function_call", "custom_tool_call"),
        *("function_call_output", "custom_tool_call_output", "developer", "message", "message", "user"),
    ]


@settings(max_examples=40)
@given(responses)
def test_whole_answers_fit_the_type_of_the_sdk(response: dict) -> None:
    """Every field that the type demands is there."""
    strict(Response, render_response(parse_response(response)))


@settings(max_examples=40)
@given(responses)
def test_every_event_fits_the_types_of_the_sdk(response: dict) -> None:
    """Each event of a rendered stream is one that the SDK knows, with every field that its type demands."""
    for event in decoded(stream(StreamParser().feed(sse(*events(response))))):
        if not event["type"].startswith("response.web_search_call"):  # a passed on event of the tests' own making
            assert strict(ResponseStreamEvent, event).type == event["type"]


def test_answers_of_other_formats_fit_the_types_of_the_sdk() -> None:
    """What another format left out, ids above all, is made up."""
    whole = strict(Response, render_response(CHUNKS))
    found = [strict(ResponseStreamEvent, event) for event in decoded(stream(CHUNKS))]

    assert found[-1].response == whole
    assert [item.type for item in whole.output] == ["reasoning", "message", "function_call", "function_call"]
    assert len({item.id for item in whole.output}) == 4
    assert [item.call_id for item in whole.output[2:]] == ["c0", "call_1"]
    assert (whole.id, whole.model, whole.status, whole.output_text) == ("chatcmpl-1", "m", "completed", "Hello there")
    assert whole.usage.input_tokens_details.cached_tokens == 2
    assert whole.usage.input_tokens_details.cache_write_tokens == 1
    assert whole.usage.output_tokens_details.reasoning_tokens == 3


@pytest.mark.parametrize(("reason", "status"), [("length", "incomplete"), ("content_filter", "incomplete")])
def test_answers_that_were_cut_off_fit_the_types_of_the_sdk(reason: str, status: str) -> None:
    """The status says so, of the answer and of the item that was cut off."""
    chunks = [Chunk(text="Hel", id="r", wire="x"), Chunk(finish_reason=reason, wire="x")]
    (*_, end) = [strict(ResponseStreamEvent, event) for event in decoded(stream(chunks))]

    assert end.type == f"response.{status}"
    assert end.response.status == status
    assert end.response.incomplete_details.reason == ("max_output_tokens" if reason == "length" else reason)
    assert end.response.output[0].status == "incomplete"


def test_the_client_reads_our_answer(serve: Callable) -> None:
    """The SDK's client finds the text, the calls and the usage."""
    client, _ = serve(json.dumps(render_response(CHUNKS)).encode())
    answer = client.responses.create(model="m", input="Hi")

    assert answer.output_text == "Hello there"
    assert [item.arguments for item in answer.output if item.type == "function_call"] == ['{"a":1}', "{}"]


def test_the_client_reads_our_stream(serve: Callable) -> None:
    """Event by event the SDK's client reads the text, and the whole answer at the end."""
    client, _ = serve(stream(CHUNKS))
    found = list(client.responses.create(model="m", input="Hi", stream=True))
    text = "".join(event.delta for event in found if event.type == "response.output_text.delta")

    assert text == "Hello there"
    assert found[-1].response.output_text == text


class Greeting(BaseModel):
    """What a structured answer is parsed to."""

    hello: str


def test_the_accumulator_of_the_sdk_takes_our_stream(serve: Callable) -> None:
    """``client.responses.stream`` checks that ids, indexes and events belong together, and parses the answer."""
    chunks = [
        Chunk(id="resp_1", model="m"),
        Chunk(reasoning="Hm"),
        Chunk(text='{"hello": '),
        Chunk(text='"you"}'),
        Chunk(tool_calls=(ToolCallDelta(0, "c", "f", "{"),)),
        Chunk(tool_calls=(ToolCallDelta(0, arguments="}"),)),
        Chunk(finish_reason="tool_calls", usage=Usage(1, 2)),
    ]
    client, _ = serve(stream(chunks))
    with client.responses.stream(model="m", input="Hi", text_format=Greeting) as found:
        kinds = [event.type for event in found]
        final = found.get_final_response()

    assert final.output_parsed == Greeting(hello="you")
    assert [call.arguments for call in final.output if call.type == "function_call"] == ["{}"]
    assert kinds.count("response.output_text.delta") == 2
    assert kinds[-1] == "response.completed"


@settings(max_examples=40)
@given(responses)
def test_the_accumulator_of_the_sdk_takes_any_stream(response: dict) -> None:
    """Whatever an answer is made of, the SDK puts the stream together without a contradiction."""
    from openai import omit
    from openai.lib.streaming.responses._responses import ResponseStreamState

    state = ResponseStreamState(text_format=omit, input_tools=omit)
    for event in decoded(stream(StreamParser().feed(sse(*events(response))))):
        state.handle_event(adapter(ResponseStreamEvent).validate_python(event))
    final = state._completed_response

    assert (final is not None) == (response["status"] == "completed")
    if final is not None:
        assert [item.type for item in final.output] == [item["type"] for item in response["output"]]


@settings(max_examples=40)
@given(responses)
def test_what_the_sdk_writes_is_read(response: dict) -> None:
    """An answer and events that went through the types of the SDK say the same as before."""
    whole = Response.model_validate(response).model_dump(mode="json", exclude_unset=True)
    found = [adapter(ResponseStreamEvent).validate_python({**e, "sequence_number": 0}) for e in events(response)]
    body = sse(*[event.model_dump(mode="json", exclude_unset=True) for event in found])
    streamed = assemble(StreamParser().feed(body), CallTrace())

    assert parse_response(whole) == parse_response(response)
    assert streamed.choices == assemble(parse_response(response), CallTrace()).choices


def test_nothing_that_the_sdk_sends_is_left_unread(serve: Callable) -> None:
    """A request of the SDK's client is read without a field left over, except those that `Call` does not model."""
    client, sent = serve(json.dumps(render_response([Chunk(text='{"hello": "you"}')])).encode())
    client.responses.parse(
        model="m",
        instructions="Be brief.",
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
        text_format=Greeting,
        tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        tool_choice={"type": "function", "name": "f"},
        reasoning={"effort": "low", "summary": "auto"},
        max_output_tokens=5,
        store=False,
    )
    call = parse_request(sent[0])

    assert call.messages == (Message("system", "Be brief.", extra={"instructions": True}), Message("user", "Hi"))
    assert (call.schema.name, call.schema.strict, call.tool_choice) == ("Greeting", True, "f")
    assert (call.reasoning, call.max_tokens) == ("low", 5)
    assert call.tools == (Tool("f", parameters={"type": "object"}, strict=True),)
    assert call.extra == {"reasoning": {"summary": "auto"}, "store": False}
    assert render_request(call, "m") == {**sent[0], "input": [{"role": "user", "content": "Hi"}]}


def test_the_output_of_the_sdk_goes_back_as_input() -> None:
    """The usual way to go on with a conversation: append ``response.output`` to the next input."""
    answer = Response.model_validate(render_response(CHUNKS))
    output = [item.model_dump(exclude_none=True) for item in answer.output]
    call = parse_request({"model": "m", "input": [{"role": "user", "content": "Hi"}, *output]})

    assert call.messages[1] == Message(
        "assistant",
        (
            Reasoning("First this.", None, "openai"),
            Text("Hello there"),
            ToolCall("c0", "f", '{"a":1}'),
            ToolCall("call_1", "g", "{}"),
        ),
    )

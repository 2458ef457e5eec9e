"""OpenAI's own SDK through the gateway: chat completions, responses, and the smaller operations."""

from __future__ import annotations

import json

import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from aigw import Chunk, Gateway, Target, ToolCallDelta, Usage, Verdict
from aigw.testing import ScriptedProvider

ASKED = [{"role": "user", "content": "Why is the sky blue?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
CALLED = Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather", '{"city": "Oslo"}'),), finish_reason="tool_calls")
PIECES = [
    Chunk(reasoning="Hm. "),
    Chunk("Let me "),
    Chunk("look."),
    Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather"),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='{"city": '),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='"Oslo"}'),)),
    Chunk(finish_reason="tool_calls", usage=Usage(7, 5, reasoning=2)),
]


class City(BaseModel):
    """What the tests have answered as JSON."""

    name: str
    people: int


def test_a_chat(side, scripted):
    """A chat is an ordinary completion for the SDK, and an ordinary call for the gateway."""
    gateway, provider = scripted("Because of the air.")
    answer = side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED, temperature=0.5))

    assert answer.choices[0].message.content == "Because of the air."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 9
    assert answer._request_id == provider.calls[0].id
    assert (provider.calls[0].temperature, provider.calls[0].route, provider.calls[0].stream) == (0.5, "smart", False)


def test_a_streamed_chat(side, scripted):
    """A stream comes chunk by chunk, with usage only if it was asked for."""
    gateway, provider = scripted(["Because ", "of the air."], ["again"])
    client = side.openai(gateway)
    plain = side.items(side.wait(client.chat.completions.create(model="smart", messages=ASKED, stream=True)))
    counted = side.items(
        side.wait(
            client.chat.completions.create(
                model="smart", messages=ASKED, stream=True, stream_options={"include_usage": True}
            )
        )
    )

    assert [chunk.choices[0].delta.content for chunk in plain] == ["Because ", "of the air.", None]
    assert plain[-1].choices[0].finish_reason == "stop"
    assert [chunk.usage for chunk in plain] == [None] * 3
    assert counted[-1].usage.total_tokens == 6
    assert len({chunk.id for chunk in plain}) == 1
    assert provider.calls[0].stream
    assert provider.open == 0


def test_the_stream_helper(side, scripted):
    """``chat.completions.stream`` tells tool calls and the final completion."""
    gateway, _ = scripted(PIECES)
    manager = side.openai(gateway).chat.completions.stream(model="smart", messages=ASKED, tools=[TOOL])

    def read(stream):
        return side.items(stream), side.wait(stream.get_final_completion())

    events, final = side.within(manager, read)

    kinds = [event.type for event in events]

    assert kinds.count("content.delta") == 2
    assert kinds.count("tool_calls.function.arguments.delta") == 3
    assert {"content.done", "tool_calls.function.arguments.done"} <= set(kinds)
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments == {"city": "Oslo"}
    assert final.choices[0].message.content == "Let me look."


def test_parsing_a_chat(side, scripted):
    """``chat.completions.parse`` sends the schema and gets the value."""
    gateway, provider = scripted('{"name": "Oslo", "people": 700000}')
    answer = side.wait(side.openai(gateway).chat.completions.parse(model="smart", messages=ASKED, response_format=City))

    assert answer.choices[0].message.parsed == City(name="Oslo", people=700_000)
    assert provider.calls[0].schema.name == "City"
    assert provider.calls[0].schema.strict is True


def test_a_tool_and_its_result(side, scripted):
    """A conversation with a tool goes back and forth."""
    gateway, provider = scripted(CALLED, "It rains in Oslo.")
    client = side.openai(gateway)
    first = side.wait(client.chat.completions.create(model="smart", messages=ASKED, tools=[TOOL]))
    call = first.choices[0].message.tool_calls[0]
    talk = [*ASKED, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    second = side.wait(client.chat.completions.create(model="smart", messages=talk, tools=[TOOL]))

    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Oslo"})
    assert second.choices[0].message.content == "It rains in Oslo."
    assert [message.role for message in provider.calls[1].messages] == ["user", "assistant", "tool"]
    assert provider.calls[1].messages[1].tool_calls[0].parse() == {"city": "Oslo"}


def test_a_response(side, scripted):
    """The Responses API is served too, whatever the target speaks."""
    gateway, provider = scripted("Because of the air.")
    answer = side.wait(
        side.openai(gateway).responses.create(model="smart", input="Why?", instructions="Be brief.", store=False)
    )

    assert answer.output_text == "Because of the air."
    assert answer.status == "completed"
    assert answer.usage.total_tokens == 7
    assert [message.role for message in provider.calls[0].messages] == ["system", "user"]


def test_a_streamed_response(side, scripted):
    """Its stream helper reads text and tool calls, and ends with the whole response."""
    gateway, _ = scripted(PIECES)
    tool = {"type": "function", **TOOL["function"]}
    manager = side.openai(gateway).responses.stream(model="smart", input="Why?", tools=[tool])

    def read(stream):
        return side.items(stream), side.wait(stream.get_final_response())

    events, final = side.within(manager, read)

    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert final.output_text == "Let me look."
    assert [item.parsed_arguments for item in final.output if item.type == "function_call"] == [{"city": "Oslo"}]
    assert final.usage.output_tokens_details.reasoning_tokens == 2


def test_parsing_a_response(side, scripted):
    """``responses.parse`` gets the value."""
    gateway, provider = scripted('{"name": "Oslo", "people": 700000}')
    answer = side.wait(side.openai(gateway).responses.parse(model="smart", input="Which?", text_format=City))

    assert answer.output_parsed == City(name="Oslo", people=700_000)
    assert provider.calls[0].schema.name == "City"


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        ("/chat/completions", {"messages": ASKED, "stream_options": {"include_usage": True}}, ChatCompletionChunk),
        ("/responses", {"input": "Why?"}, ResponseStreamEvent),
    ],
)
def test_every_event_validates(scripted, path, body, event):
    """Each event of a stream is one that the SDK's types allow, not only one that the SDK does not stumble over."""
    gateway, _ = scripted(PIECES)
    with gateway.http_client("openai") as client:
        response = client.post(path, json={"model": "smart", "stream": True, **body})
        lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]

    adapter = TypeAdapter(event)
    read = [adapter.validate_json(line) for line in lines if line != "[DONE]"]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert len(read) > 6


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_embeddings(side, scripted, encoding):
    """Vectors come as numbers or as base64; the SDK itself asks for base64 where nothing is said."""
    vectors = ((0.25, -0.5), (1.0, 0.0))
    gateway, provider = scripted(Chunk(vectors=vectors))
    asked = {} if encoding is None else {"encoding_format": encoding}
    found = side.wait(side.openai(gateway).embeddings.create(model="smart", input=["a", "b"], dimensions=2, **asked))
    got = [one.embedding for one in found.data]

    if encoding != "base64":
        assert got == [[0.25, -0.5], [1.0, 0.0]]
    else:
        assert all(isinstance(one, str) for one in got)
    assert (provider.calls[0].inputs, provider.calls[0].dimensions) == (("a", "b"), 2)


def test_moderations(side, scripted):
    """Verdicts come back in OpenAI's shape."""
    gateway, provider = scripted(Chunk(verdicts=(Verdict(True, {"hate": True}, {"hate": 0.9}),)))
    found = side.wait(side.openai(gateway).moderations.create(input="I hate the sky", model="smart"))

    assert found.results[0].flagged
    assert found.results[0].category_scores.hate == 0.9
    assert provider.calls[0].operation == "moderation"


def test_models_are_routes(side):
    """The list of models is that of the routes; one that is no route is not found."""
    gateway = Gateway({"smart": Target(ScriptedProvider()), "vision/large": Target(ScriptedProvider())})
    client = side.openai(gateway)
    listed = side.items(client.models.list())
    one = side.wait(client.models.retrieve("vision/large"))

    assert [model.id for model in listed] == ["smart", "vision/large"]
    assert one.id == "vision/large"


def test_azure(side, scripted):
    """The SDK's client for Azure has longer paths for the same thing."""
    gateway, provider = scripted("hello")
    face = gateway if side.name == "blocking" else gateway.aio
    make = openai.AzureOpenAI if side.name == "blocking" else openai.AsyncAzureOpenAI
    client = make(api_key="none", azure_endpoint="http://any", api_version="v1", http_client=face.http_client("openai"))
    answer = side.wait(client.chat.completions.create(model="smart", messages=ASKED))

    assert answer.choices[0].message.content == "hello"
    assert provider.calls[0].route == "smart"


def test_headers_of_the_format(side, scripted):
    """A header that asks the provider for more than usual goes with the call, to whoever speaks this format."""
    gateway, provider = scripted("hello")
    side.wait(
        side.openai(gateway).chat.completions.create(
            model="smart", messages=ASKED, extra_headers={"openai-beta": "assistants=v2"}
        )
    )

    assert provider.calls[0].headers == {"openai-beta": "assistants=v2"}


def test_a_model_that_is_no_route(side, scripted):
    """Asking for one that is not there is not found."""
    gateway, _ = scripted()
    with pytest.raises(openai.NotFoundError, match="no route of this name"):
        side.wait(side.openai(gateway).models.retrieve("gpt-9"))

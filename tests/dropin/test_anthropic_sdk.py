"""Anthropic's own SDK through the gateway."""

from __future__ import annotations

import pytest
from anthropic.types import RawMessageStreamEvent
from pydantic import BaseModel, TypeAdapter

from aigw import Chunk, Reasoning, ToolCallDelta, Usage

ASKED = {"max_tokens": 100, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
PIECES = [
    Chunk(reasoning="Hm. "),
    Chunk("Let me "),
    Chunk("look."),
    Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather"),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='{"city": '),)),
    Chunk(tool_calls=(ToolCallDelta(0, arguments='"Oslo"}'),)),
    Chunk(finish_reason="tool_calls", usage=Usage(7, 5, cached=3)),
]


class City(BaseModel):
    """What the tests have answered as JSON."""

    name: str
    people: int


def test_a_message(side, scripted):
    """A message is an ordinary one for the SDK, and an ordinary call for the gateway."""
    gateway, provider = scripted("Because of the air.")
    answer = side.wait(side.anthropic(gateway).messages.create(model="smart", system="Be brief.", **ASKED))

    assert answer.content[0].text == "Because of the air."
    assert (answer.stop_reason, answer.usage.output_tokens) == ("end_turn", 4)
    assert answer._request_id == provider.calls[0].id
    assert [message.role for message in provider.calls[0].messages] == ["system", "user"]
    assert provider.calls[0].max_tokens == 100


def test_a_raw_stream(side, scripted):
    """``stream=True`` gives the events of the format."""
    gateway, provider = scripted(["Because ", "of the air."])
    events = side.items(side.wait(side.anthropic(gateway).messages.create(model="smart", stream=True, **ASKED)))

    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert provider.open == 0


def test_the_stream_helper(side, scripted):
    """``messages.stream`` puts the message together, tool calls included."""
    gateway, _ = scripted(PIECES)
    manager = side.anthropic(gateway).messages.stream(model="smart", tools=[TOOL], **ASKED)

    def read(stream):
        texts = side.items(stream.text_stream)
        return texts, side.wait(stream.get_final_message())

    texts, final = side.within(manager, read)

    assert texts == ["Let me ", "look."]
    assert [block.type for block in final.content] == ["thinking", "text", "tool_use"]
    assert final.content[2].input == {"city": "Oslo"}
    assert (final.stop_reason, final.usage.cache_read_input_tokens) == ("tool_use", 3)


def test_every_event_validates(scripted):
    """Each event of a stream is one that the SDK's types allow."""
    gateway, _ = scripted(PIECES)
    with gateway.http_client("anthropic") as client:
        response = client.post("/v1/messages", json={"model": "smart", "stream": True, **ASKED})
        lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    adapter = TypeAdapter(RawMessageStreamEvent)
    read = [adapter.validate_json(line) for line in lines]

    assert len(read) > 8


def test_parsing_a_message(side, scripted):
    """``messages.parse`` sends the schema and gets the value."""
    gateway, provider = scripted('{"name": "Oslo", "people": 700000}')
    answer = side.wait(side.anthropic(gateway).messages.parse(model="smart", output_format=City, **ASKED))

    assert answer.parsed_output == City(name="Oslo", people=700_000)
    assert set(provider.calls[0].schema.schema["properties"]) == {"name", "people"}


def test_thinking_and_a_tool_go_back(side, scripted):
    """Blocks of thinking come with their signatures, and go back as they came, beside the result of the tool."""
    thought = Chunk(reasoning="Hm.", parts=(Reasoning("", "c2ln", provider="scripted"),), wire="anthropic_messages")
    asked = Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather", '{"city": "Oslo"}'),), finish_reason="tool_calls")
    gateway, provider = scripted([thought, asked], "It rains.")
    client = side.anthropic(gateway)
    manager = client.messages.stream(model="smart", tools=[TOOL], **ASKED)
    first = side.within(manager, lambda stream: side.wait(stream.get_final_message()))
    result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "rain"}
    talk = [
        *ASKED["messages"],
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = side.wait(client.messages.create(model="smart", max_tokens=100, messages=talk, tools=[TOOL]))
    back = provider.calls[1].messages[1].parts

    assert second.content[0].text == "It rains."
    assert (back[0].text, back[0].signature, back[0].provider) == ("Hm.", "c2ln", "scripted")
    assert back[1].parse() == {"city": "Oslo"}


def test_tokens_are_estimated(side, scripted):
    """Counting tokens asks nobody: it is an estimate, and says so."""
    gateway, provider = scripted()
    messages = ASKED["messages"]
    count = side.wait(side.anthropic(gateway).messages.count_tokens(model="smart", messages=messages))
    with gateway.http_client("anthropic") as client:
        plain = client.post("/v1/messages/count_tokens", json={"model": "smart", "messages": messages})

    assert count.input_tokens == plain.json()["input_tokens"] > 3
    assert plain.headers["x-aigw-estimated"] == "true"
    assert provider.calls == []


def test_models_are_routes(side, scripted):
    """The list of models is that of the routes."""
    gateway, _ = scripted()
    client = side.anthropic(gateway)

    assert [model.id for model in side.items(client.models.list())] == ["smart"]
    assert side.wait(client.models.retrieve("smart")).display_name == "smart"


@pytest.mark.parametrize("path", ["/v1/messages", "/anthropic/v1/messages"])
def test_any_prefix(scripted, path):
    """A base URL with a path of its own makes no difference."""
    gateway, _ = scripted("hello")
    with gateway.http_client("anthropic") as client:
        answer = client.post(path, json={"model": "smart", **ASKED}, headers={"anthropic-version": "2023-06-01"})

    assert answer.json()["content"] == [{"type": "text", "text": "hello"}]

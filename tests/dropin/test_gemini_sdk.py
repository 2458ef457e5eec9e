"""Google's own SDK through the gateway."""

from __future__ import annotations

import json

from google.genai import types
from pydantic import BaseModel

from aigw import Chunk, ToolCallDelta, Usage


class City(BaseModel):
    """What the tests have answered as JSON."""

    name: str
    people: int


WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather", parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}}
        )
    ]
)


def test_content(side, scripted):
    """Content is an ordinary answer for the SDK, and an ordinary call for the gateway."""
    gateway, provider = scripted("Because of the air.")
    answer = side.wait(
        side.gemini(gateway).models.generate_content(
            model="smart",
            contents="Why is the sky blue?",
            config=types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.5),
        )
    )

    assert answer.text == "Because of the air."
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.candidates_token_count == 4
    assert provider.calls[0].temperature == 0.5
    assert [message.role for message in provider.calls[0].messages] == ["system", "user"]


def test_streamed_content(side, scripted):
    """A stream comes chunk by chunk."""
    gateway, provider = scripted(["Because ", "of ", Chunk("the air.", finish_reason="stop", usage=Usage(4, 5))])
    chunks = side.items(side.gemini(gateway).models.generate_content_stream(model="smart", contents="Why?"))

    assert [chunk.text for chunk in chunks] == ["Because ", "of ", "the air."]
    assert chunks[-1].usage_metadata.total_token_count == 9
    assert provider.calls[0].stream
    assert provider.open == 0


def test_a_function_and_its_result(side, scripted):
    """A chat with a function goes back and forth."""
    called = Chunk(tool_calls=(ToolCallDelta(0, "call_1", "weather", '{"city": "Oslo"}'),), finish_reason="tool_calls")
    gateway, provider = scripted(called, "It rains.")
    client = side.gemini(gateway)
    config = types.GenerateContentConfig(tools=[WEATHER])
    first = side.wait(client.models.generate_content(model="smart", contents="Rain?", config=config))
    call = first.function_calls[0]
    talk = [
        types.Content(role="user", parts=[types.Part(text="Rain?")]),
        first.candidates[0].content,
        types.Content(
            role="user",
            parts=[
                types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"r": "rain"}))
            ],
        ),
    ]
    second = side.wait(client.models.generate_content(model="smart", contents=talk, config=config))

    assert (call.name, call.args) == ("weather", {"city": "Oslo"})
    assert second.text == "It rains."
    assert provider.calls[1].messages[1].tool_calls[0].parse() == {"city": "Oslo"}
    assert [message.role for message in provider.calls[1].messages] == ["user", "assistant", "tool"]


def test_a_schema(side, scripted):
    """``response_schema`` gets the value."""
    gateway, provider = scripted('{"name": "Oslo", "people": 700000}')
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=City)
    answer = side.wait(side.gemini(gateway).models.generate_content(model="smart", contents="Which?", config=config))

    assert answer.parsed == City(name="Oslo", people=700_000)
    assert set(provider.calls[0].schema.schema["properties"]) == {"name", "people"}


def test_embeddings(side, scripted):
    """Vectors come back in the order of the contents."""
    gateway, provider = scripted(Chunk(vectors=((0.5, 1.0), (2.0, 3.0))))
    found = side.wait(side.gemini(gateway).models.embed_content(model="smart", contents=["a", "b"]))

    assert [one.values for one in found.embeddings] == [[0.5, 1.0], [2.0, 3.0]]
    assert provider.calls[0].inputs == ("a", "b")


def test_tokens_are_estimated_and_models_listed(side, scripted):
    """Counting tokens asks nobody, and the models are the routes."""
    gateway, provider = scripted()
    client = side.gemini(gateway)
    count = side.wait(client.models.count_tokens(model="smart", contents="Why is the sky blue?"))
    listed = side.items(side.wait(client.models.list()))

    assert count.total_tokens > 3
    assert count.sdk_http_response.headers["x-aigw-estimated"] == "true"
    assert [model.name for model in listed] == ["models/smart"]
    assert side.wait(client.models.get(model="smart")).display_name == "smart"
    assert provider.calls == []


def test_a_stream_without_events(scripted):
    """Without ``alt=sse`` a stream is a list of answers, as Google's servers write it."""
    gateway, provider = scripted("hello")
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    with gateway.http_client("gemini") as client:
        answer = client.post("/v1beta/models/smart:streamGenerateContent", json=body)

    assert [one["candidates"][0]["content"]["parts"] for one in answer.json()] == [[{"text": "hello"}]]
    assert not provider.calls[0].stream


def test_vertex_paths(scripted):
    """Vertex AI has longer paths for the same thing; a single embedding is answered as one."""
    gateway, provider = scripted("hello", Chunk(vectors=((0.5,),)))
    root = "/v1/projects/p/locations/l/publishers/google/models/smart"
    content = {"parts": [{"text": "hi"}], "role": "user"}
    with gateway.http_client("gemini") as client:
        answer = client.post(f"{root}:generateContent", content=json.dumps({"contents": [content]}))
        single = client.post(f"{root}:embedContent", json={"content": content})

    assert answer.json()["candidates"][0]["content"]["parts"] == [{"text": "hello"}]
    assert single.json()["embedding"] == {"values": [0.5]}
    assert provider.models == ["test-model", "test-model"]

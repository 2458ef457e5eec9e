"""Google's own client is the judge: it reads what we write, and what it writes we read."""

from __future__ import annotations

import json

import pytest
from google.genai import errors, types
from google.genai.models import _GenerateContentResponse_from_mldev
from hypothesis import given

from aigw.call import Call, Schema
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import File, Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.gemini import (
    StreamRenderer,
    embeddings,
    parse_request,
    predict,
    render_request,
    render_response,
)
from wire.gemini.client import Server
from wire.gemini.making import NEWER
from wire.gemini.strategies import chat_calls, streams, whole_answers

ANSWER = [
    Chunk(reasoning="hm", id="r", model="m"),
    Chunk("Hel"),
    Chunk("lo", parts=(Reasoning("", "U0lH", "gemini", {"signs": {"text": 2}}),)),
    Chunk(
        tool_calls=(ToolCallDelta(0, "i", "f", '{"a":[1]}', {"thoughtSignature": {"gemini": "U0lH"}}),), wire="gemini"
    ),
    Chunk(parts=(Image("data:image/png;base64,AAEC"),)),
    Chunk(finish_reason="tool_calls", usage=Usage(9, 7, 2, None, 5)),
]


def known(chunks: list[Chunk]) -> bool:
    """Whether the SDK knows all the finish reasons; of others it warns."""
    return all(chunk.finish_reason != "SOME_NEW_REASON" for chunk in chunks)


def stream_of(chunks: list[Chunk]) -> bytes:
    """Render a whole stream."""
    renderer = StreamRenderer()
    return b"".join([*map(renderer.render, chunks), renderer.finish()])


def fits(body: dict) -> types.GenerateContentResponse:
    """Read an answer as the client does: by its own names, and strict about the types of all values."""
    return types.GenerateContentResponse.model_validate(_GenerateContentResponse_from_mldev(body))


@pytest.mark.parametrize("vertex", [False, True])
def test_the_client_reads_an_answer(vertex: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    """Text, thoughts, calls, signatures, images and counts stand where the client looks for them."""
    with Server(render_response(ANSWER), vertex=vertex) as client:
        answer = client.models.generate_content(model=NEWER, contents="hi")
    (candidate,) = answer.candidates
    thought, first, second, call, image = candidate.content.parts

    assert (answer.response_id, answer.model_version) == ("r", "m")
    assert (thought.text, thought.thought) == ("hm", True)
    assert [(part.text, part.thought_signature) for part in (first, second)] == [("Hel", None), ("lo", b"SIG")]
    assert (call.function_call.id, call.function_call.args, call.thought_signature) == ("i", {"a": [1]}, b"SIG")
    assert (image.inline_data.mime_type, image.inline_data.data) == ("image/png", b"\x00\x01\x02")
    assert candidate.finish_reason == types.FinishReason.STOP
    counts = answer.usage_metadata
    assert (counts.prompt_token_count, counts.candidates_token_count, counts.total_token_count) == (9, 2, 16)
    assert (counts.thoughts_token_count, counts.cached_content_token_count) == (5, 2)


@pytest.mark.parametrize("vertex", [False, True])
def test_the_client_reads_a_stream(vertex: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    """Each chunk is an event for it."""
    server = Server(stream_of(ANSWER), vertex=vertex)
    with server as client:
        read = list(client.models.generate_content_stream(model=NEWER, contents="hi"))

    assert server.paths[0].endswith(f"models/{NEWER}:streamGenerateContent?alt=sse")
    assert len(read) == len(ANSWER)
    assert [event.candidates[0].content.parts[0].text for event in read[:3]] == ["hm", "Hel", "lo"]
    assert read[3].function_calls[0].name == "f"
    assert read[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert read[-1].usage_metadata.total_token_count == 16


def test_a_conversation_of_the_client() -> None:
    """Its chat sends back what we wrote, and we read the same again."""
    server = Server(render_response(ANSWER))
    with server as client:
        chat = client.chats.create(model=NEWER)
        chat.send_message("hi")
        chat.send_message(types.Part.from_function_response(name="f", response={"output": "x"}))
    call = parse_request(server.bodies[1], model=NEWER)

    assert call.messages == (
        Message("user", "hi"),
        Message(
            "assistant",
            (
                Reasoning("hm"),
                Text("Hel"),
                Text("lo"),
                Reasoning("", "U0lH", "gemini", {"signs": {"text": 2}}),
                ToolCall("i", "f", '{"a":[1]}', {"thoughtSignature": {"gemini": "U0lH"}}),
                Image("data:image/png;base64,AAEC"),
            ),
        ),
        Message("tool", ToolResult("i", "x", name="f")),
    )
    sent = json.loads(json.dumps(server.bodies[1]).replace("mime_type", "mimeType"))  # it writes some names so
    assert render_request(call, NEWER)["contents"][1] == sent["contents"][1]


def weather(city: str, days: int | None = None) -> str:
    """Tell the weather."""
    return f"{city}: {days}"


@pytest.mark.parametrize("vertex", [False, True])
def test_we_read_what_the_client_asks(vertex: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    """All of its settings that `Call` models, in whatever spelling it writes them, and nothing is left over of them."""
    server = Server(render_response([Chunk('{"a":1}')]), vertex=vertex)
    config = types.GenerateContentConfig(
        system_instruction="Be brief.",
        temperature=0.5,
        top_p=0.25,
        top_k=3,
        max_output_tokens=5,
        stop_sequences=["END"],
        seed=1,
        candidate_count=2,
        response_mime_type="application/json",
        response_json_schema={"type": "object"},
        thinking_config=types.ThinkingConfig(thinking_level="LOW", include_thoughts=True),
        tools=[weather, types.Tool(google_search=types.GoogleSearch())],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=["weather"])
        ),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    parts = [types.Part(text="What?"), types.Part.from_bytes(data=b"\xff\xef", mime_type="image/png")]
    with server as client:
        client.models.generate_content(model=NEWER, contents=types.Content(role="user", parts=parts), config=config)
    call = parse_request(server.bodies[0], model=NEWER)

    assert call.messages == (
        Message("system", "Be brief."),
        Message("user", ("What?", Image("data:image/png;base64,/+8="))),
    )
    assert (call.temperature, call.top_p, call.max_tokens, call.stop) == (0.5, 0.25, 5, ("END",))
    assert (call.seed, call.n, call.reasoning, call.tool_choice) == (1, 2, "low", "weather")
    assert call.schema == Schema({"type": "object"})
    assert {tool.name for tool in call.tools} == {"weather", "googleSearch"}
    assert next(tool for tool in call.tools if tool.name == "weather").parameters["required"] == ["city"]
    assert call.extra == {"generationConfig": {"topK": 3}}


@given(whole_answers().filter(known))
def test_any_answer_fits_the_types_of_the_sdk(chunks: list[Chunk]) -> None:
    """Whatever an answer holds, they take it, apart from fields that nobody knows yet."""
    assert fits(_without_unknown(render_response(chunks))).candidates


@given(streams().filter(known))
def test_any_stream_fits_the_types_of_the_sdk(chunks: list[Chunk]) -> None:
    """So does every event of a stream."""
    for event in stream_of(chunks).split(b"\n\n")[:-1]:
        fits(_without_unknown(json.loads(event.removeprefix(b"data: "))))


@given(chat_calls())
def test_any_request_fits_the_types_of_the_sdk(call: Call) -> None:
    """Its messages, tools and settings are those that the SDK knows."""
    body = _without_unknown(json.loads(json.dumps(render_request(call, call.model))))

    for content in [*body["contents"], *([body["systemInstruction"]] if "systemInstruction" in body else [])]:
        types.Content.model_validate(content)
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    types.GenerationConfig.model_validate(body.get("generationConfig", {}))
    types.ToolConfig.model_validate(body.get("toolConfig", {}))


_NEW = ("xOne", "xTwo", "newKind")


def _without_unknown(value: object) -> object:
    """Leave out the fields that the tests made up, and signatures, which here are no base64."""
    if isinstance(value, dict):
        kept = {name: _without_unknown(item) for name, item in value.items() if name not in (*_NEW, "thoughtSignature")}
        return {name: item for name, item in kept.items() if name not in ("toolCall", "executableCode")}
    return [_without_unknown(item) for item in value] if isinstance(value, list) else value


def test_every_kind_of_part_fits() -> None:
    """A request with everything in it is one that the SDK would send: no field of a name that it does not know."""
    call = Call(
        messages=(
            Message("system", "Be brief."),
            Message("user", ("What?", Image("https://x/y.png", "low"), File("gs://b/a.pdf", name="a.pdf"))),
            Message("assistant", (Reasoning("hm", "U0lH", "gemini"), ToolCall("c1", "f", "{}"))),
            Message("tool", ToolResult("c1", (Text("1"), Image("data:image/png;base64,AA==")))),
        ),
        tools=(Tool("f", "does f", {"type": "object"}),),
        tool_choice="f",
        schema=Schema({"type": "object"}),
        reasoning="low",
        temperature=0.5,
        stop=("END",),
        n=2,
    )
    body = render_request(call, NEWER)

    for content in body["contents"]:
        read = types.Content.model_validate(content)
        assert read.model_dump(mode="json", by_alias=True, exclude_none=True) == content
    for field, kind in (
        ("tools", types.Tool),
        ("toolConfig", types.ToolConfig),
        ("generationConfig", types.GenerationConfig),
    ):
        for item in body[field] if isinstance(body[field], list) else [body[field]]:
            assert kind.model_validate(item).model_dump(mode="json", by_alias=True, exclude_none=True) == item


def test_the_client_reads_our_embeddings() -> None:
    """And we read its request for them."""
    chunk = Chunk(vectors=((1.5, -2.0), (0.25, 4.0)), usage=Usage(3))
    server = Server(embeddings.render_response([chunk]))
    config = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=2)
    with server as client:
        read = client.models.embed_content(model="gemini-embedding-001", contents=["a", "b"], config=config)
    call = embeddings.parse_request(server.bodies[0])

    assert [item.values for item in read.embeddings] == [[1.5, -2.0], [0.25, 4.0]]
    assert read.usage_metadata.prompt_token_count == 3
    assert server.paths == ["/v1beta/models/gemini-embedding-001:batchEmbedContents"]
    assert (call.model, call.inputs, call.dimensions) == ("gemini-embedding-001", ("a", "b"), 2)
    assert call.extra == {"taskType": "RETRIEVAL_QUERY"}


@pytest.mark.parametrize(
    ("model", "inputs", "method", "module"),
    [
        ("gemini-embedding-001", ["a", "b"], "batchEmbedContents", embeddings),
        ("gemini-embedding-001", ["a"], "embedContent", embeddings),
        ("text-embedding-005", ["a", "b"], "predict", predict),
    ],
)
def test_embeddings_of_vertex_ai(model: str, inputs: list[str], method: str, module: object) -> None:
    """The client asks in three ways there, depending on the model and the number of inputs."""
    chunk = Chunk(vectors=tuple((float(at),) for at in range(len(inputs))))
    options = {"single": True} if method == "embedContent" else {}
    server = Server(module.render_response([chunk], **options), vertex=True)
    with server as client:
        read = client.models.embed_content(
            model=model, contents=inputs, config=types.EmbedContentConfig(output_dimensionality=1)
        )
    call = module.parse_request(server.bodies[0], model=model)

    assert [item.values for item in read.embeddings] == [list(vector) for vector in chunk.vectors]
    assert server.paths[0].endswith(f"{model}:{method}")
    assert (call.inputs, call.dimensions, call.extra) == (tuple(inputs), 1, {})


def test_errors_in_a_stream_reach_the_client() -> None:
    """An error that is written as an event is one for the client too."""
    error = {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}
    body = stream_of(ANSWER[:1]) + b"data: " + json.dumps(error).encode() + b"\n\n"
    with Server(body) as client, pytest.raises(errors.ServerError, match="UNAVAILABLE"):
        list(client.models.generate_content_stream(model=NEWER, contents="hi"))

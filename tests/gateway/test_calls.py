"""What goes out and what comes back, over a real server: every kind of call, on both faces."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from pydantic import BaseModel

from aigw import (
    BadResponse,
    ConfigError,
    Fallback,
    Image,
    Message,
    Principal,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from aigw.testing import FakeClock, Hangup, ScriptedProvider

WEATHER = Tool("weather", "Tell the weather", {"type": "object", "properties": {"city": {"type": "string"}}})
CALLED = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Gießen", "days": 3}'},
}


@pytest.fixture
def gateway(face, upstream):
    """Make a gateway with one route to the upstream."""
    return face({"r": Target(upstream.url, model="test-model")})


def body(upstream):
    """Return the body of the last request."""
    return upstream.requests[-1].json


def test_a_question_and_its_answer(gateway, upstream):
    """A text is a user's message; the answer has text, usage, model, id, reason and a trace."""
    answer = gateway.chat("why is that")

    assert body(upstream) == {"model": "test-model", "messages": [{"role": "user", "content": "why is that"}]}
    assert (answer.text, answer.finish_reason) == (upstream.answer, "stop")
    assert answer.usage == Usage(3, 4)
    assert (answer.model, answer.id, answer.cost) == ("test-model", "chatcmpl-00000001", None)
    assert answer.message == Message("assistant", upstream.answer)
    assert [(attempt.outcome, attempt.usage) for attempt in answer.trace.attempts] == [("ok", Usage(3, 4))]
    assert answer.trace.route == "r"
    assert answer.trace.duration >= answer.trace.attempts[0].duration > 0


def test_a_stream_is_the_same_answer(gateway):
    """Read to its end, a stream has the answer that `chat` would have given, but for its id."""
    reading = gateway.stream("why is that")
    reading.rest()
    whole_answer = gateway.chat("why is that")

    assert replace(reading.answer, id=whole_answer.id) == whole_answer


def test_a_stream_before_during_and_after(gateway, upstream):
    """``answer`` and ``trace`` can be asked at any time, and tell what is known by then."""
    reading = gateway.stream("why is that")
    before = reading.answer, reading.trace.events, upstream.accepted
    reading.take(2)
    during = reading.answer, list(reading.trace.events)
    reading.rest()
    after = reading.answer, reading.trace

    assert (before[0].choices, before[0].usage, before[1], before[2]) == ((), None, [], 0)
    assert (during[0].text, during[0].finish_reason, during[0].usage, during[1]) == ("one two ", None, None, [])
    assert during[0].trace.call_id.startswith("call_")
    assert (after[0].text, after[0].finish_reason, after[0].usage) == (upstream.answer, "stop", Usage(3, 4))
    assert [attempt.outcome for attempt in after[1].attempts] == ["ok"]
    assert after[1].attempts[0].time_to_first_chunk <= after[1].attempts[0].duration <= after[1].duration
    assert after[0].trace is after[1]


def test_the_request_is_sent_when_the_stream_is_opened(gateway, upstream):
    """Entering the block sends it and waits for the first output, so that failures before it are raised there."""
    reading = gateway.stream()
    nothing = len(upstream.requests)
    with reading:
        sent = len(upstream.requests)
        reading.rest()
    upstream.next(Hangup())

    assert (nothing, sent) == (0, 1)
    with pytest.raises(Exception, match=r"no connection|closed the connection"), gateway.stream():
        pytest.fail("it must not be opened")


def test_every_option_goes_out(gateway, upstream):
    """Options have the names of the format on the wire; ``extra`` goes as it is; our own labels stay here."""
    gateway.chat(
        [Message("system", "be brief"), {"role": "user", "content": "hello"}],
        temperature=0.5,
        top_p=0.9,
        max_tokens=100,
        stop=["a", "b"],
        seed=7,
        n=1,
        reasoning="low",
        tools=[WEATHER],
        tool_choice="weather",
        parallel_tool_calls=False,
        extra={"service_tier": "flex"},
        principal=Principal("alice"),
        priority="batch",
        tags="eu",
        metadata={"job": "7"},
        timeout=60,
    )
    function = {"name": "weather", "description": "Tell the weather", "parameters": dict(WEATHER.parameters)}

    assert body(upstream) == {
        "model": "test-model",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 100,
        "stop": ["a", "b"],
        "seed": 7,
        "n": 1,
        "reasoning_effort": "low",
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "service_tier": "flex",
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_tool_is_called_and_answers(gateway, upstream, stream):
    """The model's call comes with its arguments; it and the tool's result go back in the next request."""
    upstream.answer, upstream.tool_calls = "", [CALLED]
    if stream:
        reading = gateway.stream("how is the weather", tools=[WEATHER])
        reading.rest()
        answer = reading.answer
    else:
        answer = gateway.chat("how is the weather", tools=[WEATHER])
    upstream.answer, upstream.tool_calls = "fine", ()
    result = Message("tool", ToolResult("call_1", "sunny"))
    last = gateway.chat([Message("user", "how is the weather"), answer.message, result], tools=[WEATHER])

    assert (answer.text, answer.finish_reason) == ("", "tool_calls")
    assert answer.tool_calls == (ToolCall("call_1", "weather", CALLED["function"]["arguments"]),)
    assert answer.tool_calls[0].parse() == {"city": "Gießen", "days": 3}
    assert body(upstream)["messages"][1:] == [
        {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    assert last.text == "fine"


def test_several_tools_in_one_stream(gateway, upstream):
    """Pieces of several calls are put together, each with its own arguments."""
    other = {**CALLED, "id": "call_2", "function": {"name": "weather", "arguments": "{}"}}
    upstream.answer, upstream.tool_calls = "I look", [CALLED, other]
    reading = gateway.stream(tools=[WEATHER])
    reading.rest()

    assert reading.answer.text == "I look"
    assert [call.id for call in reading.answer.tool_calls] == ["call_1", "call_2"]
    assert [call.parse() for call in reading.answer.tool_calls] == [{"city": "Gießen", "days": 3}, {}]


def test_an_image(gateway, upstream):
    """Parts go out in their order; an image of bytes is a data URL."""
    gateway.chat(Message("user", ["what is this", Image.from_bytes(b"\x89PNG", "image/png"), Text("?")]))

    assert body(upstream)["messages"][0]["content"] == [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {"type": "text", "text": "?"},
    ]


class City(BaseModel):
    """A pydantic model."""

    name: str
    people: int


@dataclass
class Town:
    """A dataclass."""

    name: str
    people: int


@pytest.mark.parametrize("kind", [City, Town])
def test_an_answer_that_fits_a_type(gateway, upstream, kind):
    """The type goes out as a strict JSON schema, and comes back as an object of it."""
    upstream.answer = '{"name": "Gießen", "people": 90000}'
    answer = gateway.chat("which city", schema=kind)
    sent = body(upstream)["response_format"]["json_schema"]

    assert answer.parsed == kind(name="Gießen", people=90000)
    assert (sent["name"], sent["strict"]) == (kind.__name__, True)
    assert sent["schema"]["required"] == ["name", "people"]
    assert sent["schema"]["additionalProperties"] is False


def test_an_answer_that_fits_a_plain_schema(gateway, upstream):
    """A schema as a dict goes out as it is; what comes back is the JSON."""
    schema = {"type": "object", "title": "City", "properties": {"name": {"type": "string"}}}
    upstream.answer = '{"name": "Gießen"}'
    answer = gateway.chat("which city", schema=schema)

    assert answer.parsed == {"name": "Gießen"}
    assert body(upstream)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "City", "schema": schema},
    }


def test_an_answer_that_does_not_fit(gateway, upstream):
    """It is a BadResponse with the trace; so is one that is no JSON at all."""
    for upstream.answer in ('{"name": "Gießen", "people": "many"}', "Gießen", "{}"):
        with pytest.raises(BadResponse, match="does not fit the schema") as caught:
            gateway.chat("which city", schema=City)

        assert [attempt.outcome for attempt in caught.value.trace.attempts] == ["ok"]


def test_a_stream_that_fits_a_type(gateway, upstream):
    """After the last chunk the answer of a stream is parsed like any other."""
    upstream.answer = '{"name": "Gießen", "people": 90000}'
    reading = gateway.stream("which city", schema=City)
    reading.rest()

    assert reading.answer.parsed == City(name="Gießen", people=90000)


@pytest.mark.parametrize("inputs", ["one text", ["one text"], ("one", "two", "three")])
def test_embeddings(gateway, upstream, inputs):
    """A vector for each text, in their order, with the usage."""
    texts = [inputs] if isinstance(inputs, str) else list(inputs)
    found = gateway.embed(inputs, dimensions=8)
    each = [gateway.embed(text, dimensions=8).vectors[0] for text in texts]

    assert list(found.vectors) == each
    assert {len(vector) for vector in found.vectors} == {8}
    assert (found.usage.input, found.usage.output) == (len(" ".join(texts).split()), 0)
    assert found.model == "test-model"
    assert [attempt.outcome for attempt in found.trace.attempts] == ["ok"]
    assert upstream.requests[0].path == "/v1/embeddings"


def test_embeddings_fall_back(face, upstream, second):
    """They go through the same routes and policies as chats."""
    upstream.next(Hangup())
    tree = Fallback(Target(upstream.url, model="a", name="first"), Target(second.url, model="b", name="second"))
    found = face({"r": tree}).embed("text")

    assert found.model == "b"
    assert [attempt.outcome for attempt in found.trace.attempts] == ["Unreachable", "ok"]


def test_an_empty_answer(gateway, upstream):
    """A model that says nothing has answered."""
    upstream.answer = ""
    reading = gateway.stream()
    reading.rest()

    assert (gateway.chat().text, gateway.chat().finish_reason) == ("", "stop")
    assert (reading.answer.text, reading.answer.finish_reason) == ("", "stop")


def test_an_answer_and_its_trace_survive_json(gateway):
    """Both can be stored and read back."""
    answer = gateway.chat()
    again = type(answer).from_json(answer.to_json())

    assert again == answer
    assert again.trace == answer.trace


def test_an_embedding_provider_that_has_no_vectors(face):
    """A scripted answer without vectors is no crash: there are none."""
    found = face({"r": Target(ScriptedProvider("text"))}, clock=FakeClock()).embed(["a", "b"])

    assert len(found.vectors) == 2


def test_a_key_from_the_environment(face, upstream, monkeypatch):
    """It is read for each call, so a new key needs no new gateway; without one the gateway is not even made."""
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    gateway = face({"r": Target("openai/m", base_url=upstream.url)})
    gateway.chat()
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    gateway.chat()
    monkeypatch.delenv("OPENAI_API_KEY")

    assert [request.headers["authorization"] for request in upstream.requests] == ["Bearer first", "Bearer second"]
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        gateway.chat()
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        face({"r": "openai/m"})


@pytest.mark.parametrize("model", ["nowhere", "openai", "r/", "http://127.0.0.1:1/v1"])
@pytest.mark.parametrize("call", ["chat", "read", "explain"])
def test_an_unknown_model(gateway, upstream, model, call):
    """It is a ConfigError that names the routes, and nothing is sent."""
    with pytest.raises(ConfigError) as caught:
        getattr(gateway, call)("hello", model=model)

    assert "'r'" in str(caught.value) or "provider/model" in str(caught.value)
    assert upstream.accepted == 0

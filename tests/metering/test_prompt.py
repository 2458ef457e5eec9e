"""What a prompt costs, against the figures that OpenAI published."""

from __future__ import annotations

import pytest

from aigw.call import Call, Schema
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.metering.counting import count, measure
from aigw.metering.encodings import ENCODINGS, FACTS
from aigw.metering.models import encoding_of
from aigw.metering.prompt import ANSWER, FILE, MESSAGE, TOOL_CALL
from aigw.metering.slices import count_text

COOKBOOK = (
    (
        "system",
        None,
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    ),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    (
        "system",
        "example_user",
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    ),
    ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
    ("user", None, "This late pivot means we don't have time to boil the ocean for the client deliverable."),
)
WEATHER = Tool(
    "get_current_weather",
    "Get the current weather in a given location",
    {
        "type": "object",
        "properties": {
            "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
            "unit": {
                "type": "string",
                "description": "The unit of temperature to return",
                "enum": ["celsius", "fahrenheit"],
            },
        },
        "required": ["location"],
    },
)
SAN_FRANCISCO = (
    Message("system", "You are a helpful assistant that can answer to questions about the weather."),
    Message("user", "What's the weather like in San Francisco?"),
)


def exact(call, model):
    """Count by the encoding of a model."""
    return count(call, model, ENCODINGS.load(encoding_of(model))).exact


@pytest.mark.parametrize(
    ("text", "name", "tokens"),
    [
        ("tiktoken is great!", "cl100k_base", 6),
        ("antidisestablishmentarianism", "cl100k_base", 6),
        ("2 + 2 = 4", "cl100k_base", 7),
        ("お誕生日おめでとう", "cl100k_base", 9),
        ("antidisestablishmentarianism", "o200k_base", 6),
        ("2 + 2 = 4", "o200k_base", 7),
        ("お誕生日おめでとう", "o200k_base", 8),
    ],
)
def test_texts_of_the_cookbook(text, name, tokens):
    """Texts have as many tokens as OpenAI's cookbook tells."""
    assert count_text(ENCODINGS.load(name), text) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-3.5-turbo", 129), ("gpt-4-0613", 129), ("gpt-4", 129), ("gpt-4o", 124), ("gpt-4o-mini", 124)],
)
def test_conversations_of_the_cookbook(model, tokens):
    """A conversation has as many tokens as OpenAI's API counted for it."""
    messages = tuple(Message(role, text, name) for role, name, text in COOKBOOK)

    assert exact(Call(messages=messages), model) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"), [("gpt-3.5-turbo", 105), ("gpt-4", 105), ("gpt-4o", 101), ("gpt-4o-mini", 101)]
)
def test_tools_of_the_cookbook(model, tokens):
    """A conversation with a tool has as many tokens as OpenAI's API counted for it."""
    assert exact(Call(messages=SAN_FRANCISCO, tools=(WEATHER,)), model) == tokens


@pytest.mark.parametrize("name", sorted(FACTS))
@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool"])
def test_a_role_is_one_token(name, role):
    """The figure of a message holds for every role."""
    assert len(ENCODINGS.load(name).encode_ordinary(role)) == 1


@pytest.mark.parametrize(
    ("parts", "tokens"),
    [
        ((), 0),
        (("hello",), 1),
        (("hel", "lo"), 1),
        ((Reasoning("hello"), Other({"x": 1})), 1),
        ((ToolCall("c", "hello", "hello"),), TOOL_CALL + 2),
        ((ToolResult("c", "hello"),), 1),
        ((ToolResult("c", (Text("hello"), Image("https://x/y", detail="low"))),), 1 + 85),
        ((Image("https://x/y"),), 765),
        ((File(file_id="f"),), FILE),
        ((File("data:application/pdf;base64," + "A" * 400_000),), 7501),
        ((File("data:text/plain;base64," + "A" * 1000),), 219),
    ],
)
def test_parts_of_a_message(parts, tokens):
    """Every part that the model reads counts."""
    assert exact(Call(messages=(Message("user", parts),)), "gpt-4o") == MESSAGE + ANSWER + tokens


def test_a_tool_may_have_any_schema():
    """A schema that is nested, recursive in its text or odd is counted, not refused."""
    nested = {
        "properties": {"a": {"type": ["string", "null"], "properties": {"b": {"items": {"properties": {"c": {}}}}}}}
    }
    odd = {"properties": {"a": True, "b": {"type": 3, "enum": "x", "description": None}}}
    calls = [Call(tools=(Tool("t", "", schema),)) for schema in ({}, nested, odd, {"properties": 3})]
    counts = [exact(call, "gpt-4o") for call in calls]

    assert counts[0] < counts[2] < counts[1]
    assert counts[3] == counts[0]


def test_a_schema_for_the_answer_counts():
    """The model reads the schema that its answer must fit."""
    assert exact(Call(schema=Schema({"type": "object"})), "gpt-4o") == 6


@pytest.mark.parametrize("operation", ["embeddings", "moderation", "rerank"])
def test_other_operations_have_no_overhead(operation):
    """Inputs of embeddings, moderation and rerank count as they are, and so does the query."""
    call = Call(operation=operation, inputs=("hello", "hello world"), query="hello" if operation == "rerank" else "")

    assert exact(call, "text-embedding-3-small") == (4 if operation == "rerank" else 3)


def test_bytes_are_measured_for_every_script():
    """Without an encoding the bytes of UTF-8 count, which are more for other scripts than Latin, also in long texts."""
    latin, greek, mixed = (
        measure(Call(inputs=(text,), operation="embeddings"), "llama").bytes
        for text in ("a" * 350_000, "ω" * 350_000, "aω" * 175_000)
    )

    assert (latin, greek) == (100_000, 200_000)
    assert mixed == pytest.approx(150_000, rel=0.01)


def test_a_lone_surrogate_is_counted():
    """Text that cannot be encoded, as it comes from broken input, is counted all the same."""
    call = Call(messages=(Message("user", "x\ud800y"),))

    assert exact(call, "gpt-4o") > 0
    assert measure(call, "llama").bytes > 0

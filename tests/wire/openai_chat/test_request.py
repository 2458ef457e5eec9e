"""Requests in the format of OpenAI chat completions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.call import Call, Schema
from aigw.errors import ConfigError
from aigw.message import Message, Tool
from aigw.wire.openai_chat import DEFAULT, Dialect, parse_request, render_request
from strategies import chat_calls

OLDER = Dialect(provider="vllm", max_tokens="max_tokens", stream_usage=False)
HELLO = (Message("user", "hi"),)
SENT = [{"role": "user", "content": "hi"}]


@settings(deadline=None)
@given(chat_calls, st.sampled_from([DEFAULT, OLDER]))
def test_calls_survive_the_wire(call: Call, dialect: Dialect) -> None:
    """A call that was rendered, sent as JSON and read again is the same call."""
    assert parse_request(from_json(to_json(render_request(call, call.model, dialect)))) == call


def test_only_what_is_set_is_sent() -> None:
    """A plain call is a model and messages, and nothing else."""
    assert render_request(Call(messages=HELLO), "m") == {"model": "m", "messages": SENT}


def test_everything_has_its_field() -> None:
    """Every setting of a call goes out under the name that the API gives it."""
    call = Call(
        messages=HELLO,
        tools=(Tool("f", parameters={"type": "object"}),),
        tool_choice="f",
        parallel_tool_calls=False,
        schema=Schema({"type": "object"}, strict=True),
        temperature=0.5,
        top_p=0.9,
        max_tokens=7,
        stop=("END",),
        seed=1,
        n=2,
        reasoning="low",
        extra={"logprobs": True, "seed": 2},
        stream=True,
    )

    assert render_request(call, "m") == {
        "model": "m",
        "messages": SENT,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "temperature": 0.5,
        "top_p": 0.9,
        "max_completion_tokens": 7,
        "stop": ["END"],
        "seed": 2,  # extra comes last
        "n": 2,
        "reasoning_effort": "low",
        "logprobs": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_dialect_changes_names_and_leaves_fields_out() -> None:
    """Older servers get ``max_tokens`` and are not asked for usage."""
    body = render_request(Call(messages=HELLO, max_tokens=7, stream=True), "m", OLDER)

    assert body == {"model": "m", "messages": SENT, "max_tokens": 7, "stream": True}


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"include_obfuscation": False}, {"include_usage": True, "include_obfuscation": False}),
        ({"include_usage": False}, {"include_usage": False}),
        (None, {"include_usage": True}),
    ],
)
def test_an_option_of_the_stream_does_not_lose_the_usage(options: dict | None, sent: dict) -> None:
    """Options from ``extra`` join ours; turning usage off takes saying so."""
    body = render_request(Call(messages=HELLO, stream=True, extra={"stream_options": options}), "m")

    assert body["stream_options"] == sent


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"stop": "END"}, Call(messages=HELLO, stop=("END",))),
        ({"stop": None, "n": None, "stream": None}, Call(messages=HELLO)),
        ({"max_tokens": 5}, Call(messages=HELLO, max_tokens=5)),
        ({"max_tokens": 5, "max_completion_tokens": 6}, Call(messages=HELLO, max_tokens=6, extra={"max_tokens": 5})),
        ({"stream_options": {"include_usage": False}}, Call(messages=HELLO)),
        ({"tool_choice": "required"}, Call(messages=HELLO, tool_choice="required")),
        ({"user": "u", "metadata": {"a": "b"}}, Call(messages=HELLO, extra={"user": "u", "metadata": {"a": "b"}})),
    ],
)
def test_requests_of_others_are_read(fields: dict, expected: Call) -> None:
    """What clients write in other ways than we do is understood."""
    assert parse_request({"messages": SENT, **fields}) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"functions": [{"name": "f"}], "function_call": {"name": "f"}},
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
        {"tool_choice": {"type": "custom", "custom": {"name": "f"}}},
        {"tool_choice": {"type": "function", "function": {"name": "auto"}}},
        {"tool_choice": "some_new_mode"},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "description": "d"}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}, "x": 1}},
    ],
)
def test_what_a_call_cannot_say_goes_out_as_it_came(fields: dict) -> None:
    """A setting that `Call` does not model stays in ``extra``, whole, and is sent untouched."""
    body = {"model": "m", "messages": SENT, **fields}
    call = parse_request(body)

    assert call.extra == fields
    assert render_request(call, "m") == body


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([SECRET], "the request must be an object, not list"),
        ({}, "messages is missing"),
        ({"messages": SECRET}, "messages must be a list, not str"),
        (
            {"messages": [*SENT, {"role": SECRET}]},
            "messages[1].role must be one of system, developer, user, assistant, tool",
        ),
        ({"messages": [], "model": 7}, "model must be a string, not int"),
        ({"messages": [], "tools": {}}, "tools must be a list, not dict"),
        ({"messages": [], "tools": [SECRET]}, "tools[0] must be an object, not str"),
        ({"messages": [], "temperature": SECRET}, "temperature must be a number, not str"),
        ({"messages": [], "max_tokens": 1.5}, "max_tokens must be an integer, not float"),
        ({"messages": [], "max_completion_tokens": True}, "max_completion_tokens must be an integer, not bool"),
        ({"messages": [], "stream": 1}, "stream must be true or false, not int"),
        ({"messages": [], "stream_options": SECRET}, "stream_options must be an object, not str"),
        ({"messages": [], "stop": 7}, "stop must be a list, not int"),
        ({"messages": [], "stop": ["a", 7]}, "stop[1] must be a string, not int"),
        ({"messages": [], "response_format": SECRET}, "response_format must be an object, not str"),
        ({"messages": [], "response_format": {"type": "json_schema"}}, "response_format.json_schema is missing"),
        (
            {"messages": [], "response_format": {"type": "json_schema", "json_schema": {"schema": {}}}},
            "response_format.json_schema.name is missing",
        ),
        ({"messages": [], "tool_choice": {"type": "function"}}, "tool_choice.function is missing"),
        (
            {"messages": [], "tool_choice": {"type": "function", "function": {"name": 1}}},
            "tool_choice.function.name must be a string, not int",
        ),
    ],
)
def test_malformed_requests_are_refused_by_path_and_not_quoted(body: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert str(caught.value) == message

"""The guess at the tokens of a call, where the provider tells nothing."""

from __future__ import annotations

import pytest
from hypothesis import given

from aigw.answer import Answer, Choice
from aigw.call import Call
from aigw.chunk import Usage
from aigw.estimate import BYTES_A_TOKEN, IMAGE, MESSAGE, estimate_input, estimate_usage
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from foundation.any_values import answers, calls

A_TOKEN = "x" * BYTES_A_TOKEN


@pytest.mark.parametrize(
    ("call", "tokens"),
    [
        (Call(), 0),
        (Call(messages=(Message("user"),)), MESSAGE),
        (Call(messages=(Message("user", A_TOKEN * 3),)), MESSAGE + 3),
        (Call(messages=(Message("user", "x"),)), MESSAGE + 1),
        (Call(messages=(Message("user", "é" * BYTES_A_TOKEN),)), MESSAGE + 2),
        (Call(messages=(Message("user", Image("data:,")),)), MESSAGE + IMAGE),
        (Call(messages=(Message("user", File("data:,")),)), MESSAGE + IMAGE),
        (Call(messages=(Message("assistant", (Reasoning(A_TOKEN), Other({"x": 1}))),)), MESSAGE + 1),
        (Call(messages=(Message("assistant", ToolCall("c", "name", A_TOKEN)),)), MESSAGE + 2),
        (Call(messages=(Message("tool", ToolResult("c", A_TOKEN)),)), MESSAGE + 1),
        (Call(messages=(Message("tool", ToolResult("c", (Text(A_TOKEN), Image("data:,")))),)), MESSAGE + 1 + IMAGE),
        (Call(tools=(Tool("name", A_TOKEN, {}),)), 3),
        (Call(inputs=(A_TOKEN, A_TOKEN), query=A_TOKEN), 3),
    ],
)
def test_the_tokens_of_a_prompt(call, tokens):
    """All that the model reads counts: texts by their bytes, images and files as images of middling size."""
    assert estimate_input(call) == tokens


def test_the_tokens_of_an_answer():
    """Text, reasoning and tool calls of all choices count, and the usage says that it is a guess."""
    first = Choice((Reasoning(A_TOKEN), Text(A_TOKEN), ToolCall("c", "name", A_TOKEN)))
    answer = Answer((first, Choice((Text(A_TOKEN),), index=1)))

    assert estimate_usage(Call(inputs=(A_TOKEN,)), answer) == Usage(1, 5, estimated=True)
    assert estimate_usage(Call(), Answer()) == Usage(0, 0, estimated=True)


@given(calls, answers)
def test_any_call_can_be_guessed(call, answer):
    """Whatever a call and its answer hold, there is a guess, and it is marked as one."""
    usage = estimate_usage(call, answer)

    assert usage.estimated
    assert usage.input >= 0
    assert usage.output >= 0

"""What a call needs and a model lacks, and what is left out of a call for a model."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given, settings

from aigw import File, Image, Message, Text, Tool, ToolCall, ToolResult
from aigw.call import Schema
from aigw.estimate import estimate_input
from aigw.providers.capabilities import UNKNOWN, Capabilities
from aigw.routing.needs import _content, fitted, left_out, missing
from aigw.testing import make_call
from foundation.any_values import calls

FLAGS = ("vision", "files", "tools", "json_schema", "reasoning")
NOTHING = Capabilities(**dict.fromkeys(FLAGS, False))
IMAGE = Image("https://example.com/cat.png")
FILE = File(file_id="file-1")
TOOL = Tool("weather")
RESULT = ToolResult("call-1", (Text("look"), IMAGE))


def said(*parts):
    """Return the messages of a user who says this."""
    return (Message("user", parts),)


@pytest.mark.parametrize(
    ("needs", "lacking"),
    [
        ({}, ()),
        ({"messages": said("What is this?", IMAGE)}, ("vision",)),
        ({"messages": said(RESULT)}, ("vision", "tools")),
        ({"messages": said(FILE)}, ("files",)),
        ({"messages": said(ToolCall("call-1", "weather"))}, ("tools",)),
        ({"messages": said(ToolResult("call-1", "fine"))}, ("tools",)),
        ({"tools": (TOOL,)}, ("tools",)),
        ({"tools": (TOOL,), "tool_choice": "none"}, ("tools",)),
        ({"tools": (TOOL,), "tool_choice": "required"}, ("tools",)),
        ({"tool_choice": "required"}, ()),
        ({"schema": Schema({})}, ("json_schema",)),
        ({"reasoning": "high"}, ("reasoning",)),
        ({"reasoning": "none"}, ()),
        (
            {"messages": said(IMAGE, FILE), "schema": Schema({}), "reasoning": "low"},
            ("vision", "files", "json_schema", "reasoning"),
        ),
    ],
)
def test_what_is_missing(needs, lacking):
    """Each need is named, in one order; a model that can do everything, or of which nothing is known, lacks nothing."""
    call = make_call(**needs)

    assert missing(call, NOTHING) == lacking
    assert missing(call, Capabilities(**dict.fromkeys(FLAGS, True))) == ()
    assert missing(call, Capabilities(context_window=10_000)) == ()
    assert missing(call, UNKNOWN) == ()


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("x" * 7_900, ()),
        ("x" * 8_100, ("context window (about 2029 tokens, it has 1000)",)),
        ("\N{SNOWMAN}" * 2_900, ("context window (about 2179 tokens, it has 1000)",)),
        ("\N{SNOWMAN}" * 2_500, ()),
    ],
)
def test_a_prompt_that_is_surely_too_long(text, lacking):
    """Only a prompt whose estimate is more than twice the window is refused; the rest is the provider's to judge."""
    assert missing(make_call(text), Capabilities(context_window=1_000)) == lacking


@pytest.mark.parametrize(
    ("needs", "lacking"),
    [
        ({"max_tokens": 4_096}, ()),
        ({"max_tokens": 8_192}, ("max output (8192 of 4096 tokens)",)),
        ({}, ()),
    ],
)
def test_an_answer_that_is_too_long(needs, lacking):
    """A bound of the answer beyond what the model gives is refused there."""
    assert missing(make_call(**needs), Capabilities(max_output=4_096)) == lacking


@pytest.mark.parametrize(
    ("inputs", "lacking"),
    [
        (("x" * 4_000,) * 10, ()),
        (("x", "x" * 8_100), ("context window (about 2025 tokens, it has 1000)",)),
        ((), ()),
    ],
)
def test_inputs_of_embeddings(inputs, lacking):
    """Each text that is embedded must fit by itself, however many there are."""
    call = make_call(operation="embeddings", inputs=inputs)

    assert missing(call, Capabilities(context_window=1_000)) == lacking
    assert missing(call, NOTHING) == ()


def test_other_operations_need_nothing():
    """What chat models can do says nothing about ranking."""
    call = make_call(operation="rerank", inputs=("x" * 10_000,), query="x")

    assert missing(call, NOTHING.with_({"context_window": 10})) == ()


@given(calls)
@settings(max_examples=50)
def test_the_cheap_bound_holds(call):
    """What is looked at first is never less than the estimate of the messages, so no long prompt is overlooked."""
    bare = call.evolve(tools=(), inputs=(), query="")

    assert _content(call)[0] >= estimate_input(bare)


TUNED = {"temperature": 0.2, "top_p": 0.9, "stop": ("END",), "seed": 1, "parallel_tool_calls": False}


@pytest.mark.parametrize("name", TUNED)
def test_what_the_model_refuses_is_left_out(name):
    """A refused parameter is not sent, and the trace says so; everything else stays."""
    call = make_call(**TUNED)
    sent = fitted(call, Capabilities(rejects=frozenset({name})))
    (note,) = call.trace.decisions

    assert getattr(sent, name) in (None, ())
    assert sent == call.evolve(**{name: () if name == "stop" else None})
    assert (note.by, note.action, note.reason) == ("capabilities", "left out", f"{name}: the model does not take it")


@pytest.mark.parametrize(
    ("by_default", "reasoning", "refused"),
    [
        (True, None, True),
        (True, "low", True),
        (True, "none", False),
        (False, None, False),
        (False, "low", True),
        (False, "none", False),
        (None, None, False),
        (None, "high", True),
    ],
)
def test_what_is_refused_while_it_reasons(by_default, reasoning, refused):
    """Some models take sampling parameters only as long as they do not reason."""
    can = Capabilities(reasoning=True, reasons_by_default=by_default, rejects_reasoning=frozenset({"temperature"}))
    call = make_call(temperature=0.0, reasoning=reasoning)

    assert left_out(call, can) == ({"temperature": "the model does not take it while it reasons"} if refused else {})
    assert (fitted(call, can) is call) is not refused


@pytest.mark.parametrize(
    ("can", "reasoning", "reason"),
    [
        (Capabilities(reasoning=False), "none", "the model never reasons"),
        (Capabilities(reasoning=True), "none", None),
        (UNKNOWN, "none", None),
        (Capabilities(reasoning=True, rejects=frozenset({"reasoning"})), "high", "the model does not take it"),
    ],
)
def test_the_wish_not_to_reason(can, reasoning, reason):
    """A model that never reasons need not be told; one that cannot be told how hard is not told."""
    call = make_call(reasoning=reasoning)

    assert left_out(call, can) == ({} if reason is None else {"reasoning": reason})
    assert fitted(call, can).reasoning == (reasoning if reason is None else None)


def test_a_call_that_fits_is_not_copied():
    """Where nothing is refused, the same call goes on, without a note."""
    call = make_call(temperature=0.0)

    assert fitted(call, UNKNOWN) is call
    assert fitted(call, Capabilities(rejects=frozenset({"seed", "top_p"}))) is call
    assert call.trace.decisions == ()


def test_several_parameters_are_noted_in_one_order():
    """The trace reads alike every time."""
    call = make_call(**TUNED)
    fitted(call, Capabilities(rejects=frozenset(TUNED)))

    assert [note.reason.partition(":")[0] for note in call.trace.decisions] == sorted(TUNED)


def test_every_flag_is_looked_at():
    """A capability that is added is judged here, or said not to be."""
    flags = {field.name for field in fields(Capabilities) if field.type == "bool | None"}

    assert flags == {*FLAGS, "reasons_by_default"}

"""Tools: declared, called, answered, forced and forbidden, at every provider."""

from __future__ import annotations

import pytest

from aigw import Message, ToolCall, ToolResult
from contract.bench import answered
from contract.endpoints import every_endpoint, every_format, whole_and_streamed
from contract.said import Called, Said, parsed
from contract.scenarios import ASKED, CALLING, CALLS, CLOCK, RESULTS, TOOLS, WEATHER, WITH_TOOLS


def called(answer):
    """Return the calls of an answer, without their ids."""
    return [(call.name, parsed(call.arguments)) for call in answer.tool_calls]


@every_endpoint
@whole_and_streamed
def test_one_call_and_its_result(endpoint, streamed):
    """Tools go out with their descriptions and schemas; a call comes back whole, and its result finds it again."""
    said = Said(text="", calls=CALLS[:1])
    first = answered(endpoint, said, prompt=ASKED, tools=TOOLS, streamed=streamed)
    (call,) = first.answer.tool_calls
    result = Message("tool", ToolResult(call.id, "rain"))
    second = answered(endpoint, prompt=[ASKED, first.answer.message, result], tools=TOOLS, streamed=streamed)

    assert first.request.tools["weather"] == (WEATHER.description, WEATHER.parameters)
    assert first.request.tools["clock"][0] == CLOCK.description
    assert first.request.choice is None
    assert called(first.answer) == [("weather", {"city": "Oslo"})]
    assert first.answer.finish_reason == "tool_calls"
    assert first.answer.text == ""
    assert second.request.items == [
        ("user", ASKED.text),
        ("call", 0, "weather", {"city": "Oslo"}),
        ("result", 0, "rain"),
    ]


@every_endpoint
@whole_and_streamed
def test_calls_at_once(endpoint, streamed):
    """Two calls of the same tool stay two, each with its arguments, and each gets its own result."""
    first = answered(endpoint, Said(calls=CALLS), prompt=ASKED, tools=TOOLS, streamed=streamed).answer
    one, two = first.tool_calls
    results = [Message("tool", ToolResult(one.id, "rain")), Message("tool", ToolResult(two.id, "sun"))]
    second = answered(endpoint, prompt=[ASKED, first.message, *results], tools=TOOLS)

    assert called(first) == [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})]
    assert one.id != two.id
    assert first.text == Said().text
    assert second.request.said_by("call", "result") == [
        ("call", 0, "weather", {"city": "Oslo"}),
        ("call", 1, "weather", {"city": "Rome"}),
        ("result", 0, "rain"),
        ("result", 1, "sun"),
    ]
    assert second.request.said_by("assistant") == [("assistant", Said().text)]


@every_endpoint
def test_a_conversation_that_was_written_by_hand(endpoint):
    """Calls and results that no answer of this provider brought are understood as well, with whatever ids."""
    asked = answered(endpoint, prompt=[*WITH_TOOLS, Message("assistant", "Rain and sun."), ASKED], tools=TOOLS)

    assert asked.request.items == [
        ("user", ASKED.text),
        ("assistant", "Let me look."),
        ("call", 0, "weather", {"city": "Oslo"}),
        ("call", 1, "weather", {"city": "Rome"}),
        ("result", 0, "rain"),
        ("result", 1, "sun"),
        ("assistant", "Rain and sun."),
        ("user", ASKED.text),
    ]


@every_endpoint
def test_a_user_who_speaks_after_a_result(endpoint):
    """What follows a result stays behind it."""
    asked = answered(endpoint, prompt=[*WITH_TOOLS, Message("user", "And in Bergen?")], tools=TOOLS)

    assert asked.request.items[-3:] == [("result", 0, "rain"), ("result", 1, "sun"), ("user", "And in Bergen?")]


@every_endpoint
@whole_and_streamed
def test_a_call_without_arguments(endpoint, streamed):
    """A tool that takes nothing is called with nothing: the call can be parsed, and goes back as an empty object."""
    said = Said(text="", calls=(Called("clock", ""),))
    first = answered(endpoint, said, prompt=ASKED, tools=TOOLS, streamed=streamed).answer
    (call,) = first.tool_calls
    second = answered(
        endpoint, prompt=[ASKED, first.message, Message("tool", ToolResult(call.id, "noon"))], tools=TOOLS
    )

    assert call.parse() == {}
    assert second.request.said_by("call", "result") == [("call", 0, "clock", {}), ("result", 0, "noon")]


BROKEN = '{"city": "Os'
"""Arguments as a model writes them that is cut short, or cannot count its braces."""


@every_endpoint
@whole_and_streamed
def test_arguments_that_are_no_json_come_raw(endpoint, streamed):
    """What a model wrote is what the application gets; formats that hold objects cannot bring it."""
    if not endpoint.oracle.RAW_ARGUMENTS[streamed]:
        broken = parsed(Said().text)
        assert isinstance(broken, str)
        return
    first = answered(endpoint, Said(text="", calls=(Called("weather", BROKEN),)), tools=TOOLS, streamed=streamed)
    (call,) = first.answer.tool_calls

    assert call.arguments == BROKEN
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        call.parse()


@every_endpoint
def test_arguments_that_are_no_json_go_back_raw(endpoint):
    """The conversation goes on all the same, and the model reads what it wrote."""
    calling = Message("assistant", ToolCall("call_abc123XYZ", "weather", BROKEN))
    result = Message("tool", ToolResult("call_abc123XYZ", "These arguments are no JSON.", is_error=True))
    asked = answered(endpoint, prompt=[ASKED, calling, result], tools=TOOLS)
    ((_, _, name, arguments),) = asked.request.said_by("call")

    assert name == "weather"
    assert BROKEN in (arguments if isinstance(arguments, str) else arguments.values())


@every_endpoint
def test_a_tool_that_failed(endpoint):
    """The model hears that it failed, in a field or in words, and of which call that is said."""
    results = Message("tool", (ToolResult("call_abc123XYZ", "rain"), ToolResult("call_def456UVW", "no", is_error=True)))
    asked = answered(endpoint, prompt=[ASKED, CALLING, results], tools=TOOLS)

    assert asked.request.said_by("result") == [("result", 0, "rain"), ("result", 1, "no")]
    assert asked.request.failed == [1]


@every_endpoint
def test_results_in_another_order(endpoint):
    """Results belong to their calls by their ids, not by their place."""
    results = Message("tool", tuple(reversed(RESULTS.parts)))
    asked = answered(endpoint, prompt=[ASKED, CALLING, results], tools=TOOLS)

    assert sorted(asked.request.said_by("result")) == [("result", 0, "rain"), ("result", 1, "sun")]


@every_format
def test_a_tool_without_parameters(endpoint):
    """A tool that takes nothing has a schema all the same, or none at all where the format has that."""
    asked = answered(endpoint, tools=[CLOCK])

    assert asked.request.tools["clock"][1] in ({}, {"type": "object", "properties": {}}, {"type": "object"})

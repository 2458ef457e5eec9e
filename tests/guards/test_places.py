"""Where text stands in a call: all of it is shown, and changed where it stands; nothing else is touched."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.call import Schema
from aigw.guards.places import ANSWER, PROMPT, visit_call, visit_data, visit_message
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.testing import make_call

PARTS = [
    (Text("x"), ["x"]),
    (Text("x", extra={"citations": [{"text": "y"}]}), ["x", "citations", "text", "y"]),
    (Reasoning("x"), ["x"]),
    (Reasoning("x", signature="s", provider="p"), ["x"]),
    (ToolCall("id", "name", '{"a": "x"}'), ['{"a": "x"}']),
    (ToolResult("id", "x"), ["x"]),
    (ToolResult("id", (Text("x"), Image("https://h/y"))), ["x", "https://h/y"]),
    (Image("https://h/x"), ["https://h/x"]),
    (Image("data:image/png;base64,AAAA"), []),
    (File(url="data:text/plain;base64,AAAA", name="x.txt"), ["x.txt"]),
    (File(file_id="file-1"), []),
    (Other({"type": "audio", "data": "A" * 2000, "transcript": "x"}), ["type", "audio", "data", "transcript", "x"]),
]


def texts_of(visitor, thing, *more):
    """Return what is shown of something, in order."""
    shown = []

    def visit(place, text, kind):
        shown.append(text)
        return text

    assert visitor(thing, *more, visit) is thing
    return shown


@pytest.mark.parametrize(("part", "texts"), PARTS, ids=lambda value: type(value).__name__)
def test_every_text_of_a_part_is_shown(part, texts):
    """And the part stays the very same where nothing changes."""
    assert texts_of(visit_message, Message("user", part)) == texts


@pytest.mark.parametrize(("part", "texts"), PARTS, ids=lambda value: type(value).__name__)
def test_every_text_of_a_part_is_changed_where_it_stands(part, texts):
    """With other fields as they were: what is left of it without the texts is the same."""
    changed = visit_message(Message("user", part), lambda place, text, kind: text + "!")

    assert texts_of(visit_message, changed) == [text + "!" for text in texts]
    assert type(changed.parts[0]) is type(part)
    assert getattr(changed.parts[0], "signature", None) == getattr(part, "signature", None)


def test_the_places_of_a_call():
    """Each text has the place that users name."""
    call = make_call(
        messages=(
            Message("system", "s"),
            Message("developer", "d"),
            Message("user", "u", name="n"),
            Message("assistant", [Text("a"), ToolCall("1", "t", "{}")]),
            Message("tool", ToolResult("1", "r")),
        ),
        tools=(Tool("t", "described", {"description": "of a field"}),),
        schema=Schema({"title": "z"}),
        extra={"user": "e"},
        inputs=("i",),
        query="q",
    )
    places = {}
    visit_call(call, lambda place, text, kind: places.setdefault(text, place) and text)
    by_place = {place: {text for text in places if places[text] == place} for place in PROMPT}

    assert by_place == {
        "system": {"s", "d"},
        "user": {"u", "n", "i", "q"},
        "assistant": {"a", "{}"},
        "tool_results": {"r"},
        "tools": {"t", "described", "description", "of a field", "title", "z"},
        "extra": {"user", "e"},
    }
    assert not set(ANSWER) & set(places.values())


def test_the_name_of_a_tool_is_shown_and_stays():
    """Calls and results refer to it; all else of a definition is changed where it stands."""
    call = make_call(tools=(Tool("t", "x", {"title": "y"}, extra={"annotations": "z"}),))
    shown = []
    changed = visit_call(call, lambda place, text, kind: shown.append((text, kind)) or text + "!")

    assert shown[0] == ("t", "signed")
    assert changed.tools == (Tool("t", "x!", {"title!": "y!"}, extra={"annotations!": "z!"}),)


def test_messages_come_last():
    """What a later turn adds is seen after all that was there before, so that tokens keep their numbers."""
    tools = (Tool("t", "tool"),)
    turns = (Message("user", "one"), Message("user", "two"))
    shown = [texts_of(visit_call, make_call(messages=turns[:count], tools=tools)) for count in (1, 2)]

    assert shown[1][: len(shown[0])] == shown[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_data_keep_their_form(value):
    """Whatever is not a text stays what it is, and what does not change stays the very object."""
    changed = visit_data(value, "extra", lambda place, text, kind: text + "!")

    assert visit_data(value, "extra", lambda place, text, kind: text) is value
    assert json.loads(json.dumps(changed).replace("!", "")) == json.loads(json.dumps(value).replace("!", ""))


def test_every_field_of_a_call_with_text_is_known():
    """A field that is added to calls must be thought of here: does a provider get text in it?"""
    seen = {"messages", "inputs", "query", "tools", "schema", "extra"}
    no_text = {
        *("operation", "model", "top_n", "tool_choice", "parallel_tool_calls", "temperature", "top_p", "max_tokens"),
        *("stop", "seed", "n", "reasoning", "dimensions", "wire", "headers", "stream", "idempotency_key"),
    }
    stays_here = {
        *("principal", "token", "fence", "priority", "tags", "metadata", "timeouts", "timeout", "deadline", "route"),
        *("avoid", "attempt", "id", "runtime", "trace", "started", "opened", "asked", "metering", "turn"),
    }
    fields = {field.name for field in dataclasses.fields(make_call())}

    assert fields == seen | no_text | stays_here

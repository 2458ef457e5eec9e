"""Messages and their parts: short ways to write them, and what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from foundation.any_values import parts


@pytest.mark.parametrize(
    ("given_parts", "expected"),
    [
        ("hello", (Text("hello"),)),
        ("", (Text(""),)),
        (Image("https://x/y.png"), (Image("https://x/y.png"),)),
        (["What is this?", Image("data:,")], (Text("What is this?"), Image("data:,"))),
        ((Text("a"), "b"), (Text("a"), Text("b"))),
        ((part for part in ["a", "b"]), (Text("a"), Text("b"))),
        ((), ()),
    ],
)
def test_strings_become_text(given_parts, expected):
    """A string or a part stands for a tuple of one, and strings in any iterable become texts."""
    assert Message("user", given_parts).parts == expected


def test_a_message_with_all_its_fields():
    """Role, name and extra fields are kept; what is not given is empty, and not shared between messages."""
    message = Message("user", "hi", "alice", {"x": 1})

    assert (message.role, message.name, message.extra) == ("user", "alice", {"x": 1})
    assert Message("user").extra == {}
    assert Message("user").extra is not Message("user").extra
    assert Message("user", "hi") == Message("user", [Text("hi")])


def test_where_a_message_was_read_is_no_difference():
    """The wire format of a message tells whose fields it holds, and does not count when messages are compared."""
    assert Message("user", "hi").wire == ""
    assert Message("user", "hi", wire="gemini").wire == "gemini"
    assert Message("user", "hi", wire="gemini") == Message("user", "hi")


@given(st.lists(parts, max_size=4))
def test_what_a_message_says(given_parts):
    """`text` joins its texts and nothing else, `tool_calls` has its tool calls in order."""
    message = Message("assistant", given_parts)

    assert message.parts == tuple(given_parts)
    assert message.text == "".join(part.text for part in given_parts if part.type == "text")
    assert message.tool_calls == tuple(part for part in given_parts if part.type == "tool_call")


def test_the_text_of_a_message_has_no_reasoning_and_no_results():
    """Reasoning and results of tools are not what a message says."""
    message = Message("assistant", ["a", Reasoning("hm"), ToolResult("c", "r"), ToolCall("c", "f"), "b"])

    assert message.text == "ab"
    assert message.tool_calls == (ToolCall("c", "f"),)


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (Text("x"), "text"),
        (Image("x"), "image"),
        (File("x"), "file"),
        (Reasoning("x"), "reasoning"),
        (ToolCall("c", "f"), "tool_call"),
        (ToolResult("c"), "tool_result"),
        (Other({"type": "input_audio"}), "other"),
    ],
)
def test_parts_have_a_type(part, kind):
    """Every part has a ``type`` that tells it from the others."""
    assert part.type == kind


def test_inline_images_and_files():
    """`from_bytes` makes a ``data:`` URL with the media type."""
    image = Image.from_bytes(b"\x00\xff", "image/png")
    file = File.from_bytes(b"text", "text/plain", "a.txt")

    assert (image.url, image.detail) == ("data:image/png;base64,AP8=", None)
    assert (file.url, file.name, file.file_id) == ("data:text/plain;base64,dGV4dA==", "a.txt", None)


def test_the_arguments_of_a_tool_call():
    """`parse` gives the JSON object, and none at all is an empty one."""
    assert ToolCall("c", "f", '{"a": [1]}').parse() == {"a": [1]}
    assert ToolCall("c", "f").parse() == {}


@pytest.mark.parametrize("arguments", ["{", "nonsense", "[1]", '"text"', "null", "1"])
def test_arguments_that_are_no_object(arguments):
    """What a model writes may be anything: it is a ValueError, so that the model can be told."""
    with pytest.raises(ValueError, match=r"line 1|not a JSON object"):
        ToolCall("c", "lookup", arguments).parse()


def test_a_tool_needs_no_more_than_a_name():
    """Everything else of a tool has a default, and the provider decides on strictness."""
    tool = Tool("now")

    assert (tool.description, tool.parameters, tool.strict, tool.extra) == ("", {}, None, {})

"""Messages and tools in the format of OpenAI chat completions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from pydantic_core import from_json, to_json

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.openai_chat import Dialect, parse_message, parse_tool, render_message, render_tool
from strategies import messages, tools

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@settings(deadline=None)
@given(messages)
def test_messages_survive_the_wire(message: Message) -> None:
    """A message that was rendered, sent as JSON and read again is the same message."""
    (rendered,) = render_message(message)

    assert parse_message(from_json(to_json(rendered))) == message


@settings(deadline=None)
@given(tools)
def test_tools_survive_the_wire(tool: Tool) -> None:
    """A tool that was rendered, sent as JSON and read again is the same tool."""
    assert parse_tool(from_json(to_json(render_tool(tool)))) == tool


@pytest.mark.parametrize(
    ("message", "rendered"),
    [
        (Message("user", "hi"), {"role": "user", "content": "hi"}),
        (Message("user", "hi", "bob", {"x": 1}), {"role": "user", "content": "hi", "name": "bob", "x": 1}),
        (Message("user"), {"role": "user", "content": ""}),
        (
            Message("user", ("What?", Image("https://x/y.png", "low"), File(file_id="f1"))),
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What?"},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                    {"type": "file", "file": {"file_id": "f1"}},
                ],
            },
        ),
        (Message("assistant"), {"role": "assistant", "content": ""}),
        (
            Message("assistant", ToolCall("c1", "f", "{}")),
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
        ),
        (
            Message("assistant", extra={"refusal": "no"}),
            {"role": "assistant", "content": None, "refusal": "no"},
        ),
        (
            Message("assistant", ToolCall("c1", "f", "free text", {"type": "custom"})),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": "free text"}}],
            },
        ),
        (
            Message("tool", ToolResult("c1", "42", name="f")),
            {"role": "tool", "tool_call_id": "c1", "content": "42", "name": "f"},
        ),
    ],
)
def test_a_message_looks_like_this_on_the_wire(message: Message, rendered: dict) -> None:
    """The usual messages, written out, in both directions."""
    assert render_message(message) == [rendered]
    assert parse_message(rendered) == message


@pytest.mark.parametrize("role", ["tool", "user"])
def test_every_tool_result_is_a_message_of_its_own(role: str) -> None:
    """Several results in one message become several messages of role tool, each with the extra fields."""
    message = Message(role, (ToolResult("c1", "1"), ToolResult("c2", (Text("2"),))), extra={"x": 1})

    assert render_message(message) == [
        {"role": "tool", "tool_call_id": "c1", "content": "1", "x": 1},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "2"}], "x": 1},
    ]


def test_what_stands_beside_tool_results_follows_them() -> None:
    """Results of tools come first, because they must follow the calls; the rest of the message comes after them."""
    message = Message("user", ("And now?", ToolResult("c1", "1")), extra={"x": 1})

    assert render_message(message) == [
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "user", "content": "And now?", "x": 1},
    ]


def test_reasoning_goes_back_only_where_the_server_wants_it() -> None:
    """Reasoning is left out, unless the dialect names a field for it."""
    message = Message("assistant", (Reasoning("hm, "), Reasoning("so"), Text("yes")))

    assert render_message(message) == [{"role": "assistant", "content": "yes"}]
    assert render_message(message, Dialect(reasoning_back="reasoning_content")) == [
        {"role": "assistant", "content": "yes", "reasoning_content": "hm, so"}
    ]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_read_from_either_field(field: str) -> None:
    """Readable reasoning of an assistant message becomes a part, whatever a server calls it."""
    message = parse_message({"role": "assistant", "content": "yes", field: "hm"})

    assert message == Message("assistant", (Reasoning("hm"), Text("yes")))


def test_reasoning_of_another_shape_is_kept_as_it_is() -> None:
    """A reasoning field that is no text is an unknown field like any other."""
    assert parse_message({"role": "assistant", "reasoning": {"effort": 1}}).extra == {"reasoning": {"effort": 1}}


def test_what_a_server_writes_as_null_is_not_there() -> None:
    """A message as the official SDK dumps it, full of nulls, reads like the bare one."""
    dumped = {
        "role": "assistant",
        "content": "hi",
        "refusal": None,
        "audio": None,
        "function_call": None,
        "tool_calls": None,
    }

    assert parse_message(dumped) == Message("assistant", "hi")


@pytest.mark.parametrize(
    ("part", "read"),
    [
        ("hi", Text("hi")),
        ({"type": "image_url", "image_url": "https://x/y.png"}, Image("https://x/y.png")),
        (
            {"type": "image_url", "image_url": {"url": "u", "new": 1}, "cache_control": {"type": "ephemeral"}},
            Image("u", extra={"image_url": {"new": 1}, "cache_control": {"type": "ephemeral"}}),
        ),
        ({"type": "file", "file": {"file_id": "f", "new": 1}}, File(file_id="f", extra={"file": {"new": 1}})),
        (
            {"type": "input_audio", "input_audio": {"data": "AA"}},
            Other({"type": "input_audio", "input_audio": {"data": "AA"}}),
        ),
        ({"no": "type"}, Other({"no": "type"})),
    ],
)
def test_parts_of_every_kind_are_read(part: object, read: object) -> None:
    """Known parts become values, unknown ones are kept whole; unknown fields stay with their part."""
    assert parse_message({"role": "user", "content": [part]}).parts == (read,)


def test_parts_that_a_tool_result_cannot_hold_go_out_again() -> None:
    """A file in the result of a tool is kept beside the result's content, once, and rendered after it."""
    file = {"type": "file", "file": {"file_id": "f"}}
    message = parse_message({"role": "tool", "tool_call_id": "c", "content": [file, {"type": "text", "text": "t"}]})

    assert message.parts == (ToolResult("c", (Text("t"),), extra={"content": [file]}),)
    assert render_message(message)[0]["content"] == [{"type": "text", "text": "t"}, file]


def test_arguments_that_are_not_text_are_made_text() -> None:
    """Some servers write the arguments of a call as an object; they become the JSON text that they should be."""
    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}

    assert parse_message({"role": "assistant", "tool_calls": [call]}).tool_calls == (ToolCall("c", "f", '{"a":1}'),)


def test_a_tool_call_of_an_unknown_type_is_kept_whole() -> None:
    """A call that is neither of a function nor of a custom tool goes out as it came in."""
    call = {"id": "c", "type": "teleport", "teleport": {"to": "x"}}
    message = parse_message({"role": "assistant", "tool_calls": [call]})

    assert message.tool_calls == (ToolCall("c", "", "", {"type": "teleport", "teleport": {"to": "x"}}),)
    assert render_message(message)[0]["tool_calls"] == [call]


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (SECRET, "message must be an object with a role and content, not str"),
        ({"content": SECRET}, "message.role must be one of system, developer, user, assistant, tool"),
        ({"role": [SECRET]}, "message.role must be one of system, developer, user, assistant, tool"),
        (
            {"role": "function", "content": SECRET},
            "message.role must be one of system, developer, user, assistant, tool",
        ),
        ({"role": "user", "content": {SECRET: 1}}, "message.content must be a string or a list of parts, not dict"),
        ({"role": "user", "content": ["x", 7]}, "message.content[1] must be an object, not int"),
        ({"role": "user", "content": [{"type": "text", SECRET: 1}]}, "message.content[0].text is missing"),
        (
            {"role": "user", "content": [{"type": "text", "text": 1}]},
            "message.content[0].text must be a string, not int",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", SECRET: 1}]},
            "message.content[0].image_url must be an object, not NoneType",
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
            "message.content[0].image_url.url is missing",
        ),
        ({"role": "user", "content": [{"type": "file"}]}, "message.content[0].file is missing"),
        (
            {"role": "user", "content": [{"type": "file", "file": {"file_data": 1}}]},
            "message.content[0].file.file_data must be a string, not int",
        ),
        ({"role": "user", "content": "", "name": [SECRET]}, "message.name must be a string, not list"),
        ({"role": "assistant", "tool_calls": SECRET}, "message.tool_calls must be a list, not str"),
        ({"role": "assistant", "tool_calls": [SECRET]}, "message.tool_calls[0] must be an object, not str"),
        (
            {"role": "assistant", "tool_calls": [CALL, {"type": 7}]},
            "message.tool_calls[1].type must be a string, not int",
        ),
        ({"role": "assistant", "tool_calls": [{"id": "c"}]}, "message.tool_calls[0].function.name is missing"),
        (
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": [SECRET]}}]},
            "message.tool_calls[0].function.arguments must be a string, not list",
        ),
        ({"role": "tool", "content": SECRET}, "message.tool_call_id is missing"),
    ],
)
def test_malformed_messages_are_refused_by_path_and_not_quoted(data: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_message(data)

    assert str(caught.value) == message


@pytest.mark.parametrize("parts", [(), "hi", (ToolResult("c"), Text("hi"))])
def test_a_message_of_role_tool_holds_results_and_nothing_else(parts: object) -> None:
    """A tool message without the id of a call cannot be sent."""
    with pytest.raises(ConfigError, match="ToolResult"):
        render_message(Message("tool", parts))


@pytest.mark.parametrize("part", [ToolCall("c", "f"), Reasoning("x")])
def test_a_tool_result_holds_text_and_images_only(part: object) -> None:
    """A part that makes no sense in the result of a tool is refused by its name."""
    with pytest.raises(ConfigError, match=type(part).__name__):
        render_message(Message("tool", ToolResult("c", (part,))))


@pytest.mark.parametrize(
    ("tool", "rendered"),
    [
        (
            Tool("f"),
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}},
        ),
        (
            Tool("f", "does f", {"type": "object"}, strict=True, extra={"x": 1, "function": {"y": 2}}),
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "does f",
                    "parameters": {"type": "object"},
                    "strict": True,
                    "y": 2,
                },
                "x": 1,
            },
        ),
        (
            Tool("grep", extra={"type": "custom", "custom": {"name": "grep"}}),
            {"type": "custom", "custom": {"name": "grep"}},
        ),
        (Tool("web_search", extra={"type": "web_search"}), {"type": "web_search"}),
    ],
)
def test_a_tool_looks_like_this_on_the_wire(tool: Tool, rendered: dict) -> None:
    """Functions, and tools of other types that are kept whole, in both directions."""
    assert render_tool(tool) == rendered
    assert parse_tool(rendered) == tool


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (SECRET, "tool must be an object, not str"),
        ({"type": 1}, "tool.type must be a string, not int"),
        ({"type": "function"}, "tool.function is missing"),
        ({"function": {"description": SECRET}}, "tool.function.name is missing"),
        ({"function": {"name": "f", "parameters": SECRET}}, "tool.function.parameters must be an object, not str"),
        ({"function": {"name": "f", "strict": SECRET}}, "tool.function.strict must be true or false, not str"),
    ],
)
def test_malformed_tools_are_refused_by_path_and_not_quoted(data: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_tool(data)

    assert str(caught.value) == message

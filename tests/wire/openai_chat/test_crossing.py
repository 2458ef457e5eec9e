"""Conversations that come from other formats: what this one cannot say is refused, or noted, and never sent."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import NoCapableTarget
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.testing import make_call
from aigw.wire.openai_chat import (
    DEFAULT,
    Dialect,
    StreamRenderer,
    parse_message,
    parse_request,
    render_request,
    render_response,
)
from wire.openai_chat.dialects import DEEPSEEK, MISTRAL, OPENROUTER

ELSEWHERE = "anthropic_messages"
FIELDS = {"cache_control": {"type": "ephemeral"}}


def rendered(
    *messages: Message,
    dialect: Dialect = DEFAULT,
    strict: object = None,
    **fields: object,
) -> tuple[dict, list[tuple[str, str]]]:
    """Render a call; return the body and what was noted."""
    call = make_call(messages=messages, **fields)
    body = render_request(call, "m", dialect, strict=strict)
    return body, [(decision.action, decision.reason) for decision in call.trace.decisions]


def test_what_was_read_knows_where() -> None:
    """A request and its messages say that they were read from this format; so do chunks."""
    call = parse_request({"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "tool_call_id": "c"}]})

    assert call.wire == "openai_chat"
    assert [message.wire for message in call.messages] == ["openai_chat"] * 2
    assert parse_message({"role": "assistant", "content": "hi"}).wire == "openai_chat"


def test_unknown_fields_of_another_format_stay_behind() -> None:
    """Fields of messages, parts, tool calls, results, tools and the call are not sent; that is noted once."""
    messages = (
        Message("user", Text("hi", FIELDS), extra=FIELDS, wire=ELSEWHERE),
        Message("user", (Image("data:,", extra=FIELDS), File("data:,", name="n", extra=FIELDS)), wire=ELSEWHERE),
        Message("assistant", ToolCall("c", "f", "{}", FIELDS), wire=ELSEWHERE),
        Message("tool", ToolResult("c", (Text("r", FIELDS),), extra=FIELDS), wire=ELSEWHERE),
    )
    tool = Tool("f", parameters={"type": "object"}, extra=FIELDS)
    body, notes = rendered(*messages, tools=(tool,), extra=FIELDS, wire=ELSEWHERE)

    assert "cache_control" not in str(body)
    assert notes == [("left out", "fields that only anthropic_messages knows: cache_control")]


def test_unknown_fields_written_by_hand_are_sent() -> None:
    """Who writes a field means it."""
    body, notes = rendered(Message("user", Text("hi", FIELDS), extra={"x": 1}), extra={"y": 2})

    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi", **FIELDS}], "x": 1}]
    assert body["y"] == 2
    assert notes == []


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (
            Message("user", Other({"type": "search_result"}), wire=ELSEWHERE),
            "a part that only anthropic_messages knows",
        ),
        (Message("assistant", Image("data:,"), wire="gemini"), "an image in a message of the assistant"),
        (Message("system", File("data:,"), wire="gemini"), "a file in a message of the system"),
        (Message("tool", ToolResult("c", (Image("data:,"),)), wire=ELSEWHERE), "an image in the result of a tool"),
    ],
)
def test_content_of_another_format_is_refused(message: Message, what: str) -> None:
    """What the model should read is not left out, unless the target is not strict."""
    with pytest.raises(NoCapableTarget, match=f"^the format openai_chat cannot express {what}$"):
        rendered(message)

    assert rendered(message, strict=False)[1] == [("left out", what)]


@pytest.mark.parametrize(
    "message",
    [
        Message("user", Other({"type": "video_url"})),
        Message("user", Other({"type": "input_audio"}), wire="openai_chat"),
        Message("assistant", Image("data:,"), wire="openai_chat"),
        Message("tool", ToolResult("c", (Image("data:,"),)), wire="openai_chat"),
        Message("user", File("https://x"), wire="openai_chat"),
    ],
)
def test_what_came_in_this_format_goes_out_in_it(message: Message) -> None:
    """What a client of this format writes, or who writes by hand, is sent as it is, also what OpenAI would refuse."""
    body, notes = rendered(message, strict=True)

    assert len(body["messages"]) == 1
    assert notes == []


def test_a_tool_that_another_provider_runs() -> None:
    """A tool that is no function means nothing here."""
    call = {"tools": (Tool("web_search", extra={"type": "web_search_20250305"}), Tool("f")), "wire": ELSEWHERE}
    with pytest.raises(NoCapableTarget, match="a tool that only anthropic_messages knows"):
        rendered(Message("user", "hi"), **call)
    body, notes = rendered(Message("user", "hi"), strict=False, **call)

    assert [tool["function"]["name"] for tool in body["tools"]] == ["f"]
    assert ("left out", "a tool that only anthropic_messages knows") in notes


def test_nothing_is_said_about_tools_if_none_is_left() -> None:
    """Without a tool there is no choice of tools either."""
    tools = (Tool("googleSearch", extra={"googleSearch": {}}),)
    body, _ = rendered(Message("user", "hi"), strict=False, tools=tools, tool_choice="auto", wire="gemini")

    assert body.keys() == {"model", "messages"}


def test_this_formats_own_tools_are_sent() -> None:
    """A custom tool of this format goes out whole."""
    tool = {"type": "custom", "custom": {"name": "grep"}}

    assert rendered(tools=(Tool("grep", extra=tool),), wire="openai_chat")[0]["tools"] == [tool]


@pytest.mark.parametrize(
    ("dialect", "part", "wire", "note"),
    [
        (Dialect(), Reasoning("hm"), "", "reasoning"),
        (Dialect(), Reasoning("hm", "s", "openai"), "", "reasoning"),
        (DEEPSEEK, Reasoning("hm", "s", "anthropic"), ELSEWHERE, "reasoning of another provider"),
        (DEEPSEEK, Reasoning("hm"), ELSEWHERE, "reasoning of another provider"),
        (MISTRAL, Reasoning("hm", None, "deepseek"), "openai_chat", "reasoning of another provider"),
        (OPENROUTER, Reasoning("hm", None, "groq"), "openai_chat", "reasoning of another provider"),
    ],
)
def test_reasoning_of_others_is_not_sent(dialect: Dialect, part: Reasoning, wire: str, note: str) -> None:
    """Reasoning goes back only to whose it is; that it does not is noted once for a call."""
    message = Message("assistant", (part, Text("yes")), wire=wire)
    body, notes = rendered(message, message, dialect=dialect)

    assert "hm" not in str(body)
    assert [sent["content"] for sent in body["messages"]] == ["yes", "yes"]
    assert notes == [("left out", note)]


@pytest.mark.parametrize(
    ("dialect", "part", "sent"),
    [
        (DEEPSEEK, Reasoning("hm"), {"content": "yes", "reasoning_content": "hm"}),
        (DEEPSEEK, Reasoning("hm", None, "deepseek"), {"content": "yes", "reasoning_content": "hm"}),
        (
            MISTRAL,
            Reasoning("hm", "s", "mistral"),
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s"},
                    {"type": "text", "text": "yes"},
                ]
            },
        ),
        (
            OPENROUTER,
            Reasoning("hm", None, "openrouter", {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}),
            {"content": "yes", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        ),
        (OPENROUTER, Reasoning("hm", None, "openrouter"), {"content": "yes"}),
    ],
)
def test_reasoning_goes_back_to_whose_it_is(dialect: Dialect, part: Reasoning, sent: dict) -> None:
    """Each server gets it where it wants it."""
    body, notes = rendered(Message("assistant", (part, Text("yes"))), dialect=dialect)

    assert body["messages"] == [{"role": "assistant", **sent}]
    assert notes == []


def test_a_server_that_insists_on_reasoning_gets_some() -> None:
    """DeepSeek refuses messages of the model without the field; an empty one will do. Nobody else has one."""
    body, _ = rendered(Message("user", "hi"), Message("assistant", "yes"), dialect=DEEPSEEK)

    assert body["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes", "reasoning_content": ""},
    ]


FOREIGN = [
    Chunk(
        "a",
        id="x",
        model="m",
        extra={"part": {"citations": [1]}, "choice": {"y": 1}, "stop_sequence": "S"},
        wire=ELSEWHERE,
    ),
    Chunk(parts=(Other({"type": "server_tool_use"}), Reasoning("", "s", "anthropic"), Text("b")), wire=ELSEWHERE),
    Chunk(tool_calls=(ToolCallDelta(0, "c", "f", "{}", {"caller": 1}),), wire=ELSEWHERE),
    Chunk(finish_reason="stop", usage=Usage(1, 2), extra={"usage": {"server_tool_use": 1}}, wire=ELSEWHERE),
]


def test_an_answer_of_another_format_has_only_what_this_one_knows() -> None:
    """Text, tool calls and usage are there; blocks and fields that a client would not know are not."""
    (choice,) = render_response(FOREIGN)["choices"]

    assert choice == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "ab",
            "refusal": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        "finish_reason": "stop",
        "logprobs": None,
    }
    assert render_response(FOREIGN)["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert "stop_sequence" not in render_response(FOREIGN)


def test_a_stream_of_another_format_has_only_what_this_one_knows() -> None:
    """The same for every event of a stream."""
    renderer = StreamRenderer()
    body = b"".join([*map(renderer.render, FOREIGN), renderer.finish()]).decode()

    assert '"content":"a"' in body
    assert '"content":"b"' in body
    assert not [word for word in ("citations", "server_tool", "caller", "stop_sequence", '"y"') if word in body]


def test_a_call_made_by_hand_says_all_of_its_fields() -> None:
    """Without a wire format of its own a call sends what it holds."""
    assert render_request(Call(extra={"top_k": 5}), "m")["top_k"] == 5

"""What servers do differently: nothing that they cannot be told is lost in silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from aigw.call import Call, Schema
from aigw.errors import NoCapableTarget
from aigw.message import File, Image, Message, Text, Tool, ToolCall, ToolResult
from aigw.testing import make_call
from aigw.wire.openai_chat import Dialect, parse_request, render_message, render_request
from wire.openai_chat.dialects import DEEPSEEK, LLAMACPP, MISTRAL, OLLAMA, OPENROUTER, assistant_messages

TOOLS = (Tool("f"), Tool("g"))
F, G = (
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in "fg"
)
PDF = "data:application/pdf;base64,AA"


def rendered(dialect: Dialect, strict: object = None, **fields: object) -> tuple[dict, list[tuple[str, str]]]:
    """Render a call; return the body and what was noted."""
    call = make_call("hi", **fields)
    body = render_request(call, "m", dialect, strict=strict)
    return body, [(decision.action, decision.reason) for decision in call.trace.decisions]


@pytest.mark.parametrize("dialect", [DEEPSEEK, MISTRAL, OPENROUTER, OLLAMA])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_reasoning_survives_the_way_back(dialect: Dialect, data: st.DataObject) -> None:
    """A conversation that holds the server's own reasoning is the same after a trip over the wire."""
    messages = data.draw(st.lists(assistant_messages(dialect), max_size=2).map(tuple))
    if dialect.tool_ids == "alnum9":
        messages = tuple(short_ids(message) for message in messages)
    call = Call(model="m", messages=messages, seed=1, max_tokens=5) if not dialect.drops else Call(messages=messages)
    body = from_json(to_json(render_request(call, call.model, dialect)))

    assert parse_request(body, dialect) == call


def short_ids(message: Message) -> Message:
    """Give tool calls ids that Mistral takes."""
    parts = [
        ToolCall("abcdeFG12", part.name, part.arguments, part.extra) if isinstance(part, ToolCall) else part
        for part in message.parts
    ]
    return Message(message.role, parts, wire=message.wire)


@pytest.mark.parametrize(
    ("dialect", "fields", "sent", "notes"),
    [
        (DEEPSEEK, {"seed": 1}, {}, [("left out", "seed")]),
        (DEEPSEEK, {"n": 1}, {}, []),
        (DEEPSEEK, {"max_tokens": 5}, {"max_tokens": 5}, []),
        (DEEPSEEK, {"stop": ("a",) * 16}, {"stop": ["a"] * 16}, []),
        (DEEPSEEK, {"stop": ("a",) * 17}, {"stop": ["a"] * 16}, [("left out", "more than 16 texts in stop")]),
        (MISTRAL, {"seed": 1}, {"random_seed": 1}, []),
        (MISTRAL, {"stream": True}, {"stream": True}, []),
        (MISTRAL, {"stop": ("a",) * 99}, {"stop": ["a"] * 99}, []),
        (
            DEEPSEEK,
            {"tools": TOOLS, "parallel_tool_calls": False},
            {"tools": [F, G]},
            [("left out", "parallel_tool_calls")],
        ),
        (OLLAMA, {"tools": TOOLS, "tool_choice": "auto"}, {"tools": [F, G]}, []),
        (OLLAMA, {"tools": TOOLS, "tool_choice": "none"}, {}, [("emulated", "tool_choice")]),
        (
            LLAMACPP,
            {"tools": TOOLS, "tool_choice": "g"},
            {"tools": [G], "tool_choice": "required"},
            [("emulated", "tool_choice")],
        ),
        (LLAMACPP, {"tools": TOOLS, "tool_choice": "none"}, {"tools": [F, G], "tool_choice": "none"}, []),
    ],
)
def test_a_server_gets_what_it_knows(dialect: Dialect, fields: dict, sent: dict, notes: list) -> None:
    """A field that it has no name for is left out or said in another way, and the trace says so."""
    body, noted = rendered(dialect, **fields)

    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == sent
    assert noted == notes


@pytest.mark.parametrize(
    ("dialect", "fields", "what"),
    [
        (DEEPSEEK, {"n": 2}, "several answers to one call"),
        (OLLAMA, {"tools": TOOLS, "tool_choice": "required"}, "that a tool must be called"),
        (OLLAMA, {"tools": TOOLS, "tool_choice": "f"}, "that a tool must be called"),
        (Dialect(drops=frozenset({"tools"})), {"tools": TOOLS}, "tools"),
        (OLLAMA, {"messages": (Message("user", File(PDF)),)}, "a file"),
        (
            OLLAMA,
            {"messages": (Message("user", Image("https://x/y.png")),)},
            "an image that the server would have to fetch",
        ),
        (Dialect(), {"messages": (Message("user", File("https://x")),)}, "a file that the server would have to fetch"),
    ],
)
def test_what_the_model_should_hear_or_do_is_not_left_out(dialect: Dialect, fields: dict, what: str) -> None:
    """It is refused before anything is sent, unless the target is not strict."""
    with pytest.raises(NoCapableTarget, match=f"^the format openai_chat cannot express {what}$"):
        rendered(dialect, **fields)

    assert ("left out", what) in rendered(dialect, strict=False, **fields)[1]


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        (DEEPSEEK, {"seed": 1}),
        (Dialect(), {"stop": ("a",) * 5}),
        (MISTRAL, {"messages": (Message("user", "x", "bob"),)}),
    ],
)
def test_a_strict_target_refuses_to_lose_anything(dialect: Dialect, fields: dict) -> None:
    """Told to be strict, not even what tunes the answer is left out."""
    with pytest.raises(NoCapableTarget):
        rendered(dialect, strict=True, **fields)


def test_a_server_without_schemas_gets_an_instruction() -> None:
    """It is asked for JSON, and a system message before the conversation holds the schema."""
    schema = Schema({"type": "object", "properties": {"a": {}}})
    messages = (Message("system", "Be brief."), Message("user", "hi"))
    body, notes = rendered(DEEPSEEK, schema=schema, messages=messages)
    told = body["messages"].pop(1)

    assert told["role"] == "system"
    assert told["content"].endswith('\n{"type":"object","properties":{"a":{}}}')
    assert [message["content"] for message in body["messages"]] == ["Be brief.", "hi"]
    assert body["response_format"] == {"type": "json_object"}
    assert notes == [("emulated", "schema")]


@pytest.mark.parametrize(
    ("dialect", "schema"), [(DEEPSEEK, {"type": "array"}), (LLAMACPP, {"type": "object"}), (LLAMACPP, {})]
)
def test_an_instruction_alone(dialect: Dialect, schema: dict) -> None:
    """JSON that is no object, and servers that cannot be asked for JSON, leave the instruction to do its work."""
    body, _ = rendered(dialect, schema=Schema(schema), messages=(Message("system", "Be brief."),))

    assert "response_format" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "system"]


def test_a_server_that_knows_no_developer() -> None:
    """The role ``developer`` becomes ``system``, which it was called before."""
    assert render_message(Message("developer", "x"), MISTRAL) == [{"role": "system", "content": "x"}]
    assert render_message(Message("developer", "x")) == [{"role": "developer", "content": "x"}]


def test_a_server_that_knows_no_names() -> None:
    """Who speaks is left out with a note; the name of a tool is only a hint."""
    messages = (Message("user", "x", "bob"), Message("tool", ToolResult("abcdeFG12", "r", name="f")))
    body, notes = rendered(MISTRAL, messages=messages)

    assert body["messages"] == [
        {"role": "user", "content": "x"},
        {"role": "tool", "tool_call_id": "abcdeFG12", "content": "r"},
    ]
    assert notes == [("left out", "the name of a speaker")]


@given(st.text(), st.text())
def test_ids_of_nine_letters(one: str, other: str) -> None:
    """Calls and their results get the same short id, another for another call; one that fits stays as it is."""
    messages = (Message("assistant", ToolCall(one, "f")), Message("tool", ToolResult(one)))
    (call,), (result,) = (render_message(message, MISTRAL) for message in messages)
    identity = result["tool_call_id"]
    again = render_message(Message("tool", ToolResult(identity)), MISTRAL)[0]["tool_call_id"]

    assert call["tool_calls"][0]["id"] == identity == again
    assert len(identity) == 9
    assert identity.isascii()
    assert identity.isalnum()
    if other not in (one, identity):
        assert render_message(Message("tool", ToolResult(other)), MISTRAL)[0]["tool_call_id"] != identity


@pytest.mark.parametrize(
    ("dialect", "file", "sent"),
    [
        (Dialect(), File(PDF), {"type": "file", "file": {"file_data": PDF, "filename": "document.pdf"}}),
        (Dialect(), File(PDF, name="a"), {"type": "file", "file": {"file_data": PDF, "filename": "a"}}),
        (Dialect(), File("data:,x"), {"type": "file", "file": {"file_data": "data:,x", "filename": "document.bin"}}),
        (
            Dialect(),
            File("data:text/plain,x"),
            {"type": "file", "file": {"file_data": "data:text/plain,x", "filename": "document.txt"}},
        ),
        (Dialect(), File(file_id="f"), {"type": "file", "file": {"file_id": "f"}}),
        (
            OPENROUTER,
            File("https://x", name="a"),
            {"type": "file", "file": {"file_data": "https://x", "filename": "a"}},
        ),
        (MISTRAL, File("https://x"), {"type": "document_url", "document_url": "https://x"}),
        (MISTRAL, File(PDF, name="a"), {"type": "document_url", "document_url": PDF, "document_name": "a"}),
        (MISTRAL, File(file_id="f"), {"type": "file", "file_id": "f"}),
    ],
)
def test_documents_go_out_as_the_server_takes_them(dialect: Dialect, file: File, sent: dict) -> None:
    """OpenAI insists on a name for content, Mistral has a part of its own for documents."""
    assert render_message(Message("user", file), dialect) == [{"role": "user", "content": [sent]}]


def test_images_in_the_results_of_tools() -> None:
    """OpenAI takes only text there; other servers take images."""
    message = Message("tool", ToolResult("c", (Text("see"), Image("data:,"))))
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    with pytest.raises(NoCapableTarget, match="an image in the result of a tool"):
        render_message(message)
    body, notes = rendered(Dialect(), strict=False, messages=(message,))

    assert render_message(message, OPENROUTER)[0]["content"] == [{"type": "text", "text": "see"}, image]
    assert body["messages"][0]["content"] == [{"type": "text", "text": "see"}]
    assert notes == [("left out", "an image in the result of a tool")]


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("no such file", "Error: no such file"),
        ((Text("x"),), [{"type": "text", "text": "Error:"}, {"type": "text", "text": "x"}]),
    ],
)
def test_a_tool_that_failed(content: object, sent: object) -> None:
    """There is no field for it, so the content says it, and the trace says that it does."""
    body, notes = rendered(Dialect(), messages=(Message("tool", ToolResult("c", content, is_error=True)),))

    assert body["messages"] == [{"role": "tool", "tool_call_id": "c", "content": sent}]
    assert notes == [("emulated", "the mark of a tool result that it is an error")]


def test_arguments_that_are_empty() -> None:
    """Servers read arguments as JSON, which no text at all is not."""
    calls = (ToolCall("c", "f"), ToolCall("d", "g", "", {"type": "custom"}))
    sent = render_message(Message("assistant", calls))[0]["tool_calls"]

    assert sent[0]["function"]["arguments"] == "{}"
    assert sent[1]["custom"]["input"] == ""

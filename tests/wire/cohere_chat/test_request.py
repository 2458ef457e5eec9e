"""Requests in Cohere's chat format: how they look, what crosses over from other formats, and what is refused."""

from __future__ import annotations

import pytest

from aigw.call import Call, Schema
from aigw.errors import ConfigError, NoCapableTarget
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.testing import make_call
from aigw.wire.cohere_chat import DEFAULT, WIRE, Dialect, parse_request, render_request

ELSEWHERE = "openai_chat"
HI = Message("user", "hi")
TOOLS = (Tool("f", "does f"), Tool("g", "does g"))


def rendered(*messages: Message, dialect: Dialect = DEFAULT, strict: object = None, **fields: object) -> tuple:
    """Render a call; return the body and what was noted."""
    call = make_call(messages=messages or (HI,), **fields)
    body = render_request(call, "m", dialect, strict=strict)
    return body, [(decision.action, decision.reason) for decision in call.trace.decisions]


def test_a_request_looks_like_this_on_the_wire() -> None:
    """Names are Cohere's, and only what is set is sent."""
    body, notes = rendered(
        Message("developer", "Be brief."),
        HI,
        tools=(Tool("f", "does f", {"type": "object"}, strict=True),),
        tool_choice="required",
        temperature=0.5,
        top_p=0.5,
        max_tokens=5,
        stop=("END",),
        seed=1,
        stream=True,
        extra={"k": 3},
    )

    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}}}
        ],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "temperature": 0.5,
        "p": 0.5,
        "max_tokens": 5,
        "stop_sequences": ["END"],
        "seed": 1,
        "stream": True,
        "k": 3,
    }
    assert notes == []


@pytest.mark.parametrize(
    ("effort", "thinking", "noted"),
    [
        ("none", {"type": "disabled"}, False),
        ("minimal", {"type": "enabled", "token_budget": 1_000}, True),
        ("low", {"type": "enabled", "token_budget": 4_000}, True),
        ("medium", {"type": "enabled", "token_budget": 12_000}, True),
        ("high", {"type": "enabled"}, False),
        ("xhigh", {"type": "enabled"}, False),
    ],
)
def test_an_effort_becomes_a_budget(effort: str, thinking: dict, noted: bool) -> None:  # noqa: FBT001  (a parameter)
    """Cohere knows no words for how hard to think: some get a budget, which is noted."""
    body, notes = rendered(reasoning=effort)

    assert body["thinking"] == thinking
    assert bool(notes) is noted


@pytest.mark.parametrize(
    ("thinking", "effort", "left"),
    [
        ({"type": "disabled"}, "none", None),
        ({"type": "enabled"}, "high", None),
        ({"type": "enabled", "token_budget": 4_000}, "low", None),
        ({"type": "enabled", "token_budget": 999}, "minimal", {"token_budget": 999}),
        ({"type": "enabled", "token_budget": 50_000}, "high", {"token_budget": 50_000}),
        ({"type": "enabled", "x": 1}, "high", {"x": 1}),
        ({"type": "new"}, None, {"type": "new"}),
        ("on", None, "on"),
    ],
)
def test_a_budget_becomes_the_effort_that_comes_closest(thinking: object, effort: str | None, left: object) -> None:
    """Other formats get the effort; this one gets the budget back as it was."""
    body = {"model": "m", "messages": [], "thinking": thinking}
    call = parse_request(body)

    assert (call.reasoning, call.extra.get("thinking")) == (effort, left)
    assert render_request(call, "m") == body


def test_one_tool_cannot_be_named() -> None:
    """The tool that must be called is the only one that the model hears of."""
    body, notes = rendered(tools=TOOLS, tool_choice="g")

    assert [tool["function"]["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == "REQUIRED"
    assert notes == [("emulated", "tool_choice")]


def test_auto_is_what_the_server_does_anyway() -> None:
    """There is no word for it, and nothing to note."""
    body, notes = rendered(tools=TOOLS, tool_choice="auto", parallel_tool_calls=True)

    assert "tool_choice" not in body
    assert notes == []


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"temperature": 1.5}, "a temperature above 1"),
        ({"seed": -1}, "a seed below 0"),
        ({"stop": tuple("abcdef")}, "more than 5 texts in stop"),
        ({"tools": TOOLS, "parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"tools": (Tool("f", strict=True), Tool("g", strict=False))}, "strict for some of the tools"),
        ({"messages": (Message("user", "hi", name="bob"),)}, "the name of a speaker"),
    ],
)
def test_what_only_tunes_is_left_out_with_a_note(fields: dict, note: str) -> None:
    """It is noted, and refused only for a target that is strict."""
    call = make_call(**{"messages": (HI,), **fields})
    body = render_request(call, "m")

    assert [(decision.action, decision.reason) for decision in call.trace.decisions] == [("left out", note)]
    assert not {"temperature", "seed"} & body.keys()
    assert len(body.get("stop_sequences", ())) <= 5
    with pytest.raises(NoCapableTarget, match="cohere_chat"):
        render_request(call, "m", strict=True)


@pytest.mark.parametrize(("given", "sent"), [(1.0, 0.99), (0.0, 0.01)])
def test_top_p_is_brought_into_its_range(given: float, sent: float) -> None:
    """The server refuses the ends of the range; what is next to them is meant."""
    body, notes = rendered(top_p=given)

    assert body["p"] == sent
    assert notes == [("changed", "top_p")]


def test_a_request_of_this_format_is_not_changed() -> None:
    """What a client of this format says is between it and the server."""
    body = {
        "model": "m",
        "messages": [{"role": "assistant", "content": "a", "tool_calls": [CALL]}],
        "temperature": 3.0,
        "p": 1.0,
        "seed": -1,
        "stop_sequences": list("abcdef"),
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": 1}}}],
        "response_format": {"type": "json_object", "json_schema": {"type": "string"}},
    }

    assert render_request(parse_request(body), "m") == body


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_a_schema_goes_into_the_format() -> None:
    """The server holds the model to it."""
    body, notes = rendered(schema=Schema({"type": "object"}, "city", strict=True))

    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert notes == []


@pytest.mark.parametrize("fields", [{"tools": TOOLS}, {"schema": Schema({"type": "array"})}])
def test_a_schema_that_the_server_does_not_take_is_told_to_the_model(fields: dict) -> None:
    """Beside tools, or where the answer is no object, an instruction holds it."""
    schema = Schema({"type": "object"})
    body, notes = rendered(Message("system", "s"), HI, **{"schema": schema, **fields})
    told = body["messages"][1]

    assert "response_format" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user"]
    assert '"type":' in told["content"]
    assert notes == [("emulated", "schema")]


def test_a_server_may_take_a_schema_beside_tools() -> None:
    """That is a matter of the dialect."""
    body, _ = rendered(schema=Schema({"type": "object"}), tools=TOOLS, dialect=Dialect(schema_with_tools=True))

    assert body["response_format"]["json_schema"] == {"type": "object"}


def test_text_beside_tool_calls_becomes_the_plan() -> None:
    """The server refuses such text, and says to put it there."""
    parts = (Text("Let me look."), ToolCall("c", "f"))
    for wire in ("", ELSEWHERE):
        body, notes = rendered(Message("assistant", parts, wire=wire))

        assert body["messages"] == [{"role": "assistant", "tool_plan": "Let me look.", "tool_calls": [CALL]}]
        assert notes == [("emulated", "text beside tool calls")]


def test_reasoning_goes_back_to_whose_it_is() -> None:
    """Its own thinking and plan are sent; another's are not, which is noted once."""
    own = (Reasoning("hm", None, "cohere"), Reasoning("p", None, "cohere", {"type": "tool_plan"}))
    others = (Reasoning("secret", "sig", "anthropic"), Reasoning("secret", None, "openai"), Text("a"))
    body, notes = rendered(
        Message("assistant", (*own, ToolCall("c", "f")), wire=WIRE), Message("assistant", others, wire=ELSEWHERE)
    )

    assert body["messages"] == [
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}],
            "tool_plan": "p",
            "tool_calls": [CALL],
        },
        {"role": "assistant", "content": "a"},
    ]
    assert notes == [("left out", "reasoning of another provider")]


def test_unknown_fields_of_another_format_stay_behind() -> None:
    """Fields of messages, parts, calls, results, tools and the call are not sent; that is noted once."""
    fields = {"cache_control": {"type": "ephemeral"}}
    body, notes = rendered(
        Message("user", (Text("hi", fields), Image("data:,", extra=fields)), extra=fields, wire=ELSEWHERE),
        Message("assistant", ToolCall("c", "f", "{}", fields), wire=ELSEWHERE),
        Message("tool", ToolResult("c", (Text("r", fields),), extra=fields), wire=ELSEWHERE),
        tools=(Tool("f", "does f", extra=fields),),
        extra=fields,
        wire=ELSEWHERE,
    )

    assert "cache_control" not in str(body)
    assert notes == [("left out", "fields that only openai_chat knows: cache_control")]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"messages": (Message("user", File("data:,", name="n")),)}, "a file"),
        ({"messages": (Message("user", Other({"type": "x"}), wire=ELSEWHERE),)}, "a part that only openai_chat knows"),
        (
            {"messages": (Message("assistant", Image("data:,"), wire=ELSEWHERE),)},
            "an image in a message of the assistant",
        ),
        ({"messages": (Message("tool", ToolResult("c", (Image("data:,"),))),)}, "an image in the result of a tool"),
        ({"n": 2}, "several answers to one call"),
        ({"tools": (Tool("web", extra={"type": "web"}),), "wire": ELSEWHERE}, "a tool that only openai_chat knows"),
    ],
)
def test_content_that_cannot_be_said_is_refused(fields: dict, what: str) -> None:
    """By default a call that would lose content is not sent; a target may be told to send the rest."""
    call = make_call(**{"messages": (HI,), **fields})
    with pytest.raises(NoCapableTarget, match=what):
        render_request(call, "m")
    render_request(call, "m", strict=False)

    assert [(decision.action, decision.reason) for decision in call.trace.decisions] == [("left out", what)]


def test_a_failed_tool_says_so_in_its_content() -> None:
    """There is no field for it."""
    body, notes = rendered(
        Message("tool", ToolResult("c", "no", is_error=True)),
        Message("tool", ToolResult("d", (Text("no"),), is_error=True)),
        Message("user", (ToolResult("e", "yes"), Text("Go on."))),
    )

    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "c", "content": "Error: no"},
        {
            "role": "tool",
            "tool_call_id": "d",
            "content": [{"type": "text", "text": "Error:"}, {"type": "text", "text": "no"}],
        },
        {"role": "tool", "tool_call_id": "e", "content": "yes"},
        {"role": "user", "content": "Go on."},
    ]
    assert {note for _, note in notes} == {"the mark of a tool result that it is an error"}


def test_a_document_is_a_text_that_every_policy_sees() -> None:
    """What a policy changes in it is what goes out, as an object if it still is one."""
    content = [
        {"type": "document", "document": {"data": {"who": "Ann"}, "id": "1"}},
        {"type": "document", "document": {"data": "Ann"}},
        {"type": "document", "document": {"data": [1]}},
    ]
    body = {"model": "m", "messages": [{"role": "tool", "tool_call_id": "c", "content": content}]}
    call = parse_request(body)
    (result,) = call.messages[0].parts
    masked = [Text(part.text.replace("Ann", "X"), part.extra) for part in result.content]
    broken = [Text("X", part.extra) for part in result.content]

    def documents(parts: list[Text]) -> list[object]:
        message = Message("tool", ToolResult("c", tuple(parts)), wire=WIRE)
        sent = render_request(Call(messages=(message,)), "m")["messages"][0]["content"]
        return [part["document"] for part in sent]

    assert [part.text for part in result.content] == ['{"who":"Ann"}', "Ann"]
    assert render_request(call, "m") == body
    assert documents(masked) == [{"data": {"who": "X"}, "id": "1"}, {"data": "X"}]
    assert documents(broken) == [{"data": "X", "id": "1"}, {"data": "X"}]


def test_citations_stand_with_the_last_text() -> None:
    """Where there is none they stay with the message."""
    cited = {"role": "assistant", "content": "Hi", "citations": [{"start": 0}]}
    bare = {"role": "assistant", "tool_calls": [CALL], "citations": [{"start": 0}]}
    call = parse_request({"messages": [cited, bare]})

    assert call.messages[0].parts == (Text("Hi", {"citations": [{"start": 0}]}),)
    assert call.messages[1].extra == {"citations": [{"start": 0}]}
    assert render_request(call, "m")["messages"] == [cited, bare]


def test_a_tool_message_holds_results_only() -> None:
    """Anything else is a mistake of the caller."""
    for parts in ((), (Text("x"),), (ToolResult("c"), Text("x"))):
        with pytest.raises(ConfigError, match="ToolResult"):
            render_request(Call(messages=(Message("tool", parts),)), "m")


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (SECRET, "the request must be an object, not str"),
        ({}, "messages is missing"),
        ({"messages": [SECRET]}, "messages[0] must be an object with a role and content, not str"),
        ({"messages": [{"role": SECRET}]}, "messages[0].role must be one of system, user, assistant, tool"),
        (
            {"messages": [{"role": "user", "content": 3}]},
            "messages[0].content must be a string or a list of parts, not int",
        ),
        ({"messages": [{"role": "user", "content": [3]}]}, "messages[0].content[0] must be an object, not int"),
        ({"messages": [{"role": "tool", "content": SECRET}]}, "messages[0].tool_call_id is missing"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]},
            "messages[0].tool_calls[0].function.name is missing",
        ),
        ({"messages": [{"role": "assistant", "tool_plan": 3}]}, "messages[0].tool_plan must be a string, not int"),
        ({"messages": [], "tools": [{}]}, "tools[0].function is missing"),
        ({"messages": [], "p": "x"}, "p must be a number, not str"),
        ({"messages": [], "stop_sequences": [3]}, "stop_sequences[0] must be a string, not int"),
        ({"messages": [], "response_format": 3}, "response_format must be an object, not int"),
        ({"messages": [], "tools": [], "strict_tools": 3}, "strict_tools must be true or false, not int"),
    ],
)
def test_malformed_requests_are_refused_by_path_and_not_quoted(body: object, message: str) -> None:
    """The error says where it is and what is wrong, and quotes nothing of the content."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert str(caught.value) == message

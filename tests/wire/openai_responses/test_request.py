"""Requests: what aigw adds and leaves out, what other formats brought, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.call import Call, Schema
from aigw.errors import ConfigError, NoCapableTarget
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.testing import make_call
from aigw.wire.openai_responses import WIRE, Dialect, parse_request, render_request

HI = Message("user", "Hi")
ELSEWHERE = "anthropic_messages"
THOUGHT = Reasoning("Hm", "sig", "openai", {"id": "rs_1"})
SAID = Text("Hello", {"pieces": [{"type": "message", "id": "msg_1", "phase": "commentary"}], "logprobs": [{}]})
ANSWER = Message("assistant", (THOUGHT, SAID, ToolCall("c", "f", "{}", {"id": "fc_1"})), wire=WIRE)
RESULT = Message("tool", ToolResult("c", "1"))


def render(*messages: Message, dialect: Dialect | None = None, **fields: Any) -> dict:
    """Render a call with these messages."""
    return render_request(Call(messages=messages or (HI,), **fields), "m", dialect or Dialect())


def notes(*messages: Message, dialect: Dialect | None = None, strict: bool | None = None, **fields: Any) -> list:
    """Render a call; return what was noted."""
    call = make_call(messages=messages, **fields)
    render_request(call, "m", dialect or Dialect(), strict=strict)
    return [(decision.action, decision.reason) for decision in call.trace.decisions]


def test_the_smallest_request() -> None:
    """Nothing is sent but what is asked, and that nothing is to be stored."""
    assert render() == {"model": "m", "input": [{"role": "user", "content": "Hi"}], "store": False}


def test_everything_has_its_place() -> None:
    """The fields of a call and their names on the wire."""
    body = render(
        tools=(Tool("f", "does f", {"type": "object"}, strict=True), Tool("g")),
        tool_choice="f",
        parallel_tool_calls=False,
        schema=Schema({"type": "object"}, "s", strict=True),
        temperature=0.5,
        top_p=0.25,
        max_tokens=9,
        reasoning="low",
        stream=True,
        extra={"text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}, "truncation": "auto"},
    )

    assert body == {
        "model": "m",
        "input": [{"role": "user", "content": "Hi"}],
        "tools": [
            {
                "type": "function",
                "name": "f",
                "description": "does f",
                "parameters": {"type": "object"},
                "strict": True,
            },
            {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": False},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "text": {
            "format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}, "strict": True},
            "verbosity": "low",
        },
        "reasoning": {"effort": "low", "summary": "auto"},
        "temperature": 0.5,
        "top_p": 0.25,
        "max_output_tokens": 9,
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "truncation": "auto",
    }


def test_system_messages_stay_where_they_stand() -> None:
    """They are items with that role: the order of the conversation is kept."""
    body = render(Message("system", "a"), HI, Message("developer", "b"))

    assert [(item["role"], item["content"]) for item in body["input"]] == [
        ("system", "a"),
        ("user", "Hi"),
        ("developer", "b"),
    ]
    assert "instructions" not in body


def test_instructions_come_first_and_go_back_to_their_field() -> None:
    """They are a system message for other formats and for policies, and instructions again on this wire."""
    call = parse_request({"instructions": "Be brief.", "input": "Hi"})
    changed = call.evolve(messages=(*call.messages[:1], Message("system", "More."), *call.messages[1:]))
    grown = Message("system", ("Be brief.", "Really."), extra=call.messages[0].extra, wire=WIRE)

    assert call.messages == (Message("system", "Be brief.", extra={"instructions": True}), HI)
    assert render_request(changed, "m")["instructions"] == "Be brief."
    assert render_request(call.evolve(messages=(grown, HI)), "m")["input"][0]["role"] == "system"
    assert render_request(call.evolve(messages=(HI, call.messages[0])), "m")["input"][1] == {
        "role": "system",
        "content": "Be brief.",
    }


@pytest.mark.parametrize(
    ("extra", "added"),
    [
        pytest.param({}, {"store": False}, id="nothing said"),
        pytest.param({"store": True}, {"store": True}, id="store"),
        pytest.param({"store": False}, {"store": False}, id="store not"),
        pytest.param({"store": None}, {"store": None}, id="as the server likes"),
        pytest.param({"previous_response_id": "r"}, {"previous_response_id": "r"}, id="a response before it"),
        pytest.param({"conversation": "c"}, {"conversation": "c"}, id="a conversation"),
        pytest.param({"background": True}, {"background": True}, id="in the background"),
        pytest.param({"background": False}, {"background": False, "store": False}, id="not in the background"),
    ],
)
def test_nothing_is_stored_unless_the_caller_wants_it(extra: dict, added: dict) -> None:
    """A call lives without the server's memory; a caller who asks for it in any way gets what he asked for."""
    body = render(extra=extra)

    assert {name: body[name] for name in body if name not in ("model", "input")} == added


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        pytest.param({}, False, id="not known to reason"),
        pytest.param({"reasoning": "low"}, True, id="asked to reason"),
        pytest.param({"reasoning": "none"}, False, id="asked not to"),
        pytest.param({"extra": {"reasoning": {"summary": "auto"}}}, True, id="asked for a summary"),
        pytest.param({"messages": (HI, ANSWER, RESULT)}, True, id="has reasoned before"),
        pytest.param({"dialect": Dialect(encrypted_reasoning=True)}, True, id="always"),
        pytest.param({"reasoning": "low", "dialect": Dialect(encrypted_reasoning=False)}, False, id="never"),
        pytest.param({"reasoning": "low", "extra": {"store": True}}, False, id="the server remembers"),
    ],
)
def test_signatures_are_asked_for_where_the_model_reasons(fields: dict, asked: bool) -> None:  # noqa: FBT001
    """OpenAI refuses the question for models that do not reason, so it is put only where there is a sign of it."""
    body = render(*fields.pop("messages", ()), **fields)

    assert ("include" in body) == asked


def test_what_the_caller_includes_is_joined_with_ours() -> None:
    """Asking for something else does not lose the signatures."""
    body = render(reasoning="low", extra={"include": ["message.output_text.logprobs"]})

    assert body["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]


def test_a_dialect_can_leave_store_out() -> None:
    """For servers that refuse the field."""
    assert "store" not in render(dialect=Dialect(store=None))


def test_a_request_of_this_format_goes_out_as_it_came() -> None:
    """What a client did not say it did not want to say: nothing is added."""
    body = {
        "model": "m",
        "input": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}],
        "reasoning": {"effort": "low"},
        "tool_choice": "auto",
    }

    assert render_request(parse_request(body), "m") == body


def test_an_answer_goes_back_without_ids() -> None:
    """Without the server's memory ids of items are references to nothing; reasoning keeps its own."""
    assert render(HI, ANSWER, RESULT)["input"][1:] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "encrypted_content": "sig",
        },
        {"type": "message", "role": "assistant", "phase": "commentary", "content": "Hello"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
    ]


def test_an_answer_goes_back_with_ids_to_a_server_that_remembers() -> None:
    """There they are what the server knows the items by."""
    sent = render(HI, ANSWER, RESULT, extra={"store": True})["input"]

    assert [item.get("id") for item in sent] == [None, "rs_1", "msg_1", "fc_1", None]
    assert sent[2]["status"] == "completed"
    assert sent[2]["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": [{}]}]


def test_reasoning_goes_back_only_to_its_provider() -> None:
    """A signature of another provider, or none at all, is left out with a note, once."""
    other = Reasoning("Hm", "sig", "xai")
    bare = Reasoning("Hm", None, "openai", {"id": "rs_1"})
    message = Message("assistant", (other, bare, other, Reasoning("Hm"), "Hi"), wire=WIRE)

    assert [item["type"] for item in render(HI, message)["input"][1:]] == ["message"]
    assert notes(HI, message) == [
        ("left out", "reasoning of another provider"),
        ("left out", "reasoning without a signature"),
    ]


def test_readable_reasoning_goes_back_where_the_server_wants_it() -> None:
    """Servers for open models take the text itself."""
    message = Message("assistant", (Reasoning("Hm"), Reasoning("So", None, "vllm"), Reasoning("No", "sig", "openai")))
    items = render(HI, message, dialect=Dialect("vllm", reasoning_back=True))["input"][1:]

    assert [item["content"] for item in items] == [
        [{"type": "reasoning_text", "text": "Hm"}],
        [{"type": "reasoning_text", "text": "So"}],
    ]
    assert len({item["id"] for item in items}) == 2
    assert all(item["summary"] == [] for item in items)


def test_a_wrapped_signature_finds_its_way_back() -> None:
    """A client of this format sends back what it got from a model of another provider; only that one gets it."""
    item = {"type": "reasoning", "id": "rs_aigw_1_0", "summary": [], "encrypted_content": "aigw:anthropic:sig"}
    call = parse_request({"input": [item]})

    assert call.messages == (Message("assistant", Reasoning("", "sig", "anthropic")),)
    assert render_request(call, "m")["input"] == []


def test_ids_that_were_made_up_are_dropped() -> None:
    """They mean nothing to any server."""
    items = [
        {"type": "message", "role": "assistant", "id": "msg_aigw_1_0", "content": "Hi", "status": "completed"},
        {"type": "function_call", "id": "fc_aigw_1_1", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "id": "fco_aigw_1", "call_id": "c", "output": "1"},
        {"role": "user", "id": "msg_aigw_2", "content": "Hi"},
    ]
    call = parse_request({"input": items})

    assert call.messages == (Message("assistant", ("Hi", ToolCall("c", "f", "{}"))), RESULT, HI)


def test_results_of_custom_tools_have_their_own_type() -> None:
    """It follows from the call that they answer."""
    call = Message("assistant", ToolCall("c", "f", "free", {"type": "custom_tool_call"}), wire=WIRE)

    assert [item["type"] for item in render(call, RESULT)["input"]] == ["custom_tool_call", "custom_tool_call_output"]
    assert render(call, RESULT)["input"][0]["input"] == "free"


def test_results_may_hold_images_and_files() -> None:
    """Images go out as parts; files, which a result of ours cannot hold, come back as they came."""
    output = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "detail": "auto", "image_url": "https://x"},
        {"type": "input_file", "file_id": "f"},
    ]
    item = {"type": "function_call_output", "call_id": "c", "output": output}
    call = parse_request({"input": [item]})
    (result,) = call.messages[0].parts

    assert result.content == (Text("a"), Image("https://x"))
    assert render_request(call, "m")["input"] == [item]


def test_a_message_may_hold_results_and_more() -> None:
    """As other formats have it: the items stand in the order of the parts."""
    message = Message("user", (ToolResult("c", "1"), "And now?"))
    spoken = Message("assistant", ("One.", ToolResult("c", "1"), "Two."))

    assert [item.get("type") or item["role"] for item in render(message)["input"]] == ["function_call_output", "user"]
    assert [item["type"] for item in render(spoken)["input"]] == ["message", "function_call_output", "message"]


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Message("user", Other({"type": "document"}), wire=ELSEWHERE), "a part of type document"),
        (Message("assistant", Other({"type": "server_tool_use"}), wire=ELSEWHERE), "a part of type server_tool_use"),
        (Message("user", File(file_id="f"), wire=ELSEWHERE), "an uploaded file of another provider"),
        (Message("assistant", Image("data:,")), "an image that the model made"),
        (Message("assistant", File("data:,")), "a file that the model made"),
    ],
)
def test_content_is_not_lost_in_silence(message: Message, what: str) -> None:
    """It is refused; a target that was told not to be strict leaves it out with a note."""
    with pytest.raises(NoCapableTarget, match=what):
        notes(message)

    assert notes(message, strict=False) == [("left out", what)]
    assert render_request(Call(messages=(message,)), "m", strict=False)["input"] == []


def test_several_answers_are_content() -> None:
    """One answer where several were asked for would be a loss."""
    with pytest.raises(NoCapableTarget, match="several answers"):
        render(n=2)

    assert "n" not in render(n=1)


def test_a_tool_of_another_format_is_content() -> None:
    """A tool of the server that only another server has cannot be called here."""
    tools = (Tool("f", extra={"cache_control": {}}), Tool("bash", extra={"type": "bash_20250124"}))
    with pytest.raises(NoCapableTarget, match="a tool of type bash_20250124"):
        notes(HI, tools=tools, wire=ELSEWHERE)

    assert ("left out", "a tool of type bash_20250124") in notes(HI, tools=tools, wire=ELSEWHERE, strict=False)


def test_tuning_is_left_out_with_a_note() -> None:
    """This format has no field for it; a strict target refuses it."""
    fields: dict[str, Any] = {"stop": ("END",), "seed": 1}
    named = Message("user", "Hi", name="bob")

    assert notes(named, RESULT, **fields) == [
        ("left out", "the name of a speaker"),
        ("left out", "stop"),
        ("left out", "seed"),
    ]
    with pytest.raises(NoCapableTarget, match="stop"):
        notes(HI, strict=True, **fields)


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ("no such file", "Error: no such file"),
        ((Text("no"),), [{"type": "input_text", "text": "Error:"}, {"type": "input_text", "text": "no"}]),
    ],
)
def test_that_a_tool_failed_is_said_in_words(said: Any, output: Any) -> None:
    """The format has no field for it, and the model must know."""
    failed = Message("tool", ToolResult("c", said, is_error=True))

    assert render_request(Call(messages=(failed,)), "m")["input"][0]["output"] == output
    assert notes(failed) == [("emulated", "the mark of a tool result that it is an error")]


def test_fields_of_another_format_stay_behind() -> None:
    """Fields of messages, parts, calls, results, tools and the call are not sent; that is noted once."""
    fields = {"cache_control": {"type": "ephemeral"}}
    messages = (
        Message("user", (Text("Hi", fields), Image("data:,", extra=fields)), extra=fields, wire=ELSEWHERE),
        Message("assistant", (Text("Hi", fields), ToolCall("c", "f", "{}", fields)), wire=ELSEWHERE),
        Message("tool", ToolResult("c", (Text("1", fields),), extra=fields), wire=ELSEWHERE),
    )
    call = make_call(messages=messages, tools=(Tool("f", extra=fields),), extra=fields, wire=ELSEWHERE)

    assert "cache_control" not in str(render_request(call, "m"))
    assert len(call.trace.decisions) == 1


def test_a_tool_choice_without_tools_is_left_out() -> None:
    """Servers refuse it."""
    assert "tool_choice" not in render(tool_choice="auto", parallel_tool_calls=True)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("f", {"type": "function", "name": "f"}),
        ("g", {"type": "custom", "name": "g"}),
        ("web_search", {"type": "web_search"}),
    ],
)
def test_a_tool_is_chosen_as_its_type_wants_it(name: str, sent: dict) -> None:
    """Functions and custom tools by name, tools of the server by type."""
    tools = (
        Tool("f"),
        Tool("g", extra={"type": "custom", "name": "g"}),
        Tool("web_search", extra={"type": "web_search"}),
    )

    assert render(tools=tools, tool_choice=name)["tool_choice"] == sent


@pytest.mark.parametrize(
    "kept",
    [
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
        {"tool_choice": {"type": "web_search_preview"}},
        {"text": {"format": {"type": "json_schema", "name": "s", "schema": {}, "description": "d"}}},
        {"text": {"format": {"type": "json_object"}}},
        {"instructions": [{"role": "system", "content": "a"}]},
        {"prompt": {"id": "p"}},
        {"reasoning": {"summary": "auto"}},
    ],
)
def test_what_a_call_cannot_say_is_kept(kept: dict) -> None:
    """It stays in the extra fields, whole, and goes out again."""
    call = parse_request(kept)

    assert call.extra == kept
    assert render_request(call, "m") == {"model": "m", "input": [], **kept}


def test_what_the_model_said_in_one_turn_is_one_message() -> None:
    """Other formats want all calls of a turn together, and all their results."""
    call = parse_request(
        {
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call", "call_id": "d", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "1"},
                {"type": "function_call_output", "call_id": "d", "output": "2"},
                {"type": "item_reference", "id": "x"},
            ]
        }
    )
    assert call.messages == (
        HI,
        Message(
            "assistant",
            (Reasoning("", None, "openai", {"id": "rs_1"}), "a", ToolCall("c", "f", "{}"), ToolCall("d", "f", "{}")),
        ),
        Message("tool", (ToolResult("c", "1"), ToolResult("d", "2"))),
        Message("assistant", Other({"type": "item_reference", "id": "x"})),
    )


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "the request must be an object"),
        ({"input": 7}, "input must be a list"),
        ({"input": ["hunter2"]}, r"input\[0\] must be an object"),
        ({"input": [{"type": 7}]}, r"input\[0\].type must be a string"),
        ({"input": [{"role": "hunter2"}]}, r"input\[0\].role must be one of"),
        ({"input": [{"role": "user", "content": 7}]}, r"input\[0\].content must be a list"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            r"input\[0\].content\[0\].text is missing",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": {}}]}]},
            r"input\[0\].content\[0\].image_url must be a string",
        ),
        ({"input": [{"role": "assistant", "content": ["a"]}]}, r"input\[0\].content\[0\] must be an object"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, r"input\[0\].name is missing"),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": 7}]},
            r"input\[0\].arguments must be a string",
        ),
        ({"input": [{"type": "function_call_output", "output": 7}]}, r"input\[0\].output must be a string"),
        ({"tools": ["f"]}, r"tools\[0\] must be an object"),
        ({"tools": [{"type": "function"}]}, r"tools\[0\].name is missing"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name is missing"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.name is missing"),
        ({"reasoning": {"effort": 7}}, "reasoning.effort must be a string"),
        ({"max_output_tokens": "hunter2"}, "max_output_tokens must be an integer"),
    ],
)
def test_wrong_requests_are_told_by_their_path(body: Any, path: str) -> None:
    """The error names the field and quotes nothing of it."""
    with pytest.raises(ConfigError, match=path) as caught:
        parse_request(body)

    assert "hunter2" not in str(caught.value)


def test_a_tool_message_holds_results() -> None:
    """And nothing else."""
    with pytest.raises(ConfigError, match="role tool"):
        render(Message("tool", "1"))

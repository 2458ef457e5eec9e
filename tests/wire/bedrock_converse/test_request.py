"""Requests of the Converse API: what goes where, what is emulated, what is refused."""

from __future__ import annotations

import json

import pytest

from aigw.call import Call, Schema
from aigw.errors import ConfigError, NoCapableTarget
from aigw.message import File, Image, Message, Other, Text, Tool, ToolCall, ToolResult
from aigw.wire.bedrock_converse import WIRE, Dialect, Family, parse_request, render_request
from wire.bedrock_converse.making import (
    HAIKU_4_5,
    HELLO,
    HISTORY,
    LLAMA,
    OBJECT,
    OPUS_4_8,
    SCHEMA,
    SENT,
    SONNET_4_6,
    SONNET_5,
    notes,
)


def test_everything_has_its_field() -> None:
    """Every setting of a call goes out under the name that the API gives it."""
    call = Call(
        messages=(Message("system", "Be brief."), *HELLO),
        tools=(Tool("f", "does f", {"type": "object"}, strict=True),),
        tool_choice="f",
        schema=Schema(SCHEMA, "place"),
        temperature=0.5,
        max_tokens=7,
        stop=("END",),
        extra={"guardrailConfig": {"trace": "enabled"}, "inferenceConfig": {"maxTokens": 8}},
    )

    assert render_request(call, SONNET_4_6) == {
        "messages": SENT,
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 8, "temperature": 0.5, "stopSequences": ["END"]},
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "f",
                        "description": "does f",
                        "inputSchema": {"json": {"type": "object"}},
                        "strict": True,
                    }
                }
            ],
            "toolChoice": {"tool": {"name": "f"}},
        },
        "outputConfig": {
            "textFormat": {
                "type": "json_schema",
                "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA, separators=(",", ":")), "name": "place"}},
            }
        },
        "guardrailConfig": {"trace": "enabled"},
    }


def test_only_what_is_set_is_sent() -> None:
    """A plain call is its messages and nothing else, and nothing is noted."""
    assert notes(Call(messages=HELLO, n=1)) == ({"messages": SENT}, [])


def test_a_turn_is_one_message() -> None:
    """Messages of one side are joined, the results of tools first; messages that say nothing are left out."""
    call = Call(
        messages=(
            Message("user", "a"),
            Message("user", ("b", "  ")),
            Message("assistant", ""),
            Message("assistant", (ToolCall("c1", "f", '{"x": 1}'), ToolCall("c2", "f", "oops"))),
            Message("user", "c"),
            Message("tool", ToolResult("c1", "1")),
            Message("tool", ToolResult("c2", "", is_error=True)),
        ),
        tools=(Tool("f"),),
    )

    assert render_request(call, SONNET_4_6)["messages"] == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "c1", "name": "f", "input": {"x": 1}}},
                {"toolUse": {"toolUseId": "c2", "name": "f", "input": {"INVALID_JSON": "oops"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "c1", "content": [{"text": "1"}]}},
                {
                    "toolResult": {
                        "toolUseId": "c2",
                        "content": [{"text": "The tool failed and said nothing."}],
                        "status": "error",
                    }
                },
                {"text": "c"},
            ],
        },
    ]


def test_ids_that_the_server_refuses_are_replaced() -> None:
    """The same way for a call and its result, and in order where there are none."""
    parts = (ToolCall("a|b", "f"), ToolCall("a/b", "f"), ToolCall("", "f"), ToolCall("", "f"))
    results = [ToolResult("a/b", "2"), ToolResult("a|b", "1"), ToolResult("", "3"), ToolResult("", "4")]
    messages = (*HELLO, Message("assistant", parts), Message("tool", results))
    body = render_request(Call(messages=messages, tools=(Tool("f"),)), "m")
    called = [block["toolUse"]["toolUseId"] for block in body["messages"][1]["content"]]
    answered = [block["toolResult"]["toolUseId"] for block in body["messages"][2]["content"]]

    assert called == ["a_b_0", "a_b_1", "call_0", "call_1"]
    assert answered == ["a_b_1", "a_b_0", "call_0", "call_1"]


def test_system_messages_stand_before_all_others() -> None:
    """One in the midst of a conversation moves, which is noted; one that was read from this format stays."""
    messages = (Message("system", "a"), *HELLO, Message("developer", "b"), Message("user", "c"))
    moved, said = notes(Call(messages=messages))
    kept = (*messages[:2], Message("system", "b", wire=WIRE), Message("user", "c"))
    stays = render_request(Call(messages=kept), "m")

    assert moved["system"] == [{"text": "a"}, {"text": "b"}]
    assert moved["messages"] == [{"role": "user", "content": [{"text": "hi"}, {"text": "c"}]}]
    assert said == [("changed", "the place of a system message in the midst of a conversation")]
    assert [message["role"] for message in stays["messages"]] == ["user", "system", "user"]


def test_a_conversation_of_nothing_but_system_messages() -> None:
    """The server wants somebody to speak: the last one becomes what the user says."""
    body, said = notes(Call(messages=(Message("system", "a"), Message("system", "b"))))

    assert body == {"system": [{"text": "a"}], "messages": [{"role": "user", "content": [{"text": "b"}]}]}
    assert said == [("emulated", "a conversation of nothing but system messages")]


def test_media_by_their_kind() -> None:
    """Images, documents, videos and sound, inline and in S3; text files of unknown kinds are text."""
    parts = (
        "See.",
        Image("data:image/jpg;base64,AA=="),
        Image("data:image/gif,%00"),
        Image("s3://b/i.webp"),
        File("data:application/pdf;base64,AA==", name="My: report_final.pdf"),
        File("data:application/json;base64,e30=", name="My: report_final"),
        File("data:text/csv;base64,AA=="),
        File("s3://b/d.docx", name="d"),
        File("data:video/mp4;base64,AA==", name="v"),
        File("data:audio/mpeg;base64,AA=="),
        File("data:image/png;base64,AA=="),
    )

    assert render_request(Call(messages=(Message("user", parts),)), "m")["messages"][0]["content"] == [
        {"text": "See."},
        {"image": {"format": "jpeg", "source": {"bytes": "AA=="}}},
        {"image": {"format": "gif", "source": {"bytes": "AA=="}}},
        {"image": {"format": "webp", "source": {"s3Location": {"uri": "s3://b/i.webp"}}}},
        {"document": {"format": "pdf", "source": {"bytes": "AA=="}, "name": "My- report-final"}},
        {"document": {"format": "txt", "source": {"bytes": "e30="}, "name": "My- report-final 2"}},
        {"document": {"format": "csv", "source": {"bytes": "AA=="}, "name": "document"}},
        {"document": {"format": "docx", "source": {"s3Location": {"uri": "s3://b/d.docx"}}, "name": "d"}},
        {"video": {"format": "mp4", "source": {"bytes": "AA=="}}},
        {"audio": {"format": "mp3", "source": {"bytes": "AA=="}}},
        {"image": {"format": "png", "source": {"bytes": "AA=="}}},
    ]


def test_a_document_is_never_alone() -> None:
    """The server wants a text beside it."""
    body, said = notes(Call(messages=(Message("user", File("data:text/plain;base64,AA==", name="a")),)))

    assert body["messages"][0]["content"][1] == {"text": "See the document."}
    assert said == [("emulated", "a document without a text beside it")]


CONTENT = [
    (Message("user", Image("https://example.com/hunter2.png")), "image content as a URL"),
    (Message("user", Image("data:image/tiff;base64,AA==")), "image content as data:image/tiff"),
    (Message("user", Image("s3://bucket/x")), "image content whose name does not tell its format"),
    (Message("user", File("https://example.com/hunter2.pdf")), "document content as a URL"),
    (Message("user", File("data:application/zip;base64,AA==")), "document content as data:application/zip"),
    (Message("user", File(file_id="f-1")), "an uploaded file of another provider"),
    (Message("user", Other({"type": "audio"}), wire="openai_chat"), "a part that only openai_chat knows"),
    (Message("system", Image("data:image/png;base64,AA==")), "anything but text in a system message"),
]


@pytest.mark.parametrize(("message", "what"), CONTENT)
def test_content_is_never_lost_in_silence(message: Message, what: str) -> None:
    """What the model should see and cannot be said is refused, or noted if the target is not strict."""
    call = Call(messages=(message, *HELLO))
    with pytest.raises(NoCapableTarget, match=what) as caught:
        render_request(call, "m")
    body, said = notes(call, strict=False)

    assert "hunter2" not in str(caught.value)
    assert body["messages"] == SENT
    assert [action for action, _ in said] == ["left out"]


@pytest.mark.parametrize(
    ("fields", "model", "what"),
    [
        ({"seed": 1}, "m", "seed"),
        ({"parallel_tool_calls": False}, "m", "parallel_tool_calls"),
        ({"temperature": 1.5}, "m", "temperature beyond the range from 0 to 1"),
        ({"stop": ("", "a")}, "m", "an empty stop text"),
        ({"temperature": 0.5}, SONNET_5, "temperature (at this model)"),
        ({"top_p": 0.5}, OPUS_4_8, "top_p (at this model)"),
        ({"temperature": 0.5, "top_p": 0.5}, SONNET_4_6, "top_p beside a temperature"),
        ({"temperature": 0.5, "reasoning": "low"}, HAIKU_4_5, "temperature while the model thinks"),
        ({"reasoning": "low"}, LLAMA, "reasoning 'low'"),
        ({"reasoning": "low", "max_tokens": 1000}, HAIKU_4_5, "reasoning 'low'"),
        (
            {"reasoning": "low", "tool_choice": "required"},
            SONNET_4_6,
            "reasoning beside a tool choice that forces a call",
        ),
    ],
)
def test_tuning_is_left_out_with_a_note(fields: dict, model: str, what: str) -> None:
    """What only tunes the answer does not stop a call, unless the target is strict."""
    call = Call(messages=HELLO, tools=(Tool("f"),), **fields)
    _, said = notes(call, model)

    assert ("left out", what) in said
    with pytest.raises(NoCapableTarget):
        render_request(call, model, strict=True)


def test_several_answers_are_content() -> None:
    """They cannot be had with one call."""
    with pytest.raises(NoCapableTarget, match="several answers"):
        render_request(Call(messages=HELLO, n=2), "m")


def test_fields_of_other_formats_are_left_out() -> None:
    """Extras of messages, parts, tools and calls that were read elsewhere; by hand they are sent."""
    message = Message("user", Text("hi", {"cache_control": {}}), extra={"x": 1}, wire="anthropic_messages")
    call = Call(messages=(message,), tools=(Tool("f", extra={"x": 1}),), extra={"user": "u"}, wire="openai_chat")
    body, said = notes(call)
    by_hand = Message("user", Text("hi", {"cachePoint": {"type": "default"}}))

    assert body == {
        "messages": SENT,
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": OBJECT}}}]},
    }
    assert len(said) == 1
    assert render_request(Call(messages=(by_hand,)), "m")["messages"][0]["content"][1] == {
        "cachePoint": {"type": "default"}
    }


def test_a_tool_of_another_format_is_content() -> None:
    """A tool that only another provider runs cannot be sent."""
    call = Call(messages=HELLO, tools=(Tool("web", extra={"type": "web_search"}),), wire="openai_responses")

    with pytest.raises(NoCapableTarget, match="a tool of type web_search"):
        render_request(call, "m")


def test_a_custom_tool_of_anthropic_is_a_function() -> None:
    """The type that it names is the usual one there; OpenAI's tool of that name takes free text."""
    plain = Tool("f", parameters=SCHEMA, extra={"type": "custom"})
    free = Tool("f", extra={"type": "custom", "custom": {"name": "f"}})
    body = render_request(Call(messages=HELLO, tools=(plain,), wire="anthropic_messages"), "m")

    assert body["toolConfig"] == {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}]}
    with pytest.raises(NoCapableTarget, match="a tool of type custom"):
        render_request(Call(messages=HELLO, tools=(free,), wire="openai_chat"), "m")


def test_a_failed_tool_where_that_cannot_be_said() -> None:
    """Only some models take the status; the others hear what the tool said."""
    messages = (*HISTORY[:2], Message("tool", ToolResult("c", "it broke", is_error=True)))
    body, said = notes(Call(messages=messages, tools=(Tool("f"),)), LLAMA)

    assert body["messages"][2]["content"] == [{"toolResult": {"toolUseId": "c", "content": [{"text": "it broke"}]}}]
    assert said == [("left out", "that a tool failed, beyond what it said")]


def test_a_dialect_may_know_other_models() -> None:
    """The table of families is data that can be replaced."""
    own = Dialect(families=(Family("mine", efforts={"low": {"think": 1}}, schema="format"),))
    body = render_request(Call(messages=HELLO, reasoning="low", schema=Schema(SCHEMA)), "mine-1", own)

    assert body["additionalModelRequestFields"] == {"think": 1}
    assert "textFormat" in body["outputConfig"]


def test_requests_of_others_are_read() -> None:
    """What clients write in other ways than we do is understood, and goes out as it came."""
    body = {
        "system": [{"text": "a"}, {"cachePoint": {"type": "default"}}, {"guardContent": {"text": {"text": "g"}}}],
        "messages": [
            {"role": "user", "content": [{"cachePoint": {"type": "default"}}, {"text": "hi"}]},
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c", "name": "f", "input": [1]}}]},
            {
                "role": "user",
                "content": [{"toolResult": {"toolUseId": "c", "content": [{"json": {"a": 1}}], "status": "success"}}],
            },
        ],
        "toolConfig": {
            "tools": [
                {"cachePoint": {"type": "default"}},
                {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "x": 1}}}},
                {"systemTool": {"name": "nova_grounding"}},
                {"cachePoint": {"type": "default", "ttl": "1h"}},
            ],
            "toolChoice": {"some_new_choice": {}},
        },
        "outputConfig": {
            "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}", "description": "d"}}}
        },
        "promptVariables": {"a": {"text": "b"}},
    }
    call = parse_request(body, model="m")

    assert [message.role for message in call.messages] == ["system", "user", "assistant", "tool"]
    assert call.tool_choice is None
    assert call.schema is None
    assert call.messages[-1].parts == (
        ToolResult("c", (Text('{"a":1}', {"json": True}),), extra={"toolResult": {"status": "success"}}),
    )
    expected = {**body, "messages": [*body["messages"]]}
    expected["messages"][1] = {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": "c", "name": "f", "input": {"INVALID_JSON": "[1]"}}}],
    }
    assert render_request(call, "m") == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (["hunter2"], "the request must be an object, not list"),
        ({"messages": "hunter2"}, "messages must be a list, not str"),
        ({"messages": ["hunter2"]}, r"messages\[0\] must be an object, not str"),
        ({"messages": [{"role": "hunter2"}]}, r"messages\[0\].role must be one of user, assistant, system"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\].content is missing"),
        ({"messages": [{"role": "user", "content": ["hunter2"]}]}, r"messages\[0\].content\[0\] must be an object"),
        (
            {"messages": [{"role": "user", "content": [{"text": 7}]}]},
            r"messages\[0\].content\[0\].text must be a string",
        ),
        (
            {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [7]}}]}]},
            r"messages\[0\].content\[0\].toolResult.content\[0\] must be an object, not int",
        ),
        ({"system": [7]}, r"system\[0\] must be an object"),
        ({"inferenceConfig": {"maxTokens": "hunter2"}}, "inferenceConfig.maxTokens must be an integer"),
        ({"inferenceConfig": {"stopSequences": [7]}}, r"inferenceConfig.stopSequences\[0\] must be a string"),
        ({"toolConfig": {"tools": ["hunter2"]}}, r"toolConfig.tools\[0\] must be an object"),
        (
            {"toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}},
            r"toolConfig.tools\[0\].toolSpec.inputSchema is missing",
        ),
        ({"toolConfig": {"toolChoice": "hunter2"}}, "toolConfig.toolChoice must be an object"),
        ({"additionalModelRequestFields": "hunter2"}, "additionalModelRequestFields must be an object"),
        (
            {
                "outputConfig": {
                    "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "hunter2"}}}
                }
            },
            "outputConfig.textFormat.structure.jsonSchema.schema must be the JSON text of an object",
        ),
    ],
)
def test_wrong_requests_name_the_field(body: object, message: str) -> None:
    """The error says where, and quotes nothing."""
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        parse_request(body)

    assert "hunter2" not in str(caught.value)

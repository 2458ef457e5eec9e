"""Requests in Gemini's format: what they say, and what they cannot say."""

from __future__ import annotations

import pytest

from aigw.call import Call, Schema
from aigw.errors import ConfigError, NoCapableTarget
from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.gemini import Dialect, parse_request, render_request
from wire.gemini.making import NEWER, OLDER, rendered, traced

USER = Message("user", "hi")
CALLED = Message("assistant", ToolCall("c1", "f", "{}", {"thoughtSignature": "S"}))
PNG = Image("data:image/png;base64,AAAA")


def contents(*messages: Message, model: str = NEWER) -> list[dict]:
    """Render the contents of a call."""
    return render_request(Call(messages=messages), model)["contents"]


def test_little_is_sent_for_little() -> None:
    """The model and the streaming choice stand in the URL; what is not set is not sent."""
    body = render_request(Call(messages=(USER,), model="x", stream=True), NEWER)

    assert body == {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def test_instructions_before_the_conversation_are_joined() -> None:
    """System and developer messages at the start become one instruction, in their order."""
    body, notes = rendered(traced(Message("system", "a"), Message("developer", "b"), USER))

    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert len(body["contents"]) == 1
    assert notes == []


def test_an_instruction_within_the_conversation_keeps_its_place() -> None:
    """It becomes a marked message of the user, and the trace says so."""
    body, notes = rendered(traced(USER, Message("assistant", "a"), Message("system", "b"), USER))

    assert [content["role"] for content in body["contents"]] == ["user", "model", "user", "user"]
    assert [part["text"] for part in body["contents"][2]["parts"]] == ["<system>\n", "b", "\n</system>"]
    assert notes == [("emulated", "a system message within the conversation")]


def test_results_of_one_answer_stand_together() -> None:
    """The API wants all results of an answer in one turn, and the name of each function."""
    called = Message("assistant", (ToolCall("c1", "f", "{}"), ToolCall("c2", "g", '{"a":[1]}')))
    results = [Message("tool", ToolResult("c2", "two")), Message("tool", ToolResult("c1", "no", is_error=True))]
    _, asked, given = contents(USER, called, *results, model=OLDER)

    assert [part["functionCall"] for part in asked["parts"]] == [
        {"id": "c1", "name": "f", "args": {}},
        {"id": "c2", "name": "g", "args": {"a": [1]}},
    ]
    assert given == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "c2", "name": "g", "response": {"output": "two"}}},
            {"functionResponse": {"id": "c1", "name": "f", "response": {"error": "no"}}},
        ],
    }


def test_ids_are_left_out_for_servers_that_refuse_them() -> None:
    """That is a matter of the dialect."""
    messages = (USER, CALLED, Message("tool", ToolResult("c1", "x")))
    body = render_request(Call(messages=messages), NEWER, Dialect(call_ids=False))

    assert body["contents"][1]["parts"][0]["functionCall"] == {"name": "f", "args": {}}
    assert body["contents"][2]["parts"][0]["functionResponse"] == {"name": "f", "response": {"output": "x"}}


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", '{"a": NaN}', "free text"])
def test_arguments_that_are_no_object_are_kept_raw(arguments: str) -> None:
    """Whatever a model wrote goes out and comes back, and the trace says how."""
    body, notes = rendered(traced(USER, Message("assistant", ToolCall("c1", "f", arguments))), OLDER)
    (call,) = parse_request(body).messages[1].tool_calls

    assert body["contents"][1]["parts"][0]["functionCall"]["args"] == {"INVALID_JSON": arguments}
    assert call.arguments == arguments
    assert notes == [("emulated", "arguments of a tool call that are no JSON object")]


def test_a_result_without_its_call_is_refused() -> None:
    """The format wants the name of the function, which only the call tells."""
    lost = Message("tool", ToolResult("c1", "x"))
    named = Message("tool", ToolResult("c1", "x", name="f"))

    with pytest.raises(NoCapableTarget, match="a tool result whose call is not in the conversation"):
        contents(USER, lost)
    assert contents(USER, named)[1]["parts"][0]["functionResponse"]["name"] == "f"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,AA==", {"inlineData": {"mimeType": "image/png", "data": "AA=="}}),
        ("data:text/plain,a%20b", {"inlineData": {"mimeType": "text/plain", "data": "YSBi"}}),
        ("data:,a", {"inlineData": {"mimeType": "text/plain", "data": "YQ=="}}),
        ("https://x/y.JPG?z=1", {"fileData": {"fileUri": "https://x/y.JPG?z=1", "mimeType": "image/jpeg"}}),
        ("gs://b/a.mp4", {"fileData": {"fileUri": "gs://b/a.mp4", "mimeType": "video/mp4"}}),
        ("https://x/files/abc", {"fileData": {"fileUri": "https://x/files/abc"}}),
        ("https://[x/y.png", {"fileData": {"fileUri": "https://[x/y.png"}}),
    ],
)
def test_where_images_and_files_stand(url: str, expected: dict) -> None:
    """Data goes inline, anything else by its URI, with a type where the name tells it."""
    assert contents(Message("user", Image(url)))[0]["parts"] == [expected]
    assert contents(Message("user", File(url)))[0]["parts"] == [expected]


def test_uploaded_files() -> None:
    """Google's own files are found by their name; those of other providers are content that would be lost."""
    (part,) = contents(Message("user", File(file_id="files/abc")))[0]["parts"]

    assert part == {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}}
    with pytest.raises(NoCapableTarget, match="a file that was uploaded to another provider"):
        contents(Message("user", File(file_id="file-abc")))


def test_names_of_files() -> None:
    """They are sent to servers that take them."""
    call = Call(messages=(Message("user", File("data:application/pdf;base64,AA==", name="a.pdf")),))

    for dialect, expected in ((Dialect(), {"displayName": "a.pdf"}), (Dialect(file_names=False), {})):
        (part,) = render_request(call, NEWER, dialect)["contents"][0]["parts"]
        assert part["inlineData"] == {"mimeType": "application/pdf", "data": "AA==", **expected}


def test_images_in_results() -> None:
    """Newer models look at them; for older ones they would be lost."""
    result = Message("tool", ToolResult("c1", (Text("a"), PNG, Text("b"))))
    *_, given = contents(USER, CALLED, result)

    assert given["parts"][0]["functionResponse"] == {
        "id": "c1",
        "name": "f",
        "response": {"output": "a\nb"},
        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
    }
    with pytest.raises(NoCapableTarget, match="an image in a tool result"):
        contents(USER, CALLED, result, model=OLDER)


def test_the_detail_of_an_image() -> None:
    """Newer models take it, older ones are asked without."""
    image = Message("user", Image(PNG.url, "low"))
    newer, _ = rendered(traced(image))
    older, notes = rendered(traced(image), OLDER)

    assert newer["contents"][0]["parts"][0]["mediaResolution"] == {"level": "MEDIA_RESOLUTION_LOW"}
    assert "mediaResolution" not in older["contents"][0]["parts"][0]
    assert notes == [("left out", "the detail of an image")]


def test_tools() -> None:
    """Functions stand in one object, other tools of this format in one each, those of other formats are refused."""
    tools = (
        Tool("f", "does f", {"type": "object"}),
        Tool("g"),
        Tool("googleSearch", extra={"type": "googleSearch", "googleSearch": {}}),
    )
    foreign = Call(messages=(USER,), tools=(Tool("web", extra={"type": "web_search"}),), wire="anthropic_messages")
    functions = [{"name": "f", "description": "does f", "parametersJsonSchema": {"type": "object"}}, {"name": "g"}]

    assert render_request(Call(messages=(USER,), tools=tools), NEWER)["tools"] == [
        {"functionDeclarations": functions},
        {"googleSearch": {}},
    ]
    with pytest.raises(NoCapableTarget, match="a tool of type web_search"):
        render_request(foreign, NEWER)


def test_servers_without_json_schema() -> None:
    """They get the schemas in the older fields."""
    call = Call(messages=(USER,), tools=(Tool("f", parameters={"type": "object"}),), schema=Schema({"type": "string"}))
    body = render_request(call, NEWER, Dialect(json_schema=False))

    assert body["tools"] == [{"functionDeclarations": [{"name": "f", "parameters": {"type": "object"}}]}]
    assert body["generationConfig"]["responseSchema"] == {"type": "string"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ("f", {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_choice_of_tools(choice: str, expected: dict) -> None:
    """Every choice has its mode; without tools there is none."""
    call = Call(messages=(USER,), tools=(Tool("f"),), tool_choice=choice)

    assert render_request(call, NEWER)["toolConfig"] == {"functionCallingConfig": expected}
    assert "toolConfig" not in render_request(call.evolve(tools=()), NEWER)


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [
        (NEWER, "low", {"thinkingLevel": "LOW", "includeThoughts": True}),
        (NEWER, "none", {"thinkingLevel": "MINIMAL"}),
        (NEWER, "max", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-4-argon", "xhigh", {"thinkingLevel": "XHIGH", "includeThoughts": True}),
        ("publishers/google/models/gemini-4-argon", "deep", {"thinkingLevel": "DEEP", "includeThoughts": True}),
        (OLDER, "none", {"thinkingBudget": 0}),
        ("models/" + OLDER, "medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 32768, "includeThoughts": True}),
    ],
)
def test_how_hard_to_think(model: str, reasoning: str, expected: dict) -> None:
    """Levels for newer models, budgets for older ones, and what a model cannot do becomes what is nearest to it."""
    body = render_request(Call(messages=(USER,), reasoning=reasoning), model)

    assert body["generationConfig"] == {"thinkingConfig": expected}


@pytest.mark.parametrize(
    ("model", "reasoning", "noted"),
    [
        (NEWER, "low", []),
        (OLDER, "none", []),
        (OLDER, "high", []),
        (NEWER, "none", [("changed", "reasoning 'none', for MINIMAL")]),
        (NEWER, "xhigh", [("changed", "reasoning 'xhigh', for HIGH")]),
        ("gemini-2.5-pro", "none", [("changed", "reasoning 'none', for 128")]),
    ],
)
def test_another_effort_is_noted(model: str, reasoning: str, noted: list) -> None:
    """Nobody thinks more or less than was asked without a word in the trace."""
    assert rendered(traced(USER, reasoning=reasoning), model)[1] == noted


@pytest.mark.parametrize(
    ("fields", "noted", "config"),
    [
        ({"temperature": 2.5}, "this temperature", None),
        ({"seed": 2**40}, "this seed", None),
        ({"stop": tuple("abcdef")}, "more than 5 stop texts", {"stopSequences": list("abcde")}),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", None),
        ({"tools": (Tool("f", strict=True),)}, "strict tools", None),
        ({"messages": (Message("user", "hi", name="bob"),)}, "the name of a speaker", None),
    ],
)
def test_tuning_that_the_format_cannot_say(fields: dict, noted: str, config: dict | None) -> None:
    """It is left out with a note, unless the target is strict."""
    call = traced(USER).evolve(**fields)
    body, notes = rendered(call)

    assert notes == [("left out", noted)]
    assert body.get("generationConfig") == config
    with pytest.raises(NoCapableTarget, match=noted):
        render_request(call, NEWER, strict=True)


def test_fields_of_other_formats_are_left_out() -> None:
    """Those of the call, of messages and of parts: this server would refuse them."""
    call = Call(
        messages=(Message("user", (Text("a", {"cache_control": {}}), PNG), extra={"x": 1}, wire="anthropic_messages"),),
        extra={"metadata": {}},
        wire="openai_chat",
    )

    assert render_request(call, NEWER) == {
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
            }
        ]
    }


def test_parts_of_other_formats_are_content() -> None:
    """They are refused, and left out only where the target was told not to be strict."""
    call = traced(USER, Message("user", Other({"type": "input_audio"}), wire="openai_chat"))

    with pytest.raises(NoCapableTarget, match="a part that only openai_chat knows"):
        render_request(call, NEWER)
    body, notes = rendered(call, strict=False)
    assert len(body["contents"]) == 1
    assert notes == [("left out", "a part that only openai_chat knows")]


def test_only_text_instructs() -> None:
    """An image in a system message is refused unless it came in this format."""
    message = Message("system", PNG)

    with pytest.raises(NoCapableTarget, match="a system message with an image"):
        contents(message, USER)
    assert render_request(Call(messages=(Message("system", PNG, wire="gemini"),)), NEWER)["systemInstruction"]


def test_extra_goes_over_the_rest() -> None:
    """Objects within objects are joined at any depth."""
    extra = {"generationConfig": {"topK": 4, "thinkingConfig": {"includeThoughts": False}}, "labels": {"a": "b"}}
    body = render_request(Call(messages=(USER,), temperature=1.0, reasoning="low", extra=extra), NEWER)

    assert body["labels"] == {"a": "b"}
    assert body["generationConfig"] == {
        "temperature": 1.0,
        "topK": 4,
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False},
    }


def test_both_spellings_are_read() -> None:
    """Google's examples and its own SDK write names in snake_case here and there."""
    call = parse_request(
        {
            "system_instruction": {"parts": [{"text": "s"}]},
            "contents": [
                {"parts": [{"inline_data": {"mime_type": "image/png", "data": "_-8="}}, {"text": "t"}]},
                {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a_b": 1}}}]},
            ],
            "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"a_b": 1}}]}],
            "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
            "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_level": "low"}},
            "safety_settings": [],
        },
        model=NEWER,
    )

    assert call.messages[0] == Message("system", "s")
    assert call.messages[1] == Message("user", (Image("data:image/png;base64,/+8="), Text("t")))
    assert call.messages[2].tool_calls == (ToolCall("call_0", "f", '{"a_b":1}', {"madeUpId": True}),)
    assert call.tools == (Tool("f", parameters={"a_b": 1}),)
    assert (call.tool_choice, call.max_tokens, call.reasoning) == ("f", 5, "low")
    assert call.extra == {
        "safetySettings": [],
        "generationConfig": {"thinkingConfig": {"includeThoughts": False}},
    }


def test_ids_that_nobody_gave() -> None:
    """They are made up, belong together by name and order, and do not go out again."""
    body = {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}} for name in ("f", "f", "g")]},
            {"role": "function", "parts": [{"functionResponse": {"name": name, "response": {}}} for name in "gffh"]},
        ]
    }
    call = parse_request(body, model=OLDER)
    again = render_request(call, OLDER)

    assert [one.id for one in call.messages[0].tool_calls] == ["call_0", "call_1", "call_2"]
    assert call.messages[1].role == "tool"
    assert [part.id for part in call.messages[1].parts] == ["call_2", "call_0", "call_1", "call_3"]
    assert again["contents"][0] == body["contents"][0]
    assert again["contents"][1]["role"] == "function"
    assert [part["functionResponse"].get("id") for part in again["contents"][1]["parts"]] == [None] * 3 + ["call_3"]


def test_results_of_every_shape() -> None:
    """Any object is read as a text, says whether it is an error, and goes out as it came."""
    responses = [{"output": "a"}, {"error": "b"}, {"temp": 20, "unit": "C"}, {"error": {"code": 5}}, {}, {"output": 1}]
    parts = [{"functionResponse": {"id": "i", "name": "f", "response": response}} for response in responses]
    call = parse_request({"contents": [{"role": "user", "parts": parts}]}, model=OLDER)
    results = call.messages[0].parts

    assert [result.content for result in results] == [
        "a",
        "b",
        '{"temp":20,"unit":"C"}',
        '{"error":{"code":5}}',
        "{}",
        '{"output":1}',
    ]
    assert [result.is_error for result in results] == [False, True, False, True, False, False]
    assert render_request(call, OLDER)["contents"][0]["parts"] == parts


def test_a_changed_result_is_what_goes_out() -> None:
    """The text counts, not a copy of what came: a guard may have masked it."""
    (message,) = parse_request(
        {"contents": [{"parts": [{"functionResponse": {"id": "i", "name": "f", "response": {"a": "secret"}}}]}]}
    ).messages
    (result,) = message.parts
    masked = ToolResult(result.id, '{"a":"***"}', name="f", extra=result.extra)

    assert contents(Message("tool", masked))[0]["parts"][0]["functionResponse"]["response"] == {"a": "***"}


@pytest.mark.parametrize(
    "config",
    [
        {"functionCallingConfig": {"mode": "VALIDATED"}},
        {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}},
        {"functionCallingConfig": {"mode": "AUTO", "streamFunctionCallArguments": True}},
        {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["auto"]}},
        {"retrievalConfig": {}},
    ],
)
def test_choices_that_say_more_stay_as_they_are(config: dict) -> None:
    """They are kept for the same format."""
    body = {"contents": [], "tools": [{"functionDeclarations": [{"name": "f"}]}], "toolConfig": config}
    call = parse_request(body)

    assert call.tool_choice is None
    assert render_request(call, NEWER)["toolConfig"] == config


@pytest.mark.parametrize(
    "config",
    [
        {"thinkingConfig": {"thinkingBudget": 777}},
        {"thinkingConfig": {"thinkingBudget": -1, "includeThoughts": True}},
        {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": False}},
        {"thinkingConfig": {"thinkingBudget": 0}},
        {"thinkingConfig": {"includeThoughts": True}},
        {"responseMimeType": "application/json"},
        {"responseFormat": [{"text": {}}]},
        {"stopSequences": []},
    ],
)
@pytest.mark.parametrize("model", [NEWER, OLDER])
def test_settings_go_through_unchanged(model: str, config: dict) -> None:
    """What says more than `Call` can is kept, and nothing is asked for that the client did not ask for."""
    call = parse_request({"contents": [], "generationConfig": config}, model=model)

    assert render_request(call, model).get("generationConfig") == config


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "the request must be an object, not list"),
        ({}, "contents is missing"),
        ({"contents": {}}, "contents must be a list, not dict"),
        ({"contents": ["secret"]}, "contents[0] must be an object, not str"),
        ({"contents": [{"role": 1}]}, "contents[0].role must be a string, not int"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text must be a string, not int"),
        (
            {"contents": [{"parts": [{"functionCall": {"args": "secret"}}]}]},
            "contents[0].parts[0].functionCall.args must be an object, not str",
        ),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png"}}]}]},
            "contents[0].parts[0].inlineData.data is missing",
        ),
        (
            {"contents": [], "tools": [{"functionDeclarations": [{}]}]},
            "tools[0].functionDeclarations[0].name is missing",
        ),
        ({"contents": [], "generationConfig": {"seed": "secret"}}, "generationConfig.seed must be an integer, not str"),
        ({"contents": [], "generationConfig": {"stopSequences": [1]}}, "stopSequences[0] must be a string, not int"),
        ({"contents": [], "toolConfig": []}, "toolConfig must be an object, not list"),
    ],
)
def test_wrong_requests(body: object, path: str) -> None:
    """The error names the path of the field, and quotes nothing."""
    with pytest.raises(ConfigError) as caught:
        parse_request(body)

    assert path in str(caught.value)
    assert "secret" not in str(caught.value)


def test_readable_thoughts_of_hand_made_messages_are_sent() -> None:
    """The format has a place for them; those that another format gave stay at home."""
    thought = Reasoning("hm")
    body, notes = rendered(
        traced(Message("assistant", (thought, "a")), Message("assistant", (thought, "b"), wire="openai_chat"))
    )

    assert body["contents"][0]["parts"][0] == {"text": "hm", "thought": True}
    assert body["contents"][1]["parts"] == [{"text": "b"}]
    assert notes == [("left out", "reasoning of another provider")]


def test_results_with_media_of_other_kinds() -> None:
    """Images are ours, the others stay as they came."""
    video = {"fileData": {"fileUri": "gs://b/a.mp4", "mimeType": "video/mp4"}}
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    inner = {"id": "i", "name": "f", "response": {"output": "a"}, "parts": [image, video, {"newKind": 1}]}
    body = {"contents": [{"role": "user", "parts": [{"functionResponse": inner}]}]}
    call = parse_request(body, model=NEWER)

    assert call.messages[0].parts[0].content == (Text("a"), PNG)
    assert render_request(call, NEWER)["contents"] == body["contents"]


def test_instructions_as_a_string() -> None:
    """Some clients write them so."""
    assert parse_request({"systemInstruction": "s", "contents": []}).messages == (Message("system", "s"),)


def test_messages_that_hold_nothing_are_left_out() -> None:
    """The server refuses them; nothing is lost."""
    assert contents(USER, Message("assistant"), USER) == contents(USER, USER)


def test_unknown_results_that_may_be_lost() -> None:
    """A target that is not strict sends them under their id."""
    body, notes = rendered(traced(USER, Message("tool", ToolResult("c9", "x"))), strict=False)

    assert body["contents"][1]["parts"][0]["functionResponse"]["name"] == "c9"
    assert notes == [("left out", "a tool result whose call is not in the conversation")]

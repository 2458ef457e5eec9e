"""Conversations in the order and the shape that this format wants, and what cannot be said in it."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.errors import ConfigError, NoCapableTarget
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.anthropic_messages import DEFAULT, WIRE, Dialect, parse_request, render_request
from wire.anthropic_messages.making import MIDDLE, NEW, rendered, traced

HI = Message("user", "hi")
HI_WIRE = {"role": "user", "content": "hi"}
CALL = Message("assistant", ToolCall("c1", "f", "{}"))
CALL_WIRE = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]}
RESULT = Message("tool", ToolResult("c1", "1"))
RESULT_WIRE = {"type": "tool_result", "tool_use_id": "c1", "content": "1"}


def messages(*given: Message, model: str = "m", dialect: Dialect = DEFAULT, **options: object) -> tuple:
    """The rendered ``system`` and ``messages``, and the notes."""
    body, notes = rendered(traced(*given), model, dialect, **options)
    return body.get("system"), body["messages"], notes


def parsed(*given: dict, **fields: object) -> tuple[Message, ...]:
    """The messages of a request."""
    return parse_request({"model": "m", "max_tokens": 1, "messages": list(given), **fields}).messages


def test_the_systems_words_stand_at_the_top() -> None:
    """Leading system and developer messages become the field ``system``: a text, or blocks if there are more."""
    one = messages(Message("system", "a"), HI)
    two = messages(Message("system", ("a", Text("b", {"cache_control": {}}))), Message("developer", "c"), HI)

    assert one == ("a", [HI_WIRE], [])
    assert two[0] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", "cache_control": {}},
        {"type": "text", "text": "c"},
    ]
    assert two[1:] == ([HI_WIRE], [])


def test_a_later_system_message_keeps_its_place_where_the_model_takes_it() -> None:
    """Behind a user's message and before the assistant's, newer models take system messages as they are."""
    given = (HI, Message("system", "s"), Message("developer", "t"), Message("assistant", "a"), HI)

    system, turns, notes = messages(*given, model=NEW)

    assert (system, notes) == (None, [])
    assert turns == [
        HI_WIRE,
        {"role": "system", "content": [{"type": "text", "text": "s"}, {"type": "text", "text": "t"}]},
        {"role": "assistant", "content": "a"},
        HI_WIRE,
    ]


@pytest.mark.parametrize(
    ("model", "given"),
    [
        pytest.param("m", (HI, Message("system", "s")), id="unknown model"),
        pytest.param(MIDDLE, (HI, Message("system", "s", wire=WIRE)), id="older model"),
        pytest.param(NEW, (HI, Message("assistant", "a"), Message("system", "s"), HI), id="behind the assistant"),
        pytest.param(NEW, (HI, Message("assistant", "a"), HI, Message("system", "s"), HI), id="before the user"),
    ],
)
def test_where_it_cannot_stand_it_becomes_text_of_the_user(model: str, given: tuple[Message, ...]) -> None:
    """Otherwise the user says it, marked as the system's, in the same place; and the trace says so."""
    _, turns, notes = messages(*given, model=model)
    said = [turn for turn in turns if "<system>" in str(turn["content"])]

    assert len(said) == 1
    assert said[0]["role"] == "user"
    assert {"type": "text", "text": "<system>\ns\n</system>"} in said[0]["content"]
    assert notes == [("emulated", "a system message within the conversation, as text of the user")]


def test_a_request_of_this_format_keeps_its_system_messages() -> None:
    """What a client of this format wrote goes out as it came, to a server of which nothing else is known."""
    body = {"role": "system", "content": "s"}

    assert messages(*parsed(HI_WIRE, body)) == (None, [HI_WIRE, body], [])


def test_turns_of_one_role_are_one_message() -> None:
    """User and assistant speak in turns; several messages of one are joined, block after block."""
    _, turns, notes = messages(HI, Message("user", "ho"), Message("assistant", "a"), Message("assistant", "b"))

    assert turns == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "text", "text": "ho"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]
    assert notes == []


def test_results_stand_first_and_all_together() -> None:
    """All results of a turn go into one message of the user, before anything that he says."""
    calls = Message("assistant", (ToolCall("c1", "f"), ToolCall("c2", "g")))
    failed = Message("tool", ToolResult("c2", (Text("no"), Image("https://x/y.png")), is_error=True))

    _, turns, _ = messages(HI, calls, RESULT, Message("user", "well?"), failed)

    assert turns[2] == {
        "role": "user",
        "content": [
            RESULT_WIRE,
            {
                "type": "tool_result",
                "tool_use_id": "c2",
                "content": [
                    {"type": "text", "text": "no"},
                    {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                ],
                "is_error": True,
            },
            {"type": "text", "text": "well?"},
        ],
    }


def test_results_and_words_of_one_message_are_read_as_two() -> None:
    """Results have a message of their own in aigw; what else the user said follows in another one."""
    both = {"role": "user", "content": [RESULT_WIRE, {"type": "text", "text": "well?"}]}

    assert parsed(CALL_WIRE, both)[1:] == (RESULT, Message("user", "well?"))
    assert parsed({**both, "new": 1}) == (Message("user", (ToolResult("c1", "1"), Text("well?")), extra={"new": 1}),)


def test_a_conversation_begins_with_the_user() -> None:
    """Where the assistant speaks first, or only the system, the user says something before."""
    note = ("emulated", "a first message of the user")
    begin = {"role": "user", "content": "(The conversation begins.)"}

    assert messages(Message("assistant", "a")) == (None, [begin, {"role": "assistant", "content": "a"}], [note])
    assert messages(Message("system", "s")) == ("s", [begin], [note])


def test_a_request_of_this_format_may_begin_as_it_likes() -> None:
    """What a client of this format wrote goes out as it came."""
    assert messages(*parsed(CALL_WIRE)) == (None, [CALL_WIRE], [])


def test_text_without_words_is_left_out() -> None:
    """The server refuses empty texts, and those of nothing but white space; a message of such texts is none."""
    _, turns, notes = messages(
        HI, Message("assistant", ("\n\n", ToolCall("c1", "f", "{}"))), Message("user", ("", " "))
    )

    assert turns == [HI_WIRE, CALL_WIRE]
    assert notes == [("left out", "text of nothing but white space")] * 2


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        ("  ", {}),
        ("{}", {}),
        ('{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("{broken", {"INVALID_JSON": "{broken"}),
        ("[1]", {"INVALID_JSON": "[1]"}),
        ('{"INVALID_JSON": "x"}', {"INVALID_JSON": "x"}),
        ('{"INVALID_JSON": "{}"}', {"INVALID_JSON": "{}"}),
    ],
)
def test_arguments_become_an_object(arguments: str, sent: dict) -> None:
    """The format wants an object; what is none is wrapped whole, and unwrapped when it comes back."""
    _, turns, _ = messages(HI, Message("assistant", ToolCall("c", "f", arguments)))
    (call,) = parsed(*turns)[1].tool_calls

    assert turns[1]["content"][0]["input"] == sent
    assert messages(HI, Message("assistant", call))[1] == turns


def test_ids_that_the_server_would_refuse_are_changed() -> None:
    """Ids of other providers may hold anything; call and result are changed alike, and missing ids are made up."""
    calls = Message("assistant", (ToolCall("functions.f:0", "f"), ToolCall("", "g"), ToolCall("", "h")))
    results = Message("tool", (ToolResult("functions.f:0"), ToolResult(""), ToolResult("")))

    _, turns, _ = messages(HI, calls, results)

    assert [block["id"] for block in turns[1]["content"]] == ["functions_f_0", "call_0", "call_1"]
    assert [block["tool_use_id"] for block in turns[2]["content"]] == ["functions_f_0", "call_0", "call_1"]


IMAGE = Image.from_bytes(b"x", "image/png")
IMAGE_WIRE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "eA=="}}


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (IMAGE, IMAGE_WIRE),
        (Image("data:image/png,x"), IMAGE_WIRE),
        (Image("https://x/y.png"), {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}),
        (
            Image("https://x/y.png", extra={"source": {"new": 1}, "cache_control": {}}),
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png", "new": 1}, "cache_control": {}},
        ),
        (
            File.from_bytes(b"%PDF", "application/pdf", "a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                "title": "a.pdf",
            },
        ),
        (
            File.from_bytes("Grüße".encode(), "text/plain", "a.txt"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"},
                "title": "a.txt",
            },
        ),
        (File("https://x/a.pdf"), {"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}}),
        (File(file_id="file_1"), {"type": "document", "source": {"type": "file", "file_id": "file_1"}}),
        (File("data:image/png;base64,eA=="), IMAGE_WIRE),
        (Other({"type": "new", "x": 1}), {"type": "new", "x": 1}),
    ],
)
def test_images_and_documents(part: Part, sent: dict) -> None:
    """Every kind of source that the format has is used for what fits it."""
    assert messages(Message("user", part))[1:] == ([{"role": "user", "content": [sent]}], [])


def test_other_text_files_go_as_plain_text() -> None:
    """The format knows no type of text but one; that it is sent as that one is noted."""
    _, turns, notes = messages(Message("user", File.from_bytes(b"a,b", "text/csv", "a.csv")))

    assert turns[0]["content"][0]["source"] == {"type": "text", "media_type": "text/plain", "data": "a,b"}
    assert notes == [("changed", "a file of type text/csv, as plain text")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": {"type": "content", "content": "x"}},
        {"type": "search_result", "content": []},
    ],
)
def test_blocks_that_aigw_does_not_model_go_through(block: dict) -> None:
    """They are kept as they came, and go out again."""
    (read,) = parsed({"role": "user", "content": [block]})

    assert read.parts == (Other(block),)
    assert messages(read)[1] == [{"role": "user", "content": [block]}]


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (Message("user", Image("gs://bucket/x.png")), "an image of this kind"),
        (Message("user", File.from_bytes(b"\xff", "application/zip", "a.zip")), "a file of this kind"),
        (Message("user", File.from_bytes(b"\xff", "text/plain", "a.txt")), "a file of this kind"),
        (Message("user", File("ftp://x/y")), "a file of this kind"),
        (Message("user", File()), "a file of this kind"),
        (Message("user", File(file_id="file-1"), wire="openai_chat"), "a file of this kind"),
        (Message("user", Other({"type": "input_audio"}), wire="openai_chat"), "a part of the type 'input_audio'"),
        (Message("assistant", IMAGE), "an image in a message of the assistant"),
        (Message("system", IMAGE), "an image in a system message"),
    ],
)
def test_content_that_cannot_be_said_is_refused(message: Message, what: str) -> None:
    """A call whose content would be lost is not sent; a target that is not strict sends the rest, with a note."""
    with pytest.raises(NoCapableTarget, match=f"the format anthropic_messages cannot express {what}"):
        messages(message)
    _, _, notes = messages(HI, message, strict=False)

    assert ("left out", what) in notes


def test_what_only_another_format_knows_is_left_out() -> None:
    """Fields of another format would be refused; they are left out, once noted. Hand-written ones are sent."""
    foreign = Message("user", Text("hi", {"x": 1}), extra={"y": 1}, wire="openai_chat")
    own = Message("user", Text("hi", {"x": 1}), extra={"y": 1})

    assert messages(foreign) == (None, [HI_WIRE], [("left out", "fields that only openai_chat knows: x")])
    assert messages(own)[1] == [{"role": "user", "content": [{"type": "text", "text": "hi", "x": 1}], "y": 1}]


def test_names_and_details_are_tuning() -> None:
    """The format knows no names of speakers, nor how closely to look at an image."""
    _, _, notes = messages(Message("user", Image("https://x/y.png", "high"), name="bob"))

    assert notes == [("left out", "the name of a speaker"), ("left out", "the detail of an image")]


THOUGHT = Reasoning("hm", "sig", "anthropic")
THOUGHT_WIRE = {"type": "thinking", "thinking": "hm", "signature": "sig"}


def test_thinking_goes_back_to_its_provider() -> None:
    """Blocks of thinking, readable or not, go back in their order, signature and all."""
    redacted = Reasoning("", "data", "anthropic", {"type": "redacted_thinking"})
    said = Message("assistant", (THOUGHT, redacted, Reasoning("", "only", "anthropic"), Text("a")))
    blocks = [
        THOUGHT_WIRE,
        {"type": "redacted_thinking", "data": "data"},
        {"type": "thinking", "thinking": "", "signature": "only"},
        {"type": "text", "text": "a"},
    ]

    assert messages(HI, said)[1:] == ([HI_WIRE, {"role": "assistant", "content": blocks}], [])
    assert parsed(HI_WIRE, {"role": "assistant", "content": blocks})[1] == said


@pytest.mark.parametrize("provider", ["openai", None])
def test_thinking_of_another_provider_stays_behind(provider: str | None) -> None:
    """A signature means nothing elsewhere; that it is left out is noted once."""
    said = Message("assistant", (Reasoning("hm", "sig", provider), Reasoning("hm", None, provider), Text("a")))

    _, turns, notes = messages(HI, said)

    assert turns[1] == {"role": "assistant", "content": "a"}
    assert notes == [("left out", "reasoning of another provider")]


def test_thinking_without_a_signature() -> None:
    """Servers that sign nothing want it back; Claude models would refuse it."""
    said = Message("assistant", (Reasoning("hm", None, "anthropic"), Reasoning("", None, "anthropic"), Text("a")))
    _, turns, notes = messages(HI, said)
    _, claude, claude_notes = messages(HI, said, model=NEW)

    assert turns[1]["content"][0] == {"type": "thinking", "thinking": "hm", "signature": ""}
    assert len(turns[1]["content"]) == 2
    assert notes == []
    assert claude[1] == {"role": "assistant", "content": "a"}
    assert claude_notes == [("left out", "reasoning without a signature")]


def test_thinking_that_is_read_belongs_to_the_dialects_provider() -> None:
    """A server of another name has its own signatures."""
    dialect = Dialect("deepseek")
    body = {"max_tokens": 1, "messages": [HI_WIRE, {"role": "assistant", "content": [THOUGHT_WIRE]}]}
    call = parse_request(body, dialect)

    assert call.messages[1].parts == (Reasoning("hm", "sig", "deepseek"),)
    assert render_request(call, "m", dialect)["messages"] == body["messages"]


@pytest.mark.parametrize(
    "message",
    [
        Message("tool", "x"),
        Message("user", ToolCall("c", "f")),
        Message("user", THOUGHT),
        Message("assistant", ToolResult("c")),
    ],
)
def test_a_part_in_the_wrong_message_is_an_error(message: Message) -> None:
    """A conversation that makes no sense in any format is the caller's mistake."""
    with pytest.raises(ConfigError, match=r"cannot stand in a message with role"):
        render_request(Call(messages=(message,)), "m")


def test_blocks_in_a_result_that_aigw_does_not_model_go_through() -> None:
    """A result holds text and images; documents and the like go out again after them."""
    inner = [{"type": "text", "text": "a"}, {"type": "search_result", "x": 1}, {"type": "document", "source": {}}]
    result = {"type": "tool_result", "tool_use_id": "c1", "content": inner[:2], "cache_control": {}}
    read = parsed({"role": "user", "content": [result]})[0]

    assert read == Message("tool", ToolResult("c1", (Text("a"),), extra={"content": inner[1:2], "cache_control": {}}))
    assert messages(read)[1][0]["content"] == [result]


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ("hunter2", r"messages\[0\] must be an object"),
        ({"role": "hunter2"}, r"messages\[0\].role must be one of user, assistant, system"),
        ({"role": "user", "content": 7}, r"messages\[0\].content must be a string or a list"),
        ({"role": "user", "content": ["hunter2"]}, r"messages\[0\].content\[0\] must be an object"),
        ({"role": "user", "content": [{"type": "text"}]}, r"messages\[0\].content\[0\].text is missing"),
        ({"role": "user", "content": [{"type": "image"}]}, r"messages\[0\].content\[0\].source is missing"),
        (
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]},
            r"messages\[0\].content\[0\].source.media_type is missing",
        ),
        (
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": 7}}]},
            r"messages\[0\].content\[0\].source.data must be a string",
        ),
        ({"role": "user", "content": [{"type": "tool_result"}]}, r"content\[0\].tool_use_id is missing"),
        (
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": 7}]},
            r"messages\[0\].content\[0\].content must be a list",
        ),
        ({"role": "assistant", "content": [{"type": "tool_use", "id": "c"}]}, r"content\[0\].name is missing"),
        ({"role": "assistant", "content": [{"type": "thinking"}]}, r"content\[0\].thinking is missing"),
        ({"role": "assistant", "content": [{"type": "redacted_thinking"}]}, r"content\[0\].data is missing"),
    ],
)
def test_a_wrong_message_names_the_field(message: object, where: str) -> None:
    """The error names the path of the field, and quotes nothing."""
    with pytest.raises(ConfigError, match=where) as caught:
        parsed(message)

    assert "hunter2" not in str(caught.value)


def test_fields_of_the_systems_message_have_no_place() -> None:
    """The field ``system`` has nothing but blocks; that the others are left out is noted."""
    assert messages(Message("system", "s", extra={"x": 1}), HI) == (
        "s",
        [HI_WIRE],
        [("left out", "fields of a system message")],
    )

"""Whole answers, their counts and the reasons why they ended."""

from __future__ import annotations

import pytest
from hypothesis import given

from aigw.assembly import assemble
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, Overloaded, ProviderError, ServerError
from aigw.message import File, Image, Other, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.wire.anthropic_messages import WIRE, Dialect, parse_response, render_response
from aigw.wire.anthropic_messages.usage import parse_usage, render_usage, usage_rest
from strategies import json_values
from wire.anthropic_messages.making import answer, parts_of

TEXT = {"type": "text", "text": "hi"}


def test_a_plain_answer_is_one_chunk() -> None:
    """Everything that is told stands on it, in aigw's words."""
    assert parse_response(answer(TEXT)) == [
        Chunk("hi", finish_reason="stop", usage=Usage(3, 5), id="msg_1", model="m", wire=WIRE)
    ]


def test_every_block_becomes_a_part_in_its_place() -> None:
    """Text, thinking, calls and whatever else the server has, in the order in which they came."""
    server = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}
    chunks = parse_response(
        answer(
            {"type": "thinking", "thinking": "hm", "signature": "sig", "new": 1},
            {"type": "redacted_thinking", "data": "data"},
            {"type": "text", "text": "Let me see.", "citations": [{"type": "x"}]},
            server,
            {"type": "some_new_block"},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}},
            {"type": "tool_use", "id": "c2", "name": "g", "input": {}},
            reason="tool_use",
        ),
        Dialect("p"),
    )

    assert parts_of(chunks) == (
        Reasoning("hm", "sig", "p", {"new": 1}),
        Reasoning("", "data", "p", {"type": "redacted_thinking"}),
        Text("Let me see.", {"citations": [{"type": "x"}]}),
        Other(server),
        Other({"type": "some_new_block"}),
        ToolCall("c1", "f", '{"a":1}', {"caller": {"type": "direct"}}),
        ToolCall("c2", "g", "{}"),
    )
    assert chunks[-1].finish_reason == "tool_calls"


def test_texts_that_follow_each_other_stay_apart_on_the_wire() -> None:
    """An answer with citations is many texts: one text for the reader, the same blocks for a client of this format."""
    blocks = [TEXT, {"type": "text", "text": " you", "citations": [{"type": "x"}]}, {"type": "text", "text": "!"}]
    chunks = parse_response(answer(*blocks))

    assert assemble(chunks, CallTrace()).text == "hi you!"
    assert render_response(chunks)["content"] == blocks


@pytest.mark.parametrize(
    ("reason", "finish", "extra"),
    [
        ("end_turn", "stop", None),
        ("stop_sequence", "stop", {"stop_reason": "stop_sequence"}),
        ("max_tokens", "length", None),
        ("model_context_window_exceeded", "length", {"stop_reason": "model_context_window_exceeded"}),
        ("tool_use", "tool_calls", None),
        ("refusal", "content_filter", None),
        ("pause_turn", "pause_turn", None),
        ("compaction", "compaction", None),
        ("stop", "stop", {"stop_reason": "stop"}),
        (None, None, None),
    ],
)
def test_finish_reasons(reason: str | None, finish: str | None, extra: dict | None) -> None:
    """The usual words for what every provider has, the provider's own for the rest; a client gets back what came."""
    chunks = parse_response(answer(TEXT, reason=reason))

    assert (chunks[-1].finish_reason, chunks[-1].extra) == (finish, extra)
    assert render_response(chunks)["stop_reason"] == (reason or "end_turn")


def test_unknown_fields_are_kept() -> None:
    """Those of the answer, and those of its usage, each in its place."""
    body = answer(
        TEXT,
        reason="stop_sequence",
        stop_sequence="END",
        stop_details={"type": "refusal"},
        container={"id": "c"},
        usage={
            "input_tokens": 3,
            "output_tokens": 5,
            "service_tier": "standard",
            "output_tokens_details": {"thinking_tokens": 2, "new": 1},
        },
    )
    (chunk,) = parse_response(body)

    assert chunk.extra == {
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "stop_details": {"type": "refusal"},
        "container": {"id": "c"},
        "usage": {"service_tier": "standard", "output_tokens_details": {"new": 1}},
    }
    assert render_response([chunk]) == body


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 5}, Usage(3, 5)),
        (
            {
                "input_tokens": 1,
                "cache_read_input_tokens": 2,
                "cache_creation_input_tokens": 4,
                "output_tokens": 5,
                "output_tokens_details": {"thinking_tokens": 3},
            },
            Usage(7, 5, 2, 4, 3),
        ),
        ({"input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 5}, Usage(2, 5, 2)),
        ({"input_tokens": 3, "cache_read_input_tokens": None, "output_tokens": 5}, Usage(3, 5)),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": 0, "output_tokens": 5}, None),
        ({"input_tokens": 3}, None),
        ({"output_tokens": 5}, None),
        ({"input_tokens": "3", "output_tokens": 5}, None),
        ({"input_tokens": -3, "output_tokens": 5}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_counts(data: object, usage: Usage | None) -> None:
    """Input includes what was read from and written to the cache; what is not told is not zero."""
    assert parse_usage(data) == usage
    if usage is not None:
        assert parse_usage(render_usage(usage)) == usage


@given(json_values)
def test_counts_of_any_shape_do_no_harm(data: object) -> None:
    """Whatever a server writes for its usage, the answer is read."""
    chunks = parse_response(answer(TEXT, usage=data))

    assert chunks[-1].text == "hi"
    assert isinstance(usage_rest(data), dict)


def test_no_usage_is_written_as_zero() -> None:
    """The format insists on numbers; read again they are nothing that was told."""
    rendered = render_response([Chunk("hi")])

    assert rendered["usage"] == {"input_tokens": 0, "output_tokens": 0}
    assert parse_response(rendered)[-1].usage is None


def test_counts_that_do_not_add_up_are_never_negative() -> None:
    """Another provider may count more cached tokens than input."""
    assert render_usage(Usage(1, 1, 5))["input_tokens"] == 0


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ({"content": "hi"}, (Text("hi"),)),
        ({"content": [{"text": "hi"}]}, (Text("hi"),)),
        ({"content": []}, ()),
        ({"content": [{"type": "text", "text": ""}]}, ()),
        ({"content": [{"type": "text", "text": "", "new": 1}]}, (Text("", {"new": 1}),)),
        ({"content": [{"type": "thinking", "thinking": "hm"}]}, (Reasoning("hm", None, "anthropic"),)),
        ({"content": [{"type": "thinking", "thinking": "", "signature": ""}]}, ()),
        ({"content": [{"type": "tool_use", "name": "f"}]}, (ToolCall("call_0", "f", "{}"),)),
        ({"content": [{"type": "tool_use", "id": "c", "name": "f", "input": "{a"}]}, (ToolCall("c", "f", "{a"),)),
        ({"content": [{"type": "tool_use", "id": "c", "name": "f", "input": [1]}]}, (ToolCall("c", "f", "[1]"),)),
    ],
)
def test_servers_that_leave_things_out(body: dict, parts: tuple) -> None:
    """Compatible servers do not write all fields."""
    assert parts_of(parse_response(body)) == parts


@pytest.mark.parametrize(
    "body",
    [
        [],
        "hunter2",
        {},
        {"content": None},
        {"content": 7},
        {"content": ["hunter2"]},
        {"content": [{"type": "text", "text": ["hunter2"]}]},
        {"content": [{"type": ["hunter2"]}]},
        {"content": [], "id": 7},
        {"content": [], "stop_reason": ["hunter2"]},
    ],
)
def test_what_is_no_answer(body: object) -> None:
    """A wrong answer is the provider's fault, and is not quoted."""
    with pytest.raises(BadResponse, match=r"^p/m: the answer is not a message: ") as caught:
        parse_response(body, Dialect("p"), "m")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "hunter2"}}, Overloaded),
        ({"error": {"type": "api_error", "message": "hunter2"}}, ServerError),
        ({"error": "hunter2"}, ServerError),
    ],
)
def test_an_error_under_status_200(error: dict, kind: type[ProviderError]) -> None:
    """It is an error all the same."""
    with pytest.raises(kind) as caught:
        parse_response(error)

    assert type(caught.value) is kind
    assert "hunter2" not in str(caught.value)


def test_an_answer_of_another_format() -> None:
    """What this format has no place for is left out: other answers, foreign fields, parts and signatures."""
    foreign = "gemini"
    chunks = [
        Chunk(reasoning="hm", extra={"part": {"x": 1}, "avg": 1}, wire=foreign),
        Chunk(parts=(Reasoning("", "sig", "gemini", {"thought": True}),), wire=foreign),
        Chunk("hi", extra={"part": {"x": 1}}, wire=foreign),
        Chunk("other", index=1, finish_reason="length", wire=foreign),
        Chunk(parts=(Other({"x": 1}), Text("more", {"x": 1})), wire=foreign),
        Chunk(tool_calls=(ToolCallDelta(3, None, "f", "", {"x": 1}),), wire=foreign),
        Chunk(tool_calls=(ToolCallDelta(3, arguments="{broken"),), wire=foreign),
        Chunk(finish_reason="stop", extra={"stop_reason": "STOP", "usage": {"x": 1}}, usage=Usage(1, 2), wire=foreign),
    ]

    assert render_response(chunks, id="i", model="m") == {
        "id": "i",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "hi"},
            {"type": "text", "text": "more"},
            {"type": "tool_use", "id": "call_0", "name": "f", "input": {"INVALID_JSON": "{broken"}},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


def test_parts_that_came_whole() -> None:
    """Complete texts, thoughts, calls, images and documents become blocks."""
    parts = (
        Reasoning("hm", "sig", "anthropic"),
        Text("a"),
        Text("b"),
        ToolCall("c1", "f", '{"a": 1}'),
        Image("https://x/y.png"),
        File(file_id="file_1"),
        Image("gs://x"),
    )
    rendered = render_response([Chunk(parts=parts)])

    assert rendered["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ]
    assert rendered["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "refusal"), (None, "refusal"), ("content_filter", "refusal"), ("length", "max_tokens")],
)
def test_a_refusal_is_a_text(finish: str | None, reason: str) -> None:
    """The format has no field for it; the stop reason tells."""
    rendered = render_response([Chunk(refusal="I will not."), Chunk(finish_reason=finish)])

    assert rendered["content"] == [{"type": "text", "text": "I will not."}]
    assert rendered["stop_reason"] == reason


def test_no_chunks_are_an_empty_answer() -> None:
    """It is valid all the same."""
    assert render_response([])["content"] == []
    assert render_response([])["stop_reason"] == "end_turn"

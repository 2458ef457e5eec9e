"""Whole answers and single events in the format of OpenAI chat completions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from pydantic_core import from_json, to_json

from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, ProviderRateLimited, QuotaExhausted
from aigw.message import Image, Other
from aigw.wire.openai_chat import Dialect, parse_event, parse_response, render_response
from strategies import whole_answers

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "m-2026",
    "service_tier": "default",
    "system_fingerprint": None,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi", "refusal": None, "annotations": [{"type": "x"}]},
            "logprobs": {"content": [{"token": "hi", "logprob": -0.1}], "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 7,
        "total_tokens": 16,
        "cost": 0.5,
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0},
    },
}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def answer(message: object, **fields: object) -> dict:
    """A whole answer with one choice."""
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **fields}]}


def event(delta: object, **fields: object) -> dict:
    """An event of a stream with one choice."""
    return {"id": "e", "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None, **fields}]}


@settings(deadline=None)
@given(whole_answers())
def test_answers_survive_the_wire(chunks: list[Chunk]) -> None:
    """An answer that was rendered, sent as JSON and read again is the same answer."""
    assert parse_response(from_json(to_json(render_response(chunks)))) == chunks


def test_an_answer_is_read_with_all_that_it_holds() -> None:
    """What aigw models becomes fields; the rest is kept, each layer in its place."""
    assert parse_response(ANSWER) == [
        Chunk(
            text="hi",
            finish_reason="stop",
            usage=Usage(9, 7, reasoning=3),
            id="chatcmpl-1",
            model="m-2026",
            extra={
                "service_tier": "default",
                "choice": {"logprobs": {"content": [{"token": "hi", "logprob": -0.1}], "refusal": None}},
                "message": {"annotations": [{"type": "x"}]},
                "usage": {"cost": 0.5, "completion_tokens_details": {"audio_tokens": 0}},
            },
        )
    ]


def test_an_answer_is_rendered_with_all_that_it_held() -> None:
    """An answer that was read is rendered like the original; what was null is null or left out."""
    rendered = render_response(parse_response(ANSWER), created=1_700_000_000)

    assert rendered == {name: value for name, value in ANSWER.items() if name != "system_fingerprint"}


def test_every_choice_is_a_chunk() -> None:
    """Choices keep their index; usage and what belongs to the whole answer stand on the last."""
    body = {
        "id": "a",
        "tier": 1,
        "choices": [
            {"index": 0, "message": {"content": "x"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": "y"}, "finish_reason": "length"},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }

    assert parse_response(body) == [
        Chunk(text="x", finish_reason="stop", id="a"),
        Chunk(text="y", finish_reason="length", index=1, id="a", usage=Usage(1, 2), extra={"tier": 1}),
    ]


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": 3}])
def test_missing_usage_is_none(usage: object) -> None:
    """No usage, or one that tells nothing, is unknown."""
    (chunk,) = parse_response({**answer({"content": "x"}), "usage": usage})

    assert chunk.usage is None


@pytest.mark.parametrize(
    ("message", "chunk"),
    [
        ({"content": "x", "refusal": None}, Chunk(text="x")),
        ({"content": None, "refusal": "no"}, Chunk(refusal="no")),
        ({"content": None, "tool_calls": [CALL]}, Chunk(tool_calls=(ToolCallDelta(0, "c1", "f", "{}"),))),
        ({"content": "", "tool_calls": None}, Chunk()),
        ({"content": "x", "reasoning_content": "hm"}, Chunk(text="x", reasoning="hm")),
        ({"content": "x", "reasoning": "hm", "reasoning_content": "hm"}, Chunk(text="x", reasoning="hm")),
        ({"content": "x", "reasoning": None, "reasoning_content": ""}, Chunk(text="x")),
        ({"content": "x", "reasoning": {"a": 1}}, Chunk(text="x", extra={"message": {"reasoning": {"a": 1}}})),
        ({"function_call": {"name": "f"}}, Chunk(extra={"message": {"function_call": {"name": "f"}}})),
        ({"content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]}, Chunk(text="xy")),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "y"},
                ]
            },
            Chunk(text="y", reasoning="hm"),
        ),
        (
            {"content": [{"type": "text", "text": "y"}, {"type": "reference", "reference_ids": [1]}]},
            Chunk(text="y", parts=(Other({"type": "reference", "reference_ids": [1]}),)),
        ),
        (
            {"content": [{"type": "text", "text": "y", "citations": [1]}]},
            Chunk(text="y", extra={"part": {"citations": [1]}}),
        ),
        (
            {"content": "", "images": [{"type": "image_url", "image_url": {"url": "data:,x"}}]},
            Chunk(parts=(Image("data:,x"),)),
        ),
        ({"content": "x", "images": "none"}, Chunk(text="x", extra={"message": {"images": "none"}})),
        ({"content": "x", "images": [{}]}, Chunk(text="x", extra={"message": {"images": [{}]}})),
        (
            {"content": "x", "images": [{"type": "image_url"}]},
            Chunk(text="x", extra={"message": {"images": [{"type": "image_url"}]}}),
        ),
        ({"content": [{"type": "text", "text": ""}, "x"]}, Chunk(text="x")),
    ],
)
def test_messages_of_many_servers_are_read(message: dict, chunk: Chunk) -> None:
    """Servers differ in what they send as null, where reasoning stands, and whether content comes in parts."""
    expected = Chunk(
        text=chunk.text,
        reasoning=chunk.reasoning,
        tool_calls=chunk.tool_calls,
        refusal=chunk.refusal,
        finish_reason="stop",
        parts=chunk.parts,
        extra=chunk.extra,
    )

    assert parse_response(answer(message)) == [expected]
    assert parse_response(render_response([expected])) == [expected]


def test_a_dialect_says_where_reasoning_stands() -> None:
    """Reasoning is read from and written to the field that the dialect names; other fields are unknown ones."""
    dialect = Dialect(reasoning_fields=("thoughts",))
    (chunk,) = parse_response(answer({"thoughts": "hm", "reasoning": "x"}), dialect)

    assert (chunk.reasoning, chunk.extra) == ("hm", {"message": {"reasoning": "x"}})
    assert render_response([chunk], dialect=dialect)["choices"][0]["message"]["thoughts"] == "hm"


def test_an_unknown_finish_reason_passes() -> None:
    """A finish reason of tomorrow is handed on as it is."""
    (chunk,) = parse_response(answer({"content": ""}, finish_reason="some_new_reason"))

    assert chunk.finish_reason == "some_new_reason"


@pytest.mark.parametrize(("theirs", "ours"), [("eos", "stop"), ("model_length", "length")])
def test_a_finish_reason_with_another_name(theirs: str, ours: str) -> None:
    """What some servers call differently is called as elsewhere, and goes out in this format as it came."""
    chunks = parse_response(answer({"content": ""}, finish_reason=theirs, seed=1))

    assert chunks == [Chunk(finish_reason=ours, extra={"choice": {"seed": 1, "finish_reason": theirs}})]
    assert render_response(chunks)["choices"][0]["finish_reason"] == theirs
    assert parse_response(render_response(chunks)) == chunks


def test_groq_counts_where_nobody_else_does() -> None:
    """The usage of a stream that was not asked for it stands in a field of its own; elsewhere that means nothing."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "queue_time": 0.1}
    told = parse_event({**event({}), "x_groq": {"id": "req", "usage": usage}})
    silent = parse_event({**event({}), "x_groq": "x"})

    assert told == [Chunk(usage=Usage(1, 2), id="e", model="m", extra={"x_groq": {"id": "req", "usage": usage}})]
    assert silent == [Chunk(id="e", model="m", extra={"x_groq": "x"})]


def test_every_chunk_says_where_it_was_read() -> None:
    """Whole answers, events, contents in parts: all chunks name this format."""
    bodies = [
        ANSWER,
        answer({"content": [{"type": "text", "text": "x"}, {"type": "y"}, {"type": "text", "text": "z"}]}),
    ]
    events = [event({"content": "x"}), {"choices": []}, {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}]
    chunks = [chunk for body in bodies for chunk in parse_response(body)]
    chunks += [chunk for one in events for chunk in parse_event(one)]

    assert {chunk.wire for chunk in chunks} == {"openai_chat"}


def test_a_content_in_parts_keeps_its_order() -> None:
    """Text around a part that aigw does not model stays around it: within a chunk text comes first."""
    reference = {"type": "reference", "reference_ids": [1]}
    content = [{"type": "text", "text": "a"}, reference, "b", {"type": "text", "text": "c", "citations": [1]}]
    chunks = parse_response(answer({"content": content, "tool_calls": [CALL]}))

    assert chunks == [
        Chunk("a", parts=(Other(reference),)),
        Chunk("b"),
        Chunk(
            "c",
            tool_calls=(ToolCallDelta(0, "c1", "f", "{}"),),
            finish_reason="stop",
            extra={"part": {"citations": [1]}},
        ),
    ]
    assert render_response(chunks)["choices"][0]["message"]["content"] == [
        {"type": "text", "text": "a"},
        reference,
        {"type": "text", "text": "b"},
        {"type": "text", "text": "c", "citations": [1]},
    ]


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "it must be an object, not list"),
        (None, "it must be an object, not NoneType"),
        ({}, "choices must be a list, not NoneType"),
        ({"choices": None, "usage": {"prompt_tokens": 1}}, "choices must be a list, not NoneType"),
        ({"choices": {}}, "choices must be a list, not dict"),
        ({"choices": []}, "it has no choices"),
        ({"choices": [SECRET]}, "a choice must be an object, not str"),
        ({"choices": [{"index": 0}]}, "message must be an object, not NoneType"),
        (answer(SECRET), "message must be an object, not str"),
        (answer({"content": 7}), "content must be a list, not int"),
        (answer({"refusal": [SECRET]}), "refusal must be a string, not list"),
        (answer({"tool_calls": {SECRET: 1}}), "tool_calls must be a list, not dict"),
        (answer({"tool_calls": [SECRET]}), "a tool call must be an object, not str"),
        (answer({"tool_calls": [{"function": SECRET}]}), "function must be an object, not str"),
        (answer({}, finish_reason=[SECRET]), "finish_reason is not a string, or index is not an integer"),
        (answer({}, index=SECRET), "finish_reason is not a string, or index is not an integer"),
        ({**answer({}), "id": [SECRET]}, "id or model is not a string"),
        ({**answer({}), "model": 7}, "id or model is not a string"),
    ],
)
def test_what_is_no_answer_is_a_bad_response(body: object, problem: str) -> None:
    """The error says what is wrong and quotes nothing; it names the provider and the model."""
    with pytest.raises(BadResponse) as caught:
        parse_response(body, Dialect(provider="vllm"), "m")

    assert str(caught.value) == f"vllm/m: the answer is not a chat completion: {problem}"


@pytest.mark.parametrize("parse", [parse_response, parse_event])
def test_an_error_inside_an_answer_is_raised_as_what_it_is(parse: object) -> None:
    """An error object under status 200 is classified like a failed request."""
    with pytest.raises(QuotaExhausted) as caught:
        parse({"error": {"message": "m", "code": "insufficient_quota"}, "choices": []}, Dialect(provider="x"), "y")
    with pytest.raises(ProviderRateLimited):
        parse({"error": {"message": "m", "code": 429}})

    assert (caught.value.provider, caught.value.model, caught.value.detail) == ("x", "y", "m")


@pytest.mark.parametrize(
    ("data", "chunk"),
    [
        (event({"content": "hi"}), Chunk(text="hi", id="e", model="m")),
        (event({"role": "assistant"}), Chunk(id="e", model="m")),
        (event({"role": "assistant", "content": ""}), Chunk(id="e", model="m")),
        (event({"content": None}), Chunk(id="e", model="m")),
        (event({}), Chunk(id="e", model="m")),
        (event(None, finish_reason="stop"), Chunk(finish_reason="stop", id="e", model="m")),
        (event({}, finish_reason=""), Chunk(id="e", model="m")),
        (event({"reasoning_content": "hm"}), Chunk(reasoning="hm", id="e", model="m")),
        (event({"content": None, "reasoning": "hm"}), Chunk(reasoning="hm", id="e", model="m")),
        (event({"refusal": "no"}), Chunk(refusal="no", id="e", model="m")),
        (event({"content": "x"}, logprobs=None), Chunk(text="x", id="e", model="m")),
        (
            event({"content": "x"}, logprobs={"content": []}),
            Chunk(text="x", id="e", model="m", extra={"choice": {"logprobs": {"content": []}}}),
        ),
        (
            {**event({"content": "x"}), "obfuscation": "abc", "system_fingerprint": None},
            Chunk(text="x", id="e", model="m", extra={"obfuscation": "abc"}),
        ),
        (
            event({"tool_calls": [{"index": 1, "function": {"arguments": "{"}}]}),
            Chunk(tool_calls=(ToolCallDelta(1, arguments="{"),), id="e", model="m"),
        ),
        (
            event({"tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}, "extra_content": 1}]}),
            Chunk(tool_calls=(ToolCallDelta(0, "c", "f", extra={"extra_content": 1}),), id="e", model="m"),
        ),
        ({"choices": []}, Chunk()),
        ({"choices": [], "prompt_filter_results": [1]}, Chunk(extra={"prompt_filter_results": [1]})),
        ({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}, Chunk(usage=Usage(1, 2))),
        ({"usage": {"prompt_tokens": 1, "completion_tokens": 2}}, Chunk(usage=Usage(1, 2))),
        ({**event({"content": "x"}), "usage": None}, Chunk(text="x", id="e", model="m")),
    ],
)
def test_an_event_is_a_chunk(data: dict, chunk: Chunk) -> None:
    """Every kind of event becomes a chunk with what it carries and nothing else."""
    assert parse_event(data) == [chunk]


def test_an_event_with_several_choices_is_several_chunks() -> None:
    """Each choice of an event is a chunk of its own."""
    data = {"choices": [{"index": 1, "delta": {"content": "x"}}, {"index": 0, "delta": {"content": "y"}}]}

    assert parse_event(data) == [Chunk(text="x", index=1), Chunk(text="y")]


@pytest.mark.parametrize("data", [{"object": "unheard.of", "field": 1}, {"choices": None, "object": "x", "field": 1}])
def test_an_event_that_nobody_has_heard_of(data: dict) -> None:
    """It says nothing, and its fields pass through."""
    assert parse_event(data) == [Chunk(extra={"field": 1})]


@pytest.mark.parametrize("data", [[], "x", {"choices": "x"}, event("x"), event([])])
def test_what_is_no_event_is_a_bad_response(data: object) -> None:
    """Anything that is no chunk of a chat completion is refused."""
    with pytest.raises(BadResponse):
        parse_event(data)


def test_a_stream_renders_as_a_whole_answer() -> None:
    """Pieces of text, reasoning, tool calls, logprobs and annotations are put together, choice by choice."""
    chunks = [
        Chunk(text="a", id="s", model="m", extra={"choice": {"logprobs": {"content": [1], "refusal": None}}}),
        Chunk(text="z", index=1),
        Chunk(text="b", extra={"choice": {"logprobs": {"content": [2]}}, "message": {"x": 1}}),
        Chunk(reasoning="h", tool_calls=(ToolCallDelta(0, "c1", "f", "{"),), extra={"message": {"x": 2}, "tier": 1}),
        Chunk(reasoning="m", tool_calls=(ToolCallDelta(0, arguments="}"),)),
        Chunk(finish_reason="length", index=1),
        Chunk(usage=Usage(1, 2)),
    ]

    assert render_response(chunks) == {
        "id": "s",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "ab",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "tool_calls": [CALL],
                    "x": 2,
                },
                "finish_reason": "tool_calls",  # where the chunks do not say it
                "logprobs": {"content": [1, 2], "refusal": None},
            },
            {
                "index": 1,
                "message": {"role": "assistant", "content": "z", "refusal": None},
                "finish_reason": "length",
                "logprobs": None,
            },
        ],
        "tier": 1,
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def test_an_empty_answer_renders_as_an_empty_text() -> None:
    """Nothing at all is still an answer with one choice, whose content is text."""
    rendered = render_response([], id="a", model="m", created=7)

    assert (rendered["id"], rendered["model"], rendered["created"]) == ("a", "m", 7)
    assert rendered["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "", "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ]

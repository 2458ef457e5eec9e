"""Whole answers: why they ended, what they used, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from aigw.assembly import assemble
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.errors import BadResponse, ContentFiltered, ProviderError, ServerError
from aigw.message import Reasoning, Text
from aigw.trace import CallTrace
from aigw.wire.openai_responses import Dialect, parse_response, render_response

TEXT = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}


def parse(*output: dict, **fields: Any) -> Chunk:
    """Read an answer; return its last chunk."""
    return parse_response({"id": "r", "model": "m", "status": "completed", "output": list(output), **fields})[-1]


def test_a_plain_answer_is_one_chunk() -> None:
    """It has the text, the end, the usage, and who answered."""
    chunks = parse_response(
        {"id": "r", "model": "m", "output": [TEXT], "usage": {"input_tokens": 1, "output_tokens": 2}, "x": 1}
    )
    part = {"pieces": [{"type": "message", "id": "msg_1"}]}

    assert chunks == [
        Chunk("Hello", finish_reason="stop", usage=Usage(1, 2), id="r", model="m", extra={"part": part, "x": 1})
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "completed"}, "stop"),
        ({"status": None}, "stop"),
        ({"status": "completed", "output": [TEXT, CALL]}, "tool_calls"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "output": [TEXT, CALL]},
            "length",
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete", "incomplete_details": {"reason": "something_new"}}, "something_new"),
        ({"status": "incomplete"}, "incomplete"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "queued", "output": []}, "queued"),
    ],
)
def test_why_an_answer_ended(fields: dict, reason: str) -> None:
    """The status and its details are told in the words of all formats, and come back in this one."""
    chunk = parse(TEXT, **fields)
    again = render_response([chunk])

    assert chunk.finish_reason == reason
    assert again["status"] == (fields["status"] or "completed")
    assert again["incomplete_details"] == fields.get("incomplete_details")


@pytest.mark.parametrize(
    ("given", "usage"),
    [
        (None, None),
        ({"input_tokens": 1}, None),
        ({"input_tokens": 1, "output_tokens": -1}, None),
        ({"input_tokens": 1, "output_tokens": 2}, Usage(1, 2)),
        (
            {
                "input_tokens": 5,
                "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 3},
                "total_tokens": 12,
            },
            Usage(5, 7, 2, 1, 3),
        ),
    ],
)
def test_tokens_are_counted(given: dict | None, usage: Usage | None) -> None:
    """What the provider does not tell is not known."""
    assert parse(TEXT, usage=given).usage == usage


def test_counts_that_are_not_known_are_written_as_zero() -> None:
    """The format demands them, and strict clients insist."""
    usage = render_response([Chunk(usage=Usage(1, 2))])["usage"]

    assert usage == {
        "input_tokens": 1,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 3,
    }


def test_counts_that_aigw_does_not_model_are_kept() -> None:
    """They stand beside the usage and go back into it."""
    details = {"cached_tokens": 2, "cache_write_tokens": 1, "cache_write_tokens_details": {"ttl_30m_tokens": 1}}
    given = {"input_tokens": 5, "input_tokens_details": details, "output_tokens": 7, "cost": 0.5}
    chunk = parse(TEXT, usage=given)
    again = render_response([chunk])["usage"]

    assert chunk.extra["usage"] == {
        "cost": 0.5,
        "input_tokens_details": {"cache_write_tokens_details": {"ttl_30m_tokens": 1}},
    }
    assert again["input_tokens_details"] == details
    assert again["cost"] == 0.5


def test_annotations_are_found_beside_the_text() -> None:
    """So are logprobs; citations belong to the text that they stand in."""
    content = [{"type": "output_text", "text": "Hello", "annotations": [{"url": "u"}], "logprobs": [{"token": "t"}]}]
    (part,) = assemble([parse({**TEXT, "content": content})], CallTrace()).first.parts

    assert part.extra["annotations"] == [{"url": "u"}]
    assert part.extra["logprobs"] == [{"token": "t"}]


def test_a_text_that_repeats_the_output_is_not_kept() -> None:
    """A policy that changes the text would not know of it."""
    assert parse(TEXT, output_text="Hello").extra == {"part": {"pieces": [{"type": "message", "id": "msg_1"}]}}


def test_an_empty_text_leaves_no_part() -> None:
    """Some servers send one before a tool call."""
    empty = {**TEXT, "content": [{"type": "output_text", "text": "", "annotations": []}]}

    assert [len(chunk.parts) for chunk in parse_response({"output": [empty, CALL]})] == [0]
    assert parse(empty).finish_reason == "stop"


def test_arguments_may_be_anything() -> None:
    """A model writes them: invalid JSON is kept, and an object is read by those who forget to write it as text."""
    broken, given = {**CALL, "arguments": "{"}, {**CALL, "arguments": {"a": 1}}

    assert parse(broken).tool_calls == (ToolCallDelta(0, "c", "f", "{"),)
    assert parse(given).tool_calls == (ToolCallDelta(0, "c", "f", '{"a":1}'),)
    assert render_response([parse(broken)])["output"][0]["arguments"] == "{"


@pytest.mark.parametrize(
    ("item", "identity"),
    [
        ({"type": "function_call", "name": "f", "id": "fc_1"}, "fc_1"),
        ({"type": "function_call", "name": "f"}, "call_0"),
    ],
)
def test_a_call_always_has_an_id(item: dict, identity: str) -> None:
    """It is that of the item, or made up, where the server gives none for the call."""
    assert parse(item).tool_calls[0].id == identity


def test_reasoning_belongs_to_its_provider() -> None:
    """Its signature goes back to no other."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sig"}
    (chunk,) = parse_response({"output": [item]}, Dialect("azure"))

    assert chunk.parts == (Reasoning("", "sig", "azure", {"id": "rs_1"}),)


def test_reasoning_of_a_shape_that_is_not_known_is_kept() -> None:
    """A list that does not hold texts is kept whole."""
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "picture"}]}

    assert render_response([parse(item)])["output"] == [item]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([], BadResponse),
        ({}, BadResponse),
        ({"output": "hunter2"}, BadResponse),
        ({"output": ["hunter2"]}, BadResponse),
        ({"output": [{"type": "message", "content": "hunter2"}]}, BadResponse),
        ({"output": [{"type": "message", "content": ["hunter2"]}]}, BadResponse),
        ({"output": [{**CALL, "name": 7}]}, BadResponse),
        ({"output": [], "status": 7}, BadResponse),
        ({"output": [], "id": 7}, BadResponse),
        ({"choices": []}, BadResponse),
        ({"status": "failed", "output": [], "error": {"code": "server_error", "message": "hunter2"}}, ServerError),
        ({"status": "failed", "output": [], "error": {"code": "bio_policy", "message": "hunter2"}}, ContentFiltered),
        ({"status": "failed", "output": []}, ServerError),
        ({"error": "hunter2"}, ServerError),
    ],
)
def test_wrong_answers(body: Any, kind: type[ProviderError]) -> None:
    """What is no answer is the provider's fault, named and not quoted."""
    with pytest.raises(kind, match=r"^p/m: ") as caught:
        parse_response(body, Dialect("p"), "m")

    assert type(caught.value) is kind
    assert "hunter2" not in str(caught.value)


def test_places_that_make_no_sense_lose_nothing() -> None:
    """A policy may shorten a text; where its pieces began is then as near as can be."""
    pieces = [{"type": "message", "id": "a", "at": 9}, {"type": "message", "id": "b", "at": 2}, {"type": "message"}, 7]
    chunk = Chunk(parts=(Text("Hello", {"pieces": pieces}),))
    texts = [part["text"] for item in render_response([chunk])["output"] for part in item["content"]]

    assert "".join(texts) == "Hello"

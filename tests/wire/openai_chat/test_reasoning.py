"""Reasoning in answers: read from wherever servers put it, and marked as theirs where they want it back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.assembly import assemble
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import Message, Other, Reasoning, Text, ToolCall
from aigw.trace import CallTrace
from aigw.wire.openai_chat import Dialect, StreamParser, StreamRenderer, parse_message, parse_response, render_message
from strategies import splits
from wire.openai_chat.dialects import DEEPSEEK, MISTRAL, OPENROUTER, thinking_streams

THINKERS = [DEEPSEEK, MISTRAL, OPENROUTER]
CALL = {"index": 0, "id": "abcdeFG12", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def whole(message: dict, dialect: Dialect = DEEPSEEK) -> list[Chunk]:
    """Read a whole answer with this message."""
    return parse_response({"choices": [{"message": message, "finish_reason": "stop"}]}, dialect)


def streamed(*deltas: dict, dialect: Dialect = DEEPSEEK, reason: str | None = "stop") -> list[Chunk]:
    """Read a stream of these deltas; the last one has the finish reason."""
    parser = StreamParser(dialect)
    chunks = []
    for at, delta in enumerate(deltas):
        last = at == len(deltas) - 1
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason if last else None}]}
        chunks += parser.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    return chunks + parser.feed(b"data: [DONE]\n\n") + parser.finish()


def parts(chunks: list[Chunk]) -> tuple:
    """The parts of the answer that chunks make."""
    return assemble(chunks, CallTrace()).first.parts


def thinking(text: str, **fields: object) -> dict:
    """One of Mistral's parts of reasoning."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **fields}


def detail(text: str = "", index: int = 0, **fields: object) -> dict:
    """A piece of one of OpenRouter's blocks of reasoning."""
    return {"type": "reasoning.text", "text": text, "index": index, "format": "anthropic-claude-v1", **fields}


@pytest.mark.parametrize("dialect", THINKERS)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_thinking_streams_survive_the_wire(dialect: Dialect, data: st.DataObject) -> None:
    """What a server's stream said is the same after a trip over the wire, wherever the bytes are cut."""
    chunks = data.draw(thinking_streams(dialect))
    renderer = StreamRenderer(dialect=dialect)
    body = b"".join([*map(renderer.render, chunks), renderer.finish()])
    parser = StreamParser(dialect)
    read = [chunk for piece in data.draw(splits(body)) for chunk in parser.feed(piece)] + parser.finish()

    assert parts(read) == parts(chunks)
    assert [chunk for chunk in read if chunk.text or chunk.finish_reason] == [
        chunk for chunk in chunks if chunk.text or chunk.finish_reason
    ]


@pytest.mark.parametrize("dialect", THINKERS)
def test_an_answer_goes_back_as_it_came(dialect: Dialect) -> None:
    """`Answer.message` is rendered with the reasoning that the server had sent, exactly."""
    sent = {
        "deepseek": {"content": "yes", "reasoning_content": "hm"},
        "mistral": {"content": [thinking("hm", signature="s"), {"type": "text", "text": "yes"}]},
        "openrouter": {"content": "yes", "reasoning": "hm", "reasoning_details": [detail("hm", signature="s")]},
    }[dialect.provider]
    message = assemble(whole({"role": "assistant", **sent, "tool_calls": [CALL]}, dialect), CallTrace()).message
    (back,) = render_message(message, dialect)

    sent.pop("reasoning", None)  # it repeats what the details say

    assert back.pop("tool_calls")[0]["id"] == "abcdeFG12"
    assert back == {"role": "assistant", **sent}


def test_a_whole_answer_is_marked() -> None:
    """Reasoning, its mark, and the rest, in this order."""
    mark = Reasoning("", None, "deepseek")

    assert whole({"content": "yes", "reasoning_content": "hm"}) == [
        Chunk(reasoning="hm"),
        Chunk(parts=(mark,)),
        Chunk("yes", finish_reason="stop"),
    ]
    assert whole({"content": "yes"}) == [Chunk("yes", finish_reason="stop")]


def test_a_server_that_does_not_want_it_back_marks_nothing() -> None:
    """Without `reasoning_back` an answer with reasoning is one chunk."""
    assert whole({"content": "yes", "reasoning": "hm"}, Dialect()) == [
        Chunk("yes", reasoning="hm", finish_reason="stop")
    ]


@pytest.mark.parametrize(
    ("after", "rest"),
    [
        ({"content": "a"}, Chunk("a")),
        ({"tool_calls": [CALL]}, Chunk(tool_calls=(ToolCallDelta(0, "abcdeFG12", "f", "{}"),))),
        ({"refusal": "no"}, Chunk(refusal="no")),
    ],
)
def test_a_block_ends_when_something_else_begins(after: dict, rest: Chunk) -> None:
    """The mark comes before the first output that is no reasoning."""
    chunks = streamed({"reasoning_content": "h"}, {"reasoning_content": "m"}, after, {})

    assert chunks == [
        Chunk(reasoning="h"),
        Chunk(reasoning="m"),
        Chunk(parts=(Reasoning("", None, "deepseek"),)),
        rest,
        Chunk(finish_reason="stop"),
    ]


def test_a_block_ends_with_the_answer() -> None:
    """Reasoning that nothing follows is marked before the finish reason, or at the end where there is none."""
    mark = Chunk(parts=(Reasoning("", None, "deepseek"),))

    assert streamed({"reasoning_content": "h"}, {}) == [Chunk(reasoning="h"), mark, Chunk(finish_reason="stop")]
    assert streamed({"reasoning_content": "h"}, reason=None) == [Chunk(reasoning="h"), mark]


def test_reasoning_and_the_end_in_one_event() -> None:
    """An event that thinks and ends is cut in the right place."""
    assert streamed({"reasoning_content": "h", "content": "a"}) == [
        Chunk(reasoning="h"),
        Chunk(parts=(Reasoning("", None, "deepseek"),)),
        Chunk("a", finish_reason="stop"),
    ]


def test_thinking_between_tool_calls() -> None:
    """Every block is marked, and stands where it came."""
    other = {**CALL, "index": 1, "id": "abcdeFG13"}
    chunks = streamed(
        {"reasoning_content": "a"}, {"tool_calls": [CALL]}, {"reasoning_content": "b"}, {"tool_calls": [other]}, {}
    )

    assert parts(chunks) == (
        Reasoning("a", None, "deepseek"),
        ToolCall("abcdeFG12", "f", "{}"),
        Reasoning("b", None, "deepseek"),
        ToolCall("abcdeFG13", "f", "{}"),
    )


def test_text_after_text_takes_the_short_way_and_still_ends_a_block() -> None:
    """A text like the one before the reasoning is not taken for a part of it."""
    chunks = streamed(
        {"content": "a"}, {"content": "b"}, {"reasoning_content": "r"}, {"content": "c"}, {"content": "d"}, {}
    )

    assert parts(chunks) == (Text("ab"), Reasoning("r", None, "deepseek"), Text("cd"))


def test_several_choices_think_apart() -> None:
    """The block of one choice is not ended by the text of another."""
    events = [
        (0, {"reasoning_content": "a"}),
        (1, {"content": "x"}),
        (0, {"reasoning_content": "b"}),
        (0, {"content": "y"}),
    ]
    parser = StreamParser(DEEPSEEK)
    chunks = []
    for index, delta in events:
        chunks += parser.feed(
            b"data: " + json.dumps({"choices": [{"index": index, "delta": delta}]}).encode() + b"\n\n"
        )
    chunks += parser.feed(b"data: [DONE]\n\n")
    first, second = assemble(chunks, CallTrace()).choices

    assert first.parts == (Reasoning("ab", None, "deepseek"), Text("y"))
    assert second.parts == (Text("x"),)


def test_mistral_thinks_in_the_content() -> None:
    """Parts of type thinking are reasoning, in the order in which they stand among the others."""
    reference = {"type": "reference", "reference_ids": [1]}
    content = [
        thinking("a", signature="1"),
        {"type": "text", "text": "b"},
        reference,
        {"type": "text", "text": "c"},
        thinking("d"),
    ]

    assert parts(whole({"content": content}, MISTRAL)) == (
        Reasoning("a", "1", "mistral"),
        Text("b"),
        Other(reference),
        Text("c"),
        Reasoning("d", None, "mistral"),
    )


def test_two_signatures_are_two_blocks() -> None:
    """A signature ends its block at once, also where another follows."""
    chunks = streamed(
        {"content": [thinking("a")]},
        {"content": [thinking("b", signature="1")]},
        {"content": [thinking("c", signature="2")]},
        {"content": "t"},
        {},
        dialect=MISTRAL,
    )

    assert parts(chunks) == (Reasoning("ab", "1", "mistral"), Reasoning("c", "2", "mistral"), Text("t"))


def test_what_mistral_thinks_with_is_kept() -> None:
    """References within reasoning, and fields that aigw does not model, come back where they were."""
    block = {
        "type": "thinking",
        "thinking": [{"type": "text", "text": "a"}, {"type": "tool_reference", "tool": "x"}],
        "closed": True,
    }
    message = assemble(whole({"content": [block, {"type": "text", "text": "t"}]}, MISTRAL), CallTrace()).message

    assert render_message(message, MISTRAL)[0]["content"] == [block, {"type": "text", "text": "t"}]


@pytest.mark.parametrize(
    "block", [{"type": "thinking"}, {"type": "thinking", "thinking": "a"}, thinking("a", signature=1)]
)
def test_reasoning_of_another_shape_passes(block: dict) -> None:
    """What does not look like reasoning is a part like any other that aigw does not model."""
    assert parts(whole({"content": [block]}, MISTRAL)) == (Other(block),)
    assert parse_message({"role": "assistant", "content": [block]}).parts == (Other(block),)


def test_openrouters_blocks_are_joined_and_kept() -> None:
    """Pieces of one block become that block again; blocks that come whole are left alone."""
    encrypted = {"type": "reasoning.encrypted", "data": "x", "index": 1}
    chunks = streamed(
        {"role": "assistant", "content": ""},
        {"reasoning": "a", "reasoning_details": [detail("a")]},
        {"reasoning": "b", "reasoning_details": [detail("b")]},
        {"content": "", "reasoning_details": [detail(signature="s")]},
        {"content": "", "reasoning_details": [encrypted]},
        {"content": "", "reasoning_details": [encrypted]},
        {"content": "t"},
        {},
        dialect=OPENROUTER,
    )

    assert parts(chunks) == (
        Reasoning("ab", None, "openrouter", {"reasoning_details": [detail("ab", signature="s"), encrypted, encrypted]}),
        Text("t"),
    )


@pytest.mark.parametrize(
    ("pieces", "joined"),
    [
        ([detail("a"), detail("b", 1)], [detail("a"), detail("b", 1)]),
        (
            [detail("a", signature="1"), detail("b", signature="2")],
            [detail("a", signature="1"), detail("b", signature="2")],
        ),
        ([{"type": "reasoning.text", "text": "a"}] * 2, [{"type": "reasoning.text", "text": "a"}] * 2),
        ([detail(None), detail("b")], [detail("b")]),
        ([detail(5), detail("b")], [detail(5), detail("b")]),
        (["a", "b"], ["a", "b"]),
        (
            [
                {"type": "reasoning.summary", "summary": "a", "index": 0},
                {"type": "reasoning.summary", "summary": "b", "index": 0},
            ],
            [{"type": "reasoning.summary", "summary": "ab", "index": 0}],
        ),
    ],
)
def test_only_pieces_of_one_block_are_joined(pieces: list, joined: list) -> None:
    """They follow each other with the same type and index, and no signature has come yet; odd ones are left alone."""
    deltas = [{"reasoning_details": [piece]} for piece in pieces]
    (part,) = parts(streamed(*deltas, {}, dialect=OPENROUTER))

    assert part.extra == {"reasoning_details": joined}


def test_blocks_without_a_text_are_blocks() -> None:
    """Encrypted reasoning has nothing to read, and must go back all the same."""
    encrypted = {"type": "reasoning.encrypted", "data": "x"}

    assert parts(whole({"content": "t", "reasoning_details": [encrypted]}, OPENROUTER)) == (
        Reasoning("", None, "openrouter", {"reasoning_details": [encrypted]}),
        Text("t"),
    )


@pytest.mark.parametrize("details", [[], "x", {}])
def test_details_of_another_shape_stay_where_they_are(details: object) -> None:
    """What is no list of blocks is an unknown field."""
    (chunk,) = whole({"content": "t", "reasoning_details": details}, OPENROUTER)

    assert chunk.extra == {"message": {"reasoning_details": details}}


def test_a_client_may_send_the_blocks_back_itself() -> None:
    """A client that dumps the message of the SDK sends the blocks along; they reach the server unchanged."""
    details = [detail("hm", signature="s")]
    message = parse_message({"role": "assistant", "content": "t", "reasoning": "hm", "reasoning_details": details})

    assert message == Message("assistant", (Reasoning("hm", extra={"reasoning_details": details}), Text("t")))
    assert render_message(message, OPENROUTER)[0]["reasoning_details"] == details


def test_usage_while_thinking_is_not_lost() -> None:
    """Some servers count along: an event with details and usage and nothing else still brings the usage."""
    parser = StreamParser(OPENROUTER)
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    event = {"choices": [{"index": 0, "delta": {"reasoning_details": [detail("a")]}}], "usage": usage}
    chunks = parser.feed(b"data: " + json.dumps(event).encode() + b"\n\n")

    assert chunks == [Chunk(usage=Usage(1, 2))]
    assert parser.feed(b"data: [DONE]\n\n") == [
        Chunk(parts=(Reasoning("", None, "openrouter", {"reasoning_details": [detail("a")]}),))
    ]

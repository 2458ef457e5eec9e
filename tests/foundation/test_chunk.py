"""`Chunk` and `Usage`: what counts as output, and how pieces are put together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.chunk import Chunk, Ranked, ToolCallDelta, Usage, Verdict, join_text, join_tool_calls
from aigw.message import Reasoning, ToolCall
from foundation.any_values import chunks, usages


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk("x"),
        Chunk(reasoning="x"),
        Chunk(tool_calls=(ToolCallDelta(0),)),
        Chunk(refusal="x"),
        Chunk(parts=(Reasoning("", "signature"),)),
        Chunk(vectors=((1.0,),)),
        Chunk(ranking=(Ranked(0, 0.5),)),
        Chunk(verdicts=(Verdict(flagged=False),)),
    ],
)
def test_output_of_any_kind_is_output(chunk):
    """Whatever the application gets is output: after it nothing is retried."""
    assert chunk.has_output is True


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk(),
        Chunk(finish_reason="stop"),
        Chunk(usage=Usage(1, 1)),
        Chunk(id="a", model="m", extra={"x": 1}, index=2, wire="openai_chat"),
    ],
)
def test_what_is_no_output(chunk):
    """The frame of an answer is no output: role, ids, finish reason, usage."""
    assert chunk.has_output is False


@given(usages, usages)
def test_usage_adds_up(first, second):
    """Counts are added; one that is not known on one side is that of the other, and a guess stays a guess."""
    total = first + second

    assert (total.input, total.output) == (first.input + second.input, first.output + second.output)
    assert total.total == first.total + second.total
    assert total.estimated is (first.estimated or second.estimated)
    for name in ("cached", "cache_written", "reasoning"):
        known = [value for value in (getattr(first, name), getattr(second, name)) if value is not None]
        assert getattr(total, name) == (sum(known) if known else None)


def test_unknown_counts_are_not_zero():
    """What a provider does not tell is ``None``, also in a sum."""
    assert (Usage(1, 2) + Usage(3, 4)).cached is None
    assert (Usage(1, 2) + Usage(3, 4, cached=0)).cached == 0
    assert Usage(1, 2).total == 3


@given(st.lists(chunks, max_size=4), st.integers(0, 3))
def test_the_text_of_one_answer(given_chunks, index):
    """`join_text` joins the text of one of several answers and leaves the others out."""
    assert join_text(given_chunks, index) == "".join(chunk.text for chunk in given_chunks if chunk.index == index)
    assert join_text(given_chunks) == join_text(given_chunks, 0)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=5), st.data())
def test_tool_calls_are_put_together_however_they_were_cut(pieces, data):
    """The pieces of two tool calls may come mixed in any way: each call gets all of its own, in order."""
    first = [ToolCallDelta(0, arguments=piece) for piece in pieces]
    second = [ToolCallDelta(1, arguments=piece.upper()) for piece in pieces]
    first[0] = ToolCallDelta(0, "a", "f", pieces[0])
    second[0] = ToolCallDelta(1, "b", "g", pieces[0].upper())
    turns = data.draw(st.permutations([first] * len(first) + [second] * len(second)))
    mixed = [turn.pop(0) for turn in turns]
    together = tuple(Chunk(tool_calls=(delta,)) for delta in mixed)

    expected = (ToolCall("a", "f", "".join(pieces)), ToolCall("b", "g", "".join(piece.upper() for piece in pieces)))
    assert join_tool_calls(together) == expected
    assert join_tool_calls([Chunk(tool_calls=tuple(mixed))]) == expected


def test_tool_calls_of_one_answer():
    """Calls of other answers are left out, calls come in the order of their index, and extra fields are joined."""
    given_chunks = [
        Chunk(tool_calls=(ToolCallDelta(1, "b", "g"),)),
        Chunk(tool_calls=(ToolCallDelta(0, "x", "other"),), index=1),
        Chunk(tool_calls=(ToolCallDelta(0, "a", "f", "{", {"k": 1}), ToolCallDelta(0, arguments="}", extra={"j": 2}))),
    ]

    assert join_tool_calls(given_chunks) == (ToolCall("a", "f", "{}", {"k": 1, "j": 2}), ToolCall("b", "g"))
    assert join_tool_calls(given_chunks, 1) == (ToolCall("x", "other"),)
    assert join_tool_calls(given_chunks) == join_tool_calls(given_chunks, 0)
    assert join_tool_calls([]) == ()
    assert join_tool_calls([Chunk(tool_calls=(ToolCallDelta(0, arguments="{}"),))]) == (ToolCall("", "", "{}"),)

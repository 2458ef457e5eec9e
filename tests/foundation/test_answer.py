"""`Answer` and `Embeddings`: what is made of the chunks of a call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.answer import Answer, Choice, Embeddings, assemble, assemble_embeddings
from aigw.chunk import Chunk, ToolCallDelta, Usage
from aigw.message import Message, Reasoning, Text, ToolCall
from aigw.trace import CallTrace

TRACE = CallTrace("c-1")


def test_an_answer_of_many_chunks():
    """Pieces are joined, the last finish reason and usage count, the first id and model do, extra fields are joined."""
    answer = assemble(
        [
            Chunk(id="a-1", model="m", extra={"x": 1}),
            Chunk(reasoning="h", usage=Usage(1, 0)),
            Chunk(reasoning="m", signature="s1"),
            Chunk("Hel", signature="s2"),
            Chunk("lo", tool_calls=(ToolCallDelta(0, "c", "f", "{"),), extra={"y": 2}),
            Chunk(tool_calls=(ToolCallDelta(0, arguments="}"),), refusal="no"),
            Chunk(finish_reason="stop", id="a-2", model="other"),
            Chunk(usage=Usage(1, 2)),
        ],
        TRACE,
    )
    calls = (ToolCall("c", "f", "{}"),)

    assert answer.choices == (Choice("Hello", "hm", "no", calls, "stop", "s1s2", 0),)
    assert (answer.usage, answer.id, answer.model) == (Usage(1, 2), "a-1", "m")
    assert answer.extra == {"x": 1, "y": 2}
    assert answer.trace is TRACE


def test_the_first_choice_speaks_for_the_answer():
    """`text` and the like are those of the first choice."""
    calls = (ToolCall("c", "f"),)
    answer = Answer((Choice("t", "r", "no", calls, "stop", "s"), Choice("other", index=1)))

    assert (answer.text, answer.reasoning, answer.refusal) == ("t", "r", "no")
    assert (answer.tool_calls, answer.finish_reason, answer.first.index) == (calls, "stop", 0)
    assert answer.message == Message("assistant", (Reasoning("r", "s"), Text("t"), *calls))


def test_an_answer_without_choices():
    """Where nothing came, everything is empty, and what is not known is ``None``."""
    answer = assemble([], TRACE)

    assert (answer.choices, answer.text, answer.reasoning, answer.refusal) == ((), "", "", "")
    assert (answer.tool_calls, answer.finish_reason, answer.usage, answer.cost) == ((), None, None, None)
    assert answer.message == Message("assistant")


def test_several_answers_stay_apart():
    """Chunks of several answers, mixed, become one choice each, in the order of their index."""
    mixed = [
        Chunk("b", index=1),
        Chunk("a"),
        Chunk("B", index=1),
        Chunk("A"),
        Chunk(finish_reason="stop"),
        Chunk(finish_reason="length", index=1),
    ]
    choices = assemble(mixed, TRACE).choices

    assert [(choice.index, choice.text, choice.finish_reason) for choice in choices] == [
        (0, "aA", "stop"),
        (1, "bB", "length"),
    ]


@given(
    st.builds(
        Chunk,
        text=st.text(max_size=3),
        reasoning=st.text(max_size=3),
        refusal=st.text(max_size=3),
        finish_reason=st.sampled_from(["stop", "length"]),
        usage=st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
        tool_calls=st.just(()) | st.just((ToolCallDelta(0, "c", "f", "{}"),)),
        id=st.none() | st.just("a-1"),
        extra=st.none() | st.just({"x": 1}),
    )
)
def test_one_chunk_is_a_complete_answer(chunk):
    """An answer that is one chunk is the same as one that came in pieces."""
    assert assemble([chunk], TRACE) == assemble([chunk, Chunk()], TRACE)
    assert assemble([chunk], TRACE, parsed={"a": 1}).parsed == {"a": 1}


@pytest.mark.parametrize(
    ("choice", "parts"),
    [
        (Choice(), ()),
        (Choice("t"), (Text("t"),)),
        (Choice(signature="s"), (Reasoning("", "s"),)),
        (Choice("t", "r"), (Reasoning("r"), Text("t"))),
        (Choice(tool_calls=(ToolCall("c", "f"),)), (ToolCall("c", "f"),)),
    ],
)
def test_an_answer_goes_on_as_a_message(choice, parts):
    """The message of an answer has its reasoning with the signature, its text and its tool calls, in that order."""
    assert choice.message == Message("assistant", parts)


def test_embeddings():
    """The vectors of all chunks in order, the last usage, the first model."""
    pieces = [
        Chunk(vectors=((1.0,),), model="m", usage=Usage(1)),
        Chunk(vectors=((2.0,), (3.0,)), usage=Usage(3)),
        Chunk(),
    ]

    assert assemble_embeddings(pieces, TRACE) == Embeddings(((1.0,), (2.0,), (3.0,)), Usage(3), None, "m")
    assert assemble_embeddings(pieces, TRACE).trace is TRACE
    assert assemble_embeddings([], TRACE) == Embeddings()

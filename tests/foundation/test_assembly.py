"""From chunks to answers, vectors, rankings and verdicts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.answer import Answer, Choice, Embeddings, Ranking, Verdicts
from aigw.assembly import assemble, assemble_embeddings, assemble_ranking, assemble_verdicts
from aigw.chunk import Chunk, Ranked, ToolCallDelta, Usage, Verdict
from aigw.message import Image, Message, Other, Reasoning, Text, ToolCall
from aigw.trace import CallTrace

TRACE = CallTrace("c-1")
BLOCK = Other({"type": "server_tool_use"})


def parts(*chunks):
    """The parts of the one answer that these chunks make."""
    (choice,) = assemble(chunks, TRACE).choices
    return choice.parts


def signed(signature, **extra):
    """The end of a block of reasoning."""
    return Chunk(parts=(Reasoning("", signature, "anthropic", extra),))


def call(index, identity=None, name=None, arguments=""):
    """A piece of a tool call."""
    return Chunk(tool_calls=(ToolCallDelta(index, identity, name, arguments),))


def test_an_answer_of_many_chunks():
    """Pieces are joined, the last finish reason and usage count, the first id and model do, extra fields are joined."""
    answer = assemble(
        [
            Chunk(id="a-1", model="m", extra={"x": 1}),
            Chunk(reasoning="h", usage=Usage(1, 0)),
            Chunk(reasoning="m"),
            Chunk("Hel", wire="openai_chat"),
            Chunk("lo", tool_calls=(ToolCallDelta(0, "c", "f", "{"),), extra={"y": 2}),
            Chunk(tool_calls=(ToolCallDelta(0, arguments="}"),), refusal="no"),
            Chunk(finish_reason="stop", id="a-2", model="other"),
            Chunk(usage=Usage(1, 2)),
        ],
        TRACE,
    )

    assert answer.choices == (Choice((Reasoning("hm"), Text("Hello"), ToolCall("c", "f", "{}")), "no", "stop"),)
    assert answer.first.wire == "openai_chat"
    assert (answer.usage, answer.id, answer.model) == (Usage(1, 2), "a-1", "m")
    assert answer.extra == {"x": 1, "y": 2}
    assert answer.trace is TRACE


def test_an_answer_without_chunks():
    """Where nothing came there is no choice."""
    assert assemble([], TRACE) == Answer()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([Chunk("a", reasoning="r")], (Reasoning("r"), Text("a")), id="reasoning comes first in a chunk"),
        pytest.param(
            [Chunk("a", reasoning="r", tool_calls=(ToolCallDelta(0, "c", "f"),), parts=(BLOCK,))],
            (Reasoning("r"), Text("a"), ToolCall("c", "f"), BLOCK),
            id="and whole parts last",
        ),
        pytest.param(
            [Chunk("a"), Chunk(reasoning="r"), Chunk("b")], (Text("a"), Reasoning("r"), Text("b")), id="mixed"
        ),
        pytest.param(
            [Chunk("a"), Chunk(parts=(BLOCK,)), Chunk("b")], (Text("a"), BLOCK, Text("b")), id="around a block"
        ),
        pytest.param(
            [Chunk("a"), call(0, "c", "f", "{"), Chunk("b"), call(0, arguments="}")],
            (Text("a"), ToolCall("c", "f", "{}"), Text("b")),
            id="a tool call stands where it began",
        ),
        pytest.param(
            [Chunk("a", parts=(Image("data:,"),)), Chunk("b")], (Text("a"), Image("data:,"), Text("b")), id="an image"
        ),
        pytest.param([Chunk(parts=(Text("a"), Text("b")))], (Text("a"), Text("b")), id="whole texts are not joined"),
        pytest.param([Chunk(), Chunk(finish_reason="stop")], (), id="nothing"),
    ],
)
def test_parts_stand_in_the_order_in_which_they_began(chunks, expected):
    """Text, reasoning, tool calls and whole parts keep their places, however they are mixed."""
    assert parts(*chunks, Chunk(finish_reason="stop")) == expected


def test_a_signature_completes_the_reasoning_before_it():
    """A reasoning without text brings the signature, the provider and more fields of the block that just came."""
    assert parts(Chunk(reasoning="h"), Chunk(reasoning="m"), signed("s", id="r-1"), Chunk("a")) == (
        Reasoning("hm", "s", "anthropic", {"id": "r-1"}),
        Text("a"),
    )


def test_a_signature_in_the_same_chunk():
    """A whole answer may have the reasoning and its signature in one chunk."""
    whole = Chunk(reasoning="hm", parts=(Reasoning("", "s", "anthropic"),))

    assert parts(whole, Chunk("a")) == (Reasoning("hm", "s", "anthropic"), Text("a"))


def test_several_blocks_of_reasoning_stay_apart():
    """Each block has its own text and signature; a signature without a text is a block of its own."""
    chunks = [
        Chunk(reasoning="a"),
        signed("1"),
        Chunk(reasoning="b"),
        signed("2"),
        signed("3"),
        Chunk("t"),
        signed("4"),
    ]

    assert parts(*chunks) == (
        Reasoning("a", "1", "anthropic"),
        Reasoning("b", "2", "anthropic"),
        Reasoning("", "3", "anthropic"),
        Text("t"),
        Reasoning("", "4", "anthropic"),
    )


def test_reasoning_with_a_text_of_its_own_is_whole():
    """A reasoning that came whole completes nothing."""
    assert parts(Chunk(reasoning="a"), Chunk(parts=(Reasoning("b", "s"),))) == (Reasoning("a"), Reasoning("b", "s"))


def test_interleaved_tool_calls_are_put_together():
    """Pieces of several calls may come mixed; the calls stand in the order of their index."""
    chunks = [
        call(1, "b", "g", "["),
        call(0, "a", "f", "{"),
        Chunk("t"),
        call(1, arguments="]"),
        call(0, arguments="}"),
    ]

    assert parts(*chunks) == (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"), Text("t"))


def test_unknown_fields_of_a_part_stay_with_it():
    """Fields under ``part`` go to the text or reasoning that is being written; lists grow, else the last counts."""
    answer = assemble(
        [
            Chunk(reasoning="r", extra={"part": {"k": 1}}),
            Chunk("a", extra={"part": {"citations": [1], "x": 1}}),
            Chunk("b", extra={"part": {"citations": [2, 3], "x": 2}, "top": True}),
            Chunk(extra={"part": {"citations": [4]}}),
        ],
        TRACE,
    )

    assert answer.first.parts == (
        Reasoning("r", extra={"k": 1}),
        Text("ab", {"citations": [1, 2, 3, 4], "x": 2}),
    )
    assert answer.extra == {"top": True}


def test_unknown_fields_are_kept_when_the_signature_comes():
    """A signature adds its fields to those that the reasoning had."""
    assert parts(Chunk(reasoning="r", extra={"part": {"k": 1}}), signed("s", id="x")) == (
        Reasoning("r", "s", "anthropic", {"k": 1, "id": "x"}),
    )


def test_unknown_fields_without_a_part():
    """Fields that came before any text are kept on an empty one."""
    assert parts(Chunk(extra={"part": {"k": 1}}, finish_reason="stop")) == (Text("", {"k": 1}),)


def test_several_answers_stay_apart():
    """Chunks of several answers, mixed, become one choice each, in the order of their index."""
    mixed = [
        Chunk("b", index=1),
        Chunk("a"),
        Chunk(reasoning="r", index=1),
        Chunk(parts=(Reasoning("", "s"),), index=1),
        Chunk("A"),
        Chunk(finish_reason="stop"),
        Chunk(finish_reason="length", index=1),
    ]

    assert assemble(mixed, TRACE).choices == (
        Choice((Text("aA"),), finish_reason="stop"),
        Choice((Text("b"), Reasoning("r", "s")), finish_reason="length", index=1),
    )


def test_the_answer_goes_on_as_a_message():
    """The message has the parts in their order and knows the format whose fields they hold."""
    answer = assemble([Chunk(reasoning="r", wire="gemini"), signed("s"), call(0, "c", "f")], TRACE)

    assert answer.message == Message("assistant", (Reasoning("r", "s", "anthropic"), ToolCall("c", "f")))
    assert answer.message.wire == "gemini"


chunks_of_one = st.builds(
    Chunk,
    text=st.text(max_size=3),
    reasoning=st.text(max_size=3),
    refusal=st.text(max_size=3),
    finish_reason=st.sampled_from(["stop", "length"]),
    usage=st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
    tool_calls=st.just(()) | st.just((ToolCallDelta(0, "c", "f", "{}"),)),
    parts=st.just(()) | st.just((BLOCK, Reasoning("", "s"))),
    id=st.none() | st.just("a-1"),
    extra=st.none() | st.just({"x": 1, "part": {"y": [2]}}),
    wire=st.sampled_from(["", "openai_chat"]),
)


@given(chunks_of_one)
def test_one_chunk_is_a_complete_answer(chunk):
    """An answer that is one chunk is the same as one that came in pieces."""
    alone, longer = assemble([chunk], TRACE), assemble([chunk, Chunk()], TRACE)

    assert alone == longer
    assert alone.first.wire == longer.first.wire == chunk.wire
    assert assemble([chunk], TRACE, parsed={"a": 1}).parsed == {"a": 1}


@given(st.lists(chunks_of_one, min_size=1, max_size=4))
def test_no_two_neighbours_could_be_one(chunks):
    """Texts that follow each other are one text, and so is reasoning that no signature has ended."""
    said = assemble(chunks, TRACE).first.parts

    assert not [pair for pair in pairwise(said) if type(pair[0]) is type(pair[1]) is Text]
    assert "".join(part.text for part in said if type(part) is Text) == "".join(chunk.text for chunk in chunks)


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


def test_a_ranking():
    """The documents of all chunks in order, the last usage, the first model, all unknown fields."""
    best, next_best = Ranked(1, 0.9, "text"), Ranked(0, 0.1)
    pieces = [Chunk(ranking=(best,), model="m", extra={"x": 1}), Chunk(ranking=(next_best,), usage=Usage(3))]

    assert assemble_ranking(pieces, TRACE) == Ranking((best, next_best), Usage(3), None, "m", extra={"x": 1})
    assert assemble_ranking(pieces, TRACE).trace is TRACE
    assert assemble_ranking([], TRACE) == Ranking()


def test_verdicts():
    """The verdicts of all chunks in order, the last usage, the first model, all unknown fields."""
    bad, good = Verdict(flagged=True, categories={"hate": True}, scores={"hate": 0.9}), Verdict(flagged=False)
    pieces = [Chunk(verdicts=(bad,), model="m", extra={"x": 1}), Chunk(verdicts=(good,), extra={"y": 2})]

    assert assemble_verdicts(pieces, TRACE) == Verdicts((bad, good), None, None, "m", extra={"x": 1, "y": 2})
    assert assemble_verdicts(pieces, TRACE).trace is TRACE
    assert assemble_verdicts([], TRACE) == Verdicts()

"""`Answer` and its like: what the application reads off them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.answer import Answer, Choice, Verdicts
from aigw.chunk import Usage, Verdict
from aigw.message import Image, Message, Other, Reasoning, Text, ToolCall
from foundation.any_values import parts

CALLS = (ToolCall("c", "f"), ToolCall("d", "g", "{}"))


def test_the_first_choice_speaks_for_the_answer():
    """`text` and the like are those of the first choice."""
    first = Choice((Reasoning("r", "s"), Text("t"), *CALLS), "no", "stop", wire="anthropic_messages")
    answer = Answer((first, Choice((Text("other"),), index=1)))

    assert (answer.text, answer.reasoning, answer.refusal) == ("t", "r", "no")
    assert (answer.tool_calls, answer.finish_reason, answer.first) == (CALLS, "stop", first)
    assert answer.message == Message("assistant", first.parts)
    assert answer.message.wire == "anthropic_messages"


def test_an_answer_without_choices():
    """Where nothing came, everything is empty, and what is not known is ``None``."""
    answer = Answer()

    assert (answer.choices, answer.text, answer.reasoning, answer.refusal) == ((), "", "", "")
    assert (answer.tool_calls, answer.finish_reason, answer.usage, answer.cost) == ((), None, None, None)
    assert answer.estimated_usage is None
    assert answer.message == Message("assistant")


@given(st.lists(parts, max_size=5))
def test_what_a_choice_says(given_parts):
    """`text`, `reasoning` and `tool_calls` gather the parts of their kind, in order; the message has all of them."""
    choice = Choice(tuple(given_parts), wire="w")

    assert choice.text == "".join(part.text for part in given_parts if part.type == "text")
    assert choice.reasoning == "".join(part.text for part in given_parts if part.type == "reasoning")
    assert choice.tool_calls == tuple(part for part in given_parts if part.type == "tool_call")
    assert choice.message == Message("assistant", given_parts)
    assert choice.message.wire == "w"


def test_parts_that_are_none_of_these_stay_in_their_place():
    """Blocks that aigw does not model, and images, go on with the conversation where they stood."""
    choice = Choice((Text("a"), Other({"type": "x"}), Text("b"), Image("data:,")))

    assert choice.text == "ab"
    assert choice.message.parts == choice.parts


def test_where_a_choice_was_read_is_no_difference():
    """The wire format of a choice does not count when choices are compared."""
    assert Choice((Text("a"),), wire="gemini") == Choice((Text("a"),))


def test_a_guess_is_not_the_usage():
    """The guess at the tokens stands beside the usage, never in its place."""
    answer = Answer(estimated_usage=Usage(1, 2, estimated=True))

    assert answer.usage is None
    assert answer.estimated_usage.estimated


@pytest.mark.parametrize(
    ("verdicts", "flagged"),
    [
        ((), False),
        ((Verdict(flagged=False),), False),
        ((Verdict(flagged=False), Verdict(flagged=True)), True),
    ],
)
def test_verdicts_are_flagged_if_one_is(verdicts, flagged):
    """One input in which something was found is enough."""
    assert Verdicts(verdicts).flagged is flagged

"""Models that are asked what is wrong with a text."""

from __future__ import annotations

import pytest

from aigw import AnswerBlocked, Guard, Message, PromptBlocked, Target, Verdict
from aigw.chunk import Chunk
from aigw.guards import LlamaGuard, ModerationModel
from aigw.testing import ScriptedProvider


def verdicts(call):
    """Judge as a moderation model would."""
    return Chunk(
        verdicts=tuple(
            Verdict(
                "anvil" in text,
                {"violence": "anvil" in text, "hate": False},
                {"violence": 0.8 if "anvil" in text else 0.1},
            )
            for text in call.inputs
        )
    )


def test_a_moderation_model_is_asked(face):
    """About prompts in one request, and about the answer; its own target serves it, with the fence of the call."""
    judge = ScriptedProvider.repeat(verdicts, name="judge")
    one = face("a fine answer", Guard(ModerationModel(Target(judge))))

    assert one.chat([Message("user", "one"), Message("user", "two")]).text == "a fine answer"
    assert [call.inputs for call in judge.calls] == [("one", "two"), ("a fine answer",)]
    with pytest.raises(PromptBlocked, match="VIOLENCE in user"):
        one.chat("an anvil", tags="x")
    assert judge.calls[-1].messages == ()


@pytest.mark.parametrize(
    ("options", "blocked"), [({"categories": ["hate"]}, False), ({"threshold": 0.5}, True), ({"threshold": 0.9}, False)]
)
def test_categories_and_thresholds_of_a_moderation_model(face, options, blocked):
    """Only what was asked for counts."""
    one = face("fine", Guard(ModerationModel(Target(ScriptedProvider.repeat(verdicts)), **options)))
    if blocked:
        with pytest.raises(PromptBlocked):
            one.chat("an anvil")
    else:
        assert one.chat("an anvil").text == "fine"


@pytest.mark.parametrize(
    ("told", "kinds"), [("safe", []), ("\n\nunsafe\nS1,S9", ["S1", "S9"]), ("UNSAFE", ["UNSAFE"]), ("safe\n", [])]
)
def test_llama_guard_is_asked(face, told, kinds):
    """It says safe, or unsafe with the categories."""
    one = face("fine", Guard(LlamaGuard(Target(ScriptedProvider.repeat(told))), where="user"))
    if kinds:
        with pytest.raises(PromptBlocked, match=f"{kinds[0]} in user"):
            one.chat("hello")
    else:
        assert one.chat("hello").text == "fine"


@pytest.mark.parametrize("told", ["I cannot tell", "", RuntimeError])
def test_a_judge_that_makes_no_sense_fails_closed(face, told):
    """As any detector that fails."""
    one = face("fine", Guard(LlamaGuard(Target(ScriptedProvider.repeat(told))), where="user"))
    with pytest.raises(PromptBlocked, match="a detector failed: LlamaGuard"):
        one.chat("hello")


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        ("unsafe S1, s9", ["S1", "S9"]),
        ("unsafe<|eot_id|>\nO3", ["O3"]),
        ("Unsafe.\n\nviolence", ["UNSAFE"]),
        ("safe to say: unsafe", None),
        ("unsafe maybe", None),
    ],
)
def test_what_llama_guard_may_say(face, told, kinds):
    """A verdict and categories; what is neither is a failure."""
    one = face("fine", Guard(LlamaGuard(Target(ScriptedProvider.repeat(told))), where="user"))
    with pytest.raises(PromptBlocked, match=f"{kinds[0]} in user" if kinds else "a detector failed"):
        one.chat("hello")


def test_categories_are_named_in_any_case(face):
    """What is flagged for no reason that is told counts for all; what was not asked for does not."""
    judge = Target(ScriptedProvider.repeat(verdicts))
    with pytest.raises(PromptBlocked, match="VIOLENCE in user"):
        face("fine", Guard(ModerationModel(judge, categories=["Violence"]), where="user")).chat("an anvil")

    assert face("unsafe\nS1", Guard(LlamaGuard(judge, categories=["s9"]), where="tools")).chat("hi").text
    unnamed = Target(ScriptedProvider.repeat(Chunk(verdicts=(Verdict(flagged=True, categories={}, scores={}),))))
    with pytest.raises(PromptBlocked, match="FLAGGED in user"):
        face("fine", Guard(ModerationModel(unnamed, categories=["hate"]), where="user")).chat("an anvil")


def test_many_texts_are_asked_about_in_several_requests(face):
    """As providers take only so many in one."""
    judge = ScriptedProvider.repeat(verdicts, name="judge")
    one = face("fine", Guard(ModerationModel(Target(judge)), where="user"))

    assert one.chat([Message("user", f"text {number}") for number in range(70)]).text == "fine"
    assert [len(call.inputs) for call in judge.calls] == [32, 32, 6]


def test_every_category_of_an_answer_counts(face):
    """One that is only flagged does not hide one that blocks, although it is surer, in the same place."""

    def both(call):
        return Chunk(verdicts=tuple(Verdict(True, {"a": True, "b": True}, {"a": 0.9, "b": 0.5}) for _ in call.inputs))

    judge = ModerationModel(Target(ScriptedProvider.repeat(both)))
    one = face("fine", Guard(judge, where="answer", action={"B": "block", "*": "flag"}))
    with pytest.raises(AnswerBlocked, match="B in answer"):
        one.chat("hello")

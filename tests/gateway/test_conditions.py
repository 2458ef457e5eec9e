"""``Fallback(on=…)`` in whole gateways: verdicts of guards and answers that break their schema, on both faces."""

from __future__ import annotations

import pytest

from aigw import AnswerBlocked, BadResponse, ContentFiltered, Fallback, Guard, Retry, Target
from aigw.testing import FakeClock, ScriptedProvider
from guards.codes import Codes

CODE = "K-123-456"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


def target(name, outcome, *policies):
    """Make a target whose every call has the same outcome."""
    return Target(ScriptedProvider.repeat(outcome), name=name, policies=policies)


def guarded(name, text):
    """Make a target that says this, and whose answers may hold no code."""
    return target(name, text, Guard(Codes(), where="answer", action="block"))


def tried(trace):
    """Return the targets that were asked."""
    return [attempt.target for attempt in trace.attempts]


def ask(gateway, stream):
    """Ask; return the text and the targets that were asked."""
    if stream:
        reading = gateway.stream()
        reading.rest()
        return reading.text, tried(reading.trace)
    answer = gateway.chat()
    return answer.text, tried(answer.trace)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_an_answer_that_a_guard_has_blocked(face, stream):
    """With ``on=[AnswerBlocked]`` the next choice is asked; without it the verdict is the end."""
    bad, good = guarded("bad", CODE), guarded("good", "fine")

    assert ask(face({"r": Fallback(bad, good, on=[AnswerBlocked])}), stream) == ("fine", ["bad", "good"])
    with pytest.raises(AnswerBlocked):
        ask(face({"r": Fallback(bad, good)}), stream)


def test_all_answers_are_blocked(face):
    """Then it is told of each of them, and nothing is tried again."""
    gateway = face({"r": Fallback(guarded("a", CODE), guarded("b", CODE), on=[AnswerBlocked])}, [Retry(3)])
    with pytest.raises(ExceptionGroup) as caught:
        gateway.chat()

    assert [type(error) for error in caught.value.exceptions] == [AnswerBlocked] * 2
    assert tried(caught.value.trace) == ["a", "b"]


@pytest.mark.parametrize("text", ['{"n": "seven"}', '{"m": 7}', "seven", "[]"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_an_answer_that_breaks_a_plain_schema(face, text, stream):
    """With ``on=["schema"]`` the next choice is asked, for a schema that is a dict as well."""
    gateway = face({"r": Fallback(target("a", text), target("b", '{"n": 7}'), on=["schema"])})
    if stream:
        reading = gateway.stream(schema=SCHEMA)
        reading.rest()
        found, trace = reading.text, reading.trace
    else:
        answer = gateway.chat(schema=SCHEMA)
        found, trace = answer.text, answer.trace

    assert found == '{"n": 7}'
    assert tried(trace) == ["a", "b"]


def test_without_a_condition_a_broken_schema_is_an_error(face):
    """The message tells where it breaks, and quotes nothing of the answer."""
    with pytest.raises(BadResponse, match=r"does not fit the schema: n \(type\)$") as caught:
        face({"r": target("a", '{"n": "a secret"}')}).chat(schema=SCHEMA)

    assert "secret" not in str(caught.value)


def test_a_model_that_cannot_keep_to_a_schema_is_tried_again(face):
    """Judged inside of `Retry`, an answer that does not fit is a failure like others: the same model may do better."""
    provider = ScriptedProvider("seven", '{"n": 7}')
    answer = face({"r": Fallback(Target(provider), on=["schema"])}, [Retry(2)], clock=FakeClock()).chat(schema=SCHEMA)

    assert answer.parsed == {"n": 7}


def test_several_conditions_at_once(face):
    """Each of them moves on by itself."""
    choices = [
        target("filtered", ContentFiltered("refused", status=400)),
        guarded("blocked", CODE),
        target("broken", "seven"),
        target("poor", '{"n": 1}'),
        target("good", '{"n": 7}'),
    ]
    conditions = [ContentFiltered, AnswerBlocked, "schema", lambda answer: "1" in answer.text]
    answer = face({"r": Fallback(*choices, on=conditions)}).chat(schema=SCHEMA)

    assert answer.parsed == {"n": 7}
    assert tried(answer.trace) == ["filtered", "blocked", "broken", "poor", "good"]

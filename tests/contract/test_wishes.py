"""Whatever a call wishes for: the request says it, or the trace says what became of it. Nothing is lost in silence."""

from __future__ import annotations

import pytest

from aigw.errors import NoCapableTarget
from contract.bench import answered, ask
from contract.endpoints import every_endpoint
from contract.exceptions import expected
from contract.said import Said
from contract.wishes import WISHES, Outcome

every_wish = pytest.mark.parametrize("name", WISHES)
ANSWER = Said(text='{"name": "Oslo", "people": 700000}')
NOTED = {outcome.value: outcome for outcome in (Outcome.EMULATED, Outcome.CHANGED, Outcome.LEFT_OUT)}


def granted(endpoint, name, **target):
    """Ask with a wish; return what became of it, and the call."""
    wish = WISHES[name]
    said = ANSWER if "schema" in name else Said(also=("And another.",)) if "n" in wish.options else Said()
    asked = ask(endpoint, said, prompt=wish.prompt, target=endpoint.target(**target), **wish.options)
    if isinstance(asked.error, NoCapableTarget):
        assert asked.transport.bodies == []
        assert any(word in str(asked.error) for word in wish.names), str(asked.error)
        return Outcome.REFUSED, asked
    assert asked.error is None, asked.error
    noted = [NOTED[action] for action, what in asked.notes if any(word in what for word in wish.names)]
    if not noted:
        assert wish.said(asked.request), f"{name} is lost in silence"
        return Outcome.SAID, asked
    return noted[0], asked


@every_endpoint
@every_wish
def test_a_wish(endpoint, name):
    """It is granted, or the trace tells what is sent in its place; which of the two is written down in a table.

    At a strict target nothing at all may be lost: what would be left out is refused. A target that may lose content
    refuses nothing: what would be refused is left out, and the trace tells.
    """
    wish, usual = WISHES[name], expected(endpoint, name)
    outcome, asked = granted(endpoint, name)
    strict, _ = granted(endpoint, name, strict=True)
    lenient, lost = granted(endpoint, name, strict=False)

    assert outcome is usual
    assert strict is (Outcome.REFUSED if usual is Outcome.LEFT_OUT else usual)
    assert lenient is (Outcome.LEFT_OUT if usual is Outcome.REFUSED else usual)
    assert lost.answer.choices
    if outcome is Outcome.EMULATED:
        assert wish.is_hinted_at(asked.body)
    if lenient is Outcome.LEFT_OUT:
        assert not wish.said(lost.request)


@every_endpoint
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_a_schema_is_held(endpoint, streamed):
    """An answer that fits is parsed."""
    schema = WISHES["a schema"].options["schema"]
    answer = answered(endpoint, ANSWER, schema=schema, streamed=streamed).answer

    assert answer.parsed == {"name": "Oslo", "people": 700000}


@every_endpoint
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_several_answers(endpoint, streamed):
    """Where a provider gives several, each is a choice of its own."""
    if expected(endpoint, "several answers") is not Outcome.SAID:
        return
    said = Said(also=("And another.",))
    answer = answered(endpoint, said, n=2, streamed=streamed).answer

    assert [choice.text for choice in answer.choices] == [said.text, "And another."]
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert [choice.finish_reason for choice in answer.choices] == ["stop", "stop"]

"""What a call says that a format cannot: refused, or left out with a note, never lost in silence."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.errors import NoCapableTarget
from aigw.testing import FakeClock, make_call
from aigw.trace import Decision
from aigw.wire.losses import Losses

WIRE = "some_format"
EXTRA = {"top_k": 5, "cache": True}


def losses(strict=None) -> tuple[Losses, Call]:
    """The losses of a call, and the call with the trace in which they are noted."""
    call = make_call("a secret of the user")
    return Losses(call, WIRE, strict), call


def notes(call: Call) -> list[tuple[str, str, str]]:
    """What the trace says: who, what, why."""
    return [(decision.by, decision.action, decision.reason) for decision in call.trace.decisions]


@pytest.mark.parametrize("strict", [None, True])
def test_content_is_refused(strict) -> None:
    """What the model should read or do is not left out, unless the target was told so."""
    lost, call = losses(strict)
    with pytest.raises(NoCapableTarget) as caught:
        lost.content("an image in a tool result")

    assert str(caught.value) == "the format some_format cannot express an image in a tool result"
    assert caught.value.policy == WIRE
    assert notes(call) == []


def test_content_is_left_out_where_the_target_says_so() -> None:
    """A target that is not strict goes on without it, and the trace says so."""
    lost, call = losses(strict=False)
    lost.content("an image in a tool result")

    assert notes(call) == [(WIRE, "left out", "an image in a tool result")]


@pytest.mark.parametrize("strict", [None, False])
def test_tuning_is_left_out_with_a_note(strict) -> None:
    """A parameter that only tunes the answer is left out, and the trace says so."""
    lost, call = losses(strict)
    lost.tuning("seed")
    lost.tuning("top_p")

    assert notes(call) == [(WIRE, "left out", "seed"), (WIRE, "left out", "top_p")]


def test_a_strict_target_refuses_to_lose_tuning() -> None:
    """Told to be strict, a target loses nothing at all."""
    lost, call = losses(strict=True)
    with pytest.raises(NoCapableTarget, match=r"^the format some_format cannot express seed$"):
        lost.tuning("seed")

    assert notes(call) == []


@pytest.mark.parametrize("strict", [None, True, False])
def test_a_note_is_no_loss(strict) -> None:
    """What is said in another way is noted, however strict the target is; with the time since the call began."""
    clock = FakeClock(start=10)
    call = make_call(clock=clock)
    clock.advance(0.5)
    Losses(call, WIRE, strict).note("schema", "emulated")

    assert call.trace.decisions == (Decision(0.5, WIRE, "emulated", "schema"),)


def test_without_a_trace_nothing_is_noted() -> None:
    """A call that was made by hand has no trace, and loses what it loses."""
    Losses(Call(), WIRE).tuning("seed")


@pytest.mark.parametrize("origin", ["", WIRE])
def test_own_fields_may_be_sent(origin: str) -> None:
    """Fields of this format, and those that the user wrote by hand, go out as they are."""
    lost, call = losses(strict=True)

    assert lost.own(EXTRA, origin) is EXTRA
    assert notes(call) == []


def test_fields_of_another_format_are_left_out_with_one_note() -> None:
    """They would be refused; the note names them, and is written once for a call."""
    lost, call = losses()

    assert [lost.own(EXTRA, "gemini"), lost.own({"x": 1}, "gemini")] == [{}, {}]
    assert notes(call) == [(WIRE, "left out", "fields that only gemini knows: cache, top_k")]


def test_no_fields_are_no_loss() -> None:
    """Where there is nothing, nothing is noted."""
    lost, call = losses()

    assert lost.own({}, "gemini") == {}
    assert notes(call) == []


@pytest.mark.parametrize(("origin", "known"), [("", True), (WIRE, True), ("gemini", False)])
def test_parts_of_another_format_mean_nothing_here(origin: str, known) -> None:
    """A part that aigw does not model means something to the format that it came from, and to who wrote it."""
    assert losses()[0].knows(origin) is known

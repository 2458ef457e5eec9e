"""An attempt that cannot finish before the deadline is not started, once that is known, on both faces."""

from __future__ import annotations

import pytest

from aigw import Balance, Breaker, Deadline, DeadlineExceeded, Fallback, Overloaded, Retry, Target
from aigw.mechanics.first_chunks import LASTS, LEAST
from aigw.testing import FakeClock, ScriptedProvider

SLOW, QUICK = 2.0, 0.1


class Race:
    """A slow and a quick provider, of which the gateway knows the slow one after some streams."""

    def __init__(self, face, tree, *policies):
        self.slow = ScriptedProvider.repeat([SLOW, "slow"], name="slow")
        self.quick = ScriptedProvider.repeat([QUICK, "quick"], name="quick")
        self.clock = FakeClock()
        slow = Target(self.slow, policies=[Breaker()])
        self.face = face({"smart": tree(slow, Target(self.quick)), "slow": slow}, policies, clock=self.clock)

    def learn(self, streams=LEAST):
        """Let the gateway learn how slow the slow one is."""
        for _ in range(streams):
            self.face.read(model="slow")

    def ask(self, timeout, *, stream, model="smart"):
        """Ask with so much time; return the text and what the trace tells of attempts that were not started."""
        if stream:
            reading = self.face.stream(model=model, timeout=timeout)
            reading.rest()
            text, trace = reading.text, reading.trace
        else:
            answer = self.face.chat(model=model, timeout=timeout)
            text, trace = answer.text, answer.trace
        return text, [note.reason for note in trace.decisions if note.action == "not started"]


both_kinds = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@both_kinds
def test_nothing_is_sent_that_cannot_finish(face, stream):
    """The call fails at once, and the error and the trace tell why."""
    race = Race(face, Fallback)
    race.learn()
    with pytest.raises(DeadlineExceeded, match=r"1 s are left, and slow takes 2 s") as caught:
        race.ask(1.0, stream=stream, model="slow")

    assert len(race.slow.calls) == LEAST
    assert caught.value.trace.attempts == ()
    assert [note.action for note in caught.value.trace.decisions] == ["not started"]


@both_kinds
@pytest.mark.parametrize(
    "tree", [Fallback, lambda *members: Balance(*members, by="priority")], ids=["fallback", "pool"]
)
def test_a_quicker_target_is_taken(face, stream, tree):
    """Where another one is quick enough, or nothing is known of it, it serves the call."""
    race = Race(face, tree, Deadline(60))
    race.learn()
    text, notes = race.ask(1.0, stream=stream)

    assert text == "quick"
    assert notes == ["1 s are left, and slow takes 2 s to begin an answer"]
    assert race.ask(3.0, stream=stream) == ("slow", [])


@both_kinds
def test_never_without_knowledge(face, stream):
    """A few streams tell nothing, and what was seen a while ago tells nothing of now."""
    race = Race(face, Fallback)
    race.learn(LEAST - 1)
    race.ask(1.0, stream=stream, model="slow")
    race.learn()
    race.clock.advance(LASTS + 1)
    race.ask(1.0, stream=stream, model="slow")

    assert len(race.slow.calls) == 2 * LEAST + 1


def test_a_retry_that_has_no_time_left_goes_elsewhere(face):
    """What is left of the time after a failure decides where the next attempt goes."""
    race = Race(face, lambda slow, quick: Balance(Target(flaky, name="flaky"), slow, quick, by="priority"), Retry(3))
    race.learn()
    text, notes = race.ask(2.5, stream=True)

    assert text == "quick"
    assert notes == ["1.5 s are left, and slow takes 2 s to begin an answer"]


flaky = ScriptedProvider.repeat([1.0, Overloaded], name="flaky")

"""Targets that cannot serve a call are skipped, and where none can, the error says what is missing where."""

from __future__ import annotations

import pytest

from aigw import AllTargetsFailed, Gateway
from aigw.errors import ConfigError, NoCapableTarget, Overloaded
from aigw.message import Image, Message
from aigw.policies import Retry
from aigw.providers.capabilities import Capabilities
from aigw.routing import Balance, Fallback, Target
from aigw.runtime import drive
from aigw.testing import ScriptedProvider, make_call

PICTURE = Message("user", ["What is this?", Image("data:image/png;base64,AAAA")])
BLIND = {"vision": False}


def provider(name, outcome="hello"):
    """Make a provider that always does the same."""
    return ScriptedProvider.repeat(outcome, name=name)


class WithoutWords:
    """A provider whose wire format cannot say the call."""

    name = "mute"
    where = "nowhere"

    def __init__(self):
        self.asked = 0

    def check(self):
        """Be content."""

    def refusal(self, call, model):
        """Tell it beforehand."""
        return "the format mute cannot express an image"

    async def send(self, call, model):
        """Tell it when asked."""
        self.asked += 1
        raise NoCapableTarget("the format mute cannot express an image", policy="mute")


def ask(node, **options):
    """Ask with a picture."""
    return Gateway({"r": node}).chat(PICTURE, **options)


def test_a_target_that_cannot():
    """Nothing is sent; the error names the target and what it lacks."""
    blind = provider("blind")
    with pytest.raises(NoCapableTarget, match=r"^blind lacks vision$") as caught:
        ask(Target(blind, capabilities=BLIND))

    assert blind.calls == []
    assert caught.value.status == 400
    assert caught.value.trace.attempts == ()


@pytest.mark.parametrize("by", ["weighted", "round_robin", "least_busy"])
def test_a_balance_leaves_out_who_cannot(by):
    """However it chooses, and whatever the weights."""
    blind, seeing = provider("blind"), provider("seeing")
    node = Balance(Target(blind, weight=100, capabilities=BLIND), Target(seeing), by=by)
    for _ in range(5):
        ask(node)

    assert (len(blind.calls), len(seeing.calls)) == (0, 5)


def test_a_fallback_skips_who_cannot():
    """The trace says who was skipped, and why."""
    blind, seeing = provider("blind"), provider("seeing")
    answer = ask(Fallback(Target(blind, capabilities=BLIND), Target(seeing)))

    assert answer.text == "hello"
    assert blind.calls == []
    assert [(one.action, one.reason) for one in answer.trace.decisions] == [("skipped", "blind lacks vision")]


def test_when_nobody_can():
    """The error says of each target what it lacks, through all levels of the tree."""
    tree = Fallback(
        Balance(
            Target(provider("a"), capabilities=BLIND),
            Target(provider("b"), capabilities={"vision": False, "tools": False}),
        ),
        Target(provider("c"), capabilities={"max_output": 10}),
    )
    with pytest.raises(NoCapableTarget) as caught:
        ask(tree, max_tokens=20, tools=[{"type": "function", "function": {"name": "f"}}])

    assert str(caught.value) == "a lacks vision; b lacks vision, tools; c lacks max output (20 of 10 tokens)"


def test_when_those_who_can_fail():
    """The group has the failures, and who was skipped."""
    tree = Fallback(Target(provider("blind"), capabilities=BLIND), Target(provider("busy", Overloaded("no"))))
    with pytest.raises(AllTargetsFailed) as caught:
        ask(tree)

    assert [type(error) for error in caught.value.exceptions] == [NoCapableTarget, Overloaded]


def test_a_balance_goes_on_when_a_format_has_no_words():
    """A refusal of the wire format is no failure: nothing was sent, and another member is asked at once."""
    mute, seeing = WithoutWords(), provider("seeing")
    answer = ask(Balance(Target(mute, weight=100), Target(seeing)))

    assert answer.text == "hello"
    assert mute.asked <= 1


def test_a_balance_of_formats_without_words():
    """Each is asked once, and the error tells all of them."""
    one, two = WithoutWords(), WithoutWords()
    node = Balance(Target(one, name="one"), Target(two, name="two"))
    with pytest.raises(
        NoCapableTarget, match=r"one: the format mute cannot .*two: the format mute cannot|two: .*one: "
    ):
        ask(node)

    assert (one.asked, two.asked) == (1, 1)


def test_retry_does_not_try_again_what_cannot_be():
    """A call that nobody can serve fails at once."""
    mute = WithoutWords()
    with pytest.raises(NoCapableTarget):
        Gateway({"r": Target(mute)}, policies=[Retry(attempts=5)]).chat(PICTURE)

    assert mute.asked == 1


def test_explain_tells_it_beforehand():
    """What a model lacks and what a format cannot say, without sending anything."""
    mute = WithoutWords()
    gateway = Gateway(
        {"r": Fallback(Target(provider("blind"), capabilities=BLIND), Target(mute), Target(provider("x")))}
    )

    assert [target.problem for target in gateway.explain(PICTURE).targets] == [
        "blind lacks vision",
        "the format mute cannot express an image",
        "",
    ]
    assert mute.asked == 0


def test_what_is_known_can_be_overridden():
    """The data of the library is a start; the user knows his own deployment better."""
    known = Target("openai/gpt-3.5-turbo").capabilities
    mine = Target("openai/gpt-3.5-turbo", capabilities={"vision": True}).capabilities

    assert known.vision is False
    assert mine.vision is True
    assert mine.context_window == known.context_window
    assert Target(provider("p"), capabilities=Capabilities(tools=False)).capabilities.tools is False


def test_an_override_that_makes_no_sense():
    """The target and the name are told."""
    with pytest.raises(ConfigError, match=r"^Target\('p'\): capabilities: there is no 'visoin'; did you mean 'vision'"):
        Target(provider("p"), capabilities={"visoin": True})


def test_parameters_that_a_model_refuses_are_left_out():
    """With a note in the trace; where the target is strict, the call is refused instead."""
    asked = provider("p")
    answer = Gateway({"r": Target(asked, capabilities={"rejects": {"temperature"}})}).chat(
        "hi", temperature=0.5, seed=1
    )

    assert (asked.calls[0].temperature, asked.calls[0].seed) == (None, 1)
    assert [(one.by, one.action) for one in answer.trace.decisions] == [("capabilities", "left out")]


def test_a_strict_target_refuses_them():
    """What would be left out elsewhere is a NoCapableTarget."""
    target = Target("openai/x", api_key="k", strict=True, capabilities={"rejects": {"temperature"}})
    with pytest.raises(NoCapableTarget, match=r"^openai/x lacks temperature"):
        drive(target(make_call("hi", temperature=0.5)))

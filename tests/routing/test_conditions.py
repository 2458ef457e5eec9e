"""``Fallback(on=…)`` and prompts that are too long: what else moves on."""

from __future__ import annotations

import pytest

import aigw
from aigw.call import Schema
from aigw.errors import (
    AllTargetsFailed,
    BadResponse,
    ConfigError,
    ContentFiltered,
    ContextTooLong,
    Overloaded,
    StreamInterrupted,
)
from aigw.routing import Balance, Fallback, Target
from aigw.runtime import drive
from aigw.testing import ScriptedProvider, make_call
from testing.faces import both_faces, read_all, run

WHOLE_NUMBER = Schema({"type": "integer"}, type=int)


def target(name, *script, window=None):
    """Make a target whose every call has the same outcome, or those of a script."""
    provider = ScriptedProvider.repeat(*script) if len(script) == 1 else ScriptedProvider(*script)
    return Target(provider, model="m", name=name, capabilities={"context_window": window})


def short(answer):
    """Say that an answer is too short."""
    return len(answer.text) < 3


def outcome(node, **fields):
    """Make a call; return the targets that were tried, and the text or the error."""
    call = make_call(**fields)
    try:
        chunks = drive(read_all(drive(node(call))))
        result = "".join(chunk.text for chunk in chunks)
    except aigw.AigwError as error:
        result = error
    return [attempt.target for attempt in call.trace.attempts], result


def test_a_class_of_errors():
    """An error that is not the target's fault moves on if it is named."""
    a, b = target("a", ContentFiltered("refused")), target("b", "hello")

    assert outcome(Fallback(a, b, on=[ContentFiltered])) == (["a", "b"], "hello")
    assert isinstance(outcome(Fallback(a, b))[1], ContentFiltered)


@both_faces
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_not_good_enough(blocking, stream):
    """A function of the answer sends the call on; of a stream nobody has seen a part of what was not taken."""
    node = Fallback(target("a", "no"), target("b", "hello"), on=[short])

    async def main():
        call = make_call(blocking=blocking, stream=stream)
        chunks = await read_all(await node(call))
        return call.trace, "".join(chunk.text for chunk in chunks)

    trace, text = run(blocking, main)

    assert text == "hello"
    assert [attempt.target for attempt in trace.attempts] == ["a", "b"]
    assert [attempt.outcome for attempt in trace.attempts] == ["ok", "ok"]


def test_no_answer_is_good_enough():
    """If all answers are turned down, the error tells which function did it, and quotes nothing."""
    tried, error = outcome(Fallback(target("a", "no"), target("b", "ja"), on=[short]))

    assert tried == ["a", "b"]
    assert isinstance(error, AllTargetsFailed)
    assert {type(one) for one in error.exceptions} == {BadResponse}
    assert [one.target for one in error.exceptions] == ["a", "b"]
    assert "short() says so" in str(error)
    assert "ja" not in str(error)


def test_an_answer_that_does_not_fit_the_schema():
    """With ``"schema"`` it is the next one's turn; without it the answer goes out as it is."""
    a, b = target("a", "seven"), target("b", "7")

    assert outcome(Fallback(a, b, on=["schema"]), schema=WHOLE_NUMBER) == (["a", "b"], "7")
    assert outcome(Fallback(a, b), schema=WHOLE_NUMBER) == (["a"], "seven")
    assert outcome(Fallback(a, b, on=["schema"])) == (["a"], "seven")


def test_a_pool_is_tried_twice():
    """Another member of a pool may give a better answer, before the next choice is asked."""
    node = Fallback(Balance(target("a", "no"), target("b", "no"), by="round_robin"), target("c", "hello"), on=[short])
    tried, text = outcome(node)

    assert (sorted(tried[:2]), tried[2:], text) == (["a", "b"], ["c"], "hello")


def test_a_stream_that_breaks_while_it_is_judged():
    """Nobody has seen any of it, so that it is an ordinary failure, and the next choice is asked."""
    broken = [aigw.Chunk("hel"), Overloaded("gone")]
    node = Fallback(target("a", broken), target("b", "hello"), on=[short])

    assert outcome(node, stream=True) == (["a", "b"], "hello")
    assert isinstance(outcome(Fallback(target("a", broken), target("b", "hello")), stream=True)[1], StreamInterrupted)


def test_usage_survives_the_judging():
    """The reply that goes out tells what the one that was read told."""
    used = aigw.Usage(3, 5)
    node = Fallback(target("a", [aigw.Chunk("hello"), aigw.Chunk(usage=used)]), on=[short])
    reply = drive(node(make_call(stream=True)))
    ends = []
    reply.when_done(ends.append)
    drive(read_all(reply))

    assert [(end.outcome, end.usage) for end in ends] == [("ok", used)]


@pytest.mark.parametrize(
    ("windows", "tried"),
    [
        ((100, 50, 200), ["a", "c"]),
        ((100, 100, 100), ["a"]),
        ((100, None, 200), ["a", "b"]),
        ((None, 50, 200), ["a", "b"]),
    ],
)
def test_a_prompt_that_is_too_long(windows, tried):
    """It goes to the next choice that may take more; those that surely do not are skipped."""
    a = target("a", ContextTooLong("too long"), window=windows[0])
    node = Fallback(a, target("b", "hello", window=windows[1]), target("c", "hello", window=windows[2]))
    asked, result = outcome(node)

    assert asked == tried
    assert isinstance(result, ContextTooLong) is (len(tried) == 1)


def test_too_long_for_all():
    """If it is too long for every choice, that is what is raised."""
    node = Fallback(*(target(name, ContextTooLong(f"too long for {name}"), window=None) for name in "ab"))
    tried, error = outcome(node)

    assert tried == ["a", "b"]
    assert isinstance(error, ContextTooLong)
    assert error.target == "b"


@pytest.mark.parametrize(
    ("on", "message"),
    [
        (ContentFiltered, "must be a list of conditions"),
        ("schema", "must be a list of conditions"),
        (["shcema"], "'shcema' is neither"),
        ([ValueError], "ValueError'> is neither"),
        ([3], "3 is neither"),
    ],
)
def test_what_is_no_condition(on, message):
    """Anything else is refused when it is made."""
    with pytest.raises(ConfigError, match=message):
        Fallback(target("a", "x"), on=on)

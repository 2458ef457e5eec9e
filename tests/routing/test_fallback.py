"""`Fallback`: when it goes to the next choice, when not, and what it raises in the end."""

from __future__ import annotations

import pytest

from aigw import errors
from aigw.chunk import Chunk
from aigw.errors import (
    AigwError,
    AllTargetsFailed,
    BadRequest,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    NotFound,
    Overloaded,
    Refused,
    ServerError,
    StreamInterrupted,
    TimedOut,
)
from aigw.pipeline import stack
from aigw.policies import Deadline, Retry
from aigw.routing import Balance, Fallback, Target
from aigw.routing.fallback import moves_on
from aigw.runtime import drive
from aigw.testing import FakeClock, ScriptedProvider, make_call
from testing.faces import both_faces, read_all, run

CLASSES = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AigwError)]
STAYS = {
    *("BadRequest", "ContentFiltered", "ProviderError"),
    *("ConfigError", "SuspendedError", "AnswerBlocked", "StreamInterrupted", "AigwError"),
}
"""What another target would not do better."""


class Refuses:
    """A policy that lets nothing through."""

    def __init__(self, error):
        self.error = error
        self.asked = 0

    async def handle(self, call, inner):
        self.asked += 1
        raise self.error


def target(name, *script, **arguments):
    """Make a target with a script; with one outcome it is the same for every call."""
    provider = ScriptedProvider.repeat(*script) if len(script) == 1 else ScriptedProvider(*script)
    return Target(provider, model="m", name=name, **arguments)


def tried(node, **fields):
    """Make a call that fails; return the targets that were tried, and the error."""
    call = make_call(**fields)
    with pytest.raises(Exception) as caught:  # noqa: PT011  (each test looks at it)
        drive(node(call))
    return [attempt.target for attempt in call.trace.attempts], caught.value


def answered(node, **fields):
    """Make a call that is answered; return the targets that were tried."""
    call = make_call(**fields)
    drive(read_all(drive(node(call))))
    return [attempt.target for attempt in call.trace.attempts]


def make(kind):
    """Make an error of any class."""
    return kind("x", [Overloaded("y")]) if issubclass(kind, AllTargetsFailed) else kind("x")


@pytest.mark.parametrize("kind", CLASSES)
def test_what_makes_it_move_on(kind):
    """It moves on when the target failed or refused, and not when the caller did something wrong."""
    node = Fallback(target("a", make(kind)), target("b", "hello"))
    call = make_call()

    assert moves_on(make(kind), call) is (kind.__name__ not in STAYS)
    if kind.__name__ in STAYS:
        with pytest.raises(kind):
            drive(node(call))
    else:
        assert drive(read_all(drive(node(call))))[0].text == "hello"


@pytest.mark.parametrize("error", [KeyError("bug"), RuntimeError("bug"), KeyboardInterrupt()])
def test_a_mistake_in_the_program_is_raised(error):
    """What is no error of ours is not hidden behind another target."""
    node = Fallback(target("a", error), target("b", "never"))
    with pytest.raises(type(error)):
        drive(node(make_call()))

    assert node.choices[1].provider.calls == []


@both_faces
def test_the_next_choice_answers(blocking):
    """On both faces the first choice that answers does, and the trace tells the way there."""
    node = Fallback(target("a", Overloaded), target("b", NotFound), target("c", "hello"), target("d", "never"))

    async def main():
        call = make_call(blocking=blocking)
        chunks = await read_all(await node(call))
        return call.trace, chunks

    trace, (chunk,) = run(blocking, main)

    assert chunk.text == "hello"
    assert [attempt.target for attempt in trace.attempts] == ["a", "b", "c"]
    assert [(one.by, one.action, one.reason) for one in trace.decisions] == [
        ("Fallback(a, b, c, d)", "moved on", "a: Overloaded"),
        ("Fallback(a, b, c, d)", "moved on", "b: NotFound"),
    ]


def test_the_first_choice_is_the_best():
    """While it answers no other is asked."""
    node = Fallback(target("a", "hello"), target("b", "never"))
    for _ in range(3):
        drive(read_all(drive(node(make_call()))))

    assert len(node.choices[0].provider.calls) == 3
    assert node.choices[1].provider.calls == []


def test_when_nobody_answers():
    """All failures are raised as a group, in their order, and the targets that failed are known."""
    names, error = tried(Fallback(target("a", Overloaded), target("b", ServerError), target("c", NotFound)))

    assert names == ["a", "b", "c"]
    assert isinstance(error, AllTargetsFailed)
    assert [type(one) for one in error.exceptions] == [Overloaded, ServerError, NotFound]
    assert error.targets == {"a", "b", "c"}
    assert str(error).startswith("all targets of Fallback(a, b, c) failed: [Overloaded] scripted/m: ")


def test_a_single_failure_is_raised_as_it_is():
    """Where only one target was tried there is no group around its failure."""
    names, error = tried(Fallback(target("a", Overloaded("busy"))))

    assert names == ["a"]
    assert type(error) is Overloaded


def test_what_the_caller_did_wrong_ends_it():
    """A wrong request after another failure is raised at once: it would be wrong everywhere."""
    names, error = tried(Fallback(target("a", Overloaded), target("b", BadRequest), target("c", "never")))

    assert names == ["a", "b"]
    assert type(error) is BadRequest


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_that_fails_before_its_first_output_moves_on(stream):
    """What comes before any output is no bar: ids, comments, a role."""
    node = Fallback(target("a", [Chunk(id="x"), ServerError]), target("b", "hello"))
    chunks = drive(read_all(drive(node(make_call(stream=stream)))))

    assert "".join(chunk.text for chunk in chunks) == "hello"
    assert node.choices[0].provider.open == 0


def test_a_stream_never_moves_on_after_its_first_output():
    """The caller has seen a part of it: the failure is his to hear, and nobody else is asked."""
    node = Fallback(target("a", ["so far", ServerError]), target("b", "never"))
    reply = drive(node(make_call(stream=True)))
    with pytest.raises(StreamInterrupted) as caught:
        drive(read_all(reply))

    assert caught.value.partial == "so far"
    assert node.choices[1].provider.calls == []


@pytest.mark.parametrize(("tries", "expected"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_several_targets_of_a_pool_are_tried(tries, expected):
    """So many targets of a pool are tried, each once, before the next choice."""
    pool = Balance(target("a", Overloaded), target("b", Overloaded), target("c", Overloaded))
    names = answered(Fallback(pool, target("d", "hello"), tries=tries))

    assert len(names) == len(set(names)) == expected + 1
    assert names[-1] == "d"


def test_two_targets_of_a_pool_are_tried_by_default():
    """One bad target does not make it leave a pool, and a bad pool is left soon."""
    pool = Balance(target("a", Overloaded), target("b", Overloaded), target("c", Overloaded))

    assert len(answered(Fallback(pool, target("d", "hello")))) == 3


def test_a_pool_that_has_a_good_target_is_not_left():
    """The second target of the best choice is better than the next choice."""
    pool = Balance(target("a", Overloaded), target("b", "hello"), by="round_robin")

    assert answered(Fallback(pool, target("c", "never"))) == ["a", "b"]


def test_targets_that_failed_before_come_last():
    """A choice that has failed in this call already is tried only after those that have not."""
    node = Fallback(
        target("a", Overloaded), target("b", Overloaded), Balance(target("c", Overloaded), target("d", Overloaded))
    )

    assert tried(node, avoid=frozenset("a"))[0][0] == "b"
    assert tried(node, avoid=frozenset("ab"))[0][2:] == ["a", "b"]
    assert tried(node, avoid=frozenset("abc"))[0] == ["d", "a", "b"]
    assert tried(node, avoid=frozenset("abcd"))[0][:2] == ["a", "b"]


def test_the_deadline_ends_it():
    """When the time is over no other target is tried: that is the caller's limit, caused by the last failure."""
    clock = FakeClock()
    node = Fallback(target("a", [5.0, TimedOut("slow")]), target("b", "never"))
    names, error = tried(node, clock=clock, deadline=5.0)

    assert names == ["a"]
    assert type(error) is DeadlineExceeded
    assert type(error.__cause__) is TimedOut


def test_a_deadline_that_came_during_an_attempt_is_raised_as_it_is():
    """The target was cut off by the caller's own limit: nobody else could do better."""
    clock = FakeClock()
    names, error = tried(Fallback(target("a", [5.0, DeadlineExceeded("late")]), "openai/x"), clock=clock, deadline=5.0)

    assert names == ["a"]
    assert str(error) == "late"


@pytest.mark.parametrize(("deadline", "further"), [(None, True), (0.5, True), (0.0, False), (-1.0, False)])
def test_a_deadline_moves_on_while_the_call_has_time(deadline, further):
    """Whose deadline it was is seen by the time that the call itself has left."""
    assert moves_on(DeadlineExceeded("late"), make_call(deadline=deadline)) is further


def test_a_deadline_of_a_target_moves_on():
    """A limit that stands around one target alone is the target's failure; the others have their own time."""
    clock = FakeClock()
    slow = target("a", [5.0, DeadlineExceeded("late")], policies=[Deadline(5)])

    assert answered(Fallback(slow, target("b", "hello")), clock=clock, deadline=60.0) == ["a", "b"]


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, Refused)])
def test_what_the_policies_of_a_target_refuse_is_its_failure(kind):
    """A target whose own policies refuse is asked once, and the next one answers."""
    guard = Refuses(kind("no"))
    node = Fallback(target("a", "never", policies=[guard]), target("b", "hello"))

    assert answered(node) == ["b"]
    assert guard.asked == 1


def test_what_the_policies_of_a_pool_refuse_ends_that_choice():
    """A pool that refuses as a whole is asked once: its other targets stand behind the same policies."""
    guard = Refuses(CircuitOpen("no"))
    pool = Balance(target("a", "never"), target("b", "never"), policies=[guard])

    assert answered(Fallback(pool, target("c", "hello"))) == ["c"]
    assert guard.asked == 1


def test_refusals_are_among_the_failures():
    """When nobody answers, refusals stand in the group beside failures, once each."""
    node = Fallback(
        target("a", "never", policies=[Refuses(CircuitOpen("open", retry_after=3))]), target("b", Overloaded)
    )
    error = tried(node)[1]

    assert [type(one) for one in error.exceptions] == [CircuitOpen, Overloaded]
    assert error.retry_after == 3


def test_a_target_that_refuses_is_avoided_by_its_pool():
    """The other target of a pool gets the call when the first one's own policies refuse it."""
    guard = Refuses(CircuitOpen("open"))
    pool = Balance(target("a", "never", weight=1000, policies=[guard]), target("b", "hello"))

    assert [answered(Fallback(pool, target("c", "hello"))) for _ in range(5)] == [["b"]] * 5


def test_policies_around_it():
    """A `Retry` around a fallback goes through all choices again, after a wait."""
    clock = FakeClock()
    node = Fallback(target("a", Overloaded, Overloaded), target("b", Overloaded, "hello"))

    assert answered(stack([Retry()], node), clock=clock) == ["a", "b", "a", "b"]
    assert len(clock.sleeps) == 1


def test_a_fallback_within_a_fallback():
    """Groups of failures move on like single ones, and stand in the outer group as they are."""
    inner = Fallback(target("a", Overloaded), target("b", Overloaded))
    names, error = tried(Fallback(inner, target("c", ServerError)))

    assert names == ["a", "b", "c"]
    assert [type(one) for one in error.exceptions] == [AllTargetsFailed, ServerError]
    assert error.targets == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("choices", "arguments", "message"),
    [
        ((), {}, "Fallback needs at least one target"),
        (("openai/x",), {"tries": 0}, "Fallback(tries) must be a whole number of at least 1, not 0"),
        (("openai/x", None), {}, "Fallback: None is neither a target nor a text such as 'openai/gpt-5.5'"),
        (("openai/x", "openai/x"), {}, "Fallback: two targets are called 'openai/x'; tell them apart with name="),
    ],
)
def test_wrong_arguments(choices, arguments, message):
    """Every mistake is told when the fallback is made."""
    with pytest.raises(ConfigError) as caught:
        Fallback(*choices, **arguments)

    assert str(caught.value) == message


def test_a_fallback_in_the_tree():
    """It is named after its choices, unless it has a name; its policies stand below it."""
    node = Fallback(target("a", "x"), Balance(target("b", "x"), target("c", "x")), name="smart", policies=[Retry(2)])

    assert repr(node) == "smart"
    assert repr(Fallback("openai/x")) == "Fallback(openai/x)"
    assert list(node.describe()) == [
        "smart",
        "  | Retry(attempts=2)",
        "  a: m at scripted",
        "  Balance(b, c), by score",
        "    b: m at scripted",
        "    c: m at scripted",
    ]
    assert [path for path, _ in node.paths()] == ["smart > a", "smart > Balance(b, c) > b", "smart > Balance(b, c) > c"]
    assert all(policies == node.policies for _, policies in node.paths())
    assert node.children == node.choices

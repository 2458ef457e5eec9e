"""The tree of errors: what it looks like, what the errors say, and how they travel between processes."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from aigw import errors
from aigw.chunk import Usage
from aigw.errors import (
    AigwError,
    AllTargetsFailed,
    AnswerBlocked,
    BadRequest,
    CircuitOpen,
    ConfigError,
    NotFound,
    Overloaded,
    ProviderError,
    Refused,
    ServerError,
    StreamInterrupted,
    failed_targets,
)
from aigw.message import ToolCall
from aigw.trace import CallTrace, Decision

CLASSES = sorted(
    (
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, AigwError) and kind.__module__ == errors.__name__
    ),
    key=lambda kind: kind.__name__,
)
PROVIDER_ERRORS = [kind for kind in CLASSES if issubclass(kind, ProviderError)]
RETRYABLE = {"ProviderRateLimited", "Overloaded", "ServerError", "Unreachable", "TimedOut", "BadResponse"}
TARGET_FAULT = RETRYABLE | {"AuthenticationFailed", "PermissionDenied", "NotFound", "QuotaExhausted"}


def drawn():
    """Read the tree in the docstring: class name to parent's name and status."""
    tree, above = {}, {-1: None}
    for line in errors.__doc__.splitlines():
        found = re.match(r"^    ([│├└─ ]*)([A-Z]\w+)(?: +(\d{3}))?(?= |$)", line)
        if found:
            depth = len(found[1]) // 4
            above[depth] = found[2]
            tree[found[2]] = (above[depth - 1], int(found[3]) if found[3] else None)
    return tree


def make(kind):
    """Make an error with all that its class can carry."""
    if issubclass(kind, AllTargetsFailed):
        error = kind("all targets of x failed", [Overloaded("busy", retry_after=3), CircuitOpen("open", policy="p")])
    elif issubclass(kind, StreamInterrupted):
        error = kind("cut", partial="so far", usage=Usage(1, 2), tool_calls=(ToolCall("c", "f", "{"),))
    elif issubclass(kind, AnswerBlocked):
        error = kind("blocked", policy="Guard", usage=Usage(3, 4))
    elif issubclass(kind, ProviderError):
        facts = {"status": 500, "code": "oops", "request_id": "r-1", "retry_after": 2.0, "detail": "words"}
        error = kind("failed", provider="p", model="m", **facts)
        error.target = "p/m"
        error.alternatives = 2
    elif issubclass(kind, Refused):
        error = kind("no", policy="Limit", retry_after=1.5)
    else:
        error = kind("wrong")
    error.trace = CallTrace("c-1", "smart", [Decision(0.5, "Retry", "retry")], 1.5)
    error.add_note("a note")
    return error


def state(error):
    """All that an error carries, errors within it included."""
    inner = [state(one) for one in error.exceptions] if isinstance(error, AllTargetsFailed) else []
    known = {name: value for name, value in vars(error).items() if name != "trace"}
    return type(error), str(error), error.args[0], known, inner


def test_the_tree_is_as_it_is_drawn():
    """The drawing names every class under its parent, and nothing that is not there."""
    parents = {kind.__name__: None if kind is AigwError else kind.__bases__[0].__name__ for kind in CLASSES}
    known = {name: parent for name, (parent, _) in drawn().items()}

    assert known == parents


def test_the_statuses_are_as_they_are_drawn():
    """Every refusal, and a blocked answer, has the HTTP status that the drawing gives it; the others have none."""
    classes = {kind.__name__: kind for kind in CLASSES}
    statuses = {name: status for name, (_, status) in drawn().items() if status is not None}

    assert {name: classes[name].status for name in statuses} == statuses
    assert statuses.keys() == {kind.__name__ for kind in CLASSES if kind.__bases__ == (Refused,)} | {"AnswerBlocked"}


@pytest.mark.parametrize("kind", PROVIDER_ERRORS)
def test_who_is_to_blame_and_whether_it_passes(kind):
    """What may go away by itself is the target's fault; the caller's mistakes are neither."""
    assert kind.retryable is (kind.__name__ in RETRYABLE)
    assert kind.target_fault is (kind.__name__ in TARGET_FAULT)


@pytest.mark.parametrize("kind", CLASSES)
def test_pickle_and_copy_keep_everything(kind):
    """Every error goes through pickle and copy with its type, its message, its fields, its notes and its trace."""
    error = make(kind)

    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert twin is not error
        assert state(twin) == state(error)
        assert twin.trace == error.trace


@pytest.mark.parametrize("kind", PROVIDER_ERRORS)
def test_a_message_never_holds_what_the_provider_wrote(kind):
    """`detail` may quote the prompt: it is neither in ``str`` nor in ``repr``."""
    error = kind("it failed", detail="the prompt was: secret", provider="p", model="m")

    assert error.detail == "the prompt was: secret"
    assert "secret" not in str(error)
    assert "secret" not in repr(error)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "it failed"),
        ({"provider": "openai"}, "openai: it failed"),
        ({"model": "gpt-5.5"}, "gpt-5.5: it failed"),
        ({"provider": "openai", "model": "gpt-5.5", "status": 500}, "openai/gpt-5.5: it failed (status 500)"),
        (
            {"status": 429, "code": "slow_down", "request_id": "req-1", "retry_after": 0.5},
            "it failed (status 429, code slow_down, request req-1, retry after 0.5 s)",
        ),
        ({"retry_after": 0.0}, "it failed (retry after 0 s)"),
    ],
)
def test_a_message_has_the_facts(facts, text):
    """``str`` names provider, model and all that is known, and leaves out what is not."""
    assert str(ProviderError("it failed", **facts)) == text


def test_the_defaults_of_an_error_say_that_nothing_is_known():
    """Without facts the fields are empty; nothing is guessed."""
    error, refusal, cut = ProviderError("x"), Refused("x"), StreamInterrupted("x")

    assert (error.provider, error.model, error.status, error.code) == ("", "", None, None)
    assert (error.request_id, error.retry_after, error.detail) == (None, None, "")
    assert (error.target, error.alternatives, error.trace) == (None, 0, None)
    assert (refusal.policy, refusal.retry_after) == ("", None)
    assert (AnswerBlocked("x").usage, AnswerBlocked("x").policy) == (None, "")
    assert (cut.partial, cut.usage, cut.tool_calls) == ("", None, ())


def test_an_interrupted_stream_carries_what_there_was():
    """The text, the tool calls and the usage until then."""
    error = make(StreamInterrupted)

    assert (error.partial, error.usage, error.tool_calls) == ("so far", Usage(1, 2), (ToolCall("c", "f", "{"),))


def test_all_targets_failed_is_a_group():
    """``except*`` and `split` take parts of it, and the parts are of the same type with the same message."""
    group = AllTargetsFailed("all failed", [Overloaded("busy"), NotFound("none"), CircuitOpen("open")])
    matched, rest = group.split(ProviderError)
    caught = []
    try:
        raise group
    except* Refused as refused:
        caught.append(refused)
    except* ProviderError as failed:
        caught.append(failed)

    assert [type(part) for part in (matched, rest, *caught)] == [AllTargetsFailed] * 4
    assert [type(error) for error in matched.exceptions] == [Overloaded, NotFound]
    assert (rest.message, [type(error) for error in rest.exceptions]) == ("all failed", [CircuitOpen])
    assert group.subgroup(ConfigError) is None


def test_all_targets_failed_tells_what_each_said():
    """Its message has the kind and the message of each failure, and no detail."""
    group = AllTargetsFailed("all failed", [Overloaded("busy", status=503, detail="secret"), CircuitOpen("open")])

    assert str(group) == "all failed: [Overloaded] busy (status 503); [CircuitOpen] open"


@pytest.mark.parametrize(
    ("failures", "retryable", "retry_after"),
    [
        ([NotFound("x"), CircuitOpen("x", retry_after=9)], False, 9),
        ([NotFound("x"), Overloaded("x")], True, None),
        ([Overloaded("x", retry_after=5), ServerError("x", retry_after=0), NotFound("x")], True, 0),
        ([AllTargetsFailed("inner", [Overloaded("x", retry_after=4)]), NotFound("x")], True, 4),
    ],
)
def test_all_targets_failed_asks_for_the_shortest_wait(failures, retryable, retry_after):
    """It may be tried again if one failure may go away, after the shortest wait that was asked for."""
    group = AllTargetsFailed("all failed", failures)

    assert group.retryable is retryable
    assert group.retry_after == retry_after


def test_the_targets_of_a_failure():
    """An error names its target, a group all of theirs, and an error without a target names none."""
    first, second, third = Overloaded("x"), ServerError("x"), CircuitOpen("x")
    first.target, second.target = "a", "b"
    group = AllTargetsFailed("all", [first, AllTargetsFailed("inner", [second, third])])

    assert group.targets == {"a", "b"}
    assert failed_targets(group) == {"a", "b"}
    assert failed_targets(first) == {"a"}
    assert failed_targets(third) == failed_targets(KeyError("x")) == frozenset()


def test_a_request_that_is_wrong_everywhere_is_a_bad_request():
    """Who catches BadRequest catches its special cases."""
    assert issubclass(errors.ContextTooLong, BadRequest)
    assert issubclass(errors.ContentFiltered, BadRequest)
    assert issubclass(errors.SuspendedError, ConfigError)

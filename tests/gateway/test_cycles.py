"""A call that is over is freed at once, with its prompt and its answer, without the garbage collector."""

from __future__ import annotations

import gc
import weakref

import pytest

from aigw import AttemptTimeout, Balance, Deadline, Fallback, Retry, Target, errors
from aigw.testing import FakeClock, ScriptedProvider


class See:
    """Remembers calls, without holding them."""

    def __init__(self):
        self.calls = []

    async def handle(self, call, inner):
        """Remember the call."""
        self.calls.append(weakref.ref(call))
        return await inner(call)


def target(name, *script):
    """Make a target that follows a script and then answers."""
    return Target(ScriptedProvider(*script, *[["so ", "far"]] * 3, name=name))


def plain():
    """One target that answers."""
    return target("a")


def retried():
    """One target that answers at the second try."""
    return target("a", errors.ServerError)


def balanced():
    """Two targets, of which the first one that is tried fails."""
    return Balance(target("a", errors.ServerError), target("b", errors.ServerError), by="round_robin")


def fallen_back():
    """A target that fails, and one that answers."""
    return Fallback(target("a", errors.ServerError), target("b"))


@pytest.fixture
def _by_hand():
    """Switch the garbage collector off."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def chat(gateway):
    """Ask for a whole answer."""
    gateway.chat()


def close(gateway):
    """Leave a stream."""
    with gateway.stream() as reading:
        reading.next()


def drop(gateway):
    """Drop a stream."""
    reading = gateway.stream()
    reading.next()
    reading.drop(collect=False)
    gateway.run(lambda: None)  # the loop closes it in its next turn


@pytest.mark.usefixtures("_by_hand")
@pytest.mark.parametrize("tree", [plain, retried, balanced, fallen_back])
@pytest.mark.parametrize("use", [chat, close, drop])
def test_a_call_is_freed_when_it_is_over(face, tree, use):
    """Whether it succeeded at once or not, and however its answer was left."""
    see, tree = See(), tree()
    gateway = face({"r": tree}, [Deadline(60), Retry(), AttemptTimeout(30), see], clock=FakeClock())
    use(gateway)
    for one in tree.targets:
        one.provider.calls.clear()  # which a scripted provider keeps for tests

    assert see.calls
    assert [call() for call in see.calls] == [None] * len(see.calls)
    assert [one.in_flight for one in tree.targets] == [0] * len(tree.targets)

"""The onion: who sees a call first, what may stand where, and why."""

from __future__ import annotations

import itertools
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.errors import ConfigError
from aigw.pipeline import as_policies, check_order, describe, stack
from aigw.policies import AttemptTimeout, Deadline, Retry
from aigw.policy import Policy, constraints
from aigw.reply import Reply
from aigw.runtime import drive
from aigw.testing import make_call


class Layer:
    """A policy that leaves its name on the call on the way in, and in a list on the way out."""

    def __init__(self, name, left=None):
        self.name = name
        self.left = [] if left is None else left

    async def handle(self, call, inner):
        reply = await inner(call.evolve(model=call.model + self.name))
        self.left.append(self.name)
        return reply

    def __repr__(self):
        return f"Layer({self.name})"


class Meter(Layer):
    inside: ClassVar = {"Guard": "it must not count what is refused"}
    outside: ClassVar = {"Cache": "it must count what the cache answers"}


class Guard(Layer):
    pass


class Cache(Layer):
    pass


class StrictGuard(Guard):
    pass


class Single(Layer):
    alone = "its counts would double"


class SpecialSingle(Single):
    pass


ORDER = [Guard("g"), Meter("m"), Cache("c")]


@given(st.lists(st.sampled_from("abcdef"), unique=True))
def test_the_first_policy_is_the_outermost(names):
    """A call passes the policies in their order, a reply in the reverse one; without policies the endpoint is it."""
    left = []
    seen = []

    async def endpoint(call):
        seen.append(call.model)
        return reply

    reply = Reply.replay([])
    endpoint_alone = stack([], endpoint)
    returned = drive(stack([Layer(name, left) for name in names], endpoint)(make_call()))

    assert returned is reply
    assert seen == ["".join(names)]
    assert left == names[::-1]
    assert endpoint_alone is endpoint


def test_a_policy_decides_what_goes_on():
    """It may answer by itself, or call what is inside of it several times."""

    class Twice:
        async def handle(self, call, inner):
            await inner(call)
            return await inner(call)

    class Never:
        async def handle(self, call, inner):
            return Reply.replay([])

    calls = []

    async def endpoint(call):
        calls.append(call)
        return Reply.replay([])

    drive(stack([Twice(), Twice()], endpoint)(make_call()))
    drive(stack([Never()], endpoint)(make_call()))

    assert len(calls) == 4
    assert isinstance(Twice(), Policy)


@pytest.mark.parametrize(
    ("given_policies", "message"),
    [
        (Retry(), "Gateway: policies must be a list, not Retry"),
        ("Retry", "Gateway: policies must be a list, not str"),
        (None, "Gateway: policies must be a list, not NoneType"),
        ([Deadline(), Retry], "Gateway: policies[1] is the class Retry; write Retry()"),
        ([5], "Gateway: policies[0] is 5, which has no method handle(call, inner)"),
    ],
)
def test_what_is_no_list_of_policies(given_policies, message):
    """The error names the owner, the place and what to write."""
    with pytest.raises(ConfigError) as caught:
        as_policies(given_policies, "Gateway")

    assert str(caught.value) == message


def test_a_list_of_policies_is_taken_as_it_is():
    """Lists and tuples are taken in their order, and later changes of a list change nothing."""
    layers = [Layer("a"), Layer("b")]
    taken = as_policies(layers, "x")
    layers.clear()

    assert [layer.name for layer in taken] == ["a", "b"]
    assert as_policies((), "x") == ()


@pytest.mark.parametrize("policies", list(itertools.permutations(ORDER)), ids=lambda order: "".join(map(repr, order)))
def test_only_the_declared_order_passes(policies):
    """Of all orders only those pass that fit what the policies declare, at any distance."""
    names = [policy.name for policy in policies]
    right = names.index("g") < names.index("m") < names.index("c")

    if right:
        check_order(policies)
    else:
        with pytest.raises(ConfigError, match="must stand"):
            check_order(policies)


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ([Meter("m"), Guard("g")], "must stand inside Guard: it must not count what is refused"),
        (
            [Meter("m"), Layer("x"), StrictGuard("g")],
            "must stand inside StrictGuard: it must not count what is refused",
        ),
        ([Cache("c"), Layer("x"), Meter("m")], "must stand outside Cache: it must count what the cache answers"),
    ],
)
def test_a_wrong_order_is_told_with_its_reason(policies, message):
    """The error names both policies, the side and the reason; a subclass answers to the names of its bases."""
    with pytest.raises(ConfigError) as caught:
        check_order(policies, "route 'smart'")

    assert str(caught.value).startswith(f"route 'smart': Meter {message}")


@pytest.mark.parametrize(
    "policies",
    [
        [Single("a"), Layer("x"), Single("b")],
        [Single("a"), SpecialSingle("b")],
        [SpecialSingle("a"), Single("b")],
        [SpecialSingle("a"), SpecialSingle("b")],
    ],
)
def test_some_policies_stand_alone(policies):
    """Of a policy that must be alone there is one on the way to a target; a subclass of it is one too."""
    with pytest.raises(ConfigError) as caught:
        check_order(policies)

    assert str(caught.value) == "policies: two Single on the way to one target: its counts would double"


def test_policies_that_declare_nothing_stand_anywhere():
    """Two of the same kind are fine where nothing is declared, and so is an empty stack."""
    check_order([Layer("a"), Layer("a"), Single("s"), Guard("g"), Guard("g")])
    check_order([])

    assert constraints(Layer("a"), "inside") == {}
    assert constraints(Meter("m"), "outside") == {"Cache": "it must count what the cache answers"}


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        ([Retry(), Deadline()], "Deadline must stand outside Retry: it bounds all attempts together"),
        ([Retry(), AttemptTimeout(1), Retry()], "two Retry on the way to one target: their attempts would multiply"),
    ],
)
def test_the_policies_that_come_with_aigw_declare_their_order(policies, reason):
    """The mistakes that matter are found when a gateway is built."""
    with pytest.raises(ConfigError, match=reason):
        check_order(policies)
    check_order([Deadline(), Deadline(5), Retry(), AttemptTimeout(1), AttemptTimeout(2)])


def test_a_stack_is_shown_as_it_stands():
    """`describe` has a line for each policy with its settings, the outermost first."""
    assert describe([Deadline(60), Retry(2), Layer("x")]) == ["Deadline(60)", "Retry(attempts=2)", "Layer(x)"]

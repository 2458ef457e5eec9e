"""Context windows: a prompt that has to be counted goes to members that have room for it."""

from __future__ import annotations

import random

import pytest

from aigw import Balance, Fallback, Message, Target
from aigw.runtime import drive
from aigw.testing import FixedMeter, ScriptedProvider, make_call
from testing.faces import read_all


class Counting(FixedMeter):
    """Tells how often it had to count."""

    counted = 0

    async def input_tokens(self, call):
        self.counted += 1
        return await super().input_tokens(call)


def target(name, window=None):
    """Make a target with this context window."""
    known = {} if window is None else {"capabilities": {"context_window": window}}
    return Target(ScriptedProvider.repeat("hi"), model="m", name=name, **known)


def served(node, tokens, characters, calls=12, **fields):
    """Make calls with a prompt that counts so many tokens; return who served them, and how often it was counted."""
    names, meter, rng = set(), Counting(tokens), random.Random(1)
    messages = (Message("user", "x" * characters),)
    for _ in range(calls):
        call = make_call(metering=meter, rng=rng, messages=messages, **fields)
        drive(read_all(drive(node(call))))
        names.add(call.trace.attempts[-1].target)
    return names, meter.counted


@pytest.mark.parametrize(
    ("tokens", "names"), [(1000, {"small", "large", "any"}), (1001, {"large", "any"}), (5000, {"any"})]
)
def test_a_prompt_goes_where_it_fits(tokens, names):
    """What is counted decides, also where a guess by its length would not."""
    node = Balance(target("small", 1000), target("large", 4000), target("any"), by="weighted")

    assert served(node, tokens, 1000) == (names, 12)


def test_nothing_is_counted_without_need():
    """Neither a short prompt, nor where no window is known, nor where there is nobody to compare with."""
    two = Balance(target("small", 1000), target("any"), by="weighted")

    assert served(two, 5000, 400) == ({"small", "any"}, 0)
    assert served(Balance(target("a"), target("b"), by="weighted"), 5000, 4000) == ({"a", "b"}, 0)
    assert served(Balance(target("small", 1000)), 5000, 1000) == ({"small"}, 0)
    assert served(two, 5000, 2000, operation="embeddings", inputs=("x",)) == ({"small", "any"}, 0)


def test_the_provider_has_the_last_word():
    """Where the prompt seems to be too long for all of them nobody is left out: a count may be a guess."""
    node = Balance(target("a", 1000), target("b", 1000), by="weighted")

    assert served(node, 1500, 1200)[0] == {"a", "b"}


def test_trees():
    """A member with several targets has the largest of their windows, unless one is not known."""
    node = Balance(Fallback(target("a", 1000), target("b", 4000)), target("c", 1000))

    assert [member.window for member in node.members] == [4000, 1000]
    assert Fallback(target("a", 1000), target("b")).window is None
    assert served(node, 2000, 1000)[0] == {"a"}

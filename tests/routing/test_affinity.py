"""`Balance(affinity=…)`: what belongs together stays together, while nobody has to wait for it."""

from __future__ import annotations

import random

import pytest

from aigw import Balance, Image, Message, Target, Tool
from aigw.errors import ConfigError
from aigw.mechanics.prefix import BLOCK, LASTS
from aigw.runtime import drive
from aigw.testing import FakeClock, make_call
from testing.faces import read_all
from testing.timed import Timed


def pool(size=4, **arguments):
    """Make a pool whose members are alike, and known."""
    members = [Target(Timed(), model="m", name=f"t{place}") for place in range(size)]
    for member in members:
        member.answered(1.0, others=0, output=1, first=None, now=0.0)
    return Balance(*members, **arguments)


class Caller:
    """Makes calls, and tells who has served them."""

    def __init__(self, node):
        self.node = node
        self.clock = FakeClock()
        self.rng = random.Random(3)

    def ask(self, *texts, **fields):
        messages = tuple(Message("user", text) for text in texts)
        call = make_call(clock=self.clock, rng=self.rng, messages=messages, **fields)
        drive(read_all(drive(self.node(call))))
        return call.trace.attempts[-1].target

    def asked(self, number, *texts, **fields):
        return {self.ask(*texts, **fields) for _ in range(number)}


def document(name, size=8 * BLOCK):
    """Make a long text."""
    return f"{name} ".ljust(size, "x")


def test_long_prompts_stay_where_they_were_read():
    """Calls that begin alike go to one member; other calls are spread."""
    caller = Caller(pool())
    homes = {name: caller.ask(document(name)) for name in "abcdef"}
    again = {name: caller.asked(5, document(name), "and now?") for name in homes}

    assert again == {name: {home} for name, home in homes.items()}
    assert len(set(homes.values())) > 1
    assert len(caller.asked(40, "short")) > 1


def test_a_conversation_stays_with_its_end():
    """Of two members that have read the beginning the one is taken that has read more of it."""
    caller = Caller(pool())
    home = caller.ask(document("system"))
    others = {place.name for place in caller.node.members} - {home}
    longer = caller.ask(document("system"), document("more"), avoid=frozenset({home}))

    assert longer in others
    assert caller.asked(5, document("system"), document("more"), "?") == {longer}


def test_it_gives_way_under_load():
    """A member that is busy loses even what it has read."""
    caller = Caller(pool())
    home = caller.ask(document("a"))
    target = next(target for target in caller.node.targets if target.name == home)
    for _ in range(8):
        target.begin()

    assert home not in caller.asked(20, document("a"))


def test_it_is_forgotten():
    """After five minutes a provider has forgotten it as well."""
    caller = Caller(pool())
    caller.ask(document("a"))
    caller.clock.advance(LASTS + 1)
    homes = set()
    for _ in range(20):
        homes.add(caller.ask(document("a")))
        caller.clock.advance(LASTS + 1)

    assert len(homes) > 1


def test_nobody_is_asked_about_short_prompts():
    """A prompt of less than some 1,000 tokens is not looked at, an image ends what is, other operations have none."""
    affinity = pool()._affinity
    image = Message("user", [document("a"), Image("https://x/y.png"), document("b")])

    assert affinity.blocks(make_call("short")) is None
    assert affinity.blocks(make_call(document("a"), operation="embeddings")) is None
    assert affinity.blocks(make_call(messages=(Message("user", [Image("https://x"), document("a")]),))) is None
    assert len(affinity.blocks(make_call(messages=(image,))).keys) == 8
    assert affinity.blocks(make_call(document("a"))) != affinity.blocks(make_call(document("a"), tools=(Tool("t"),)))


def test_sessions():
    """By session calls with one label stay together, whatever their length; those without a label are spread."""
    caller = Caller(pool(affinity="session"))
    homes = {name: caller.ask("x", metadata={"session": name}) for name in "abcdef"}

    assert all(caller.asked(5, "y", metadata={"session": name}) == {home} for name, home in homes.items())
    assert len(caller.asked(40, document("same"))) > 1


def test_without():
    """``None`` looks at nothing, and ways that do not score have none."""
    assert len(Caller(pool(affinity=None)).asked(40, document("a"))) > 1
    assert pool().affinity == pool(by="cost").affinity == "prefix"
    assert pool(affinity=None).affinity is pool(by="weighted").affinity is None


def test_many_members():
    """Of more than sixteen members the one that has read a prompt is compared in any case."""
    caller = Caller(pool(40))
    home = caller.ask(document("a"))

    assert caller.asked(20, document("a")) == {home}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"affinity": "prompt"}, r"Balance\(affinity='prompt'\): choose one of prefix, session, or None"),
        ({"affinity": "prefix", "by": "weighted"}, r"is a part of the score; leave it out with by='weighted'"),
    ],
)
def test_wrong_arguments(arguments, message):
    """They are told at once."""
    with pytest.raises(ConfigError, match=message):
        pool(**arguments)

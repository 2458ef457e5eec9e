"""``gateway.stats``, ``drain`` and ``resume``: how targets are doing, and taking one out of service."""

from __future__ import annotations

import pytest

import aigw
from aigw.testing import FakeClock, ScriptedProvider


def target(name, *script):
    """Make a target; with one outcome it is the same for every call."""
    provider = ScriptedProvider.repeat(*script) if len(script) == 1 else ScriptedProvider(*script)
    return aigw.Target(provider, model="m", name=name)


def stats_of(gateway, name):
    """Return the stats of a target."""
    (found,) = [one for one in gateway.stats() if one.name == name]
    return found


def test_stats(face):
    """They tell what was seen of each target of each route: answers, failures, speed, and what it is doing."""
    error = aigw.ServerError("broken")
    routes = {
        "r": aigw.Balance(target("a", [1.0, "hello"]), target("b", error), by="priority"),
        "s": target("c", "x"),
    }
    made = face(routes, clock=FakeClock())
    before = made.gateway.stats()
    made.chat(model="r")
    a, b, c = made.gateway.stats()

    assert [(one.route, one.name) for one in before] == [("r", "a"), ("r", "b"), ("s", "c")]
    assert {(one.answers, one.failures, one.pace) for one in before} == {(0, 0, None)}
    assert (a.answers, a.failures, a.in_flight, a.error_rate) == (1, 0, 0, 0.0)
    assert a.pace > 0
    assert (b.answers, c.answers) == (0, 0)
    assert (a.availability, a.draining) == (1.0, False)


def test_a_target_that_is_drained(face):
    """New calls go to the others of its pool, and to it again after ``resume``."""
    made = face({"r": aigw.Balance(target("a", "from a"), target("b", "from b"), by="priority")})
    first = made.chat().text
    left = made.gateway.drain("a")
    second = made.chat().text
    draining = stats_of(made.gateway, "a").draining
    made.gateway.resume("a")
    third = made.chat().text

    assert (first, second, third) == ("from a", "from b", "from a")
    assert (left, draining) == (0, True)


def test_calls_that_it_has_go_on(face):
    """A stream that began before is read to its end; ``drain`` tells that there is one."""
    made = face({"r": target("a", ["hel", "lo"])})
    reading = made.stream()
    reading.next()
    left = made.gateway.drain("a")
    reading.rest()

    assert reading.text == "hello"
    assert left == 1
    assert stats_of(made.gateway, "a").in_flight == 0


def test_a_fallback_passes_over_it(face):
    """The next choice serves, and the trace says why."""
    made = face({"r": aigw.Fallback(target("a", "from a"), target("b", "from b"))})
    made.gateway.drain("a")
    answer = made.chat()

    assert answer.text == "from b"
    assert [one.reason for one in answer.trace.decisions] == ["a is being drained"]


def test_the_last_one(face):
    """A route whose only target is drained refuses, and says so; ``explain`` does so beforehand."""
    made = face({"r": target("a", "x")})
    made.gateway.drain("a")
    with pytest.raises(aigw.NoCapableTarget, match="a is being drained"):
        made.chat()
    (planned,) = made.explain().targets

    assert planned.problem == "a is being drained"


def test_a_name_that_is_not_there(face):
    """The error names those that are."""
    made = face({"r": target("a", "x")})
    for change in (made.gateway.drain, made.gateway.resume):
        with pytest.raises(aigw.ConfigError, match="no target is called 'b'; there are 'a'"):
            change("b")
    with pytest.raises(aigw.ConfigError, match="no target is called ''"):
        made.gateway.drain("")

"""`Circuit`: when it opens, how it probes, how it comes back."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigw.mechanics.breaker import PROBE_LASTS, Circuit, Pass, Rules
from aigw.mechanics.pool import Pool

RNG = random.Random(1)


def feed(circuit, *results, now=0.0):
    """Report results, one after the other; return what the last one changed."""
    change = ""
    for result in results:
        passed = circuit.enter(now)
        assert isinstance(passed, Pass)
        change = circuit.report(passed, result, now, RNG)
    return change


def opened(rules=None):
    """Make a circuit that was opened at time 0."""
    circuit = Circuit(rules or Rules())
    feed(circuit, *["broken"] * 5)
    assert circuit.state == "open"
    return circuit


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (["broken"] * 4 + ["ok"] + ["broken"] * 4, "closed"),
        (["broken"] * 5, "open"),
        (["failed"] * 9, "closed"),
        (["failed"] * 10, "open"),
        (["ok", "failed"] * 5, "open"),
        (["ok", "ok", "failed"] * 10, "closed"),
        (["slow"] * 9, "closed"),
        (["slow"] * 10, "open"),
        ([None] * 50, "closed"),
    ],
)
def test_it_opens_by_its_rules(results, state):
    """Five broken in a row, half of at least ten failed, or four of five slow; what tells nothing does not count."""
    circuit = Circuit(Rules())
    feed(circuit, *results)

    assert circuit.state == state


def test_old_results_do_not_count():
    """Nine failures are forgotten after a minute."""
    circuit = Circuit(Rules())
    feed(circuit, *["failed"] * 9)
    feed(circuit, "failed", now=60.0)

    assert circuit.state == "closed"


def test_open_time_doubles_with_jitter():
    """It is open for 15 s at first, doubling to 300 s, give or take 20 %."""
    circuit, now, spans = opened(), 0.0, []
    for _ in range(7):
        wait = circuit.enter(now)
        spans.append(wait)
        now += wait
        feed(circuit, "broken", "broken", now=now)

    assert spans == [pytest.approx(min(15 * 2**k, 300), rel=0.2) for k in range(7)]
    assert len({span / min(15 * 2**k, 300) for k, span in enumerate(spans)}) == 7


def test_one_probe_at_a_time_and_a_ramp():
    """Half-open lets one call through; two good ones close it, and its weight rises for 30 s."""
    circuit = opened()
    first = circuit.enter(20.0)
    refused, hidden = circuit.enter(20.0), circuit.weight(20.0)
    circuit.report(first, "ok", 21.0, RNG)
    second = circuit.enter(21.0)
    change = circuit.report(second, "ok", 22.0, RNG)

    assert first.probe
    assert not isinstance(refused, Pass)
    assert hidden == 0.0
    assert change.startswith("closed")
    assert [circuit.weight(now) for now in (22.0, 37.0, 52.0, 100.0)] == [0.1, 0.5, 1.0, 1.0]


def test_a_lost_probe_expires():
    """A probe that never reports back does not block others for ever, and its late word counts no more."""
    circuit = opened()
    lost = circuit.enter(20.0)
    assert not isinstance(circuit.enter(20.0 + PROBE_LASTS - 1), Pass)
    later = circuit.enter(20.0 + PROBE_LASTS)

    assert later.probe
    assert circuit.report(lost, "broken", 400.0, RNG) == ""
    assert not isinstance(circuit.enter(400.0), Pass)


def test_news_from_before_counts_no_more():
    """What was let through while it was closed says nothing once it is open or closed again."""
    circuit = Circuit(Rules())
    old = circuit.enter(0.0)
    feed(circuit, *["broken"] * 5)
    assert circuit.report(old, "broken", 1.0, RNG) == ""
    feed(circuit, "ok", "ok", now=20.0)
    circuit.report(old, "broken", 21.0, RNG)

    assert circuit.state == "closed"


def test_it_asks_its_pools():
    """Without a place in every pool it stays closed, says so once, and keeps none."""
    roomy, full = Pool(4), Pool(1)
    circuit = Circuit(Rules())
    circuit.join(roomy)
    circuit.join(full)

    assert feed(circuit, *["broken"] * 5).startswith("stays closed")
    assert feed(circuit, "broken") == ""
    assert (circuit.state, roomy.out) == ("closed", 0)


def test_slow_is_relative_to_the_usual():
    """Up to 10 s nothing is slow; for a slow model it takes 4 times its own 95th percentile."""
    quick, steady, rng = Circuit(Rules()), Circuit(Rules()), random.Random(2)
    for _ in range(3000):
        quick.learn(rng.uniform(0.0, 1.0))
        steady.learn(rng.uniform(0.0, 20.0))

    assert (quick.is_slow(9.9), quick.is_slow(10.1)) == (False, True)
    assert (steady.is_slow(60.0), steady.is_slow(100.0)) == (False, True)


@pytest.mark.parametrize("size", [10, 20])
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_false_openings_are_as_rare_as_computed(size, rate):
    """A window of independent results opens it as often as the binomial distribution says."""
    windows, rng = 20_000, random.Random(7)
    rules = Rules(results=size, least=size, consecutive=1000)
    found = 0
    for _ in range(windows):
        circuit = Circuit(rules)
        feed(circuit, *["failed" if rng.random() < rate else "ok" for _ in range(size)])
        found += circuit.state == "open"
    expected = sum(math.comb(size, k) * rate**k * (1 - rate) ** (size - k) for k in range(size // 2, size + 1))

    assert found == pytest.approx(windows * expected, abs=4 * math.sqrt(windows * expected) + 1)


@settings(max_examples=100)
@given(
    steps=st.lists(
        st.tuples(st.floats(0, 40), st.sampled_from(["enter", "ok", "failed", "broken", "slow", None, "key"])),
        max_size=150,
    ),
    size=st.integers(1, 3),
)
def test_whatever_happens_it_stays_sound(steps, size):
    """Never two probes at once, never more out of the pool than allowed, and a place just while not closed."""
    pool = Pool(size)
    circuit, running, now = Circuit(Rules()), [], 0.0
    circuit.join(pool)
    for delay, step in steps:
        now += delay
        if step == "enter":
            passed = circuit.enter(now)
            if isinstance(passed, Pass):
                running.append((passed, now))
        elif running:
            passed, _ = running.pop(0)
            if step == "key":
                circuit.quarantine(passed, "key", now, RNG)
            else:
                circuit.report(passed, step, now, RNG)
        probes = [since for passed, since in running if passed.probe and since > now - PROBE_LASTS]
        assert len(probes) <= 1
        assert pool.out == (circuit.state != "closed")
        assert 0.0 <= circuit.weight(now) <= 1.0

"""Outages over loopback: one of three servers fails in every way there is, and no caller hears of it.

The clock is a `FakeClock` that the tests move on, so that minutes pass in seconds; only what hangs is waited for.
"""

from __future__ import annotations

import asyncio
import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigw import AttemptTimeout, Balance, Breaker, Concurrency, Fallback, Target, standard
from aigw.reply import Reply
from aigw.testing import FakeClock, FaultyUpstream, Hangup, Stall
from gateway.counting import Counting
from gateway.faults_table import MODEL, STREAMED, TEXT, WHOLE_ANSWERS, Complete

HASTY = 0.06
"""Seconds after which a server that hangs is given up: real time, so they are short."""

STEADY, OUTAGE = 4, 20
"""Calls before each outage, and during it."""

EVERY = 0.5
"""Seconds between two calls."""

QUICK, SLOWER = 0.02, 0.04
"""Seconds for an answer, of the server that will be sick and of the others: the best one fails."""

LONG = 400.0
"""Seconds for which no `Breaker` is open."""

AT_ONCE, BURSTS = 24, 6
"""Calls at once, and how often, in a long outage."""


def hidden(rows):
    """Leave out what nobody can hide: the caller's own mistakes, and what breaks after the first output."""
    return [row for row in rows if isinstance(row.outcome, Complete) or getattr(row.outcome, "moves", False)]


class Site:
    """Three servers, the quickest of which will be sick, and gateways over them with what `standard` makes."""

    def __init__(self):
        self.clock = FakeClock()
        self.upstreams = [FaultyUpstream(self._taking(seconds)) for seconds in (QUICK, SLOWER, SLOWER)]
        self.sick = self.upstreams[0]

    def __enter__(self):
        for one in self.upstreams:
            one.start()
        return self

    def __exit__(self, *_):
        for one in self.upstreams:
            one.close()

    def tree(self, by="score", inside=()):
        """Make the targets: the sick one, with more policies, and another in a pool, and a third one behind it."""
        hasty = [*inside, AttemptTimeout(HASTY, first_chunk=HASTY)]
        sick, east, west = (
            Target(one.url, model=MODEL, name=name, policies=[Breaker(), *(hasty if name == "sick" else ())])
            for one, name in zip(self.upstreams, ("sick", "east", "west"), strict=True)
        )
        return Fallback(Balance(sick, east, by=by), west)

    def _taking(self, seconds):
        """Make what answers after some time."""
        return lambda _: self.clock.advance(seconds) or TEXT

    @property
    def attempts(self):
        """Requests that any server has got."""
        return sum(len(one.requests) for one in self.upstreams)

    def ask(self, face, calls, *, stream):
        """Make calls one after the other; return how many attempts they took, and the answers that were wrong."""
        before, wrong = self.attempts, []
        for _ in range(calls):
            self.clock.advance(EVERY)
            text = face.read() if stream else face.chat().text
            wrong += [text] if text != TEXT else []
        return self.attempts - before, wrong


class Inside:
    """Counts who is inside of a `Breaker` at once."""

    def __init__(self):
        self.now = self.most = 0
        self._lock = threading.Lock()

    async def handle(self, call, inner):
        """Count."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return await inner(call)
        finally:
            with self._lock:
                self.now -= 1


def ask_at_once(face, calls):
    """Make calls at once, in threads or in tasks; return their texts."""
    if face.blocking:
        with ThreadPoolExecutor(calls) as threads:
            return [answer.text for answer in threads.map(face.chat, ["hello"] * calls)]

    async def all_of_them():
        return await asyncio.gather(*[face.gateway.chat("hello") for _ in range(calls)])

    return [answer.text for answer in face.wait(all_of_them())]


def replies():
    """Return what tells the replies apart that are alive; other tests may have left some of theirs."""
    return {id(thing) for thing in gc.get_objects() if isinstance(thing, Reply)}


@pytest.fixture
def site():
    """Run the servers."""
    with Site() as site:
        yield site


@pytest.mark.parametrize(
    ("rows", "stream"), [(hidden(STREAMED), True), (hidden(WHOLE_ANSWERS), False)], ids=["stream", "whole"]
)
def test_one_server_fails_in_every_way(face, site, rows, stream):
    """No error, hardly a further attempt, and nothing left open, whatever the best server of a pool does."""
    before = replies()
    threads, steady, outage, wrong, unseen, left = threading.active_count(), 0, 0, [], [], []
    for row in rows:
        tree, counting, concurrency = site.tree(), Counting(), Concurrency(8)
        policies = [counting, *standard(), concurrency]
        one = face({"smart": tree}, policies, clock=site.clock, rng=random.Random(1))
        attempts, bad = site.ask(one, STEADY, stream=stream)
        steady += attempts
        seen = len(site.sick.requests)
        site.sick.always(row.fault)
        attempts, more = site.ask(one, OUTAGE, stream=stream)
        site.sick.always(None)
        outage += attempts
        wrong += bad + more
        unseen += [row.name] if len(site.sick.requests) == seen else []
        one.close()
        left += [target.in_flight for target in tree.targets] + [concurrency.in_flight]
        left += [count - 1 for count in counting.counts]
    for upstream in site.upstreams:
        upstream.wait_until(lambda upstream=upstream: upstream.connections == 0)
    gc.collect()

    assert wrong == []
    assert unseen == []
    assert steady <= 1.1 * STEADY * len(rows)
    assert outage <= 1.2 * OUTAGE * len(rows)
    assert set(left) == {0}
    assert threading.active_count() <= threads
    assert not [number for number in replies() if number not in before]


def test_no_storm_of_probes(face, site):
    """A server that stays down is tried by one call at a time, and by a few in all, however many there are at once."""
    inside = Inside()
    one = face({"smart": site.tree("priority", [inside])}, standard(), clock=site.clock, rng=random.Random(1))
    site.sick.always(Hangup())
    texts = [one.chat().text for _ in range(8)]
    opened = len(site.sick.requests)
    inside.most = 0
    site.sick.always(Stall(0))
    for _ in range(BURSTS):
        site.clock.advance(LONG)
        texts += ask_at_once(one, AT_ONCE)
    probes = len(site.sick.requests) - opened
    site.sick.always(None)
    site.clock.advance(LONG)
    attempts, wrong = site.ask(one, 100, stream=False)
    site.clock.advance(LONG)
    back = len(site.sick.requests)
    site.ask(one, 5, stream=False)

    assert set(texts) == {TEXT}
    assert opened == 5
    assert inside.most == 1
    assert 1 <= probes <= 2 * BURSTS  # how many of the bursts get to ask depends on who comes first
    assert (attempts, wrong) == (100, [])
    assert len(site.sick.requests) - back == 5

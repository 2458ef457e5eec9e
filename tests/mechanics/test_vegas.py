"""The limit that finds itself: against a server in numbers, whose line is known."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw.mechanics.vegas import WINDOW, Vegas


def limit_found(slots, *, seconds=400.0, seed=1, vegas=None, start=0.0, spread=0.06):
    """Offer a server with so many slots half as much again as it can serve; return the limit in the end.

    A call waits for a slot, has its first chunk about 0.2 s after it got one, and holds it for about 3 s.
    """
    vegas = vegas or Vegas()
    rng = random.Random(seed)
    events = []
    free = [start] * slots
    now, in_flight = start, 0
    while now < start + seconds:
        now += rng.expovariate(1.5 * slots / 3.0)
        while events and events[0][0] <= now:
            at, kind, first, busy = heapq.heappop(events)
            if kind == "first":
                vegas.first_chunk(first, busy, at)
            else:
                in_flight -= 1
        if in_flight >= vegas.limit:
            continue
        in_flight += 1
        begins = max(now, heapq.heappop(free))
        ends = begins + rng.uniform(2.0, 4.0)
        heapq.heappush(free, ends)
        first = begins + 0.2 * rng.lognormvariate(0.0, spread)
        heapq.heappush(events, (first, "first", first - now, in_flight))
        heapq.heappush(events, (ends, "end", 0.0, 0))
    return vegas.limit


@pytest.mark.parametrize("slots", [8, 32, 64])
def test_it_finds_what_the_server_can_do(slots):
    """Under overload the limit ends within a fifth (and the few that may stand in line) of the server's slots."""
    assert slots * 0.8 <= limit_found(slots, seconds=1200) <= slots * 1.2 + 6


def test_a_server_that_shrinks():
    """When half of its slots go, the limit follows."""
    vegas = Vegas()
    before = limit_found(64, seconds=1200, vegas=vegas)
    after = limit_found(32, seconds=600, vegas=vegas, start=1200.0)

    assert before > 50
    assert after <= 32 * 1.2 + 6


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_back_within_a_minute(seed):
    """A server that loses half of its slots has the limit that it bears now within 60 s."""
    vegas = Vegas()
    limit_found(32, seconds=400, vegas=vegas, seed=seed)

    assert limit_found(16, seconds=60, vegas=vegas, start=400.0, seed=seed) <= 16 * 1.2 + 3


@pytest.mark.parametrize("spread", [0.15, 0.3])
def test_times_that_differ_by_chance_do_not_make_it_small(spread):
    """Where prompts differ, and the times of calls with them, it finds about the same."""
    assert 28 <= limit_found(32, seconds=600, spread=spread) <= 32 * 1.2


def test_what_is_not_used_does_not_grow():
    """While fewer than half of it are in flight, the limit says nothing and stays."""
    vegas = Vegas(start=20)
    for now in range(1000):
        vegas.first_chunk(0.2, 9, now)

    assert vegas.limit == 20


def test_refusals_count_once():
    """A hundred refusals of one moment take a tenth of the limit, not all of it."""
    vegas = Vegas(start=100)
    vegas.first_chunk(1.0, 1, 0.0)
    for _ in range(100):
        vegas.overloaded(0.01, 10.0)
    once = vegas.limit
    vegas.overloaded(0.01, 11.0)

    assert (once, vegas.limit) == (90, 81)


def test_a_first_chunk_that_never_came():
    """Waited for in vain for long, it shrinks the limit as a late one does; for a short time it says nothing."""
    limits = []
    for seconds in (0.1, 5.0):
        vegas = Vegas(start=40)
        for _ in range(WINDOW):
            vegas.first_chunk(0.2, 1, 0.0)
        for _ in range(80):
            vegas.no_first_chunk(seconds, 40)
        limits.append(vegas.limit)

    assert limits[0] == 40
    assert limits[1] < 40


def test_whole_answers_bring_back_the_start():
    """They raise a limit that refusals took down, up to the start, unless streams have told better lately."""
    limits = []
    for streams in (False, True):
        vegas = Vegas(start=10)
        for now in range(3):
            vegas.overloaded(0.01, now)
        if streams:
            vegas.first_chunk(0.2, 1, 3.0)
        limits.append(vegas.limit)
        for _ in range(200):
            vegas.answered(10, 4.0)
        limits.append(vegas.limit)

    assert limits == [7, 10, 7, 7]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["refused", "late", "whole", "first"]),
            st.floats(0, 1e4),
            st.integers(0, 1000),
            st.floats(0, 1e3),
        ),
        max_size=60,
    )
)
def test_it_stays_within_its_bounds(seen):
    """Whatever happens, the limit is between the least and the most."""
    vegas, now = Vegas(start=5, least=2, most=10), 0.0
    for what, seconds, in_flight, later in seen:
        now += later
        if what == "refused":
            vegas.overloaded(seconds, now)
        elif what == "late":
            vegas.no_first_chunk(seconds, in_flight)
        elif what == "whole":
            vegas.answered(in_flight, now)
        else:
            vegas.first_chunk(seconds, in_flight, now)

        assert 2 <= vegas.limit <= 10

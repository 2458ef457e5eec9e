"""`Turnstile`: lines of waiting calls, first come, first served."""

from __future__ import annotations

import os
import sys
from multiprocessing import get_context

import pytest

from aigw.flags import BlockingFlag
from aigw.mechanics.limits import Denial, Rate, Slots
from aigw.policies.line import Waiter
from aigw.policies.turnstile import Turnstile
from aigw.runtime import drive

ALICE, BOB = ("alice",), ("bob",)
RATE = Denial(Rate("k", 60), 3.0)
SLOTS = Denial(Slots("k", 1), None)


def join(turnstile, *costs, scopes=ALICE):
    """Stand in line."""
    return turnstile.join(scopes, costs or (1.0,), Waiter(BlockingFlag()))


def test_the_first_goes_and_then_the_next():
    """One at a time has its flag set, in the order in which they came; a line that is empty is forgotten."""
    turnstile = Turnstile()
    assert turnstile.is_free(ALICE)
    places = [join(turnstile) for _ in range(3)]
    states = []
    for place in places:
        states.append([one.flag.is_set() for one in places])
        place.leave()
        place.leave()

    assert states == [[True, False, False], [True, True, False], [True, True, True]]
    assert turnstile.lines == 0


def test_whoever_leaves_early_is_passed_over():
    """A place in the middle goes away without waking anybody; the first one wakes the next that is left."""
    turnstile = Turnstile()
    first, second, third = (join(turnstile) for _ in range(3))
    second.leave()
    before = third.flag.is_set()
    first.leave()

    assert (before, third.flag.is_set(), second.flag.is_set()) == (False, True, False)


def test_lines_do_not_wait_for_each_other():
    """Each has its own scopes."""
    turnstile = Turnstile()
    join(turnstile)

    assert join(turnstile, scopes=BOB).flag.is_set()
    assert turnstile.lines == 2


def test_the_outlook_adds_up_those_who_are_ahead():
    """It is what the first was told, and what each behind it takes, of the limit that takes longest."""
    turnstile = Turnstile()
    first = join(turnstile, 1.0, 1.0)
    join(turnstile, 2.0, 5.0)
    last = join(turnstile, 4.0, 0.5)
    untold = last.outlook(0.0)
    first.expect(RATE, 10.0)
    told, later = last.outlook(10.0), last.outlook(20.0)
    first.expect(SLOTS, 20.0)

    assert (untold.wait, untold.denial) == (6.0, None)
    assert (told.wait, told.denial) == (9.0, RATE)
    assert later.wait == pytest.approx(6.0)
    assert last.outlook(20.0) == (None, SLOTS)


def test_what_is_given_back_wakes_those_who_watch():
    """A release of one of its scopes sets the flag, also one that came before it began to watch."""
    turnstile = Turnstile()
    place = join(turnstile, scopes=("a", "b"))
    seen = turnstile.releases
    flags = [BlockingFlag() for _ in range(4)]
    place.watch(flags[0], seen)
    turnstile.released(BOB)
    other = flags[0].is_set()
    turnstile.released(("b",))
    place.watch(flags[1], seen)
    place.watch(flags[2], turnstile.releases)
    place.watch(flags[3], turnstile.releases)
    place.unwatch(flags[2])
    turnstile.released(("a",))

    assert other is False
    assert [flag.is_set() for flag in flags] == [True, True, False, True]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_has_no_lines():
    """Nobody there waits behind threads that were not copied."""
    turnstile = Turnstile()
    join(turnstile)
    child = get_context("fork").Process(target=_in_child, args=(turnstile,))
    child.start()
    child.join(30)

    assert child.exitcode == 0
    assert turnstile.lines == 1


def _in_child(turnstile):
    """End with 0 if the line is free and the first place is the first."""
    free = turnstile.is_free(ALICE)
    os._exit(0 if free and drive(join(turnstile).flag.wait(5)) else 1)

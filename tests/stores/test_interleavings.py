"""No interleaving of reserving, settling, expiring, blocking and draining exceeds a limit, or refuses without need.

The model is a log of what happened: it knows no TAT, keeps no sums, and adds everything up again each time.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    multiple,
    rule,
    run_state_machine_as_test,
)

from aigw.mechanics.limits import Claim, Denial, Rate, Slots, Spend
from aigw.stores.ledger import Ticket
from stores.ledgers import STORES, Face

RATE = Rate("rate", 120, window=60.0, burst=8.0)
SPEED = 2.0
"""Units a second."""
BURST = 16.0
"""Units."""
SLOTS = Slots("slots", 3)
BUDGET = 50
ROLLING = 3
"""Pieces of the rolling period."""
NEAR = 1e-3
"""Units and seconds in which the store and the model may differ by rounding."""


@dataclass
class Run:
    """What the model knows of a reservation."""

    ticket: Ticket
    rate: int
    slots: int
    spend: int
    piece: int
    at: float
    expires: float
    settled: float | None = None


@dataclass
class Log:
    """Everything that happened."""

    runs: list[Run] = field(default_factory=list)
    flow: list[tuple[float, str, float]] = field(default_factory=list)
    """Of the rate: time, kind (admit, change, push, drain), and an amount or a time."""
    spent: list[tuple[int, int]] = field(default_factory=list)

    def backlog(self, now: float) -> float:
        """Return the units that the rate has admitted and not yet let through."""
        backlog, then = 0.0, 0.0
        for at, kind, value in self.flow:
            backlog, then = backlog - (at - then) * SPEED, at
            if kind == "admit":
                backlog = max(backlog, 0.0) + value
            elif kind == "change":
                backlog += value
            elif kind == "push":
                backlog = max(backlog, value * SPEED + BURST)
            else:
                backlog = max(backlog, BURST - value)
        return backlog - (now - then) * SPEED

    def blocked_until(self) -> float:
        """Return the end of the last block."""
        return max((at + seconds for at, kind, seconds in self.flow if kind == "push"), default=0.0)

    def wait(self, amount: int, now: float) -> float:
        """Return the seconds until the rate has room."""
        over = max(self.backlog(now), 0.0) + min(amount, BURST) - BURST
        return max(over / SPEED, self.blocked_until() - now)

    def slots(self, now: float) -> int:
        """Return the slots of what runs."""
        return sum(run.slots for run in self.runs if run.settled is None and run.expires > now)

    def spent_since(self, oldest: int) -> int:
        """Return what was spent in a period."""
        return sum(amount for piece, amount in self.spent if piece >= oldest)

    def check_windows(self) -> None:
        """Look at every window that begins and ends with an admission."""
        admits = [index for index, (_, kind, _) in enumerate(self.flow) if kind == "admit"]
        for first in admits:
            total = largest = 0.0
            for index in range(first, admits[-1] + 1):
                at, kind, value = self.flow[index]
                if kind in {"admit", "change"}:
                    total += value
                if kind == "admit":
                    largest = max(largest, value)
                    allowed = max(BURST, largest) + (at - self.flow[first][0]) * SPEED
                    assert total <= allowed + NEAR, f"{total} units in a window that allows {allowed}"


class Interleavings(RuleBasedStateMachine):
    """A ledger and its log."""

    store = "memory"
    kind = "blocking"
    tickets = Bundle("tickets")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.making = STORES[self.store](Path(self.folder.name))
        self.stand = self.making.__enter__()
        self.faces = [Face(self.stand, self.kind), Face(self.stand, "blocking")]
        self.log = Log()

    def teardown(self):
        for face in self.faces:
            face.close()
        self.making.__exit__(None, None, None)
        self.folder.cleanup()

    @property
    def now(self):
        return self.stand.clock.now()

    def limit(self):
        piece = int(self.now // 20)
        return Spend("budget", BUDGET, piece, piece - ROLLING + 1)

    @rule(
        target=tickets,
        rate=st.sampled_from([0, 1, 2, 4, 8, 16, 20]),
        slots=st.sampled_from([0, 0, 1, 1, 2]),
        spend=st.sampled_from([0, 1, 3, 10, 30]),
        lasts=st.sampled_from([5.0, 30.0, 300.0]),
        which=st.integers(0, 1),
        after=st.sampled_from([0.0, 0.0, 1.5, 6.0, 21.0]),
    )
    def reserve(self, rate, slots, spend, lasts, which, after):  # noqa: PLR0917  (hypothesis gives them by name)
        self.stand.advance(after)
        limit = self.limit()
        wait = self.log.wait(rate, self.now)
        full = self.log.slots(self.now) + slots > SLOTS.capacity
        over = self.log.spent_since(limit.oldest) + spend > BUDGET
        outcome = self.faces[which].reserve(Claim(RATE, rate), Claim(SLOTS, slots), Claim(limit, spend), lasts=lasts)
        if isinstance(outcome, Denial):
            assert full or over or wait > -NEAR, "refused without need"
            assert (outcome.wait is None) == (full or over)
            assert outcome.wait is None or outcome.wait == pytest.approx(wait, abs=NEAR)
            return multiple()
        assert not full
        assert not over
        assert wait <= NEAR
        run = Run(outcome, rate, slots, spend, limit.piece, self.now, self.now + lasts)
        self.log.runs.append(run)
        self.log.flow.append((self.now, "admit", rate))
        self.log.spent.append((limit.piece, spend))
        self.log.check_windows()
        return run

    @rule(
        run=tickets,
        rate=st.none() | st.integers(0, 20),
        spend=st.none() | st.integers(0, 35),
        which=st.integers(0, 1),
    )
    def settle(self, run, rate, spend, which):
        self._settle(run, rate, spend, which)

    @rule(run=tickets)
    def settle_again(self, run):
        """Another process settles with the same name."""
        if run.settled is not None:
            run.ticket.settled = False
            self._settle(run, 0, 0, 1)

    @rule(seconds=st.sampled_from([0.25, 1.0, 4.0, 9.5, 35.0]) | st.floats(0.01, 40.0))
    def advance(self, seconds):
        self.stand.advance(seconds)

    @rule(seconds=st.none() | st.sampled_from([0.5, 3.0, 12.0]), left=st.integers(0, 16))
    def tighten(self, seconds, left):
        """Block the rate, or leave less of it, as a provider says."""
        if seconds is None:
            self.faces[0].drain(RATE, left)
            self.log.flow.append((self.now, "drain", left))
        else:
            self.faces[0].push(RATE, seconds)
            self.log.flow.append((self.now, "push", seconds))

    @rule(which=st.integers(0, 1))
    def used(self, which):
        face = self.faces[which]
        limit = self.limit()

        assert face.used(SLOTS) == self.log.slots(self.now) <= SLOTS.capacity
        assert face.used(limit) == self.log.spent_since(limit.oldest)
        assert face.used(RATE) == pytest.approx(max(self.log.backlog(self.now), 0.0), abs=0.5 + NEAR)

    def _settle(self, run, rate, spend, which):
        face = self.faces[which]
        face.settle(run.ticket, rate, None, spend)
        face.used(SLOTS)  # what is asked for after a settlement is answered after it
        if run.settled is None and run.expires > self.now:
            run.settled = self.now
            if rate is not None:
                self.log.flow.append((self.now, "change", rate - run.rate))
            if spend is not None:
                self.log.spent.append((run.piece, spend - run.spend))


@pytest.mark.parametrize("kind", ["blocking", "loop"])
@pytest.mark.parametrize("store", ["memory", "sqlite", "redis"])
def test_no_interleaving_exceeds_a_limit(store, kind):
    """Whatever happens in whatever order: grants and refusals are those of the log, and no window exceeds its bound."""
    machine = type("Machine", (Interleavings,), {"store": store, "kind": kind})
    fast = store == "memory" and kind == "blocking"

    run_state_machine_as_test(
        machine, settings=settings(max_examples=300 if fast else 80, stateful_step_count=40, deadline=None)
    )

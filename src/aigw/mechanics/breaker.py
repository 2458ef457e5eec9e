"""`Circuit`: whether something that fails may be used, decided by its last results.

The pattern is the circuit breaker of Michael Nygard's *Release It!*. It is counted by number and time (the last 20
results of the last minute), as services for language models get few calls per second.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from aigw.mechanics.pool import leave_all

if TYPE_CHECKING:
    import random

    from aigw.mechanics.pool import Pool

State = Literal["closed", "open", "half-open"]
Result = Literal["ok", "failed", "broken", "slow"]
"""``broken`` is a failure that also counts in a row: no connection, or the server itself says that it is broken."""

PROBES: Final = 3
"""Probes while it is half-open, of which the majority decides."""

ENOUGH: Final = 2
"""Probes that must succeed to close it, and fail to open it again."""

PROBE_LASTS: Final = 300.0
"""Seconds after which a probe that did not report back is given up."""

RAMP: Final = 30.0
"""Seconds in which it comes back to its full weight after it was closed."""

LEAST_WEIGHT: Final = 0.1
"""The weight at which it comes back."""

JITTER: Final = 0.2
"""The share by which the time that it is open varies, so that many processes do not probe at once."""

QUARANTINE: Final = 300.0
"""Seconds that a refused key is left alone at first."""

LONGEST_QUARANTINE: Final = 3600.0

SLOW_FLOOR: Final = 10.0
"""Seconds to the first chunk that are never slow."""

SLOW_TIMES: Final = 4.0
"""How many times its own 95th percentile is slow."""

_STEP: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rules:
    """When it opens, and for how long.

    Args:
        failure_rate: share of failures that opens it.
        window: seconds that a result counts.
        results: results that count at most.
        least: results that there must be before a share means anything.
        consecutive: failures in a row that open it.
        slow: seconds to the first chunk that are slow; ``None`` for more than 10 s and 4 times the usual.
        slow_rate: share of slow ones that opens it.
        open: seconds that it is open at first; doubles.
        longest: seconds that it is open at most.
    """

    failure_rate: float = 0.5
    window: float = 60.0
    results: int = 20
    least: int = 10
    consecutive: int = 5
    slow: float | None = None
    slow_rate: float = 0.8
    open: float = 15.0
    longest: float = 300.0


class Pass(NamedTuple):
    """A call that was let through.

    Args:
        epoch: the state that it was let through in: what it tells later is old news.
        probe: it is the probe.
    """

    epoch: int
    probe: bool


class Circuit:
    """The state of one thing that may fail. Not safe for threads: whoever owns it holds a lock.

    Args:
        rules: when it opens.
    """

    __slots__ = (
        "_blocked",
        "_closed_at",
        "_epoch",
        "_failed",
        "_in_a_row",
        "_kept",
        "_openings",
        "_passed",
        "_pools",
        "_probe_ends",
        "_quarantines",
        "_results",
        "_rules",
        "_until",
        "_usual",
        "reason",
        "state",
    )

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pools: list[Pool] = []
        self._results: deque[tuple[float, Result]] = deque(maxlen=rules.results)
        self._in_a_row = 0
        self._openings = 0
        self._quarantines = 0
        self._epoch = 0
        self._until = 0.0
        self._blocked = 0.0
        self._closed_at = -math.inf
        self._probe_ends: float | None = None
        self._passed = 0
        self._failed = 0
        self._kept = False
        self._usual: float | None = None
        self.state: State = "closed"
        self.reason = ""
        """Why it was opened the last time."""

    def join(self, pool: Pool) -> None:
        """Ask this pool as well before opening. Only while it is closed."""
        self._pools.append(pool)

    def enter(self, now: float) -> Pass | float:
        """Let a call through, or return the seconds until it is worth to ask again."""
        if now < self._blocked:
            return self._blocked - now
        if self.state == "closed":
            return Pass(self._epoch, probe=False)
        if self.state == "open":
            if now < self._until:
                return self._until - now
            self._change("half-open")
        if self._probe_ends is not None:
            if now < self._probe_ends:
                return min(self._probe_ends - now, 1.0)
            self._epoch += 1  # given up: what it tells later counts no more
        self._probe_ends = now + PROBE_LASTS
        return Pass(self._epoch, probe=True)

    def weight(self, now: float) -> float:
        """Return the share of its traffic that it should get, from 0 (none) to 1. Asked for each target and call."""
        if self.state == "closed" and now >= self._blocked and now >= self._closed_at + RAMP:
            return 1.0
        if now < self._blocked or (self.state == "open" and now < self._until):
            return 0.0
        if self.state == "closed":
            return min(max((now - self._closed_at) / RAMP, LEAST_WEIGHT), 1.0)
        probing = self.state == "half-open" and self._probe_ends is not None and now < self._probe_ends
        return 0.0 if probing else LEAST_WEIGHT

    def is_slow(self, first_chunk: float) -> bool:
        """Tell whether so many seconds to the first chunk are slow."""
        if self._rules.slow is not None:
            return first_chunk > self._rules.slow
        return first_chunk > max(SLOW_FLOOR, SLOW_TIMES * (self._usual or 0.0))

    def learn(self, first_chunk: float) -> None:
        """Move the estimate of the 95th percentile: up by 19 small steps for one of 20, down by one for the others."""
        if self._usual is None:
            self._usual = max(first_chunk, 1e-3)
        else:
            self._usual *= math.exp(_STEP * (0.95 if first_chunk > self._usual else -0.05))

    def report(self, given: Pass, result: Result | None, now: float, rng: random.Random) -> str:
        """Hear how a call ended, once for each; return what that changed, in a few words.

        Args:
            given: what let it through.
            result: how it ended; ``None`` where that tells nothing.
            now: the time.
            rng: source of chance.
        """
        if given.epoch != self._epoch:
            return ""
        if given.probe:
            return self._probed(result, now, rng)
        if result is None:
            return ""
        self._results.append((now, result))
        self._in_a_row = self._in_a_row + 1 if result == "broken" else 0
        while self._results[0][0] <= now - self._rules.window:
            self._results.popleft()
        reason = self._verdict()
        return self._open(reason, now, rng) if reason else ""

    def block(self, now: float, seconds: float) -> None:
        """Let nothing through for a while that the provider asked for. No failure."""
        self._blocked = max(self._blocked, now + seconds)

    def quarantine(self, given: Pass, reason: str, now: float, rng: random.Random) -> str:
        """Open it for long, since the key was refused; return what that changed."""
        if given.epoch != self._epoch:
            return ""
        return self._open(reason, now, rng, quarantined=True)

    def _verdict(self) -> str:
        """Return the reason to open it; empty if there is none."""
        rules, count = self._rules, len(self._results)
        if self._in_a_row >= rules.consecutive:
            return f"{self._in_a_row} failures in a row"
        if count < rules.least:
            return ""
        failures = sum(result in ("failed", "broken") for _, result in self._results)
        if failures >= rules.failure_rate * count:
            return f"{failures} of {count} failed"
        slow = sum(result == "slow" for _, result in self._results)
        return f"{slow} of {count} were slow" if slow >= rules.slow_rate * count else ""

    def _probed(self, result: Result | None, now: float, rng: random.Random) -> str:
        self._probe_ends = None
        if result is None:
            return ""
        if result == "ok":
            self._passed += 1
            return self._close(now) if self._passed >= ENOUGH else ""
        self._failed += 1
        return self._open("probes failed", now, rng) if self._failed >= ENOUGH else ""

    def _open(self, reason: str, now: float, rng: random.Random, *, quarantined: bool = False) -> str:
        if self.state == "closed":
            if not leave_all(self._pools):
                kept, self._kept = self._kept, True
                return "" if kept else f"stays closed, too few others are left: {reason}"
            if now - self._closed_at > RAMP + self._rules.window:
                self._openings = self._quarantines = 0
        if quarantined:
            seconds = _doubled(QUARANTINE, self._quarantines, LONGEST_QUARANTINE)
            self._quarantines += 1
        else:
            seconds = _doubled(self._rules.open, self._openings, self._rules.longest)
            self._openings += 1
        seconds *= rng.uniform(1 - JITTER, 1 + JITTER)
        self._until = now + seconds
        self.reason = reason
        self._change("open")
        return f"open for {seconds:.3g} s: {reason}"

    def _close(self, now: float) -> str:
        for pool in self._pools:
            pool.come_back()
        self._closed_at = now
        self._kept = False
        self._change("closed")
        return "closed: probes succeeded"

    def _change(self, state: State) -> None:
        self.state = state
        self._epoch += 1
        self._results.clear()
        self._in_a_row = self._passed = self._failed = 0
        self._probe_ends = None


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times, 30), longest)

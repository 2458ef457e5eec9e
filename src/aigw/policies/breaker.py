"""`Breaker`: leaves a target alone that failed too often just now."""

from __future__ import annotations

import logging
import threading
from copy import copy
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from aigw.checks import at_least
from aigw.checks import seconds as check_seconds
from aigw.errors import (
    AuthenticationFailed,
    BadResponse,
    CircuitOpen,
    ConfigError,
    DeadlineExceeded,
    Overloaded,
    PermissionDenied,
    ProviderError,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    StreamInterrupted,
    TimedOut,
    Unreachable,
)
from aigw.mechanics.breaker import Circuit, Pass, Rules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from aigw.call import Call
    from aigw.mechanics.breaker import Result
    from aigw.mechanics.pool import Pool
    from aigw.policy import Next
    from aigw.reply import End, Reply

_BROKEN: Final = (Unreachable, ServerError, Overloaded)
_FAILED: Final = (TimedOut, BadResponse, StreamInterrupted)
_KEY: Final = (AuthenticationFailed, PermissionDenied)
_QUOTA: Final = (ProviderRateLimited, QuotaExhausted)

LONGEST_BLOCK: Final = 3600.0
"""Seconds that a provider can have a target left alone."""


class Breaker:
    """Leaves a target alone that failed too often, and tries it again with one call at a time.

    ``Target(…, policies=[Breaker()])``; each target has its own state, although several may be given the same object.
    Around another node or a gateway it has one state for all that is below.

    Failures are: unreachable, timed out, 5xx, no capacity, a malformed answer, a stream that was cut. A call that was
    cancelled or refused (400 and its like, 404, by our own policies) tells nothing. After a 429 that says for how long,
    the target is left alone for this time. After a 401 or 403 it is left alone for 5 minutes, doubling to an hour.

    In a `Balance` it never leaves alone more than half of the targets, nor the last one, because of failures.

    Args:
        failure_rate: share of failures that opens it, above 0 and up to 1.
        window: seconds that a result counts, also as a `timedelta`.
        results: results that count at most.
        least: results that there must be before a share means anything.
        consecutive: failures in a row (unreachable, 5xx) that open it.
        slow: seconds to the first chunk of a stream that are slow; by default more than 10 s and 4 times the usual.
        slow_rate: share of slow streams that opens it, above 0 and up to 1.
        open: seconds until a first probe; doubles each time, give or take 20 %.
        longest: seconds until a probe at most.
        shadow: refuse nothing, only write into the trace what would have been refused.

    Raises:
        ConfigError: an argument makes no sense.
        CircuitOpen: (from a call) the target is left alone; nothing was sent.
    """

    inside: ClassVar[Mapping[str, str]] = {
        "Retry": "each attempt is a result of its own, and a retry must be able to go elsewhere"
    }

    def __init__(
        self,
        *,
        failure_rate: float = 0.5,
        window: float | timedelta = 60.0,
        results: int = 20,
        least: int = 10,
        consecutive: int = 5,
        slow: float | timedelta | None = None,
        slow_rate: float = 0.8,
        open: float | timedelta = 15.0,  # noqa: A002  (the state that it is about)
        longest: float | timedelta = 300.0,
        shadow: bool = False,
    ) -> None:
        self.rules = Rules(
            failure_rate=_share("failure_rate", failure_rate),
            window=check_seconds("Breaker(window)", window),
            results=at_least("Breaker(results)", results, 1),
            least=at_least("Breaker(least)", least, 1),
            consecutive=at_least("Breaker(consecutive)", consecutive, 1),
            slow=None if slow is None else check_seconds("Breaker(slow)", slow),
            slow_rate=_share("slow_rate", slow_rate),
            open=check_seconds("Breaker(open)", open),
            longest=check_seconds("Breaker(longest)", longest),
        )
        if self.rules.least > self.rules.results:
            raise ConfigError(f"Breaker(least={least!r}) must be at most results, which is {results!r}")
        if self.rules.longest < self.rules.open:
            raise ConfigError(f"Breaker(longest={longest!r}) must be at least open, which is {open!r}")
        self.shadow = shadow
        self._start("")

    def __repr__(self) -> str:
        usual = Rules()
        shown = [
            f"{name}={getattr(self.rules, name)!r}"
            for name in Rules.__slots__
            if getattr(self.rules, name) != getattr(usual, name)
        ]
        return f"Breaker({', '.join([*shown, *(['shadow=True'] if self.shadow else [])])})"

    def at_target(self, target: _Named) -> Breaker:
        """Return one with a state of its own for this target."""
        placed = copy(self)
        placed._start(target.name)  # noqa: SLF001  (a copy of itself)
        return placed

    def in_pool(self, pool: Pool) -> None:
        """Ask this pool before opening; see `Policy`."""
        with self._lock:
            self._circuit.join(pool.imagined if self.shadow else pool)

    def availability(self, now: float) -> float:
        """Return the share of its traffic that the target should get now; see `Policy`."""
        return 1.0 if self.shadow else self._circuit.weight(now)  # it only reads: no need to lock

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Let the call through unless the target is left alone, and hear how it ends."""
        with self._lock:
            given = self._circuit.enter(call.clock.now())
            reason = self._circuit.reason if self._circuit.state != "closed" else "the provider wants a pause"
        if not isinstance(given, Pass):
            message = f"{self._target or 'what is below'} is left alone for {given:.3g} s more: {reason}"
            call.note("Breaker", "would refuse" if self.shadow else "refused", message)
            if self.shadow:
                return await inner(call)
            refusal = CircuitOpen(message, policy="Breaker", retry_after=given)
            refusal.target = self._target or None
            raise refusal
        visit = _Visit(self, call, given)
        if given.probe:
            call.note("Breaker", "probe", reason)
        try:
            reply = await inner(call)
        except BaseException as error:
            visit.over(error)
            raise
        reply.when_committed(visit.committed)
        reply.when_done(visit.done)
        return reply

    def _start(self, target: str) -> None:
        self._target = target
        self._circuit = Circuit(self.rules)
        self._lock = threading.Lock()

    def _settle(self, call: Call, given: Pass, error: BaseException | None, first: float | None, *, ok: bool) -> None:
        """Take note of how a call ended.

        Args:
            call: the call.
            given: what let it through.
            error: how it failed.
            first: seconds to the first chunk of a stream.
            ok: it did not fail, and was not abandoned.
        """
        now, rng = call.clock.now(), call.ports.rng
        cause = error.__cause__ if isinstance(error, StreamInterrupted) else error
        with self._lock:
            circuit = self._circuit
            if isinstance(cause, _KEY):
                change = circuit.quarantine(given, f"{type(cause).__name__}: the key was refused", now, rng)
            else:
                asked = _asked(cause)
                if asked is not None:
                    circuit.block(now, asked)
                slow = first is not None and circuit.is_slow(first)
                change = circuit.report(given, _result(cause, ok=ok, slow=slow), now, rng)
            if first is not None and ok:
                circuit.learn(first)
        if change:
            call.note("Breaker", change.partition(":")[0], change.partition(": ")[2])
            logging.getLogger("aigw").warning("Breaker of %s: %s", self._target or "a node", change)


class _Visit:
    """One call that was let through; it reports once."""

    __slots__ = ("_began", "_breaker", "_call", "_first", "_given", "_over")

    def __init__(self, breaker: Breaker, call: Call, given: Pass) -> None:
        self._breaker = breaker
        self._call = call
        self._given = given
        self._began = call.clock.now()
        self._first: float | None = None
        self._over = False

    def committed(self) -> None:
        """Note the time of the first output of a stream. For a probe it is enough: streams may be long."""
        if self._call.stream:
            self._first = self._call.clock.now() - self._began
            if self._given.probe:
                self._report(None, ok=True)

    def done(self, end: End) -> None:
        """The reply is over."""
        self._report(end.error, ok=end.complete and end.error is None)

    def over(self, error: BaseException) -> None:
        """It failed before there was a reply."""
        if isinstance(error, DeadlineExceeded) and isinstance(error.__cause__, TimedOut):
            self._first = self._call.clock.now() - self._began  # so long at least
        self._report(error, ok=False)

    def _report(self, error: BaseException | None, *, ok: bool) -> None:
        if not self._over:
            self._over = True
            self._breaker._settle(self._call, self._given, error, self._first, ok=ok)  # noqa: SLF001  (its own part)


class _Named(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


def _result(cause: BaseException | None, *, ok: bool, slow: bool) -> Result | None:
    """Tell what an end says of the target; ``None`` where it says nothing.

    The deadline of a caller says nothing by itself, as it may be short; but a target that had let it wait for long
    was slow.
    """
    if isinstance(cause, _BROKEN):
        return "broken"
    if isinstance(cause, _FAILED):
        return "failed"
    if slow and (ok or isinstance(cause, DeadlineExceeded)):
        return "slow"
    return "ok" if ok else None


def _asked(cause: BaseException | None) -> float | None:
    """Return the seconds that the provider wants us to wait. A 429 that does not say how long blocks nothing."""
    if not isinstance(cause, ProviderError) or not isinstance(cause, _QUOTA):
        return None
    asked = cause.retry_after
    if asked is None and cause.quota is not None:
        asked = cause.quota.retry_after
    return None if asked is None else min(max(asked, 0.0), LONGEST_BLOCK)


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ConfigError(f"Breaker({name}) must be a share above 0 and up to 1, not {value!r}")
    return float(value)

"""`Retry`: tries again what may succeed, elsewhere first, and never so often that it makes an outage worse."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar, Final

from aigw.checks import at_least, seconds, weight
from aigw.errors import AigwError, AllTargetsFailed, ProviderError, Refused, failed_targets
from aigw.mechanics.backoff import full_jitter, obeying
from aigw.mechanics.retry_budget import RetryBudget
from aigw.policies.strategies import Stop, Wait, When, state_of, strategy

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import Reply

MOST_ROUTES = 1000
"""Routes whose budgets are remembered; the oldest is forgotten beyond it."""


class _Tries:
    """The retries of one call, which all that is asked for its sake shares: they add up and do not multiply.

    Args:
        most: how many there may be.
    """

    __slots__ = ("_left", "_lock", "is_over")

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = threading.Lock()
        self.is_over = False

    @property
    def any_left(self) -> bool:
        """Whether there may be another one."""
        return self._left > 0

    def take(self) -> None:
        """Count one."""
        with self._lock:
            self._left -= 1


_OUTERMOST: Final[ContextVar[_Tries | None]] = ContextVar("aigw_tries", default=None)
"""The retries of the call that is going on here. One that is over stays, and says so, until the next one."""


class Retry:
    """Tries a failed call again.

    What is tried again: failures that may go away (unreachable, timed out, 5xx, 429, a malformed answer), and those of
    one target while another one of its pool is left. Never: what the caller did wrong, what a policy of ours refused, a
    spent quota, and anything after the first output of an answer.

    The next try goes to another target first, at once. Only when none is left it waits, with full jitter, and at least
    as long as the provider asks (``Retry-After``, ``retry-after-ms``).

    Place it inside `Deadline`, so that one limit holds for all tries, and only once on the way to a target. Where an
    attempt makes calls through a gateway itself (a wrapped function, a guard that asks a model), those share the
    retries of the call that they are made for, so that layers do not multiply them.

    Args:
        attempts: how often to try in all, the first time included.
        wait: a tenacity strategy, such as ``wait_exponential_jitter(1, 10)``, in place of full jitter that doubles from
            0.5 s to 8 s.
        stop: a tenacity strategy, such as ``stop_after_delay(30)``, in place of `attempts`.
        retry: a tenacity strategy, such as ``retry_if_exception_type(aigw.Overloaded)``, in place of the rule above.
        max_retry_after: seconds; if a provider asks for more, the error is raised at once (with its ``retry_after``).
        budget: retries that are allowed for each call, per route, on average; ten may come at once, and one is granted
            every 10 s in any case. ``None`` switches this off.
    """

    alone: ClassVar[str] = "their attempts would multiply; keep the one that is nearest to the application"

    def __init__(
        self,
        attempts: int = 3,
        *,
        wait: Wait | None = None,
        stop: Stop | None = None,
        retry: When | None = None,
        max_retry_after: float = 20.0,
        budget: float | None = 0.1,
    ) -> None:
        self.attempts = at_least("Retry(attempts)", attempts, 1)
        self.max_retry_after = seconds("Retry(max_retry_after)", max_retry_after)
        self.budget = None if budget is None else weight("Retry(budget)", budget)
        self._wait = strategy("Retry(wait)", wait)
        self._stop = strategy("Retry(stop)", stop)
        self._retry = strategy("Retry(retry)", retry)
        self._budgets: dict[str, RetryBudget] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        given = {"wait": self._wait, "stop": self._stop, "retry": self._retry}
        named = [f"{name}={value!r}" for name, value in given.items() if value is not None]
        return f"Retry({', '.join([f'attempts={self.attempts}', *named])})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Try, and try again."""
        around = _OUTERMOST.get()
        if around is not None and not around.is_over:
            return await self._tries(call, inner, around)
        tries = _Tries(self.attempts - 1)
        _OUTERMOST.set(tries)
        try:
            return await self._tries(call, inner, tries if self._stop is None else None)
        finally:
            tries.is_over = True

    async def _tries(self, call: Call, inner: Next, tries: _Tries | None) -> Reply:
        """Try, and try again, while there are tries left; ``None`` leaves that to `stop`."""
        started = call.clock.now()
        idle = 0.0
        self._deposit(call.route, started)
        while True:
            try:
                reply = await inner(call)
                await reply.prime()
            except AigwError as error:
                state = self._state(call, error, started, idle)
                wait, reason = self._decide(call, error, state, tries)
                if wait is None:
                    if reason:
                        call.note("Retry", "gave up", reason)
                    raise
                call.note("Retry", "retry", reason, wait=wait)
                blamed = failed_targets(error)
            else:
                return reply
            if tries is not None:
                tries.take()
            if wait > 0:
                await call.clock.sleep(wait)
                idle += wait
            call = call.evolve(attempt=call.attempt + 1, avoid=call.avoid | blamed)

    def _decide(
        self, call: Call, error: AigwError, state: RetryCallState | None, tries: _Tries | None
    ) -> tuple[float | None, str]:
        """Return the wait and the reason for it, or ``None`` and why there is no next try."""
        name = type(error).__name__
        if not (self._retry(state) if self._retry and state else worth_retrying(error)):
            return None, ""
        wait, reason = self._next_wait(call, error, state)
        if state is not None:
            state.upcoming_sleep = wait  # `stop_before_delay` looks at it
        stops = self._stop(state) if self._stop and state else call.attempt >= self.attempts
        if stops or (tries is not None and not tries.any_left):
            return None, f"{name} in attempt {call.attempt}, which was the last"
        asked = _asked(error)
        if wait and asked is not None and asked > self.max_retry_after:
            return None, f"{name}: the provider wants {asked:g} s, the most allowed is {self.max_retry_after:g} s"
        if wait >= call.remaining():
            return None, f"{name}: the deadline comes before the next attempt"
        if not self._withdraw(call.route, call.clock.now()):
            return None, f"{name}: the retry budget of the route is used up"
        return wait, reason

    def _next_wait(self, call: Call, error: AigwError, state: RetryCallState | None) -> tuple[float, str]:
        name = type(error).__name__
        if isinstance(error, (ProviderError, Refused)) and error.alternatives > 0:
            return 0.0, f"{name}, another target is left"
        rng = call.ports.rng
        if self._wait is not None and state is not None:
            wait = float(self._wait(state))
        else:
            wait = full_jitter(call.attempt, base=0.5, cap=8.0, rng=rng)
        asked = _asked(error)
        if asked is not None:
            return max(wait, obeying(asked, rng=rng)), f"{name}, the provider asks for {asked:g} s"
        return wait, name

    def _state(self, call: Call, error: AigwError, started: float, idle: float) -> RetryCallState | None:
        if self._wait is None and self._stop is None and self._retry is None:
            return None
        return state_of(attempt=call.attempt, started=started, now=call.clock.now(), idle=idle, error=error)

    def _deposit(self, route: str, now: float) -> None:
        if self.budget is None:
            return
        with self._lock:
            budget = self._budgets.get(route)
            if budget is None:
                if len(self._budgets) >= MOST_ROUTES:
                    del self._budgets[next(iter(self._budgets))]
                budget = self._budgets[route] = RetryBudget(share=self.budget)
            budget.deposit(now)

    def _withdraw(self, route: str, now: float) -> bool:
        if self.budget is None:
            return True
        with self._lock:
            budget = self._budgets.get(route)
            return budget is None or budget.withdraw(now)


def worth_retrying(error: AigwError) -> bool:
    """Tell whether the same call may succeed later, or at another target of the same pool."""
    if isinstance(error, ProviderError):
        return error.retryable or (error.target_fault and error.alternatives > 0)
    if isinstance(error, Refused):  # by one target's own policies
        return error.alternatives > 0
    return isinstance(error, AllTargetsFailed) and error.retryable


def _asked(error: AigwError) -> float | None:
    """Return the seconds that the provider asked for."""
    return error.retry_after if isinstance(error, (ProviderError, AllTargetsFailed)) else None

"""`HealthCheck`: asks a target now and then whether it is there, before a caller has to find out."""

from __future__ import annotations

import logging
import math
import os
import threading
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from aigw.call import Call, Timeouts
from aigw.checks import at_least, seconds
from aigw.errors import CircuitOpen, ConfigError, DeadlineExceeded, ProviderError, ProviderRateLimited, QuotaExhausted
from aigw.mechanics.pool import leave_all
from aigw.message import Message, Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import timedelta

    from aigw.mechanics.pool import Pool
    from aigw.policy import Next
    from aigw.ports import Branch, Clock, Runtime
    from aigw.reply import End, Reply

    Check = Callable[[], bool | Awaitable[bool]]

PING: Final = (Message("user", (Text("ping"),)),)
"""What is asked. It costs a few tokens each time."""

PING_TOKENS: Final = 16
"""Tokens of the answer at most: the least that all providers accept."""

GIVEN_UP: Final = 5.0
"""Seconds after its timeout at which a check that has not ended is given up: its loop or its process is gone."""


class HealthCheck:
    """Asks a target whether it is there, and leaves it alone while it is not.

    ``Target(…, policies=[HealthCheck(every=60)])``. A target that has answered nothing for so long is asked for a few
    tokens, beside the calls of others and only while there are any. After some failures in a row it is left alone like
    one whose `Breaker` is open; one success, of a check or of a call, brings it back. In a `Balance` it never leaves
    alone more than half of the targets, nor the last one.

    It is not on by default because it costs money: at once a minute some 43,000 requests a month for each target that
    is idle, in each process. They are in no usage record, no budget and no rate limit. A `Breaker` learns from the
    calls that there are anyway; a check is for targets that get few of them, or whose first failure hurts.

    Args:
        every: seconds, also as a `timedelta`.
        timeout: seconds that a check may take, also as a `timedelta`; longer is a failure.
        failures: failed checks in a row after which it is left alone.
        check: what to ask in place of the model: a function or, with `AsyncGateway`, a coroutine function without
            arguments that returns whether all is well. What it raises is a failure.

    Raises:
        ConfigError: an argument makes no sense, or it does not stand around a target.
        CircuitOpen: (from a call) the target is left alone; nothing was sent.
    """

    alone = "a target is asked once"
    _due: float

    def __init__(
        self,
        *,
        every: float | timedelta = 60.0,
        timeout: float | timedelta = 10.0,
        failures: int = 2,
        check: Check | None = None,
    ) -> None:
        self.every = seconds("HealthCheck(every)", every)
        self.timeout = seconds("HealthCheck(timeout)", timeout)
        self.failures = at_least("HealthCheck(failures)", failures, 1)
        if check is not None and not callable(check):
            raise ConfigError(f"HealthCheck(check) must be a function, not {check!r}")
        self.check = check
        self._start("")

    def __repr__(self) -> str:
        usual = {"every": 60.0, "timeout": 10.0, "failures": 2}
        shown = [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        if self.check is not None:
            shown.append(f"check={getattr(self.check, '__qualname__', type(self.check).__name__)}")
        return f"HealthCheck({', '.join(shown)})"

    def at_target(self, target: _Named) -> HealthCheck:
        """Return one for this target."""
        placed = copy(self)
        placed._start(target.name)  # noqa: SLF001  (a copy of itself)
        return placed

    def at_node(self, node: object) -> HealthCheck:
        """Refuse to stand elsewhere."""
        raise ConfigError(f"{self!r} stands around a Target, not around {node!r}")

    def in_pool(self, pool: Pool) -> None:
        """Ask this pool before it leaves the target alone; see `Policy`."""
        self._pools.append(pool)

    def availability(self, now: float) -> float:  # noqa: ARG002  (as the hook has it)
        """Return the share of its traffic that the target should get now; see `Policy`."""
        return 0.0 if self._out else 1.0

    def attend(self, call: Call, inner: Next) -> None:
        """Begin a check beside the call, if it is time for one; see `Policy`."""
        now = call.clock.now()
        if self._due == math.inf:
            self._due = now + self.every
        if now >= self._due:
            self._begin(call, inner, now)

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Let the call through unless the target is left alone; its answer is as good as a check."""
        if not self._target:
            raise ConfigError(f"{self!r} stands around a Target: Target(…, policies=[{self!r}])")
        self.attend(call, inner)
        if self._out:
            message = f"{self._target} is left alone: it failed {self.failures} health checks"
            call.note("HealthCheck", "refused", message)
            refusal = CircuitOpen(message, policy="HealthCheck", retry_after=self.every)
            refusal.target = self._target
            raise refusal
        reply = await inner(call)
        reply.when_done(partial(self._answered, call.clock))
        return reply

    async def close(self, runtime: Runtime) -> None:
        """End a check that was begun with these ports; see `Policy`."""
        branch, ports = self._running
        if branch is None or ports is not runtime or branch.is_over or self._process != os.getpid():
            return
        over = runtime.flag()
        branch.when_over(over.set)
        branch.cancel()
        await over.wait(self.timeout)

    def _start(self, target: str) -> None:
        self._target = target
        self._pools: list[Pool] = []
        self._due = math.inf  # until it is first attended
        self._gives_up = 0.0
        self._failed = 0
        self._out = False
        self._running: tuple[Branch[None] | None, Runtime | None] = (None, None)
        self._process = os.getpid()
        self._lock = threading.Lock()

    def _begin(self, call: Call, inner: Next, now: float) -> None:
        """Begin a check, unless one runs."""
        if self._process != os.getpid():  # neither the lock nor the check of the parent is alive here
            self._process, self._lock, self._running = os.getpid(), threading.Lock(), (None, None)
        if not self._lock.acquire(blocking=False):
            return  # somebody else is about to
        try:
            branch, ports = self._running
            if now < self._due or (branch is not None and not branch.is_over and now < self._gives_up):
                return
            if branch is not None and ports is call.ports:
                branch.cancel()
            self._due, self._gives_up = now + self.every, now + self.timeout + GIVEN_UP
            self._running = call.ports.spawn(partial(self._check, call.ports, call.route, inner)), call.ports
        finally:
            self._lock.release()

    async def _check(self, runtime: Runtime, route: str, inner: Next) -> None:
        """Ask, and take note of what comes."""
        try:
            if self.check is not None:
                fine: bool | None = bool(await runtime.resolve(self.check))
            else:
                fine = await self._ping(route, runtime, inner)
        except Exception:  # noqa: BLE001  (whatever a user's check raises is a failure, and there is nobody to tell)
            fine = False
        if fine is not None:
            with self._lock:
                self._heard(fine=fine)

    async def _ping(self, route: str, runtime: Runtime, inner: Next) -> bool | None:
        """Ask the model for a few tokens; return whether it is there, ``None`` where that tells nothing."""
        now = runtime.clock.now()
        opened: list[Any] = []
        call = Call(
            messages=PING,
            max_tokens=PING_TOKENS,
            route=route,
            runtime=runtime,
            started=now,
            deadline=now + self.timeout,
            timeouts=Timeouts(connect=self.timeout, total=self.timeout),
            opened=opened,
        )
        try:
            reply = await inner(call)
            while await reply.read() is not None:
                pass
        except (ProviderRateLimited, QuotaExhausted):
            return None  # it is there, and has enough to do
        except ProviderError as error:
            return not error.target_fault
        except DeadlineExceeded:
            return False
        finally:
            for left in opened:
                close = left.abandon()
                if close is not None:
                    await close()
        return True

    def _answered(self, clock: Clock, end: End) -> None:
        if not end.complete:
            return
        self._due = clock.now() + self.every
        # A finalizer may end a reply while the very thread that it interrupts holds the lock.
        if self._failed and self._lock.acquire(blocking=False):
            try:
                self._heard(fine=True)
            finally:
                self._lock.release()

    def _heard(self, *, fine: bool) -> None:
        """Count what a check has told. The lock is held."""
        self._failed = 0 if fine else self._failed + 1
        if fine and self._out:
            self._out = False
            for pool in self._pools:
                pool.come_back()
            logging.getLogger("aigw").warning("HealthCheck of %s: it is back", self._target)
        elif not self._out and self._failed >= self.failures and leave_all(self._pools):
            self._out = True
            logging.getLogger("aigw").warning("HealthCheck of %s: left alone, it does not answer", self._target)


class _Named(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

"""`RedisLedger`: counts on a Redis or Valkey server, for many processes on many machines."""

from __future__ import annotations

import os
import uuid
import weakref
from typing import TYPE_CHECKING, Any

from aigw import checks
from aigw.errors import ConfigError
from aigw.mechanics import gcra
from aigw.mechanics.limits import Claim, Denial, Rate
from aigw.stores import redis_scripts as scripts
from aigw.stores.ledger import Ticket
from aigw.stores.redis_fallback import Fallback
from aigw.stores.redis_jobs import LARGEST, Jobs, Time
from aigw.stores.redis_leases import Leases, Taken
from aigw.stores.redis_line import Line
from aigw.stores.redis_link import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Limit
    from aigw.ports import Runtime
    from aigw.stores.redis_link import Job


class RedisLedger:
    """Counts limits on a Redis or Valkey server, for all processes that use the same server and prefix.

    No limit is ever exceeded. A process that makes many calls takes slices of rates in advance (*leases*), and asks the
    server for every second's worth of calls rather than for each; where a lease does not suffice or is not worth while,
    a reservation is one round trip. Settlements are sent by a thread, and nobody waits for them. Where the server does
    not answer, each limit does what its ``when_down`` says, and no call waits for it after the first ones.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path/to/socket``.
        prefix: what all keys begin with, in braces, so that a cluster keeps them on one node.
        timeout: seconds that a call waits for an answer.
        connect_timeout: seconds for a connection to stand.
        leases: take slices of rates in advance. Without, every reservation asks the server.

    Raises:
        ConfigError: an argument is wrong, or redis-py is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "aigw",
        timeout: float = 0.05,
        connect_timeout: float = 0.25,
        leases: bool = True,
    ) -> None:
        if not prefix or set(prefix) & set("{}"):
            raise ConfigError(f"prefix must be a text without braces that is not empty, not {prefix!r}")
        self._url = url
        self._prefix = prefix
        self._timeout = checks.seconds("timeout", timeout)
        self._connect_timeout = checks.seconds("connect_timeout", connect_timeout)
        if not isinstance(leases, bool):
            raise ConfigError(f"leases must be True or False, not {leases!r}")
        self._with_leases = leases
        self._time = Time()
        self._start()
        _renew_after_forks(self)

    def __repr__(self) -> str:
        return f"RedisLedger({self._place!r}, prefix={self._prefix!r})"

    async def reserve(self, claims: Sequence[Claim], runtime: Runtime, lasts: float) -> Ticket | Denial:
        """Reserve all claims, or none; see `Ledger.reserve`.

        Raises:
            ConfigError: the server does not let us in, or a limit is larger than can be counted.
        """
        for limit, amount in claims:
            if max(limit.capacity, amount) > LARGEST:
                raise ConfigError(f"RedisLedger counts up to {LARGEST} exactly; the limit of {limit.key!r} is larger")
            if amount > limit.capacity:
                return Denial(limit, None, never=True)
        clock = runtime.clock
        name = self._jobs.name()
        taken = self._leases.take(claims, clock, lasts) if self._with_leases else None
        if taken is not None:
            if taken[1]:
                self._line.put(*taken[1])
            return Ticket(name, claims, clock, taken[0])
        first = self._given_back(claims) if not self._line.down else ()
        answer = await self._line.ask(self._jobs.reserve(name, claims, lasts), runtime, first)
        if answer is None:
            return self._without_store(name, claims, runtime, lasts)
        refused, wait, peers = answer
        self._fallback.peers = max(peers, 1)
        if refused:
            return Denial(claims[refused - 1].limit, None if wait >= scripts.UNKNOWN_WAIT else wait / 1e6)
        if self._with_leases and (wanted := self._leases.granted(claims, clock)):
            self._line.put(*wanted)
        return Ticket(name, claims, clock)

    def settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        """Replace what was reserved by what was used; see `Ledger.settle`. It is sent later, by another thread."""
        if ticket.settled:
            return
        ticket.settled = True
        note = ticket.note
        if note is None:
            self._line.put(self._jobs.settle(ticket.name, ticket.claims, amounts))
        elif note is self._fallback:
            self._fallback.settle(ticket.name, ticket.claims, amounts, ticket.clock)
            self._line.wake()
        elif isinstance(note, Taken) and self._leases.settle(note, ticket.claims, amounts, ticket.clock.now()):
            self._line.put()

    async def push(self, rate: Rate, seconds: float, runtime: Runtime) -> None:
        """Admit nothing for so many seconds; see `Ledger.push`. Without the store, in this process alone."""
        if await self._ask_of(rate, self._jobs.ahead(rate, seconds + rate.burst, seconds), runtime) is None:
            self._fallback.push(rate, seconds, runtime.clock.now())

    async def drain(self, rate: Rate, left: float, runtime: Runtime) -> None:
        """Leave at most so many units; see `Ledger.drain`. Without the store, in this process alone."""
        if await self._ask_of(rate, self._jobs.ahead(rate, rate.burst - gcra.cost(rate, left), 0), runtime) is None:
            self._fallback.drain(rate, left, runtime.clock.now())

    async def used(self, limit: Limit, runtime: Runtime) -> int:
        """How much is used; see `Ledger.used`. Without the store, what this process has used since it is away."""
        answer = await self._ask_of(limit, self._jobs.used(limit), runtime)
        if answer is None:
            return self._fallback.used(limit, runtime.clock.now())
        return round(float(answer) / 1e6 * limit.capacity / limit.window) if isinstance(limit, Rate) else int(answer)

    def close(self) -> None:
        """Deliver what was settled, for at most 2 s, and let go of connection and thread.

        What cannot be delivered then is lost, which a warning of the logger ``aigw.stores`` tells: what was reserved
        counts as used.
        """
        self._line.close()

    def _start(self) -> None:
        """Begin without connection, thread and counts, also in a process that was forked."""
        self._jobs = Jobs(self._prefix, uuid.uuid4().hex[:16], self._time)
        fallback = self._fallback = Fallback()
        self._leases = Leases(self._jobs, fallback)
        link = Link(self._url, self._timeout, self._connect_timeout)
        self._place = link.place
        chores = _Chores(self._jobs, fallback, self._leases)
        self._line = Line(link, self._timeout, self._timeout + self._connect_timeout, chores)
        self._finalizer = weakref.finalize(self, self._line.end)
        self._finalizer.atexit = False

    def _renew(self) -> None:
        self._finalizer.detach()
        self._start()

    def _without_store(self, name: str, claims: Sequence[Claim], runtime: Runtime, lasts: float) -> Ticket | Denial:
        if self._line.refused is not None:
            raise ConfigError(f"url of RedisLedger: {self._line.refused}")
        fallback = self._fallback
        denial = fallback.reserve(name, claims, runtime.clock, lasts)
        return Ticket(name, claims, runtime.clock, fallback) if denial is None else denial

    async def _ask_of(self, limit: Limit, job: Job, runtime: Runtime) -> Any:
        return await self._line.ask(job, runtime, self._given_back([Claim(limit, 0)]))

    def _given_back(self, claims: Sequence[Claim]) -> Sequence[Job]:
        """End the leases of what is claimed, which would be in the way of what is asked of the store itself."""
        return self._leases.give_back(claims) if self._with_leases else ()


class _Chores:
    """What the line tells the store by itself. It does not hold the ledger."""

    def __init__(self, jobs: Jobs, fallback: Fallback, leases: Leases) -> None:
        self._jobs = jobs
        self._fallback = fallback
        self.jobs = leases.jobs
        self.due = leases.due

    def missed(self) -> list[Job]:
        """Tell what was used while the store was away."""
        return [self._jobs.charge(used) for used in self._fallback.take()]


def _renew_after_forks(ledger: RedisLedger) -> None:
    """Begin anew in the child of a fork: the thread and the connection are its parent's."""
    if not hasattr(os, "register_at_fork"):  # this system does not fork
        return
    renew = weakref.WeakMethod(ledger._renew)  # noqa: SLF001  (a part of the class that must not hold its object)

    def in_child() -> None:
        if (method := renew()) is not None:
            method()

    os.register_at_fork(after_in_child=in_child)

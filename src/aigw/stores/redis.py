"""`RedisLedger`: counts on a Redis or Valkey server, for many processes on many machines."""

from __future__ import annotations

import math
import os
import uuid
import weakref
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Any, Final

from aigw import checks
from aigw.errors import ConfigError
from aigw.mechanics import gcra
from aigw.mechanics.limits import Denial, Rate, Slots, Spend
from aigw.stores import redis_scripts as scripts
from aigw.stores.ledger import Ticket
from aigw.stores.redis_fallback import Fallback
from aigw.stores.redis_line import Line
from aigw.stores.redis_link import Job, Link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.mechanics.limits import Claim, Limit
    from aigw.ports import Flag, Runtime

LARGEST: Final = 1 << 53
"""The largest amount that Lua's numbers count exactly: 9 million dollars in nano-dollars."""


class RedisLedger:
    """Counts limits on a Redis or Valkey server. Exact over all processes that use the same server and prefix.

    One round trip for each reservation, and one that nobody waits for when it is settled. Where the server does not
    answer, each limit does what its ``when_down`` says, and no call waits for it after the first ones.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://`` for TLS, ``unix:///path/to/socket``.
        prefix: what all keys begin with, in braces, so that a cluster keeps them on one node.
        timeout: seconds that a call waits for an answer.
        connect_timeout: seconds for a connection to stand.

    Raises:
        ConfigError: an argument is wrong, or redis-py is not installed.
    """

    def __init__(self, url: str, *, prefix: str = "aigw", timeout: float = 0.05, connect_timeout: float = 0.25) -> None:
        if not prefix or set(prefix) & set("{}"):
            raise ConfigError(f"prefix must be a text without braces that is not empty, not {prefix!r}")
        self._url = url
        self._prefix = prefix
        self._timeout = checks.seconds("timeout", timeout)
        self._connect_timeout = checks.seconds("connect_timeout", connect_timeout)
        self._time = _Time()
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
        name = f"{self._me}-{next(self._names)}"
        answer = await self._line.ask(self._reservation(name, claims, lasts, runtime.flag()), runtime)
        if answer is None:
            return self._without_store(name, claims, runtime, lasts)
        refused, wait, peers = answer
        self._fallback.peers = max(peers, 1)
        if refused:
            return Denial(claims[refused - 1].limit, None if wait >= scripts.UNKNOWN_WAIT else wait / 1e6)
        return Ticket(name, claims, clock)

    def settle(self, ticket: Ticket, amounts: Sequence[int | None]) -> None:
        """Replace what was reserved by what was used; see `Ledger.settle`. It is sent later, by another thread."""
        if ticket.settled:
            return
        ticket.settled = True
        if ticket.note is None:
            self._line.put(self._settlement(ticket.name, ticket.claims, amounts))
        elif ticket.note is self._fallback:
            self._fallback.settle(ticket.name, ticket.claims, amounts, ticket.clock)
            self._line.wake()

    async def push(self, rate: Rate, seconds: float, runtime: Runtime) -> None:
        """Admit nothing for so many seconds; see `Ledger.push`. Without the store, in this process alone."""
        if await self._ahead(rate, seconds + rate.burst, seconds, runtime) is None:
            self._fallback.push(rate, seconds, runtime.clock.now())

    async def drain(self, rate: Rate, left: float, runtime: Runtime) -> None:
        """Leave at most so many units; see `Ledger.drain`. Without the store, in this process alone."""
        if await self._ahead(rate, rate.burst - gcra.cost(rate, left), 0, runtime) is None:
            self._fallback.drain(rate, left, runtime.clock.now())

    async def used(self, limit: Limit, runtime: Runtime) -> int:
        """How much is used; see `Ledger.used`. Without the store, what this process has used since it is away."""
        period = [limit.piece, limit.oldest] if isinstance(limit, Spend) else [0, 0]
        args: list[str | int] = [self._time.us(), _kind(limit), *period]
        answer = await self._line.ask(Job(scripts.USED, [self._key(limit)], args, runtime.flag()), runtime)
        if answer is None:
            return self._fallback.used(limit, runtime.clock.now())
        if isinstance(limit, Rate):
            return max(0, round(float(answer) / 1e6 * limit.capacity / limit.window))
        return int(answer)

    def close(self) -> None:
        """Deliver what was settled, for at most 2 s, and let go of connection and thread.

        What cannot be delivered then is lost, which a warning of the logger ``aigw.stores`` tells: what was reserved
        counts as used.
        """
        self._line.close()

    def _start(self) -> None:
        """Begin without connection, thread and counts, also in a process that was forked."""
        self._me = uuid.uuid4().hex[:16]
        self._names = count()
        fallback = self._fallback = Fallback()
        link = Link(self._url, self._timeout, self._connect_timeout)
        self._place = link.place
        charges = _Charges(fallback, self._prefix, self._me, self._names, self._time)
        self._line = Line(link, self._timeout, self._timeout + self._connect_timeout, charges)
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

    async def _ahead(self, rate: Rate, seconds: float, blocked: float, runtime: Runtime) -> Any:
        args = [self._time.us(), _us(seconds), _us(blocked)]
        return await self._line.ask(Job(scripts.RAISE, [self._key(rate)], args, runtime.flag()), runtime)

    def _reservation(self, name: str, claims: Sequence[Claim], lasts: float, flag: Flag) -> Job:
        keys = [self._open(name), f"{{{self._prefix}}}:p"]
        args: list[str | int] = [self._time.us(), _us(lasts), self._me, name]
        for limit, amount in claims:
            keys.append(self._key(limit))
            if isinstance(limit, Rate):
                args += ["rate", _cost(limit, amount), limit.capacity, _us(limit.burst), 0, 0]
            elif isinstance(limit, Spend):
                args += ["spend", amount, limit.capacity, limit.piece, limit.oldest, _kept(limit)]
            else:
                args += ["slots", amount, limit.capacity, 0, 0, 0]
        undo = self._settlement(name, claims, [0] * len(claims), "void")
        return Job(scripts.RESERVE, keys, args, flag, undo)

    def _settlement(
        self, name: str, claims: Sequence[Claim], amounts: Sequence[int | None], how: str = "settle"
    ) -> Job:
        args: list[str | int] = [self._time.us(), how, name]
        for (limit, reserved), amount in zip(claims, chain(amounts, repeat(None)), strict=False):
            used = reserved if amount is None else amount
            if isinstance(limit, Rate):
                args += ["rate", _cost(limit, used) - _cost(limit, reserved), 0, 0]
            elif isinstance(limit, Spend):
                args += ["spend", min(used - reserved, LARGEST), limit.piece, _kept(limit)]
            else:
                args += ["slots", reserved, 0, 0]
        return Job(scripts.SETTLE, [self._open(name), *(self._key(claim.limit) for claim in claims)], args)

    def _key(self, limit: Limit) -> str:
        return _key(self._prefix, limit)

    def _open(self, name: str) -> str:
        return f"{{{self._prefix}}}:o:{name}"


class _Time:
    """Whose time counts: the server's, unless a test gives one."""

    def __init__(self) -> None:
        self.given: Callable[[], float] | None = None

    def us(self) -> int:
        """Return the given time, or 0."""
        return 0 if self.given is None else _us(self.given())


class _Charges:
    """Makes the jobs that tell the store what was used while it was away. It does not hold the ledger."""

    def __init__(self, fallback: Fallback, prefix: str, me: str, names: count[int], time: _Time) -> None:
        self._fallback = fallback
        self._prefix = prefix
        self._me = me
        self._names = names
        self._time = time

    def __call__(self) -> list[Job]:
        jobs = []
        for used in self._fallback.take():
            limit = used.limit
            keys = [f"{{{self._prefix}}}:o:{self._me}-{next(self._names)}", _key(self._prefix, limit)]
            args: list[str | int] = [self._time.us(), _kind(limit)]
            if isinstance(limit, Rate):
                args += [_cost(limit, used.amount), _us(used.since)]
            else:
                args += [used.amount, limit.piece, _kept(limit)]
            jobs.append(Job(scripts.CHARGE, keys, args))
        return jobs


def _renew_after_forks(ledger: RedisLedger) -> None:
    """Begin anew in the child of a fork: the thread and the connection are its parent's."""
    if not hasattr(os, "register_at_fork"):  # this system does not fork
        return
    renew = weakref.WeakMethod(ledger._renew)  # noqa: SLF001  (a part of the class that must not hold its object)

    def in_child() -> None:
        if (method := renew()) is not None:
            method()

    os.register_at_fork(after_in_child=in_child)


def _kind(limit: Limit) -> str:
    return "rate" if isinstance(limit, Rate) else "slots" if isinstance(limit, Slots) else "spend"


def _key(prefix: str, limit: Limit) -> str:
    letter = "t" if isinstance(limit, Rate) else "h" if isinstance(limit, Slots) else "s"
    text = limit.key.encode("utf-8", "backslashreplace").decode()  # one that came from a user may be no proper text
    return f"{{{prefix}}}:{letter}:{text}"


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


def _cost(rate: Rate, amount: int) -> int:
    """Microseconds that an amount takes, rounded up: never is more admitted than is allowed."""
    return math.ceil(gcra.cost(rate, amount) * 1e6 - 1e-3)


def _kept(limit: Spend) -> int:
    """Milliseconds after its last use for which spending is kept."""
    return math.ceil(limit.lasts * 1000)

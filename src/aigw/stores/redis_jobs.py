"""`Jobs`: what a `RedisLedger` asks of its server, as the scripts want it."""

from __future__ import annotations

import math
from itertools import chain, count, repeat
from typing import TYPE_CHECKING, Final

from aigw.mechanics import gcra
from aigw.mechanics.limits import Rate, Slots, Spend
from aigw.stores import redis_scripts as scripts
from aigw.stores.redis_link import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aigw.mechanics.lease import Lease
    from aigw.mechanics.limits import Claim, Limit
    from aigw.stores.redis_fallback import LocalUse
    from aigw.stores.redis_link import Wakes

LARGEST: Final = 1 << 53
"""The largest amount that Lua's numbers count exactly: 9 million dollars in nano-dollars."""


class Time:
    """Whose time counts: the server's, unless a test gives one."""

    def __init__(self) -> None:
        self.given: Callable[[], float] | None = None

    def us(self) -> int:
        """Return the given time, or 0."""
        return 0 if self.given is None else us(self.given())


class Jobs:
    """Makes jobs.

    Args:
        prefix: what all keys begin with.
        me: the name of this process.
        time: whose time counts.
    """

    def __init__(self, prefix: str, me: str, time: Time) -> None:
        self._prefix = prefix
        self._me = me
        self._time = time
        self._names = count()

    def name(self) -> str:
        """Make a name that no other job of any process has."""
        return f"{self._me}-{next(self._names)}"

    def reserve(self, name: str, claims: Sequence[Claim], lasts: float) -> Job:
        """Reserve all claims, or none."""
        undo = self.settle(name, claims, [0] * len(claims), "void")
        claimed = chain.from_iterable(_claimed(limit, amount) for limit, amount in claims)
        return self._reservation(name, [claim.limit for claim in claims], claimed, lasts, undo)

    def settle(self, name: str, claims: Sequence[Claim], amounts: Sequence[int | None], how: str = "settle") -> Job:
        """Replace what was reserved by what was used."""
        args: list[str | int] = [self._time.us(), how, name]
        for (limit, reserved), amount in zip(claims, chain(amounts, repeat(None)), strict=False):
            used = reserved if amount is None else amount
            if isinstance(limit, Rate):
                args += ["rate", cost(limit, used) - cost(limit, reserved), 0, 0]
            elif isinstance(limit, Spend):
                args += ["spend", min(used - reserved, LARGEST), limit.piece, _kept(limit)]
            else:
                args += ["slots", reserved, 0, 0]
        return Job(scripts.SETTLE, self._keys(name, *(claim.limit for claim in claims)), args)

    def lease(self, lease: Lease, lasts: float, asked: Wakes) -> Job:
        """Take a slice of a rate in advance; `asked` is set when that is answered, or fails."""
        undo = self.end(lease, 0.0, "void")
        claimed = ("lease", lease.amount, lease.rate.capacity, us(lease.rate.burst), 0, 0)
        job = self._reservation(lease.name, [lease.rate], claimed, lasts, undo)
        job.flag = asked
        return job

    def end(self, lease: Lease, age: float, how: str = "settle") -> Job:
        """Tell what was spent of a lease so long ago, and give the rest back; or keep it, with ``part``."""
        args: list[str | int] = [self._time.us(), how, lease.name]
        args += ["lease", lease.spent, lease.amount, us(age)]
        return Job(scripts.SETTLE, self._keys(lease.name, lease.rate), args)

    def shift(self, rate: Rate, amount: int) -> Job:
        """Settle, in microseconds, what was reserved of leases that are over."""
        return Job(scripts.CHARGE, self._keys(self.name(), rate), [self._time.us(), "shift", amount])

    def charge(self, used: LocalUse) -> Job:
        """Count what was used while the store was away."""
        limit = used.limit
        args: list[str | int] = [self._time.us(), _kind(limit)]
        if isinstance(limit, Rate):
            args += [cost(limit, used.amount), us(used.since)]
        else:
            args += [used.amount, limit.piece, _kept(limit)]
        return Job(scripts.CHARGE, self._keys(self.name(), limit), args)

    def ahead(self, rate: Rate, seconds: float, blocked: float) -> Job:
        """See to it that a rate's TAT is so far ahead, and that it is blocked for so long."""
        return Job(scripts.RAISE, self._keys_of(rate), [self._time.us(), us(seconds), us(blocked)])

    def used(self, limit: Limit) -> Job:
        """Ask how much is used."""
        period = [limit.piece, limit.oldest] if isinstance(limit, Spend) else [0, 0]
        return Job(scripts.USED, self._keys_of(limit), [self._time.us(), _kind(limit), *period])

    def _reservation(
        self, name: str, limits: Sequence[Limit], claimed: Iterable[str | int], lasts: float, undo: Job
    ) -> Job:
        opened, *keys = self._keys(name, *limits)
        args: list[str | int] = [self._time.us(), us(lasts), self._me, name, *claimed]
        return Job(scripts.RESERVE, [opened, f"{{{self._prefix}}}:p", *keys], args, undo)

    def _keys(self, name: str, *limits: Limit) -> list[str]:
        """Return the keys of a reservation and its limits."""
        return [f"{{{self._prefix}}}:o:{name}", *chain.from_iterable(map(self._keys_of, limits))]

    def _keys_of(self, limit: Limit) -> list[str]:
        text = limit.key.encode("utf-8", "backslashreplace").decode()  # one that came from a user may be no proper text
        letters = "tl" if isinstance(limit, Rate) else "h" if isinstance(limit, Slots) else "s"
        return [f"{{{self._prefix}}}:{letter}:{text}" for letter in letters]


def us(seconds: float) -> int:
    """Return whole microseconds."""
    return round(seconds * 1e6)


def cost(rate: Rate, amount: int) -> int:
    """Microseconds that an amount takes, rounded up: never is more admitted than is allowed."""
    return math.ceil(gcra.cost(rate, amount) * 1e6 - 1e-3)


def _claimed(limit: Limit, amount: int) -> tuple[str | int, ...]:
    if isinstance(limit, Rate):
        return ("rate", cost(limit, amount), limit.capacity, us(limit.burst), 0, 0)
    if isinstance(limit, Spend):
        return ("spend", amount, limit.capacity, limit.piece, limit.oldest, _kept(limit))
    return ("slots", amount, limit.capacity, 0, 0, 0)


def _kind(limit: Limit) -> str:
    return "rate" if isinstance(limit, Rate) else "slots" if isinstance(limit, Slots) else "spend"


def _kept(limit: Spend) -> int:
    """Milliseconds after its last use for which spending is kept."""
    return math.ceil(limit.lasts * 1000)

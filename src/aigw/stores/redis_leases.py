"""`Leases`: the slices of rates that a process has taken in advance; see `aigw.mechanics.lease`."""

from __future__ import annotations

import threading
from collections import deque
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from aigw.mechanics import lease as leasing
from aigw.mechanics.forgetful import Forgetful
from aigw.mechanics.lease import Lease, Pace
from aigw.mechanics.limits import Rate
from aigw.stores.redis_jobs import cost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim
    from aigw.ports import Clock
    from aigw.stores.redis_fallback import Fallback
    from aigw.stores.redis_jobs import Jobs
    from aigw.stores.redis_link import Job

FLUSH: Final = 0.1
"""Seconds for which settlements are gathered, unless something else is sent before."""

REMEMBERED: Final = 10.0
"""Seconds for which the pace of a rate is remembered."""


class _Account:
    """What this process knows of a rate, and holds of it."""

    __slots__ = ("asked", "granted", "leases", "pace", "seen", "wait_until")

    def __init__(self) -> None:
        self.pace = Pace()
        self.seen = 0.0
        self.leases: list[Lease] = []
        self.granted = 0
        """How much the last lease was."""
        self.asked = False
        """Whether a lease is on its way."""
        self.wait_until = 0.0
        """When it is worth while to ask for one again."""

    def find(self, amount: int, now: float) -> Lease | None:
        """Return a lease that covers an amount."""
        for lease in self.leases:
            if lease.left >= amount and lease.ends > now:
                return lease
        return None

    def left(self, now: float) -> int:
        """Return what is left of the leases whose time is not over."""
        return sum(lease.left for lease in self.leases if lease.ends > now)

    def spend(self, amount: int, now: float) -> None:
        """Take note of what was spent."""
        self.pace.add(amount, now)
        self.seen = now

    def is_needed(self, now: float) -> bool:
        """Tell whether anything of this is of use."""
        return bool(self.leases) or self.asked or self.seen > now - REMEMBERED


_Need = tuple[Rate, _Account, int]


class Taken:
    """What a reservation has taken of leases.

    Args:
        owner: who holds them.
        leases: one for each claim.
        expires: when the reservation ends by itself.
    """

    __slots__ = ("expires", "is_settled", "leases", "owner")

    def __init__(self, owner: Leases, leases: Sequence[Lease], expires: float) -> None:
        self.owner = owner
        self.leases = leases
        self.expires = expires
        self.is_settled = False


class Leases:
    """All leases of a process, for all of its threads and loops.

    Args:
        jobs: makes what is asked of the store.
        fallback: knows how many processes use the store.
    """

    def __init__(self, jobs: Jobs, fallback: Fallback) -> None:
        self._jobs = jobs
        self._fallback = fallback
        self._lock = threading.Lock()
        self._clock: Clock | None = None  # that of the last call
        self._accounts: Forgetful[_Account] = Forgetful(_Account.is_needed)
        self._open: list[Lease] = []
        self._owed: dict[str, tuple[Rate, int]] = {}
        self._gathered = self._nudged = False
        self._settled: deque[tuple[Taken, Sequence[Claim], Sequence[int | None], float]] = deque()
        self.spent = 0
        """Reservations that leases covered."""
        self.asked = 0
        """Leases that were asked for."""

    def take(self, claims: Sequence[Claim], clock: Clock, duration: float) -> tuple[Taken, list[Job]] | None:
        """Reserve all claims of leases, or none; return what was taken, and what is to be asked of the store for it."""
        now = clock.now()
        self._clock = clock
        with self._lock:
            self._settle_all()
            needs: list[_Need] = []
            leases: list[Lease] = []
            for limit, amount in claims:
                account = self._accounts.get(limit.key)
                if account is None or type(limit) is not Rate:
                    return None
                need = cost(limit, amount)
                lease = account.find(need, now)
                if lease is None:
                    return None
                needs.append((limit, account, need))
                leases.append(lease)
            for (_, account, need), lease in zip(needs, leases, strict=True):
                lease.spend(need, now)
                account.spend(need, now)
            self.spent += 1
            return Taken(self, leases, now + duration), self._refill(needs, now)

    def granted(self, claims: Sequence[Claim], clock: Clock) -> list[Job]:
        """Take note of what the store has granted by itself; return what is to be asked of it, if it is worth while."""
        now = clock.now()
        self._clock = clock
        needs: list[_Need] = []
        with self._lock:
            for limit, amount in claims:
                if type(limit) is not Rate:
                    return []  # such calls need the store anyway
                account = self._accounts.get(limit.key)
                if account is None:
                    account = _Account()
                    self._accounts.put(limit.key, account, now)
                needs.append((limit, account, cost(limit, amount)))
                account.spend(needs[-1][2], now)
            return self._refill(needs, now)

    def settle(self, taken: Taken, claims: Sequence[Claim], amounts: Sequence[int | None], now: float) -> bool:
        """Replace what was taken by what was used; tell whether the line has to be woken for it."""
        if taken.owner is not self:  # a fork has copied the reservation; whoever made it settles it
            return False
        self._settled.append((taken, claims, amounts, now))
        # A finalizer may settle, while the very thread that it interrupts holds the lock: whoever counts next does it.
        if self._lock.acquire(blocking=False):
            try:
                self._settle_all()
            finally:
                self._lock.release()
        if self._nudged or not (self._owed or self._settled):
            return False
        self._nudged = True
        return True

    def give_back(self, claims: Sequence[Claim]) -> list[Job]:
        """End all leases of what is claimed; return the jobs that tell so, and what else is to be told of it."""
        with self._lock:
            self._settle_all()
            told = []
            for limit, _ in claims:
                account = self._accounts.get(limit.key)
                if account is not None:
                    told += [self._end(lease) for lease in account.leases]
                    account.leases = []
                if limit.key in self._owed:
                    told.append(self._jobs.shift(*self._owed.pop(limit.key)))
            if told:
                self._open = [lease for lease in self._open if lease.is_open]
            return told

    def jobs(self, *, rides: bool, ends: bool) -> list[Job]:
        """End the leases whose time is over, and tell what is owed once it was gathered for a while."""
        with self._lock:
            self._settle_all()
            told = []
            now = self._now()
            over = [lease for lease in self._open if ends or now >= lease.ends]
            for lease in over:
                told.append(self._end(lease))
                account = self._accounts.get(lease.rate.key)
                if account is not None:
                    account.leases.remove(lease)
            if over:
                self._open = [lease for lease in self._open if lease.is_open]
            if rides or ends or self._gathered or told:
                told += [self._jobs.shift(rate, amount) for rate, amount in self._owed.values()]
                self._owed = {}
                self._nudged = False
            self._gathered = False
            return told

    def due(self) -> float | None:
        """Tell after how many seconds `jobs` has something to tell, as far as is known."""
        with self._lock:
            if self._owed or self._settled:
                self._gathered = True
                return FLUSH
            now = self._now()
            return min((max(lease.ends - now, 0.001) for lease in self._open), default=None)

    def arrived(self, lease: Lease, account: _Account, job: Job) -> None:
        """Take a lease that was granted; or wait a while where it was not."""
        now = self._now()
        with self._lock:
            account.asked = False
            refused, wait, peers = job.answer if job.done else (1, 1_000_000, 0)
            if peers:
                self._fallback.peers = peers
            if refused:
                account.wait_until = now + min(wait / 1e6, 1.0)
                return
            account.leases.append(lease)
            account.granted = lease.amount
            self._open.append(lease)

    def _refill(self, needs: Sequence[_Need], now: float) -> list[Job]:
        """Ask for what is running out, if a lease of each of the rates is worth while. The lock is held."""
        told: list[Job] = []
        wanted: list[_Need] = []
        for rate, account, need in needs:
            if account.asked or account.left(now) >= leasing.REFILL * account.granted > 0:
                continue
            size = leasing.size(rate, account.pace.at(now), need, self._fallback.peers)
            if not size or account.wait_until > now:
                return []
            wanted.append((rate, account, size))
        for rate, account, size in wanted:
            told += self._report(account, now)
            told.append(self._ask(rate, account, size, now))
        return told

    def _report(self, account: _Account, now: float) -> list[Job]:
        """Tell what was spent of leases, and keep the rest of them: what is told is paid off from now on."""
        told = []
        kept: list[Lease] = []
        for lease in account.leases:
            if lease.left > 0:
                kept.append(lease.rest(now))
            told.append(self._end(lease, "part" if lease.left > 0 else "settle"))
        account.leases = kept
        self._open = [*(lease for lease in self._open if lease.is_open), *kept]
        return told

    def _ask(self, rate: Rate, account: _Account, size: int, now: float) -> Job:
        lasts = leasing.lasts(size)
        asked = _Asked(self, Lease(self._jobs.name(), rate, size, now, lasts), account)
        asked.job = job = self._jobs.lease(asked.lease, lasts, asked)
        account.asked = True
        self.asked += 1
        return job

    def _end(self, lease: Lease, how: str = "settle") -> Job:
        lease.is_open = False
        return self._jobs.end(lease, lease.age(self._now()), how)

    def _now(self) -> float:
        return 0.0 if self._clock is None else self._clock.now()

    def _settle_all(self) -> None:
        """Count what was settled. The lock is held."""
        while self._settled:
            taken, claims, amounts, now = self._settled.popleft()
            if taken.is_settled or taken.expires <= now:
                continue
            taken.is_settled = True
            for (limit, reserved), lease, amount in zip(
                claims, taken.leases, chain(amounts, repeat(None)), strict=False
            ):
                if amount is None or amount == reserved or not isinstance(limit, Rate):
                    continue
                more = cost(limit, amount) - cost(limit, reserved)
                if lease.is_open:
                    lease.spend(more, now)
                else:
                    self._owed[limit.key] = limit, more + self._owed.get(limit.key, (limit, 0))[1]


class _Asked:
    """Tells when a lease is there."""

    def __init__(self, leases: Leases, lease: Lease, account: _Account) -> None:
        self.lease = lease
        self.job: Job | None = None
        self._leases = leases
        self._account = account

    def set(self) -> None:
        """It was answered, or failed."""
        if self.job is not None:
            self._leases.arrived(self.lease, self._account, self.job)

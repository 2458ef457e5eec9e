"""`Book`: counts reservations against limits. All or nothing, in one step, with the time as an argument."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from aigw.mechanics import gcra
from aigw.mechanics.forgetful import Forgetful
from aigw.mechanics.limits import Denial, Rate, Slots, Spend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Limit

REMEMBERED: Final = 3600.0
"""Seconds for which a rate that owes nothing is remembered, so that a call that runs long still finds its debt."""


class _Held:
    """Which reservations hold how many slots of a limit, and until when."""

    __slots__ = ("_earliest", "_names", "used")

    def __init__(self) -> None:
        self._names: dict[str, tuple[float, int]] = {}
        self._earliest = float("inf")  # nothing expires before it
        self.used = 0

    def add(self, name: str, amount: int, expires: float) -> None:
        self._names[name] = (expires, amount)
        self._earliest = min(self._earliest, expires)
        self.used += amount

    def release(self, name: str) -> None:
        self.used -= self._names.pop(name, (0.0, 0))[1]

    def at(self, now: float) -> int:
        """Give back what has expired; return how many are left in use."""
        if now >= self._earliest:
            for name in [name for name, (expires, _) in self._names.items() if expires <= now]:
                self.release(name)
            self._earliest = min((expires for expires, _ in self._names.values()), default=float("inf"))
        return self.used


class _Spent:
    """What was spent in the pieces of a period.

    Pieces of the period before are kept as well: if the clock is set back, what was spent there counts again.
    """

    __slots__ = ("_oldest", "_pieces", "_total", "until")

    def __init__(self) -> None:
        self._pieces: dict[int, int] = {}
        self._oldest = 0
        self._total = 0
        self.until = 0.0

    def add(self, limit: Spend, amount: int, now: float) -> None:
        """Spend so much in the piece of this limit, or give it back; nothing is given back of what is forgotten."""
        if limit.piece in self._pieces or amount > 0:
            self._pieces[limit.piece] = self._pieces.get(limit.piece, 0) + amount
            if limit.piece >= self._oldest:
                self._total += amount
            self.until = max(self.until, now + limit.lasts)

    def since(self, limit: Spend) -> int:
        """Return what was spent in the period of this limit."""
        oldest = limit.oldest
        if oldest != self._oldest:
            kept = 2 * oldest - limit.piece - 1
            self._pieces = {piece: amount for piece, amount in self._pieces.items() if piece >= kept}
            self._total = sum(amount for piece, amount in self._pieces.items() if piece >= oldest)
            self._oldest = oldest
        return self._total


class Book:
    """Counts of all limits of one process. Not safe for threads: whoever owns it holds a lock."""

    def __init__(self) -> None:
        self._tats: Forgetful[float] = Forgetful(lambda tat, now: tat > now - REMEMBERED)
        self._blocked: Forgetful[float] = Forgetful(lambda until, now: until > now)
        self._held: Forgetful[_Held] = Forgetful(lambda held, now: held.at(now) > 0)
        self._spent: Forgetful[_Spent] = Forgetful(lambda spent, now: spent.until > now)
        self._open: Forgetful[tuple[Sequence[Claim], float]] = Forgetful(lambda entry, now: entry[1] > now)

    def reserve(self, name: str, claims: Sequence[Claim], now: float, expires: float) -> Denial | None:
        """Reserve all claims, or none.

        Args:
            name: the name of the reservation, which settles it.
            claims: what is asked for.
            now: the time.
            expires: when the reservation ends by itself.

        Returns:
            Nothing if it was granted; otherwise the limit that is furthest from granting it.
        """
        denial: Denial | None = None
        for claim in claims:
            refused = self._refusal(claim, now)
            if refused is not None and (denial is None or rank(refused) > rank(denial)):
                denial = refused
        if denial is not None:
            return denial
        for limit, amount in claims:
            if type(limit) is Rate:
                self._tats.put(limit.key, gcra.admit(limit, self._tat(limit, now), amount, now), now)
            elif type(limit) is Spend:
                self._spend(limit, amount, now)
            else:
                self._hold(limit, name, amount, now, expires)
        self._open.put(name, (claims, expires), now)
        return None

    def settle(self, name: str, amounts: Sequence[int | None], now: float) -> bool:
        """Replace what was reserved by what was used.

        Args:
            name: the reservation.
            amounts: for each of its claims what was used; ``None``, or nothing at all, leaves it as it was reserved.
            now: the time.

        Returns:
            Whether anything was done: a reservation is settled once, and not after it has expired.
        """
        claims, expires = self._open.pop(name) or ((), 0.0)
        if not claims or expires <= now:
            return False
        for (limit, reserved), amount in zip(claims, chain(amounts, repeat(None)), strict=False):
            if type(limit) is Slots:
                self._release(limit.key, name)
            elif amount is None or amount == reserved:
                continue
            elif type(limit) is Rate:
                self._tats.put(limit.key, self._tat(limit, now) + gcra.cost(limit, amount - reserved), now)
            elif type(limit) is Spend:
                self._spend(limit, amount - reserved, now)
        return True

    def push(self, rate: Rate, seconds: float, now: float) -> None:
        """Admit nothing under this rate for so many seconds; never shortens what is so already.

        After that nothing of the burst is left. The end is kept beside the TAT, which refunds move back.
        """
        self._tats.put(rate.key, max(self._tat(rate, now), now + seconds + rate.burst), now)
        self._blocked.put(rate.key, max(self._blocked.get(rate.key) or now, now + seconds), now)

    def drain(self, rate: Rate, left: float, now: float) -> None:
        """Leave at most so many units of the burst; never adds any."""
        self._tats.put(rate.key, max(self._tat(rate, now), now + rate.burst - gcra.cost(rate, left)), now)

    def used(self, limit: Limit, now: float) -> int:
        """How much of a limit is used or reserved now; for a rate, how much of it is not yet paid off."""
        if type(limit) is Rate:
            return max(0, round((self._tat(limit, now) - now) * limit.capacity / limit.window))
        if type(limit) is Spend:
            return self._spent_of(limit)
        return self._in_use(limit.key, now)

    def _refusal(self, claim: Claim, now: float) -> Denial | None:
        limit, amount = claim
        if amount > limit.capacity:
            return Denial(limit, None, never=True)
        if type(limit) is Rate:
            wait = gcra.wait(limit, self._tat(limit, now), amount, now)
            if self._blocked:
                wait = max(wait, (self._blocked.get(limit.key) or now) - now)
            return Denial(limit, wait) if wait > 0 else None
        if type(limit) is Spend:
            return Denial(limit, None) if self._spent_of(limit) + amount > limit.capacity else None
        return Denial(limit, None) if self._in_use(limit.key, now) + amount > limit.capacity else None

    def _tat(self, rate: Rate, now: float) -> float:
        tat = self._tats.get(rate.key)
        return now if tat is None else tat

    def _spent_of(self, limit: Spend) -> int:
        spent = self._spent.get(limit.key)
        return 0 if spent is None else spent.since(limit)

    def _spend(self, limit: Spend, amount: int, now: float) -> None:
        spent = self._spent.get(limit.key)
        if spent is None:
            spent = _Spent()
            self._spent.put(limit.key, spent, now)
        spent.add(limit, amount, now)

    def _in_use(self, key: str, now: float) -> int:
        held = self._held.get(key)
        return 0 if held is None else held.at(now)

    def _hold(self, limit: Limit, name: str, amount: int, now: float, expires: float) -> None:
        held = self._held.get(limit.key)
        if held is None:
            held = _Held()
            self._held.put(limit.key, held, now)
        held.add(name, amount, expires)

    def _release(self, key: str, name: str) -> None:
        held = self._held.get(key)
        if held is not None:
            held.release(name)
            if not held.used:
                self._held.pop(key)


def rank(denial: Denial) -> tuple[bool, bool, float]:
    """Order refusals by how long they last."""
    return denial.never, denial.wait is None, denial.wait or 0.0

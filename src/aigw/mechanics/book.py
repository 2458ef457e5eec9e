"""`Book`: counts reservations against limits. All or nothing, in one step, with the time as an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.mechanics import gcra
from aigw.mechanics.limits import Denial, Rate, Slots, Spend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Claim, Limit

SWEEP = 1024
"""Keys after which idle ones are looked for; then again whenever their number has doubled."""

REMEMBERED = 3600.0
"""Seconds for which a rate that owes nothing is remembered, so that a call that runs long still finds its debt."""


class _Spent:
    """What was spent in the pieces of a period."""

    __slots__ = ("pieces", "total")

    def __init__(self) -> None:
        self.pieces: dict[int, int] = {}
        self.total = 0

    def add(self, piece: int, amount: int) -> None:
        if piece in self.pieces or amount > 0:  # a refund for a piece that no longer counts is nothing
            self.pieces[piece] = self.pieces.get(piece, 0) + amount
            self.total += amount

    def forget(self, oldest: int) -> None:
        """Drop the pieces before `oldest`."""
        if self.pieces and min(self.pieces) < oldest:
            self.pieces = {piece: amount for piece, amount in self.pieces.items() if piece >= oldest}
            self.total = sum(self.pieces.values())


class Book:
    """Counts of all limits of one process. Not safe for threads: whoever owns it holds a lock."""

    def __init__(self) -> None:
        self._tats: dict[str, float] = {}
        self._held: dict[str, dict[str, float]] = {}
        self._spent: dict[str, _Spent] = {}
        self._open: dict[str, tuple[Sequence[Claim], float]] = {}
        self._sweep_at = SWEEP

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
            if refused is not None and (denial is None or _rank(refused) > _rank(denial)):
                denial = refused
        if denial is not None:
            return denial
        for limit, amount in claims:
            if type(limit) is Rate:
                self._tats[limit.key] = gcra.admit(limit, self._tats.get(limit.key, now), amount, now)
            elif type(limit) is Spend:
                self._spending(limit).add(limit.piece, amount)
            else:
                self._held.setdefault(limit.key, {})[name] = expires
        self._open[name] = (claims, expires)
        if len(self._open) + len(self._tats) >= self._sweep_at:
            self._sweep(now)
        return None

    def settle(self, name: str, amounts: Sequence[int | None], now: float) -> bool:
        """Replace what was reserved by what was used; ``None`` leaves a claim as it was reserved.

        Returns:
            Whether anything was done: a reservation is settled once, and not after it has expired.
        """
        claims, expires = self._open.pop(name, ((), 0.0))
        if not claims or expires <= now:
            return False
        for (limit, reserved), amount in zip(claims, amounts, strict=True):
            if type(limit) is Slots:
                self._release(limit.key, name)
            elif amount is None or amount == reserved:
                continue
            elif type(limit) is Rate:
                self._tats[limit.key] = self._tats.get(limit.key, now) + gcra.cost(limit, amount - reserved)
            elif type(limit) is Spend:
                self._spending(limit).add(limit.piece, amount - reserved)
        return True

    def push(self, rate: Rate, seconds: float, now: float) -> None:
        """Admit nothing under this rate for so many seconds; never shortens what is so already."""
        self._tats[rate.key] = max(self._tats.get(rate.key, now), now + seconds + rate.burst)

    def drain(self, rate: Rate, left: float, now: float) -> None:
        """Leave at most so many units of the burst; never adds any."""
        self._tats[rate.key] = max(self._tats.get(rate.key, now), now + rate.burst - gcra.cost(rate, left))

    def used(self, limit: Limit, now: float) -> int:
        """How much of a limit is used or reserved now; for a rate, how much of it is not yet paid off."""
        if type(limit) is Rate:
            return max(0, round((self._tats.get(limit.key, now) - now) * limit.capacity / limit.window))
        if type(limit) is Spend:
            return self._spending(limit).total
        return self._in_use(limit.key, now)

    def _refusal(self, claim: Claim, now: float) -> Denial | None:
        limit, amount = claim
        if amount > limit.capacity:
            return Denial(limit, None, never=True)
        if type(limit) is Rate:
            wait = gcra.wait(limit, self._tats.get(limit.key, now), amount, now)
            return Denial(limit, wait) if wait > 0 else None
        if type(limit) is Spend:
            return Denial(limit, None) if self._spending(limit).total + amount > limit.capacity else None
        return Denial(limit, None) if self._in_use(limit.key, now) + amount > limit.capacity else None

    def _spending(self, limit: Spend) -> _Spent:
        spent = self._spent.get(limit.key)
        if spent is None:
            spent = self._spent[limit.key] = _Spent()
        spent.forget(limit.oldest)
        return spent

    def _in_use(self, key: str, now: float) -> int:
        held = self._held.get(key)
        if not held:
            return 0
        for name in [name for name, expires in held.items() if expires <= now]:
            del held[name]
        return len(held)

    def _release(self, key: str, name: str) -> None:
        held = self._held.get(key)
        if held is not None:
            held.pop(name, None)
            if not held:
                del self._held[key]

    def _sweep(self, now: float) -> None:
        """Forget reservations that have expired, and rates that have owed nothing for long: they are as good as new."""
        self._open = {name: entry for name, entry in self._open.items() if entry[1] > now}
        self._tats = {key: tat for key, tat in self._tats.items() if tat > now - REMEMBERED}
        self._sweep_at = max(SWEEP, 2 * (len(self._open) + len(self._tats)))


def _rank(denial: Denial) -> tuple[bool, bool, float]:
    """Order refusals by how long they last."""
    return denial.never, denial.wait is None, denial.wait or 0.0

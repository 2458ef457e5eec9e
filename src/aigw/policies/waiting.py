"""`Waiting`: how calls wait for a limit, one after the other, and only as long as there is hope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.policies.line import waiter_of
from aigw.policies.turn import turn_of
from aigw.policies.turnstile import Turnstile
from aigw.stores.ledger import Ticket

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.mechanics.limits import Denial
    from aigw.policies.demand import Demand
    from aigw.policies.turnstile import Place, Scopes
    from aigw.stores.ledger import Ledger

LONGEST_SLEEP: Final = 1.0
"""Seconds after which whoever is first looks again: calls that used less than expected make its wait shorter."""

SHORTEST_SLEEP: Final = 0.001
"""Seconds; the clock must move on, however small the number is that a store has computed."""

FIRST_LOOK: Final = 0.1
"""Seconds after which it is looked again for a place that another process, or one that has died, gave back. Doubles up
to `LONGEST_SLEEP`; in this process nobody waits for that."""

LONGEST_CALL: Final = 1800.0
"""Seconds for which a reservation of a call without a deadline lasts, in case this process dies."""

SPARE: Final = 60.0
"""Seconds that a reservation outlives the deadline of its call."""


async def reserve(store: Ledger, call: Call, demand: Demand) -> Ticket | Denial:
    """Reserve all that a call asks for, or nothing."""
    return await store.reserve(demand.claims, call.ports, min(max(call.remaining(), 0.0), LONGEST_CALL) + SPARE)


class Waiting:
    """Where the calls of one policy wait.

    Args:
        name: name of the policy, for the trace.
        store: where it counts.
        longest: seconds that a call may wait.
    """

    def __init__(self, name: str, store: Ledger, longest: float) -> None:
        self._name = name
        self._store = store
        self._longest = longest
        self._turnstile = Turnstile()

    def is_free(self, scopes: Scopes) -> bool:
        """Tell whether nobody waits for these scopes."""
        return self._turnstile.is_free(scopes)

    def released(self, scopes: Scopes) -> None:
        """Tell those who wait for a place that one may be free."""
        self._turnstile.released(scopes)

    async def reserve(self, call: Call, demand: Demand, denial: Denial | None) -> Ticket | Denial:
        """Wait for it, and reserve.

        Args:
            call: the call.
            demand: what it asks for.
            denial: what it was told when it tried; ``None`` where others wait already.

        Returns:
            The reservation, or why there is no hope of one in time.
        """
        turn = turn_of(call)
        longest = self._longest if turn is None or turn.longest is None else turn.longest
        patience = _Patience(call, longest)
        place = self._turnstile.join(demand.scopes, demand.costs, await waiter_of(call, patience.left))
        if place is None:
            return demand.behind_others(self._turnstile.outlook(demand.scopes, turn, call.clock.now()).wait)
        outcome: Ticket | Denial | None = None
        try:
            while outcome is None:
                if not place.flag.is_set():
                    denial = outcome = await self._stand_in_line(call, demand, place, patience)
                if outcome is None:
                    outcome = await self._try(call, demand, place, patience, denial)
        finally:
            place.leave(through=isinstance(outcome, Ticket))
        assert outcome is not None
        if isinstance(outcome, Ticket):
            if patience.noted:
                call.note(self._name, "admitted", f"after {patience.spent:.3g} s")
            if turn is not None:
                turn.went_on(call, self._turnstile, place.settle)
        return outcome

    async def _stand_in_line(self, call: Call, demand: Demand, place: Place, patience: _Patience) -> Denial | None:
        """Wait until nobody is ahead; return why not if that takes too long."""
        wait, denial = place.outlook(call.clock.now())
        expected = demand.behind_others(wait) if denial is None else denial._replace(wait=wait)
        if wait is not None and wait > patience.left:
            return expected
        patience.note(self._name, demand.text(expected) + ", and others wait already", wait)
        if await place.flag.wait(max(patience.left, 0.0)) and place.is_first:
            return None
        return expected._replace(wait=place.outlook(call.clock.now()).wait)

    async def _try(
        self, call: Call, demand: Demand, place: Place, patience: _Patience, denial: Denial | None
    ) -> Ticket | Denial | None:
        """Be the first of the line: sleep for as long as the store says, and try, until somebody is to go before."""
        if denial is not None and denial.wait is None and not denial.never:
            denial = None  # what it waits for may have been given back since
        look = FIRST_LOOK
        while True:
            seen = self._turnstile.releases
            if denial is None:
                outcome = await reserve(self._store, call, demand)
                if isinstance(outcome, Ticket):
                    return outcome
                denial = outcome
            left = patience.left
            if denial.never or denial.unknown or left <= 0 or (denial.wait is not None and denial.wait > left):
                return denial
            place.expect(denial, call.clock.now())
            patience.note(self._name, demand.text(denial), denial.wait)
            if denial.wait is None:
                await self._watch(call, place, seen, min(look, left), patience)
                look = min(2 * look, LONGEST_SLEEP)
            else:
                await call.clock.sleep(min(max(denial.wait, SHORTEST_SLEEP), LONGEST_SLEEP))
            if place.give_way(call.ports.flag()):
                return None
            denial = None

    async def _watch(self, call: Call, place: Place, seen: int, seconds: float, patience: _Patience) -> None:
        """Wait until a place is given back in this process, or for so many seconds."""
        flag = call.ports.flag()
        place.watch(flag, seen)
        try:
            if not await flag.wait(seconds):
                patience.passed(seconds)
        finally:
            place.unwatch(flag)


class _Patience:
    """How long a call still waits."""

    __slots__ = ("_began", "_call", "_longest", "_watched", "noted")

    def __init__(self, call: Call, longest: float) -> None:
        self._call = call
        self._began = call.clock.now()
        self._longest = min(call.remaining(), longest)
        self._watched = 0.0
        self.noted = False

    @property
    def spent(self) -> float:
        """Seconds since it began. Flags do not wait on the clock of the call, which a test may hold."""
        return max(self._call.clock.now() - self._began, self._watched)

    @property
    def left(self) -> float:
        """Seconds that it may still wait."""
        return self._longest - self.spent

    def passed(self, seconds: float) -> None:
        """Take note of a wait for a flag that nobody has set."""
        self._watched += seconds

    def note(self, by: str, reason: str, wait: float | None) -> None:
        """Write into the trace that it waits, once."""
        if not self.noted:
            self.noted = True
            self._call.note(by, "waits", reason, wait=wait)

"""`Reservation`: what a call has reserved of a `RateLimit`, until it is settled with what was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigw.policies.used import mark, used_since, when_over

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.policies.demand import Demand
    from aigw.policies.waiting import Waiting
    from aigw.reply import End
    from aigw.stores.ledger import Ledger, Ticket


class Reservation:
    """Settles a call with what its attempts have used, by its trace; see `aigw.policies.used`.

    - Tokens: what providers told, a guess where they told nothing and may have computed something, else nothing.
    - Requests: one if a provider has seen the call, else none. Around a target: one for each attempt.

    Args:
        store: where it is reserved.
        waiting: those who wait for a place.
        call: the call, before it is let through.
        demand: what was reserved.
        ticket: the reservation.
        target: name of the target that the limits are for; ``None`` where they are for all calls.
        refund: give back what was not used of a request that the provider has seen.
    """

    __slots__ = ("_call", "_demand", "_earlier", "_place", "_refund", "_store", "_target", "_ticket", "_waiting")

    def __init__(
        self,
        store: Ledger,
        waiting: Waiting,
        call: Call,
        demand: Demand,
        ticket: Ticket,
        *,
        target: str | None,
        refund: bool,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._call = call
        self._demand = demand
        self._ticket = ticket
        self._target = target
        self._refund = refund
        self._place = mark(call)
        self._earlier = len(call.opened or ())

    def over(self, _: End | None = None) -> None:
        """The reply is over, or there is none: settle, as soon as nothing runs any more."""
        when_over(self._call, self._earlier, self._settle)

    def _settle(self) -> None:
        self._store.settle(self._ticket, self._used())
        if any(part.limit.counts == "calls" for part in self._demand.parts):
            self._waiting.released(self._demand.scopes)

    def _used(self) -> list[int]:
        attempts, usage = used_since(self._call, self._place, self._target)
        seen = len(attempts)
        used = {
            "requests": seen if self._target is not None else min(seen, 1),
            "tokens": usage.total,
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "calls": 0,
        }
        least = 0 if self._refund or not seen else 1
        return [max(used[part.limit.counts], least * part.claim.amount) for part in self._demand.parts]

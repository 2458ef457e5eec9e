"""`Line`: those who wait for one thing, in the order that the `Queue` of their calls wants, or as they came."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final

from aigw.mechanics import fair_queue
from aigw.mechanics.fair_queue import FairQueue, Rules
from aigw.policies.turn import turn_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from aigw.call import Call
    from aigw.policies.turn import Turn
    from aigw.ports import Flag

FIRST_COME: Final = Rules({"": 1.0}, most=sys.maxsize, most_per_tenant=sys.maxsize)
"""Everybody is of one class and one tenant."""


class Waiter(fair_queue.Waiter):
    """Somebody who waits.

    Args:
        flag: is set when it may go on, or when its time is over.
        turn: where the `Queue` of its call puts it; ``None`` where there is none.
        cost: see `aigw.mechanics.fair_queue.Waiter`.
        now: tells the time.
        longest: seconds that it waits.
    """

    __slots__ = ("busy", "flag", "now", "turn")

    def __init__(
        self,
        flag: Flag,
        turn: Turn | None = None,
        cost: float = 0.0,
        now: Callable[[], float] = lambda: 0.0,
        longest: float = math.inf,
    ) -> None:
        since = now()
        super().__init__(cost, since, since + longest)
        self.flag = flag
        self.busy = 0
        """How many had what it waits for when it got it, itself included; 0 until then."""
        self.turn = turn
        self.now = now


async def waiter_of(call: Call, longest: float) -> Waiter:
    """Make the waiter of a call that waits for so many seconds."""
    turn = turn_of(call)
    cost = await turn.cost(call) if turn is not None else 0.0
    return Waiter(call.ports.flag(), turn, cost, call.clock.now, longest)


class Line:
    """A line. It takes the rules of the first call with a turn that comes when nobody waits. Not safe for threads."""

    def __init__(self) -> None:
        self._rules = FIRST_COME
        self._queue = FairQueue(*FIRST_COME)
        self._now: Callable[[], float] = lambda: 0.0
        self.waiting = 0
        """How many wait."""

    def join(self, waiter: Waiter) -> bool:
        """Stand in line; tell whether there was room."""
        turn = waiter.turn
        if turn is not None and turn.rules != self._rules and not self._queue:
            self._rules = turn.rules
            self._queue = FairQueue(*turn.rules)
        self._now = waiter.now
        return self._counted(self._queue.join(*self._standing(turn), waiter))

    def leave(self, waiter: Waiter) -> bool:
        """Go out of the line; tell whether it still stood there."""
        return self._counted(self._queue.leave(waiter))

    def next(self, *, charge: bool = True) -> tuple[Waiter | None, list[Waiter]]:
        """Take out who is next, and those whose time is over; see `FairQueue.next`."""
        waiter, late = self._queue.next(self._now(), charge=charge)
        self.waiting = len(self._queue)
        assert waiter is None or isinstance(waiter, Waiter)
        return waiter, [one for one in late if isinstance(one, Waiter)]

    def put_back(self, waiter: Waiter) -> bool:
        """Take back somebody who was next and was not charged; ``False`` where other rules hold since then."""
        return self._counted(self._queue.put_back(waiter))

    def charge(self, waiter: Waiter) -> None:
        """Charge somebody who was next and goes on."""
        self._queue.charge(waiter)

    def settle(self, waiter: Waiter, cost: float) -> None:
        """Correct the charge of somebody who went on by what its call has cost."""
        self._queue.settle(waiter, cost)

    def ahead(self, turn: Turn | None, *, joined: bool = False) -> float:
        """Tell about how many go on before one that comes now, or has come last."""
        return self._queue.ahead(*self._standing(turn), joined=joined)

    def _counted(self, done: bool) -> bool:  # noqa: FBT001  (it is handed on)
        self.waiting = len(self._queue)
        return done

    def _standing(self, turn: Turn | None) -> tuple[str, Hashable]:
        if self._rules is FIRST_COME:
            return "", None
        return ("standard", None) if turn is None else (turn.group, turn.tenant)

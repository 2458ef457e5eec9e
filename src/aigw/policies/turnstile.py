"""`Turnstile`: calls that wait for the same thing go on one after the other.

Only the first of a line does anything: it sleeps and tries. The others wait for a flag, so that a thousand waiting
calls cost one timer, and none of them wakes up in vain. A line lives as long as somebody stands in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from aigw.policies.line import Line
from aigw.policies.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Denial
    from aigw.policies.line import Waiter
    from aigw.policies.turn import Turn
    from aigw.ports import Flag

Scopes = tuple[str, ...]


class Outlook(NamedTuple):
    """What somebody in a line may expect.

    Args:
        wait: seconds until it is likely to be let through; ``None`` where nobody can tell.
        denial: why the first of the line waits; ``None`` where it has not been told yet.
    """

    wait: float | None
    denial: Denial | None


class Turnstile:
    """The lines of one policy, for all threads and loops of this process."""

    def __init__(self) -> None:
        self._hall = _Hall()

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self._current().lines)

    @property
    def releases(self) -> int:
        """How often something was given back; see `Place.watch`."""
        return self._current().releases

    def is_free(self, scopes: Scopes) -> bool:
        """Tell whether nobody waits."""
        return scopes not in self._current().lines

    def outlook(self, scopes: Scopes, turn: Turn | None, now: float) -> Outlook:
        """Tell what somebody who comes now may expect."""
        hall = self._current()
        return hall.ask(lambda: hall.outlook(scopes, turn, now))

    def join(self, scopes: Scopes, costs: Sequence[float], waiter: Waiter) -> Place | None:
        """Stand in a line; return the place, ``None`` if there is no room.

        Args:
            scopes: which line.
            costs: seconds that it takes to let this call through, one for each limit; the same number for all calls
                of a line.
            waiter: who; its flag is set when it is the first.
        """
        hall = self._current()
        place = Place(hall, scopes, costs, waiter)
        return place if hall.ask(lambda: hall.join(place)) else None

    def released(self, scopes: Scopes) -> None:
        """Wake those who watch one of these scopes: something was given back."""
        hall = self._current()
        hall.do(lambda: hall.released(scopes))

    def _current(self) -> _Hall:
        """Return the lines of this process: a fork copies lines whose threads it does not copy."""
        hall = self._hall
        if hall.process != os.getpid():
            hall = self._hall = _Hall()
        return hall


class Place:
    """A place in a line. Whoever has it must `leave`, in any case.

    Args:
        hall: where the lines are.
        scopes: which line.
        costs: see `Turnstile.join`.
        waiter: who has it.
    """

    __slots__ = ("_hall", "costs", "scopes", "waiter")

    def __init__(self, hall: _Hall, scopes: Scopes, costs: Sequence[float], waiter: Waiter) -> None:
        self._hall = hall
        self.scopes = scopes
        self.costs = costs
        self.waiter = waiter

    @property
    def flag(self) -> Flag:
        """Is set when the place is the first, or its time is over."""
        return self.waiter.flag

    @property
    def is_first(self) -> bool:
        """Whether nobody is ahead."""
        return self._hall.ask(lambda: self._hall.is_first(self))

    def expect(self, denial: Denial, now: float) -> None:
        """Tell the line why its first place waits."""
        self._hall.ask(lambda: self._hall.expect(self, denial, now))

    def outlook(self, now: float) -> Outlook:
        """Tell what to expect, from what the first of the line was told and from those in between."""
        return self._hall.ask(lambda: self._hall.outlook(self.scopes, self.waiter.turn, now, self))

    def give_way(self, flag: Flag) -> bool:
        """Let somebody go first who should; tell whether there was anybody.

        Args:
            flag: is set when the place is the first again.
        """
        return self._hall.ask(lambda: self._hall.give_way(self, flag))

    def watch(self, flag: Flag, seen: int) -> None:
        """Have a flag set when something of these scopes is given back.

        Args:
            flag: the flag.
            seen: `Turnstile.releases` at a time before it was found that there is nothing; what was given back since
                then sets the flag at once.
        """
        self._hall.ask(lambda: self._hall.watch(self.scopes, flag, seen))

    def unwatch(self, flag: Flag) -> None:
        """Stop watching."""
        self._hall.do(lambda: self._hall.unwatch(self.scopes, flag))

    def leave(self, *, through: bool = False) -> None:
        """Go away, let through or not, and make room for the next."""
        self._hall.do(lambda: self._hall.leave(self, through=through))

    def settle(self, cost: float) -> None:
        """Correct the charge of one that was let through by what its call has cost."""
        self._hall.do(lambda: self._hall.settle(self, cost))


class _Line:
    __slots__ = ("denial", "ends", "first", "others", "totals", "waiters")

    def __init__(self, width: int) -> None:
        self.others = Line()
        self.waiters: dict[Waiter, Place] = {}
        self.first: Place | None = None
        self.totals = [0.0] * width
        """Costs of the others."""
        self.denial: Denial | None = None
        self.ends: float | None = None

    def add(self, costs: Sequence[float], sign: int) -> None:
        for position, cost in enumerate(costs):
            self.totals[position] += sign * cost


class _Hall(Steps):
    """The lines of one process. What a watcher misses, it finds when it looks again."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Scopes, _Line] = {}
        self.releases = 0
        self._watchers: dict[str, list[Flag]] = {}
        self._flags: list[Flag] = []

    def join(self, place: Place) -> bool:
        line = self.lines.get(place.scopes)
        if line is None:
            line = self.lines[place.scopes] = _Line(len(place.costs))
        if not line.others.join(place.waiter):
            return False
        line.waiters[place.waiter] = place
        line.add(place.costs, +1)
        self._move_up(place.scopes, line)
        return True

    def leave(self, place: Place, *, through: bool) -> None:
        line = self.lines.get(place.scopes)
        if line is None:
            return
        if line.first is place:
            line.first = None
            if through:
                line.others.charge(place.waiter)
            self._move_up(place.scopes, line)
        elif line.waiters.pop(place.waiter, None) is not None:
            line.others.leave(place.waiter)
            line.add(place.costs, -1)

    def is_first(self, place: Place) -> bool:
        line = self.lines.get(place.scopes)
        return line is not None and line.first is place

    def give_way(self, place: Place, flag: Flag) -> bool:
        line = self.lines[place.scopes]
        if place.waiter.turn is None or not line.others.waiting or not line.others.put_back(place.waiter):
            return False
        line.first = None
        line.waiters[place.waiter] = place
        line.add(place.costs, +1)
        self._move_up(place.scopes, line)
        if self.is_first(place):
            return False
        place.waiter.flag = flag
        return True

    def expect(self, place: Place, denial: Denial, now: float) -> None:
        line = self.lines[place.scopes]
        line.denial = denial
        line.ends = None if denial.wait is None else now + denial.wait

    def outlook(self, scopes: Scopes, turn: Turn | None, now: float, place: Place | None = None) -> Outlook:
        line = self.lines.get(scopes)
        if line is None:
            return Outlook(0.0, None)
        if line.denial is not None and line.ends is None:
            return Outlook(None, line.denial)
        joined = place is not None and place.waiter in line.waiters
        own = place.costs if place is not None and joined else (0.0,) * len(line.totals)
        number = line.others.waiting - joined
        ahead = min(line.others.ahead(turn, joined=joined) / number, 1.0) if number else 1.0
        wait = max([(total - cost) * ahead + cost for total, cost in zip(line.totals, own, strict=True)], default=0.0)
        return Outlook(wait if line.ends is None else wait + max(line.ends - now, 0.0), line.denial)

    def watch(self, scopes: Scopes, flag: Flag, seen: int) -> None:
        if self.releases != seen:
            self._flags.append(flag)
            return
        for scope in scopes:
            self._watchers.setdefault(scope, []).append(flag)

    def unwatch(self, scopes: Scopes, flag: Flag) -> None:
        for scope in scopes:
            left = [other for other in self._watchers.pop(scope, ()) if other is not flag]
            if left:
                self._watchers[scope] = left

    def released(self, scopes: Scopes) -> None:
        self.releases += 1
        self._flags += [flag for scope in scopes for flag in self._watchers.pop(scope, ())]

    def settle(self, place: Place, cost: float) -> None:
        line = self.lines.get(place.scopes)
        if line is not None:
            line.others.settle(place.waiter, cost)

    def _move_up(self, scopes: Scopes, line: _Line) -> None:
        """See that somebody is the first; a line where nobody is left is over."""
        while line.first is None and line.others.waiting:
            waiter, late = line.others.next(charge=False)
            for one in [*late, *([] if waiter is None else [waiter])]:
                place = line.waiters.pop(one)
                line.add(place.costs, -1)
                self._flags.append(one.flag)
                if one is waiter:
                    line.first = place
                    line.denial = line.ends = None
        if line.first is None:
            del self.lines[scopes]

    def _settled(self) -> list[Flag]:
        flags, self._flags = self._flags, []
        return flags

"""`Turnstile`: calls that wait for the same thing go on one after the other, in the order in which they came.

Only the first of a line does anything: it sleeps and tries. The others wait for a flag, so that a thousand waiting
calls cost one timer, and none of them wakes up in vain. A line lives as long as somebody stands in it.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.mechanics.limits import Denial
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

    def join(self, scopes: Scopes, costs: Sequence[float], flag: Flag) -> Place:
        """Stand at the end of a line.

        Args:
            scopes: which line.
            costs: seconds that it takes to let this call through, one for each limit; the same number for all calls
                of a line.
            flag: is set when the place is the first.
        """
        return self._current().join(Place(self._current(), scopes, costs, flag))

    def released(self, scopes: Scopes) -> None:
        """Wake those who watch one of these scopes: something was given back."""
        self._current().released(scopes)

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
        flag: is set when the place is the first.
    """

    __slots__ = ("_hall", "costs", "flag", "scopes")

    def __init__(self, hall: _Hall, scopes: Scopes, costs: Sequence[float], flag: Flag) -> None:
        self._hall = hall
        self.scopes = scopes
        self.costs = costs
        self.flag = flag

    def expect(self, denial: Denial, now: float) -> None:
        """Tell the line why its first place waits."""
        self._hall.expect(self, denial, now)

    def outlook(self, now: float) -> Outlook:
        """Tell what to expect, from what the first of the line was told and from those in between."""
        return self._hall.outlook(self, now)

    def watch(self, flag: Flag, seen: int) -> None:
        """Have a flag set when something of these scopes is given back.

        Args:
            flag: the flag.
            seen: `Turnstile.releases` at a time before it was found that there is nothing; what was given back since
                then sets the flag at once.
        """
        self._hall.watch(self.scopes, flag, seen)

    def unwatch(self, flag: Flag) -> None:
        """Stop watching."""
        self._hall.unwatch(self.scopes, flag)

    def leave(self) -> None:
        """Go away, let through or not, and make room for the next."""
        self._hall.leave(self)


class _Line:
    __slots__ = ("denial", "ends", "places", "totals")

    def __init__(self, width: int) -> None:
        self.places: OrderedDict[Place, None] = OrderedDict()
        self.totals = [0.0] * width
        self.denial: Denial | None = None
        self.ends: float | None = None

    def add(self, costs: Sequence[float], sign: int) -> None:
        for position, cost in enumerate(costs):
            self.totals[position] += sign * cost


class _Hall:
    """The lines of one process. All steps are short and hold its lock.

    The garbage collector may end a dropped stream, and so call `released` or `leave`, in the middle of a step of the
    same thread: hence a lock that a thread can take twice. What a watcher misses then, it finds when it looks again.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lines: dict[Scopes, _Line] = {}
        self.releases = 0
        self._watchers: dict[str, list[Flag]] = {}
        self._lock = threading.RLock()

    def join(self, place: Place) -> Place:
        with self._lock:
            line = self.lines.get(place.scopes)
            if line is None:
                line = self.lines[place.scopes] = _Line(len(place.costs))
            line.places[place] = None
            line.add(place.costs, +1)
            first = len(line.places) == 1
        if first:
            place.flag.set()
        return place

    def leave(self, place: Place) -> None:
        with self._lock:
            line = self.lines.get(place.scopes)
            if line is None or place not in line.places:
                return
            was_first = next(iter(line.places)) is place
            del line.places[place]
            if not line.places:
                del self.lines[place.scopes]
                return
            line.add(place.costs, -1)
            if not was_first:
                return
            line.denial = line.ends = None
            following = next(iter(line.places))
        following.flag.set()

    def expect(self, place: Place, denial: Denial, now: float) -> None:
        with self._lock:
            line = self.lines[place.scopes]
            line.denial = denial
            line.ends = None if denial.wait is None else now + denial.wait

    def outlook(self, place: Place, now: float) -> Outlook:
        with self._lock:
            line = self.lines[place.scopes]
            if line.denial is not None and line.ends is None:
                return Outlook(None, line.denial)
            first = next(iter(line.places))
            behind = [total - cost for total, cost in zip(line.totals, first.costs, strict=True)]
            wait = max(behind, default=0.0)
            return Outlook(wait if line.ends is None else wait + max(line.ends - now, 0.0), line.denial)

    def watch(self, scopes: Scopes, flag: Flag, seen: int) -> None:
        with self._lock:
            if self.releases == seen:
                for scope in scopes:
                    self._watchers.setdefault(scope, []).append(flag)
                return
        flag.set()

    def unwatch(self, scopes: Scopes, flag: Flag) -> None:
        with self._lock:
            for scope in scopes:
                left = [other for other in self._watchers.pop(scope, ()) if other is not flag]
                if left:
                    self._watchers[scope] = left

    def released(self, scopes: Scopes) -> None:
        with self._lock:
            self.releases += 1
            flags = [flag for scope in scopes for flag in self._watchers.pop(scope, ())]
        for flag in flags:
            flag.set()

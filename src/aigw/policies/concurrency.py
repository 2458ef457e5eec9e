"""`Concurrency`: at most so many calls at a time, a number or as many as the server turns out to do well."""

from __future__ import annotations

import os
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from aigw.checks import at_least, seconds
from aigw.errors import (
    AigwError,
    ConfigError,
    Overloaded,
    ProviderRateLimited,
    QueueFull,
    StreamInterrupted,
    TimedOut,
)
from aigw.mechanics.vegas import Vegas
from aigw.policies.line import waiter_of
from aigw.policies.places import Places
from aigw.policies.turn import turn_of
from aigw.policies.used import when_over

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import End, Reply

OnFull = Literal["wait", "reject"]

_TOO_BUSY = (Overloaded, ProviderRateLimited, TimedOut)
"""What a server says, or does, that has too much to do."""


class Concurrency:
    """Lets at most so many calls through at a time, counted in this process; the others wait in the order they came.

    It protects a server. Around a `Target` it counts for that target alone, also where several are given the same
    object, and around another node for that node. For limits of users, and for those that several processes share,
    there is ``RateLimit(concurrency=…)``.

    A place is taken before anything is sent and given back when the answer is over, however it ends. The time spent
    waiting for it counts towards the deadline of the call, and not towards the timeouts of an attempt.

    With ``adaptive=True`` the limit finds itself, by the time to the first chunk of streams: it grows while that is as
    short as ever, and shrinks when calls stand in a line inside of the server, and when it refuses (429, no capacity)
    or times out. A call that is not streamed takes a place like any other and may shrink the limit, but tells nothing
    of a line: where no streams are, the limit never grows beyond `start`.

    Args:
        limit: calls at a time.
        adaptive: find the limit, in place of a number.
        start: the adaptive limit at first.
        least: it never goes below.
        most: nor above.
        max_wait: seconds that a call may wait for a place, also as a `timedelta`. Its deadline bounds it as well.
        on_exceeded: ``wait``, or ``reject`` at once.
        name: its name in the trace and in errors.
        shadow: count, and write into the trace what would have happened, but never act.

    Raises:
        ConfigError: neither `limit` nor `adaptive`, or an argument makes no sense.
        QueueFull: (from a call) no place was free in time; nothing was sent. `retry_after` is a guess by how long
            places were held lately.
    """

    def __init__(
        self,
        limit: int | None = None,
        *,
        adaptive: bool = False,
        start: int = 8,
        least: int = 2,
        most: int = 256,
        max_wait: float | timedelta = 30.0,
        on_exceeded: OnFull = "wait",
        name: str | None = None,
        shadow: bool = False,
    ) -> None:
        if (limit is None) == (not adaptive):
            raise ConfigError("Concurrency: give it a limit, such as Concurrency(8), or adaptive=True, and not both")
        if on_exceeded not in get_args(OnFull):
            raise ConfigError(f"Concurrency(on_exceeded) must be 'wait' or 'reject', not {on_exceeded!r}")
        self.adaptive = adaptive
        self.start = at_least("Concurrency(start)", start, 1)
        self.least = at_least("Concurrency(least)", least, 1)
        self.most = at_least("Concurrency(most)", most, 1)
        if adaptive and not self.least <= self.start <= self.most:
            raise ConfigError(
                f"Concurrency: start={start!r} must be between least, which is {least!r}, and most, which is {most!r}"
            )
        self.max_wait = seconds("Concurrency(max_wait)", max_wait)
        self.on_exceeded: OnFull = on_exceeded
        self.name = _text("name", "Concurrency" if name is None else name)
        self.shadow = shadow
        self._fixed = None if limit is None else at_least("Concurrency(limit)", limit, 1)
        self.inside: Mapping[str, str] = {
            "Retry": "it is for attempts: a call must not keep its place while it pauses before the next one",
            "Cache": "an answer from the cache needs no place",
            "Queue": "the queue decides who is next of those who wait here",
        }
        self.outside: Mapping[str, str] = (
            {}
            if on_exceeded == "reject"
            else {
                "Breaker": "waiting for a place must not look like a slow answer, and who has waited must ask it again"
            }
        )
        self._place("")

    def __repr__(self) -> str:
        shown = ["adaptive=True"] if self._fixed is None else [str(self._fixed)]
        usual: dict[str, object] = {"start": 8, "least": 2, "most": 256} if self.adaptive else {}
        usual |= {"max_wait": 30.0, "on_exceeded": "wait", "name": "Concurrency", "shadow": False}
        shown += [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return f"Concurrency({', '.join(shown)})"

    @property
    def limit(self) -> int:
        """Calls that it lets through at a time; an adaptive one as it is now."""
        return self._counter().places.limit

    @property
    def in_flight(self) -> int:
        """Calls that have a place now."""
        return self._counter().places.taken

    @property
    def waiting(self) -> int:
        """Calls that wait for one."""
        return self._counter().places.waiting

    def at_target(self, target: _Named) -> Concurrency:
        """Return one that counts for this target alone."""
        placed = copy(self)
        placed.inside = {**self.inside, "RateLimit": "a call must not keep its place while it waits for its rate"}
        placed._place(target.name)  # noqa: SLF001  (a copy of itself)
        return placed

    def at_node(self, node: object) -> Concurrency:  # noqa: ARG002  (as the hook has it)
        """Return one that counts for this node alone."""
        placed = copy(self)
        placed._place("")  # noqa: SLF001  (a copy of itself)
        return placed

    def availability(self, now: float) -> float:  # noqa: ARG002  (as the hook has it)
        """Return the share of its traffic that the target should get now; see `Policy`.

        One that is full gets none if it would refuse, and less the longer its line is if it would let wait.
        """
        places = self._counter().places
        if self.shadow or not places.full:
            return 1.0
        return 0.0 if self.on_exceeded == "reject" else places.limit / (places.limit + places.waiting + 1)

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Take a place, go on, give it back when it is over."""
        counter = self._counter()
        busy = counter.places.take()
        if not busy:
            busy = await self._full(call, counter.places)
            if not busy:
                return await inner(call)
        stay = _Stay(counter, call, busy)
        try:
            reply = await inner(call)
        except BaseException as error:
            stay.failed(error)
            raise
        if counter.vegas is not None:
            reply.when_committed(stay.committed)
        reply.when_done(stay.done)
        return reply

    async def _full(self, call: Call, places: Places) -> int:
        """Do what is to be done with a call that finds no place; return the places taken, 0 if it is not counted."""
        turn = turn_of(call)
        wait = places.wait(turn)
        if self.shadow:
            would = "would wait" if self.on_exceeded == "wait" else "would refuse"
            call.note(self.name, would, self._reason(places), wait=wait)
            return places.take(anyway=True) if self.on_exceeded == "wait" else 0
        max_wait = self.max_wait if turn is None or turn.longest is None else turn.longest
        longest = min(call.remaining(), max_wait)
        if self.on_exceeded == "reject" or longest <= 0:
            raise self._refusal(call, places, "")
        if turn is not None and wait is not None and wait > longest:
            raise self._refusal(call, places, f"; its turn would not come within {longest:.3g} s")
        waiter = await waiter_of(call, longest)
        call.note(self.name, "waits", self._reason(places), wait=wait)
        if not places.join(waiter):
            raise self._refusal(call, places, "; there is no room for more")
        try:
            await waiter.flag.wait(longest)
        except BaseException:
            places.give_up(waiter)
            raise
        if not places.has_place(waiter):
            raise self._refusal(call, places, f"; none was free within {longest:.3g} s")
        call.note(self.name, "admitted", f"after {call.clock.now() - waiter.since:.3g} s")
        if turn is not None:
            turn.went_on(call, places, partial(places.settle, waiter))
        return waiter.busy

    def _refusal(self, call: Call, places: Places, why: str) -> QueueFull:
        message = f"{self._reason(places)}{why}"
        call.note(self.name, "refused", message)
        refusal = QueueFull(
            message,
            policy=self.name,
            retry_after=places.wait(call.turn),
            scope=f"target {self._target}" if self._target else "",
            dimension="concurrency",
        )
        refusal.target = self._target or None
        return refusal

    def _reason(self, places: Places) -> str:
        calls = "1 call" if places.limit == 1 else f"{places.limit} calls"
        others = f", and {places.waiting} wait already" if places.waiting else ""
        return f"{self._target or 'what is below'} gets at most {calls} at a time{others}"

    def _place(self, target: str) -> None:
        self._target = target
        self._counters: dict[int, _Counter] = {}
        self._counter()

    def _counter(self) -> _Counter:
        """Return what counts in this process: after a fork, calls of the parent are none of the child's."""
        process = os.getpid()
        counter = self._counters.get(process)
        return counter or self._counters.setdefault(process, _Counter(self._fixed, self._vegas()))

    def _vegas(self) -> Vegas | None:
        return Vegas(start=self.start, least=self.least, most=self.most) if self.adaptive else None


class _Counter:
    """The places, and what finds out how many they are to be."""

    __slots__ = ("places", "vegas")

    def __init__(self, fixed: int | None, vegas: Vegas | None) -> None:
        self.vegas = vegas
        self.places = Places((lambda: vegas.limit) if vegas is not None else (lambda: fixed or 1))


class _Stay:
    """One call that has a place. It failed or got a reply, and either is told once; so it gives its place back once."""

    __slots__ = ("_began", "_busy", "_call", "_clock", "_counter", "_first", "_opened")

    def __init__(self, counter: _Counter, call: Call, busy: int) -> None:
        self._counter = counter
        self._call = call
        self._busy = busy
        self._clock = call.clock
        self._began = self._clock.now()
        self._opened = len(call.opened or ())
        self._first = False

    def committed(self) -> None:
        """The first output has come: of a stream, the time tells how busy the server is."""
        vegas = self._counter.vegas
        if vegas is not None and self._call.stream:
            self._first = True
            now = self._clock.now()
            seconds, busy = now - self._began, self._busy
            self._counter.places.do(lambda: vegas.first_chunk(seconds, busy, now))

    def failed(self, error: BaseException) -> None:
        """There is no reply; but a policy inside may have failed with one in its hand, which is still served."""
        self._learn(error, complete=False)
        when_over(self._call, self._opened, self._give_back)

    def done(self, end: End) -> None:
        """The reply is over."""
        if self._counter.vegas is not None and (end.error is not None or not self._first):
            self._learn(end.error, complete=end.complete)
        self._give_back()

    def _give_back(self) -> None:
        self._counter.places.give_back(self._clock.now() - self._began)

    def _learn(self, error: BaseException | None, *, complete: bool) -> None:
        """Tell an adaptive limit how the call ended."""
        vegas = self._counter.vegas
        if vegas is None:
            return
        now = self._clock.now()
        seconds, busy = now - self._began, self._busy
        cause = error.__cause__ if isinstance(error, StreamInterrupted) else error
        if isinstance(cause, _TOO_BUSY):
            self._counter.places.do(lambda: vegas.overloaded(seconds, now))
        elif complete and not self._call.stream:
            self._counter.places.do(lambda: vegas.answered(busy, now))
        elif self._call.stream and not self._first and not _tells_nothing(cause):
            self._counter.places.do(lambda: vegas.no_first_chunk(seconds, busy))


def _tells_nothing(cause: BaseException | None) -> bool:
    """Whether an end before the first chunk was none of waiting: the target failed, or a policy inside refused."""
    return isinstance(cause, AigwError) and not isinstance(cause.__cause__, TimedOut)


def _text(argument: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"Concurrency({argument}) must be a text, not {value!r}")
    return value


class _Named(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

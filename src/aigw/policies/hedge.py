"""`Hedge`: asks a second target beside one that is slow to begin, and takes whichever answers first."""

from __future__ import annotations

import threading
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn, Protocol

from aigw.checks import at_least, seconds, weight
from aigw.chunk import Usage
from aigw.errors import ConfigError, Overloaded, ProviderRateLimited
from aigw.mechanics.hedging import Calm, Purse, Times
from aigw.policies.race import Race
from aigw.policies.used import mark, used_since

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import End, Reply

_FUNCTIONS: Final = (None, "function", "custom")
"""Types of tools that the application runs itself."""

_ACTS: Final = frozenset(
    {
        "background",
        "container",
        "conversation",
        "mcp_servers",
        "plugins",
        "previous_response_id",
        "search_parameters",
        "tools",
        "web_search_options",
    }
)
"""Fields for a provider with which it may do things, or keep them, that must not be done twice."""

_CROWDED: Final = (429, 503, 529)
_REFUSED: Final = (ProviderRateLimited, Overloaded)

_LENGTHS: Final = (4_000, 16_000)
"""Characters of a prompt between which times are kept apart, as long prompts take longer to begin with."""

_DEARER: Final = 4
"""How many input tokens an output token counts as, where no price is known."""

MOST_KINDS: Final = 300
"""Kinds of calls whose times are remembered; the oldest are forgotten beyond it."""


class Hedge:
    """Asks a second target when the first one is slow to begin.

    ``Balance(a, b, policies=[Hedge()])``. When there is no output yet after the time that 95 % of such calls stay
    below (at least `least` seconds, and not before 100 calls were seen), the call is sent to another target as well.
    The first that has output wins; the other one is cancelled: its connection is closed, and what it has used is in
    the trace. For a stream this is about the first chunk, for other calls about the whole answer.

    At most one more attempt is made for a call. None is made for calls that a provider may act on by itself (tools that
    it runs, fields such as ``previous_response_id``; what a model does of its own accord cannot be known), while the
    whole pool is slower than usual, or within 10 s after a 429 or an overloaded server.

    Place it around a `Balance` or `Fallback`, inside `Retry`. A blocking gateway runs the attempts of a call that may
    be hedged in threads, an async one in tasks; context variables are seen there.

    Args:
        quantile: share of the calls that begin within the time to wait, below 1.
        least: seconds to wait at least, also as a `timedelta`.
        after: seconds to wait in any case, in place of the quantile.
        calls: second attempts for each call, on average; at most ten at once.
        spend: share of all spending that second attempts may cost: in money, or in tokens where no price is known.
        most_input_tokens: longer prompts are not sent twice.
        shadow: make no second attempt, only write into the trace when one would have been made.

    Raises:
        ConfigError: an argument makes no sense, or there is no second target.
    """

    alone: ClassVar[str] = "each would add a further attempt; keep the one around the pool of targets"
    inside: ClassVar[Mapping[str, str]] = {
        "Retry": "it runs beside an attempt that has not failed; a retry begins when both have",
        "Deadline": "one limit holds for both attempts",
    }
    outside: ClassVar[Mapping[str, str]] = {
        "Breaker": "each attempt is a result of its own; around each target it learns which one was slow"
    }

    def __init__(
        self,
        *,
        quantile: float = 0.95,
        least: float | timedelta = 0.3,
        after: float | timedelta | None = None,
        calls: float = 0.05,
        spend: float = 0.02,
        most_input_tokens: int = 8_000,
        shadow: bool = False,
    ) -> None:
        self.quantile = weight("Hedge(quantile)", quantile)
        if not 0 < self.quantile < 1:
            raise ConfigError(f"Hedge(quantile) must be a share above 0 and below 1, not {quantile!r}")
        self.least = seconds("Hedge(least)", least)
        self.after = None if after is None else seconds("Hedge(after)", after)
        self.calls = _share("calls", calls)
        self.spend = _share("spend", spend)
        self.most_input_tokens = at_least("Hedge(most_input_tokens)", most_input_tokens, 1)
        self.shadow = shadow
        self._start(None)

    def __repr__(self) -> str:
        when = f"after={self.after:g}" if self.after is not None else f"quantile={self.quantile:g}"
        return f"Hedge({when}, calls={self.calls:g}, spend={self.spend:g}{', shadow=True' if self.shadow else ''})"

    def at_node(self, node: _Pool) -> Hedge:
        """Return one with a state of its own for this node."""
        if len(node.targets) < 2:  # noqa: PLR2004  (a first and a second)
            raise ConfigError("Hedge has no second target to ask here: place it around a Balance or a Fallback")
        placed = copy(self)
        placed._start(node)  # noqa: SLF001  (a copy of itself)
        return placed

    def at_target(self, target: _Target) -> NoReturn:
        """Refuse to stand around one target."""
        raise ConfigError(
            f"Hedge around the target {target.name!r} has no second one to ask: place it around a Balance or a Fallback"
        )

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Serve the call, by two targets if the first one is slow."""
        if self._pool is None:
            raise ConfigError("Hedge must stand around a Balance or a Fallback: Balance(a, b, policies=[Hedge()])")
        if _may_act(call):
            return await inner(call)
        place = mark(call)
        times, trigger = self._begin(call)
        try:
            if trigger is None or self.shadow:
                reply = await self._watch(call, inner, times, trigger)
            else:
                reply = await self._race(call, inner, times, trigger)
        except Exception as error:
            self._look(call, place, error)
            raise
        self._look(call, place, None)
        reply.when_done(partial(self._settle, call, place))
        return reply

    def _start(self, pool: _Pool | None) -> None:
        self._pool = pool
        self._purse = Purse(calls=self.calls, spend=self.spend)
        self._calm = Calm()
        self._kinds: dict[tuple[str, str, bool, int], Times] = {}
        self._lock = threading.Lock()

    def _begin(self, call: Call) -> tuple[Times, float | None]:
        """Count a call; return the times of its kind, and the seconds to wait, if they are known."""
        length = sum(len(message.text) for message in call.messages) + sum(map(len, call.inputs))
        kind = (call.route, call.operation, call.stream, sum(length >= limit for limit in _LENGTHS))
        with self._lock:
            self._purse.count()
            times = self._kinds.get(kind)
            if times is None:
                if len(self._kinds) >= MOST_KINDS:
                    del self._kinds[next(iter(self._kinds))]
                times = self._kinds[kind] = Times()
            usual = times.quantile(self.quantile)
        if self.after is not None:
            return times, self.after
        return times, None if usual is None else max(usual, self.least)

    async def _watch(self, call: Call, inner: Next, times: Times, trigger: float | None) -> Reply:
        """Serve the call by one target, and see how long it takes."""
        began = call.clock.now()
        reply = await inner(call)
        await reply.prime()
        took = self._took(call, began, times)
        if trigger is not None and took > trigger:
            with self._lock:
                reason = self._trouble(call, times) or self._purse.refusal("", 0.0)
                if not reason:
                    self._purse.pay("", 0.0)
            call.note("Hedge", "would hedge" if not reason else "would not hedge", reason or f"after {trigger:.3g} s")
        return reply

    async def _race(self, call: Call, inner: Next, times: Times, trigger: float) -> Reply:
        """Serve the call by one target, and by a second one if there is no output when it is time."""
        began, place, paid = call.clock.now(), mark(call), ("", 0.0)
        async with Race(call, inner) as race:
            asked = race.start(call)
            if not await race.wait(trigger):
                price = await self._price_of_another(call)
                reason = self._refusal(call, asked, times, price)
                call.note("Hedge", "not hedged" if reason else "hedged", reason or f"no output after {trigger:.3g} s")
                if not reason:
                    race.start(call.avoiding(asked))
                    paid = price
            reply = await race.winner()
            self._took(call, began, times)
        if paid[0]:
            self._correct(call, place, paid)
        return reply

    def _took(self, call: Call, began: float, times: Times) -> float:
        took = call.clock.now() - began
        with self._lock:
            times.add(took)
        return took

    async def _price_of_another(self, call: Call) -> tuple[str, float]:
        """Return what a second attempt is likely to cost; nothing where the prompt is too long for one."""
        prompt = await call.meter.input_tokens(call)
        if prompt > self.most_input_tokens:
            return "", 0.0
        return _price(call, Usage(prompt, 0 if call.stream else call.meter.output_tokens(call)))

    def _refusal(self, call: Call, asked: Sequence[str], times: Times, price: tuple[str, float]) -> str:
        """Tell why there is no second attempt; empty if there is one, which is paid for."""
        if not price[0]:
            return f"the prompt has more than {self.most_input_tokens} tokens"
        if not asked:
            return "it waits for its turn, no target is asked yet"
        if not self._another(call, asked):
            return "no other target is left"
        if call.remaining() <= 0:
            return "the deadline has come"
        with self._lock:
            reason = self._trouble(call, times) or self._purse.refusal(*price)
            if not reason:
                self._purse.pay(*price)
        return reason

    def _another(self, call: Call, asked: Sequence[str]) -> bool:
        assert self._pool is not None
        now = call.clock.now()
        avoided = call.avoid.union(asked)
        return any(
            target.name not in avoided and not target.ejected(now) and not target.lacks(call)
            for target in self._pool.targets
        )

    def _trouble(self, call: Call, times: Times) -> str:
        if not self._calm(call.clock.now()):
            return "a target had no capacity just now"
        return "all targets are slower than usual" if times.is_slow() else ""

    def _look(self, call: Call, place: int, error: Exception | None) -> None:
        """Take note of a target that had no capacity, also where another one has answered."""
        refused = isinstance(error, _REFUSED) or any(
            event.type == "attempt" and (event.status in _CROWDED or event.outcome in _CROWDED_NAMES)
            for event in (call.trace.events[place:] if call.trace is not None else ())
        )
        if refused:
            with self._lock:
                self._calm.disturb(call.clock.now())

    def _correct(self, call: Call, place: int, paid: tuple[str, float]) -> None:
        """Put what the attempt that lost has used in the place of what was paid for it."""
        lost = used_since(call, place).attempts  # the one that won is not over
        if not lost:
            return
        with self._lock:
            self._purse.correct(paid[0], -paid[1])
            for attempt in lost:
                self._purse.correct(*_price(call, attempt.usage or Usage()))

    def _settle(self, call: Call, place: int, end: End) -> None:  # noqa: ARG002  (as the callback has it)
        """Count what the call has cost, when it is over."""
        prices = [_price(call, attempt.usage or Usage()) for attempt in used_since(call, place).attempts]
        with self._lock:
            for unit, amount in prices:
                self._purse.earn(unit, amount)


_CROWDED_NAMES: Final = frozenset(kind.__name__ for kind in _REFUSED)


class _Target(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    def ejected(self, now: float) -> bool:
        """Tell whether it would refuse a call."""
        ...

    def lacks(self, call: Call) -> str:
        """Tell what the call needs and it cannot do."""
        ...


class _Pool(Protocol):
    """A node, as far as it matters here."""

    @property
    def targets(self) -> Sequence[_Target]:
        """All targets below."""
        ...


def _may_act(call: Call) -> bool:
    """Tell whether a provider may do something with the call that must not be done twice, as far as can be known."""
    return (
        not _ACTS.isdisjoint(call.extra)
        or any(tool.extra.get("type") not in _FUNCTIONS for tool in call.tools)
        or any(part.type == "other" for message in call.messages for part in message.parts)
    )


def _price(call: Call, usage: Usage) -> tuple[str, float]:
    """Return what a usage costs: US dollars at the dearest target, tokens where no price is known."""
    cost = call.meter.dearest(call, usage)
    return ("tokens", float(usage.input + _DEARER * usage.output)) if cost is None else ("usd", float(cost.usd))


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ConfigError(f"Hedge({name}) must be a share above 0 and up to 1, not {value!r}")
    return float(value)

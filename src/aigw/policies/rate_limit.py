"""`RateLimit`: so many requests, tokens and calls at a time, reserved before a call and settled with what it used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

from aigw.checks import at_least, check_choice, seconds, text
from aigw.errors import ConfigError, ProviderError
from aigw.mechanics.limits import Claim, Rate, Slots, WhenDown
from aigw.policies.degrade import Degrade
from aigw.policies.demand import Demand, Part
from aigw.policies.mirror import Mirror, block_of
from aigw.policies.placed import Placed
from aigw.policies.reservation import Reservation
from aigw.policies.scopes import Key, Reader, reader
from aigw.policies.waiting import Waiting, reserve
from aigw.policies.windows import AtATime, Counted, Limit
from aigw.stores.ledger import Ledger, Ticket
from aigw.stores.memory import MemoryLedger, as_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.mechanics.limits import Denial
    from aigw.policies.mirror import Sent
    from aigw.policy import Next
    from aigw.quota import QuotaHint
    from aigw.reply import Reply

OnExceeded = Literal["wait", "reject"] | Degrade
Estimate = Literal["likely", "most"]

FULL_FOR = 1.0
"""Seconds at most for which a target is passed over after it had no room for a call: another one may be smaller."""

MOST_SCOPES = 1024
"""Scopes whose limits are kept ready; they are cheap to make again."""


class RateLimit(Placed):
    """Limits requests, tokens and calls at a time.

    A call reserves what it is likely to use, in one step for all limits of the policy: all or nothing. When it is over,
    what it has really used takes the place of that: nothing for a call that reached no provider, a guess where a stream
    was cut. In any window of *w* seconds at most limit x (w + burst) / window is admitted, plus what the running calls
    were underestimated by; the long-run rate is right whatever the estimates are worth.

    Around a gateway or a route it limits its users, and makes them wait. Around a `Target` it stands for the
    provider's quota: it refuses, so that another target is tried; it counts for that target alone; and the provider's
    headers and 429s tighten it.

    Args:
        requests_per_minute: requests; a call counts once, however often it is tried inside of this policy.
        tokens_per_minute: tokens, input and output together.
        input_tokens_per_minute: tokens of prompts.
        output_tokens_per_minute: tokens of answers.
        concurrency: calls at a time.
        limits: limits with other windows, such as ``[Limit("tokens", 1_000_000, per="day")]``.
        key: whose calls are counted together: ``principal``, ``team``, ``model``, ``tag``, or a function that gets the
            call and returns a name, ``None`` for a call that is not limited. By default all calls together; around a
            target those to that target.
        on_exceeded: ``wait`` (the default), ``reject`` (the default around a target), or a `Degrade`.
        max_wait: seconds that a call may wait. The deadline of the call bounds it as well; a call that cannot be
            admitted in time is refused at once.
        burst: seconds' worth of a minute that may come at once. Windows of another length get the same share of it.
        store: where it is counted; by default in this process, apart from all other policies.
        name: its name in the trace and in errors. Policies with the same name and store share their counts.
        shadow: count and write into the trace what would have happened, but never act, wait or raise.
        refund: give back what was reserved and not used. ``False`` is for a quota that does not: then nothing less than
            the estimate is settled for a request that the provider has seen.
        estimate: reserve the output that is ``likely``, or the ``most`` that the call allows (its `max_tokens`).
        when_down: what to do while the store does not answer: count in this process (``local``), refuse (``closed``),
            or let everything pass (``open``).

    Raises:
        ConfigError: nothing is limited, or an argument makes no sense.
        RateLimited: (from a call) a limit is used up, with ``retry_after``, ``scope`` and ``dimension``.
    """

    def __init__(
        self,
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        input_tokens_per_minute: int | None = None,
        output_tokens_per_minute: int | None = None,
        concurrency: int | None = None,
        limits: Sequence[Limit] = (),
        key: Key = None,
        on_exceeded: OnExceeded | None = None,
        max_wait: float = 30.0,
        burst: float = 10.0,
        store: Ledger | None = None,
        name: str | None = None,
        shadow: bool = False,
        refund: bool = True,
        estimate: Estimate = "likely",
        when_down: WhenDown = "local",
    ) -> None:
        per_minute: dict[Counted, int | None] = {
            "requests": requests_per_minute,
            "tokens": tokens_per_minute,
            "input_tokens": input_tokens_per_minute,
            "output_tokens": output_tokens_per_minute,
        }
        self.limits = _limits(per_minute, concurrency, limits)
        self.name = text("RateLimit(name)", "RateLimit" if name is None else name)
        self.on_exceeded: OnExceeded = _mode("wait" if on_exceeded is None else on_exceeded)
        self.max_wait = seconds("RateLimit(max_wait)", max_wait)
        self.burst = seconds("RateLimit(burst)", burst)
        self.store = as_ledger("RateLimit(store)", store)
        self.shadow = shadow
        self.refund = refund
        check_choice("RateLimit(estimate)", estimate, get_args(Estimate))
        check_choice("RateLimit(when_down)", when_down, get_args(WhenDown))
        self.estimate: Estimate = estimate
        self.when_down: WhenDown = when_down
        self.outside = {
            "Retry": "a call is to count once, not once for each attempt; what a target may get belongs to the target",
            "Concurrency": "a call must not keep its place while it waits for its rate",
        }
        self.inside: Mapping[str, str] = (
            {"Queue": "the queue decides who is next of those who wait here"} if self.on_exceeded == "wait" else {}
        )
        degrade = self.on_exceeded if isinstance(self.on_exceeded, Degrade) else None
        self.detours: Sequence[str] = (degrade.route,) if degrade and degrade.route else ()
        self.key = key
        self._given: OnExceeded | None = on_exceeded
        self._read: Reader = reader("RateLimit(key)", key)
        self._target: str | None = None
        self._mirror: Mirror | None = None
        self._full_until = -math.inf
        self._waiting = Waiting(self.name, self.store, self.max_wait)
        self._ready: dict[str, tuple[tuple[Limit | AtATime, Rate | Slots], ...]] = {}
        self._counted = frozenset(limit.counts for limit in self.limits)

    def __repr__(self) -> str:
        defaults = {"key": None, "max_wait": 30.0, "burst": 10.0, "name": "RateLimit", "shadow": False, "refund": True}
        defaults |= {"on_exceeded": "wait", "estimate": "likely", "when_down": "local"}
        settings = {name: getattr(self, name) for name in defaults}
        shown = [f"{name}={value!r}" for name, value in settings.items() if value != defaults[name]]
        if not isinstance(self.store, MemoryLedger):
            shown.append(f"store={self.store!r}")
        return f"RateLimit({', '.join([*map(str, self.limits), *shown])})"

    def _stand_around(self, target: _Named) -> None:
        self.on_exceeded = "reject" if self._given is None else self._given
        self.inside = {} if self.on_exceeded != "wait" else self.inside
        self._target = target.name
        self._waiting = Waiting(self.name, self.store, self.max_wait)
        self._full_until = -math.inf
        if self.key is None:
            scopes = (f"target {target.name}",)
            self._read = lambda _: scopes
            self._mirror = Mirror()

    def availability(self, now: float) -> float:
        """Return the share of its traffic that the target should get now; see `Policy`.

        None for a moment after it had no room for a call, or little if it lets calls wait.
        """
        if now >= self._full_until or self.shadow or self._mirror is None:
            return 1.0
        return 0.0 if self.on_exceeded == "reject" else 0.1

    def headroom(self, now: float) -> float | None:
        """Return the share of its limits that is left, from 0 to 1, by the tightest; see `Policy`.

        Known where it counts in this process.
        """
        if self._mirror is None or self.shadow or not isinstance(self.store, MemoryLedger):
            return None
        scope = f"target {self._target}"
        rates = [rate for _, rate in self._ready.get(scope) or self._make_ready(scope)]
        return min(self.store.left(rate, now) for rate in rates)

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Reserve, go on, settle."""
        if self.shadow:
            return await self._watch(call, inner)
        scopes = self._read(call)
        if not scopes:
            return await inner(call)
        demand = await self._demand(call, scopes)
        outcome = await reserve(self.store, call, demand) if self._waiting.is_free(scopes) else None
        if isinstance(outcome, Ticket):
            return await self._serve(call, inner, demand, outcome)
        admitted = await self._exceeded(call, demand, outcome)
        if admitted.ticket is None:
            return await inner(admitted.call)
        return await self._serve(admitted.call, inner, admitted.demand, admitted.ticket)

    async def _exceeded(self, call: Call, demand: Demand, denial: Denial | None) -> _Admitted:
        """Do what the user wants done with a call that exceeds a limit."""
        if self._mirror is not None and (denial is None or not denial.never):
            wait = FULL_FOR if denial is None or denial.wait is None else denial.wait
            self._full_until = call.clock.now() + min(wait, FULL_FOR)
        if denial is not None and isinstance(self.on_exceeded, Degrade):
            return await self._degrade(call, demand, denial, self.on_exceeded)
        if denial is None or self.on_exceeded == "wait":
            outcome = await self._waiting.reserve(call, demand, denial)
            if isinstance(outcome, Ticket):
                return _Admitted(call, demand, outcome)
            denial = outcome
        raise self._refused(call, demand, denial)

    async def _degrade(self, call: Call, demand: Demand, denial: Denial, how: Degrade) -> _Admitted:
        """Try it with less output, then on another route, where this policy does not count it."""
        reason = demand.text(denial)
        if how.max_tokens is not None and (call.max_tokens is None or how.max_tokens < call.max_tokens):
            call = call.evolve(max_tokens=how.max_tokens)
            demand = await self._demand(call, demand.scopes)
            outcome = await reserve(self.store, call, demand)
            if isinstance(outcome, Ticket):
                call.note(self.name, "degraded", f"{reason}; at most {how.max_tokens:,} tokens of output")
                return _Admitted(call, demand, outcome)
            denial = outcome
        if how.route is not None and how.route != call.route:
            call.note(self.name, "degraded", f"{reason}; goes to route {how.route!r}")
            return _Admitted(call.evolve(route=how.route), demand, None)
        raise self._refused(call, demand, denial)

    def _refused(self, call: Call, demand: Demand, denial: Denial) -> Exception:
        error = demand.refusal(denial, self.name)
        call.note(self.name, "refused", str(error))
        return error

    async def _serve(self, call: Call, inner: Next, demand: Demand, ticket: Ticket) -> Reply:
        """Let the call through, settle when it is over, and listen to what the provider tells of its quota."""
        reservation = Reservation(
            self.store, self._waiting, call, demand, ticket, target=self._target, refund=self.refund
        )
        sent = self._mirror.send(demand.claims) if self._mirror else None
        try:
            reply = await inner(call)
        except BaseException as error:
            reservation.over()
            if sent is not None and isinstance(error, ProviderError):
                await self._heed(call, demand, sent, error.quota, block_of(error))
            raise
        reply.when_done(reservation.over)
        if sent is not None:
            await self._heed(call, demand, sent, reply.quota, None)
        return reply

    async def _heed(self, call: Call, demand: Demand, sent: Sent, hint: QuotaHint | None, block: float | None) -> None:
        """Tighten the limits by what the provider told. They are never widened."""
        try:
            await self._tighten(call, demand, sent, hint)
            rates = [part.claim.limit for part in demand.parts if isinstance(part.claim.limit, Rate)]
            if block is not None and rates:  # one closed limit closes them all
                call.note(self.name, "blocked", f"the provider wants a pause of {block:g} s")
                await self.store.push(min(rates, key=lambda rate: rate.window), block, call.ports)
        except Exception as error:  # noqa: BLE001  (an answer is not lost because its news cannot be stored)
            call.note(self.name, "ignored", f"what the provider told of its quota: {type(error).__name__}")

    async def _tighten(self, call: Call, demand: Demand, sent: Sent, hint: QuotaHint | None) -> None:
        if hint is None or self._mirror is None:
            return
        counts = [part.limit.counts for part in demand.parts]
        for rate, left in self._mirror.tightened(sent, demand.claims, counts, hint):
            call.note(self.name, "tightened", f"{rate.key.rpartition('/')[2]}: {left:,} are left at the provider")
            await self.store.drain(rate, left, call.ports)

    async def _watch(self, call: Call, inner: Next) -> Reply:
        """Let every call through; count it, or write down what would have become of it."""
        demand, outcome = None, None
        try:
            scopes = self._read(call)
            if scopes:
                demand = await self._demand(call, scopes)
                outcome = await reserve(self.store, call, demand)
        except Exception as error:  # noqa: BLE001  (who only watches must not break a call, whatever fails)
            call.note(self.name, "could not count", type(error).__name__)
        if demand is None or outcome is None:
            return await inner(call)
        if isinstance(outcome, Ticket):
            return await self._serve(call, inner, demand, outcome)
        call.note(self.name, self._would(call, outcome), demand.text(outcome), wait=None)
        return await inner(call)

    def _would(self, call: Call, denial: Denial) -> str:
        """Tell what a policy that acts would do."""
        if isinstance(self.on_exceeded, Degrade):
            return "would degrade"
        longest = min(call.remaining(), self.max_wait)
        hopeless = denial.never or denial.unknown or (denial.wait is not None and denial.wait > longest)
        if self.on_exceeded == "reject" or hopeless:
            return "would refuse"
        return "would wait" if denial.wait is None else f"would wait {denial.wait:.3g} s"

    async def _demand(self, call: Call, scopes: tuple[str, ...]) -> Demand:
        """Estimate what the call will use."""
        amounts = {"requests": 1, "calls": 1}
        counted = self._counted
        if "tokens" in counted or "input_tokens" in counted:
            amounts["input_tokens"] = await call.meter.input_tokens(call)
        if "tokens" in counted or "output_tokens" in counted:
            most = call.meter.most_output_tokens(call) if self.estimate == "most" else None
            amounts["output_tokens"] = call.meter.output_tokens(call) if most is None else most
        amounts["tokens"] = amounts.get("input_tokens", 0) + amounts.get("output_tokens", 0)
        parts = [
            Part(scope, limit, Claim(rate, amounts[limit.counts]))
            for scope in scopes
            for limit, rate in self._ready.get(scope) or self._make_ready(scope)
        ]
        return Demand(scopes, tuple(parts))

    def _make_ready(self, scope: str) -> tuple[tuple[Limit | AtATime, Rate | Slots], ...]:
        key = f"{'shadow ' if self.shadow else ''}{self.name}/{scope}/"
        made = tuple((limit, limit.rate(key, self.burst, self.when_down)) for limit in self.limits)
        if len(self._ready) >= MOST_SCOPES:
            self._ready.clear()
        self._ready[scope] = made
        return made


class _Named(Protocol):
    """A target, as far as it matters here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class _Admitted(NamedTuple):
    """A call that may go on.

    Args:
        call: the call, changed if it was degraded.
        demand: what it asks for.
        ticket: its reservation; ``None`` where it goes on without one.
    """

    call: Call
    demand: Demand
    ticket: Ticket | None


def _limits(
    per_minute: Mapping[Counted, int | None], concurrency: int | None, others: Sequence[Limit]
) -> tuple[Limit | AtATime, ...]:
    """Collect what is limited."""
    found: list[Limit | AtATime] = [
        Limit(counts, at_least(f"RateLimit({counts}_per_minute)", amount, 1))
        for counts, amount in per_minute.items()
        if amount is not None
    ]
    if not isinstance(others, (list, tuple)) or not all(isinstance(other, Limit) for other in others):
        raise ConfigError(
            f"RateLimit(limits) must be a list such as [Limit('tokens', 10_000, per='day')], not {others!r}"
        )
    found += others
    if concurrency is not None:
        found.append(AtATime(at_least("RateLimit(concurrency)", concurrency, 1)))
    if not found:
        raise ConfigError("RateLimit() limits nothing: give requests_per_minute, tokens_per_minute, … or limits")
    names = [limit.dimension for limit in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"RateLimit(): {twice} is given twice; keep the smaller one")
    return tuple(found)


def _mode(value: OnExceeded) -> OnExceeded:
    if value not in ("wait", "reject") and not isinstance(value, Degrade):
        raise ConfigError(f"RateLimit(on_exceeded) must be 'wait', 'reject' or a Degrade, not {value!r}")
    return value

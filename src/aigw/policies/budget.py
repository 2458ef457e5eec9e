"""`Budget`: so much money or so many tokens in a period; the most a call may cost is reserved before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from aigw.checks import at_least, check_choice, text
from aigw.errors import BudgetExceeded
from aigw.mechanics.limits import Claim, Denial, Spend, WhenDown
from aigw.mechanics.periods import time_zone
from aigw.policies.budget_arguments import OnExceeded, callback, mode, unknown
from aigw.policies.budget_costs import Costs, OnUnknownCost
from aigw.policies.budget_demand import Asked, BudgetStanding, Part, cheaper
from aigw.policies.budget_limits import allowances, nano_of, value_of
from aigw.policies.budget_warnings import BudgetWarning, Warned, logger
from aigw.policies.degrade import Degrade
from aigw.policies.placed import Placed
from aigw.policies.scopes import Key, Reader, reader
from aigw.policies.used import mark, when_over
from aigw.stores.ledger import Ledger, Ticket
from aigw.stores.memory import MemoryLedger, as_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    from aigw.call import Call
    from aigw.mechanics.periods import Period
    from aigw.policies.budget_costs import Priced
    from aigw.policies.budget_limits import Allowance, Money
    from aigw.policy import Next
    from aigw.ports import Runtime
    from aigw.reply import Reply

LONGEST_CALL = 86_400.0
"""Seconds after which a reservation ends by itself; then it counts as spent."""


class Budget(Placed):
    """Limits what is spent in a period: US dollars, tokens, or both.

    Before anything is sent, the most that the call may cost is reserved: its prompt, counted and a tenth more, and as
    much output as it allows, at the price of the dearest target that may serve it. All limits of the policy are
    reserved in one step: all or nothing. When the call is over, what its attempts have really cost takes the place of
    that, in the period in which it was reserved. So calls that run at the same time cannot spend more than there is.

    Args:
        usd_per_hour: US dollars per hour, as an int, a text, a `Decimal` or a float.
        usd_per_day: US dollars per day.
        usd_per_week: US dollars per week, from Monday.
        usd_per_month: US dollars per month.
        tokens_per_hour: tokens per hour, input and output together.
        tokens_per_day: tokens per day.
        tokens_per_week: tokens per week.
        tokens_per_month: tokens per month.
        rolling: periods end now (the last 24 hours, the last 30 days), in place of those of the calendar.
        timezone: IANA name of the time zone of the calendar.
        key: whose calls are counted together: ``principal``, ``team``, ``model``, ``tag``, or a function that gets the
            call and returns a name, ``None`` for a call that is not limited. By default all calls together; around a
            target those to that target.
        on_exceeded: ``reject`` (a hard budget), ``warn`` (a soft one, which never refuses), or a `Degrade`: the call
            is served more cheaply if that fits, else refused.
        warn_at: shares of a limit that are warned of, once in a period, scope and process: to the logger ``aigw``, in
            the trace, and to `on_warning`.
        on_warning: called with each `BudgetWarning`. It must return at once.
        on_unknown_cost: ``block`` (the default, unless `on_exceeded` is ``warn``): refuse a call whose price is not
            known, and count as much as was reserved where the cost turns out unknown; ``estimate`` (the default of
            ``warn``): count a guess of the usage, at the dearest price or at `unknown_price`; ``allow``: count nothing.
        unknown_price: US dollars for a million tokens that have no known price, for ``estimate``; without it such calls
            are refused, and those of a soft budget not counted.
        default_max_tokens: `max_tokens` of chat calls that set none, as their cost had no bound otherwise. Soft budgets
            do not set it.
        store: where it is counted; by default in this process, apart from all other policies.
        name: its name in the trace and in errors. Policies with the same name and store share their counts.
        shadow: count and write into the trace what would have happened, but never act or raise.
        when_down: what to do while the store does not answer: refuse (``closed``), count in this process (``local``),
            or let everything pass (``open``).

    Raises:
        ConfigError: nothing is limited, or an argument makes no sense.
        BudgetExceeded: (from a call) it does not fit, with ``retry_after``, ``scope`` and ``dimension``.
    """

    inside: Mapping[str, str] = {
        "Cache": "an answer from the cache costs nothing, and must not need money",
        "Coalesce": "calls that share one answer pay for it once",
        "Guard": "what a guard refuses is not sent, and must not need money",
        "Deadline": "the time that the store takes belongs to the call",
    }

    def __init__(
        self,
        *,
        usd_per_hour: Money | None = None,
        usd_per_day: Money | None = None,
        usd_per_week: Money | None = None,
        usd_per_month: Money | None = None,
        tokens_per_hour: int | None = None,
        tokens_per_day: int | None = None,
        tokens_per_week: int | None = None,
        tokens_per_month: int | None = None,
        rolling: bool = False,
        timezone: str | tzinfo = "UTC",
        key: Key = None,
        on_exceeded: OnExceeded = "reject",
        warn_at: Sequence[float] = (0.8, 1.0),
        on_warning: Callable[[BudgetWarning], object] | None = None,
        on_unknown_cost: OnUnknownCost | None = None,
        unknown_price: Money | None = None,
        default_max_tokens: int = 4096,
        store: Ledger | None = None,
        name: str | None = None,
        shadow: bool = False,
        when_down: WhenDown = "closed",
    ) -> None:
        usd = (usd_per_month, usd_per_week, usd_per_day, usd_per_hour)
        tokens = (tokens_per_month, tokens_per_week, tokens_per_day, tokens_per_hour)
        zone = time_zone("Budget(timezone)", timezone)
        self.allowances = allowances(usd, tokens, is_rolling=rolling, zone=zone)
        self.name = text("Budget(name)", "Budget" if name is None else name)
        self.on_exceeded: OnExceeded = mode(on_exceeded)
        self.soft = on_exceeded == "warn"
        self.default_max_tokens = at_least("Budget(default_max_tokens)", default_max_tokens, 1)
        self.store = as_ledger("Budget(store)", store)
        self.shadow = shadow
        self.when_down: WhenDown = when_down
        check_choice("Budget(when_down)", when_down, get_args(WhenDown))
        self.key = key
        self.outside = {
            "RateLimit": "a call that has no money must not use up a rate, nor wait for one",
            "Queue": "a call that has no money must not stand in line",
            "Concurrency": "a call that has no money must not take a place",
            "Retry": "a call is refused once, and not tried again until there is money",
        }
        degrade = on_exceeded if isinstance(on_exceeded, Degrade) else None
        self.detours: Sequence[str] = (degrade.route,) if degrade and degrade.route else ()
        self._read: Reader = reader("Budget(key)", key)
        self._costs = Costs(
            unknown(on_unknown_cost, on_exceeded),
            None if unknown_price is None else nano_of("Budget(unknown_price)", unknown_price),
            any(allowance.unit == "usd" for allowance in self.allowances),
            self.name,
        )
        self._warned = Warned(warn_at)
        self._on_warning = callback(on_warning)

    def __repr__(self) -> str:
        defaults = {"key": None, "on_exceeded": "reject", "name": "Budget", "shadow": False, "when_down": "closed"}
        settings = {name: getattr(self, name) for name in defaults}
        given = [f"{name}={value!r}" for name, value in settings.items() if value != defaults[name]]
        if self.allowances[0].rolling:
            given.append("rolling=True")
        if not isinstance(self.store, MemoryLedger):
            given.append(f"store={self.store!r}")
        return f"Budget({', '.join([*map(str, self.allowances), *given])})"

    def _stand_around(self, target: Priced) -> None:
        self._costs = replace(self._costs, target=target)
        if self.key is None:
            scopes = (f"target {target.name}",)
            self._read = lambda _: scopes

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Reserve, go on, settle."""
        if self.shadow:
            return await self._watch(call, inner)
        scopes = self._read(call)
        if not scopes:
            return await inner(call)
        demand = await self._demand(call, scopes)
        outcome = await self._reserve(demand)
        if isinstance(outcome, Ticket):
            return await self._serve(demand, outcome, inner)
        if self.soft:
            call.note(self.name, "not counted", demand.text(outcome))
            return await inner(demand.call)
        await self._look(demand, outcome)
        if isinstance(self.on_exceeded, Degrade) and not outcome.unknown:
            demand, ticket = await self._degrade(demand, outcome, self.on_exceeded)
            return await self._serve(demand, ticket, inner)
        raise self._refused(demand, outcome)

    async def standing(self, runtime: Runtime, scope: str = "") -> tuple[BudgetStanding, ...]:
        """Tell what is spent and what is left, limit by limit, for a dashboard.

        Args:
            runtime: the ports to ask the store with, such as ``call.ports``.
            scope: whom for, such as ``principal alice``; empty for a budget without key.
        """
        return tuple(
            [
                BudgetStanding(
                    allowance.dimension,
                    value_of(allowance.unit, await self.store.used(spend, runtime)),
                    value_of(allowance.unit, allowance.amount),
                    period.ends,
                )
                for allowance, period, spend in self._spends(scope, runtime.clock.time())
            ]
        )

    async def _demand(self, call: Call, scopes: tuple[str, ...]) -> Asked:
        """Find out the most that the call may cost, and give it a bound where it has none.

        Raises:
            BudgetExceeded: that is not known, and such calls are blocked.
        """
        output = call.meter.most_output_tokens(call)
        if output is None and self.soft:
            output = call.meter.output_tokens(call)
        if output is None and call.operation == "chat" and call.max_tokens is None:
            call = call.evolve(max_tokens=self.default_max_tokens)
            if not self.shadow:
                call.note(self.name, "bounded", f"at most {self.default_max_tokens:,} tokens of output")
            output = call.meter.most_output_tokens(call) or self.default_max_tokens
        most = await self._costs.most(call, output or 0)
        if not most.priced:
            reason = f"the price of {call.route or call.model or 'a target'!r} is not known"
            if not self.soft and self._costs.on_unknown != "allow":
                raise self._unpriced(call, reason, scopes[0])
            call.note(self.name, "not counted", reason)
        time = call.clock.time()
        parts = [
            Part(scope, allowance, period, Claim(spend, most.amounts[allowance.unit]))
            for scope in scopes
            for allowance, period, spend in self._spends(scope, time)
        ]
        return Asked(call, most, tuple(parts))

    def _unpriced(self, call: Call, reason: str, scope: str) -> BudgetExceeded:
        if not self.shadow:
            call.note(self.name, "refused", reason)
        return BudgetExceeded(
            f"{reason}, so no budget can hold: give the gateway a price for each target, or set on_unknown_cost",
            policy=self.name,
            scope=scope,
            dimension=next(limit.dimension for limit in self.allowances if limit.unit == "usd"),
        )

    def _spends(self, scope: str, time: float) -> list[tuple[Allowance, Period, Spend]]:
        prefix = f"{'shadow ' if self.shadow else ''}{self.name}/{scope}/"
        found = []
        for allowance in self.allowances:
            period = allowance.period(time)
            found.append((allowance, period, allowance.spend(prefix, period, self.when_down, bounded=not self.soft)))
        return found

    async def _reserve(self, demand: Asked) -> Ticket | Denial:
        call = demand.call
        lasts = min(max(call.remaining(), 0.0) + 3600.0, LONGEST_CALL)
        return await self.store.reserve(demand.claims, call.ports, lasts)

    async def _serve(self, demand: Asked, ticket: Ticket, inner: Next) -> Reply:
        """Let the call through, and settle when it is over, however it ends."""
        call, place = demand.call, mark(demand.call)
        earlier = len(call.opened or ())

        def settle() -> None:
            used = self._costs.used(call, place, demand.most)
            self.store.settle(ticket, [None if used is None else used[part.allowance.unit] for part in demand.parts])

        try:
            await self._look(demand)
            reply = await inner(call)
        except BaseException:  # whatever it is, what was reserved is settled
            when_over(call, earlier, settle)
            raise
        reply.when_done(lambda _: when_over(call, earlier, settle))
        return reply

    async def _degrade(self, demand: Asked, denial: Denial, how: Degrade) -> tuple[Asked, Ticket]:
        """Try it with less output, then on another route, whose price is reserved.

        Raises:
            BudgetExceeded: that does not fit either.
        """
        reason = demand.text(denial)
        for call, change in cheaper(demand.call, how):
            demand = await self._demand(call, demand.scopes)
            outcome = await self._reserve(demand)
            if isinstance(outcome, Ticket):
                call.note(self.name, "degraded", f"{reason}; {change}")
                return demand, outcome
            denial = outcome
        raise self._refused(demand, denial)

    def _refused(self, demand: Asked, denial: Denial) -> BudgetExceeded:
        part = demand.part_of(denial)
        error = BudgetExceeded(
            demand.text(denial),
            policy=self.name,
            retry_after=None if denial.never or denial.unknown else part.period.ends,
            scope=part.scope,
            dimension=part.allowance.dimension,
        )
        demand.call.note(self.name, "refused", str(error))
        return error

    async def _watch(self, call: Call, inner: Next) -> Reply:
        """Let every call through; count it, or write down what would have become of it."""
        demand, outcome = None, None
        try:
            scopes = self._read(call)
            if scopes:
                demand = await self._demand(call, scopes)
                outcome = await self._reserve(demand)
        except BudgetExceeded as error:
            call.note(self.name, "would refuse", str(error))
        except Exception as error:  # noqa: BLE001  (who only watches must not break a call, whatever fails)
            call.note(self.name, "could not count", type(error).__name__)
        if demand is not None and isinstance(outcome, Ticket):
            return await self._serve(demand._replace(call=call), outcome, inner)
        if demand is not None and isinstance(outcome, Denial):
            would = "would degrade" if isinstance(self.on_exceeded, Degrade) else "would refuse"
            call.note(self.name, would, demand.text(outcome))
        return await inner(call)

    async def _look(self, demand: Asked, denial: Denial | None = None) -> None:
        """Warn of limits that are nearly used up. One that has just refused a call which is not too large for it is."""
        if self.shadow or (denial is not None and (denial.never or denial.unknown)):
            return
        for part in demand.parts:
            limit, amount = part.claim
            if not isinstance(limit, Spend) or not self._warned.is_left(limit.key, part.period):
                continue
            try:
                used = await self.store.used(limit, demand.call.ports) - (amount if denial is None else 0)
            except Exception as error:  # noqa: BLE001  (a call is not lost because nobody can be warned)
                demand.call.note(self.name, "could not look", type(error).__name__)
                return
            is_over = denial is not None and demand.part_of(denial) is part
            counts = max(used, part.allowance.amount) if is_over else used
            share = self._warned.passed(limit.key, part.period, counts, part.allowance.amount)
            if share is not None:
                unit = part.allowance.unit
                self._warn(
                    demand.call,
                    BudgetWarning(
                        self.name,
                        part.scope,
                        part.allowance.dimension,
                        share,
                        value_of(unit, used),
                        value_of(unit, part.allowance.amount),
                        refused=is_over,
                    ),
                )

    def _warn(self, call: Call, warning: BudgetWarning) -> None:
        call.note(self.name, "warned", str(warning))
        logger.warning("%s", warning)
        if self._on_warning is not None:
            try:
                self._on_warning(warning)
            except Exception as error:  # noqa: BLE001  (a call is not lost because nobody could be told)
                call.note(self.name, "ignored", f"on_warning failed: {type(error).__name__}")

"""`Budget`: what is reserved, what is settled, and what becomes of a call that does not fit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from aigw.call import Principal
from aigw.chunk import Usage
from aigw.errors import BadResponse, BudgetExceeded, ConfigError, ServerError, StreamInterrupted, TimedOut, Unreachable
from aigw.mechanics.limits import Denial
from aigw.pipeline import check_order
from aigw.policies import Budget, Deadline, Degrade, RateLimit, Retry
from aigw.routing import Target
from aigw.runtime import drive
from aigw.stores.memory import MemoryLedger
from aigw.testing import FakeClock, FixedMeter, ScriptedProvider, make_call

USAGE = Usage(100, 100)
DOLLAR = 5000
"""Dollars for a million tokens, so that `USAGE` costs one."""


def meter(price=DOLLAR, **options):
    """Make a meter: prompts have 100 tokens, which are reserved as 110."""
    return FixedMeter(usd_per_million=price, **options)


def target(*script, usage=USAGE, **options):
    """Make what stands inside: a target, which writes its attempts into the trace."""
    return Target(ScriptedProvider(*script, usage=usage), model="m", name="t", **options)


def ask(policy, inner, **fields):
    """Send a call through a policy, and read its answer to the end; return the call."""
    fields.setdefault("metering", meter())
    fields.setdefault("max_tokens", 100)
    call = make_call(**fields)
    reply = drive(policy.handle(call, inner))
    while drive(reply.read()) is not None:
        pass
    return call


def used(policy, scope="", clock=None):
    """Tell how much of each limit is used, in the order of the limits."""
    runtime = make_call(clock=clock or FakeClock()).ports
    return [standing.used for standing in drive(policy.standing(runtime, scope))]


def notes(call):
    """Tell the actions in the trace."""
    return [decision.action for decision in call.trace.decisions]


class DownLedger(MemoryLedger):
    """A store that does not answer."""

    async def reserve(self, claims, runtime, lasts):
        return Denial(claims[0].limit, None, unknown=True)


class BrokenLedger(MemoryLedger):
    """A store that fails."""

    async def reserve(self, claims, runtime, lasts):
        raise OSError("gone")


def test_the_real_cost_takes_the_place_of_the_most():
    """While a call runs the most is reserved; when it is over exactly what it has cost is spent."""
    policy = Budget(usd_per_day=10, tokens_per_day=1000)
    clock = FakeClock()
    call = make_call(clock=clock, metering=meter(), max_tokens=100)
    reply = drive(policy.handle(call, target("hi", usage=Usage(100, 7))))
    before = used(policy, clock=clock)
    while drive(reply.read()) is not None:
        pass

    assert before == [Decimal("1.05"), 210]
    assert used(policy, clock=clock) == [Decimal("0.535"), 107]


def test_what_does_not_fit_is_refused_before_it_is_sent():
    """The error tells which limit, and when it begins anew."""
    policy = Budget(usd_per_day=2)
    clock = FakeClock(epoch=datetime(2026, 11, 1, 22, tzinfo=UTC).timestamp())
    inner = target("one", "two")
    ask(policy, inner, clock=clock)
    with pytest.raises(BudgetExceeded) as caught:
        ask(policy, inner, clock=clock)

    assert str(caught.value) == "this call may need $1.05, and less is left of $2.00 per day"
    assert (caught.value.policy, caught.value.scope, caught.value.dimension) == ("Budget", "", "usd_per_day")
    assert caught.value.retry_after == 2 * 3600
    assert len(inner.provider.calls) == 1


def test_a_day_begins_with_the_midnight_of_its_zone():
    """What was spent before midnight in Berlin counts no more after it, while it is still yesterday in UTC."""
    policy = Budget(usd_per_day="1.05", timezone="Europe/Berlin")
    berlin = datetime(2026, 10, 25, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))  # a day of 25 hours
    clock = FakeClock(epoch=berlin.timestamp())
    ask(policy, target("one"), clock=clock)
    with pytest.raises(BudgetExceeded) as caught:
        ask(policy, target("two"), clock=clock)
    clock.advance(caught.value.retry_after - 1)
    with pytest.raises(BudgetExceeded):
        ask(policy, target("three"), clock=clock)
    clock.advance(1)
    ask(policy, target("four"), clock=clock)

    assert caught.value.retry_after == 24.5 * 3600


def test_a_call_is_booked_in_the_period_in_which_it_was_reserved():
    """A stream that runs over midnight belongs to the day before."""
    policy = Budget(usd_per_day=10)
    clock = FakeClock(epoch=datetime(2026, 11, 1, 23, 59, tzinfo=UTC).timestamp())
    reply = drive(policy.handle(make_call(clock=clock, metering=meter(), max_tokens=100), target("hi")))
    clock.advance(120)
    while drive(reply.read()) is not None:
        pass

    assert used(policy, clock=clock) == [0]


def test_rolling_periods_end_now():
    """What was spent counts for 24 hours and at most one step more; nothing begins anew, so there is no retry_after."""
    policy = Budget(usd_per_day="1.05", rolling=True)
    clock = FakeClock()
    ask(policy, target("one"), clock=clock)
    clock.advance(86_399)
    with pytest.raises(BudgetExceeded) as caught:
        ask(policy, target("two"), clock=clock)
    clock.advance(86_400 / 60 + 1)
    ask(policy, target("three"), clock=clock)

    assert caught.value.retry_after is None


def test_all_limits_are_reserved_or_none():
    """A call that only one limit refuses leaves the others as they were."""
    policy = Budget(usd_per_month=100, usd_per_day=2, tokens_per_day=10_000)
    clock = FakeClock()
    ask(policy, target("one"), clock=clock)
    before = used(policy, clock=clock)
    with pytest.raises(BudgetExceeded, match="per day"):
        ask(policy, target("two"), clock=clock)

    assert used(policy, clock=clock) == before == [1, 1, 200]


def test_of_several_limits_the_longest_is_told():
    """To come again tomorrow does not help if the month is used up."""
    policy = Budget(usd_per_hour=1, usd_per_day=1, usd_per_month="1.05")
    clock = FakeClock()
    loose = FixedMeter(usd_per_million=4000)
    ask(policy, target("one"), clock=clock, metering=loose)
    with pytest.raises(BudgetExceeded) as caught:
        ask(policy, target("two"), clock=clock, metering=loose)

    assert caught.value.dimension == "usd_per_month"
    assert caught.value.retry_after == 30 * 86_400


def test_what_is_larger_than_the_budget_never_fits():
    """There is no time after which it would."""
    with pytest.raises(BudgetExceeded, match=r"which is more than \$1.00 per day") as caught:
        ask(Budget(usd_per_day=1), target("hi"))

    assert caught.value.retry_after is None


def test_tokens_can_be_limited_without_prices():
    """A budget of tokens does not ask what they cost."""
    policy = Budget(tokens_per_day=500)
    inner = target("one", "two", "three")
    for _ in range(2):
        ask(policy, inner, metering=meter(None))
    with pytest.raises(BudgetExceeded, match="this call may need 210 tokens, and less is left of 500 tokens per day"):
        ask(Budget(tokens_per_day=500, store=policy.store), inner, metering=meter(None))

    assert used(policy) == [400]


def test_each_key_has_its_own_budget():
    """Alice's calls do not use up what Bob has; the error tells whose budget it is."""
    policy = Budget(usd_per_day=2, key="principal")
    inner = target("one", "two")
    ask(policy, inner, principal=Principal("alice"))
    with pytest.raises(BudgetExceeded, match="principal alice: ") as caught:
        ask(policy, inner, principal=Principal("alice"))
    ask(policy, inner, principal=Principal("bob"))

    assert caught.value.scope == "principal alice"
    assert used(policy, "principal bob") == [1]


def test_calls_without_a_scope_are_not_limited():
    """A key function that returns nothing lets a call pass as it is."""
    call = ask(Budget(usd_per_day="0.01", key=lambda _: None), target("hi"))

    assert call.trace.decisions == ()


def test_output_without_a_bound_gets_one():
    """Its cost had no bound otherwise. The trace tells; a call with a bound keeps it."""
    inner = target("one", "two")
    call = ask(Budget(usd_per_day=100, default_max_tokens=500), inner, max_tokens=None)
    ask(Budget(usd_per_day=100), inner, max_tokens=7)

    assert [call.max_tokens for call in inner.provider.calls] == [500, 7]
    assert notes(call) == ["bounded"]


def test_embeddings_get_no_bound():
    """They have no output."""
    policy = Budget(usd_per_day=100)
    inner = target("one", usage=Usage(100, 0))
    ask(policy, inner, operation="embeddings", max_tokens=None, metering=meter(most=0))

    assert inner.provider.calls[0].max_tokens is None
    assert used(policy) == [Decimal("0.5")]


@pytest.mark.parametrize("error", [Unreachable("no"), ServerError("no", status=500)])
def test_failures_that_cost_nothing_are_refunded(error):
    """The provider was not reached, or refused."""
    policy = Budget(usd_per_day=10, tokens_per_day=1000)
    with pytest.raises(type(error)):
        ask(policy, target(error))

    assert used(policy) == [0, 0]


@pytest.mark.parametrize(
    ("unknown", "spent"), [("block", [Decimal("1.05"), 210]), ("estimate", [Decimal("0.5"), 100]), ("allow", [0, 100])]
)
def test_costs_that_turn_out_unknown(unknown, spent):
    """A timeout after sending may have been charged: as reserved, by a guess, or not at all, as was said."""
    policy = Budget(usd_per_day=10, tokens_per_day=1000, on_unknown_cost=unknown)
    with pytest.raises(TimedOut):
        ask(policy, target(TimedOut("slow")))

    assert used(policy) == spent


def test_a_stream_that_is_cut_counts_as_reserved():
    """The provider had not told what it used: not less than that can have been."""
    policy = Budget(usd_per_day=10)
    with pytest.raises(StreamInterrupted):
        ask(policy, target(["so ", "far ", BadResponse]), stream=True)

    assert used(policy) == [Decimal("1.05")]


def test_an_abandoned_stream_is_settled_once():
    """Whoever closes a stream early pays for what was reserved, and closing again changes nothing."""
    policy = Budget(usd_per_day=10, on_unknown_cost="estimate")
    clock = FakeClock()
    reply = drive(
        policy.handle(
            make_call(clock=clock, metering=meter(), max_tokens=100, stream=True), target(["so ", "far ", "away"])
        )
    )
    drive(reply.read())
    drive(reply.close())
    once = used(policy, clock=clock)
    drive(reply.close())

    assert once == used(policy, clock=clock)
    assert 0 < once[0] < Decimal("1.05")


def test_retries_that_were_billed_are_added():
    """Every attempt counts, also beyond what was reserved: what was spent is spent."""
    policy = Budget(usd_per_day=10)
    inner = target(TimedOut("slow"), "hi")

    async def tried(call):
        return await Retry(2).handle(call, inner)

    ask(policy, tried)

    assert used(policy) == [Decimal("2.05")]


def test_a_cached_answer_costs_nothing():
    """What never reaches a target is refunded."""
    policy = Budget(usd_per_day=10)
    ask(policy, lambda call: ScriptedProvider("hi").send(call, "m"))

    assert used(policy) == [0]


def test_unknown_prices_are_refused():
    """A hard budget holds only where prices are known, and says so before anything is sent."""
    inner = target("hi")
    with pytest.raises(BudgetExceeded, match="price of 'smart' is not known") as caught:
        ask(Budget(usd_per_day=10), inner, metering=meter(None), route="smart")

    assert caught.value.dimension == "usd_per_day"
    assert inner.provider.calls == []


def test_unknown_prices_may_be_allowed():
    """Then they count as nothing, which the trace tells, while tokens are counted all the same."""
    policy = Budget(usd_per_day=10, tokens_per_day=1000, on_unknown_cost="allow")
    call = ask(policy, target("hi"), metering=meter(None))

    assert used(policy) == [0, 200]
    assert notes(call) == ["not counted", "not counted"]


def test_unknown_prices_may_be_given():
    """With unknown_price they are reserved and settled by that; without it they are refused."""
    policy = Budget(usd_per_day=10, on_unknown_cost="estimate", unknown_price=10_000)
    ask(policy, target("hi"), metering=meter(None))
    with pytest.raises(BudgetExceeded, match="is not known"):
        ask(Budget(usd_per_day=10, on_unknown_cost="estimate"), target("hi"), metering=meter(None))

    assert used(policy) == [2]


def test_soft_budgets_never_refuse(caplog):
    """They count, and warn once for each share in a period; the next day warns again."""
    told = []
    policy = Budget(usd_per_day=10, on_exceeded="warn", on_warning=told.append)
    clock = FakeClock()
    for _ in range(20):
        ask(policy, target("hi"), clock=clock)
    shares = [warning.share for warning in told]
    clock.advance(86_400)
    for _ in range(20):
        ask(policy, target("hi"), clock=clock)

    assert shares == [0.8, 1.0]
    assert [warning.share for warning in told] == [0.8, 1.0] * 2
    assert (told[0].used, told[0].limit, told[0].dimension) == (8, 10, "usd_per_day")
    assert [record.getMessage() for record in caplog.records][:2] == [
        "Budget: 80% of usd_per_day are used up (8 of 10)",
        "Budget: 100% of usd_per_day are used up (10 of 10)",
    ]


def test_soft_budgets_change_nothing():
    """No bound is set, and prices that are not known are not counted."""
    inner = target("one", "two")
    policy = Budget(usd_per_day=10, on_exceeded="warn")
    ask(policy, inner, max_tokens=None)
    call = ask(policy, inner, metering=meter(None))

    assert inner.provider.calls[0].max_tokens is None
    assert "not counted" in notes(call)
    assert used(policy) == [1]


def test_hard_budgets_warn_too():
    """Before they are used up, and when they first refuse."""
    told = []
    policy = Budget(usd_per_day=4, warn_at=(0.5, 1), on_warning=told.append)
    for _ in range(3):
        ask(policy, target("hi"))
    for _ in range(2):
        with pytest.raises(BudgetExceeded):
            ask(policy, target("hi"))

    assert [(warning.share, warning.refused) for warning in told] == [(0.5, False), (1, True)]
    assert str(told[1]) == "Budget: a call does not fit into usd_per_day any more (3 of 4 are used up)"


def test_a_callback_that_fails_loses_no_call():
    """The trace tells that it failed."""

    def fail(warning):
        raise ValueError(str(warning))

    policy = Budget(usd_per_day=4, on_warning=fail, on_exceeded="warn")
    calls = [ask(policy, target("hi")) for _ in range(5)]

    assert notes(calls[-1]) == ["warned", "ignored"]


def test_degraded_to_less_output():
    """What does not fit as it is may fit with a shorter answer."""
    policy = Budget(usd_per_day="2", on_exceeded=Degrade(max_tokens=10))
    inner = target("one", "two", usage=Usage(100, 10))
    ask(policy, inner, max_tokens=200)
    call = ask(policy, inner, max_tokens=200)

    assert [call.max_tokens for call in inner.provider.calls] == [200, 10]
    assert notes(call) == ["warned", "degraded"]


def test_degraded_to_a_cheaper_route():
    """It is reserved at the price of that route, and refused if that does not fit either."""

    class ByRoute(FixedMeter):
        def dearest(self, call, usage):
            self.usd_per_million = 50 if call.route == "cheap" else DOLLAR
            return super().dearest(call, usage)

    policy = Budget(usd_per_day=2, on_exceeded=Degrade("cheap"))
    routes = []

    def inner(call):
        routes.append(call.route)
        return target("hi")(call)

    for _ in range(3):
        ask(policy, inner, route="smart", metering=ByRoute())
    spent = used(policy)
    with pytest.raises(BudgetExceeded):
        ask(policy, inner, route="smart", metering=ByRoute(), max_tokens=100_000)

    assert routes == ["smart", "cheap", "cheap"]
    assert spent == [Decimal("1.02")]


def test_a_store_that_does_not_answer():
    """A hard budget is closed and says so; a soft one lets the call pass and notes it."""
    inner = target("one")
    with pytest.raises(BudgetExceeded, match="cannot be counted, because the store does not answer") as caught:
        ask(Budget(usd_per_day=10, store=DownLedger()), inner)
    call = ask(Budget(usd_per_day=10, store=DownLedger(), on_exceeded="warn"), inner)

    assert caught.value.retry_after is None
    assert notes(call) == ["not counted"]


@pytest.mark.parametrize("when_down", ["closed", "local", "open"])
def test_the_store_is_told_what_to_do_while_it_is_down(when_down):
    """With every limit of the policy; and when it may forget them: not before the period is over."""
    seen = []

    class Watching(MemoryLedger):
        async def reserve(self, claims, runtime, lasts):
            seen.extend([claim.limit for claim in claims])
            return await super().reserve(claims, runtime, lasts)

    ask(Budget(usd_per_day=10, tokens_per_month=1000, when_down=when_down, store=Watching()), target("hi"))

    assert [limit.when_down for limit in seen] == [when_down] * 2
    assert [limit.lasts for limit in seen] == [25 * 3600, 745 * 3600]


@pytest.mark.parametrize(
    ("store", "price", "note"),
    [
        (MemoryLedger(), DOLLAR, "would refuse"),
        (MemoryLedger(), None, "would refuse"),
        (DownLedger(), DOLLAR, "would refuse"),
        (BrokenLedger(), DOLLAR, "could not count"),
    ],
)
def test_shadow_never_acts(store, price, note):
    """It writes down what it would have done: nothing is refused, changed or warned of."""
    told = []
    policy = Budget(usd_per_day="1", shadow=True, store=store, on_warning=told.append)
    inner = target("hi", "ho")
    call = ask(policy, inner, metering=meter(price), max_tokens=None)

    assert notes(call) == [note]
    assert told == []
    assert inner.provider.calls[0].max_tokens is None


def test_shadow_never_warns():
    """Also where what it counts comes near its limit."""
    told = []
    policy = Budget(usd_per_day=4, shadow=True, warn_at=(0.5,), on_warning=told.append)
    for _ in range(6):
        ask(policy, target("hi"))

    assert used(policy) == [3]
    assert told == []


def test_shadow_counts_apart():
    """A budget in shadow and a real one with the same name and store do not see each other."""
    store = MemoryLedger()
    shadow = Budget(usd_per_day=10, shadow=True, store=store)
    ask(shadow, target("hi"))

    assert used(shadow) == [1]
    assert used(Budget(usd_per_day=10, store=store)) == [0]


def test_around_a_target_its_own_price_counts():
    """Not that of the dearest target of the route, and only what that target has used."""

    class Prices(FixedMeter):
        def cost(self, provider, model, usage):
            self.usd_per_million = {"m": DOLLAR, "": 1_000_000}[model]
            return super().cost(provider, model, usage)

    policy = Budget(usd_per_day=2)
    inner = target("one", "two", policies=[policy])
    through = Deadline(60)
    ask(through, inner, metering=Prices())
    with pytest.raises(BudgetExceeded, match="target t: this call may need"):
        ask(through, inner, metering=Prices())

    assert used(policy, "target t") == [1]


def test_caches_may_be_dearer_than_plain_tokens():
    """The most includes that the whole prompt is written to the cache, or the whole output is reasoning."""

    class Caching(FixedMeter):
        def dearest(self, call, usage):
            dear = (usage.cache_written or 0) + (usage.reasoning or 0)
            return super().dearest(call, Usage(usage.total + dear, 0))

    policy = Budget(usd_per_day="2.09")
    with pytest.raises(BudgetExceeded, match=r"may need \$2.10"):
        ask(policy, target("hi"), metering=Caching(usd_per_million=DOLLAR))


def test_fractions_of_a_nano_dollar_are_rounded_up():
    """Nothing is ever counted too low, and nothing by floats: three tenths are three tenths."""
    policy = Budget(usd_per_day=0.3)
    tiny = FixedMeter(1, usd_per_million=Decimal("0.0001"))
    ask(policy, target("hi", usage=Usage(1, 0)), metering=tiny, max_tokens=1)

    assert used(policy) == [Decimal("1E-9")]
    assert policy.allowances[0].amount == 300_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"Budget\(\) limits nothing"),
        ({"usd_per_day": 0}, r"Budget\(usd_per_day\) must be a positive amount"),
        ({"usd_per_day": -1}, r"Budget\(usd_per_day\)"),
        ({"usd_per_day": "ten"}, r"Budget\(usd_per_day\).*'ten'"),
        ({"usd_per_day": float("nan")}, r"Budget\(usd_per_day\)"),
        ({"usd_per_day": float("inf")}, r"Budget\(usd_per_day\)"),
        ({"usd_per_day": True}, r"Budget\(usd_per_day\)"),
        ({"usd_per_day": "1e-10"}, r"Budget\(usd_per_day\)"),
        ({"usd_per_day": 10**8}, r"can be at most \$9,007,199"),
        ({"usd_per_day": "1e30"}, r"can be at most"),
        ({"tokens_per_day": 0}, r"Budget\(tokens_per_day\)"),
        ({"tokens_per_day": 1.5}, r"Budget\(tokens_per_day\)"),
        ({"timezone": "Mars"}, r"Budget\(timezone\)"),
        ({"rolling": "yes"}, r"Budget\(rolling\)"),
        ({"key": "colour"}, r"Budget\(key\)"),
        ({"on_exceeded": "wait"}, r"Budget\(on_exceeded\)"),
        ({"warn_at": 0.8}, r"Budget\(warn_at\)"),
        ({"warn_at": (0,)}, r"Budget\(warn_at\)"),
        ({"on_warning": 1}, r"Budget\(on_warning\)"),
        ({"on_unknown_cost": "zero"}, r"Budget\(on_unknown_cost\)"),
        ({"on_unknown_cost": "block", "on_exceeded": "warn"}, "never does"),
        ({"unknown_price": 0}, r"Budget\(unknown_price\)"),
        ({"default_max_tokens": 0}, r"Budget\(default_max_tokens\)"),
        ({"store": "redis"}, r"Budget\(store\)"),
        ({"name": ""}, r"Budget\(name\)"),
        ({"when_down": "maybe"}, r"Budget\(when_down\)"),
    ],
)
def test_arguments_are_checked(options, message):
    """Each error names the argument."""
    given = {"usd_per_day": 1} if options and not any("per" in name for name in options) else {}
    with pytest.raises(ConfigError, match=message):
        Budget(**given, **options)


@pytest.mark.parametrize("wrong", [[Retry(2)], [RateLimit(requests_per_minute=1)]])
def test_it_stands_outside(wrong):
    """What waits or tries again must not do so before there is money."""
    policy = Budget(usd_per_day=1)
    check_order([Deadline(5), policy, *wrong], "here")
    with pytest.raises(ConfigError, match="Budget must stand outside"):
        check_order([*wrong, policy], "here")


def test_it_stands_inside_the_deadline():
    """The reason is told."""
    with pytest.raises(ConfigError, match="the time that the store takes"):
        check_order([Budget(usd_per_day=1), Deadline(5)], "here")


def test_it_tells_what_it_is():
    """In describe() and in errors."""
    policy = Budget(usd_per_day=50, tokens_per_month=10**6, key="team", rolling=True)

    assert repr(policy) == "Budget($50.00 per day, 1,000,000 tokens per month, key='team', rolling=True)"

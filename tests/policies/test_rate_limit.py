"""`RateLimit`: what is reserved, what is settled, and what becomes of a call that exceeds a limit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from aigw.call import Principal
from aigw.chunk import Usage
from aigw.errors import ConfigError, Overloaded, RateLimited, ServerError, StreamInterrupted, TimedOut, Unreachable
from aigw.mechanics.limits import Slots
from aigw.pipeline import check_order
from aigw.policies import Deadline, Degrade, Limit, RateLimit, Retry
from aigw.routing import Target
from aigw.runtime import drive
from aigw.stores.memory import MemoryLedger
from aigw.testing import FakeClock, FixedMeter, HeldClock, ScriptedProvider, make_call

USAGE = Usage(100, 50)


def target(*script, usage=USAGE, **options):
    """Make what stands inside: a target, which writes its attempts into the trace."""
    return Target(ScriptedProvider(*script, usage=usage), model="m", name="t", **options)


def ask(policy, inner, **fields):
    """Send a call through a policy, and read its answer to the end; return the call."""
    call = make_call(**fields)
    reply = drive(policy.handle(call, inner))
    while drive(reply.read()) is not None:
        pass
    return call


def used(policy, scope="", clock=None):
    """Tell how much of each limit is used, in the order of the limits."""
    runtime = make_call(clock=clock or FakeClock()).ports
    found = []
    for limit in policy.limits:
        rate = limit.rate(f"{policy.name}/{scope}/", policy.burst, "local")
        found.append(drive(policy.store.used(rate, runtime)))
    return found


def everything(**options):
    """Limit everything there is."""
    return RateLimit(
        requests_per_minute=60,
        tokens_per_minute=6000,
        input_tokens_per_minute=6000,
        output_tokens_per_minute=6000,
        concurrency=2,
        **options,
    )


def test_real_usage_takes_the_place_of_the_estimate():
    """While a call runs its estimate is reserved; afterwards what the provider told."""
    policy = everything()
    seen = []

    async def inner(call):
        seen.extend(used(policy))
        return await target("hi", usage=Usage(120, 7))(call)

    ask(policy, inner)

    assert seen == [1, 150, 100, 50, 1]
    assert used(policy) == [1, 127, 120, 7, 0]


@pytest.mark.parametrize(
    ("outcome", "requests", "tokens"),
    [
        (Unreachable("no connection"), 0, 0),
        (Overloaded("busy", status=529), 1, 0),
        (ServerError("broke", status=500), 1, 0),
        (ServerError("broke, said inside of a stream"), 1, 0),
    ],
)
def test_a_failure_before_the_answer(outcome, requests, tokens):
    """Tokens are given back; the request stays counted if a provider has seen it."""
    policy = everything()
    with pytest.raises(type(outcome)):
        ask(policy, target(outcome))

    assert used(policy) == [requests, tokens, tokens, tokens, 0]


def test_an_attempt_that_timed_out_is_settled_with_a_guess():
    """It may have been computed all the same: its prompt is charged."""
    policy = everything()
    with pytest.raises(TimedOut):
        ask(policy, target(TimedOut("too slow")))

    assert used(policy) == [1, 100, 100, 0, 0]


def test_all_attempts_of_a_call_are_added_up():
    """What a failed attempt has used counts as well, but as a request the call counts once."""
    policy = everything()
    inside = target(TimedOut("too slow"), "hi", usage=Usage(110, 5))
    ask(policy, lambda call: Retry(2).handle(call, inside))

    assert used(policy) == [1, 215, 210, 5, 0]


def test_a_refusal_inside_gives_everything_back():
    """What another policy refuses was never sent."""
    policy = everything()

    async def refuse(call):
        raise RateLimited("inner")

    with pytest.raises(RateLimited, match="inner"):
        ask(policy, refuse)

    assert used(policy) == [0, 0, 0, 0, 0]


def test_two_policies_are_two_steps():
    """What the outer one has reserved is given back when the inner one refuses."""
    outer, inner = everything(), RateLimit(requests_per_minute=1, on_exceeded="reject")
    ask(inner, target("hi"))

    with pytest.raises(RateLimited):
        ask(outer, lambda call: inner.handle(call, target("hi")))

    assert used(outer) == [0, 0, 0, 0, 0]


def test_a_stream_that_breaks_is_settled_with_a_guess():
    """The prompt and what came are charged, since the provider has computed them."""
    policy = everything()
    with pytest.raises(StreamInterrupted):
        ask(policy, target(["one ", "two ", ServerError("broke")], usage=None), stream=True)

    assert used(policy) == [1, 102, 100, 2, 0]


def test_a_stream_that_is_closed_early_is_settled_with_a_guess():
    """Likewise when the reader goes away; and closing it twice settles it once."""
    policy = everything()
    reply = drive(policy.handle(make_call(stream=True), target(["one ", "two ", "three "], usage=None)))
    drive(reply.read())
    drive(reply.close())
    drive(reply.close())

    assert used(policy) == [1, 101, 100, 1, 0]


def test_a_cancelled_attempt_is_settled_with_a_guess():
    """Nobody knows what the provider has computed: its prompt is charged."""
    policy, clock = everything(), HeldClock()
    inside = target([5.0, "hi"], usage=None)

    async def run():
        call = make_call(clock=clock, blocking=False)
        task = asyncio.create_task(policy.handle(call, inside))
        await clock.waiting()
        during = used(policy)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return during

    assert asyncio.run(run()) == [1, 150, 100, 50, 1]
    assert used(policy) == [1, 100, 100, 0, 0]


def test_whoever_is_cancelled_while_waiting_has_reserved_nothing():
    """It leaves, and the next in line goes on."""
    policy, clock = RateLimit(requests_per_minute=1, max_wait=200), HeldClock()
    inside = target("one", "two", "three")

    async def run():
        calls = [make_call(clock=clock, blocking=False, principal=Principal(str(n))) for n in range(3)]
        await policy.handle(calls[0], inside)
        tasks = [asyncio.create_task(policy.handle(call, inside)) for call in calls[1:]]
        await clock.waiting()
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        await clock.waiting()
        while not tasks[1].done():
            clock.advance(1.0)
            for _ in range(5):
                await asyncio.sleep(0)
        await tasks[1]

    asyncio.run(run())

    assert [call.principal.id for call in inside.provider.calls] == ["0", "2"]
    assert clock.now() == pytest.approx(60, abs=1.5)
    assert policy._waiting._turnstile.lines == 0


def test_waiting_takes_as_long_as_is_computed():
    """A call of 100 tokens more than the burst holds waits for 10 s at 600 a minute, and the trace tells."""
    policy, clock = RateLimit(tokens_per_minute=900), FakeClock()
    ask(policy, target("hi"), clock=clock)
    call = ask(policy, target("hi"), clock=clock)

    assert clock.now() == pytest.approx(10)
    assert [(note.by, note.action) for note in call.trace.decisions] == [
        ("RateLimit", "waits"),
        ("RateLimit", "admitted"),
    ]
    assert call.trace.decisions[0].wait == pytest.approx(10)
    assert call.trace.decisions[0].reason == "900 tokens per minute are used up"


def test_no_hope_no_wait():
    """A call that cannot be admitted within `max_wait`, or before its deadline, is refused at once."""
    clock = FakeClock()
    policy = RateLimit(tokens_per_minute=900, max_wait=9.9, key="principal")
    alice = {"clock": clock, "principal": Principal("alice")}
    ask(policy, target("hi"), **alice)
    with pytest.raises(RateLimited) as caught:
        ask(policy, target("never"), **alice)
    patient = RateLimit(tokens_per_minute=900)
    ask(patient, target("hi"), clock=clock)
    with pytest.raises(RateLimited):
        ask(patient, target("never"), clock=clock, deadline=9.9)

    error = caught.value
    assert str(error) == "principal alice: 900 tokens per minute are used up"
    assert (error.policy, error.scope, error.dimension) == ("RateLimit", "principal alice", "tokens_per_minute")
    assert error.retry_after == pytest.approx(10)
    assert error.status == 429
    assert clock.now() == 0


def test_nobody_is_passed_over():
    """A small call that would fit at once stands in line behind a large one that waits."""
    policy, clock = RateLimit(tokens_per_minute=900), HeldClock()
    order = []

    async def send(name, tokens):
        call = make_call(clock=clock, blocking=False, metering=FixedMeter(tokens, 0), id=name)

        async def inner(call):
            order.append(call.id)
            return await target("hi", usage=Usage(tokens, 0))(call)

        await policy.handle(call, inner)

    async def run():
        await send("first", 100)
        large = asyncio.create_task(send("large", 100))
        await clock.waiting()
        small = asyncio.create_task(send("small", 10))
        while not (large.done() and small.done()):
            clock.advance(0.5)
            for _ in range(10):
                await asyncio.sleep(0)
        await asyncio.gather(large, small)

    asyncio.run(run())

    assert order == ["first", "large", "small"]


def test_no_hope_behind_others():
    """Whoever would have to wait too long behind others is refused at once, and told how long it would take."""
    policy, clock = RateLimit(requests_per_minute=1, max_wait=100), HeldClock()
    inside = target("one", "two")

    async def run():
        def call():
            return make_call(clock=clock, blocking=False)

        await policy.handle(call(), inside)
        second = asyncio.create_task(policy.handle(call(), inside))
        await clock.waiting()
        with pytest.raises(RateLimited) as caught:
            await policy.handle(call(), inside)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        return caught.value

    error = asyncio.run(run())

    assert error.retry_after == pytest.approx(120)
    assert error.dimension == "requests_per_minute"


def test_reject_does_not_wait():
    """It refuses, says when to come again, and writes it down."""
    policy = RateLimit(limits=[Limit("requests", 2, per="hour")], on_exceeded="reject")
    clock = FakeClock()
    ask(policy, target("hi"), clock=clock)
    call = make_call(clock=clock)
    with pytest.raises(RateLimited, match="2 requests per hour are used up") as caught:
        drive(policy.handle(call, target()))

    assert caught.value.retry_after == pytest.approx(1800)
    assert caught.value.dimension == "requests_per_hour"
    assert [note.action for note in call.trace.decisions] == ["refused"]


@pytest.mark.parametrize("on_exceeded", ["wait", "reject"])
def test_what_never_fits_is_refused_for_good(on_exceeded):
    """No waiting helps a call that is bigger than the limit."""
    policy = RateLimit(tokens_per_minute=149, on_exceeded=on_exceeded)
    with pytest.raises(RateLimited, match="this call needs 150 tokens, which is more than 149 tokens") as caught:
        ask(policy, target())

    assert caught.value.retry_after is None


def test_most_reserves_all_that_a_call_allows():
    """With ``estimate="most"`` the bound of the call is reserved, else what is likely."""
    reserved = []
    for estimate in ("likely", "most"):
        policy = RateLimit(output_tokens_per_minute=6000, estimate=estimate)

        async def inner(call, policy=policy):
            reserved.extend(used(policy))
            return await target("hi")(call)

        ask(policy, inner, max_tokens=400)

    assert reserved == [50, 400]


def test_a_quota_without_refunds():
    """With ``refund=False`` nothing less than the estimate is settled, unless nobody has seen the request."""
    policy = RateLimit(tokens_per_minute=6000, refund=False)
    ask(policy, target("hi", usage=Usage(10, 10)))
    with pytest.raises(Unreachable):
        ask(policy, target(Unreachable("down")))
    ask(policy, target("hi", usage=Usage(200, 100)))

    assert used(policy) == [150 + 300]


def test_concurrency_is_given_back_at_the_end_of_the_answer():
    """A call holds its place until its answer is read, and the next one goes on at once, by a flag."""
    policy = RateLimit(concurrency=1)
    inside = target("one", "two")

    async def run():
        first = await policy.handle(make_call(blocking=False), inside)
        call = make_call(blocking=False)
        second = asyncio.create_task(policy.handle(call, inside))
        for _ in range(5):
            await asyncio.sleep(0)
        before = second.done()
        await first.close()
        for _ in range(20):  # far less than it takes until somebody who was not told looks again
            await asyncio.sleep(0)
        after = second.done()
        await (await second).close()
        return (before, after), call

    waited, call = asyncio.run(run())

    assert waited == (False, True)
    assert [note.action for note in call.trace.decisions] == ["waits", "admitted"]
    assert call.trace.decisions[0].reason == "1 call at a time is used up"


def test_concurrency_that_is_not_given_back_is_not_waited_for_for_ever():
    """Nobody can tell how long it takes, so `max_wait` bounds it."""
    policy = RateLimit(concurrency=1, max_wait=0.15)
    drive(policy.handle(make_call(), target("held")))
    with pytest.raises(RateLimited, match="1 call at a time") as caught:
        ask(policy, target("never"))

    assert caught.value.retry_after is None
    assert caught.value.dimension == "concurrency"


@pytest.mark.parametrize(
    ("key", "fields", "scopes"),
    [
        ("principal", {"principal": Principal("alice", team="a")}, ["principal alice"]),
        ("team", {"principal": Principal("alice", team="a")}, ["team a"]),
        ("model", {"model": "smart"}, ["model smart"]),
        ("tag", {"tags": frozenset("ba")}, ["tag a", "tag b"]),
        (lambda call: call.metadata.get("app"), {"metadata": {"app": "shop"}}, ["shop"]),
    ],
)
def test_keys(key, fields, scopes):
    """Calls are counted for whom the key names, and for nobody else."""
    policy = RateLimit(requests_per_minute=60, key=key)
    ask(policy, target("hi"), **fields)

    assert [used(policy, scope) for scope in scopes] == [[1]] * len(scopes)
    assert used(policy, "other") == [0]


def test_a_key_that_names_nobody_does_not_limit():
    """A call without a tag, or for which a function returns ``None``, passes."""
    policy = RateLimit(requests_per_minute=1, on_exceeded="reject", key=lambda call: None)
    for _ in range(3):
        ask(policy, target("hi"))

    assert used(policy) == [0]


def test_all_limits_or_none():
    """A call that one limit refuses takes nothing of the others."""
    policy = RateLimit(requests_per_minute=60, tokens_per_minute=150, on_exceeded="reject")
    ask(policy, target("hi"))
    with pytest.raises(RateLimited) as caught:
        ask(policy, target())

    assert caught.value.dimension == "tokens_per_minute"
    assert used(policy) == [1, 150]


def test_degrade_to_fewer_tokens():
    """The call goes on if it fits with less output, and is counted with that."""
    policy = RateLimit(output_tokens_per_minute=360, on_exceeded=Degrade(max_tokens=10))
    inside = target("one", "two", usage=Usage(100, 50))
    clock = FakeClock()
    ask(policy, inside, clock=clock)
    clock.advance(3)
    call = ask(policy, inside, clock=clock)
    with pytest.raises(RateLimited):
        ask(policy, inside, clock=clock)

    assert [call.max_tokens for call in inside.provider.calls] == [None, 10]
    assert [note.action for note in call.trace.decisions] == ["degraded"]


def test_degrade_to_another_route():
    """What does not fit goes there without being counted here; a call that is on that route already is refused."""
    policy = RateLimit(requests_per_minute=1, on_exceeded=Degrade("cheap", max_tokens=10))
    inside = target("one", "two")
    ask(policy, inside, route="smart")
    call = ask(policy, inside, route="smart", max_tokens=5)
    with pytest.raises(RateLimited):
        ask(policy, inside, route="cheap")

    assert policy.detours == ("cheap",)
    assert [(call.route, call.max_tokens) for call in inside.provider.calls] == [("smart", None), ("cheap", 5)]
    assert [note.reason for note in call.trace.decisions] == ["1 request per minute is used up; goes to route 'cheap'"]
    assert used(policy) == [1]


def test_shadow_never_acts():
    """It counts apart, tells what it would do, and lets everything pass."""
    store, clock = MemoryLedger(), FakeClock()
    noted = []
    for mode in ("wait", "reject", Degrade("cheap")):
        policy = RateLimit(
            requests_per_minute=1, store=store, shadow=True, on_exceeded=mode, max_wait=70, name=str(mode)
        )
        ask(policy, target("hi"), clock=clock)
        noted += [note.action for note in ask(policy, target("hi"), clock=clock).trace.decisions]

    assert noted == ["would wait 60 s", "would refuse", "would degrade"]
    assert clock.sleeps == []
    assert [used(RateLimit(requests_per_minute=1, store=store, name=name)) for name in ("wait", "reject")] == [[0], [0]]


def test_shadow_does_not_fail_with_its_store():
    """Whatever breaks inside of it, calls go on."""

    class Broken(MemoryLedger):
        async def reserve(self, claims, runtime, lasts):
            raise OSError("gone")

    call = ask(RateLimit(requests_per_minute=1, store=Broken(), shadow=True), target("hi"))
    other = ask(RateLimit(requests_per_minute=1, key=lambda call: 1 / 0, shadow=True), target("hi"))

    assert [note.action for note in (*call.trace.decisions, *other.trace.decisions)] == ["could not count"] * 2


def test_windows():
    """Every window has its name, its length, and a burst that is the same share of it."""
    limits = [Limit("tokens", 10, per=per) for per in ("second", "minute", "hour", "day", 90, timedelta(minutes=5))]
    rates = [limit.rate("k/", 10.0, "local") for limit in limits]

    assert [rate.key for rate in rates] == [
        "k/tokens_per_second",
        "k/tokens_per_minute",
        "k/tokens_per_hour",
        "k/tokens_per_day",
        "k/tokens_per_90s",
        "k/tokens_per_300s",
    ]
    assert [rate.window for rate in rates] == [1, 60, 3600, 86400, 90, 300]
    assert [round(rate.burst * 6, 6) for rate in rates] == [1, 60, 3600, 86400, 90, 300]
    assert Limit("tokens", 10, per="day", burst=5).rate("", 10.0, "local").burst == 5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (RateLimit, "limits nothing"),
        (lambda: RateLimit(requests_per_minute=0), r"RateLimit\(requests_per_minute\)"),
        (lambda: RateLimit(tokens_per_minute=1.5), r"RateLimit\(tokens_per_minute\)"),
        (lambda: RateLimit(concurrency=0), r"RateLimit\(concurrency\)"),
        (lambda: RateLimit(concurrency=1, key="user"), r"RateLimit\(key\)"),
        (lambda: RateLimit(concurrency=1, on_exceeded="queue"), r"RateLimit\(on_exceeded\)"),
        (lambda: RateLimit(concurrency=1, max_wait=-1), r"RateLimit\(max_wait\)"),
        (lambda: RateLimit(concurrency=1, burst=0), r"RateLimit\(burst\)"),
        (lambda: RateLimit(concurrency=1, store="redis"), r"RateLimit\(store\)"),
        (lambda: RateLimit(concurrency=1, store=MemoryLedger), r"RateLimit\(store\)"),
        (lambda: RateLimit(concurrency=1, name=""), r"RateLimit\(name\)"),
        (lambda: RateLimit(concurrency=1, estimate="max"), r"RateLimit\(estimate\)"),
        (lambda: RateLimit(concurrency=1, when_down="shut"), r"RateLimit\(when_down\)"),
        (lambda: RateLimit(limits=["tokens"]), r"RateLimit\(limits\)"),
        (lambda: RateLimit(tokens_per_minute=1, limits=[Limit("tokens", 2)]), "tokens_per_minute is given twice"),
        (lambda: Limit("words", 1), r"Limit\(counts\)"),
        (lambda: Limit("tokens", 0), r"Limit\(amount\)"),
        (lambda: Limit("tokens", 1, per="week"), r"Limit\(per\)"),
        (lambda: Limit("tokens", 1, per=0), r"Limit\(per\)"),
        (lambda: Limit("tokens", 1, burst=-1), r"Limit\(burst\)"),
    ],
)
def test_wrong_arguments(make, words):
    """What makes no sense is told at construction, by its name."""
    with pytest.raises(ConfigError, match=words):
        make()


def test_it_shows_its_settings():
    """What is not as by default stands in `describe`."""
    policy = RateLimit(tokens_per_minute=90_000, limits=[Limit("requests", 9, per="day")], key="team", shadow=True)

    assert repr(policy) == "RateLimit(90,000 tokens per minute, 9 requests per day, key='team', shadow=True)"
    assert repr(RateLimit(concurrency=3)) == "RateLimit(3 calls at a time)"


def test_a_call_counts_once_and_so_it_stands_outside_of_retry():
    """A limit inside of `Retry` would count attempts; around a target that is what is wanted."""
    limit = RateLimit(requests_per_minute=60)
    check_order([Deadline(), limit, Retry()])
    check_order([Retry(), limit.at_target(target())])
    with pytest.raises(ConfigError, match="RateLimit must stand outside Retry: a call is to count once"):
        check_order([Retry(), limit])

    inside = target(Overloaded("busy", status=529), "hi")
    ask(limit, lambda call: Retry(2).handle(call, inside))

    assert used(limit) == [1]


def test_many_keys_are_forgotten():
    """Scopes that nobody uses any more cost nothing for ever."""
    policy, clock = RateLimit(requests_per_minute=600, concurrency=1, key="principal"), FakeClock()
    inside = Target(ScriptedProvider.repeat("hi"), model="m", name="t")
    for number in range(3000):
        clock.advance(10)
        ask(policy, inside, clock=clock, principal=Principal(str(number)))

    book = policy.store._book
    assert len(policy._ready) <= 1024
    assert len(book._tats) < 2100
    assert (len(book._open), len(book._held)) == (0, 0)
    assert policy._waiting._turnstile.lines == 0


def test_slots_are_no_rate():
    """A limit of calls at a time is counted as such by the store."""
    policy = RateLimit(concurrency=3)

    assert isinstance(policy.limits[0].rate("k/", 10.0, "local"), Slots)

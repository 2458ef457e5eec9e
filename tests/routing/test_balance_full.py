"""`Balance` over targets whose quota or places are used up: they are passed over while others have room."""

from __future__ import annotations

import gc
import random
import weakref
from collections import Counter
from decimal import Decimal

import pytest

from aigw import Allowance, Balance, Chunk, Concurrency, Fallback, Gateway, QuotaHint, RateLimit, Reply, Target
from aigw.errors import QueueFull, RateLimited
from aigw.runtime import drive
from aigw.testing import FakeClock, FixedMeter, ScriptedProvider, make_call
from testing.faces import read_all
from testing.timed import Timed


def target(name, *policies, **arguments):
    """Make a target."""
    return Target(ScriptedProvider.repeat("hi"), model="m", name=name, policies=policies, **arguments)


def quota(tokens):
    """Make a limit of so many tokens a minute, all at once if need be."""
    return RateLimit(tokens_per_minute=tokens, burst=60, refund=False)


def ask(node, clock, rng=None, **fields):
    """Make a call and read its answer; return who gave it, and the trace."""
    call = make_call(clock=clock, rng=rng or random.Random(1), **fields)
    drive(read_all(drive(node(call))))
    return call.trace.attempts[-1].target, call.trace


@pytest.mark.parametrize("by", ["score", "weighted", "round_robin", "least_busy", "priority"])
def test_a_quota_that_is_used_up(by):
    """However it chooses, no call is refused while one of the targets has room for it."""
    clock, rng = FakeClock(), random.Random(1)
    node = Balance(target("a", quota(1000)), target("b", quota(3000)), target("c", quota(2000)), by=by)
    meter = FixedMeter(90, 10)
    served = Counter(ask(node, clock, rng, metering=meter)[0] for _ in range(40))
    before = {one.name: one.provider.calls for one in node.targets}

    assert served.total() == 40
    assert all(len(calls) == served[name] for name, calls in before.items())
    assert served["a"] <= 10 + 1


def test_room_for_this_call():
    """A target that has too little left for a long prompt still serves short ones."""
    clock = FakeClock()
    node = Balance(target("small", quota(1000)), target("large", quota(100_000), weight=0.01))
    ask(node, clock, metering=FixedMeter(600, 0))
    long = [ask(node, clock, metering=FixedMeter(600, 0))[0] for _ in range(3)]
    clock.advance(2)
    short = [ask(node, clock, metering=FixedMeter(100, 0))[0] for _ in range(3)]

    assert long == ["large"] * 3
    assert short == ["small"] * 3


def test_it_is_not_asked_again_at_once():
    """For a moment after a refusal nobody asks the target, so that a full one costs nothing."""
    clock = FakeClock()
    full, other = target("full", quota(10)), target("other")
    node = Balance(full, other, by="priority")
    traces = [ask(node, clock, metering=FixedMeter(10, 0))[1] for _ in range(10)]
    refused = [sum(event.action == "refused" for event in trace.decisions) for trace in traces]

    assert refused == [0, 1] + [0] * 8
    assert full.availability(clock.now()) == 0.0
    assert full.availability(clock.now() + 1) == 1.0


def test_none_has_room():
    """If all refuse, the error is of the one that lets up first, and there is nobody else to try."""
    clock = FakeClock()
    node = Balance(target("slow", quota(60)), target("quick", quota(600)))
    meter = FixedMeter(60, 0)
    for _ in range(11):
        ask(node, clock, metering=meter)
    with pytest.raises(RateLimited) as caught:
        ask(node, clock, metering=meter)

    assert (caught.value.target, caught.value.alternatives) == ("quick", 0)
    assert caught.value.retry_after == pytest.approx(6, abs=0.1)


def test_places_that_are_taken():
    """A target that has no place left is passed over; when nobody has one, that is said."""
    clock, rng = FakeClock(), random.Random(1)
    node = Balance(*(target(name, Concurrency(2, on_exceeded="reject")) for name in "ab"))
    replies = [drive(node(make_call(clock=clock, rng=rng, stream=True))) for _ in range(4)]
    with pytest.raises(QueueFull) as caught:
        drive(node(make_call(clock=clock, rng=rng, stream=True)))
    counts = [one.in_flight for one in node.targets]
    for reply in replies:
        drive(reply.close())

    assert counts == [2, 2]
    assert caught.value.alternatives == 0


def test_a_fallback_behind_a_full_pool():
    """It takes over only when the whole pool is full."""
    clock = FakeClock()
    node = Fallback(Balance(target("a", quota(100)), target("b", quota(100))), target("spare"))
    served = Counter(ask(node, clock, metering=FixedMeter(100, 0))[0] for _ in range(5))

    assert served == {"a": 1, "b": 1, "spare": 3}


def test_calls_of_a_batch_leave_the_rest():
    """They go where more of the quota is left, so that the others find some."""
    clock, rng = FakeClock(), random.Random(1)
    scarce, ample = (
        Target(Timed(), model="m", name=name, policies=[quota(tokens)])
        for name, tokens in (("scarce", 1000), ("ample", 100_000))
    )
    meter = FixedMeter(100, 0)
    node = Balance(scarce, ample)
    for one in (scarce, scarce, scarce, scarce, scarce, scarce, ample):
        ask(one, clock, metering=meter)
    batch = Counter(ask(node, clock, rng, metering=meter, priority="batch")[0] for _ in range(30))
    left = scarce.headroom(clock.now())

    assert batch["ample"] >= 28
    assert left > 0.4
    assert ample.headroom(clock.now()) > 0.9
    assert target("x").headroom(0.0) is None
    assert node.headroom(clock.now()) == ample.headroom(clock.now())


def test_stats_tell_quota_and_prices():
    """`stats` shows what is left of a quota and what tokens cost, as soon as there was a call; else ``None``."""
    limited = target("a", RateLimit(requests_per_minute=4, burst=60))
    gateway = Gateway(
        {"a": limited, "b": Target(ScriptedProvider(name="other"), model="m", name="b")},
        clock=FakeClock(),
        prices={"scripted/m": {"input": 2.5, "output": 10}},
    )
    with gateway:
        gateway.chat("x", model="a")
        one, other = gateway.stats()

    assert one.headroom == pytest.approx(0.75)
    assert (one.input_price, one.output_price) == (Decimal("2.5"), 10)
    assert (other.headroom, other.input_price, other.output_price) == (None, None, None)


def test_stats_tell_what_the_provider_told():
    """Without a limit of ours the provider's own word counts, for as long as it holds."""
    tokens = Allowance("tokens", limit=1000, remaining=250, resets_after=30.0)
    told = QuotaHint((tokens, Allowance("requests", limit=10, remaining=9), Allowance("capacity", used=0.3)))

    class Telling:
        name = where = "telling"

        def check(self):
            pass

        async def send(self, call, model):
            return Reply.replay([Chunk("hi", finish_reason="stop")], lambda: told)

    clock, left = FakeClock(), []
    with Gateway({"a": Target(Telling(), model="m")}, clock=clock) as gateway:
        left.append(gateway.stats()[0].headroom)
        gateway.chat("x")
        for seconds in (29, 2, 30):
            clock.advance(seconds)
            left.append(gateway.stats()[0].headroom)

    assert left == [None, 0.25, 0.7, None]


def test_refusals_leave_no_garbage():
    """An error is freed with the last one who knows it, and does not wait for the garbage collector."""
    clock = FakeClock()
    node = Balance(target("a", quota(60)), target("b", quota(60)))
    meter = FixedMeter(60, 0)
    for _ in range(2):
        ask(node, clock, metering=meter)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(RateLimited) as caught:
            ask(node, clock, metering=meter)
        known = weakref.ref(caught.value)
        del caught
        alive = known()
    finally:
        gc.enable()

    assert alive is None

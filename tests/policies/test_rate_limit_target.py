"""`RateLimit` around a target: it stands for the provider's quota, and follows what the provider tells of it."""

from __future__ import annotations

import pytest

import aigw
from aigw.chunk import Usage
from aigw.errors import Overloaded, ProviderRateLimited, QuotaExhausted, RateLimited
from aigw.mechanics.limits import Claim
from aigw.policies import Limit, RateLimit
from aigw.policies.mirror import Mirror
from aigw.quota import Allowance, QuotaHint
from aigw.routing import Target
from aigw.runtime import drive
from aigw.stores.memory import MemoryLedger
from aigw.testing import FakeClock, ScriptedProvider, make_call

USAGE = Usage(100, 50)


class Telling(ScriptedProvider):
    """A provider whose answers bring news of its quota."""

    hints: tuple = ()

    async def send(self, call, model):
        """Answer, with the next hint."""
        reply = await super().send(call, model)
        hint = self.hints[len(self.calls) - 1] if len(self.calls) <= len(self.hints) else None
        reply._quota = lambda: hint
        return reply


def hint(**left):
    """Tell what is left of the limits of a minute."""
    return QuotaHint(tuple(Allowance(dimension, 6000, count, 60.0) for dimension, count in left.items()))


def around(policy, *script, hints=(), name="east"):
    """Put a policy around a target."""
    provider = Telling(*script, usage=USAGE)
    provider.hints = hints
    return Target(provider, model="m", name=name, policies=[policy])


def ask(target, clock, **fields):
    """Call a target, and read its answer; return the call."""
    call = make_call(clock=clock, **fields)
    reply = drive(target(call))
    while drive(reply.read()) is not None:
        pass
    return call


def test_it_refuses_by_default_and_counts_for_its_target_alone():
    """Another target is to be tried, at once; the same policy object around two targets counts twice."""
    policy, clock = RateLimit(requests_per_minute=1), FakeClock()
    east, west = around(policy, "one", name="east"), around(policy, "two", name="west")
    ask(east, clock)
    ask(west, clock)
    with pytest.raises(RateLimited, match="target east: 1 request per minute is used up") as caught:
        ask(east, clock)

    assert caught.value.scope == "target east"
    assert caught.value.retry_after == pytest.approx(60)
    assert clock.sleeps == []


def test_it_waits_where_it_is_told_to():
    """The user's word counts more than the default."""
    clock = FakeClock()
    target = around(RateLimit(requests_per_minute=6, on_exceeded="wait"), "one", "two")
    ask(target, clock)
    ask(target, clock)

    assert clock.now() == pytest.approx(10)


def test_a_key_of_the_user_stays():
    """With a key it counts by that, also over targets."""
    policy, clock = RateLimit(requests_per_minute=1, key=lambda _: "account"), FakeClock()
    ask(around(policy, "one", name="east"), clock)
    with pytest.raises(RateLimited, match="account: 1 request"):
        ask(around(policy, "two", name="west"), clock)


def test_every_attempt_counts_at_a_target():
    """A provider counts requests, not calls: what fails there and is tried again counts twice."""
    policy, clock = RateLimit(requests_per_minute=60), FakeClock()
    target = around(policy, Overloaded("busy", status=529), "hi")
    with pytest.raises(Overloaded):
        ask(target, clock)
    ask(target, clock)
    rate = policy.limits[0].rate("RateLimit/target east/", 10.0, "local")

    assert drive(policy.store.used(rate, make_call(clock=clock).ports)) == 2


def test_headers_tighten_it():
    """Where the provider has less left than we thought, its word counts; nothing ever makes it wider."""
    clock = FakeClock()
    policy = RateLimit(tokens_per_minute=6000)
    target = around(policy, *["hi"] * 9, hints=[hint(tokens=5000), hint(tokens=0), hint(tokens=6000)])
    plenty = ask(target, clock)
    told = ask(target, clock)
    with pytest.raises(RateLimited) as caught:
        ask(target, clock)
    clock.advance(1.6)
    wider = ask(target, clock)
    with pytest.raises(RateLimited):
        ask(target, clock)

    assert [note.action for note in plenty.trace.decisions] == []
    assert [note.action for note in told.trace.decisions] == ["tightened"]
    assert [note.action for note in wider.trace.decisions] == []
    assert caught.value.retry_after == pytest.approx(1.5)


def test_what_was_sent_later_is_subtracted_and_old_news_is_ignored():
    """A hint cannot know of calls that were sent after its own; and one that is older than the last says nothing."""
    limit = Limit("tokens", 6000)
    rate = limit.rate("k/", 10.0, "local")
    mirror = Mirror()
    first, second, third = (mirror.send([Claim(rate, amount)]) for amount in (100, 200, 300))

    assert list(mirror.tightened(second, [(rate, 200)], ["tokens"], hint(tokens=900))) == [(rate, 600)]
    assert list(mirror.tightened(first, [(rate, 100)], ["tokens"], hint(tokens=0))) == []
    assert list(mirror.tightened(third, [(rate, 300)], ["tokens"], hint(tokens=10))) == [(rate, 10)]
    assert list(mirror.tightened(third, [(rate, 300)], ["requests"], hint(tokens=0))) == []


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ProviderRateLimited("slow down", status=429, retry_after=7), 7),
        (ProviderRateLimited("slow down", status=429), 1),
        (QuotaExhausted("no money", status=429, retry_after=120), 120),
    ],
)
def test_a_429_blocks(error, seconds):
    """Nothing is sent there for as long as the provider asks, a second where it does not say."""
    clock = FakeClock()
    target = around(RateLimit(requests_per_minute=6000, limits=[Limit("tokens", 10**6, per="day")]), error, "hi")
    call = make_call(clock=clock)
    with pytest.raises(type(error)):
        drive(target(call))
    with pytest.raises(RateLimited) as caught:
        ask(target, clock)
    clock.advance(seconds + 0.02)
    ask(target, clock)

    assert [note.action for note in call.trace.decisions] == ["blocked"]
    assert caught.value.retry_after == pytest.approx(seconds, abs=0.02)


def test_a_429_that_tells_when_the_quota_is_back():
    """Where it names no time to wait, the reset of what is used up counts."""
    error = ProviderRateLimited("slow down", status=429)
    error.quota = QuotaHint((Allowance("tokens", 6000, 0, 12.0), Allowance("requests", 60, 9, 50.0)))
    clock = FakeClock()
    target = around(RateLimit(requests_per_minute=6000), error)
    with pytest.raises(ProviderRateLimited):
        ask(target, clock)
    with pytest.raises(RateLimited) as caught:
        ask(target, clock)

    assert caught.value.retry_after == pytest.approx(12, abs=0.02)


def test_a_spent_account_is_left_to_others():
    """Nobody knows when it is filled up again, so nothing is blocked."""
    clock = FakeClock()
    target = around(RateLimit(requests_per_minute=6000), QuotaExhausted("no money", status=429), "hi")
    with pytest.raises(QuotaExhausted):
        ask(target, clock)

    assert ask(target, clock).trace.decisions == ()


def test_news_that_cannot_be_stored_do_not_cost_the_answer():
    """A store that fails behind an answer is noted, no more."""

    class Broken(MemoryLedger):
        async def drain(self, rate, left, runtime):
            raise OSError("gone")

    target = around(RateLimit(requests_per_minute=60, store=Broken()), "hi", hints=[hint(requests=0)])
    call = ask(target, FakeClock())

    assert [note.action for note in call.trace.decisions] == ["tightened", "ignored"]


def test_a_limit_of_one_route():
    """Around a node of the tree it may stand inside of the gateway's Retry; in one list with it, it may not."""
    limit = RateLimit(requests_per_minute=6, on_exceeded="reject")
    gateway = aigw.Gateway(
        {"a": aigw.Fallback(Target(ScriptedProvider.repeat("x"), model="m"), policies=[limit])}, [aigw.Retry()]
    )
    gateway.chat("hi")
    with pytest.raises(aigw.RateLimited):
        gateway.chat("hi")
    with pytest.raises(aigw.ConfigError, match="RateLimit must stand outside Retry"):
        aigw.Gateway({"a": Target(ScriptedProvider.repeat("x"), model="m")}, [aigw.Retry(), limit])

"""What a `Breaker` makes of deadlines, refused keys, quotas and pools, in whole gateways on both faces."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from aigw import AigwError, Balance, Breaker, Target
from aigw.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    PermissionDenied,
    ProviderRateLimited,
    ServerError,
    TimedOut,
)
from aigw.testing import FakeClock, ScriptedProvider, Status


class Cut:
    """Ends each attempt by the deadline of its caller, after so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    async def handle(self, call, inner):
        """Wait, and fail as a provider does when the deadline comes."""
        await call.clock.sleep(self.seconds)
        raise DeadlineExceeded("the deadline of the call came") from TimedOut("no chunk")


def pool(*outcomes, by="round_robin", breakers=None):
    """Make a pool of targets with these outcomes; return it with their providers."""
    providers = [ScriptedProvider.repeat(outcome, name=f"t{at}") for at, outcome in enumerate(outcomes)]
    breakers = breakers or [Breaker()] * len(outcomes)
    members = [Target(one, policies=[breaker]) for one, breaker in zip(providers, breakers, strict=True)]
    return Balance(*members, by=by), providers


def attempt(gateway, calls, ask="chat"):
    """Make calls, whatever comes of them."""
    for _ in range(calls):
        with suppress(AigwError):
            getattr(gateway, ask)()


@pytest.mark.parametrize(("seconds", "is_left_alone"), [(9.0, False), (11.0, True)])
def test_the_deadline_of_a_caller(face, seconds, is_left_alone):
    """A short deadline says nothing of a target; one that let it wait for more than 10 s was slow."""
    clock = FakeClock()
    target = Target(ScriptedProvider.repeat("x"), policies=[Breaker(window=1000), Cut(seconds)])
    attempt(face({"r": target}, clock=clock), 20, "read")

    assert target.ejected(clock.now()) is is_left_alone


def test_one_refused_key_of_several_is_no_matter_of_the_breaker(face, upstream):
    """The next key serves the call; only when none is left the target is left alone, for minutes."""
    clock = FakeClock()
    target = Target(upstream.url, model="m", api_key=["a", "b"], policies=[Breaker()])
    gateway = face({"r": target}, clock=clock)
    upstream.next(Status(401))
    attempt(gateway, 5)
    before = target.availability(clock.now())
    upstream.next(Status(401))
    attempt(gateway, 5)
    asked = len(upstream.requests)
    clock.advance(200)

    assert before == 1.0
    assert target.ejected(clock.now())
    assert asked == 7


@pytest.mark.parametrize("error", [AuthenticationFailed, PermissionDenied])
def test_refused_keys_in_a_pool(face, error):
    """They leave the pool at the first call, and never all of it: the last one goes on to say what is wrong."""
    clock = FakeClock()
    node, (bad, worse, _) = pool(error, error, "fine")
    gateway = face({"r": node}, clock=clock)
    attempt(gateway, 30)

    assert min(len(bad.calls), len(worse.calls)) == 1
    assert sum(target.ejected(clock.now()) for target in node.targets) == 1


def test_a_quota_is_no_failure(face):
    """All members of a pool may be blocked by it at once; when it is over they serve as before, without a probe."""
    clock = FakeClock()
    script = [ProviderRateLimited("slow down", status=429, retry_after=5.0), *["fine"] * 20]
    targets = [Target(ScriptedProvider(*script, name=name), policies=[Breaker()]) for name in "ab"]
    gateway = face({"r": Balance(*targets)}, clock=clock)
    attempt(gateway, 2)
    blocked = [target.ejected(clock.now()) for target in targets]
    clock.advance(5.1)

    assert blocked == [True, True]
    assert [target.availability(clock.now()) for target in targets] == [1.0, 1.0]
    assert gateway.chat().text == "fine"


def test_one_that_only_pretends_takes_no_place(face):
    """A breaker in shadow mode keeps no other one of its pool from opening."""
    clock = FakeClock()
    node, (first, second, _) = pool(
        ServerError, ServerError, "fine", breakers=[Breaker(shadow=True), Breaker(), Breaker()]
    )
    gateway = face({"r": node}, clock=clock)
    attempt(gateway, 60)

    assert [target.ejected(clock.now()) for target in node.targets] == [False, True, False]
    assert len(second.calls) == 5
    assert len(first.calls) > 20


@pytest.mark.parametrize("by", ["least_busy", "weighted", "round_robin", "priority"])
def test_recovery_is_found_out_and_is_gradual(face, by):
    """One that is back is tried though others are idle, gets its share step by step, and does not catch up."""
    clock = FakeClock()
    sick = ScriptedProvider(*[ServerError] * 5, *["back"] * 2000, name="sick")
    targets = [Target(one, policies=[Breaker()]) for one in (sick, ScriptedProvider.repeat("well", name="well"))]
    gateway = face({"r": Balance(*targets, by=by)}, clock=clock, rng=random.Random(1))
    calls, shares = 50, []
    for _ in range(16):
        before = len(sick.calls)
        for _ in range(calls):
            clock.advance(0.1)
            attempt(gateway, 1)
        shares.append((len(sick.calls) - before) / calls)
    full = 1.0 if by == "priority" else 0.5

    assert sum(shares[:3]) <= 0.3
    assert max(shares) <= min(1.0, full + 0.2)
    assert shares[-1] == pytest.approx(full, abs=0.2)
    assert sum(0.1 < share < 0.8 * full for share in shares) >= 2


def test_turns_that_were_missed_are_not_made_up_for(face):
    """A member that was out of service for a while takes its turn again, and is not flooded with what it has missed."""
    node, (first, *_) = pool("a", "b", "c")
    gateway = face({"r": node})
    gateway.gateway.drain("t0")
    attempt(gateway, 40)
    gateway.gateway.resume("t0")
    attempt(gateway, 12)

    assert len(first.calls) in {4, 5}

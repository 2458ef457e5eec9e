"""What a record says of a call."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from aigw import AccessDenied, AnswerBlocked, Principal, RateLimited, TimedOut, Usage
from aigw.testing import make_call
from aigw.trace import Attempt, CallTrace, Decision
from aigw.usage.record import record_of


def attempt(target="openai/m", outcome="ok", *, at=0.0, **fields):
    """Make an attempt."""
    provider, _, model = target.partition("/")
    return Attempt(at, target, provider, model, outcome, 1.0, **fields)


def recorded(*events, outcome="ok", error=None, **fields):
    """Make the record of a call with such a trace."""
    call = make_call(trace=CallTrace("call_1", "smart", list(events)), id="call_1", **fields)
    return record_of(call, 5.0, outcome, error)


def test_who_asked_for_what():
    """A record tells whose call it was, and which labels it had."""
    call = recorded(
        model="fast",
        principal=Principal("alice", team="red"),
        tags=frozenset("ba"),
        metadata={"app": "x"},
        priority="batch",
    )

    assert (call.id, call.started, call.asked, call.route) == ("call_1", 5.0, "fast", "smart")
    assert (call.principal, call.team, call.tags, call.priority) == ("alice", "red", ("a", "b"), "batch")
    assert dict(call.metadata) == {"app": "x"}


def test_a_call_without_attempts():
    """A call that no provider saw, because a policy answered or refused it, used nothing and cost nothing."""
    call = recorded(Decision(0.0, "Cache", "hit"))

    assert (call.attempts, call.target, call.provider, call.model) == (0, None, None, None)
    assert (call.input, call.output, call.cost, call.known_cost) == (0, 0, 0, 0)
    assert call.time_to_first_chunk is None


def test_all_attempts_count():
    """Tokens and cost are those of all attempts; the target is the one that answered."""
    call = recorded(
        attempt("a/m", "TimedOut", usage=Usage(10, 3, cached=2), cost=Decimal("0.001"), prices="v1"),
        attempt("b/m", "ProviderRateLimited", status=429, cost=Decimal(0)),
        attempt("c/n", at=2.0, time_to_first_chunk=0.5, usage=Usage(11, 4), cost=Decimal("0.0000000021"), prices="v2"),
    )

    assert (call.input, call.output, call.cached, call.reasoning) == (21, 7, 2, None)
    assert (call.cost, call.known_cost, call.prices) == (1_000_002, 1_000_002, "v1, v2")
    assert (call.target, call.provider, call.model) == ("c/n", "c", "n")
    assert call.time_to_first_chunk == 2.5
    assert call.attempts == 3
    assert call.failures == ("a/m TimedOut", "b/m ProviderRateLimited 429")


def test_an_unknown_part():
    """If the cost of one attempt is not known, that of the call is not; the part that is known is told."""
    call = recorded(
        attempt("a/m", "TimedOut", usage=Usage(10, 3, estimated=True)),
        attempt("b/m", usage=Usage(10, 3), cost=Decimal("0.5"), prices="v1"),
    )

    assert call.cost is None
    assert call.known_cost == 500_000_000
    assert call.estimated


def test_who_answered_before_another_was_given_up():
    """Of several attempts the one with output counts, not the one that ended last."""
    call = recorded(attempt("a/m", time_to_first_chunk=0.1), attempt("b/m", "abandoned", at=1.0))

    assert call.target == "a/m"


def test_nobody_answered():
    """Where all attempts failed, the last one tells where the call went."""
    error = TimedOut("too slow")
    call = recorded(attempt("a/m", "ServerError"), attempt("b/m", "TimedOut"), outcome="TimedOut", error=error)

    assert (call.outcome, call.target, call.refused_by) == ("TimedOut", "b/m", None)


@pytest.mark.parametrize(
    ("error", "outcome", "refused_by"),
    [
        (None, "ok", None),
        (None, "abandoned", None),
        (asyncio.CancelledError(), "cancelled", None),
        (GeneratorExit(), "abandoned", None),
        (KeyboardInterrupt(), "KeyboardInterrupt", None),
        (RateLimited("no", policy="RateLimit"), "RateLimited", "RateLimit"),
        (AccessDenied("no"), "AccessDenied", None),
        (AnswerBlocked("no", policy="Guard"), "AnswerBlocked", "Guard"),
    ],
)
def test_how_it_ended(error, outcome, refused_by):
    """The outcome is a word that says whose doing it was, and a refusal names its policy."""
    name = type(error).__name__ if error is not None else outcome
    call = recorded(outcome=name, error=error)

    assert (call.outcome, call.refused_by) == (outcome, refused_by)

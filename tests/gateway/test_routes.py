"""Routes in whole gateways: who is tried, in which order, after which wait, and what the trace tells of it."""

from __future__ import annotations

import random

import pytest
from tenacity import retry_if_exception_type, stop_after_delay, wait_fixed

from aigw import AllTargetsFailed, AttemptTimeout, Balance, ConfigError, Deadline, Fallback, Retry, Target, errors
from aigw.testing import FakeClock, ScriptedProvider, Status


def target(name, *script, **options):
    """Make a target that follows a script; without one it always answers with its name."""
    provider = ScriptedProvider(*script, name=name) if script else ScriptedProvider.repeat(name, name=name)
    return Target(provider, **options)


def tried(trace):
    """Return the targets that were tried, and how that ended."""
    return [(attempt.target, attempt.outcome) for attempt in trace.attempts]


both_calls = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def ask(gateway, *, stream, **options):
    """Ask; return text and trace."""
    if not stream:
        answer = gateway.chat(**options)
        return answer.text, answer.trace
    reading = gateway.stream(**options)
    reading.rest()
    return reading.text, reading.trace


@both_calls
@pytest.mark.parametrize("seed", range(5))
def test_a_retry_goes_elsewhere_first_and_at_once(face, stream, seed):
    """The second try is for another member of the pool, without a wait, whatever chance says."""
    clock = FakeClock()

    def fail_at_first(name):
        provider = ScriptedProvider.repeat(lambda call: errors.ServerError if call.attempt == 1 else name, name=name)
        return Target(provider)

    pool = Balance(*map(fail_at_first, "abc"))
    text, trace = ask(face({"r": pool}, [Retry()], clock=clock, rng=random.Random(seed)), stream=stream)
    (first, failed), (second, ok) = tried(trace)

    assert (failed, ok, text) == ("ServerError", "ok", second)
    assert first != second
    assert clock.sleeps == []
    assert [decision.action for decision in trace.decisions] == ["retry"]


@both_calls
def test_a_wait_only_when_nobody_is_left(face, stream):
    """Each member is tried before the first wait, and the wait is what a provider asked for."""
    clock = FakeClock()
    pool = Balance(
        target("a", errors.Overloaded("busy", retry_after=4), "a"),
        target("b", errors.Overloaded("busy", retry_after=4), "b"),
        by="round_robin",
    )
    text, trace = ask(face({"r": pool}, [Retry(3)], clock=clock), stream=stream)

    assert [outcome for _, outcome in tried(trace)] == ["Overloaded", "Overloaded", "ok"]
    assert {name for name, _ in tried(trace)[:2]} == {"a", "b"}
    assert len(clock.sleeps) == 1
    assert 4 <= clock.sleeps[0] <= 4.4
    assert text in "ab"


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (Status(429, retry_after=3), 3, 3.3),
        (Status(429, retry_after_ms=1500, retry_after=60), 1.5, 1.65),
        (Status(503, retry_after=0), 0, 0.5),
        (Status(500), 0, 0.5),
    ],
)
def test_retry_after_over_http(face, upstream, fault, least, most):
    """The wait that a server asks for in its headers is obeyed, on the clock of the gateway."""
    clock = FakeClock()
    upstream.next(fault)
    answer = face({"r": Target(upstream.url, model="m")}, [Retry()], clock=clock).chat()

    assert answer.text == upstream.answer
    assert least <= sum(clock.sleeps) <= most
    assert answer.trace.decisions[0].wait == pytest.approx(sum(clock.sleeps))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(429, code="insufficient_quota"), errors.QuotaExhausted),
        (Status(400), errors.BadRequest),
        (Status(401), errors.AuthenticationFailed),
        (Status(404), errors.NotFound),
        (Status(429, retry_after=21), errors.ProviderRateLimited),
    ],
)
def test_what_is_not_tried_again(face, upstream, fault, kind):
    """A spent quota, a wrong request or key, and a wait that is too long: the error comes at once."""
    clock = FakeClock()
    upstream.always(fault)
    with pytest.raises(kind):
        face({"r": Target(upstream.url, model="m")}, [Retry()], clock=clock).chat()

    assert len(upstream.requests) == 1
    assert clock.sleeps == []


@both_calls
def test_strategies_of_tenacity(face, stream):
    """``wait``, ``stop`` and ``retry`` take its objects, which see the clock of the gateway."""
    clock = FakeClock()
    provider = ScriptedProvider.repeat(errors.Overloaded)
    policy = Retry(wait=wait_fixed(4), stop=stop_after_delay(10), retry=retry_if_exception_type(errors.Overloaded))
    with pytest.raises(errors.Overloaded):
        ask(face({"r": Target(provider)}, [policy], clock=clock), stream=stream)

    assert clock.sleeps == [4, 4, 4]
    assert len(provider.calls) == 4


@both_calls
def test_a_fallback_tries_its_choices_in_order(face, stream):
    """The first that answers wins; the trace tells of the others, and why it moved on."""
    tree = Fallback(target("a", errors.ServerError), target("b", errors.AuthenticationFailed), target("c"), name="tree")
    text, trace = ask(face({"r": tree}), stream=stream)

    assert text == "c"
    assert tried(trace) == [("a", "ServerError"), ("b", "AuthenticationFailed"), ("c", "ok")]
    assert [(d.by, d.action, d.reason) for d in trace.decisions] == [
        ("tree", "moved on", "a: ServerError"),
        ("tree", "moved on", "b: AuthenticationFailed"),
    ]


@both_calls
def test_a_fallback_of_pools(face, stream):
    """Several targets of a pool are tried before it is left, each once."""
    pool = Balance(*[target(name, errors.ServerError) for name in ("a", "b", "c")], by="round_robin")
    text, trace = ask(face({"r": Fallback(pool, target("d"), tries=2)}), stream=stream)
    names = [name for name, _ in tried(trace)]

    assert text == "d"
    assert len(names) == len(set(names)) == 3
    assert names[-1] == "d"


@both_calls
def test_all_targets_failed(face, stream):
    """The error holds every failure, in order, and the trace of all of them."""
    tree = Fallback(target("a", errors.ServerError), target("b", errors.QuotaExhausted))
    with pytest.raises(AllTargetsFailed) as caught:
        ask(face({"r": tree}), stream=stream)

    assert [type(error) for error in caught.value.exceptions] == [errors.ServerError, errors.QuotaExhausted]
    assert caught.value.targets == {"a", "b"}
    assert tried(caught.value.trace) == [("a", "ServerError"), ("b", "QuotaExhausted")]


@both_calls
def test_a_retry_around_a_fallback(face, stream):
    """When all have failed and one of them may recover, the whole route is tried again."""
    clock = FakeClock()
    tree = Fallback(target("a", errors.ServerError, "a"), target("b", errors.QuotaExhausted, "b"))
    text, trace = ask(face({"r": tree}, [Deadline(60), Retry()], clock=clock), stream=stream)

    assert [outcome for _, outcome in tried(trace)] == ["ServerError", "QuotaExhausted", "ok"]
    assert text in "ab"
    assert len(clock.sleeps) == 1


def test_weights_are_shares(face):
    """A member with three times the weight gets three times the calls; with none, only what others failed at."""
    heavy, light, spare = target("heavy", weight=3), target("light"), target("spare", weight=0)
    gateway = face({"r": Balance(heavy, light, spare, by="weighted")}, rng=random.Random(7))
    for _ in range(400):
        gateway.chat()

    assert len(spare.provider.calls) == 0
    assert 260 <= len(heavy.provider.calls) <= 340


def test_a_spare_target_is_used_when_others_fail(face):
    """Weight 0 is not never."""
    pool = Balance(target("main", errors.ServerError), target("spare", weight=0))

    assert face({"r": pool}, [Retry()]).chat().text == "spare"


def test_the_least_busy_member(face):
    """It gets the next call: streams that are open count, streams that were closed do not."""
    a, b = Target(ScriptedProvider.repeat(["x"] * 9, name="a")), Target(ScriptedProvider.repeat(["x"] * 9, name="b"))
    gateway = face({"r": Balance(a, b, by="least_busy")})
    readings = [gateway.stream() for _ in range(6)]
    for reading in readings:
        reading.take(1)
    busy = a.in_flight, b.in_flight
    for reading in readings:
        reading.close()

    assert busy == (3, 3)
    assert (a.in_flight, b.in_flight) == (0, 0)


def test_one_target_in_several_routes(face):
    """Its calls in flight are counted together."""
    shared = Target(ScriptedProvider.repeat(["x"] * 9))
    gateway = face({"one": shared, "two": Fallback(shared)})
    with gateway.stream(model="one"), gateway.stream(model="two"):
        both = shared.in_flight

    assert (both, shared.in_flight) == (2, 0)


def test_the_route_that_is_meant(face):
    """The only one, the one called ``default``, or the one that is named; otherwise a ConfigError asks which."""
    one = face({"a": target("a")})
    default = face({"a": target("a"), "default": target("b")})
    two = face({"a": target("a"), "b": target("b")})

    assert one.chat().text == one.chat(model="a").text == "a"
    assert (default.chat().text, default.chat(model="a").text) == ("b", "a")
    assert (two.chat(model="b").text, two.read(model="b")) == ("b", "b")
    with pytest.raises(ConfigError, match="say which model"):
        two.chat()


def test_a_model_without_a_route(face, upstream, monkeypatch):
    """``provider/model`` goes there straight, through the gateway's own policies."""
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    explained = face({"a": target("a")}, [Deadline(60)]).explain(model="openai/gpt-5.5")

    assert explained.route == "openai/gpt-5.5"
    assert explained.policies == ("Deadline(60)",)
    assert explained.targets[0].where == "https://api.openai.com/v1"


def test_timeouts_of_each_target(face):
    """Each target has its own limits, and what is not given stays."""
    provider = ScriptedProvider.repeat("hello")
    gateway = face(
        {"r": Target(provider, policies=[AttemptTimeout(first_chunk=3)])},
        [AttemptTimeout(100, connect=1, first_chunk=50)],
    )
    gateway.chat()
    limits = provider.calls[0].timeouts

    assert (limits.total, limits.connect, limits.first_chunk, limits.between_chunks) == (100, 1, 3, 60)

"""`RateLimit` in whole gateways, over loopback and with scripts, on both faces."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from aigw import Balance, Degrade, Fallback, Gateway, RateLimit, RateLimited, Retry, Target, standard
from aigw.chunk import Chunk, Usage
from aigw.errors import AccessDenied, ConfigError, Refused
from aigw.testing import FakeClock, FaultyUpstream, ScriptedProvider, Stall, Status

TOKENS = Usage(60, 40)


class Telling(FaultyUpstream):
    """A server whose answers carry the headers of OpenAI's quota."""

    headers = ()

    def _body(self, request, number):
        body = super()._body(request, number)
        return replace(body, headers=(*body.headers, *self.headers))


def test_a_429_moves_calls_to_another_target(face, upstream, second):
    """A target whose provider wants a pause is left alone, without asking it again."""
    upstream.next(Status(429, retry_after=60))
    pool = Balance(
        Target(upstream.url, model="m", name="east", policies=[RateLimit(requests_per_minute=6000)]),
        Target(second.url, model="m", name="west"),
        by="round_robin",
    )
    gateway = face({"smart": pool}, [Retry(2)])
    answers = [gateway.chat("hello") for _ in range(5)]

    assert [answer.text for answer in answers] == ["from the second"] * 5
    assert len(upstream.requests) == 1


def test_headers_of_an_answer_tighten_a_target(face, second):
    """The headers of the provider say that nothing is left: the next call goes elsewhere."""
    with Telling("from the first") as first:
        first.headers = (
            ("x-ratelimit-limit-requests", "6000"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "60s"),
        )
        limited = Target(first.url, model="m", name="east", policies=[RateLimit(requests_per_minute=60)])
        gateway = face({"smart": Fallback(limited, Target(second.url, model="m", name="west"))})
        answers = [gateway.chat("hello") for _ in range(2)]

    assert [answer.text for answer in answers] == ["from the first", "from the second"]
    assert "tightened" in [note.action for note in answers[0].trace.decisions]


def test_a_refusal_reaches_the_caller(face):
    """It says which limit, whose, and when to come again; its trace tells as well."""
    provider = ScriptedProvider("hi", usage=TOKENS)
    gateway = face(
        {"smart": Target(provider, model="m")},
        [RateLimit(tokens_per_minute=600, key="principal", on_exceeded="reject", burst=1)],
        clock=FakeClock(),
    )
    gateway.chat("hello", principal="alice", max_tokens=40)
    with pytest.raises(RateLimited, match="principal alice: 600 tokens per minute are used up") as caught:
        gateway.chat("hello", principal="alice", max_tokens=40)

    assert caught.value.trace.decisions[-1].action == "refused"
    assert 0 < caught.value.retry_after <= 10


def test_degraded_calls_take_the_other_route(face):
    """A route that a policy names must exist, and gets what exceeds the limit."""
    dear, cheap = ScriptedProvider.repeat("dear"), ScriptedProvider.repeat("cheap")
    policy = RateLimit(requests_per_minute=1, on_exceeded=Degrade("cheap"))
    gateway = face({"smart": Target(dear, model="d"), "cheap": Target(cheap, model="c")}, [policy])

    assert [gateway.chat("hello", model="smart").text for _ in range(2)] == ["dear", "cheap"]
    with pytest.raises(ConfigError, match="cheap"):
        Gateway({"smart": Target(dear, model="d")}, [policy])


def test_a_stream_is_settled_however_it_ends(face, upstream):
    """Read to its end, closed early, dropped, or cut by its provider: its place is free again."""
    upstream.next(None, None, None, Stall(after=1))
    gateway = face(
        {"smart": Target(upstream.url, model="m")},
        [RateLimit(concurrency=1, on_exceeded="reject", name="places")],
    )
    gateway.read("hello")
    with gateway.stream("hello") as stream:
        stream.next()
        with pytest.raises(Refused, match="1 call at a time"):
            gateway.chat("too many")
    dropped = gateway.stream("hello")
    dropped.take(1)
    dropped.drop()
    cut = gateway.stream("hello", timeout=0.3)
    with pytest.raises(Exception, match=r"deadline|cut"):
        cut.rest()

    assert gateway.chat("hello").text == upstream.answer


def test_standard_limits():
    """`standard` puts the limit, and the queue in front of it, between the deadline and the retries."""
    assert [type(policy).__name__ for policy in standard(tokens_per_minute=90_000, requests_per_minute=60)] == [
        "Deadline",
        "Queue",
        "RateLimit",
        "Retry",
        "AttemptTimeout",
    ]


LIMIT, WINDOW_BURST = 6000, 1.0


class Admitted:
    """Writes down when calls go through."""

    def __init__(self):
        self.times = []

    async def handle(self, call, inner):
        """Note the time."""
        self.times.append(call.clock.now())
        return await inner(call)


def most_in(times, seconds):
    """Return the most calls in any window of so many seconds."""
    times = sorted(times)
    first = most = 0
    for position, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, position - first + 1)
    return most


def limited(**options):
    """Make a gateway that admits 100 requests a second, 100 at once, and tells when it did."""
    admitted = Admitted()
    provider = ScriptedProvider.repeat("hi", usage=TOKENS)
    policies = [RateLimit(requests_per_minute=LIMIT, burst=WINDOW_BURST, **options), admitted]
    return Gateway({"smart": Target(provider, model="m")}, policies), admitted


def in_bounds(times):
    """Tell whether any window holds no more than the limit allows."""
    return all(most_in(times, width) <= LIMIT / 60 * (width + WINDOW_BURST) + 1 for width in (0.1, 0.5, 1.0))


def test_64_threads_stay_within_the_limit():
    """However many threads push at once, no window admits more than rate x (window + burst)."""
    gateway, admitted = limited()

    def work():
        for _ in range(4):
            gateway.chat("hello")

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(admitted.times) == 256
    assert in_bounds(admitted.times)


def test_1000_tasks_stay_within_the_limit():
    """Likewise tasks of one loop; those that cannot be admitted in time are refused, the others come in order."""
    gateway, admitted = limited(max_wait=1.5)

    async def work():
        results = await asyncio.gather(*(gateway.aio.chat("hello") for _ in range(1000)), return_exceptions=True)
        await gateway.aio.close()
        return results

    results = asyncio.run(work())
    refused = [result for result in results if isinstance(result, RateLimited)]

    assert len(admitted.times) + len(refused) == 1000
    assert 200 <= len(admitted.times) <= 300
    assert all(error.retry_after > 1.4 for error in refused)
    assert in_bounds(admitted.times)


def test_both_faces_share_one_line():
    """Threads and tasks of several loops wait together, and all come through."""
    gateway, admitted = limited()

    async def tasks():
        await asyncio.gather(*(gateway.aio.chat("hello") for _ in range(60)))
        await gateway.aio.close()

    def calls():
        for _ in range(20):
            gateway.chat("hello")

    workers = [threading.Thread(target=asyncio.run, args=(tasks(),)) for _ in range(2)]
    workers += [threading.Thread(target=calls) for _ in range(4)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(admitted.times) == 200
    assert max(admitted.times) - began >= 0.9
    assert in_bounds(admitted.times)


class Drops:
    """A policy that fails with a reply in its hand."""

    async def handle(self, call, inner):
        await inner(call)
        raise AccessDenied("no")


def test_what_a_policy_inside_has_dropped_is_settled(face):
    """The tokens that it has used are counted, although its attempt ends only when the gateway closes it."""
    limit = RateLimit(tokens_per_minute=100, burst=60, on_exceeded="reject")
    provider = ScriptedProvider.repeat([Chunk("hello", usage=TOKENS), Chunk("and more")])
    gateway = face({"r": Target(provider, model="m")}, [limit, Drops()], clock=FakeClock())
    with pytest.raises(AccessDenied):
        gateway.read(max_tokens=10)
    with pytest.raises(RateLimited):
        gateway.read(max_tokens=10)

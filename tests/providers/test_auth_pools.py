"""`KeyAuth` with several keys: they take turns, one that is refused rests, and the next one is tried at once."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest

from aigw.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    PermissionDenied,
    ProviderRateLimited,
    QuotaExhausted,
    ServerError,
    TimedOut,
)
from aigw.providers.auth import BEARER, LONG_REST, SHORT_REST, KeyAuth, Unsigned
from aigw.runtime import drive
from aigw.testing import make_call
from providers.fake_http import FakeTransport
from providers.key_pool import Pool, Vault, fails, fine, later, shown
from testing.faces import both_faces, read_all, run

ENOUGH = 6
"""More answers than any call here should need."""


def test_the_keys_of_a_pool_take_turns():
    """Each key comes once before any comes again."""
    pool = Pool(["a", "b", "c"], *(fine() for _ in range(7)))
    for _ in range(7):
        pool.ask()

    assert pool.keys == ["a", "b", "c", "a", "b", "c", "a"]


def test_many_threads_share_the_turns():
    """No key is left out or preferred because calls come from many threads."""
    auth = KeyAuth("mini", ["a", "b", "c"])
    taken = []

    def take():
        taken.extend([drive(shown(auth, make_call()))[0][1] for _ in range(30)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [taken.count(f"Bearer {key}") for key in "abc"] == [40, 40, 40]


RESTS = [
    (401, {}, LONG_REST),
    (402, {}, LONG_REST),
    (403, {}, LONG_REST),
    (429, {}, SHORT_REST),
    (429, {"retry_after": "42"}, 42.0),
    (429, {"retry_after_ms": "1500"}, 1.5),
]


@pytest.mark.parametrize(("status", "headers", "rest"), RESTS)
def test_a_key_that_is_refused_rests(status, headers, rest):
    """The next one is tried at once; the first is left alone for its time, and then takes its turns again."""
    pool = Pool(["a", "b"], *fails(status, **headers), *(fine() for _ in range(ENOUGH)))
    text = pool.ask()
    waited = pool.clock.sleeps
    pool.clock.advance(rest - 0.001)
    pool.ask()
    pool.ask()
    pool.clock.advance(0.001)
    pool.ask()
    pool.ask()

    assert text == "hello"
    assert waited == []
    assert pool.keys[:4] == ["a", "b", "b", "b"]
    assert sorted(pool.keys[4:]) == ["a", "b"]


@pytest.mark.parametrize(("status", "headers", "rest"), RESTS)
def test_the_trace_tells_of_the_next_key(status, headers, rest):
    """Which failure made it take the next key, without a key."""
    pool = Pool(["sk-a", "sk-b"], *fails(status, **headers), fine())
    pool.ask()
    notes = [(note.by, note.action, note.reason) for note in pool.call.trace.decisions]
    kinds = {401: AuthenticationFailed, 402: QuotaExhausted, 403: PermissionDenied, 429: ProviderRateLimited}

    assert notes == [("mini", "next key", kinds[status].__name__)]
    assert "sk-" not in str(pool.call.trace)


@pytest.mark.parametrize("status", [400, 404, 408, 413, 422, 500, 502, 503, 504, 529])
def test_other_failures_say_nothing_about_a_key(status):
    """They are raised at once, and the key keeps its turns."""
    pool = Pool(["a", "b"], *fails(status), fine(), fine())
    pool.fail()
    pool.ask()
    pool.ask()

    assert pool.keys == ["a", "b", "a"]


def test_failures_of_the_transport_say_nothing_about_a_key():
    """A server that is too slow or does not answer is too slow with every key."""
    pool = Pool(["a", "b"], TimedOut("too slow"), fine(), fine())
    pool.fail(TimedOut)
    pool.ask()
    pool.ask()

    assert pool.keys == ["a", "b", "a"]


def test_if_every_key_is_refused():
    """Each was tried once, and the last failure is the call's."""
    pool = Pool(["a", "b", "c"], *fails(401), *fails(402), *fails(429, times=ENOUGH, retry_after="7"))
    error = pool.fail(ProviderRateLimited)

    assert pool.keys == ["a", "b", "c"]
    assert error.retry_after == 7.0
    assert [note.reason for note in pool.call.trace.decisions] == ["AuthenticationFailed", "QuotaExhausted"]


def test_while_all_keys_rest_the_first_to_wake_is_tried():
    """A pool is never shut: a call gets the key that has the least to wait, once."""
    rests = [*fails(429, retry_after="30"), *fails(429, retry_after="10"), *fails(429, retry_after="20")]
    pool = Pool(["a", "b", "c"], *rests, *fails(429, times=2, retry_after="60"), fine())
    pool.fail(ProviderRateLimited)
    pool.fail(ProviderRateLimited)
    pool.fail(ProviderRateLimited)
    pool.ask()

    assert pool.keys == ["a", "b", "c", "b", "c", "a"]
    assert pool.clock.now() == 0.0


def test_a_pool_recovers():
    """When the rests are over, all keys take turns as before."""
    pool = Pool(["a", "b"], *fails(401), *fails(429), *(fine() for _ in range(ENOUGH)))
    pool.fail(ProviderRateLimited)
    pool.clock.advance(SHORT_REST)
    pool.ask()
    pool.ask()
    pool.clock.advance(LONG_REST)
    for _ in range(4):
        pool.ask()

    assert pool.keys[2:4] == ["b", "b"]
    assert sorted(pool.keys[4:]) == ["a", "a", "b", "b"]


def test_one_key_is_no_pool():
    """There is nothing else to try: its failure is raised, and the next call uses it again."""
    for keys in ("a", ["a"], [lambda: "a"]):
        pool = Pool(keys, *fails(401), fine())
        pool.fail(AuthenticationFailed)
        pool.ask()

        assert pool.keys == ["a", "a"]


@both_faces
def test_a_pool_of_functions(blocking):
    """Functions are asked for each attempt of theirs; a refused key rests with the function that gave it."""
    asked = []

    def first():
        asked.append("first")
        return f"a{len(asked)}"

    functions = [first, "b"] if blocking else [first, functools.partial(later, "b")]
    pool = Pool(functions, fine(), fine(), *fails(403), fine(), fine())

    async def main():
        for _ in range(4):
            loop = None if blocking else asyncio.get_running_loop()
            await read_all(await pool.provider.send(pool.transport.call(loop=loop), "m"))

    run(blocking, main)

    assert pool.keys == ["a1", "b", "a2", "b", "b"]
    assert asked == ["first", "first"]


def test_the_deadline_holds_for_all_keys():
    """Going through the keys takes no longer than the call may take."""
    slow = [(5.0, response) for response in fails(429, times=ENOUGH)]
    pool = Pool(["a", "b", "c", "d"], *slow)
    pool.fail(DeadlineExceeded, deadline=9.0)

    assert pool.clock.now() <= 9.0
    assert pool.keys == ["a", "b"]


def test_keys_of_equal_value():
    """The same key twice is tried twice at most; the call ends."""
    pool = Pool(["a", "a"], *fails(401, times=ENOUGH))
    pool.fail(AuthenticationFailed)

    assert len(pool.keys) <= 2


def test_functions_that_give_the_same_key():
    """So is the same key from two functions."""
    pool = Pool([lambda: "a", lambda: "a", "b"], *fails(401, times=2), *fails(429, times=ENOUGH))
    pool.fail(ProviderRateLimited)

    assert len(pool.keys) <= 3


@pytest.mark.parametrize("after", ["0", "0.0"])
def test_a_rest_that_is_over_at_once(after):
    """A server that says ``Retry-After: 0`` is not asked for ever: each key is tried once in a call."""
    pool = Pool(["a", "b"], *fails(429, times=ENOUGH, retry_after=after))
    error = pool.fail(ProviderRateLimited)

    assert pool.keys == ["a", "b"]
    assert error.retry_after == 0.0


def test_a_rest_that_is_over_before_the_next_answer():
    """Neither is one whose answers take longer than the rests: each key is tried once in a call."""
    slow = [(5.0, response) for response in fails(429, times=ENOUGH, retry_after="1")]
    pool = Pool(["a", "b"], *slow)
    pool.fail(ProviderRateLimited)

    assert pool.keys == ["a", "b"]


def test_a_function_whose_key_changed_meanwhile():
    """A key that was refused while another call got a newer one from the same function: the next one is tried still."""

    class Meanwhile(FakeTransport):
        async def send(self, request, body, **limits):
            if not self.requests:
                self.requests.append(None)
                assert [pool.ask(), pool.ask()] == ["hello"] * 2
                del self.requests[0]
            return await super().send(request, body, **limits)

    pool = Pool([Vault("a1", "a2"), "b"])
    pool.transport = Meanwhile(fine(), fine(), *fails(401), fine())
    text = pool.ask()

    assert text == "hello"
    assert pool.keys == ["b", "a2", "a1", "b"]


def test_calls_at_once_are_refused_at_once():
    """Two calls that both had a key refused go on to the third key; neither goes back to one that rests by now."""
    auth = KeyAuth("mini", ["a", "b", "c"])
    error = AuthenticationFailed("no")
    calls = [Unsigned(make_call(), "http://x/v1/go", b"{}", BEARER) for _ in range(2)]
    for unsigned in calls:
        unsigned.tried.append(drive(auth.show(unsigned)).key)
    on = [auth.refused(unsigned.tried, error, 0.0) for unsigned in calls]
    next_keys = [drive(auth.show(unsigned)).headers[0][1] for unsigned in calls]

    assert [unsigned.tried for unsigned in calls] == [[0], [1]]
    assert on == [True, True]
    assert next_keys == ["Bearer c", "Bearer c"]


def test_a_function_that_fails_in_a_pool():
    """What it raises is raised: the application's own error is not a reason to take the next key."""

    def fail():
        raise ServerError("the vault is closed")

    pool = Pool([fail, "b"], fine())
    pool.fail(ServerError)

    assert pool.keys == []

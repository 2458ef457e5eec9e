"""`KeyAuth`: where keys come from. ``test_auth_pools`` has how several keys take turns.

`test_http_keys` has what a provider with one key does; ``gateway/test_key_pools`` runs pools through whole gateways.
"""

from __future__ import annotations

import functools

import pytest

from aigw.errors import AuthenticationFailed, ConfigError
from aigw.providers.auth import KeyAuth
from aigw.providers.service import Settings
from aigw.runtime import drive
from aigw.testing import make_call
from providers.key_pool import Pool, Vault, fails, fine, later, shown
from testing.faces import both_faces, run

SECRET = "sk-very-secret"


@pytest.mark.parametrize(
    "make",
    [
        lambda: "sk",
        lambda: lambda: "sk",
        lambda: Vault("sk"),
        lambda: functools.partial(str, "sk"),
        lambda: ["sk"],
        lambda: ("sk",),
        lambda: [lambda: "sk"],
    ],
    ids=["text", "function", "object", "partial", "list", "tuple", "list of functions"],
)
@both_faces
def test_a_key_by_value_or_function(blocking, make):
    """A text, anything that can be called, or one of these in a list: the same under both faces."""
    auth = KeyAuth("mini", make())

    async def main():
        return await shown(auth, make_call(blocking=blocking))

    assert run(blocking, main) == (("authorization", "Bearer sk"),)


@pytest.mark.parametrize("api_key", [later, functools.partial(later, "sk-later"), [later], [later, later]])
@both_faces
def test_a_coroutine_function_for_a_key(blocking, api_key):
    """It is awaited on a loop; the blocking face cannot, and says which function it is."""
    auth = KeyAuth("mini", api_key)

    async def main():
        return await shown(auth, make_call(blocking=blocking))

    if blocking:
        with pytest.raises(ConfigError, match=r"is a coroutine function: use it with gateway\.aio"):
            run(blocking, main)
    else:
        assert run(blocking, main) == (("authorization", "Bearer sk-later"),)


def test_a_partial_for_the_key():
    """The error names the function, not what it is given."""
    pool = Pool(functools.partial(later, SECRET))
    error = pool.fail(ConfigError)

    assert SECRET not in str(error)
    assert pool.transport.requests == []


@pytest.mark.parametrize("given", [None, 5, b"sk", ["sk"]])
def test_a_function_that_gives_no_text(given):
    """It is told by the type of what came, never by its value."""
    pool = Pool([lambda: given, "sk"])

    with pytest.raises(ConfigError, match=rf"api_key= for mini returned a {type(given).__name__}"):
        pool.ask()


@pytest.mark.parametrize(
    ("api_key", "message"),
    [
        ([], "api_key is an empty list"),
        (5, "api_key must be a text or a function that returns one, not int"),
        (b"sk", "not bytes"),
        ({"sk"}, "not set"),
        (bytearray(b"sk"), "not bytearray"),
        (range(3), "not range"),
        ({"a": "sk"}, "not dict"),
        (["sk", None], r"api_key\[1\] must be a text or a function, not NoneType"),
        (["sk", ["sk"]], r"api_key\[1\] must be a text or a function, not list"),
    ],
)
def test_wrong_keys_are_told_at_once(api_key, message):
    """What is no key is a ConfigError when the target is made, and says which one it is."""
    with pytest.raises(ConfigError, match=message):
        KeyAuth("mini", api_key)


def test_a_list_is_taken_as_it_is():
    """Changing the list afterwards changes nothing."""
    keys = ["a", "b"]
    pool = Pool(keys, fine(), fine(), fine())
    keys[:] = ["x"]
    for _ in range(3):
        pool.ask()

    assert pool.keys == ["a", "b", "a"]


def test_the_environment_is_read_for_each_attempt(monkeypatch):
    """A key that is changed while the program runs counts from the next attempt on; so does one that goes away."""
    monkeypatch.setenv("MINI_KEY", "one")
    pool = Pool(None, fine(), *fails(401), fine(), env=("MINI_KEY",))
    pool.ask()
    pool.fail(AuthenticationFailed)
    monkeypatch.setenv("MINI_KEY", "two")
    pool.ask()
    monkeypatch.delenv("MINI_KEY")

    assert "MINI_KEY" in str(pool.fail(ConfigError))
    assert pool.keys == ["one", "one", "two"]


def test_the_first_variable_that_is_set_counts(monkeypatch):
    """A provider may have several names for its key; an empty one does not count."""
    names = ("MINI_KEY", "MINI_TOKEN", "OLD_MINI_KEY")
    auth = KeyAuth("mini", env=names)
    with pytest.raises(ConfigError, match="MINI_KEY or MINI_TOKEN or OLD_MINI_KEY"):
        auth.check()
    monkeypatch.setenv("MINI_KEY", "")
    monkeypatch.setenv("OLD_MINI_KEY", "old")
    auth.check()
    old = drive(shown(auth, make_call()))
    monkeypatch.setenv("MINI_TOKEN", "token")

    assert old == (("authorization", "Bearer old"),)
    assert drive(shown(auth, make_call())) == (("authorization", "Bearer token"),)


def test_a_provider_without_keys():
    """It needs none, and nothing is shown."""
    auth = KeyAuth("mini")
    auth.check()

    assert drive(shown(auth, make_call())) == ()


def test_the_header_of_the_key():
    """The wire format says where the key goes, unless the provider wants it elsewhere."""
    there = ("x-api-key", "")

    assert drive(shown(KeyAuth("mini", "sk"), make_call(), there)) == (("x-api-key", "sk"),)
    assert drive(shown(KeyAuth("mini", "sk", header=("api-key", "Key ")), make_call(), there)) == (
        ("api-key", "Key sk"),
    )


def test_an_empty_key_in_a_pool():
    """An empty text is no key to take turns with: it is told when the target is made."""
    with pytest.raises(ConfigError, match=r"api_key\[0\]"):
        KeyAuth("mini", ["", "b"])


def test_no_repr_shows_a_key():
    """Not that of the keys, of their provider, of a request, or of what a target says about its provider."""
    keys = [SECRET, lambda: SECRET]
    pool = Pool(keys, *fails(401, times=2))
    error = pool.fail(AuthenticationFailed)
    settings = Settings(api_key=keys, headers={"x-key": SECRET})
    single = KeyAuth("mini", SECRET)
    seen = [pool.auth, pool.provider, pool.provider.where, *pool.transport.requests, error, settings, single, pool.call]

    assert pool.keys == [SECRET, SECRET]
    assert [thing for thing in seen if SECRET in repr(thing) or SECRET in str(thing)] == []

"""Several keys for one provider, through whole gateways: one that is refused rests, and none of them is ever shown.

``providers/test_auth`` has the rules of the turns; `test_secrets` and `test_fault_matrix` have the secrets of one key.
"""

from __future__ import annotations

import logging
import pickle

import pytest

from aigw import ConfigError, Fallback, Retry, Target, errors
from aigw.testing import FakeClock, Status
from gateway.faults_table import STATUSES, TEXT, echo
from gateway.secrets_check import KEY, PROMPT, leaks, said_by

KEYS = [f"{KEY}-{letter}" for letter in "abc"]
"""Each of them has the marks that `leaks` looks for."""

both_calls = pytest.mark.parametrize("call", ["chat", "read"])
statuses = pytest.mark.parametrize("row", STATUSES, ids=str)

ROTATES = {"401", "402", "403", "429", "429-after", "429-after-ms", "429-quota"}
"""Failures that another key may cure."""


async def later():
    """Give a key, as a coroutine function."""
    return KEYS[1]


SOURCES = {
    "values": lambda blocking: list(KEYS),
    "functions": lambda blocking: [lambda: KEYS[0], (lambda: KEYS[1]) if blocking else later, lambda: KEYS[2]],
    "both": lambda blocking: (KEYS[0], lambda: KEYS[1], KEYS[2]),
}
sources = pytest.mark.parametrize("source", list(SOURCES))


def pool_of(face, upstream, source="values", **options):
    """Make a target with three keys."""
    return Target(upstream.url, model="m", api_key=SOURCES[source](face.blocking), **options)


def keys_at(upstream):
    """Return the keys that came, in order."""
    return [request.headers["authorization"].removeprefix("Bearer ") for request in upstream.requests]


def failure(gateway, call="chat", **options):
    """Return the error of a call."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  (any error at all: what it says is what is tested)
        getattr(gateway, call)(PROMPT, **options)
    return caught.value


@sources
@both_calls
def test_a_refused_key_costs_no_call(face, upstream, source, call):
    """The next key is tried at once, within the same attempt, and the first one is left alone from then on."""
    upstream.next(echo(401, code="invalid_api_key"))
    gateway = face({"r": pool_of(face, upstream, source)}, clock=FakeClock())
    texts = [getattr(gateway, call)(PROMPT) for _ in range(4)]

    assert [text if isinstance(text, str) else text.text for text in texts] == [TEXT] * 4
    assert keys_at(upstream) == [KEYS[at] for at in (0, 1, 2, 1, 2)]


def test_what_the_trace_tells(face, upstream):
    """One attempt, which went well, and a note of why the key was changed."""
    upstream.next(echo(401), echo(429, retry_after=7))
    answer = face({"r": pool_of(face, upstream)}, clock=FakeClock()).chat(PROMPT)
    notes = [(note.action, note.reason) for note in answer.trace.decisions if note.action == "next key"]

    assert [attempt.outcome for attempt in answer.trace.attempts] == ["ok"]
    assert notes == [("next key", "AuthenticationFailed"), ("next key", "ProviderRateLimited")]
    assert leaks(str(answer.trace) + repr(answer.trace) + answer.trace.to_json() + repr(answer)) == []


@statuses
@both_calls
def test_every_way_to_fail(face, upstream, caplog, row, call):
    """With all keys failing: each was tried at most once, and nothing that is said or logged shows any of them."""
    caplog.set_level(logging.DEBUG)
    upstream.always(row.fault)
    gateway = face({"r": pool_of(face, upstream)}, clock=FakeClock())
    error = failure(gateway, call)

    assert type(error) is row.outcome.kind
    assert keys_at(upstream) == (KEYS if row.name in ROTATES else KEYS[:1])
    assert leaks(said_by(error) + caplog.text) == []


@statuses
def test_no_error_carries_a_key(face, upstream, row):
    """Not even in what it holds besides its message: it may be pickled and sent elsewhere."""
    fault = row.fault
    upstream.always(Status(fault.status, code=fault.code) if isinstance(fault, Status) else fault)
    error = failure(face({"r": pool_of(face, upstream)}, clock=FakeClock()))

    assert KEY.encode() not in pickle.dumps(error)
    assert leaks(repr(vars(error))) == []


def test_waiting_until_a_key_is_there_again(face, upstream):
    """When all keys are too fast, a retry waits for the first one that may be used again, and uses that."""
    upstream.next(echo(429, retry_after=5), echo(429, retry_after=20), echo(429, retry_after=30))
    clock = FakeClock()
    answer = face({"r": pool_of(face, upstream)}, [Retry()], clock=clock).chat(PROMPT)

    assert answer.text == TEXT
    assert keys_at(upstream) == [*KEYS, KEYS[0]]
    assert len(clock.sleeps) == 1
    assert 5.0 <= clock.sleeps[0] < 20.0


def test_when_all_keys_are_refused_another_target_serves(face, upstream, second):
    """A pool that is used up is a target that failed, once."""
    upstream.always(echo(401))
    tree = Fallback(pool_of(face, upstream, name="pool"), Target(second.url, model="m", name="other"))
    answer = face({"r": tree}, clock=FakeClock()).chat(PROMPT)

    assert answer.text == "from the second"
    assert [(attempt.target, attempt.outcome) for attempt in answer.trace.attempts] == [
        ("pool", "AuthenticationFailed"),
        ("other", "ok"),
    ]
    assert keys_at(upstream) == KEYS
    assert leaks(str(answer.trace) + answer.trace.to_json()) == []


def test_targets_do_not_share_their_rests(face, upstream):
    """The same list at two targets is two pools: what is refused for one model may be fine for the other."""
    keys = KEYS[:2]
    targets = {name: Target(upstream.url, model=name, name=name, api_key=keys) for name in ("a", "b")}
    gateway = face(targets, clock=FakeClock())
    upstream.next(echo(403))
    for model in ("a", "b", "a"):
        gateway.chat(PROMPT, model=model)

    assert keys_at(upstream) == [KEYS[0], KEYS[1], KEYS[0], KEYS[1]]


@pytest.mark.parametrize("position", [0, 1])
@both_calls
def test_an_illegal_key_in_a_pool(face, upstream, position, call):
    """A key with a line break, say from a file, is a ConfigError that does not show it or its neighbours."""
    keys = list(KEYS)
    keys[position] += "\n"

    def ask():
        upstream.next(None, echo(401)) if position else None
        gateway = face({"r": Target(upstream.url, model="m", api_key=keys)}, clock=FakeClock())
        for _ in range(2):
            getattr(gateway, call)(PROMPT)

    with pytest.raises(ConfigError) as caught:
        ask()

    assert "key" in str(caught.value)
    assert leaks(said_by(caught.value)) == []


@sources
def test_what_a_gateway_says_about_its_keys(face, upstream, monkeypatch, source):
    """No description, explanation or ``repr`` shows a key, wherever it comes from."""
    monkeypatch.setenv("OPENAI_API_KEY", KEYS[2])
    tree = Fallback(
        pool_of(face, upstream, source, name="pool", headers={"x-key": KEY}),
        Target("openai/m", base_url=upstream.url),
    )
    gateway = face({"r": tree}, clock=FakeClock())
    upstream.next(echo(401), echo(401), echo(401))
    answer = gateway.chat(PROMPT)
    explained = gateway.explain(PROMPT, model="r")
    said = [
        repr(gateway.gateway),
        gateway.gateway.describe(),
        str(explained),
        explained.to_json(),
        str(answer.trace),
        repr(tree),
        *[repr(target) + repr(target.provider) + target.provider.where for target in tree.targets],
    ]

    assert keys_at(upstream) == [*KEYS, KEYS[2]]
    assert leaks("\n".join(said)) == []


@pytest.mark.parametrize(
    "api_key",
    [[], [KEY, None], [KEY, [KEY]], {KEY}, {"key": KEY}, KEY.encode(), [KEY.encode()]],
    ids=["empty", "none", "nested", "set", "mapping", "bytes", "list of bytes"],
)
def test_wrong_keys_are_not_repeated(api_key):
    """What is no key is told by its type, when the target is made."""
    with pytest.raises(ConfigError, match="api_key") as caught:
        Target("https://model.test/v1", model="m", api_key=api_key)

    assert leaks(said_by(caught.value)) == []


@pytest.mark.parametrize("raised", [errors.AuthenticationFailed("no"), LookupError("the vault is closed")], ids=repr)
def test_a_function_that_fails_in_a_pool(face, upstream, raised):
    """It is the application that failed, not the provider: its error is raised, nothing is sent with another key."""

    def fail():
        raise raised

    target = Target(upstream.url, model="m", api_key=[fail, KEYS[1]])
    error = failure(face({"r": target}))

    assert type(error) is type(raised)
    assert upstream.requests == []
    assert target.in_flight == 0
    assert leaks(said_by(error)) == []

"""Virtual keys: handed out once, known again by their digest, worth nothing when their time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aigw import AccessDenied, ConfigError, KeyRecord, Principal, VirtualKeys

ALICE = Principal("alice", roles=frozenset({"analyst"}))


class Now:
    """A time that tests set."""

    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def now():
    """Make a time."""
    return Now()


@pytest.fixture
def keys(now):
    """Make keys that live in it."""
    return VirtualKeys(now=now)


def test_a_key_tells_whose_it_is(keys):
    """And no other text does, be it ever so close."""
    key = keys.issue(ALICE)
    wrong = [
        "",
        "x",
        "aigw-",
        key[:-1],
        key + "x",
        key.upper(),
        key.replace("aigw", "AIGW"),
        "-".join(key.split("-")[:2]),
    ]

    assert keys.verify(key) == ALICE
    for text in wrong:
        with pytest.raises(AccessDenied, match="not known"):
            keys.verify(text)


def test_what_is_kept_is_not_the_key(keys, now):
    """The records hold a digest, survive JSON, and know the key again elsewhere."""
    key = keys.issue(ALICE, lifetime=60)
    kept = [record.to_json() for record in keys.records]
    again = VirtualKeys([KeyRecord.from_json(record) for record in kept], now=now)

    assert again.verify(key) == ALICE
    assert key.split("-", 2)[2] not in str(kept) + repr(keys) + repr(keys.records)


def test_a_key_expires(keys, now):
    """From then on it is not taken, and its record is not kept any more."""
    key = keys.issue(ALICE, lifetime=timedelta(minutes=1))
    now.time += 59.9
    assert keys.verify(key) == ALICE
    now.time += 0.1

    with pytest.raises(AccessDenied, match="expired") as caught:
        keys.verify(key)
    assert key.split("-", 2)[2] not in str(caught.value)
    assert keys.records == ()


def test_a_rotated_key_is_taken_for_a_while(keys, now):
    """Both are, then only the new one; a key that expires earlier stays so."""
    old = keys.issue(ALICE)
    name = keys.records[0].id
    new = keys.rotate(name, grace=10)
    assert keys.verify(old) == keys.verify(new) == ALICE
    now.time += 10

    assert keys.verify(new) == ALICE
    with pytest.raises(AccessDenied):
        keys.verify(old)


@pytest.mark.parametrize("grace", [0, 0.0, timedelta(0)])
def test_a_key_that_became_known_ends_at_once(keys, grace):
    """Without a time of grace only the new key is taken."""
    old = keys.issue(ALICE)
    new = keys.rotate(keys.records[0].id, grace=grace)

    assert keys.verify(new) == ALICE
    with pytest.raises(AccessDenied, match="expired"):
        keys.verify(old)


def test_a_revoked_key_is_worth_nothing_at_once(keys):
    """And cannot be rotated."""
    key = keys.issue(ALICE)
    name = keys.records[0].id
    keys.revoke(name)

    with pytest.raises(AccessDenied, match="not known"):
        keys.verify(key)
    with pytest.raises(ConfigError, match="no key with the id"):
        keys.rotate(name)


def test_wrong_arguments_are_told_at_once(keys):
    """A principal is one, and ids are unique."""
    keys.issue(ALICE)
    with pytest.raises(ConfigError, match="must be a Principal"):
        keys.issue("alice")
    with pytest.raises(ConfigError, match="lifetime"):
        keys.issue(ALICE, lifetime=0)
    with pytest.raises(ConfigError, match="two keys"):
        VirtualKeys([*keys.records, *keys.records])

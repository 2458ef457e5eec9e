"""One idempotency key for each request of a call, where a provider may know what to do with it, on both faces."""

from __future__ import annotations

import pytest

from aigw import ConfigError, Fallback, Retry, Target
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.testing import FakeClock, Hangup, Status

HEADER = "idempotency-key"


def keys(upstream):
    """Return the keys that came, in order."""
    return [request.headers.get(HEADER) for request in upstream.requests]


@pytest.mark.parametrize("call", ["chat", "read"])
def test_the_same_request_has_the_same_key(face, upstream, call):
    """All attempts of a call at one target have one key, and the next call has another."""
    upstream.next(Status(500), Hangup())
    gateway = face({"r": Target(upstream.url, model="m")}, [Retry()], clock=FakeClock())
    getattr(gateway, call)()
    getattr(gateway, call)()
    first, *more = keys(upstream)

    assert first.startswith("call_")
    assert [key == first for key in more] == [True, True, False]


def test_another_request_has_another_key(face, upstream):
    """Another model at the same server gets a different request, which the same key would have refused."""
    upstream.next(Status(500))
    face({"r": Fallback(*(Target(upstream.url, model=name) for name in "ab"))}).chat()

    assert len(set(keys(upstream))) == 2


def test_the_caller_has_his_own(face, upstream):
    """What the caller says is sent as it is, to every attempt."""
    upstream.next(Status(500))
    gateway = face({"r": Target(upstream.url, model="m")}, [Retry()], clock=FakeClock())
    gateway.chat(idempotency_key="order-7")

    assert keys(upstream) == ["order-7", "order-7"]


def test_a_header_of_the_target_stays(face, upstream):
    """What the user has configured is not doubled."""
    face({"r": Target(upstream.url, model="m", headers={"Idempotency-Key": "mine"})}).chat(idempotency_key="order-7")

    assert keys(upstream) == ["mine"]


def test_only_where_it_is_known(face, upstream):
    """It is sent where the table says so; elsewhere the trace tells that the caller's own key is left out."""
    target = Target("vllm/m", base_url=upstream.url)
    answer = face({"r": target}).chat(idempotency_key="order-7")
    known = {name for table in (SERVICES, COMPATIBLE) for name, row in table.items() if _header(row)}

    assert keys(upstream) == [None]
    assert [(note.action, note.reason) for note in answer.trace.decisions] == [
        ("left out", "idempotency_key: it is not known there")
    ]
    assert known == {"openai", "openai_chat", "openai_responses"}


def _header(row):
    return getattr(row, "idempotency_header", "")


@pytest.mark.parametrize("key", ["", "a\nb", "schlüssel", 7])
def test_what_is_no_key(face, upstream, key):
    """What cannot be a header is refused at once."""
    with pytest.raises(ConfigError, match="idempotency_key"):
        face({"r": Target(upstream.url, model="m")}).chat(idempotency_key=key)

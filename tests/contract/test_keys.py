"""Keys: in the one header where a provider looks for them, and nowhere else."""

from __future__ import annotations

import logging

import pytest

from aigw import ConfigError
from contract.bench import answered, connected, failed
from contract.endpoints import ENDPOINTS, PLACES, every_endpoint, whole_and_streamed
from contract.said import Failure, Said
from gateway.secrets_check import KEY, said_by
from providers.fake_http import FakeTransport

BEARER = ("authorization", "Bearer ")
AT = {"azure": ("api-key", ""), "vertex": BEARER}
"""Providers that look for the key elsewhere than the others that speak the format."""

REFUSED = Failure("refused", 401, {"error": {"message": f"The key {KEY} is wrong."}}, Exception)
NEEDS_NONE = {"ollama", "vllm", "sglang", "lmstudio", "llamacpp"}
"""Servers of one's own."""


@every_endpoint
@whole_and_streamed
@pytest.mark.parametrize("face", ["blocking", "async"])
def test_where_it_stands(endpoint, streamed, face):
    """The key is in the header of this provider; not in the URL, not in the body, not in any other header."""
    asked = answered(endpoint, Said(), streamed=streamed, face=face)
    (request,) = asked.transport.requests
    name, prefix = AT.get(endpoint.provider, endpoint.oracle.KEY)
    given = PLACES.get(endpoint.provider, {}).get("api_key", KEY)
    holding = [(header.lower(), value) for header, value in request.headers if KEY in value]

    assert holding == [(name, prefix + given)]
    assert KEY not in request.url
    assert KEY not in str(asked.body)
    assert KEY not in repr(request)


@every_endpoint
@whole_and_streamed
def test_it_is_never_shown(endpoint, streamed, caplog):
    """Not even a provider that repeats it in its refusal makes an error, a trace or a log show it."""
    caplog.set_level(logging.DEBUG)
    target = endpoint.target()
    error = failed(endpoint, REFUSED, streamed=streamed, target=target)
    with connected("blocking", target, FakeTransport()) as gateway:
        shown = [repr(gateway.gateway), gateway.gateway.describe(), str(gateway.explain("hi"))]
    shown += [repr(target), repr(target.provider), target.provider.where, target.name]

    assert KEY not in said_by(error)
    assert KEY not in "".join(shown)
    assert KEY not in caplog.text


@every_endpoint
def test_without_one(endpoint, monkeypatch):
    """A provider that needs a key says which variable holds it, before anything is sent; the variable is enough."""
    if not endpoint.known or endpoint.provider in {"vertex", "bedrock"}:
        return  # nothing says where the key of such a server is, or there are other ways to show who asks
    names = endpoint.service.key_env
    if not names:
        assert endpoint.provider in NEEDS_NONE
        assert answered(endpoint, Said(), target=endpoint.target(api_key=None)).transport.header("authorization") == []
        return
    with pytest.raises(ConfigError, match=names[0]):
        answered(endpoint, Said(), target=endpoint.target(api_key=None))
    monkeypatch.setenv(names[0], f"{KEY}-from-env")
    found = answered(endpoint, Said(), target=endpoint.target(api_key=None))

    assert any(f"{KEY}-from-env" in value for _, value in found.transport.requests[0].headers)


def test_who_needs_none():
    """Of those in the table, only servers of one's own."""
    known = {one.provider for one in ENDPOINTS if one.known and not one.service.key_env}

    assert known - {"vertex", "bedrock"} == NEEDS_NONE

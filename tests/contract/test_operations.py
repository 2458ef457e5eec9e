"""Vectors, rankings and verdicts, at every provider that has them."""

from __future__ import annotations

import pytest

from aigw.errors import AuthenticationFailed, BadRequest, BadResponse, NoCapableTarget, ProviderRateLimited, ServerError
from aigw.providers.table import COMPATIBLE, SERVICES
from aigw.providers.wires import FORMATS
from contract.bench import connected
from contract.endpoints import Endpoint, set_places
from contract.oracles.small import INPUTS, SCORES, SMALL, VECTORS, answers
from gateway.secrets_check import KEY
from providers.fake_http import FakeResponse, FakeTransport

AT = {"azure": ("api-key", ""), "vertex": ("authorization", "Bearer ")}
OPERATIONS = ("embeddings", "rerank", "moderation")


def format_of(endpoint, operation):
    """Return the name of the format of an operation; ``None`` where the provider does not have it."""
    made = endpoint.target(wire=None).provider._make_format(operation)
    return None if made is None else made.wire


def offers():
    """Return all providers with the operations that they have, and their formats."""
    known = [Endpoint(name, next(iter(service.wires), "")) for name, service in SERVICES.items()]
    known.append(Endpoint(COMPATIBLE["openai_chat"].name, "openai_chat", known=False))
    with pytest.MonkeyPatch.context() as patch:
        set_places(patch)
        return [(one, operation, format_of(one, operation)) for one in known for operation in OPERATIONS]


OFFERS = offers()
HAS = [(endpoint, operation, wire) for endpoint, operation, wire in OFFERS if wire is not None]
LACKS = [(endpoint, operation) for endpoint, operation, wire in OFFERS if wire is None]


def title(value):
    """Return what a parameter is called in the name of a test."""
    return value.provider if isinstance(value, Endpoint) else str(value)


def send(endpoint, method, *given, replies, face="blocking", **options):
    """Make a call; return the answer and the transport, which has the requests."""
    transport = FakeTransport(*replies)
    with connected(face, endpoint.target(wire=None), transport) as gateway:
        result = gateway.call(gateway.gateway, method, *given, **options)
    return result, transport


def ways(operation):
    """Return the parameters of the tests of an operation."""
    chosen = [(one, wire, name) for one, op, wire in HAS if op == operation for name in SMALL[wire].answers]
    return pytest.mark.parametrize(("endpoint", "wire", "name"), chosen, ids=title)


def replies(wire, name):
    """Make the responses to the requests of a call."""
    return [FakeResponse(body, headers={"content-type": "application/json"}) for body in answers(wire, name)]


@ways("embeddings")
@pytest.mark.parametrize("face", ["blocking", "async"])
def test_vectors(endpoint, wire, name, face):
    """Texts go out in their order, and their vectors come back in it, with the tokens."""
    small = SMALL[wire]
    result, transport = send(endpoint, "embed", list(INPUTS), replies=replies(wire, name), face=face, dimensions=3)
    (body,) = transport.bodies
    small.check(body)
    model, inputs, dimensions = small.read(body)

    assert model in (endpoint.model, None)
    assert (inputs, dimensions) == (INPUTS, 3)
    assert result.vectors == VECTORS
    assert (result.usage, result.model) == (small.usage, small.model)


@ways("rerank")
@pytest.mark.parametrize("face", ["blocking", "async"])
def test_ranking(endpoint, wire, name, face):
    """A query and documents go out; the best document comes first, with its place among those that were given."""
    small = SMALL[wire]
    given = ("Where?", list(INPUTS))
    result, transport = send(endpoint, "rerank", *given, replies=replies(wire, name), face=face, top_n=2)
    (body,) = transport.bodies
    small.check(body)

    assert small.read(body) == (endpoint.model, "Where?", INPUTS, 2)
    assert [(one.index, one.score) for one in result.results] == list(SCORES)
    assert (result.usage, result.model) == (small.usage, small.model)


@ways("moderation")
@pytest.mark.parametrize("face", ["blocking", "async"])
def test_verdicts(endpoint, wire, name, face):
    """Each text gets its verdict, with what was looked for; what is flagged is told even by servers that do not."""
    small = SMALL[wire]
    result, transport = send(endpoint, "moderate", list(INPUTS), replies=replies(wire, name), face=face)
    for body in transport.bodies:
        small.check(body)
    models, inputs = zip(*map(small.read, transport.bodies), strict=True)
    category, score = small.found

    assert sum(inputs, ()) == INPUTS
    assert set(models) <= {endpoint.model, None}
    assert [verdict.flagged for verdict in result.verdicts] == [False, True]
    assert result.flagged
    assert result.verdicts[1].categories[category] is True
    assert result.verdicts[1].scores[category] == score
    assert result.model == small.model


CALLS = {
    "embeddings": ("embed", list(INPUTS)),
    "rerank": ("rerank", "Where?", list(INPUTS)),
    "moderation": ("moderate", list(INPUTS)),
}
each = pytest.mark.parametrize(("endpoint", "operation", "wire"), HAS, ids=title)


@each
def test_where_the_key_stands(endpoint, operation, wire):
    """It is in the header of this provider, and nowhere else."""
    name = next(iter(SMALL[wire].answers))
    _, transport = send(endpoint, *CALLS[operation], replies=replies(wire, name))
    header, prefix = AT.get(endpoint.provider, SMALL[wire].key)
    for request, body in zip(transport.requests, transport.bodies, strict=True):
        holding = [(name.lower(), value) for name, value in request.headers if KEY in value]

        assert [name for name, _ in holding] == [header]
        assert holding[0][1].startswith(prefix)
        assert KEY not in request.url + str(body)


@each
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, AuthenticationFailed), (429, ProviderRateLimited), (500, ServerError)],
)
def test_a_refusal(endpoint, operation, wire, status, kind):
    """It is the error that it is for chats, with the names of the provider and the model."""
    body = b'{"error": {"message": "It did not work.", "code": null}, "message": "It did not work."}'
    with pytest.raises(kind) as caught:
        send(endpoint, *CALLS[operation], replies=[FakeResponse(body, status=status)])

    assert type(caught.value) is kind
    assert (caught.value.provider, caught.value.model) == (endpoint.provider, endpoint.model)


@each
def test_an_answer_that_makes_no_sense(endpoint, operation, wire):
    """Status 200 and something else than an answer is a bad response."""
    for body in (b"", b"null", b"{}", b"[]", b'{"data": [{}], "results": [{}], "embeddings": [{}]}', b"<html>"):
        with pytest.raises(BadResponse) as caught:
            send(endpoint, *CALLS[operation], replies=[FakeResponse(body)])

        assert (caught.value.provider, caught.value.model) == (endpoint.provider, endpoint.model)


@pytest.mark.parametrize(("endpoint", "operation"), LACKS, ids=title)
def test_what_a_provider_does_not_have(endpoint, operation):
    """It is said so, and nothing is sent."""
    transport = FakeTransport()
    with connected("blocking", endpoint.target(wire=None), transport) as gateway:
        method, *given = CALLS[operation]
        with pytest.raises(NoCapableTarget, match=operation):
            gateway.call(gateway.gateway, method, *given)

    assert transport.requests == []


def test_every_format_has_an_oracle():
    """A format that is new is tested at once, or this fails."""
    used = {wire for _, _, wire in HAS}
    named = {name for name, (operation, _) in FORMATS.items() if operation != "chat"}

    assert used | named == set(SMALL)

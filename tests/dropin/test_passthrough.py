"""Requests that the gateway does not understand: untouched to the provider, or told clearly that they are not."""

from __future__ import annotations

import gc
import json

import httpx
import httpx2
import openai
import pytest

from aigw import Fallback, Gateway, Target
from aigw.dropin import GatewayTransport
from aigw.testing import Cut, FaultyUpstream, ScriptedProvider, Slow, Stall, Status

ASKED = {"model": "smart", "prompt": "hi"}


@pytest.fixture
def upstream():
    """A server that is asked for things it does not know either."""
    with FaultyUpstream() as upstream:
        yield upstream


@pytest.fixture
def gateway(upstream):
    """A gateway with one route to that server."""
    with Gateway({"smart": Target(upstream.url, model="m", api_key="the provider's", headers={"x-own": "1"})}) as made:
        yield made


def test_a_request_goes_through_untouched(side, gateway, upstream):
    """Method, path, query and body stay; the key is the provider's, and our own headers stay here."""
    client = side.openai(gateway, default_headers={"x-aigw-principal": "alice"}, max_retries=0)
    with pytest.raises(openai.NotFoundError):
        side.wait(client.completions.create(**ASKED, extra_query={"a": "b c"}, extra_headers={"x-more": "yes"}))
    if side.name == "async":
        side.wait(gateway.aio.close())
    sent = upstream.requests[0]

    assert (sent.method, sent.path) == ("POST", "/v1/completions?a=b+c")
    assert sent.json == ASKED
    assert sent.headers["authorization"] == "Bearer the provider's"
    assert (sent.headers["x-more"], sent.headers["x-own"]) == ("yes", "1")
    assert not [name for name in sent.headers if name.startswith("x-aigw")]
    assert sent.headers["host"].startswith("127.0.0.1")


def test_what_comes_back_is_untouched(gateway, upstream):
    """Status, headers and body are those of the provider; a failure is not dressed up."""
    upstream.next(Status(429, retry_after=7))
    with gateway.http_client("openai") as client:
        limited = client.get("/files", params={"limit": 3})
        unknown = client.delete("/files/f_1")

    assert limited.status_code == 429
    assert limited.headers["retry-after"] == "7"
    assert "x-should-retry" not in limited.headers
    assert unknown.status_code == 404
    assert [(request.method, request.path) for request in upstream.requests] == [
        ("GET", "/v1/files?limit=3"),
        ("DELETE", "/v1/files/f_1"),
    ]


def test_a_body_that_is_no_json(gateway, upstream):
    """Files go through as they are."""
    with gateway.http_client("openai") as client:
        client.post("/files", files={"file": ("a.txt", b"\x00\xff")}, data={"purpose": "batch"})

    assert upstream.requests[0].headers["content-type"].startswith("multipart/form-data; boundary=")


def test_googles_key_stays_here(upstream, gateway):
    """A key in the query is a key as well."""
    with gateway.http_client("gemini") as client:
        client.get("/v1/files", params={"key": "secret", "pageSize": 3})

    assert upstream.requests[0].path == "/v1/files?pageSize=3"


def test_it_comes_piece_by_piece(gateway, upstream):
    """A body that is cut is not taken for whole, and one that is not read is closed."""
    upstream.next(Cut(after_bytes=10), None)
    with gateway.http_client("openai") as client:
        with pytest.raises(httpx2.RemoteProtocolError), client.stream("GET", "/files") as answer:
            answer.read()
        with client.stream("GET", "/files"):
            pass
    upstream.wait_until(lambda: upstream.connections <= 1)

    assert len(upstream.requests) == 2


def test_the_clients_own_limit(upstream, gateway):
    """Its own time limit holds here too."""
    upstream.always(Slow(float("inf")))
    with gateway.http_client("openai") as client, pytest.raises(httpx2.ReadTimeout):
        client.get("/files", timeout=0.1)


def test_a_provider_that_cannot_be_reached(upstream, gateway):
    """It is an answer of the gateway, in the shape of the API."""
    upstream.close()
    with gateway.http_client("openai") as client:
        answer = client.get("/files")

    assert answer.status_code == 502
    assert answer.headers["x-aigw-error"] == "Unreachable"


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        (lambda url: {"smart": Fallback(Target(url, model="a"), Target(url, model="b"))}, "has 2 targets"),
        (lambda _: {"smart": Target(ScriptedProvider(), model="m")}, "has a target that is not behind HTTP"),
        (lambda url: {"a": Target(url, model="a"), "b": Target(url, model="b")}, "no route of the gateway"),
    ],
)
def test_where_it_cannot_go_through(upstream, routes, told):
    """Which provider is meant must be clear; otherwise it is not found, and the body says why."""
    gateway = Gateway(routes(upstream.url))
    with gateway.http_client("openai") as client:
        answer = client.post("/completions", json={"model": "", "prompt": "hi"})

    assert answer.status_code == 404
    assert told in answer.json()["error"]["message"]
    assert upstream.requests == []


def test_the_route_of_the_body_or_the_header(upstream):
    """Among several routes the model of the body, or the header, says which."""
    gateway = Gateway({"a": Target(upstream.url, model="m"), "b": Target(ScriptedProvider(), model="m")})
    with gateway.http_client("openai") as client:
        client.post("/completions", json={"model": "a", "prompt": "hi"})
        client.post("/completions", content=b"no json", headers={"x-aigw-route": "a"})
        wrong = client.post("/completions", json={"model": "b", "prompt": "hi"})
    gateway.close()

    assert [request.path for request in upstream.requests] == ["/v1/completions"] * 2
    assert wrong.status_code == 404


def test_it_can_be_switched_off(upstream, gateway):
    """Policies see nothing of such requests, so a gateway that must see all of them answers with 404."""
    with httpx.Client(transport=GatewayTransport(gateway, passthrough=False)) as client:
        answer = client.post("http://any/v1/completions", json=ASKED)

    assert answer.status_code == 404
    assert json.loads(answer.content)["error"]["message"] == "the gateway does not serve POST /v1/completions"
    assert upstream.requests == []


@pytest.mark.parametrize("sdk", ["anthropic", "gemini"])
def test_other_apis(upstream, sdk):
    """What the gateway does not know of other APIs goes through as well."""
    wire = {"anthropic": "anthropic_messages", "gemini": "gemini"}[sdk]
    gateway = Gateway({"smart": Target(upstream.url, model="m", wire=wire, api_key="ours")})
    headers = (
        {"anthropic-version": "2023-06-01", "x-api-key": "theirs"} if sdk == "anthropic" else {"x-goog-api-key": "a"}
    )
    with gateway.http_client(sdk) as client:
        client.post("/v1/messages/batches", json={"requests": []}, headers=headers)
    gateway.close()
    sent = upstream.requests[0].headers

    assert upstream.requests[0].path == "/v1/messages/batches"
    assert [value for value in sent.values() if value in {"theirs", "a"}] == []
    assert "ours" in sent.values()


def test_an_answer_that_is_dropped(gateway, upstream):
    """Its connection is closed."""
    upstream.always(Stall(after=0))
    with gateway.http_client("openai") as client:
        answer = client.send(client.build_request("GET", "/files"), stream=True)
        del answer
        gc.collect()
    gateway.close()
    upstream.wait_until(lambda: upstream.connections == 0)

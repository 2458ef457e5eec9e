"""Where requests go: to where the official SDK of the format would send them, with the same base URL."""

from __future__ import annotations

from functools import cache
from urllib.parse import unquote

import pytest

from contract.bench import answered
from contract.endpoints import ENDPOINTS, VARIABLES, every_endpoint, placeholders, whole_and_streamed
from contract.said import Said
from contract.sdks import (
    anthropic_client,
    anthropic_vertex_client,
    azure_client,
    google_client,
    google_vertex_client,
    of_anthropic,
    of_botocore,
    of_google,
    of_openai,
    openai_client,
)

PROJECT, LOCATION = VARIABLES["GOOGLE_CLOUD_PROJECT"], VARIABLES["GOOGLE_CLOUD_LOCATION"]
AZURE = "https://contract.openai.azure.com"
BASES = ("http://127.0.0.1:9", "http://127.0.0.1:9/", "http://127.0.0.1:9/sub/path", "https://example.org:444/sub/")
NO_SDK = {"cohere_chat": "its SDK is not among the test dependencies"}
"""Formats whose official SDK cannot be asked, and why; what they ask for is written down below."""


def asked_for(endpoint, *, streamed, model=None, **target):
    """Return the request that goes out."""
    asked = answered(endpoint, Said(), streamed=streamed, target=endpoint.target(**target))
    (request,) = asked.transport.requests
    return request


def of_sdk(endpoint, base_url, *, streamed):
    """Return the request of the official SDK of a format with this base URL."""
    version = getattr(endpoint.service, "api_version", None)
    return _of_sdk(endpoint.wire, endpoint.model, base_url, version, streamed)


@cache
def _of_sdk(wire, model, base_url, version, streamed):
    if wire in {"openai_chat", "openai_responses"}:
        return of_openai(openai_client(base_url), wire, model, streamed=streamed)
    if wire == "anthropic_messages":
        return of_anthropic(anthropic_client(base_url.removesuffix("/v1")), model, streamed=streamed)
    return of_google(google_client(base_url, version), model, streamed=streamed)


def usual_base(endpoint):
    """Return the base URL of a row, as one would give it to the SDK."""
    service = endpoint.service
    base_url = service.base_urls.get(endpoint.wire, service.base_url)
    for name, value in placeholders().items():
        base_url = base_url.replace(f"{{{name}}}", value)
    return base_url


def is_plain(endpoint):
    """Tell whether an endpoint is a row of data, without a file of its own."""
    return endpoint.provider not in {"azure", "vertex", "bedrock"} and endpoint.wire not in NO_SDK


PLAIN = [endpoint for endpoint in ENDPOINTS if is_plain(endpoint)]
every_plain_endpoint = pytest.mark.parametrize("endpoint", PLAIN, ids=str)


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in PLAIN if endpoint.known], ids=str)
@whole_and_streamed
def test_the_usual_place(endpoint, streamed):
    """The base URL of a row is what one gives to the SDK."""
    ours = asked_for(endpoint, streamed=streamed)
    theirs = of_sdk(endpoint, usual_base(endpoint), streamed=streamed)

    assert ours.url == theirs.url


@every_plain_endpoint
@whole_and_streamed
def test_another_place(endpoint, streamed):
    """Any base URL means what it means to the SDK."""
    for base_url in BASES:
        ours = asked_for(endpoint, streamed=streamed, base_url=base_url)

        assert ours.url == of_sdk(endpoint, base_url, streamed=streamed).url


OURS = {"anthropic_messages": {"x-api-key", "anthropic-version", "authorization"}}
"""Headers that differ on purpose. Anthropic's SDK has begun to show its key as a bearer token and to ask for a version
of October 2026, which most compatible servers do not know; Anthropic takes the older ways as well."""


@every_plain_endpoint
def test_the_headers_that_matter(endpoint):
    """Key and version stand in the headers in which the SDK has them."""
    ours = {name.lower(): value for name, value in asked_for(endpoint, streamed=False).headers}
    theirs = of_sdk(endpoint, BASES[0], streamed=False).headers
    names = {"authorization", "x-api-key", "x-goog-api-key", "anthropic-version", "content-type"}
    names -= OURS.get(endpoint.wire, set())

    assert {name: ours.get(name) for name in names} == {name: theirs.get(name) for name in names}


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses"])
@whole_and_streamed
def test_azure(wire, streamed):
    """The v1 form is OpenAI's own below ``/openai/v1``; a dated version has the deployments in the path."""
    (endpoint,) = (one for one in ENDPOINTS if (one.provider, one.wire) == ("azure", wire))
    theirs = of_openai(openai_client(f"{AZURE}/openai/v1"), wire, endpoint.model, streamed=streamed)
    dated = of_openai(azure_client(AZURE, "2024-10-21"), wire, endpoint.model, streamed=streamed)

    assert asked_for(endpoint, streamed=streamed).url == theirs.url
    assert asked_for(endpoint, streamed=streamed, api_version="2024-10-21").url == dated.url


@pytest.mark.parametrize("location", ["us-central1", "global", "eu"])
@whole_and_streamed
def test_vertex(location, streamed):
    """Google's models, Claude, and the models of others are where the SDKs find them."""
    ends = {endpoint.wire: endpoint for endpoint in ENDPOINTS if endpoint.provider == "vertex"}
    model = ends["gemini"].model
    google = of_google(google_vertex_client(PROJECT, location), model, streamed=streamed)
    claude = of_anthropic(anthropic_vertex_client(PROJECT, location), model, streamed=streamed)

    assert asked_for(ends["gemini"], streamed=streamed, region=location).url == google.url
    assert asked_for(ends["anthropic_messages"], streamed=streamed, region=location).url == claude.url
    assert asked_for(ends["openai_chat"], streamed=streamed, region=location).url.endswith(
        f"/v1/projects/{PROJECT}/locations/{location}/endpoints/openapi/chat/completions"
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@whole_and_streamed
def test_bedrock(region, streamed):
    """Every region has its own host; the id of the model stands in the path."""
    (endpoint,) = (one for one in ENDPOINTS if one.provider == "bedrock")
    ours = asked_for(endpoint, streamed=streamed, region=region)

    assert unquote(ours.url) == unquote(of_botocore(region, endpoint.model, streamed=streamed).url)


@every_endpoint
def test_what_no_sdk_tells(endpoint):
    """Cohere's chat is at ``/v2/chat`` below its base URL."""
    if endpoint.wire not in NO_SDK:
        return
    for base_url in BASES:
        ours = asked_for(endpoint, streamed=False, base_url=base_url)

        assert ours.url == f"{base_url.rstrip('/')}/v2/chat"

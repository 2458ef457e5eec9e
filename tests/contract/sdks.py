"""What the official SDKs ask for: the requests that their clients make, caught before they leave."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import openai
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials as Token

from gateway.secrets_check import KEY

HELLO = [{"role": "user", "content": "hi"}]


class Caught(Exception):
    """A request that an SDK made."""

    def __init__(self, url: str, headers: Any) -> None:
        super().__init__(url)
        self.url = url
        self.headers = headers


def _catch(request: httpx2.Request) -> httpx2.Response:
    raise Caught(str(request.url), request.headers)


def _client() -> httpx2.Client:
    return httpx2.Client(transport=httpx2.MockTransport(_catch))


def _caught(call: Any, **options: Any) -> Caught:
    try:
        answer = call(**options)
        if options.get("stream") is None and hasattr(answer, "__next__"):
            next(answer)  # Google's streams begin when they are read
    except Exception as error:
        link: BaseException | None = error
        while link is not None and not isinstance(link, Caught):
            link = link.__cause__ or link.__context__
        if isinstance(link, Caught):
            return link
        raise
    raise AssertionError("the SDK sent nothing")


def of_openai(client: Any, wire: str, model: str, *, streamed: bool) -> Caught:
    """Return the request of a client of OpenAI's SDK."""
    with client:
        if wire == "openai_responses":
            return _caught(client.responses.create, model=model, input="hi", stream=streamed)
        return _caught(client.chat.completions.create, model=model, messages=HELLO, stream=streamed)


def openai_client(base_url: str) -> openai.OpenAI:
    """Make a client of OpenAI's SDK."""
    return openai.OpenAI(api_key=KEY, base_url=base_url, http_client=_client(), max_retries=0)


def azure_client(endpoint: str, version: str) -> openai.AzureOpenAI:
    """Make a client of OpenAI's SDK for Azure."""
    return openai.AzureOpenAI(
        api_key=KEY, azure_endpoint=endpoint, api_version=version, http_client=_client(), max_retries=0
    )


def of_anthropic(client: Any, model: str, *, streamed: bool) -> Caught:
    """Return the request of a client of Anthropic's SDK."""
    with client:
        return _caught(client.messages.create, model=model, max_tokens=9, messages=HELLO, stream=streamed)


def anthropic_client(base_url: str) -> anthropic.Anthropic:
    """Make a client of Anthropic's SDK."""
    return anthropic.Anthropic(api_key=KEY, base_url=base_url, http_client=_client(), max_retries=0)


def anthropic_vertex_client(project: str, region: str) -> anthropic.AnthropicVertex:
    """Make a client of Anthropic's SDK for Vertex AI."""
    return anthropic.AnthropicVertex(
        project_id=project, region=region, access_token=KEY, http_client=_client(), max_retries=0
    )


def of_google(client: genai.Client, model: str, *, streamed: bool) -> Caught:
    """Return the request of a client of Google's SDK."""
    models = client.models
    try:
        return _caught(
            models.generate_content_stream if streamed else models.generate_content, model=model, contents="hi"
        )
    finally:
        client.close()


def google_client(base_url: str, version: str) -> genai.Client:
    """Make a client of Google's SDK."""
    options = types.HttpOptions(httpx_client=_client(), base_url=base_url, api_version=version)
    return genai.Client(api_key=KEY, http_options=options)


def google_vertex_client(project: str, location: str) -> genai.Client:
    """Make a client of Google's SDK for Vertex AI."""
    options = types.HttpOptions(httpx_client=_client())
    return genai.Client(vertexai=True, project=project, location=location, credentials=Token(KEY), http_options=options)


def of_botocore(region: str, model: str, *, streamed: bool) -> Caught:
    """Return the request of botocore's client of Bedrock."""
    session = Session()
    session._credentials = Credentials("AKIDEXAMPLE", "secret")
    client = session.create_client(
        "bedrock-runtime", region_name=region, config=Config(retries={"total_max_attempts": 1})
    )

    def catch(request: Any, **_: Any) -> None:
        raise Caught(request.url, request.headers)

    client.meta.events.register("before-send.bedrock-runtime", catch)
    messages = [{"role": "user", "content": [{"text": "hi"}]}]
    return _caught(client.converse_stream if streamed else client.converse, modelId=model, messages=messages)

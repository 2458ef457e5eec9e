"""What is built on the newer SDKs, on the newer HTTP library; run by ``nox -s sdks``."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from aigw import Chunk, Gateway, Target, ToolCallDelta
from aigw.testing import ScriptedProvider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class City(BaseModel):
    """What the tests have answered as JSON."""

    name: str
    people: int


CITY = City(name="Oslo", people=700_000)


def gateway_of(*script: Any) -> tuple[Gateway, ScriptedProvider]:
    """Make a gateway with one route to a script."""
    provider = ScriptedProvider(*script)
    return Gateway({"smart": Target(provider, model="m")}), provider


def called(name: str, arguments: str) -> Chunk:
    """Make the answer that calls a tool."""
    return Chunk(tool_calls=(ToolCallDelta(0, "call_1", name, arguments),), finish_reason="tool_calls")


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def test_langchain_openai():
    """LangChain's OpenAI model takes both clients."""
    gateway, provider = gateway_of(
        "hello", called("weather", '{"city": "Oslo"}'), CITY.model_dump_json(), ["so ", "far"], "hello"
    )
    http = gateway.http_client("openai")
    model = ChatOpenAI(
        model="smart", api_key="none", http_client=http, http_async_client=gateway.aio.http_client("openai")
    )
    whole = model.invoke("hi")
    asked = model.bind_tools([weather]).invoke("Rain?")
    parsed = model.with_structured_output(City, method="json_schema").invoke("Which?")
    streamed = "".join(str(chunk.content) for chunk in model.stream("hi"))
    later = asyncio.run(model.ainvoke("hi"))

    assert type(http) is httpx2.Client
    assert (whole.content, streamed, later.content) == ("hello", "so far", "hello")
    assert asked.tool_calls[0]["args"] == {"city": "Oslo"}
    assert parsed == CITY
    assert provider.open == 0


def test_langchain_anthropic():
    """The clients of LangChain's Anthropic model are put in their places."""
    gateway, provider = gateway_of("hello", ["so ", "far"], "hello")
    model = ChatAnthropic(model="smart", api_key="none", max_tokens=9)
    vars(model)["_client"] = anthropic.Anthropic(api_key="none", http_client=gateway.http_client("anthropic"))
    vars(model)["_async_client"] = anthropic.AsyncAnthropic(
        api_key="none", http_client=gateway.aio.http_client("anthropic")
    )
    whole = model.invoke("hi")
    streamed = "".join(str(chunk.content) for chunk in model.stream("hi"))
    later = asyncio.run(model.ainvoke("hi"))

    assert (whole.content, streamed, later.content) == ("hello", "so far", "hello")
    assert len(provider.calls) == 3


def openai_provider(gateway: Gateway) -> OpenAIProvider:
    """Make pydantic-ai's provider of a client of OpenAI's SDK."""
    client = openai.AsyncOpenAI(api_key="none", http_client=gateway.aio.http_client("openai"))
    return OpenAIProvider(openai_client=client)


def anthropic_provider(gateway: Gateway) -> AnthropicProvider:
    """Make pydantic-ai's provider of a client of Anthropic's SDK."""
    client = anthropic.AsyncAnthropic(api_key="none", http_client=gateway.aio.http_client("anthropic"))
    return AnthropicProvider(anthropic_client=client)


def google_provider(gateway: Gateway) -> GoogleProvider:
    """Make pydantic-ai's provider for Google, which takes the HTTP client."""
    return GoogleProvider(api_key="none", http_client=gateway.aio.http_client("gemini"))


@pytest.mark.parametrize(
    ("kind", "provider_of"),
    [
        (OpenAIChatModel, openai_provider),
        (OpenAIResponsesModel, openai_provider),
        (AnthropicModel, anthropic_provider),
        (GoogleModel, google_provider),
    ],
)
def test_pydantic_ai(kind, provider_of):
    """An agent of pydantic-ai calls a tool, returns a value, and streams, over each of the APIs."""
    gateway, provider = gateway_of(
        called("weather", '{"city": "Oslo"}'), called("final_result", CITY.model_dump_json()), ["so ", "far"]
    )
    model = kind("smart", provider=provider_of(gateway))
    agent = Agent(model, output_type=City)
    heard = []

    @agent.tool_plain
    def weather(city: str) -> str:
        heard.append(city)
        return "rain"

    async def main() -> tuple[Any, str]:
        found = await agent.run("Which?")
        async with Agent(model).run_stream("hi") as stream:
            return found.output, await stream.get_output()

    assert asyncio.run(main()) == (CITY, "so far")
    assert heard == ["Oslo"]
    assert len(provider.calls) == 3
    assert provider.open == 0

"""Older SDKs, on the older HTTP library, and what is built on them; run by ``nox -s sdks``."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import groq
import httpx
import instructor
import ollama
import openai
import pytest
from google import genai
from google.genai import types
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aigw import Chunk, Gateway, RateLimited, Target, ToolCallDelta
from aigw.dropin import GatewayTransport
from aigw.testing import FaultyUpstream, ScriptedProvider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

ASKED: Any = [{"role": "user", "content": "Why is the sky blue?"}]


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


def test_the_older_family_is_chosen():
    """These versions depend on httpx, so that is what their clients are made of."""
    gateway, _ = gateway_of()

    assert openai.VERSION.startswith("2.")
    assert [type(gateway.http_client(sdk)) for sdk in ("openai", "anthropic")] == [httpx.Client] * 2
    assert type(gateway.aio.http_client("openai")) is httpx.AsyncClient


def test_openai():
    """OpenAI 2: whole, streamed, parsed, refused once."""
    gateway, provider = gateway_of("hello", ["so ", "far"], CITY.model_dump_json(), RateLimited("no"), ["so ", "far"])
    client = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))
    chat = client.chat.completions
    whole = chat.create(model="smart", messages=ASKED)
    streamed = [chunk.choices[0].delta.content for chunk in chat.create(model="smart", messages=ASKED, stream=True)]
    parsed = chat.parse(model="smart", messages=ASKED, response_format=City)
    with pytest.raises(openai.RateLimitError):
        chat.create(model="smart", messages=ASKED)
    with client.responses.stream(model="smart", input="hi") as stream:
        response = stream.get_final_response()

    assert whole.choices[0].message.content == "hello"
    assert streamed == ["so ", "far", None]
    assert parsed.choices[0].message.parsed == CITY
    assert response.output_text == "so far"
    assert len(provider.calls) == 5


def test_openai_async():
    """OpenAI 2, in an event loop."""
    gateway, provider = gateway_of("hello", ["so ", "far"])

    async def main() -> list[str | None]:
        async with openai.AsyncOpenAI(api_key="none", http_client=gateway.aio.http_client("openai")) as client:
            chat = client.chat.completions
            whole = await chat.create(model="smart", messages=ASKED)
            stream = await chat.create(model="smart", messages=ASKED, stream=True)
            return [whole.choices[0].message.content, *[chunk.choices[0].delta.content async for chunk in stream]]

    assert asyncio.run(main()) == ["hello", "so ", "far", None]
    assert provider.open == 0


def test_anthropic():
    """Anthropic 0.x: whole, streamed, refused once."""
    gateway, provider = gateway_of("hello", ["so ", "far"], RateLimited("no"))
    client = anthropic.Anthropic(api_key="none", http_client=gateway.http_client("anthropic"))
    options: Any = {"model": "smart", "max_tokens": 9, "messages": ASKED}
    whole = client.messages.create(**options)
    with client.messages.stream(**options) as stream:
        streamed = list(stream.text_stream)
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**options)

    assert whole.content[0].text == "hello"
    assert streamed == ["so ", "far"]
    assert len(provider.calls) == 3


def test_gemini():
    """google-genai 2, blocking and not."""
    gateway, _ = gateway_of("hello", ["so ", "far"], "hello")
    clients = {"httpx_client": gateway.http_client("gemini"), "httpx_async_client": gateway.aio.http_client("gemini")}
    client = genai.Client(api_key="none", http_options=types.HttpOptions(**clients))
    whole = client.models.generate_content(model="smart", contents="hi")
    streamed = [chunk.text for chunk in client.models.generate_content_stream(model="smart", contents="hi")]
    later = asyncio.run(client.aio.models.generate_content(model="smart", contents="hi"))

    assert (whole.text, later.text) == ("hello", "hello")
    assert streamed[:2] == ["so ", "far"]


def test_groq():
    """Groq's SDK, which speaks OpenAI's format below another path."""
    gateway, _ = gateway_of("hello", ["so ", "far"], RateLimited("no"))
    client = groq.Groq(api_key="none", http_client=httpx.Client(transport=GatewayTransport(gateway)))
    whole = client.chat.completions.create(model="smart", messages=ASKED)
    streamed = [
        chunk.choices[0].delta.content
        for chunk in client.chat.completions.create(model="smart", messages=ASKED, stream=True)
    ]
    with pytest.raises(groq.RateLimitError):
        client.chat.completions.create(model="smart", messages=ASKED)

    assert whole.choices[0].message.content == "hello"
    assert streamed == ["so ", "far", None]


def test_ollama():
    """Ollama's own API is none that the gateway reads: it goes through to the server, or is told not to be known."""
    with FaultyUpstream() as upstream, Gateway({"smart": Target(upstream.url, model="m")}) as gateway:
        through = ollama.Client(host="http://any", transport=GatewayTransport(gateway))
        with pytest.raises(ollama.ResponseError):
            through.chat(model="smart", messages=ASKED)
    closed = ollama.Client(host="http://any", transport=GatewayTransport(gateway_of()[0]))
    with pytest.raises(ollama.ResponseError, match="cannot pass it on"):
        closed.chat(model="smart", messages=ASKED)

    assert upstream.requests[0].path.endswith("/api/chat")
    assert upstream.requests[0].json["messages"][0]["content"] == ASKED[0]["content"]


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def test_langchain_openai():
    """LangChain's OpenAI model takes both clients: chats, tools, structured output, streams."""
    gateway, provider = gateway_of(
        "hello", called("weather", '{"city": "Oslo"}'), CITY.model_dump_json(), ["so ", "far"], "hello"
    )
    model = ChatOpenAI(
        model="smart",
        api_key="none",
        http_client=gateway.http_client("openai"),
        http_async_client=gateway.aio.http_client("openai"),
    )
    whole = model.invoke("hi")
    asked = model.bind_tools([weather]).invoke("Rain?")
    parsed = model.with_structured_output(City, method="json_schema").invoke("Which?")
    streamed = "".join(str(chunk.content) for chunk in model.stream("hi"))
    later = asyncio.run(model.ainvoke("hi"))

    assert (whole.content, streamed, later.content) == ("hello", "so far", "hello")
    assert asked.tool_calls[0]["args"] == {"city": "Oslo"}
    assert parsed == CITY
    assert provider.open == 0


def test_langchain_anthropic():
    """LangChain's Anthropic model has no argument for a client: its two clients are put in their places."""
    gateway, provider = gateway_of("hello", called("weather", '{"city": "Oslo"}'), ["so ", "far"], "hello")
    model = ChatAnthropic(model="smart", api_key="none", max_tokens=9)
    vars(model)["_client"] = anthropic.Anthropic(api_key="none", http_client=gateway.http_client("anthropic"))
    vars(model)["_async_client"] = anthropic.AsyncAnthropic(
        api_key="none", http_client=gateway.aio.http_client("anthropic")
    )
    whole = model.invoke("hi")
    asked = model.bind_tools([weather]).invoke("Rain?")
    streamed = "".join(str(chunk.content) for chunk in model.stream("hi"))
    later = asyncio.run(model.ainvoke("hi"))

    assert (whole.content, streamed, later.content) == ("hello", "so far", "hello")
    assert asked.tool_calls[0]["args"] == {"city": "Oslo"}
    assert len(provider.calls) == 4


def test_instructor():
    """Instructor gets its model by a tool call, and asks again when the first answer does not fit."""
    gateway, provider = gateway_of(called("City", '{"name": "Oslo"}'), called("City", CITY.model_dump_json()))
    client = instructor.from_openai(openai.OpenAI(api_key="none", http_client=gateway.http_client("openai")))
    found = client.chat.completions.create(model="smart", messages=ASKED, response_model=City, max_retries=2)

    assert found.model_dump() == CITY.model_dump()
    assert len(provider.calls) == 2


def test_pydantic_ai():
    """An agent of pydantic-ai calls a tool and returns a value."""
    gateway, provider = gateway_of(
        called("weather", '{"city": "Oslo"}'), called("final_result", CITY.model_dump_json()), "hello"
    )
    client = openai.AsyncOpenAI(api_key="none", http_client=gateway.aio.http_client("openai"))
    model = OpenAIChatModel("smart", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, output_type=City)
    heard = []

    @agent.tool_plain
    def weather(city: str) -> str:
        heard.append(city)
        return "rain"

    async def main() -> tuple[Any, str]:
        found = await agent.run("Which?")
        plain = await Agent(model).run("hi")
        return found.output, plain.output

    assert asyncio.run(main()) == (CITY, "hello")
    assert heard == ["Oslo"]
    assert len(provider.calls) == 3

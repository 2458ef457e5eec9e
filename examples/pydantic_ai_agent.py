"""pydantic-ai through a gateway: an agent with a tool and a typed result, all of whose requests pass the policies.

The model is a script here, and busy at first. In an application the target would be "anthropic/claude-sonnet-5" and
the like, whatever API the agent's own model speaks.
"""

import asyncio

import openai
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import aigw
from aigw.testing import FakeClock, ScriptedProvider


class Advice(BaseModel):
    """What the agent returns."""

    umbrella: bool
    reason: str


def weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"heavy rain in {city}"


def calls(name: str, arguments: str) -> aigw.Chunk:
    """Make a model's answer that calls a tool; pydantic-ai takes the result of the agent in this way too."""
    return aigw.Chunk(tool_calls=(aigw.ToolCallDelta(0, f"call_{name}", name, arguments),), finish_reason="tool_calls")


async def advise(gateway: aigw.Gateway) -> None:
    """Ask the agent; it takes the async client of OpenAI's SDK."""
    client = openai.AsyncOpenAI(api_key="not used", http_client=gateway.aio.http_client("openai"))
    model = OpenAIChatModel("smart", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, output_type=Advice, tools=[weather])
    with aigw.context(principal="alice", metadata={"feature": "advice"}):
        result = await agent.run("Do I need an umbrella in Oslo?")
    print(repr(result.output))
    print(result.usage.requests, "requests of the agent")


def main() -> None:
    """Run the agent, and show what came to the model."""
    advice = Advice(umbrella=True, reason="heavy rain").model_dump_json()
    busy = aigw.Overloaded("busy", retry_after=9)
    provider = ScriptedProvider(busy, calls("weather", '{"city": "Oslo"}'), calls("final_result", advice))
    with aigw.Gateway({"smart": aigw.Target(provider)}, aigw.standard(), clock=FakeClock()) as gateway:
        asyncio.run(advise(gateway))
    for call in provider.calls:
        print(call.principal.id if call.principal else "nobody", [message.role for message in call.messages])


if __name__ == "__main__":
    main()

"""LangChain through a gateway: its model for OpenAI takes the gateway's clients, and chains stay as they are.

The first target's key is wrong, and the route moves on. In an application the targets would be "openai/gpt-5.5" and
the like, also of a provider whose format LangChain's model does not speak.
"""

import asyncio

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

import aigw
from aigw.testing import ScriptedProvider

CALL = aigw.Chunk(tool_calls=(aigw.ToolCallDelta(0, "call_1", "weather", '{"city": "Oslo"}'),))


class City(BaseModel):
    """What the model answers as JSON."""

    name: str
    people: int


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def main() -> None:
    """Ask with a fallback behind it, then for a tool, a stream, a value, and on an event loop."""
    wrong = ScriptedProvider.repeat(aigw.AuthenticationFailed("the key is wrong"))
    city = City(name="Oslo", people=700_000).model_dump_json()
    spare = ScriptedProvider("It scatters blue light.", CALL, ["The sky ", "is ", "blue."], city, "Because of the air.")
    route = aigw.Fallback(aigw.Target(wrong, model="large"), aigw.Target(spare, model="small"))
    with aigw.Gateway({"smart": route}, aigw.standard()) as gateway:
        model = ChatOpenAI(
            model="smart",
            api_key=SecretStr("not used"),
            http_client=gateway.http_client("openai"),
            http_async_client=gateway.aio.http_client("openai"),
        )
        with aigw.context(principal="alice", tags="example"):
            print(model.invoke("Why is the sky blue?").text)

        asked = model.bind_tools([weather]).invoke("How is the weather in Oslo?")
        print([weather.invoke(call["args"]) for call in asked.tool_calls])
        print(*(chunk.text for chunk in model.stream("Why is the sky blue?") if chunk.text), sep="|")
        print(repr(model.with_structured_output(City, method="json_schema").invoke("Which city?")))
        print(asyncio.run(model.ainvoke("Why?")).text)
    print("asked by", [call.principal.id if call.principal else "nobody" for call in spare.calls])


if __name__ == "__main__":
    main()

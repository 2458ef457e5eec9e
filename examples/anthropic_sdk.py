"""Anthropic's SDK through a gateway, to a model that does not speak its format: messages, a tool, a stream.

The server here speaks OpenAI's format. The SDK does not notice, and neither does the program.
"""

from typing import Any

import anthropic

import aigw
from aigw.testing import FaultyUpstream

WEATHER: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def main() -> None:
    """Let the model ask for the weather, tell it, and read its answer as a stream."""
    with FaultyUpstream("", tool_calls=[CALL]) as server:
        route = aigw.Target(server.url, model="llama-3.3-70b")
        with aigw.Gateway({"claude": route}, aigw.standard()) as gateway:
            client = anthropic.Anthropic(api_key="not used", http_client=gateway.http_client("anthropic"))
            talk: list[Any] = [{"role": "user", "content": "How is the weather in Oslo?"}]

            asked = client.messages.create(model="claude", max_tokens=200, messages=talk, tools=[WEATHER])
            for block in asked.content:
                if block.type == "tool_use":
                    print(f"{asked.stop_reason}: {block.name}({block.input})")
                    result = {"type": "tool_result", "tool_use_id": block.id, "content": "rain"}
                    talk += [{"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]

            server.answer, server.tool_calls = "It is raining in Oslo.", ()
            with client.messages.stream(model="claude", max_tokens=200, messages=talk, tools=[WEATHER]) as stream:
                for text in stream.text_stream:
                    print(text, end="|")
                print(f"\n{stream.get_final_message().usage.output_tokens} tokens")

            print("what the server got:", [message["role"] for message in server.requests[1].json["messages"]])


if __name__ == "__main__":
    main()

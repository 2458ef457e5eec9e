"""OpenAI's SDK through a gateway: one argument more, and the program stays as it is.

Retry, fallback and the trace are the gateway's, and the SDK makes one attempt. Nothing listens on a port for it: the
only server here stands in for the provider. In an application the targets would be "openai/gpt-5.5" and the like.
"""

import openai
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

import aigw
from aigw.testing import FaultyUpstream, Status

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Why is the sky blue?"}]


class City(BaseModel):
    """What the model answers as JSON."""

    name: str
    people: int


def main() -> None:
    """Ask, stream, parse, and be refused."""
    with FaultyUpstream() as broken, FaultyUpstream() as server:
        broken.always(Status(503))
        route = aigw.Fallback(aigw.Target(broken.url, model="large"), aigw.Target(server.url, model="small"))
        with aigw.Gateway({"smart": route}, aigw.standard()) as gateway:
            client = openai.OpenAI(api_key="not used", http_client=gateway.http_client("openai"))

            with aigw.context(principal="alice", tags="example"):
                raw = client.chat.completions.with_raw_response.create(model="smart", messages=ASKED)
            print(raw.parse().choices[0].message.content)
            print(raw.http_response.extensions["aigw.trace"], "\n")

            for chunk in client.chat.completions.create(model="smart", messages=ASKED, stream=True):
                print(chunk.choices[0].delta.content or "", end="|")
            print("\n")

            server.answer = City(name="Oslo", people=700_000).model_dump_json()
            parsed = client.chat.completions.parse(model="smart", messages=ASKED, response_format=City)
            print(repr(parsed.choices[0].message.parsed))

            server.always(Status(429, retry_after=30))
            try:
                client.with_options(timeout=5).responses.create(model="smart", input="Why?")
            except openai.APIStatusError as error:
                print(f"{type(error).__name__}: {error.status_code}, {error.response.headers['x-aigw-error']}")


if __name__ == "__main__":
    main()

"""Decorators: typed functions that ask a model, and policies around a function that asks with a client of its own."""

# mypy: disable-error-code="empty-body"

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import aigw
from aigw.testing import FakeClock, ScriptedProvider

provider = ScriptedProvider('{"mood": "great"}', '{"mood": "good", "reasons": ["the food"]}', ["Come ", "again!"])
gateway = aigw.Gateway({"smart": aigw.Target(provider)}, aigw.standard(), clock=FakeClock())


@dataclass
class Review:
    """What a review says."""

    mood: Literal["good", "bad"]
    reasons: list[str]


@gateway.prompt(model="smart", temperature=0)
def read(review: str) -> Review:
    """What is this review like: {{ review }}?"""


@gateway.prompt(model="smart")
def thank(guest: str) -> Iterator[str]:
    """Thank {{ guest }} for the visit."""


class Client:
    """Stands for the client of a provider, whose server is busy at first."""

    calls = 0

    def create(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """Answer as OpenAI's API does."""
        self.calls += 1
        if self.calls == 1:
            raise ConnectionError("no answer")
        message = {"role": "assistant", "content": f"You said: {messages[-1]['content']}"}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


client = Client()


@gateway.wrap(model="openai/gpt-5.5")
def ask(messages: list[dict[str, str]]) -> dict[str, Any]:
    """Ask with a client of one's own: called as ever, and tried again as the policies say."""
    return client.create(messages)


print(read("The food was lovely."), "after", len(provider.calls), "calls")
print(*thank("Ann"), sep="|")
print(ask([{"role": "user", "content": "hi"}])["choices"][0]["message"]["content"], "in call", client.calls)
print(read.render("…")[0].text)

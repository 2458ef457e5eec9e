"""CPU that an SDK's call through the gateway costs more than the same call over a transport that does nothing.

The answer is canned on both sides: the SDK alone gets it as bytes, event by event, the gateway as a provider's reply.
"""

from __future__ import annotations

import anthropic
import httpx2
import openai
from overhead import Cpu, Row

import aigw
from aigw.reply import Reply
from aigw.wire import anthropic_messages, openai_chat

ASKED = [{"role": "user", "content": "Why is the sky blue?"}]
WORDS = 200
WHOLE = (
    aigw.Chunk(
        "The sky is blue because air scatters short waves of light more than long ones.",
        finish_reason="stop",
        usage=aigw.Usage(12, 16),
        id="chatcmpl-1",
        model="m",
    ),
)
PIECES = (
    *(aigw.Chunk(f"word{number} ", id="chatcmpl-1", model="m") for number in range(WORDS)),
    aigw.Chunk(finish_reason="stop", usage=aigw.Usage(12, WORDS), id="chatcmpl-1", model="m"),
)


class Canned:
    """A provider that has its answers ready."""

    name = where = "canned"

    def check(self) -> None:
        pass

    async def send(self, call: aigw.Call, _: str) -> Reply:
        return Reply.replay(PIECES if call.stream else WHOLE)


def nothing(wire) -> httpx2.Client:
    """Make a client that answers with the same bytes, without reading the request."""
    renderer = wire.StreamRenderer()
    streamed = [*map(renderer.render, PIECES), renderer.finish()]
    whole = wire.render_response(WHOLE)

    def handler(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            return httpx2.Response(200, content=iter(streamed), headers={"content-type": "text/event-stream"})
        return httpx2.Response(200, json=whole)

    return httpx2.Client(transport=httpx2.MockTransport(handler))


def measure(job, calls: int) -> float:
    for _ in range(20):
        job()
    with Cpu(calls) as cpu:
        for _ in range(calls):
            job()
    return cpu.micros


def compare(name: str, ours, peer, rounds: int, calls: int) -> Row:
    """Measure in turns; what counts is what ours costs more."""
    row = Row(name, [], [], 1 / 3)
    for _ in range(rounds):
        alone = measure(peer, calls)
        row.ours.append(measure(ours, calls) - alone)
        row.peer.append(alone)
    return row


def jobs(client) -> tuple:
    """Return what is measured of a client: a whole answer, and a stream."""
    if isinstance(client, openai.OpenAI):

        def create(**options):
            return client.chat.completions.create(model="smart", messages=ASKED, **options)
    else:

        def create(**options):
            return client.messages.create(model="smart", max_tokens=100, messages=ASKED, **options)

    def stream() -> None:
        for _ in create(stream=True):
            pass

    return create, stream


def run(rounds: int = 9, calls: int = 200) -> list[Row]:
    """Measure everything."""
    gateway = aigw.Gateway({"smart": aigw.Target(Canned(), model="m")}, aigw.standard())
    rows = []
    for name, make, wire in (
        ("openai", openai.OpenAI, openai_chat),
        ("anthropic", anthropic.Anthropic, anthropic_messages),
    ):
        ours = jobs(make(api_key="none", http_client=gateway.http_client(name)))
        alone = jobs(make(api_key="none", http_client=nothing(wire)))
        rows.append(compare(f"{name}, a whole answer", ours[0], alone[0], rounds, calls))
        rows.append(compare(f"{name}, a stream of {WORDS} chunks", ours[1], alone[1], rounds, calls // 10))
    return rows


if __name__ == "__main__":
    print(f"{'':34} {'more µs':>8} {'SDK µs':>8}   ratio")
    for row in run():
        print(row)

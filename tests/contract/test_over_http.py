"""Whole flows over a real connection: every format, on both faces, one call after the other."""

from __future__ import annotations

import pytest

from aigw import Message, StreamInterrupted, ToolResult
from contract.bench import written
from contract.endpoints import every_format
from contract.said import Counts, Said
from contract.scenarios import ASKED, CALLS, TOOLS
from contract.server import Scripted, Server
from gateway.faces import FACES
from gateway.secrets_check import KEY, said_by

both_faces = pytest.mark.parametrize("face", FACES)
RICH = Said(thought="Both cities, then.", calls=CALLS)


@pytest.fixture
def server():
    """A server that runs while a test does."""
    with Server() as running:
        yield running


def whole(endpoint, said):
    """Script a whole answer."""
    return Scripted(written(endpoint, said, False))


def stream(endpoint, said, *, cut=None):
    """Script a streamed answer, whole or cut behind some of its events."""
    events = written(endpoint, said, True)
    return Scripted(events[:cut], endpoint.oracle.STREAM_TYPE, cut=cut is not None)


@every_format
@both_faces
def test_a_conversation_with_tools(endpoint, face, server):
    """Ask, get calls as a stream, give results, get a text: the requests are good and share a connection."""
    server.script = [stream(endpoint, RICH), whole(endpoint, Said())]
    with FACES[face]({"r": endpoint.target(base_url=server.url)}) as gateway:
        with gateway.stream(ASKED, tools=TOOLS) as reading:
            reading.rest()
            first = reading.answer
        results = [Message("tool", ToolResult(call.id, "rain")) for call in first.tool_calls]
        second = gateway.chat([ASKED, first.message, *results], tools=TOOLS)
    for body, streamed in zip(server.bodies, (True, False), strict=True):
        endpoint.oracle.check(body, endpoint.provider, streamed=streamed)
    told = endpoint.oracle.tells(endpoint.provider)

    assert len(first.tool_calls) == 2
    assert second.text == Said().text
    assert first.usage == second.usage == Counts().usage(told)
    assert [item[0] for item in endpoint.oracle.read(server.bodies[1], endpoint.provider).items] == [
        "user", "assistant", "call", "call", "result", "result",
    ]  # fmt: skip
    assert len(server.connections) == 1
    assert KEY not in "".join(server.paths)
    assert KEY in server.headers[0][endpoint.oracle.KEY[0]]


@every_format
@both_faces
def test_a_failure_and_then_an_answer(endpoint, face, server):
    """A refusal is an error; the gateway goes on with the next call."""
    failures = endpoint.oracle.failures(endpoint.provider)
    failure = next(one for one in failures if one.name.startswith("it broke"))
    server.script = [Scripted((failure.content,), status=failure.status), stream(endpoint, Said())]
    with FACES[face]({"r": endpoint.target(base_url=server.url)}) as gateway:
        with pytest.raises(failure.kind) as caught:
            gateway.chat("hi")
        text = gateway.read("hi")

    assert caught.value.status == failure.status
    assert KEY not in said_by(caught.value)
    assert text == Said().text


@every_format
@both_faces
def test_a_connection_that_breaks(endpoint, face, server):
    """The stream is interrupted, with the text that came; a text that came whole is not returned as an answer."""
    count = len(written(endpoint, Said(), True))
    server.script = [stream(endpoint, Said(), cut=count - 4)]
    with (
        FACES[face]({"r": endpoint.target(base_url=server.url)}) as gateway,
        pytest.raises(StreamInterrupted) as caught,
    ):
        gateway.read("hi")

    assert caught.value.partial
    assert Said().text.startswith(caught.value.partial)

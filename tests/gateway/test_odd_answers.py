"""Answers that FaultyUpstream does not give: several at once, refusals, unknown fields, the wrong form."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from aigw import BadResponse, Choice, Target, Text
from transport.raw_server import CHUNKED, EVENTS, RawServer, chunk, receive, serve, whole


def choice(index, text, reason=None, *, key="message"):
    """Render a choice."""
    return {"index": index, key: {"content": text}, "finish_reason": reason}


class City(BaseModel):
    """A pydantic model."""

    name: str


def test_several_answers_at_once(face):
    """With ``n`` there are so many choices, streamed or not; the pieces of a stream may come in any order."""
    answers = [choice(0, "red", "stop"), choice(1, "green", "length")]
    pieces = [(1, "gr", None), (0, "r", None), (0, "ed", "stop"), (1, "een", None), (1, "", "length")]

    def answer(server, connection):
        while asked := receive(connection):
            if not json.loads(asked).get("stream"):
                connection.sendall(whole(json.dumps({"choices": answers}).encode()))
                continue
            connection.sendall(EVENTS + CHUNKED)
            for index, text, reason in pieces:
                data = json.dumps({"choices": [choice(index, text, reason, key="delta")]}).encode()
                connection.sendall(chunk(b"data: " + data + b"\n\n"))
            connection.sendall(chunk(b"data: [DONE]\n\n") + chunk(b""))

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")})
        at_once = gateway.chat("a colour", n=2)
        reading = gateway.stream("a colour", n=2)
        reading.rest()
        gateway.close()

    expected = (
        Choice((Text("red"),), finish_reason="stop"),
        Choice((Text("green"),), finish_reason="length", index=1),
    )

    assert at_once.choices == reading.answer.choices == expected
    assert at_once.text == "red"
    assert at_once.usage is None


def test_several_answers_of_which_one_is_cut(face):
    """A stream that ends before each of its answers has ended is cut, even if one of them is whole."""

    def answer(server, connection):
        receive(connection)
        events = [choice(0, "red", "stop", key="delta"), choice(1, "gre", key="delta")]
        connection.sendall(EVENTS + CHUNKED)
        for one in events:
            connection.sendall(chunk(b"data: " + json.dumps({"choices": [one]}).encode() + b"\n\n"))
        connection.sendall(chunk(b""))

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")})
        with pytest.raises(Exception, match="cut after its first output") as caught:
            gateway.read("a colour", n=2)
        gateway.close()

    assert caught.value.partial == "red"


def test_unknown_fields_of_an_answer_are_kept(face):
    """What aigw does not model is in ``extra``."""
    said = {"choices": [choice(0, "hi", "stop")], "service_tier": "flex", "x_new": {"a": 1}}

    def answer(server, connection):
        receive(connection)
        connection.sendall(whole(json.dumps(said).encode()))

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")})
        answer = gateway.chat()
        gateway.close()

    assert answer.extra == {"service_tier": "flex", "x_new": {"a": 1}}


def test_a_refusal_is_no_parsed_answer(face):
    """A model that refuses, or calls a tool, has not broken the schema."""
    refused = {"choices": [{"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"}]}

    def answer(server, connection):
        receive(connection)
        connection.sendall(whole(json.dumps(refused).encode()))

    with RawServer(answer) as server:
        gateway = face({"r": Target(server.url, model="m")})
        answer = gateway.chat(schema=City)
        gateway.close()

    assert (answer.parsed, answer.refusal) == (None, "I cannot")


def test_a_redirect(face):
    """It is not followed: the key would go to somebody else. The error says what is probably wrong."""
    with serve(b"HTTP/1.1 308 Moved\r\nlocation: /v1/\r\ncontent-length: 0\r\n\r\n") as server:
        gateway = face({"r": Target(server.url, model="m")})
        with pytest.raises(BadResponse, match="base URL") as caught:
            gateway.chat()
        gateway.close()

    assert caught.value.status == 308
    assert server.accepted == 1


def test_a_server_that_does_not_stream(face):
    """A whole answer to a call for a stream is a short stream."""
    said = {"choices": [choice(0, "hi", "stop")]}
    with serve(whole(json.dumps(said).encode())) as server:
        gateway = face({"r": Target(server.url, model="m")})
        reading = gateway.stream()
        reading.rest()
        gateway.close()

    assert (reading.answer.text, reading.answer.finish_reason) == ("hi", "stop")


def test_a_server_that_streams_unasked(face):
    """A stream where none was asked for is a BadResponse, not an empty answer."""
    event = b"data: " + json.dumps({"choices": [choice(0, "hi", "stop", key="delta")]}).encode() + b"\n\n"
    with serve(EVENTS + b"content-length: %d\r\n\r\n" % len(event) + event) as server:
        gateway = face({"r": Target(server.url, model="m")})
        with pytest.raises(BadResponse):
            gateway.chat()
        gateway.close()

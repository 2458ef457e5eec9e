"""Text in, text out: at every provider, whole and as a stream, on both faces."""

from __future__ import annotations

import pytest

from aigw import Message, Text
from contract.bench import answered
from contract.endpoints import every_endpoint, whole_and_streamed
from contract.said import SIGNATURE, STRANGE, Called, Said
from contract.scenarios import CALLS

both_faces = pytest.mark.parametrize("face", ["blocking", "async"])


@every_endpoint
@whole_and_streamed
@both_faces
def test_text(endpoint, streamed, face):
    """A question goes out as it is, and the text of the answer comes back, with its id, its model and its end."""
    said = Said()
    asked = answered(endpoint, said, prompt="Will it rain?", streamed=streamed, face=face)
    texts = [chunk.text for chunk in asked.chunks if chunk.text]

    assert asked.request.items == [("user", "Will it rain?")]
    assert asked.notes == []
    assert asked.answer.text == said.text
    assert [type(part) for part in asked.answer.first.parts] == [Text]
    assert asked.answer.finish_reason == "stop"
    assert (asked.answer.id, asked.answer.model) == (endpoint.oracle.ID, endpoint.oracle.ANSWERS_AS)
    assert not streamed or texts == said.pieces


@every_endpoint
def test_a_conversation(endpoint):
    """Instructions and turns keep their order and their speakers."""
    conversation = [
        Message("system", "Be brief."),
        Message("user", "Will it rain?"),
        Message("assistant", "Yes."),
        Message("user", ["Where?", "And when?"]),
    ]
    asked = answered(endpoint, prompt=conversation)

    assert asked.request.said_by("system") == [("system", "Be brief.")]
    assert asked.request.said_by("user", "assistant") == [
        ("user", "Will it rain?"),
        ("assistant", "Yes."),
        ("user", "Where?"),
        ("user", "And when?"),
    ]
    assert asked.notes == []


@every_endpoint
@whole_and_streamed
def test_a_conversation_goes_on(endpoint, streamed):
    """The message of an answer is sent back as what the assistant said."""
    first = answered(endpoint, Said(), streamed=streamed).answer
    asked = answered(endpoint, prompt=[Message("user", "Rain?"), first.message, Message("user", "Thanks.")])

    assert asked.request.items == [("user", "Rain?"), ("assistant", Said().text), ("user", "Thanks.")]
    assert asked.notes == []


@every_endpoint
@whole_and_streamed
def test_what_nobody_has_heard_of(endpoint, streamed):
    """Fields, parts and events that are new pass; the text and the tool calls around them are read as ever."""
    said = Said(calls=CALLS, strange=True)
    asked = answered(endpoint, said, streamed=streamed)
    calls = [(call.name, call.parse()) for call in asked.answer.tool_calls]

    assert asked.answer.text == said.text
    assert calls == [("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})]
    assert asked.answer.finish_reason == "tool_calls"
    assert STRANGE.items() <= asked.answer.extra.items()


@every_endpoint
@whole_and_streamed
def test_what_nobody_has_heard_of_goes_back(endpoint, streamed):
    """Nor does it harm when the conversation goes on at the same provider."""
    said = Said(calls=(Called("weather", '{"city":"Oslo"}'),), thought="Let me think.", strange=True)
    first = answered(endpoint, said, streamed=streamed).answer
    asked = answered(endpoint, prompt=[Message("user", "Rain?"), first.message], judged=False)

    assert asked.request.said_by("call") == [("call", 0, "weather", {"city": "Oslo"})]
    assert asked.request.said_by("assistant") == [("assistant", said.text)]
    assert SIGNATURE not in str(asked.notes)

"""Reasoning: shown, signed, sent back to whom it came from, and to nobody else."""

from __future__ import annotations

import json
from functools import cache

import pytest

from aigw import Message, Reasoning, ToolResult
from contract.bench import answered
from contract.endpoints import ENDPOINTS, every_endpoint, whole_and_streamed
from contract.said import SIGNATURE, Said
from contract.scenarios import ASKED, CALLS, TOOLS

THOUGHT = "The user wants two cities, so I look up both of them."
SPOKEN = Said(thought=THOUGHT)
CALLING = Said(thought=THOUGHT, calls=CALLS)
answers = pytest.mark.parametrize("said", [SPOKEN, CALLING], ids=["text", "calls"])


def going_on(answer):
    """Return the conversation that goes on after an answer."""
    results = [Message("tool", ToolResult(call.id, "rain")) for call in answer.tool_calls]
    return [ASKED, answer.message, *(results or [Message("user", "Thanks.")])]


@every_endpoint
@whole_and_streamed
@answers
def test_it_is_shown(endpoint, streamed, said):
    """The reasoning is there to be read, before the text; the text is not touched by it."""
    answer = answered(endpoint, said, tools=TOOLS, streamed=streamed).answer
    shown = THOUGHT if endpoint.oracle.thinks(endpoint.provider) else ""

    assert answer.reasoning == shown
    assert answer.text == said.text
    assert len(answer.tool_calls) == len(said.calls)
    assert not shown or isinstance(answer.first.parts[0], Reasoning)


@every_endpoint
@whole_and_streamed
@answers
def test_it_goes_back_to_where_it_came_from(endpoint, streamed, said):
    """The provider gets exactly its own block, with its signature, where it came, once."""
    oracle, provider = endpoint.oracle, endpoint.provider
    first = answered(endpoint, said, tools=TOOLS, streamed=streamed).answer
    asked = answered(endpoint, prompt=going_on(first), tools=TOOLS, streamed=streamed)
    shown = oracle.back(said, provider) if oracle.thinks(provider) else []

    assert asked.request.thoughts == shown
    assert json.dumps(asked.body).count(SIGNATURE) == int(oracle.signs(provider))
    assert "".join(text for _, text in asked.request.said_by("assistant")) == said.text


@every_endpoint
@whole_and_streamed
def test_it_survives_a_journey_through_json(endpoint, streamed):
    """A message that was stored says the same as the one that came."""
    message = answered(endpoint, CALLING, tools=TOOLS, streamed=streamed).answer.message
    stored = Message.from_json(message.to_json())
    results = [Message("tool", ToolResult(call.id, "rain")) for call in message.tool_calls]
    bodies = [answered(endpoint, prompt=[ASKED, kept, *results], tools=TOOLS).body for kept in (message, stored)]

    assert bodies[0] == bodies[1]


@every_endpoint
@whole_and_streamed
@pytest.mark.parametrize("calls", [(), CALLS], ids=["text", "calls"])
def test_what_is_hidden_goes_back_too(endpoint, streamed, calls):
    """Reasoning that nobody can read is no text, and still finds its way back, unchanged."""
    oracle, provider = endpoint.oracle, endpoint.provider
    said = Said(hidden=oracle.hides(provider), calls=calls)
    first = answered(endpoint, said, tools=TOOLS, streamed=streamed).answer
    asked = answered(endpoint, prompt=going_on(first), tools=TOOLS)

    assert first.reasoning == ""
    assert first.text == said.text
    assert asked.request.thoughts == (oracle.back(said, provider) if said.hidden else [])


@cache
def signed(signer, said):
    """Return the conversation that goes on after an answer of a provider that signs."""
    return going_on(answered(signer, said, tools=TOOLS).answer)


SIGNERS = [endpoint for endpoint in ENDPOINTS if endpoint.oracle.signs(endpoint.provider)]


@every_endpoint
@pytest.mark.parametrize("said", [SPOKEN, CALLING], ids=["text", "calls"])
def test_nobody_else_gets_the_signature(endpoint, said):
    """The message of another provider's answer arrives without its signature, of whichever format and provider."""
    for signer in SIGNERS:
        if signer.provider == endpoint.provider:
            continue
        asked = answered(endpoint, prompt=signed(signer, said), tools=TOOLS)

        assert SIGNATURE not in json.dumps(asked.body)
        assert signer.wire == endpoint.wire or THOUGHT not in json.dumps(asked.body)
        assert "".join(text for _, text in asked.request.said_by("assistant")) == said.text
        assert any(action == "left out" and "reasoning" in what for action, what in asked.notes)


def test_some_sign():
    """There are providers of four formats at least that sign, so that the tests above are about something."""
    assert len({signer.wire for signer in SIGNERS}) >= 4

"""A conversation that moves from one provider to another: nothing is lost that both can say."""

from __future__ import annotations

import importlib
import json
from functools import cache

import pytest

from aigw import Message, Other, ToolResult
from aigw.errors import NoCapableTarget
from contract.bench import answered, ask
from contract.endpoints import ENDPOINTS, ONE_OF_EACH, every_endpoint, every_format
from contract.said import SIGNATURE, Said
from contract.scenarios import ASKED, CALLS, INLINE, TOOLS

SPECIAL = ("deepseek", "mistral", "openrouter")
"""Servers of OpenAI's format whose messages hold what OpenAI's do not."""

SOURCES = [*ONE_OF_EACH, *(one for one in ENDPOINTS if one.provider in SPECIAL and one.wire == "openai_chat")]
RICH = Said(thought="Both cities, then.", calls=CALLS)
STRANGE = Said(thought="Both cities, then.", calls=CALLS, strange=True)


@cache
def history(source, said, *, streamed):
    """Return a conversation in which a provider called tools."""
    message = answered(source, said, tools=TOOLS, streamed=streamed).answer.message
    results = [ToolResult(call.id, text) for call, text in zip(message.tool_calls, ("rain", "sun"), strict=True)]
    return [ASKED, message, Message("tool", tuple(results))]


def told(request):
    """Return what a request says, pieces of text joined."""
    texts = "".join(text for _, text in request.said_by("assistant"))
    return texts, request.said_by("user", "call", "result")


@every_endpoint
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_an_answer_of_another_provider(endpoint, streamed):
    """Text and tool calls of every other format arrive, with the results at their calls."""
    for source in SOURCES:
        asked = answered(endpoint, prompt=history(source, RICH, streamed=streamed), tools=TOOLS)
        texts, others = told(asked.request)

        assert texts == RICH.text
        assert others == [
            ("user", ASKED.text),
            ("call", 0, "weather", {"city": "Oslo"}),
            ("call", 1, "weather", {"city": "Rome"}),
            ("result", 0, "rain"),
            ("result", 1, "sun"),
        ]
        if source.provider != endpoint.provider:
            assert SIGNATURE not in json.dumps(asked.body)


@every_endpoint
def test_a_part_that_only_another_format_knows(endpoint):
    """It is content: the call is refused and says so, or, if the target may lose it, it is left out with a note."""
    for source in SOURCES:
        conversation = history(source, STRANGE, streamed=False)
        if source.wire == endpoint.wire or not any(isinstance(part, Other) for part in conversation[1].parts):
            continue
        refused = ask(endpoint, prompt=conversation, tools=TOOLS).error
        asked = answered(endpoint, prompt=conversation, tools=TOOLS, target=endpoint.target(strict=False))

        assert isinstance(refused, NoCapableTarget)
        assert "part" in str(refused)
        assert told(asked.request)[0] == STRANGE.text
        assert any(action == "left out" and "part" in what for action, what in asked.notes)
        assert "x_unheard_of" not in json.dumps(asked.body)
        assert "xUnheardOf" not in json.dumps(asked.body)


@every_endpoint
def test_fields_that_only_another_format_knows(endpoint):
    """They are left out, because servers refuse what they do not know; the trace tells of which format they were."""
    for source in SOURCES:
        conversation = history(source, STRANGE, streamed=False)
        known = [part for part in conversation[1].parts if not isinstance(part, Other)]
        message = Message("assistant", known, extra=conversation[1].extra, wire=source.wire)
        asked = answered(
            endpoint, prompt=[ASKED, message, conversation[2]], tools=TOOLS, judged=source.wire != endpoint.wire
        )

        assert source.wire == endpoint.wire or "x_unheard_of" not in json.dumps(asked.body)
        assert told(asked.request)[0] == STRANGE.text


@every_format
def test_some_messages_hold_parts_that_nobody_else_knows(endpoint):
    """The test above is about something: formats made of parts keep an unknown one; OpenAI's chat has no parts."""
    parts = history(endpoint, STRANGE, streamed=False)[1].parts

    assert any(isinstance(part, Other) for part in parts) is (endpoint.wire != "openai_chat")


CONVERSATION = [
    Message("system", "Be brief."),
    Message("user", ["What is this?", INLINE]),
    Message("assistant", "A pixel."),
    Message("user", "And the weather?"),
]


@every_endpoint
def test_a_request_that_was_read_from_another_format(endpoint):
    """What a client wrote in one format is asked in every other as if it had been written by hand."""
    by_hand = answered(endpoint, prompt=CONVERSATION, tools=TOOLS, max_tokens=50).request
    for source in ONE_OF_EACH:
        body = answered(source, prompt=CONVERSATION, tools=TOOLS, max_tokens=50).body
        call = importlib.import_module(f"aigw.wire.{source.wire}").parse_request(body)
        asked = answered(endpoint, prompt=list(call.messages), tools=call.tools, max_tokens=call.max_tokens)

        assert asked.request.items == by_hand.items
        assert asked.request.tools.keys() == by_hand.tools.keys()
        assert asked.request.settings == by_hand.settings


@every_endpoint
def test_texts_that_look_like_something_else(endpoint):
    """Whatever a text looks like, it arrives as the text that it is."""
    odd = ["data: [DONE]\n\n", '{"role": "system"}', "\U0001f600 \u2028 \x7f", "Error: no", "</system>", "\\u0041"]
    asked = answered(endpoint, prompt=Message("user", ["begin", *odd, "end"]))

    assert "".join(text for _, text in asked.request.items) == "".join(["begin", *odd, "end"])

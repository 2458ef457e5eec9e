"""Thought signatures go back on the part on which they came, and to nobody else."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.message import Image, Message, Other, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.gemini import Dialect, parse_request, parse_response, render_request
from wire.gemini.making import NEWER, OLDER, answer, parse, parts_of, rendered, sse, traced

USER = Message("user", "hi")
SKIP = "skip_thought_signature_validator"
CALL = {"functionCall": {"id": "i", "name": "f", "args": {}}}
RESULT = Message("tool", ToolResult("i", "x"))
VERTEX = Dialect(provider="vertex")

PARTS = {
    "thought": [{"text": "hm", "thought": True, "thoughtSignature": "S"}, {"text": "a"}],
    "thought without text": [{"text": "", "thought": True, "thoughtSignature": "S"}, {"text": "a"}],
    "text": [{"text": "a", "thoughtSignature": "S"}],
    "empty text": [{"text": "a"}, {"text": "", "thoughtSignature": "S"}],
    "empty text alone": [{"text": "", "thoughtSignature": "S"}],
    "empty text after a thought": [{"text": "hm", "thought": True}, {"text": "", "thoughtSignature": "S"}],
    "last piece of a text": [{"text": "a"}, {"text": "bc", "thoughtSignature": "S"}, {"text": "d"}],
    "last piece of a thought": [
        {"text": "a", "thought": True},
        {"text": "bc", "thought": True, "thoughtSignature": "S"},
        {"text": "d"},
    ],
    "two texts": [{"text": "a", "thoughtSignature": "S"}, {"text": "a", "thoughtSignature": "T"}],
    "two thoughts": [
        {"text": "a", "thought": True, "thoughtSignature": "S"},
        {"text": "b", "thought": True, "thoughtSignature": "T"},
    ],
    "function call": [{**CALL, "thoughtSignature": "S"}, {"functionCall": {"id": "j", "name": "g", "args": {}}}],
    "image": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thoughtSignature": "S"}],
    "part of another kind": [{"executableCode": {"code": "1"}, "thoughtSignature": "S"}],
}


def next_request(parts: list[dict], *, pieces: bool, model: str = NEWER, dialect: Dialect = Dialect()) -> list[dict]:  # noqa: B008  (frozen)
    """Read an answer of the Gemini API, whole or in pieces, and render it into the next request."""
    if pieces:
        chunks = parse(sse(*[answer(part, reason=None) for part in parts], answer()))
    else:
        chunks = parse_response(answer(*parts))
    message = Message("assistant", parts_of(chunks), wire="gemini")
    body = render_request(Call(messages=(USER, message)), model, dialect)
    return [part for content in body["contents"][1:] for part in content["parts"]]


@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("name", PARTS)
def test_they_come_back_on_their_part(name: str, pieces: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    """Pieces of a text may be joined, but never one with a signature and one without."""
    assert next_request(PARTS[name], pieces=pieces) == PARTS[name]


@pytest.mark.parametrize("name", [name for name in PARTS if name != "two thoughts"])
def test_a_client_that_sends_them_back_is_understood(name: str) -> None:
    """What an unmodified client sends goes to the provider as it came."""
    body = {"contents": [{"role": "model", "parts": PARTS[name]}]}

    assert render_request(parse_request(body, model=NEWER), NEWER)["contents"] == body["contents"]


@pytest.mark.parametrize("name", [name for name in PARTS if name not in ("function call", "empty text alone")])
def test_they_go_to_no_other_provider(name: str) -> None:
    """Not even to one that runs the same models."""
    parts = next_request(PARTS[name], pieces=False, dialect=VERTEX)

    assert "thoughtSignature" not in str(parts)


def test_what_is_left_out_is_noted_once() -> None:
    """The trace tells that reasoning did not go along."""
    chunks = parse_response(answer(*PARTS["thought"], {**CALL, "thoughtSignature": "T"}))
    message = Message("assistant", parts_of(chunks), wire="gemini")
    _, notes = rendered(traced(USER, message), NEWER, VERTEX)

    assert notes == [
        ("left out", "reasoning of another provider"),
        ("emulated", "the thought signature of a function call of another model"),
    ]


def test_a_signature_of_nobody_is_not_sent() -> None:
    """Only the provider whose it is may have it."""
    message = Message("assistant", (Reasoning("hm", "S"), Reasoning("hm", "S", "anthropic"), "a"))

    assert render_request(Call(messages=(USER, message)), NEWER)["contents"][1]["parts"] == [{"text": "a"}]


def test_calls_of_other_models_get_the_documented_word() -> None:
    """The first call of each answer since the user last spoke; the API refuses it without."""
    old = Message("assistant", (ToolCall("o", "f"), Text("a")))
    first = Message("assistant", (Text("a"), ToolCall("i", "f"), ToolCall("j", "f")))
    results = Message("tool", (ToolResult("i", "x"), ToolResult("j", "x")))
    own = Message("assistant", ToolCall("k", "f", extra={"thoughtSignature": {"gemini": "S"}}))
    conversation = (USER, old, Message("tool", ToolResult("o", "x")), USER, first, results, own)
    body, notes = rendered(traced(*conversation, Message("tool", ToolResult("k", "x"))))
    sent = [part.get("thoughtSignature") for content in body["contents"] for part in content["parts"]]

    assert sent == [None, None, None, None, None, None, SKIP, None, None, None, "S", None]
    assert notes == [("emulated", "the thought signature of a function call of another model")]


def test_a_conversation_without_a_question() -> None:
    """Where the user has not spoken, all of it is the current turn."""
    body = render_request(Call(messages=(Message("assistant", ToolCall("i", "f")), RESULT)), NEWER)

    assert body["contents"][0]["parts"][0]["thoughtSignature"] == SKIP


def test_older_models_want_no_word() -> None:
    """They check no signatures."""
    body, notes = rendered(traced(USER, Message("assistant", ToolCall("i", "f")), RESULT), OLDER)

    assert "thoughtSignature" not in str(body)
    assert notes == []


@pytest.mark.parametrize("part", [ToolCall("i", "f"), Image("data:image/png;base64,AA=="), Other({"newKind": {}})])
def test_signatures_written_by_hand_are_sent(part: ToolCall | Image | Other) -> None:
    """Who writes one as it is knows whose it is."""
    extra = {"thoughtSignature": "S"}
    signed = Other({**part.data, **extra}) if isinstance(part, Other) else type(part)(**_fields(part), extra=extra)
    (_, content) = render_request(Call(messages=(USER, Message("assistant", signed))), NEWER)["contents"]

    assert content["parts"][0]["thoughtSignature"] == "S"


def _fields(part: ToolCall | Image) -> dict:
    return {"id": part.id, "name": part.name} if isinstance(part, ToolCall) else {"url": part.url}

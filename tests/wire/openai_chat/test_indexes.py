"""Tool calls in streams of servers that do not number them as they should."""

from __future__ import annotations

import json

import pytest

from aigw.chunk import join_tool_calls
from aigw.message import ToolCall
from aigw.wire.openai_chat import StreamParser, parse_response


def piece(index: int | None = 0, identity: str | None = None, name: str | None = None, arguments: str = "") -> dict:
    """A piece of a tool call."""
    call = {"index": index, "id": identity, "function": {"name": name, "arguments": arguments}}
    return {name: value for name, value in call.items() if value is not None}


def read(*deltas: list[dict], choice: int = 0) -> tuple[ToolCall, ...]:
    """The tool calls of a stream of these deltas."""
    parser = StreamParser()
    chunks = []
    for calls in deltas:
        event = {"choices": [{"index": choice, "delta": {"tool_calls": calls}}]}
        chunks += parser.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    return join_tool_calls(chunks, choice)


@pytest.mark.parametrize("choice", [0, 1])
@pytest.mark.parametrize(
    ("deltas", "calls"),
    [
        pytest.param(
            [[piece(0, "a", "f", "{")], [piece(1, "b", "g", "[")], [piece(0, arguments="}"), piece(1, arguments="]")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]")),
            id="as it should be",
        ),
        pytest.param(
            [[piece(0, "a", "f", "{}")], [piece(0, "b", "g", "[]")], [piece(0, "c", "f", "{}")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"), ToolCall("c", "f", "{}")),
            id="all 0",
        ),
        pytest.param(
            [[piece(0, "a", "f", "{}"), piece(0, "b", "g", "[]")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]")),
            id="all 0 in one event",
        ),
        pytest.param(
            [[piece(None, "a", "f", "{}")], [piece(None, "b", "g", "[]")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]")),
            id="no index at all",
        ),
        pytest.param(
            [[piece(0, "a", "f")], [piece(0, arguments="{}")], [piece(0, "b", "g")], [piece(0, arguments="[]")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]")),
            id="all 0 and in pieces",
        ),
        pytest.param(
            [[piece(0, "a", "f", "{}")], [piece(0, "b", "g", "[]")], [piece(1, "c", "h", "1")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g", "[]"), ToolCall("c", "h", "1")),
            id="a number that is taken already",
        ),
        pytest.param(
            [[piece(0, "a", "f", "{")], [piece(0, "a", "f", "}")]],
            (ToolCall("a", "f", "{}"),),
            id="the id in every piece",
        ),
        pytest.param(
            [[piece(0, "a", "f", "{")], [piece(0, "b", arguments="}")]],
            (ToolCall("a", "f", "{}"),),
            id="another id in every piece, but no name",
        ),
        pytest.param(
            [[piece(0, None, "f", "{")], [piece(0, arguments="}")]], (ToolCall("call_0", "f", "{}"),), id="no id at all"
        ),
        pytest.param(
            [[piece(0, arguments="{")], [piece(0, "a", "f", "}")], [piece(0, "b", "g")]],
            (ToolCall("a", "f", "{}"), ToolCall("b", "g")),
            id="the name comes late",
        ),
        pytest.param([[piece(2, "a", "f", "{}")]], (ToolCall("a", "f", "{}"),), id="not from 0"),
    ],
)
def test_every_call_has_its_own_pieces(choice: int, deltas: list, calls: tuple) -> None:
    """Calls are told apart by their ids where their numbers do not; what belongs together stays together."""
    assert read(*deltas, choice=choice) == calls


def test_a_whole_answer_without_ids() -> None:
    """Calls need an id so that results can be sent: it is made up, the same each time."""
    message = {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"id": "", "function": {"name": "g"}}]}
    chunks = parse_response({"choices": [{"message": message}]})

    assert join_tool_calls(chunks) == (ToolCall("call_0", "f", "{}"), ToolCall("call_1", "g"))


def test_thought_signatures_of_google_go_back() -> None:
    """Google's compatible endpoint has them beside the function; they are kept with the call."""
    signature = {"google": {"thought_signature": "x"}}
    calls = read([{**piece(0, "a", "f", "{}"), "extra_content": signature}])

    assert calls == (ToolCall("a", "f", "{}", {"extra_content": signature}),)

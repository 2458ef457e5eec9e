"""How messages are built up, in OpenAI's chat format and in those that follow it."""

from __future__ import annotations

import pytest

from aigw.call import Call
from aigw.errors import ConfigError
from aigw.message import Message, Part, Text, ToolResult
from aigw.wire.losses import Losses
from aigw.wire.openai_chat.turns import failed, parse_content, render_turn, simplest

HELLO = {"type": "text", "text": "hello"}


def rendered(message: Message) -> list[dict]:
    """Render a message, each object as what it was made of."""
    return render_turn(
        message,
        Losses(Call(), "openai_chat"),
        lambda message, parts, extra: {"speech": [*parts], "role": message.role, **extra},
        lambda result, extra, wire: {"result": result.id, "wire": wire, **extra},
    )


def test_results_come_before_what_is_said_beside_them() -> None:
    """Each result is an object of its own; the fields of the message stand with what is said, if anything is."""
    one, two, text = ToolResult("1", "x"), ToolResult("2", "y"), Text("hello")
    results = [{"result": "1", "wire": "w"}, {"result": "2", "wire": "w"}]
    own = {"wire": "openai_chat", "extra": {"f": 1}}

    assert rendered(Message("tool", (one, two), wire="w")) == results
    assert rendered(Message("user", (one, two), wire="w")) == results
    assert rendered(Message("user", (one, text, two), wire="w")) == [*results, {"speech": [text], "role": "user"}]
    assert rendered(Message("tool", one, **own)) == [{"result": "1", "wire": "openai_chat", "f": 1}]
    assert rendered(Message("user", (one, text), **own))[0] == {"result": "1", "wire": "openai_chat"}
    assert rendered(Message("user", (one, text), **own))[1] == {"speech": [text], "role": "user", "f": 1}


@pytest.mark.parametrize("parts", [(), (Text("x"),), (ToolResult("1", "x"), Text("x"))])
def test_a_tool_says_nothing_but_results(parts: tuple[Part, ...]) -> None:
    """A message of role tool without a result, or with something beside it, is refused."""
    with pytest.raises(ConfigError, match=r"^a message with role tool must hold ToolResult parts and nothing else$"):
        rendered(Message("tool", parts))


@pytest.mark.parametrize(
    ("content", "written"),
    [([], ""), ([HELLO], "hello"), ([HELLO, HELLO], [HELLO, HELLO]), ([{**HELLO, "f": 1}], [{**HELLO, "f": 1}])],
)
def test_a_text_alone_is_written_as_such(content: list[dict], written: object) -> None:
    """One text without further fields is a string; all else is a list."""
    assert simplest(content) == written


def test_that_a_tool_failed_is_said_before_all_else() -> None:
    """The word stands in the text, or in a part of its own."""
    assert failed("oops") == "Error: oops"
    assert failed([HELLO]) == [{"type": "text", "text": "Error:"}, HELLO]


def test_a_content_is_a_text_or_parts() -> None:
    """Parts are read with their paths; no content is an empty text; anything else is refused by its path."""

    def read(part: object, path: str) -> Text:
        return Text(f"{part} at {path}")

    with pytest.raises(ConfigError, match=r"^m\.content must be a string or a list of parts, not int$"):
        parse_content({"content": 1}, "m", read)

    assert parse_content({}, "m", read) == ""
    assert parse_content({"content": "x"}, "m", read) == "x"
    assert parse_content({"content": ["a", "b"]}, "m", read) == (Text("a at m.content[0]"), Text("b at m.content[1]"))

"""How messages are built up in OpenAI's chat format and in those that follow it.

The content of a message is a text or a list of parts, and every result of a tool is a message of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aigw.errors import ConfigError
from aigw.message import Message, Part, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aigw.wire.losses import Losses


def render_turn(
    message: Message,
    losses: Losses,
    speech: Callable[[Message, Sequence[Part], Mapping[str, Any]], dict[str, Any]],
    result: Callable[[ToolResult, Mapping[str, Any], str], dict[str, Any]],
) -> list[dict[str, Any]]:
    """Render a message: one object, and one more of role ``tool`` for every tool result, which come first.

    Args:
        message: the message.
        losses: decides which of its unknown fields may be sent.
        speech: renders what is no tool result, given the message, these parts and its unknown fields.
        result: renders a tool result, given the unknown fields of its message and the ``wire`` of it.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
    """
    others = [part for part in message.parts if not isinstance(part, ToolResult)]
    extra = losses.own(message.extra, message.wire)
    results = [
        result(part, {} if others else extra, message.wire) for part in message.parts if isinstance(part, ToolResult)
    ]
    if message.role == "tool":
        if others or not results:
            raise ConfigError("a message with role tool must hold ToolResult parts and nothing else")
        return results
    return results if results and not others else [*results, speech(message, others, extra)]


def simplest(content: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return a content as it is most often written: a text alone as such, and none as an empty text."""
    if len(content) == 1 and len(content[0]) == 2 and content[0].get("type") == "text":  # noqa: PLR2004  (a type and a text)
        text: str = content[0]["text"]
        return text
    return content or ""


def failed(content: str | list[dict[str, Any]], kind: str = "text") -> str | list[dict[str, Any]]:
    """Say in the content of a result that the tool failed: there is no field for it.

    Args:
        content: what the tool said.
        kind: how the format calls a part that is a text.
    """
    return f"Error: {content}" if isinstance(content, str) else [{"type": kind, "text": "Error:"}, *content]


def parse_content(data: Mapping[str, Any], where: str, read: Callable[[Any, str], Part]) -> str | tuple[Part, ...]:
    """Read the content of a message; empty where it has none.

    Args:
        data: the message.
        where: its path, for errors.
        read: reads a part, given its path.

    Raises:
        ConfigError: it is neither a text nor a list of parts; the message names its path.
    """
    content = data.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        raise ConfigError(f"{where}.content must be a string or a list of parts, not {type(content).__name__}")
    return tuple([read(part, f"{where}.content[{at}]") for at, part in enumerate(content)])

"""A rough guess at the tokens of a call, good to a factor of two, for those who know neither model nor meter.

Routing asks whether a prompt fits at all, and drop-in clients what it may count. A call that runs is counted by its
meter; see `aigw.metering`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.chunk import Usage
from aigw.message import File, Image, Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.answer import Answer
    from aigw.call import Call
    from aigw.chunk import Chunk
    from aigw.message import Message, Part

BYTES_A_TOKEN: Final = 4
"""Bytes of UTF-8 that a token stands for in English text."""

MESSAGE: Final = 4
"""Tokens that a message costs besides its content."""

IMAGE: Final = 765
"""Tokens of an image of middling size."""


def estimate_usage(call: Call, answer: Answer) -> Usage:
    """Guess the usage of a chat from the lengths of its texts.

    Args:
        call: what was asked.
        answer: what came.
    """
    output = _tokens(sum(_size(part) for choice in answer.choices for part in choice.parts))
    return Usage(estimate_input(call), output, estimated=True)


def estimate_output(chunks: Iterable[Chunk]) -> int:
    """Guess the tokens of what came of an answer.

    Args:
        chunks: what came.
    """
    return _tokens(
        sum(
            len((chunk.text + chunk.reasoning + chunk.refusal).encode())
            + sum(len((delta.name or "") + delta.arguments) for delta in chunk.tool_calls)
            + sum(_size(part) for part in chunk.parts)
            for chunk in chunks
        )
    )


def estimate_input(call: Call) -> int:
    """Guess the tokens of a prompt: messages, tools and inputs."""
    size = sum(_size(part) for message in call.messages for part in message.parts)
    size += sum(len(tool.name) + len(tool.description) + len(str(tool.parameters)) for tool in call.tools)
    size += sum(len(text.encode()) for text in (*call.inputs, call.query))
    return _tokens(size) + sum(MESSAGE + IMAGE * _images(message) for message in call.messages)


def _size(part: Part) -> int:
    """Return the bytes of a part that the model reads as text."""
    if isinstance(part, (Text, Reasoning)):
        return len(part.text.encode())
    if isinstance(part, ToolCall):
        return len(part.name) + len(part.arguments.encode())
    if isinstance(part, ToolResult):
        return len(part.content.encode()) if isinstance(part.content, str) else sum(map(_size, part.content))
    return 0


def _images(message: Message) -> int:
    inside = [content for part in message.parts if isinstance(part, ToolResult) for content in part.content]
    return sum(isinstance(part, (Image, File)) for part in (*message.parts, *inside))


def _tokens(size: int) -> int:
    return -(-size // BYTES_A_TOKEN)

"""`spotlit`: marks the tool results of a call, and tells the model what the marks mean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aigw.guards.injection.spotlight import spotlight
from aigw.message import Message, Text, ToolResult

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.guards.injection.spotlight import Method
    from aigw.message import Part


def spotlit(call: Call, method: Method, nonce: str) -> tuple[Call, int]:
    """Mark every tool result, and add the instruction to the system prompt.

    The instruction is there as soon as there are tools, so that the beginning of the conversation stays the same when
    their first result comes, and the provider's cache of prompts goes on working.

    Args:
        call: the call.
        method: how to mark; see `spotlight`.
        nonce: what nobody can know who wrote a tool result; the same for all calls of a conversation.

    Returns:
        The call, and how many texts were marked.
    """
    marked = 0

    def mark(text: str) -> str:
        nonlocal marked
        marked += 1
        return spotlight(text, method=method, nonce=nonce).text

    def changed(part: Part) -> Part:
        if not isinstance(part, ToolResult) or not part.content:
            return part
        if isinstance(part.content, str):
            return replace(part, content=mark(part.content))
        inner = [replace(one, text=mark(one.text)) if isinstance(one, Text) else one for one in part.content]
        return replace(part, content=tuple(inner))

    messages = [_with_parts(message, tuple(map(changed, message.parts))) for message in call.messages]
    if not marked and not call.tools:
        return call, 0
    instruction = spotlight("", method=method, nonce=nonce).instruction
    return call.evolve(messages=tuple(_instructed(messages, instruction))), marked


def _instructed(messages: list[Message], instruction: str) -> list[Message]:
    """Add to the system prompt; some models take only one, at the beginning."""
    if not messages or messages[0].role not in {"system", "developer"}:
        return [Message("system", instruction), *messages]
    first, *others = messages
    *parts, last = first.parts or (Text(""),)
    if isinstance(last, Text):
        last = replace(last, text=f"{last.text}\n\n{instruction}".lstrip())
        return [_with_parts(first, (*parts, last)), *others]
    return [_with_parts(first, (*parts, last, Text(instruction))), *others]


def _with_parts(message: Message, parts: tuple[Part, ...]) -> Message:
    return Message(message.role, parts, message.name, message.extra, message.wire)

"""Messages and tools from the wire in Cohere's chat format; the way there is in `aigw.wire.cohere_chat.speech`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aigw.message import Image, Message, Other, Part, Reasoning, Text, ToolResult
from aigw.wire.cohere_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.cohere_chat.parts import CITATIONS, PLAN, PLAN_MARK, read_part
from aigw.wire.fields import optional, required, rest
from aigw.wire.openai_chat.parts import parse_tool_call
from aigw.wire.openai_chat.turns import parse_content
from aigw.wire.roles import read_role

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLES: Final = ("system", "user", "assistant", "tool")
_MESSAGE: Final = frozenset({"role", "content"})
_ASSISTANT: Final = _MESSAGE | {"tool_calls", PLAN}
_TOOL_MESSAGE: Final = _MESSAGE | {"tool_call_id"}


def parse_message(data: Mapping[str, Any], where: str = "message", dialect: Dialect = DEFAULT) -> Message:
    """Read a message.

    The citations of an assistant's message belong to the last of its texts, as in an answer.

    Args:
        data: one of the ``messages`` of a request.
        where: its path, for errors.
        dialect: how the server differs to which such messages go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    role = read_role(data, _ROLES, where)
    content = parse_content(data, where, lambda part, path: read_part(part, path, dialect.provider))
    if role == "tool":
        return _parse_tool_message(data, content, where)
    parts: list[Part] = ([Text(content)] if content else []) if isinstance(content, str) else list(content)
    if role != "assistant":
        return Message(role, parts, None, rest(data, _MESSAGE), WIRE)
    extra = rest(data, _ASSISTANT)
    if plan := optional(data, PLAN, str, where):
        parts.append(Reasoning(plan, None, dialect.provider, PLAN_MARK))
    _place_citations(parts, extra)
    calls = optional(data, "tool_calls", list, where) or ()
    parts += [parse_tool_call(call, f"{where}.tool_calls[{at}]") for at, call in enumerate(calls)]
    return Message(role, parts, None, extra, WIRE)


def _place_citations(parts: list[Part], extra: dict[str, Any]) -> None:
    """Move the citations to the last text; without one they stay with the message."""
    last = next((at for at in reversed(range(len(parts))) if isinstance(parts[at], Text)), None)
    if last is not None and isinstance(extra.get(CITATIONS), list):
        text = parts[last]
        assert isinstance(text, Text)
        parts[last] = replace(text, extra={**text.extra, CITATIONS: extra.pop(CITATIONS)})


def _parse_tool_message(data: Mapping[str, Any], content: str | tuple[Part, ...], where: str) -> Message:
    said: str | tuple[Text | Image, ...]
    extra: dict[str, Any] = {}
    if isinstance(content, str):
        said = content
    else:
        said = tuple([part for part in content if isinstance(part, (Text, Image))])
        if others := [dict(part.data) for part in content if isinstance(part, Other)]:
            extra["content"] = others  # they go out again after the texts and images
    result = ToolResult(required(data, "tool_call_id", str, where), said, extra=extra)
    return Message("tool", result, None, rest(data, _TOOL_MESSAGE), WIRE)

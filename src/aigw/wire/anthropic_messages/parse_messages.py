"""Messages of a request, from this format.

A field that aigw does not model is kept in the ``extra`` of the value that it belongs to. A field of an inner object
stands in ``extra`` under that object's name, such as ``{"source": {"new_field": 1}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import Image, Message, Other, Part, Reasoning, Text, ToolCall, ToolResult
from aigw.wire.anthropic_messages.dialect import DEFAULT, WIRE
from aigw.wire.anthropic_messages.sources import read_file, read_image
from aigw.wire.anthropic_messages.tools import read_input
from aigw.wire.fields import checked, optional, required, rest
from aigw.wire.roles import read_role

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLES: Final = ("user", "assistant", "system")
REDACTED: Final = "redacted_thinking"
"""The type of a block of thinking that cannot be read; it stands in the extra fields of its `Reasoning`."""


def parse_system(data: Mapping[str, Any]) -> tuple[Message, ...]:
    """Read the ``system`` of a request: one message, or none.

    Raises:
        ConfigError: it does not fit the format.
    """
    parts = _parse_content(data.get("system"), "system", DEFAULT.provider)
    return (Message("system", parts, wire=WIRE),) if parts else ()


def parse_message(data: Any, where: str = "message", provider: str = DEFAULT.provider) -> list[Message]:
    """Read a message.

    A user's message that begins with results of tools gives two: the results have a message of their own.

    Args:
        data: one of the ``messages`` of a request.
        where: its path, for errors.
        provider: the provider whose signatures its thinking has.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    role = read_role(data, _ROLES, where)
    parts = _parse_content(data.get("content"), f"{where}.content", provider)
    extra = rest(data, ("role", "content"))
    results = tuple(part for part in parts if isinstance(part, ToolResult))
    if role != "user" or not results:
        return [Message(role, parts, extra=extra, wire=WIRE)]
    others = tuple(part for part in parts if not isinstance(part, ToolResult))
    if not others:
        return [Message("tool", results, extra=extra, wire=WIRE)]
    if extra:
        return [Message("user", results + others, extra=extra, wire=WIRE)]
    return [Message("tool", results, wire=WIRE), Message("user", others, wire=WIRE)]


def _parse_content(content: Any, where: str, provider: str) -> tuple[Part, ...]:
    if content is None or isinstance(content, str):
        return (Text(content),) if content else ()
    if not isinstance(content, (list, tuple)):
        raise ConfigError(f"{where} must be a string or a list of blocks, not {type(content).__name__}")
    return tuple(parse_block(block, f"{where}[{at}]", provider) for at, block in enumerate(content))


def parse_block(data: Any, where: str, provider: str) -> Part:
    """Read a content block; one that aigw does not model gives `Other`.

    Raises:
        ConfigError: it does not fit the format.
    """
    block = checked(data, dict, where)
    kind = block.get("type")
    if kind == "text":
        return Text(required(block, "text", str, where), rest(block, ("type", "text")))
    if kind == "image":
        return read_image(block, where)
    if kind == "document":
        return read_file(block, where)
    if kind == "tool_result":
        return _parse_result(block, where, provider)
    if kind in ("tool_use", "thinking", REDACTED):
        return _parse_said(block, kind, where, provider)
    return Other(dict(block))


def _parse_said(block: Mapping[str, Any], kind: str, where: str, provider: str) -> Part:
    """Read what only a model says: its thinking and its calls."""
    if kind == "tool_use":
        return ToolCall(
            required(block, "id", str, where),
            required(block, "name", str, where),
            read_input(block.get("input")),
            rest(block, ("type", "id", "name", "input")),
        )
    if kind == "thinking":
        text = required(block, "thinking", str, where)
        signature = optional(block, "signature", str, where) or None
        return Reasoning(text, signature, provider, rest(block, ("type", "thinking", "signature")))
    extra = {"type": REDACTED, **rest(block, ("type", "data"))}
    return Reasoning("", required(block, "data", str, where), provider, extra)


def _parse_result(block: Mapping[str, Any], where: str, provider: str) -> ToolResult:
    extra = rest(block, ("type", "tool_use_id", "content", "is_error"))
    content: Any = block.get("content") or ""
    if not isinstance(content, str):
        # A result holds text and images; blocks of other kinds go out again after them.
        content = checked(content, list, f"{where}.content")
        parts = [parse_block(inner, f"{where}.content[{at}]", provider) for at, inner in enumerate(content)]
        if others := [inner for inner, part in zip(content, parts, strict=True) if not isinstance(part, (Text, Image))]:
            extra["content"] = others
        content = tuple(part for part in parts if isinstance(part, (Text, Image)))
    return ToolResult(
        id=required(block, "tool_use_id", str, where),
        content=content,
        is_error=optional(block, "is_error", bool, where) or False,
        extra=extra,
    )

"""Reading messages, and tools in both directions, in the format of OpenAI chat completions.

Messages are rendered in `aigw.wire.openai_chat.speech`, their parts are in `aigw.wire.openai_chat.parts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, Tool, ToolResult
from aigw.wire.fields import merge, optional, required, rest
from aigw.wire.openai_chat.dialect import DEFAULT, WIRE, Dialect
from aigw.wire.openai_chat.parts import parse_tool_call, read_part, write_file
from aigw.wire.openai_chat.reasoning import DETAILS, THINKING, owner, read_thinking, take_details, take_reasoning
from aigw.wire.openai_chat.turns import parse_content
from aigw.wire.roles import read_role

_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_MESSAGE: Final = frozenset({"role", "content", "name"})
_ASSISTANT: Final = _MESSAGE | {"tool_calls"}
_TOOL_MESSAGE: Final = _MESSAGE | {"tool_call_id"}


def parse_message(data: Mapping[str, Any], where: str = "message", dialect: Dialect = DEFAULT) -> Message:
    """Read a message.

    Args:
        data: one of the ``messages`` of a request.
        where: its path, for errors.
        dialect: how the server differs to which such messages go.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    role = read_role(data, _ROLES, where)
    if role == "tool":
        return _parse_tool_message(data, where)
    content = parse_content(data, where, read_part)
    parts: tuple[Part, ...] = ((Text(content),) if content else ()) if isinstance(content, str) else content
    name = optional(data, "name", str, where)
    if role != "assistant":
        return Message(role, parts, name, {} if _MESSAGE.issuperset(data) else rest(data, _MESSAGE), WIRE)
    extra = rest(data, _ASSISTANT)
    calls = optional(data, "tool_calls", list, where) or ()
    said = [*_parse_thoughts(extra, dialect), *(_thought(part, dialect) for part in parts)]
    said += [parse_tool_call(call, f"{where}.tool_calls[{at}]") for at, call in enumerate(calls)]
    return Message(role, said, name, extra, WIRE)


def _parse_thoughts(extra: dict[str, Any], dialect: Dialect) -> list[Part]:
    """Take the reasoning out of the fields of a message that aigw does not model."""
    text = take_reasoning(extra, dialect.reasoning_fields)
    details = take_details(extra)
    if text is None and details is None:
        return []
    return [Reasoning(text or "", None, owner(dialect), {DETAILS: details} if details else {})]


def _thought(part: Part, dialect: Dialect) -> Part:
    """Read a part of a content as reasoning if it is that."""
    if isinstance(part, Other) and part.data.get("type") == THINKING:
        return read_thinking(part.data, owner(dialect)) or part
    return part


def _parse_tool_message(data: Mapping[str, Any], where: str) -> Message:
    content = parse_content(data, where, read_part)
    extra: dict[str, Any] = {}
    if not isinstance(content, str):
        # A result holds text and images; parts of other kinds go out again after them.
        others = [part for part in content if not isinstance(part, (Text, Image))]
        if others:
            extra["content"] = [dict(part.data) if isinstance(part, Other) else _plain(part) for part in others]
        content = tuple(part for part in content if isinstance(part, (Text, Image)))
    result = ToolResult(
        id=required(data, "tool_call_id", str, where),
        content=content,
        name=optional(data, "name", str, where),
        extra=extra,
    )
    return Message("tool", result, None, rest(data, _TOOL_MESSAGE), WIRE)


def _plain(part: Part) -> dict[str, Any]:
    assert isinstance(part, File)
    return write_file(part, part.extra)


def render_tool(tool: Tool, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render a tool. A tool without parameters gets an empty object schema, because some servers insist on one.

    Args:
        tool: the tool.
        extra: its unknown fields that may go out; by default all.
    """
    extra = tool.extra if extra is None else extra
    if extra.get("type", "function") != "function":
        return dict(extra)
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or _no_parameters()
    if tool.strict is not None:
        function["strict"] = tool.strict
    return merge({"type": "function", "function": function}, extra)


def parse_tool(data: Mapping[str, Any], where: str = "tool") -> Tool:
    """Read a tool. One that is not a function is kept whole in ``Tool.extra``, under the name that it has, or its type.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be an object, not {type(data).__name__}")
    kind = optional(data, "type", str, where) or "function"
    if kind != "function":
        inner = data.get(kind)
        name = inner.get("name") if isinstance(inner, Mapping) else None
        return Tool(name if isinstance(name, str) else kind, extra=dict(data))
    function = required(data, "function", dict, where)
    extra = rest(data, ("type", "function"))
    where = f"{where}.function"
    if unknown := rest(function, ("name", "description", "parameters", "strict")):
        extra["function"] = unknown
    parameters = optional(function, "parameters", dict, where) or {}
    return Tool(
        name=required(function, "name", str, where),
        description=optional(function, "description", str, where) or "",
        parameters={} if parameters == _no_parameters() else parameters,
        strict=optional(function, "strict", bool, where),
        extra=extra,
    )


def _no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}

"""Tools and the choice among them: ``toolConfig``.

A tool that is no function (``systemTool``) is kept whole in ``Tool.extra``, with its kind under ``type``. A cache point
belongs to the tool before it: ``{"cachePoint": {...}}``. Unknown fields of ``toolSpec`` stand in ``Tool.extra`` under
that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aigw.message import Tool
from aigw.wire.bedrock_converse.dialect import ANSWER_TOOL
from aigw.wire.fields import checked, merge, optional, required, rest

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.wire.bedrock_converse.blocks import Block
    from aigw.wire.losses import Losses

MODES: Final = ("auto", "none", "required")
"""Choices that are not the name of a tool."""

FORBIDDEN: Final = "Do not call any tool now. Answer without tools."
"""Told to the model where tools may not be left out, because the conversation has called some."""

_ANSWER: Final = "Takes your answer. Call it exactly once, with the whole answer."


def is_forced(call: Call) -> bool:
    """Tell whether the model must call one of the tools."""
    return bool(call.tools) and call.tool_choice not in (None, "auto", "none")


def render_tools(
    call: Call, messages: Sequence[Mapping[str, Any]], losses: Losses, answer: Mapping[str, Any] | None = None
) -> tuple[Block | None, str]:
    """Render the tools of a call.

    The format cannot forbid tools: they are left out. Where the conversation has called some, the server wants to see
    them all the same (those that nobody describes any more get no parameters), and the model is told.

    Args:
        call: the call.
        messages: its messages, rendered.
        losses: what becomes of things that cannot be said.
        answer: a JSON schema, where the model shall answer by calling a tool of ours; not with a forced tool.

    Returns:
        ``toolConfig``, ``None`` for none; and what the model must be told in addition.
    """
    if call.parallel_tool_calls is False:
        losses.tuning("parallel_tool_calls")
    tools = [block for tool in call.tools for block in _render_tool(tool, call, losses)]
    choice = call.tool_choice if call.tools else None
    called = [block for message in messages for block in message["content"] if _is_call(block)]
    forbidden = choice == "none" or (bool(called) and not tools)
    if forbidden:
        losses.note("that no tool may be called", "emulated")
        names = dict.fromkeys(block["toolUse"].get("name") for block in called)
        tools = (tools or [_spec(name, "", {}) for name in names if name]) if called else []
    rendered = None if choice is None or forbidden else _render_choice(choice)
    if answer is not None:
        rendered = _render_choice("required" if tools and not forbidden else ANSWER_TOOL)
        tools.append(_spec(ANSWER_TOOL, _ANSWER, answer))
    if not tools:
        return None, ""
    config: Block = {"tools": tools} if rendered is None else {"tools": tools, "toolChoice": rendered}
    return config, FORBIDDEN if forbidden and answer is None else ""


def _is_call(block: Mapping[str, Any]) -> bool:
    """Whether it is the call of a tool that the caller runs: those of the server have a type."""
    call = block.get("toolUse")
    return isinstance(call, Mapping) and call.get("type") is None


def _render_choice(choice: str) -> Block:
    return {"auto": {}} if choice == "auto" else {"any": {}} if choice == "required" else {"tool": {"name": choice}}


def _render_tool(tool: Tool, call: Call, losses: Losses) -> list[Block]:
    kind = tool.extra.get("type", "function")
    if kind == "custom" and tool.parameters:  # what Anthropic calls a function; OpenAI's custom tools have no schema
        kind = "function"
    if kind != "function":
        if losses.knows(call.wire):
            return [{member: value} for member, value in tool.extra.items() if member != "type"]
        losses.content(f"a tool of type {kind}")
        return []
    extra = dict(losses.own(tool.extra, call.wire))
    extra.pop("type", None)
    point = extra.pop("cachePoint", None)
    block = _spec(tool.name, tool.description, tool.parameters)
    if tool.strict is not None:
        block["toolSpec"]["strict"] = tool.strict
    block = merge(block, extra)
    return [block] if point is None else [block, {"cachePoint": point}]


def _spec(name: str, description: str, parameters: Mapping[str, Any]) -> Block:
    spec: Block = {"name": name}
    if description.strip():
        spec["description"] = description
    schema = parameters if "type" in parameters else {"type": "object", **parameters}
    spec["inputSchema"] = {"json": schema if parameters else {**schema, "properties": {}}}
    return {"toolSpec": spec}


def parse_tools(config: Mapping[str, Any]) -> tuple[Tool, ...]:
    """Read the tools of a ``toolConfig``.

    Raises:
        ConfigError: one does not fit the format; the message names its path.
    """
    tools: list[Tool] = []
    for at, given in enumerate(optional(config, "tools", list, "toolConfig") or ()):
        where = f"toolConfig.tools[{at}]"
        block = checked(given, dict, where)
        if block.keys() == {"cachePoint"} and tools and "cachePoint" not in tools[-1].extra:
            last = tools[-1]
            extra = {**last.extra, "cachePoint": block["cachePoint"]}
            tools[-1] = Tool(last.name, last.description, last.parameters, last.strict, extra)
        else:
            tools.append(_parse_tool(block, where))
    return tuple(tools)


def _parse_tool(block: Mapping[str, Any], where: str) -> Tool:
    if "toolSpec" not in block or "cachePoint" in block:
        kind = next(iter(block), "")
        inner = block.get(kind)
        name = inner.get("name") if isinstance(inner, Mapping) else None
        return Tool(name if isinstance(name, str) else kind, extra={"type": kind, **block})
    extra = rest(block, ("toolSpec",))
    spec = required(block, "toolSpec", dict, where)
    where = f"{where}.toolSpec"
    schema = required(spec, "inputSchema", dict, where)
    parameters = optional(schema, "json", dict, f"{where}.inputSchema") or {}
    unknown = rest(spec, ("name", "description", "inputSchema", "strict"))
    if schema.keys() != {"json"}:
        unknown["inputSchema"] = dict(schema)
    if unknown:
        extra["toolSpec"] = unknown
    return Tool(
        name=required(spec, "name", str, where),
        description=optional(spec, "description", str, where) or "",
        parameters={} if parameters == {"type": "object", "properties": {}} else parameters,
        strict=optional(spec, "strict", bool, where),
        extra=extra,
    )


def parse_choice(config: Mapping[str, Any]) -> str | None:
    """Read the choice among the tools; ``None`` where there is none, or one that `Call` cannot say.

    Raises:
        ConfigError: it does not fit the format; the message names its path.
    """
    choice = optional(config, "toolChoice", dict, "toolConfig")
    if choice is None or len(choice) != 1:
        return None
    if choice in ({"auto": {}}, {"any": {}}):
        return "auto" if "auto" in choice else "required"
    named = choice.get("tool")
    if not isinstance(named, dict) or named.keys() != {"name"} or named["name"] in MODES:
        return None
    return checked(named["name"], str, "toolConfig.toolChoice.tool.name")

"""Tools, and the choice among them, in the format of OpenAI Responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import Tool
from aigw.wire.fields import optional, required, rest
from aigw.wire.openai_responses.dialect import WIRE

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.wire.losses import Losses

_MODES: Final = ("auto", "none", "required")
_TOOL: Final = frozenset({"type", "name", "description", "parameters", "strict"})


def render_tools(call: Call, losses: Losses) -> list[dict[str, Any]]:
    """Render the tools of a call; those of another format that are no functions are content that is lost."""
    tools = []
    for tool in call.tools:
        kind = tool.extra.get("type", "function")
        if kind != "function" and not losses.knows(call.wire):
            losses.content(f"a tool of type {kind}")
        else:
            tools.append(render_tool(tool, losses.own(tool.extra, call.wire), as_it_came=call.wire == WIRE))
    return tools


def render_tool(tool: Tool, extra: Mapping[str, Any], *, as_it_came: bool = False) -> dict[str, Any]:
    """Render a tool.

    Servers take ``strict`` for true where it is not said, and then make optional parameters required. Everywhere else
    that is not so, and a tool that does not say it is therefore sent as not strict.

    Args:
        tool: the tool.
        extra: those of its fields that aigw does not model and that may be sent.
        as_it_came: it was read from this format, where to say nothing about ``strict`` means what it means.
    """
    if extra.get("type", "function") != "function":
        return dict(extra)
    rendered: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description:
        rendered["description"] = tool.description
    rendered["parameters"] = tool.parameters or _no_parameters()
    if tool.strict is not None or not as_it_came:
        rendered["strict"] = tool.strict or False
    return {**rendered, **extra}


def parse_tool(data: Any, where: str = "tool") -> Tool:
    """Read a tool. One that is not a function is kept whole in ``Tool.extra``, under the name that it has, or its type.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be an object, not {type(data).__name__}")
    kind = optional(data, "type", str, where) or "function"
    if kind != "function":
        name = data.get("name")
        return Tool(name if isinstance(name, str) else kind, extra=dict(data))
    parameters = optional(data, "parameters", dict, where) or {}
    return Tool(
        name=required(data, "name", str, where),
        description=optional(data, "description", str, where) or "",
        parameters={} if parameters == _no_parameters() else parameters,
        strict=optional(data, "strict", bool, where),
        extra=rest(data, _TOOL),
    )


def _no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


def render_tool_choice(call: Call) -> Any:
    """Render the choice of a tool: a mode, or an object that names one."""
    choice = call.tool_choice
    if choice is None or choice in _MODES:
        return choice
    kinds = [tool.extra.get("type", "function") for tool in call.tools if tool.name == choice]
    kind = kinds[0] if kinds and call.wire in ("", WIRE) else "function"
    return {"type": kind} if kind not in ("function", "custom") else {"type": kind, "name": choice}


def take_tool_choice(extra: dict[str, Any]) -> str | None:
    """Take the choice of a tool out of a request, unless it says more than `Call` can."""
    choice = extra.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function":
        name = required(choice, "name", str, "tool_choice")
        if name not in _MODES and not rest(choice, ("type", "name")):
            del extra["tool_choice"]
            return name
    elif isinstance(choice, str) and choice in _MODES:
        del extra["tool_choice"]
        return choice
    return None

"""Declarations of functions and other tools, and which of them the model may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.message import Tool
from aigw.wire.fields import checked, merge, optional, required, rest
from aigw.wire.gemini.names import message, optional_message
from aigw.wire.gemini.schema import to_json_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.wire.gemini.dialect import Dialect
    from aigw.wire.losses import Losses

_FUNCTIONS: Final = "functionDeclarations"
_CONFIG: Final = "functionCallingConfig"
_MODES: Final[Mapping[str, str]] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_CHOICES: Final[Mapping[str, str]] = {mode: choice for choice, mode in _MODES.items()}
_PLAIN: Final = ("function", "custom")
"""Types of tools of other formats that are functions."""


def render_tools(call: Call, dialect: Dialect, losses: Losses) -> list[dict[str, Any]]:
    """Render the tools of a call: all functions in one object, each of the others in its own."""
    functions, others = [], []
    for tool in call.tools:
        kind = tool.extra.get("type", "function")
        if kind in _PLAIN:
            functions.append(_render_function(tool, losses.own(tool.extra, call.wire), dialect, losses))
        elif losses.knows(call.wire):
            others.append(rest(tool.extra, ("type",)))
        else:
            losses.content(f"a tool of type {kind}")
    return [*([{_FUNCTIONS: functions}] if functions else []), *others]


def _render_function(tool: Tool, extra: Mapping[str, Any], dialect: Dialect, losses: Losses) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parametersJsonSchema" if dialect.json_schema else "parameters"] = tool.parameters
    if tool.strict:
        losses.tuning("strict tools")
    return merge(function, extra)


def parse_tools(items: Sequence[Any]) -> tuple[Tool, ...]:
    """Read tools.

    Those that are no functions are kept whole in ``Tool.extra``, whose ``type`` is the name of their first field:
    ``Tool("googleSearch", extra={"type": "googleSearch", "googleSearch": {}})``.

    Raises:
        ConfigError: one does not fit the format; the message names the path of the field.
    """
    tools: list[Tool] = []
    for at, item in enumerate(items):
        where = f"tools[{at}]"
        fields = message(item, where)
        functions = optional(fields, _FUNCTIONS, list, where) or ()
        tools += [_parse_function(one, f"{where}.{_FUNCTIONS}[{n}]") for n, one in enumerate(functions)]
        if others := rest(fields, (_FUNCTIONS,)):
            kind = next(iter(others))
            tools.append(Tool(kind, extra={"type": kind, **others}))
    return tuple(tools)


def _parse_function(item: Any, where: str) -> Tool:
    fields = message(item, where)
    parameters = optional(fields, "parametersJsonSchema", dict, where)
    if parameters is None:
        parameters = to_json_schema(optional(fields, "parameters", dict, where) or {})
    return Tool(
        name=required(fields, "name", str, where),
        description=optional(fields, "description", str, where) or "",
        parameters=parameters,
        extra=rest(fields, ("name", "description", "parameters", "parametersJsonSchema")),
    )


def render_choice(choice: str) -> dict[str, Any]:
    """Render which tools the model may call, as ``toolConfig``."""
    if choice in _MODES:
        return {_CONFIG: {"mode": _MODES[choice]}}
    return {_CONFIG: {"mode": _MODES["required"], "allowedFunctionNames": [choice]}}


def take_choice(extra: dict[str, Any]) -> str | None:
    """Take the choice of tools out of ``toolConfig``, unless it says more than `Call` can.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    config = optional_message(extra, "toolConfig")
    if config is None:
        return None
    extra["toolConfig"] = config
    calling = optional_message(config, _CONFIG, "toolConfig")
    choice = None if calling is None else _choice(calling, f"toolConfig.{_CONFIG}")
    if choice is not None:
        del config[_CONFIG]
        if not config:
            del extra["toolConfig"]
    return choice


def _choice(calling: Mapping[str, Any], where: str) -> str | None:
    mode = optional(calling, "mode", str, where)
    names = optional(calling, "allowedFunctionNames", list, where)
    if mode is None or mode not in _CHOICES or rest(calling, ("mode", "allowedFunctionNames")):
        return None
    if not names:
        return _CHOICES[mode]
    name = checked(names[0], str, f"{where}.allowedFunctionNames[0]")
    return name if len(names) == 1 and mode == _MODES["required"] and name not in _MODES else None

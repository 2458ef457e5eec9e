"""Tools, the choice among them, and the arguments of their calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aigw.errors import ConfigError
from aigw.message import Tool
from aigw.wire.arguments import read_arguments
from aigw.wire.fields import merge, optional, required, rest

if TYPE_CHECKING:
    from aigw.wire.losses import Losses

_MODES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "required": "any"}
_TYPES: Final[Mapping[str, str]] = {kind: mode for mode, kind in _MODES.items()}
_FUNCTION: Final = ("custom", "function")


def read_input(value: Any) -> str:
    """Return the arguments of a call as JSON text, an empty object where there are none."""
    return "{}" if value is None else read_arguments(value)


def render_tool(tool: Tool, origin: str, losses: Losses) -> dict[str, Any] | None:
    """Render a tool. One without parameters gets an empty object schema, because the format insists on one.

    Args:
        tool: the tool.
        origin: the ``wire`` of the call.
        losses: what becomes of a tool that only another format has.
    """
    kind = tool.extra.get("type")
    if not losses.knows(origin) and kind not in (None, "function"):
        losses.content(f"a tool of the type {kind!r}")
        return None
    extra = losses.own(tool.extra, origin)
    if extra.get("type", "custom") not in _FUNCTION:
        return dict(extra)
    rendered: dict[str, Any] = {"name": tool.name}
    if tool.description:
        rendered["description"] = tool.description
    rendered["input_schema"] = {"type": "object", **tool.parameters} if tool.parameters else _no_parameters()
    if tool.strict is not None:
        rendered["strict"] = tool.strict
    return merge(rendered, extra)


def parse_tool(data: Any, where: str = "tool") -> Tool:
    """Read a tool. One that the server runs itself is kept whole in ``Tool.extra``.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be an object, not {type(data).__name__}")
    kind = optional(data, "type", str, where) or "custom"
    if kind != "custom":
        return Tool(optional(data, "name", str, where) or kind, extra=dict(data))
    parameters = required(data, "input_schema", dict, where)
    return Tool(
        name=required(data, "name", str, where),
        description=optional(data, "description", str, where) or "",
        parameters={} if parameters == _no_parameters() else parameters,
        strict=optional(data, "strict", bool, where),
        extra=rest(data, ("name", "description", "input_schema", "strict")),
    )


def _no_parameters() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


def render_tool_choice(choice: str | None, parallel: bool | None) -> dict[str, Any] | None:  # noqa: FBT001  (three-valued)
    """Render the choice of tools; ``None`` where nothing is said about it.

    Whether several tools may be called at once is a part of the choice in this format, and means nothing where no tool
    may be called.
    """
    if choice is None and parallel is None:
        return None
    kind = _MODES.get(choice or "auto")
    rendered: dict[str, Any] = {"type": "tool", "name": choice} if kind is None else {"type": kind}
    if parallel is not None and kind != "none":
        rendered["disable_parallel_tool_use"] = not parallel
    return rendered


def take_tool_choice(extra: dict[str, Any]) -> tuple[str | None, bool | None]:
    """Take the choice of tools out of the fields of a request, unless it says more than `Call` can.

    Returns:
        The choice, and whether several tools may be called at once.
    """
    given = optional(extra, "tool_choice", dict)
    if given is None or rest(given, ("type", "name", "disable_parallel_tool_use")):
        return None, None
    kind = given.get("type")
    choice = _TYPES.get(kind) if isinstance(kind, str) else None
    if kind == "tool":
        choice = required(given, "name", str, "tool_choice")
        if choice in _MODES:
            return None, None
    elif choice is None or given.get("name") is not None:
        return None, None
    disabled = optional(given, "disable_parallel_tool_use", bool, "tool_choice")
    if disabled is not None and kind == "none":
        return None, None
    del extra["tool_choice"]
    return choice, None if disabled is None else not disabled

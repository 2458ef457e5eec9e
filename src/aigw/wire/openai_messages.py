"""Messages and tools in the format of OpenAI chat completions, in both directions.

A field that aigw does not model is kept in the ``extra`` of the value that it belongs to, and put back from there. A
field of an inner object stands in ``extra`` under that object's name, such as ``{"image_url": {"new_field": 1}}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json

from aigw.errors import ConfigError
from aigw.message import File, Image, Message, Other, Part, Reasoning, Text, Tool, ToolCall, ToolResult
from aigw.wire.fields import checked, merge, optional, required, rest
from aigw.wire.openai_dialect import DEFAULT, Dialect

_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_MESSAGE: Final = frozenset({"role", "content", "name"})
_ASSISTANT: Final = _MESSAGE | {"tool_calls"}
_TOOL_MESSAGE: Final = _MESSAGE | {"tool_call_id"}
_TOOL_CALL: Final = frozenset({"index", "id", "type", "function"})


def render_message(message: Message, dialect: Dialect = DEFAULT) -> list[dict[str, Any]]:
    """Render a message: one object, and one more of role ``tool`` for every tool result, which come first.

    Reasoning is left out unless the dialect says where it goes. That a tool failed (``ToolResult.is_error``) has no
    field in this format: the content must say it.

    Raises:
        ConfigError: a message of role ``tool`` holds something else than tool results.
    """
    parts = message.parts
    if len(parts) == 1 and type(part := parts[0]) is Text and not part.extra and message.role != "tool":
        rendered: dict[str, Any] = {"role": message.role, "content": part.text}
        if message.name is not None:
            rendered["name"] = message.name
        return [{**rendered, **message.extra} if message.extra else rendered]
    others = [part for part in parts if not isinstance(part, ToolResult)]
    extra = {} if others else message.extra
    results = [_render_result(part, extra) for part in parts if isinstance(part, ToolResult)]
    if message.role == "tool":
        if others or not results:
            raise ConfigError("a message with role tool must hold ToolResult parts and nothing else")
        return results
    return results if results and not others else [*results, _render_speech(message, others, dialect)]


def _render_speech(message: Message, parts: Sequence[Part], dialect: Dialect) -> dict[str, Any]:
    calls = [_render_call(part) for part in parts if isinstance(part, ToolCall)]
    said = [part for part in parts if not isinstance(part, (ToolCall, Reasoning))]
    content: Any = [_render_part(part) for part in said]
    if len(said) == 1 and isinstance(said[0], Text) and not said[0].extra:
        content = said[0].text
    elif not said:
        content = None if calls or (message.extra and message.role == "assistant") else ""
    rendered: dict[str, Any] = {"role": message.role, "content": content}
    if message.name is not None:
        rendered["name"] = message.name
    if calls:
        rendered["tool_calls"] = calls
    if dialect.reasoning_back and (thought := "".join(part.text for part in parts if isinstance(part, Reasoning))):
        rendered[dialect.reasoning_back] = thought
    return merge(rendered, message.extra)


def _render_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return merge({"type": "text", "text": part.text}, part.extra)
    if isinstance(part, Image):
        image = {"url": part.url} if part.detail is None else {"url": part.url, "detail": part.detail}
        return merge({"type": "image_url", "image_url": image}, part.extra)
    if isinstance(part, File):
        fields = {"file_data": part.url, "file_id": part.file_id, "filename": part.name}
        file = {name: value for name, value in fields.items() if value is not None}
        return merge({"type": "file", "file": file}, part.extra)
    if isinstance(part, Other):
        return dict(part.data)
    raise ConfigError(f"a {type(part).__name__} cannot stand in the content of a message")


def _render_result(result: ToolResult, extra: Mapping[str, Any]) -> dict[str, Any]:
    content: Any = result.content
    if not isinstance(content, str):
        content = [*map(_render_part, content), *result.extra.get("content", ())]
    rendered: dict[str, Any] = {"role": "tool", "tool_call_id": result.id, "content": content}
    if result.name is not None:
        rendered["name"] = result.name
    return merge(merge(rendered, rest(result.extra, ("content",))), extra)


def _render_call(call: ToolCall) -> dict[str, Any]:
    return write_tool_call(call.id, call.name, call.arguments, call.extra)


def write_tool_call(
    identity: str | None, name: str | None, arguments: str, extra: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Render a tool call or a piece of one; the reverse of `read_tool_call`."""
    kind = extra.get("type", "function") if extra else "function"
    payload = {"input" if kind == "custom" else "arguments": arguments}
    rendered: dict[str, Any] = {}
    if identity is not None:
        rendered["id"] = identity
    if identity is not None or name is not None:
        rendered["type"] = kind
    if kind in ("function", "custom"):
        rendered[kind] = payload if name is None else {"name": name, **payload}
    return merge(rendered, extra) if extra else rendered


def read_tool_call(data: Mapping[str, Any]) -> tuple[str | None, str | None, str, dict[str, Any]]:
    """Read a tool call or a piece of one.

    A call of a ``custom`` tool is a call whose arguments are free text, and says so in its extra fields:
    ``{"type": "custom"}``. Of any other type that is not ``function`` all is extra.

    Returns:
        Its id, its name, its arguments, and the fields that aigw does not model.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    kind = optional(data, "type", str) or "function"
    extra = rest(data, _TOOL_CALL)
    if kind != "function":
        extra["type"] = kind
    identity = optional(data, "id", str) or None
    if kind not in ("function", "custom"):
        return identity, None, "", extra
    extra.pop(kind, None)
    payload = optional(data, kind, dict) or {}
    field = "input" if kind == "custom" else "arguments"
    arguments = payload.get(field)
    if isinstance(arguments, dict):  # some servers forget that it is JSON within JSON
        arguments = to_json(arguments).decode()
    elif arguments is not None and not isinstance(arguments, str):
        raise ConfigError(f"{kind}.{field} must be a string, not {type(arguments).__name__}")
    if unknown := rest(payload, ("name", field)):
        extra[kind] = unknown
    return identity, optional(payload, "name", str, kind) or None, arguments or "", extra


def parse_message(data: Mapping[str, Any], where: str = "message") -> Message:
    """Read a message.

    Args:
        data: one of the ``messages`` of a request.
        where: its path, for errors.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{where} must be an object with a role and content, not {type(data).__name__}")
    role = data.get("role")
    if role not in _ROLES:
        raise ConfigError(f"{where}.role must be one of {', '.join(_ROLES)}")
    if role == "tool":
        return _parse_tool_message(data, where)
    content = _parse_content(data, where)
    parts: tuple[Part, ...] = ((Text(content),) if content else ()) if isinstance(content, str) else content
    name = optional(data, "name", str, where)
    if role != "assistant":
        return Message(role, parts, name, {} if _MESSAGE.issuperset(data) else rest(data, _MESSAGE))
    extra = rest(data, _ASSISTANT)
    if (reasoning := take_reasoning(extra, DEFAULT.reasoning_fields)) is not None:
        parts = (Reasoning(reasoning), *parts)
    calls = optional(data, "tool_calls", list, where) or ()
    parts += tuple(_parse_call(call, f"{where}.tool_calls[{at}]") for at, call in enumerate(calls))
    return Message(role, parts, name, extra)


def take_reasoning(extra: dict[str, Any], fields: Sequence[str]) -> str | None:
    """Take the readable reasoning out of the fields that aigw does not model; ``None`` where there is none."""
    found = None
    for field in fields:
        if isinstance(extra.get(field), str):
            text = extra.pop(field)
            found = found or text
    return found or None


def _parse_tool_message(data: Mapping[str, Any], where: str) -> Message:
    content = _parse_content(data, where)
    extra: dict[str, Any] = {}
    if not isinstance(content, str):
        # A result holds text and images; parts of other kinds go out again after them.
        if others := [_render_part(part) for part in content if not isinstance(part, (Text, Image))]:
            extra["content"] = others
        content = tuple(part for part in content if isinstance(part, (Text, Image)))
    result = ToolResult(
        id=required(data, "tool_call_id", str, where),
        content=content,
        name=optional(data, "name", str, where),
        extra=extra,
    )
    return Message("tool", (result,), extra=rest(data, _TOOL_MESSAGE))


def _parse_content(data: Mapping[str, Any], where: str) -> str | tuple[Part, ...]:
    content = data.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, (list, tuple)):
        raise ConfigError(f"{where}.content must be a string or a list of parts, not {type(content).__name__}")
    return tuple(_parse_part(part, f"{where}.content[{at}]") for at, part in enumerate(content))


def _parse_part(data: Any, where: str) -> Part:
    if isinstance(data, str):
        return Text(data)
    data = checked(data, dict, where)
    kind = data.get("type")
    if kind == "text":
        return Text(required(data, "text", str, where), rest(data, ("type", "text")))
    if kind == "image_url":
        return _parse_image(data, where)
    if kind == "file":
        return _parse_file(data, where)
    return Other(dict(data))


def _parse_image(data: Mapping[str, Any], where: str) -> Image:
    extra = rest(data, ("type", "image_url"))
    given = data.get("image_url")
    if isinstance(given, str):
        return Image(given, extra=extra)
    where = f"{where}.image_url"
    image = checked(given, dict, where)
    if unknown := rest(image, ("url", "detail")):
        extra["image_url"] = unknown
    return Image(required(image, "url", str, where), optional(image, "detail", str, where), extra)


def _parse_file(data: Mapping[str, Any], where: str) -> File:
    extra = rest(data, ("type", "file"))
    file = required(data, "file", dict, where)
    where = f"{where}.file"
    if unknown := rest(file, ("file_data", "file_id", "filename")):
        extra["file"] = unknown
    return File(
        optional(file, "file_data", str, where),
        optional(file, "file_id", str, where),
        optional(file, "filename", str, where),
        extra,
    )


def _parse_call(data: Any, where: str) -> ToolCall:
    data = checked(data, dict, where)
    try:
        identity, name, arguments, extra = read_tool_call(data)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from None
    if name is None and "type" not in extra:
        raise ConfigError(f"{where}.function.name is missing")
    return ToolCall(identity or "", name or "", arguments, extra)


def render_tool(tool: Tool) -> dict[str, Any]:
    """Render a tool. A tool without parameters gets an empty object schema, because some servers insist on one."""
    if tool.extra.get("type", "function") != "function":
        return dict(tool.extra)
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or _no_parameters()
    if tool.strict is not None:
        function["strict"] = tool.strict
    return merge({"type": "function", "function": function}, tool.extra)


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

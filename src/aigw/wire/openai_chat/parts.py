"""Parts of messages and tool calls in the format of OpenAI chat completions, as objects of JSON and back.

A field that aigw does not model is kept in the ``extra`` of the value that it belongs to, and put back from there. A
field of an inner object stands in ``extra`` under that object's name, such as ``{"image_url": {"new_field": 1}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.errors import ConfigError
from aigw.message import File, Image, Other, Part, Text, ToolCall
from aigw.wire.fields import checked, merge, optional, required, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOL_CALL: Final = frozenset({"index", "id", "type", "function"})


def write_text(part: Text, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render a text with the unknown fields that may go out."""
    return merge({"type": "text", "text": part.text}, extra)


def write_image(part: Image, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render an image with the unknown fields that may go out."""
    image = {"url": part.url} if part.detail is None else {"url": part.url, "detail": part.detail}
    return merge({"type": "image_url", "image_url": image}, extra)


def write_file(part: File, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render a document with the unknown fields that may go out."""
    fields = {"file_data": part.url, "file_id": part.file_id, "filename": part.name}
    file = {name: value for name, value in fields.items() if value is not None}
    return merge({"type": "file", "file": file}, extra)


def read_part(data: Any, where: str) -> Part:
    """Read a part of a content; one of an unknown type is kept whole.

    Args:
        data: the part, or its text.
        where: its path, for errors.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if isinstance(data, str):
        return Text(data)
    data = checked(data, dict, where)
    kind = data.get("type")
    if kind == "text":
        return Text(required(data, "text", str, where), rest(data, ("type", "text")))
    if kind == "image_url":
        return _read_image(data, where)
    if kind == "file" and "file_id" not in data:  # Mistral's files have another shape, and go out as they came
        return _read_file(data, where)
    return Other(dict(data))


def _read_image(data: Mapping[str, Any], where: str) -> Image:
    extra = rest(data, ("type", "image_url"))
    given = data.get("image_url")
    if isinstance(given, str):
        return Image(given, extra=extra)
    where = f"{where}.image_url"
    image = checked(given, dict, where)
    if unknown := rest(image, ("url", "detail")):
        extra["image_url"] = unknown
    return Image(required(image, "url", str, where), optional(image, "detail", str, where), extra)


def _read_file(data: Mapping[str, Any], where: str) -> File:
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


def parse_tool_call(data: Any, where: str) -> ToolCall:
    """Read a tool call of a request.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    data = checked(data, dict, where)
    try:
        identity, name, arguments, extra = read_tool_call(data)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from None
    if name is None and "type" not in extra:
        raise ConfigError(f"{where}.function.name is missing")
    return ToolCall(identity or "", name or "", arguments, extra)

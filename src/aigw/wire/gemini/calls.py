"""Function calls and their results, in both directions.

The format wants objects where others have text:

- Arguments are an object, see `aigw.wire.arguments`.
- The result of a function is an object. A text goes out as ``{"output": "…"}``, that of a failure as
  ``{"error": "…"}``. Any other object is read as its JSON text, and ``extra={"asObject": True}`` says that this text
  is the object itself.

Ids are not always there. One that was made up for a call says so, ``extra={"madeUpId": True}``, and never goes out in
this format: there are servers that refuse ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from aigw.message import Image, Text, ToolCall, ToolResult
from aigw.wire.arguments import parse_object, read_arguments, write_arguments
from aigw.wire.fields import merge, optional, rest
from aigw.wire.gemini.media import parse_media, render_media
from aigw.wire.gemini.names import message
from aigw.wire.gemini.signatures import give, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.gemini.dialect import Dialect

CALL: Final = "functionCall"
RESULT: Final = "functionResponse"
_OUTPUT: Final = "output"
_ERROR: Final = "error"
_AS_OBJECT: Final = "asObject"
MADE_UP: Final = "madeUpId"


def render_call(call: ToolCall, extra: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Render a function call.

    Args:
        call: the call.
        extra: its fields that may be sent.
        dialect: how the server differs.
    """
    inner: dict[str, Any] = {"name": call.name, "args": write_arguments(call.arguments)}
    if call.id and dialect.call_ids and not extra.get(MADE_UP):
        inner = {"id": call.id, **inner}
    return merge({CALL: inner}, give(rest(extra, (MADE_UP,)), dialect.provider))


def parse_call(part: Mapping[str, Any], provider: str, where: str) -> ToolCall:
    """Read a part with a ``functionCall``. Its id is empty where it has none.

    Args:
        part: the part.
        provider: whose thought signature it may have.
        where: its path, for errors.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    where = f"{where}.{CALL}"
    inner = message(part[CALL], where)
    extra = keep(rest(part, (CALL,)), provider)
    if unknown := rest(inner, ("id", "name", "args")):
        extra[CALL] = unknown
    return ToolCall(
        id=optional(inner, "id", str, where) or "",
        name=optional(inner, "name", str, where) or "",
        arguments=read_arguments(optional(inner, "args", dict, where) or {}),
        extra=extra,
    )


def render_result(result: ToolResult, name: str, extra: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Render the result of a function; several texts become one, in lines of their own.

    Args:
        result: the result.
        name: the function.
        extra: fields of the result that may be sent.
        dialect: how the server differs.
    """
    content = (Text(result.content),) if isinstance(result.content, str) else result.content
    text = "\n".join([part.text for part in content if isinstance(part, Text)])
    inner: dict[str, Any] = {"name": name, "response": _response(text, result, extra)}
    if result.id and dialect.call_ids:
        inner = {"id": result.id, **inner}
    rendered = merge({RESULT: inner}, give(rest(extra, (_AS_OBJECT,)), dialect.provider))
    images = [render_media(part, part.extra, dialect) for part in content if isinstance(part, Image)]
    if images:
        rendered[RESULT]["parts"] = [*images, *rendered[RESULT].get("parts", ())]
    return rendered


def _response(text: str, result: ToolResult, extra: Mapping[str, Any]) -> dict[str, Any]:
    if extra.get(_AS_OBJECT) and (whole := parse_object(text)) is not None:
        return whole
    if not text and not isinstance(result.content, str) and not result.is_error:
        return {}
    return {_ERROR if result.is_error else _OUTPUT: text}


def parse_result(part: Mapping[str, Any], provider: str, where: str) -> ToolResult:
    """Read a part with a ``functionResponse``. Its id is empty where it has none.

    Args:
        part: the part.
        provider: whose thought signature it may have.
        where: its path, for errors.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    where = f"{where}.{RESULT}"
    inner = message(part[RESULT], where)
    extra = keep(rest(part, (RESULT,)), provider)
    response = optional(inner, "response", dict, where) or {}
    media, others = _parse_media(inner, provider, where)
    unknown = rest(inner, ("id", "name", "response", "parts"))
    if others:
        unknown["parts"] = others
    if unknown:
        extra[RESULT] = unknown
    text = _text_of(response)
    if text is None and (response or not media):
        extra[_AS_OBJECT] = True
        text = to_json(response).decode()
    return ToolResult(
        id=optional(inner, "id", str, where) or "",
        content=(*((Text(text),) if text is not None else ()), *media) if media else text or "",
        is_error=_ERROR in response,
        name=optional(inner, "name", str, where),
        extra=extra,
    )


def _text_of(response: Mapping[str, Any]) -> str | None:
    """Return the text of a response that is one; ``None`` if it is an object of another kind."""
    if len(response) == 1:
        ((name, value),) = response.items()
        if name in (_OUTPUT, _ERROR) and isinstance(value, str):
            return value
    return None


def _parse_media(inner: Mapping[str, Any], provider: str, where: str) -> tuple[list[Image], list[Any]]:
    """Return the images among the parts of a result, and the parts that a result of ours cannot hold."""
    images, others = [], []
    for at, item in enumerate(optional(inner, "parts", list, where) or ()):
        part = message(item, f"{where}.parts[{at}]")
        media = parse_media(part, provider, where) if "inlineData" in part or "fileData" in part else None
        if isinstance(media, Image):
            images.append(media)
        else:
            others.append(item)
    return images, others

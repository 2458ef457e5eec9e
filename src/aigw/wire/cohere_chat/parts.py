"""Parts of messages in Cohere's chat format, as objects of JSON and back.

Texts, images and tool calls look as in OpenAI's format, whose functions serve here too. Cohere's own are ``thinking``
and ``document``.

A document, which may be the result of a tool, is a `Text`, so that every other format can say it too and policies see
it. Its extra fields tell what it was: ``{"type": "document", "document": {"id": "1"}}``. The text is the document's
``data``, as JSON if that is an object; one whose data was text already has ``"data": "text"`` beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from aigw.message import Other, Part, Reasoning, Text
from aigw.wire.fields import merge, rest
from aigw.wire.openai_chat.parts import read_part as read_shared_part
from aigw.wire.openai_chat.parts import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

CITATIONS: Final = "citations"
"""Where a text has its citations: they stand beside the content of a message on the wire."""

PLAN: Final = "tool_plan"
"""The field of a message that tells what the model wants to do with its tools. It is reasoning, marked as a plan."""

_DOCUMENT: Final = "document"
_THINKING: Final = "thinking"

PLAN_MARK: Final[Mapping[str, Any]] = {"type": PLAN}
"""The extra field of reasoning that was a plan."""


def is_plan(fields: Mapping[str, Any]) -> bool:
    """Tell by its extra fields whether reasoning is a plan, and no block of thinking."""
    return fields.get("type") == PLAN


def read_part(data: Any, where: str, provider: str) -> Part:
    """Read a part of a content; one of an unknown type is kept whole.

    Args:
        data: the part, or its text.
        where: its path, for errors.
        provider: whose reasoning it is.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field, and quotes nothing.
    """
    if isinstance(data, dict):
        kind = data.get("type")
        if kind == _THINKING and isinstance(data.get(_THINKING), str):
            return Reasoning(data[_THINKING], None, provider, rest(data, ("type", _THINKING)))
        if kind == _DOCUMENT and (document := _read_document(data)) is not None:
            return document
        if kind not in ("text", "image_url"):
            return Other(dict(data))
    return read_shared_part(data, where)


def _read_document(data: Mapping[str, Any]) -> Text | None:
    """Read a document; ``None`` if it does not look as it should."""
    document = data.get(_DOCUMENT)
    content = document.get("data") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(content, (str, dict)):
        return None
    extra: dict[str, Any] = {**rest(data, (_DOCUMENT, "data")), _DOCUMENT: rest(document, ("data",))}
    if isinstance(content, str):
        return Text(content, {**extra, "data": "text"})
    return Text(to_json(content).decode(), extra)


def write_words(part: Text, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render a text, or the document that it was.

    Args:
        part: the text.
        extra: its unknown fields that may go out, except its citations.
    """
    if extra.get("type") != _DOCUMENT:
        return write_text(part, extra)
    content = part.text if extra.get("data") == "text" else _parsed(part.text)
    document = {"data": content, **(extra.get(_DOCUMENT) or {})}
    return {"type": _DOCUMENT, _DOCUMENT: document, **rest(extra, ("type", _DOCUMENT, "data"))}


def _parsed(text: str) -> Any:
    """Return the object that a text is; the text if it is none any more, because a policy has changed it."""
    try:
        value = from_json(text)
    except ValueError:
        return text
    return value if isinstance(value, dict) else text


def write_thinking(text: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render reasoning as a part of a content."""
    return merge({"type": _THINKING, _THINKING: text}, extra)

"""What a user or a tool says, in the format of OpenAI Responses: texts, images and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Other, Text
from aigw.wire.fields import checked, optional, required, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXTS: Final = frozenset({"input_text", "output_text", "text"})
"""Types of content that are a text; clients mix them up."""

_IMAGE: Final = frozenset({"type", "image_url", "detail"})
_FILE: Final = frozenset({"type", "file_data", "file_url", "file_id", "filename"})


def render_content(part: Text | Image | File, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Render a part of an input.

    Args:
        part: the part.
        extra: those of its fields that aigw does not model and that may be sent.
    """
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text, **extra}
    if isinstance(part, Image):
        return {"type": "input_image", "detail": part.detail or "auto", "image_url": part.url, **extra}
    place = "file_url" if (part.url or "").startswith(("https:", "http:")) else "file_data"
    fields = {place: part.url, "file_id": part.file_id, "filename": part.name}
    return {"type": "input_file", **{name: value for name, value in fields.items() if value is not None}, **extra}


def parse_content(data: Any, where: str) -> Text | Image | File | Other:
    """Read a part of an input. An image that was uploaded before is an `Other`, because it has no URL.

    Raises:
        ConfigError: it does not fit the format; the message names the path of the field.
    """
    data = checked(data, dict, where)
    kind = data.get("type")
    if kind in TEXTS:
        return Text(required(data, "text", str, where), rest(data, ("type", "text")))
    if kind == "input_image" and data.get("image_url") is not None:
        detail = optional(data, "detail", str, where)
        url = required(data, "image_url", str, where)
        return Image(url, None if detail == "auto" else detail, rest(data, _IMAGE))
    if kind == "input_file":
        return _parse_file(data, where)
    return Other(dict(data))


def _parse_file(data: Mapping[str, Any], where: str) -> File:
    extra = rest(data, _FILE)
    url, link = optional(data, "file_data", str, where), optional(data, "file_url", str, where)
    if url is not None and link is not None:
        extra["file_url"] = link
    return File(
        link if url is None else url,
        optional(data, "file_id", str, where),
        optional(data, "filename", str, where),
        extra,
    )

"""Images and documents: between URLs, as aigw has them, and the ``source`` objects of this format."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

from aigw.message import File, Image, Other
from aigw.wire.data_urls import join_data_url, split_data_url
from aigw.wire.fields import merge, optional, required, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_PDF: Final = "application/pdf"
_PLAIN: Final = "text/plain"
_TEXTUAL: Final = ("application/json", "application/xml", "application/yaml", "application/x-yaml")


def write_image(image: Image, extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """Render an image; ``None`` if this format has no way to say its URL.

    Args:
        image: the image.
        extra: those of its unknown fields that may be sent.
    """
    if image.url.startswith("data:"):
        media_type, data = split_data_url(image.url)
        media_type = media_type or _PLAIN
        source = {"type": "base64", "media_type": media_type, "data": data}
    elif image.url.startswith(("https:", "http:")):
        source = {"type": "url", "url": image.url}
    else:
        return None
    return merge({"type": "image", "source": source}, extra)


def read_image(block: Mapping[str, Any], where: str) -> Image | Other:
    """Read an image. One that was uploaded has no URL, and stays as it is.

    Raises:
        ConfigError: a field is missing or has the wrong type.
    """
    extra = rest(block, ("type", "source"))
    source = required(block, "source", dict, where)
    where = f"{where}.source"
    kind = source.get("type")
    if kind == "base64":
        url = join_data_url(required(source, "media_type", str, where), required(source, "data", str, where))
        known = {"type", "media_type", "data"}
    elif kind == "url" and required(source, "url", str, where).startswith(("https:", "http:")):
        url = source["url"]
        known = {"type", "url"}
    else:
        return Other(dict(block))
    if unknown := rest(source, known):
        extra["source"] = unknown
    return Image(url, extra=extra)


def write_file(file: File, extra: Mapping[str, Any], *, own: bool) -> tuple[dict[str, Any] | None, str]:
    """Render a document.

    Args:
        file: the document.
        extra: those of its unknown fields that may be sent.
        own: it was read from this format, so its media type is one that the server knows.

    Returns:
        The block, ``None`` if this format has no way to say it; and the media type, if it is sent as another one.
    """
    changed = ""
    if file.file_id is not None:
        source: dict[str, Any] = {"type": "file", "file_id": file.file_id}
    elif file.url is None:
        return None, ""
    elif file.url.startswith("data:"):
        media_type, data = split_data_url(file.url)
        media_type = media_type or _PLAIN
        if media_type.startswith("image/") and not own:
            return write_image(Image(file.url), extra), ""
        text = _text(media_type, data)
        if text is not None:
            source = {"type": "text", "media_type": _PLAIN, "data": text}
            changed = "" if media_type == _PLAIN else media_type
        elif media_type == _PDF or own:
            source = {"type": "base64", "media_type": media_type, "data": data}
        else:
            return None, ""
    elif file.url.startswith(("https:", "http:")):
        source = {"type": "url", "url": file.url}
    else:
        return None, ""
    block: dict[str, Any] = {"type": "document", "source": source}
    if file.name is not None:
        block["title"] = file.name
    return merge(block, extra), changed


def read_file(block: Mapping[str, Any], where: str) -> File | Other:
    """Read a document. One that is made of content blocks stays as it is.

    Raises:
        ConfigError: a field is missing or has the wrong type.
    """
    extra = rest(block, ("type", "source", "title"))
    name = optional(block, "title", str, where)
    source = required(block, "source", dict, where)
    where = f"{where}.source"
    kind = source.get("type")
    url = file_id = None
    if kind == "base64":
        url = join_data_url(required(source, "media_type", str, where), required(source, "data", str, where))
    elif kind == "text":
        text = required(source, "data", str, where)
        url = join_data_url(_PLAIN, b64encode(text.encode(errors="surrogatepass")).decode())
    elif kind == "url" and required(source, "url", str, where).startswith(("https:", "http:")):
        url = source["url"]
    elif kind == "file":
        file_id = required(source, "file_id", str, where)
    else:
        return Other(dict(block))
    if unknown := rest(source, ("type", "media_type", "data", "url", "file_id")):
        extra["source"] = unknown
    return File(url, file_id, name, extra)


def _text(media_type: str, data: str) -> str | None:
    """Return the content if it is text."""
    bare = media_type.partition(";")[0]
    if not bare.startswith("text/") and bare not in _TEXTUAL:
        return None
    try:
        return b64decode(data).decode()
    except ValueError:  # no base64, or no UTF-8
        return None

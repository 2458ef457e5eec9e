"""Images and files: ``inlineData`` for ``data:`` URLs, ``fileData`` for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from aigw.message import File, Image
from aigw.wire.data_urls import join_data_url, split_data_url
from aigw.wire.fields import merge, optional, required, rest
from aigw.wire.gemini.names import message
from aigw.wire.gemini.signatures import give, keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.wire.gemini.dialect import Dialect

_UPLOADED: Final = "https://generativelanguage.googleapis.com/v1beta/"
"""What makes the URI of an uploaded file of its name, which is ``files/…``."""
_STANDARD_BASE64: Final = str.maketrans("-_", "+/")  # Google's SDKs write the other alphabet, and Google reads both
_IMAGE: Final = "image/"
_DETAILS: Final[Mapping[str, str]] = {"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}
_MIME_TYPES: Final[Mapping[str, str]] = {
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "avi": "video/avi",
    "bmp": "image/bmp",
    "css": "text/css",
    "csv": "text/csv",
    "flac": "audio/flac",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mp3",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "rtf": "text/rtf",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "wmv": "video/wmv",
    "xml": "text/xml",
}
"""A table of our own, because Python's depends on the machine. What it does not know is left to the server."""


def render_media(part: Image | File, extra: Mapping[str, Any], dialect: Dialect) -> dict[str, Any] | None:
    """Render an image or file.

    Args:
        part: the image or file.
        extra: its fields that may be sent.
        dialect: how the server differs.

    Returns:
        The part; ``None`` for a file that was uploaded elsewhere, to which no URL leads.
    """
    url = part.url
    name = part.name if isinstance(part, File) and dialect.file_names else None
    if url is None and isinstance(part, File) and part.file_id is not None:
        url = _uploaded(part.file_id)
    if url is None:
        return None
    if url.startswith("data:"):
        mime_type, data = split_data_url(url)
        field, media = "inlineData", {"mimeType": mime_type, "data": data}
    else:
        field, media = "fileData", {"fileUri": url}
        if (guess := _guess(url)) is not None:
            media["mimeType"] = guess
    if name is not None:
        media["displayName"] = name
    rendered: dict[str, Any] = {field: media}
    if isinstance(part, Image) and (level := _DETAILS.get(part.detail or "")) is not None:
        rendered["mediaResolution"] = {"level": level}
    return merge(rendered, give(extra, dialect.provider))


def parse_media(part: Mapping[str, Any], provider: str, where: str) -> Image | File:
    """Read a part with ``inlineData`` or ``fileData``: an `Image` if its type says so, else a `File`.

    Args:
        part: the part.
        provider: whose thought signature it may have.
        where: its path, for errors.

    Raises:
        ConfigError: a field has the wrong type; the message names it.
    """
    field = "inlineData" if "inlineData" in part else "fileData"
    where = f"{where}.{field}"
    media = message(part[field], where)
    mime_type = optional(media, "mimeType", str, where)
    name = optional(media, "displayName", str, where)
    known = {"mimeType"}
    if field == "inlineData":
        known.add("data")
        url = join_data_url(mime_type or "", required(media, "data", str, where).translate(_STANDARD_BASE64))
    else:
        known.add("fileUri")
        url = required(media, "fileUri", str, where)
        if mime_type is not None and mime_type != _guess(url):
            known.discard("mimeType")
        mime_type = mime_type or _guess(url)
    extra = keep(rest(part, (field,)), provider)
    if mime_type is None or not mime_type.startswith(_IMAGE):
        known.add("displayName")
        if unknown := rest(media, known):
            extra[field] = unknown
        return File(url, name=name, extra=extra)
    if unknown := rest(media, known):
        extra[field] = unknown
    return Image(url, _take_detail(extra), extra)


def _take_detail(extra: dict[str, Any]) -> str | None:
    resolution = extra.get("mediaResolution")
    for detail, level in _DETAILS.items():
        if resolution == {"level": level}:
            del extra["mediaResolution"]
            return detail
    return None


def _uploaded(file_id: str) -> str | None:
    if file_id.startswith(("https://", "gs://")):
        return file_id
    return _UPLOADED + file_id if file_id.startswith("files/") else None


def _guess(url: str) -> str | None:
    try:
        path = urlsplit(url).path
    except ValueError:  # a broken IPv6 address, perhaps
        return None
    return _MIME_TYPES.get(path.rpartition(".")[2].lower())

"""Images, documents, videos and sound: blocks with a format and a source on the wire, URLs in `Image` and `File`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from aigw.wire.data_urls import join_data_url, split_data_url

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS: Final[Mapping[str, Mapping[str, str]]] = {
    "image": {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    "document": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "video": {
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "mkv": "video/x-matroska",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "mp4": "audio/mp4",
        "ogg": "audio/ogg",
        "opus": "audio/opus",
        "webm": "audio/webm",
        "mka": "audio/x-matroska",
        "pcm": "audio/pcm",
    },
}
"""For each kind of block the formats that it may have, and their media types."""

_ALIASES: Final[Mapping[str, str]] = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-flac": "audio/flac",
}
_TEXTUAL: Final = re.compile(r"text/|application/(json|xml|yaml|x-yaml|javascript|toml|sql|x-ndjson)$|.*\+(json|xml)$")
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9_]{1,8})$")
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9\s\-()\[\]]")
_LONGEST_NAME: Final = 200


def read_source(kind: str, block: Mapping[str, Any]) -> str | None:
    """Return the content of a block as a URL: ``data:`` or ``s3:``; ``None`` where it says more than a URL can."""
    source, form = block.get("source"), block.get("format")
    if not isinstance(source, dict) or len(source) != 1:
        return None
    location, data = source.get("s3Location"), source.get("bytes")
    if isinstance(location, dict) and location.keys() == {"uri"} and isinstance(location["uri"], str):
        return location["uri"]
    if not isinstance(data, str) or not isinstance(form, str):
        return None
    return join_data_url(FORMATS[kind].get(form, f"{kind}/{form}"), data)


def write_source(kind: str, url: str, *, own: bool) -> dict[str, Any] | None:
    """Return the format and source of a block; ``None`` where the URL cannot be sent. The reverse of `read_source`.

    An S3 location whose name tells no format has none; the format must then come from elsewhere.

    Args:
        kind: the kind of block.
        url: the URL.
        own: it was made by `read_source`, whose unknown formats are taken back.
    """
    if url.startswith("s3://"):
        source: dict[str, Any] = {"s3Location": {"uri": url}}
        form = _by_extension(kind, url)
    elif url.startswith("data:"):
        media_type, data = split_data_url(url)
        source = {"bytes": data}
        media_type = media_type.partition(";")[0].strip().lower()
        form = _by_media_type(kind, media_type)
        if form is None and own and media_type.startswith(f"{kind}/"):
            form = media_type.partition("/")[2]
        if form is None:
            return None
    else:
        return None
    return {"source": source} if form is None else {"format": form, "source": source}


def kind_of(url: str) -> str:
    """Return the kind of block that a file becomes: ``image``, ``video``, ``audio``, else ``document``."""
    if url.startswith("s3://"):
        return next((kind for kind in ("image", "video", "audio") if _by_extension(kind, url)), "document")
    kind = url.removeprefix("data:").partition("/")[0].lower()
    return kind if url.startswith("data:") and kind in FORMATS else "document"


def _by_media_type(kind: str, media_type: str) -> str | None:
    media_type = _ALIASES.get(media_type, media_type)
    for form, known in FORMATS[kind].items():
        if known == media_type:
            return form
    if kind == "document":
        return "txt" if _TEXTUAL.match(media_type) else None
    return None


def _by_extension(kind: str, url: str) -> str | None:
    found = _EXTENSION.search(url)
    extension = found[1].lower() if found else ""
    extension = {"jpg": "jpeg", "3gp": "three_gp", "htm": "html"}.get(extension, extension)
    return extension if extension in FORMATS[kind] else None


class Names:
    """Names of documents as the server takes them: a few characters only, and none twice in a conversation."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str | None) -> str:
        """Return the name that a document gets."""
        given = name or ""
        if _by_extension("document", given):
            given = _EXTENSION.sub("", given)
        legal = " ".join(_ILLEGAL.sub("-", given).split())[: _LONGEST_NAME - 5].strip() or "document"
        unique, number = legal, 1
        while unique in self._taken:
            number += 1
            unique = f"{legal} {number}"
        self._taken.add(unique)
        return unique

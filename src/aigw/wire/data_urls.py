"""``data:`` URLs: images and files that stand in the request itself."""

from __future__ import annotations

from binascii import b2a_base64
from typing import Final
from urllib.parse import unquote_to_bytes

_BASE64: Final = ";base64"


def split_data_url(url: str) -> tuple[str, str]:
    """Cut a ``data:`` URL into its media type, with its parameters, and its content in base64.

    The media type may be empty. Content that is not in base64 is ``text/plain`` where the URL does not say otherwise.
    """
    head, _, content = url.removeprefix("data:").partition(",")
    if head.endswith(_BASE64):
        return head.removesuffix(_BASE64), content
    return head or "text/plain", b2a_base64(unquote_to_bytes(content), newline=False).decode()


def join_data_url(media_type: str, content: str) -> str:
    """Make a ``data:`` URL of a media type, which may be empty, and content in base64."""
    return f"data:{media_type}{_BASE64},{content}"

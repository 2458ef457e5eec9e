"""Links and images that carry data to hosts that the user does not know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL: Final = re.compile(r"(?:https?:)?//[^\s<>\"'`\\)\]}]{3,2000}", re.IGNORECASE)
_IMAGE_BEFORE: Final = re.compile(
    r"(?:!\[[^\]\n]{0,200}\]\(\s{0,3}<?|<img\b[^>]{0,300}\bsrc\s{0,3}=\s{0,3}[\"']?|url\(\s{0,3}[\"']?)\Z",
    re.IGNORECASE,
)
_IMAGE_NAME: Final = re.compile(r"!\[[^\]\n]{0,200}\]\[([^\]\n]{1,80})\]")
_NAMED: Final = re.compile(r"^ {0,3}\[([^\]\n]{1,80})\]:\s{0,3}<?", re.MULTILINE)
_BEFORE: Final = 600
LONGEST_DATA: Final = 40
"""Characters of a query, a fragment or a part of a path that may stand in a link; more are taken for data."""


def find_links(text: str, allowed: tuple[str, ...]) -> Iterator[Span]:
    """Find images of hosts that are not allowed, which are fetched without a click, and links to them that carry data.

    Args:
        text: the text.
        allowed: hosts; each also stands for those below it.
    """
    named = {match[1].lower() for match in _IMAGE_NAME.finditer(text)}
    definitions = {match.end(): match[1].lower() for match in _NAMED.finditer(text)}
    for match in _URL.finditer(text):
        host = _host(match[0])
        if host is None or any(host == one or host.endswith(f".{one}") for one in allowed):
            continue
        is_image = definitions.get(match.start()) in named if match.start() in definitions else False
        if (
            is_image
            or _IMAGE_BEFORE.search(text, max(0, match.start() - _BEFORE), match.start())
            or _has_data(match[0])
        ):
            yield Span(match.start(), match.end(), "EXFILTRATION", 0.9)


def _host(url: str) -> str | None:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower() or None
    except ValueError:  # a broken address of IPv6: no browser goes there
        return None


def _has_data(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    labels = (parts.hostname or "").split(".")
    pieces = [parts.query, parts.fragment, *parts.path.split("/"), *labels]
    return any(len(piece) > LONGEST_DATA for piece in pieces)

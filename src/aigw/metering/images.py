"""What images cost, in tokens, and how large they are: read off their headers, without decoding them."""

from __future__ import annotations

import math
from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from aigw.message import Image

USUAL: Final = (1024, 1024)
"""Width and height of an image whose size is not known, such as one that is given by a link."""

LONGEST_HEAD: Final = 200
"""Characters of a ``data:`` URL within which its content begins."""

MOST_SEGMENTS: Final = 64
"""Segments of a JPEG that are looked at; its size stands after a few, of metadata."""

START_OF_FRAME: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the segments of a JPEG that tell its size."""


class ImageRule(Protocol):
    """How a model counts images."""

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        """Count the tokens of an image.

        Args:
            width: its width in pixels.
            height: its height in pixels.
            detail: how closely the model should look: ``low``, ``high``, ``auto`` or nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Every image costs the same.

    Args:
        each: tokens of an image.
    """

    each: int

    def tokens(self, width: int, height: int, detail: str | None) -> int:  # noqa: ARG002  (as the protocol has it)
        """Return the tokens of any image."""
        return self.each


@dataclass(frozen=True, slots=True)
class Tiles:
    """OpenAI's older rule: a base, and as much for each tile of 512 pixels, of an image that is scaled to fit.

    The image is made to fit into 2048 by 2048 pixels, and then to have a shorter side of at most 768.

    Args:
        base: tokens of every image, and all tokens with ``detail="low"``.
        tile: tokens of a tile.
    """

    base: int
    tile: int

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        """Count the tiles."""
        if detail == "low":
            return self.base
        shrink = min(1.0, 2048 / max(width, height))
        shrink *= min(1.0, 768 / (min(width, height) * shrink))
        across, down = (max(math.ceil(round(side * shrink, 6) / 512), 1) for side in (width, height))
        return self.base + self.tile * across * down


@dataclass(frozen=True, slots=True)
class Patches:
    """OpenAI's newer rule: patches of 32 pixels, of an image that is scaled down to have not more than so many.

    Args:
        each: tokens of a patch.
        most: patches of an image at most.
    """

    each: float
    most: int

    def tokens(self, width: int, height: int, detail: str | None) -> int:
        """Count the patches; ``detail="low"`` looks at 512 by 512 pixels."""
        most = min(self.most, 256) if detail == "low" else self.most
        count = math.ceil(width / 32) * math.ceil(height / 32)
        if count > most:
            shrink = math.sqrt(most * 32 * 32 / (width * height))
            across, down = width * shrink / 32, height * shrink / 32
            # Shrink a little more, so that the patches of one side come out whole.
            shrink = min(max(math.floor(across), 1) / across, max(math.floor(down), 1) / down)
            count = min(math.ceil(round(across * shrink, 6)) * math.ceil(round(down * shrink, 6)), most)
        return math.ceil(round(count * self.each, 6))


@dataclass(frozen=True, slots=True)
class Area:
    """Anthropic's rule: a token for so many pixels, of an image whose longer side is made to fit.

    Args:
        pixels: pixels of a token.
        side: pixels of the longer side at most.
        most: tokens of an image at most.
    """

    pixels: int
    side: int
    most: int

    def tokens(self, width: int, height: int, detail: str | None) -> int:  # noqa: ARG002  (as the protocol has it)
        """Count the pixels."""
        shrink = min(1.0, self.side / max(width, height))
        return max(min(math.ceil(width * height * shrink * shrink / self.pixels), self.most), 1)


MIDDLING: Final = Fixed(765)
"""For models whose rule is not known."""


def image_tokens(image: Image, rule: ImageRule) -> int:
    """Count the tokens of an image; one whose size cannot be told counts as 1024 by 1024 pixels."""
    width, height = (USUAL if isinstance(rule, Fixed) else size_of(image.url)) or USUAL
    return rule.tokens(width, height, image.detail)


def size_of(url: str) -> tuple[int, int] | None:
    """Return width and height of a PNG, JPEG, GIF or WebP image in a ``data:`` URL; ``None`` if not found."""
    if not url.startswith("data:"):
        return None
    start = url.find(",", 0, LONGEST_HEAD) + 1
    if not url[:start].endswith(";base64,"):
        return None
    data = _Base64(url, start)
    try:
        size = _png(data) or _gif(data) or _webp(data) or _jpeg(data)
    except (Base64Error, ValueError):
        return None
    return size if size and min(size) > 0 else None


class _Base64:
    """Reads pieces of what a URL holds in base64, and decodes no more than those."""

    def __init__(self, url: str, start: int) -> None:
        self._url = url
        self._start = start

    def __getitem__(self, piece: slice) -> bytes:
        begin = piece.start // 3
        end = -(-piece.stop // 3)
        decoded = a2b_base64(self._url[self._start + begin * 4 : self._start + end * 4])
        wanted = decoded[piece.start - begin * 3 : piece.stop - begin * 3]
        if len(wanted) < piece.stop - piece.start:
            raise ValueError("the image ends before its size")
        return wanted


def _png(data: _Base64) -> tuple[int, int] | None:
    if data[0:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    return _big(data[16:20]), _big(data[20:24])


def _gif(data: _Base64) -> tuple[int, int] | None:
    if data[0:6] not in {b"GIF87a", b"GIF89a"}:
        return None
    return _little(data[6:8]), _little(data[8:10])


def _webp(data: _Base64) -> tuple[int, int] | None:
    if data[0:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if kind == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    return None


def _jpeg(data: _Base64) -> tuple[int, int] | None:
    """Walk over the segments of a JPEG until the one that tells the size (start of frame)."""
    if data[0:2] != b"\xff\xd8":
        return None
    place = 2
    for _ in range(MOST_SEGMENTS):
        head = data[place : place + 9]
        if head[0] != 0xFF:  # noqa: PLR2004  (a segment begins with it)
            return None
        if head[1] in START_OF_FRAME:
            return _big(head[7:9]), _big(head[5:7])
        place += 2 + _big(head[2:4])
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")

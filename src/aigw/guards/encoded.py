"""`Decoding`: finds values also where they are written in base64, hex or escapes, which models read as we do."""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from aigw.aside import breathe
from aigw.guards.span import Span, best

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.span import Detector

SHORTEST: Final = 12
"""Characters that nine bytes take in base64; shorter runs are words."""
LONGEST: Final = 20_000
"""Characters of a run that are decoded; what stands behind them is data."""
SLICE: Final = 16_384
"""Characters that are searched in one step, so that no step holds up the threads beside it."""

_RUN: Final = re.compile(
    rf"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{{{SHORTEST},{LONGEST}}}+(?:\r?\n[A-Za-z0-9+/_-]{{4,76}}+){{0,256}}={{0,2}}"
)
_ESCAPES: Final = re.compile(
    rf"(?:\\u[0-9a-fA-F]{{4}}){{6,{LONGEST}}}+|(?:%[0-9a-fA-F]{{2}}){{6,{LONGEST}}}+"
    rf"|(?:&#(?:[0-9]{{1,7}}|[xX][0-9a-fA-F]{{1,6}});){{6,{LONGEST}}}+"
)
"""Texts of which every letter is escaped; of others what is not is found as it stands."""
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_SPACE: Final = re.compile(r"\s")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")
_URL_SAFE: Final = str.maketrans("-_", "+/", "\r\n=")


class Decoding:
    """A detector that also looks into base64 (url-safe or not, in lines or not), hex, and escapes (JSON, HTML, URLs).

    What is found there is the whole run, as a part of it cannot be replaced.

    Args:
        detector: what looks at the text, and at what is decoded of it.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find what the detector finds in the text, and in the runs of it that can be decoded.

        Args:
            text: any text.
            start: return only spans that begin here or later.
        """
        found = list(self._detector.find(text, start))
        for first, last, decoded in (*_decoded(text), *_unescaped(text)):
            if first >= start and (inner := best(self._detector.find(decoded))):
                found.append(Span(first, last, inner[0].kind, max(span.score for span in inner)))
        return found


def _decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the runs of a text that can be decoded: where they begin and end, and what they say."""
    for begin, end in _slices(text):
        breathe()
        for match in _RUN.finditer(text, begin, end):
            whole = _decode(match[0])
            if whole:
                yield *match.span(), whole
            elif "\n" in match[0]:
                at = match.start()
                for line in match[0].splitlines(keepends=True):
                    if len(line) >= SHORTEST and (decoded := _decode(line)):
                        yield at, at + len(line.rstrip()), decoded
                    at += len(line)


def _unescaped(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the runs of escapes in a text: where they begin and end, and what they say."""
    if "\\u" in text or "&#" in text or "%" in text:
        for begin, end in _slices(text):
            breathe()
            for match in _ESCAPES.finditer(text, begin, end):
                run = match[0]
                if run[0] == "\\":
                    decoded = _ESCAPED.sub(lambda one: chr(int(one[1], 16)), run)
                else:
                    decoded = unquote(run) if run[0] == "%" else html.unescape(run)
                yield *match.span(), decoded


def _slices(text: str) -> Iterator[tuple[int, int]]:
    """Yield pieces of a text that end at white space, where there is some."""
    begin = 0
    while begin < len(text):
        space = _SPACE.search(text, begin + SLICE, begin + SLICE + LONGEST)
        end = space.start() if space else begin + SLICE + LONGEST
        yield begin, min(end, len(text))
        begin = end


def _decode(run: str) -> str:
    """Return what a run says; empty where it is no text."""
    code = run.translate(_URL_SAFE)
    try:
        if _HEX.fullmatch(code):
            decoded = bytes.fromhex(code).decode()
        else:
            decoded = b64decode(code + "=" * (-len(code) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded if decoded.isprintable() or "".join(decoded.split()).isprintable() else ""

"""Letters that look like others, and characters that are not seen: what `fold` replaces and takes out.

The pairs are facts of the Unicode charts, chosen for what attacks use; they are not the confusables table of UTS 39.
"""

from __future__ import annotations

import re
from typing import Final

_INVISIBLE: Final = (
    (0x00, 0x08),
    (0x0B, 0x0C),
    (0x0E, 0x1F),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),  # soft hyphen
    (0x34F, 0x34F),  # combining grapheme joiner
    (0x61C, 0x61C),
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),  # zero width, and direction marks
    (0x202A, 0x202E),  # bidirectional embedding and override
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF9, 0xFFFB),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE001F),
    (0xE007F, 0xE0FFF),
)
_MARKS: Final = ((0x300, 0x36F), (0x483, 0x489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
"""Marks of Latin, Greek and Cyrillic, and those that fit all letters. Those of other scripts are parts of words."""


def _table() -> dict[int, str | None]:
    """Make the table of what is replaced wherever it stands."""
    table: dict[int, str | None] = {}
    for first, last in (*_INVISIBLE, *_MARKS):
        table.update(dict.fromkeys(range(first, last + 1)))
    table.update({0xE0000 + code: chr(code) for code in range(0x20, 0x7F)})  # tags: ASCII that nobody sees
    table.update({0x1F130 + number: chr(97 + number) for number in range(26)})  # squared
    table.update({0x1F150 + number: chr(97 + number) for number in range(26)})  # circled, negative
    table.update({0x1F170 + number: chr(97 + number) for number in range(26)})  # squared, negative
    table.update({0x1F1E6 + number: chr(97 + number) for number in range(26)})  # regional indicators
    table.update({0x2800 + number: " " for number in range(1)})  # an empty Braille cell looks like a space
    small = "abcdefghijklmnopqrstuvwxyz"
    capitals = (
        "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274"
        "\u1d0f\u1d18\ua7af\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21x\u028f\u1d22"
    )
    table.update({ord(odd): plain for odd, plain in zip(capitals, small, strict=True) if odd != plain})
    strokes = (
        "\u0142l\u00f8o\u0111d\u0127h\u0167t\u0180b\u0268i\u0289u\u0131i\u0192f\u0261g\u0251a\u0269i\u03b9i\u017fs\u00f0d"
        "\u0253b\u0188c\u0257d\u0260g\u0199k\u01a5p\u01adt\u01b4y\u0271m\u0273n\u027er\u0282s\u0288t\u028bv\u0290z\u0237j"
        "\u2c61l\u0247e\u0249j\u024br\u024fy\u2c65a\u2c66t"
    )
    table.update({ord(odd): plain for odd, plain in zip(strokes[::2], strokes[1::2], strict=True)})
    table.update({0xFDFA: None, 0xFDFB: None})  # they would become eighteen letters each
    return table


REPLACED: Final = _table()
"""For `str.translate`, after compatibility decomposition."""

_ALIKE: Final = (
    # Cyrillic
    "\u0430a\u0432b\u0441c\u0501d\u0435e\u0451e\u0493f\u0433r\u04bbh\u043dh\u0456i\u0457i\u0458j\u043ak\u04cfl\u043cm"
    "\u043fn\u043eo\u0440p\u051bq\u0455s\u0442t\u0446u\u0475v\u0461w\u0445x\u0443y\u04afy\u0437z\u0454e\u04d5e\u0438u"
    # Greek
    "\u03b1a\u03b2b\u03f2c\u03b4d\u03b5e\u03b7n\u03b9i\u03bak\u03bcm\u03bdv\u03bfo\u03c1p\u03c3o\u03c2c\u03c4t\u03c5u"
    "\u03c7x\u03c9w\u03b3y\u03bbl\u03b6z\u03c0n\u03c6o\u03b8o"
    # Armenian, Cherokee in small letters, and what stands alone
    "\u0561w\u0570h\u0578n\u057du\u0585o\u0566q\u0581g\u0575j\u0584p\u0582l\u056ek\u0563q\u217ai\u2113l\u212ee"
)
ALIKE: Final = {ord(odd): plain for odd, plain in zip(_ALIKE[::2], _ALIKE[1::2], strict=True)}
"""Small letters of other scripts, and the Latin ones that they are taken for."""

ODD_LETTERS: Final = "".join([chr(code) for code in ALIKE])
LOOKALIKE: Final = re.compile(f"[{ODD_LETTERS}]")
LEET: Final = str.maketrans("01345678@$!|+(\u20ac\u00a3", "oieasgtbasiltcel")

UPSIDE_DOWN: Final = str.maketrans(
    "\u0250\u0254\u01dd\u025f\u0183\u0265\u1d09\u027e\u029e\u026f\u0279\u0287\u028c\u028d\u028e",
    "acefghijkmrtvwy",
)
UPSIDE_DOWN_HINT: Final = re.compile("[\u0250\u01dd\u0265\u1d09\u029e\u026f\u0279\u0287\u028d\u028e]")

"""What a text looks like in disguise, by its letters: so that it is found as it stands, also while it comes."""

from __future__ import annotations

import base64
import string
from typing import TYPE_CHECKING, Final

from aigw.guards.moderation.letters import letters_of
from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_CODE: Final = 8
"""Letters of the shortest code that is looked for: shorter ones stand in texts by chance."""

CODE: Final = 32
"""Letters of a code of a long text that are looked for together: of base64 they are 24 bytes."""

STRIDE: Final = 8
"""Letters between the beginnings of two of them. So what is found begins and ends at most that much too late or early,
and any 40 letters in a row are found."""

_SMALL: Final = string.ascii_lowercase
_ATBASH: Final = str.maketrans(_SMALL, _SMALL[::-1])
ROT13: Final = str.maketrans(_SMALL, _SMALL[13:] + _SMALL[:13])


def disguises(text: str) -> set[str]:
    """Return the letters of a short text, and of what it becomes reversed, in other alphabets, and in codes.

    These are all shifts of the alphabet and its mirror; hexadecimal, binary and decimal codes, with and without signs
    before each; base32; base64 of any alignment, also of its own base64.
    """
    plain = fold(text)
    found = {letters_of(plain), letters_of(plain)[::-1]}
    if len(letters_of(plain)) >= SHORTEST_CODE:
        found.update([letters_of(plain.translate(_shifted(shift))) for shift in range(1, 26)])
        found.add(letters_of(plain.translate(_ATBASH)))
    squeezed = "".join([letter for letter in plain if letter.isalnum()])
    for said in {text, text.lower(), text.upper(), squeezed, text[::-1]}:
        found.update([code for code in _codes(_bytes(said)) if len(code) >= SHORTEST_CODE])
    return {form for form in found if form}


def shingles(text: str) -> set[str]:
    """Return pieces of what a long text becomes in hexadecimal code and in base64 of any alignment."""
    data = _bytes(text)
    codes = [letters_of(data.hex()), *(letters_of(code) for code in _base64(data))]
    return {
        code[at : at + CODE]
        for code in codes
        for at in range(0, max(1, len(code) - CODE + 1), STRIDE)
        if len(code) >= SHORTEST_CODE
    }


def _codes(data: bytes) -> Iterator[str]:
    pairs = [f"{byte:02x}" for byte in data]
    for before in ("", "x", "0x"):
        yield letters_of("".join([before + pair for pair in pairs]))
    yield letters_of("".join([f"{byte:08b}" for byte in data]))
    yield letters_of("".join([str(byte) for byte in data]))
    for code in _base64(data):
        yield letters_of(code)
        for again in _base64(code.encode()):
            yield letters_of(again)
    for shift in range(5):
        code = base64.b32encode(b"\0" * shift + data).rstrip(b"=").decode()
        yield letters_of(code[-(-8 * shift // 5) : 8 * (shift + len(data)) // 5])


def _base64(data: bytes) -> Iterator[str]:
    """Yield the base64 of some bytes behind none, one and two others, without letters that others have a part in."""
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + data).rstrip(b"=").decode()
        yield code[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _shifted(shift: int) -> dict[int, int]:
    return str.maketrans(_SMALL, _SMALL[shift:] + _SMALL[:shift])

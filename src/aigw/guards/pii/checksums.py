"""Check digits that more than one kind of number uses. All take ASCII digits, or what their names say."""

# ruff: noqa: E501, SIM905  (tables)
from __future__ import annotations

from functools import reduce
from hashlib import sha256
from itertools import cycle
from operator import mul, xor
from typing import Final

_VALUES: Final = bytes(code - 48 if 48 <= code < 58 else 0 for code in range(256))  # noqa: PLR2004  (the digits of ASCII)
_DOUBLED: Final = bytes((value * 2 - 9 if value > 4 else value * 2) for value in _VALUES)  # noqa: PLR2004  (a carry)
"""Tables for `bytes.translate`: what a digit counts. Loops over digits are what checking takes its time for."""


def luhn(digits: str) -> bool:
    """Check the formula of Luhn (ISO/IEC 7812-1): the last digit makes the sum divisible by ten."""
    code = digits.encode("ascii")
    return (sum(code[-1::-2].translate(_VALUES)) + sum(code[-2::-2].translate(_DOUBLED))) % 10 == 0


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """Return the sum of digits times weights, as far as both go."""
    return sum(map(mul, digits.encode("ascii").translate(_VALUES), weights))


_DIHEDRAL: Final = tuple(
    tuple(map(int, row))
    for row in "0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210".split()
)
_TURN: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _turns() -> tuple[tuple[int, ...], ...]:
    """Return what each digit counts in each of the eight places that repeat."""
    rows = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(_TURN[value] for value in rows[-1]))
    return tuple(rows)


_TURNS: Final = _turns()


def verhoeff(digits: str) -> bool:
    """Check the scheme of Verhoeff over the dihedral group of order ten."""
    state = 0
    for turns, code in zip(cycle(_TURNS), reversed(digits.encode("ascii")), strict=False):
        state = _DIHEDRAL[state][turns[code - 48]]
    return state == 0


def mod_11_10(digits: str) -> bool:
    """Check ISO/IEC 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


_FROM_TEN: Final = str.maketrans(
    {letter: str(int(letter, 36)) for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
)


def mod_97(text: str) -> bool:
    """Check ISO/IEC 7064, MOD 97-10, with letters counting from ten."""
    return int(text.translate(_FROM_TEN)) % 97 == 1


BITCOIN: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"


_AT_ONCE: Final = 10
"""Digits that fit into a machine word: arithmetic of large numbers is slower."""


def base58(text: str, alphabet: str = BITCOIN) -> bytes:
    """Decode base 58; the empty answer where a character is none of the alphabet."""
    values = list(map(alphabet.find, text))
    if min(values, default=0) < 0:
        return b""
    number = 0
    for start in range(0, len(values), _AT_ONCE):
        part, unit = 0, 1
        for value in values[start : start + _AT_ONCE]:
            part, unit = part * 58 + value, unit * 58
        number = number * unit + part
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58check(text: str, alphabet: str = BITCOIN) -> bytes:
    """Decode base 58 with a checksum of four bytes; the empty answer where that is wrong."""
    data = base58(text, alphabet)
    if len(data) < 5 or sha256(sha256(data[:-4]).digest()).digest()[:4] != data[-4:]:  # noqa: PLR2004  (a version and a checksum)
        return b""
    return data[:-4]


_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _steps() -> tuple[int, ...]:
    """Return what is added for each of the five highest bits together."""
    return tuple(
        reduce(xor, (constant for bit, constant in enumerate(_GENERATOR) if top >> bit & 1), 0) for top in range(32)
    )


_STEPS: Final = _steps()


def bech32(text: str) -> bool:
    """Check the checksum of BIP 173, or that of BIP 350."""
    prefix, _, data = text.lower().rpartition("1")
    values = list(map(_BECH32.find, data))
    if not prefix or min(values, default=-1) < 0:
        return False
    state = 1
    for value in [*[ord(c) >> 5 for c in prefix], 0, *[ord(c) & 31 for c in prefix], *values]:
        state = (state & 0x1FFFFFF) << 5 ^ value ^ _STEPS[state >> 25]
    return state in {1, 0x2BC830A3}

"""The tokens of a vault, such as ``<EMAIL_1_k3f9>``, and the forms that models give them.

A token is a label, a number (with letters where a value was written in several ways: ``1``, ``1b``, ``1c``) and the
nonce of the vault, between angle brackets. None is the beginning of another one, since all end in the same nonce.
Models change its case, drop its brackets, write others, and escape what they write for HTML, JSON, Markdown and URLs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

NONCE: Final = re.compile(r"[a-z0-9]{4,64}")
"""What a nonce may be."""

LETTERS: Final = "bcdfghjkmnpqrstvwxz"
"""For nonces: without vowels they spell no words."""

LONGEST_LABEL: Final = 32

LONGEST_HEAD: Final = 256
"""More characters than the longest form of what stands before a nonce has."""

BEFORE: Final = 4
"""Characters before a token that tell whether it begins there."""

OPENING: Final = ("<", "&lt;", "&amp;lt;", "&#60;", "&#x3c;", "\\u003c", "\\\\u003c", "%3c")
CLOSING: Final = (">", "&gt;", "&amp;gt;", "&#62;", "&#x3e;", "\\u003e", "\\\\u003e", "%3e")
PAIRS: Final = {"\\<": "\\>", "[": "]", "{": "}", "{{": "}}"}
"""Brackets that belong to the token only if both are there."""

_SEPARATORS: Final = ("_", "\\_", "\\\\_", " ", "-", "&#95;", "\\u005f", "\\\\u005f", "%5f")
_BOUNDARY: Final = r"(?<![0-9A-Za-z])(?<![0-9A-Za-z]_)(?<![0-9A-Za-z]\\_)(?<![0-9A-Za-z]__)"
"""No word goes on here; one may be set in italics."""


def label_of(kind: str) -> str:
    """Return what stands for a kind in tokens: capitals, digits and underscores."""
    label = re.sub(r"[^A-Z0-9]+", "_", kind.upper()).strip("_")
    return label[:LONGEST_LABEL].strip("_") or "VALUE"


def letters_of(variant: int) -> str:
    """Return what tells apart the ways in which a value was written: nothing for the first, then ``b``, ``c``, …."""
    letters = ""
    while variant:
        variant, digit = divmod(variant, 26)
        letters = chr(ord("a") + digit) + letters
    return letters


class _Form(NamedTuple):
    """A pattern of a text, and one of whatever such a text may begin with, the empty text included."""

    whole: str
    partial: str


def _text(text: str) -> _Form:
    partial = ""
    for character in reversed(text):
        partial = f"(?:{re.escape(character)}{partial})?"
    return _Form(re.escape(text), partial)


def _one_of(*forms: _Form) -> _Form:
    return _Form(f"(?:{'|'.join(form.whole for form in forms)})", f"(?:{'|'.join(form.partial for form in forms)})")


def _sequence(*forms: _Form) -> _Form:
    *before, last = forms
    for form in reversed(before):
        last = _Form(form.whole + last.whole, f"(?:{form.whole}{last.partial}|{form.partial})")
    return last


class Heads(NamedTuple):
    """Patterns of what stands before a nonce. Both end where the search does.

    Args:
        whole: all of it, with the groups ``open``, ``label`` and ``number``.
        partial: a beginning of it, the empty text included.
    """

    whole: re.Pattern[str]
    partial: re.Pattern[str]


@lru_cache(maxsize=256)
def heads(labels: tuple[str, ...]) -> Heads:
    """Make the patterns for the tokens of some labels, the same for all vaults."""
    separator = _one_of(*map(_text, _SEPARATORS))
    number = _Form("[0-9]{1,9}[a-z]{0,4}", "(?:[0-9]{1,9}[a-z]{0,4})?")
    words = [[_text(word) for word in label.split("_")] for label in sorted(labels, key=len, reverse=True)]
    label = _one_of(*[_sequence(*_joined(word, separator)) for word in words])
    rest = _sequence(separator, number, separator)
    opening = _one_of(*map(_text, (*PAIRS, *OPENING)))
    bracketed = _sequence(opening, label, rest)
    bare = _sequence(label, rest)
    flags = re.IGNORECASE | re.ASCII
    # Longer brackets first: "{{" before "{".
    opens = "|".join(map(re.escape, sorted((*PAIRS, *OPENING), key=len, reverse=True)))
    whole = (
        f"(?P<open>{opens}|{_BOUNDARY})(?P<label>{label.whole}){separator.whole}"
        f"(?P<number>{number.whole}){separator.whole}\\Z"
    )
    partial = f"(?:{bracketed.partial}|{_BOUNDARY}{bare.partial})\\Z"
    return Heads(re.compile(whole, flags), re.compile(partial, flags))


def _joined(words: list[_Form], separator: _Form) -> list[_Form]:
    return [form for word in words for form in (separator, word)][1:]


_SEPARATOR: Final = re.compile("|".join(map(re.escape, _SEPARATORS[::-1])), re.IGNORECASE | re.ASCII)


LAST: Final = re.compile(f"[0-9][a-z]{{0,4}}(?:{'|'.join(map(re.escape, _SEPARATORS))})\\Z", re.IGNORECASE | re.ASCII)
"""The last of what stands before a nonce: a nonce without it, of which a text may be full, is no end of a token."""

LONGEST_LAST: Final = 12


def key_of(label: str, number: str) -> str:
    """Return the name of a token without its nonce, such as ``EMAIL_1``, from the form that a model gave it."""
    return f"{_SEPARATOR.sub('_', label).upper()}_{number.lower()}"

"""Judges a value by the name that it belongs to, and by how the two stand together."""

from __future__ import annotations

import re
from typing import Final

from aigw.guards.secrets.values import (
    classes,
    is_date,
    is_hashed,
    is_placeholder,
    is_random,
    is_reference,
    is_strong,
    is_uuid,
    is_wordy,
)

LABELS: Final = {"password": "PASSWORD", "secret": "API_KEY", "token": "TOKEN", "key": "API_KEY", "pin": "PIN"}
"""What values are reported as, by what their names mean."""

MOST: Final = 0.85
"""The highest score of a value that has no form of its own."""
_SAID: Final = 0.8
_LIKELY: Final = 0.6
_UNLIKELY: Final = 0.4
_NO: Final = (0.0, "")

_SHORTEST_HEX: Final = 16
_LONG_KEY: Final = 28
_NOISE: Final = 48
_PIN: Final = re.compile(r"\d{4,8}")
_ALPHABETIC: Final = re.compile(r"[A-Za-z\u00c0-\u058f]+")
_LETTER: Final = r"A-Za-z\u00c0-\u058f"
_IDENTIFIER: Final = re.compile(rf"[{_LETTER}_$@][{_LETTER}_]*(?:[-_.][{_LETTER}0-9]+)*\d{{0,2}}")
_CODE: Final = re.compile(
    r"[A-Za-z_]\w*(?:\.\w+)*(?:[\[({]|[=!<>+]=|=\w)|[-+!&|*(){}\[\]=<>/\\?%^~@#,.:;]*$|[\w.]+\|\|"
)
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]+")
_UPPER_NAME: Final = re.compile(r"[A-Z][A-Z0-9_.]{2,}")
_CONSTANT: Final = re.compile(r"[A-Z]+[0-9]{0,4}(?:_[A-Z]+[0-9]{0,2})+|[A-Za-z_]\w*=\w+")
_HAS_DIGIT: Final = re.compile(r"\d")
_SENTENCE: Final = re.compile(r"\s")
_LABEL: Final = re.compile(
    r"[A-Za-z\u00c0-\u058f]+(?:[*:?…]|\.{3})"  # what a form says
    r"|[#.][a-z][a-z0-9]*(?:[-_]{1,2}[a-z0-9]+)+|[#.][a-z]+(?:[ >]+[#.]?[a-z-]+)*|\[\w+(?:=.*)?\]"  # a selector
)
_ESCAPED_LETTER: Final = re.compile(r"\\u[0-9a-fA-F]{4}")
_WORDS: Final = re.compile(r"[A-Za-zé \-*:.()]+")
_JOINED: Final = re.compile(r"[\"'] ?[.+] ?[$\w(]|[$\w)] ?[.+] ?[\"']")


def _is_nothing(text: str, quote: str) -> bool:
    """Tell what is no value of its own: a stand-in, a reference, a hash, or what `_is_other` tells."""
    if not text.isalnum() and (is_hashed(text) or is_date(text) or is_reference(text, quoted=bool(quote))):
        return True  # they have signs
    return _is_other(text, quote) or is_placeholder(text)


def _is_other(text: str, quote: str) -> bool:
    """Tell what is something else: a public key, a certificate, a picture, a constant, a label, joined texts."""
    if text.startswith(_PUBLIC):
        return True
    if text.isalnum():
        return False
    if ("_" in text or "=" in text) and _CONSTANT.fullmatch(text):
        return True
    if not quote:
        return False
    if ('"' in text or "'" in text) and _JOINED.search(text):
        return True
    return _LABEL.fullmatch(text) is not None or _is_written_in_escapes(text)


def _is_written_in_escapes(text: str) -> bool:
    return "\\u" in text and _WORDS.fullmatch(_ESCAPED_LETTER.sub("é", text)) is not None


_PUBLIC: Final = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-",
    "-----BEGIN",
    "MIIC",
    "MIID",
    "AAAAB3Nza",
    "iVBOR",
    "/9j/",
    "data:",
)


def judge_assigned(text: str, quote: str, kind: str, name: str, sign: str, *, bits: float) -> tuple[float, str]:
    """Judge what is assigned to a name.

    Args:
        text: the value, without quotes.
        quote: the quote that it stands in, or nothing.
        kind: what the name means: see `kind_of`.
        name: the name as it is written.
        sign: what stands between the two, with a space if it is followed by one.
        bits: the least entropy of keys and tokens.

    Returns:
        How sure it is a secret, and as what to report it.
    """
    label = LABELS[kind]
    if kind == "pin":
        return (_LIKELY, label) if _PIN.fullmatch(text) and sign.strip() in {":", "="} and name.isupper() else _NO
    if len(text) < 4:  # noqa: PLR2004
        return _NO
    score = _password(text, quote, name, sign) if kind == "password" else _key(text, quote, kind, name, bits)
    return (score, label) if score and not _is_nothing(text, quote) else _NO


def _password(text: str, quote: str, name: str, sign: str) -> float:  # noqa: PLR0911  (a table as a function)
    if _SENTENCE.search(text):
        is_phrase = len(text) <= 40 and any(is_strong(word.strip("()[].,;:!?")) for word in text.split())  # noqa: PLR2004
        return _LIKELY if is_phrase else _UNLIKELY
    if not quote and _CODE.match(text):
        return 0.0
    if not any(char.isalnum() for char in text):
        return 0.0
    if text.isdigit():
        return _LIKELY if len(text) >= 6 or quote else _UNLIKELY  # noqa: PLR2004
    if _ALPHABETIC.fullmatch(text):
        in_settings = _UPPER_NAME.fullmatch(name) and sign == "="
        if not is_wordy(text) and len(text) >= 8 and classes(text) > 1:  # noqa: PLR2004
            return _LIKELY
        return _LIKELY if in_settings and not text.isupper() and len(text) >= 5 else _UNLIKELY  # noqa: PLR2004
    if _IDENTIFIER.fullmatch(text):
        has_digit = _HAS_DIGIT.search(text) is not None
        if has_digit and "." not in text and (quote or sign != "= ") and not re.search(r"[-_].*[-_]", text):
            return _LIKELY
        return _LIKELY if has_digit and not is_wordy(text) else _UNLIKELY
    return MOST


def _key(text: str, quote: str, kind: str, name: str, bits: float) -> float:  # noqa: PLR0911  (likewise)
    least = 16 if kind == "key" else 10 if quote else 12
    if len(text) < least:
        return 0.0
    is_other = not text.isalnum() and (_SENTENCE.search(text) or (not quote and _CODE.match(text.rstrip("="))))
    if is_other and not (quote and _is_noise(text)):
        return 0.0
    if is_uuid(text):
        return _LIKELY if kind == "secret" or name.isupper() or "auth" in name.lower() else _UNLIKELY
    if not is_random(text, bits):
        return 0.0
    has_digit = _HAS_DIGIT.search(text) is not None
    if _HEX.fullmatch(text):
        if not has_digit or len(text) < _SHORTEST_HEX or text.isdigit():
            return 0.0
        return _LIKELY if kind != "key" else _UNLIKELY
    if text.isdigit() or (not has_digit and (classes(text) < 2 or len(text) < 20)):  # noqa: PLR2004
        return 0.0
    if kind == "key":
        return _LIKELY if classes(text) >= 3 or len(text) >= _LONG_KEY else _UNLIKELY  # noqa: PLR2004
    return MOST


def _is_noise(text: str) -> bool:
    """Tell whether this is a long run of characters of every kind, spaces among them, as salts in settings are."""
    return len(text) >= _NOISE and classes(text) > 3 and text.count(" ") < len(text) / 8  # noqa: PLR2004  (all kinds)


def judge_said(text: str, quote: str, kind: str, name: str, how: str, *, bits: float) -> tuple[float, str]:
    """Judge what a sentence says to be a secret.

    Args:
        text: the value, without quotes.
        quote: the quote that it stands in, or nothing.
        kind: what the name means.
        name: the name as it is written.
        how: ``said`` to be it, or standing ``directly`` behind it.
        bits: the least entropy of keys and tokens.
    """
    label = LABELS[kind]
    if kind == "pin":
        return (_LIKELY, label) if _PIN.fullmatch(text) and how == "said" else _NO
    if len(text) < 4 or (not quote and text.isalpha()):  # noqa: PLR2004
        return _NO
    if kind == "password":
        if is_strong(text) and not _SENTENCE.search(text):
            return _NO if _is_other(text, quote) else (_SAID, label)
        score = _said_password(text, quote, name, how)
    elif kind == "secret" and name.lower() == "secret" and how == "said" and _is_human(text):
        score = _LIKELY
    elif len(text) < 12 or _SENTENCE.search(text) or not _HAS_DIGIT.search(text):  # noqa: PLR2004
        return _NO
    else:
        score = min(0.7, _key(text, '"', kind, name, bits))
    return (score, label) if score and not _is_nothing(text, quote) else _NO


def _is_human(text: str) -> bool:
    """Tell whether this looks like a password that somebody chose."""
    return classes(text) >= 3 and len(text) >= 8 and (is_strong(text) or is_strong(text.rstrip("!?.")))  # noqa: PLR2004


def _said_password(text: str, quote: str, name: str, how: str) -> float:
    if _SENTENCE.search(text):
        is_phrase = "phrase" in name.lower() and text.count(" ") >= 2 and how == "said"  # noqa: PLR2004
        return _LIKELY if is_phrase else 0.0
    if text[-1] in "!?" and is_strong(text.rstrip("!?")):
        return _SAID
    if (
        how == "said"
        and re.fullmatch(r"[A-Za-z]+\d{1,6}[!?.$#@]*", text)
        and text.lower()[:4] not in {"vers", "step", "line", "sect"}
    ):
        return _LIKELY
    if how == "said" and quote and len(text) >= 5 and not _IDENTIFIER.fullmatch(text):  # noqa: PLR2004
        return _LIKELY
    if how == "said" and classes(text) >= 3 and len(text) >= 6 and re.search(r"\w[^\w\s]\w|[a-z][A-Z]|\d", text):  # noqa: PLR2004
        return _LIKELY
    return _UNLIKELY if quote else 0.0

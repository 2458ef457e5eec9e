"""`readings`: what a text may say once it is decoded, within caps that keep this from being a way to exhaust us."""

from __future__ import annotations

import base64
import binascii
import html
import re
import sys
from itertools import islice
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from aigw.guards.normalise import fold, hidden
from aigw.guards.normalise_letters import LEET, UPSIDE_DOWN, UPSIDE_DOWN_HINT
from aigw.guards.normalise_words import COMMON, VOCABULARY, cut_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_READINGS: Final = 8
MOST_CHARACTERS: Final = 20_000
"""Characters of a text that are looked at for disguises of whole texts, and of each reading that are kept."""
ROT13: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_VOWEL: Final = re.compile("[aeiou]")
_FEWEST_VOWELS: Final = 0.27
_MOST_VOWELS: Final = 0.5
"""Share of vowels in a text of a European language, spaces included."""
MOST_RUNS: Final = 16
"""Encoded runs of a text that are decoded."""
DEEPEST: Final = 2

_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{8,}){0,200}={0,2}")
_BASE32: Final = re.compile(r"\b[A-Z2-7]{24,}={0,6}")
_HEX: Final = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ :,]?){8,}")
_BINARY: Final = re.compile(r"(?:[01]{8}[ ,]?){5,}")
_DECIMAL: Final = re.compile(r"(?:\b\d{2,3}[ ,;]{1,2}){7,}\d{2,3}\b")
_DIGITS: Final = re.compile(r"[0-9a-fA-Fx\\ ,:;]{16,}")
"""What runs of these three stand in: to search a text for this is ten times faster."""
_PERCENT: Final = re.compile(r"(?:%[0-9a-fA-F]{2}[^%]{0,8}){3}")
_ENTITIES: Final = re.compile(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[a-zA-Z]{2,8});")
_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-fA-F]{2,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U000([0-9a-fA-F]{5}))")
_APART: Final = re.compile(r"(?<![^\W_])(?:[^\W_](?:[ \t]{1,2}|[-._*|/~,+\u00b7\u2022 ]{1,3})){4,}[^\W_](?![^\W_])")
_GAPS: Final = re.compile(r"[ \t]{2,}")
_INSIDE: Final = re.compile(r"[-._*~|](?<=[a-z].)(?=[a-z])")
_LONG_NAME: Final = re.compile(r"(?:[a-z0-9]{2,24}[-._]){4,64}[a-z0-9]{0,24}")
"""The name of a file or of a thing in code, whose words stay apart as they are."""
_MARKED: Final = re.compile(r"[a-z]\*{1,3}[a-z]")
FEWEST_LINES: Final = 3
LONGEST_LINE: Final = 24
MOST_OF_A_LINE: Final = 1.5
"""Words of a line, on average, in a text that is written with one word a line."""
_LEET_RUN: Final = re.compile(r"[a-z0-9@$!|+(]{2,}")
_LEET: Final = re.compile(r"[a-z][013-8@$!|+(]+[a-z]|\b[013-8@$|+(][a-z]{2}|[a-z]{2}[013457@$](?![^\W_])")
"""A digit or sign within or at the end of a word."""
_GLUED: Final = re.compile(r"[a-z]{18,}")
_WORD: Final = re.compile(r"[a-z]+")
_LONG_RUN: Final = re.compile(r"[\w+/-]{16}")
_LONG: Final = 16
FEWEST_DIGITS: Final = 16
FEWEST_PERCENTS: Final = 3
FEWEST_APART: Final = 4
"""Letters in a run of letters that stand apart; fewer are columns of a table."""
FEW_UPSIDE_DOWN: Final = 20
"""Characters of a text for each letter that is upside down; in writing that is turned it is about one in three."""
MOST_CHANGES: Final = 64
MOST_ESCAPES: Final = 1000
NEAR: Final = 300
"""Characters around a changed run that are read with it."""
LONGEST_CUT: Final = 1000
LONGEST_APART: Final = 4000
MOST_OF_A_RUN: Final = 0.6
FEWEST_BITS: Final = 40
_LONG_HEX: Final = re.compile(r"[0-9a-fA-F]{16}|(?:0x|\\x)[0-9a-fA-F]{2}")
_NEXT_CODE: Final = r"[ ,:;]{1,2}(?:0x)?[\da-fA-F]{2,8}"
_CODES: Final = re.compile(rf"\d[\da-fA-F]{{0,7}}(?:{_NEXT_CODE}){{3}}|\d[\da-fA-F]{{6,7}}{_NEXT_CODE}")
"""Four groups in a row, or two long ones: two short ones are also a time, or ``12 be``."""
_SINGLES: Final = re.compile(r"[-._*|/~,+ \t\u00b7\u2022][^\W_](?:[-._*|/~,+ \t\u00b7\u2022]{1,3}[^\W_]){3}(?![^\W_])")
_DIGIT_FOR_LETTER: Final = re.compile(r"[013457@$][a-z]")
"""What is cheap to look for, and must be there before the dearer patterns are tried."""
_ASSIGNED: Final = re.compile(
    r"""\b([a-z]\w{0,11})(?:\s{0,2}:?=\s{0,2}|\s{1,2}is\s{1,2})["'`\u201c]([^"'`\u201d\n]{1,60})["'`\u201d]"""
    r"""|\b([a-z]\d?) ?= ?([a-z]{2,20})\b"""
)
_IS_QUOTED: Final = re.compile(" is {1,2}[\"'`\u201c]")
_TOGETHER: Final = ("concat", "combin", "join", "together")
_SUM: Final = re.compile(r"\b[a-z]\w{0,11}(?: ?[+.&] ?[a-z]\w{0,11}){1,30}\b")
SAMPLE: Final = 1500
"""Characters whose words tell whether a text is in another order or another alphabet."""
_SHORT_TEXT: Final = 0.6
"""Share of characters that must be letters or spaces in what was decoded, for it to be text."""


def readings(text: str, folded: str | None = None, most: int = MOST_READINGS, *, is_writing: bool = True) -> list[str]:
    """Return the readings of a text other than the text itself, folded, the likeliest first.

    Each is of at most `MOST_CHARACTERS`; encodings within encodings are followed twice.

    Args:
        text: the text.
        folded: what `fold` makes of it, if that is known.
        most: readings that are returned at most.
        is_writing: whether it may be words at all; noise is not read in another order or alphabet.
    """
    found: dict[str, None] = {}
    base = fold(text[:MOST_CHARACTERS]) if folded is None or len(text) > MOST_CHARACTERS else folded
    for reading in _all_readings(text, base if is_writing else ""):
        folded = fold(reading[:MOST_CHARACTERS])
        if folded.strip() and folded != base:
            found[folded] = None
        if len(found) >= most:
            break
    return list(found)


def _all_readings(text: str, base: str) -> Iterator[str]:
    unseen = hidden(text)
    if unseen:
        yield unseen
    for decoded in _decoded(text, DEEPEST):
        yield decoded
        if base:
            yield from _rewritten(fold(decoded[:MOST_CHARACTERS]))
    if not base:
        return
    yield from _rewritten(base)
    if "\u202e" in text or "\u202d" in text or "\u2067" in text:
        yield base[::-1]
    if UPSIDE_DOWN_HINT.search(text) and len(UPSIDE_DOWN_HINT.findall(text)) > len(text) / FEW_UPSIDE_DOWN:
        yield text[:MOST_CHARACTERS].translate(UPSIDE_DOWN)[::-1]
        yield text[:MOST_CHARACTERS].translate(UPSIDE_DOWN)


def _decoded(text: str, depth: int) -> Iterator[str]:
    """Yield what encoded runs of a text say."""
    if depth == 0:
        return
    for reading in _once(text):
        yield reading
        yield from _decoded(reading[:MOST_CHARACTERS], depth - 1)


def _once(text: str) -> Iterator[str]:
    long = _long_pieces(text)
    has_runs = bool(long) and _LONG_RUN.search(long) is not None
    has_codes = "\\x" in text or (_has_digits(text) and _CODES.search(text) is not None)
    runs: tuple[tuple[bool, re.Pattern[str], Callable[[str], bytes]], ...] = (
        (has_runs, _BASE64, _from_base64),
        (has_codes or (has_runs and bool(_LONG_HEX.search(long))), _HEX, _from_hex),
        (text.count("0") + text.count("1") >= FEWEST_BITS, _BINARY, _from_binary),
        (has_codes, _DECIMAL, _from_decimal),
        (has_runs and bool(_BASE32.search(long)), _BASE32, _from_base32),
    )
    for pattern, decode in [(pattern, decode) for may_be, pattern, decode in runs if may_be]:
        found = _first_runs(pattern, text, _DIGITS if pattern in (_HEX, _BINARY, _DECIMAL) else None)
        words = [said for run in found if (said := _as_text(decode, run))]
        if words:
            yield " ".join(words)
    if text.count("%") >= FEWEST_PERCENTS and _PERCENT.search(text):
        yield unquote_to_bytes(text[:MOST_CHARACTERS].replace("+", " ").encode("utf-8", "replace")).decode(
            "utf-8", "replace"
        )
    if text.count("&") > 2 and len(_ENTITIES.findall(text[:MOST_CHARACTERS])) > 2:  # noqa: PLR2004  (one or two are punctuation)
        yield html.unescape(text[:MOST_CHARACTERS])
    if "\\" in text and _ESCAPE.search(text):
        yield _ESCAPE.sub(_unescaped, text[:MOST_CHARACTERS], MOST_ESCAPES)


def _has_digits(text: str) -> bool:
    """Tell whether there are enough digits for words in hexadecimal, decimal or binary codes."""
    return sum(map(text.count, "0123456789")) >= FEWEST_DIGITS


def _long_pieces(text: str) -> str:
    """Return what stands between spaces and is long enough to be a run of a code."""
    return " ".join([piece for piece in text.split() if len(piece) >= _LONG])


def _first_runs(pattern: re.Pattern[str], text: str, within: re.Pattern[str] | None) -> list[str]:
    """Return the first runs of a code; where one can only stand within others that are found faster, in those."""
    places = [match.span() for match in within.finditer(text)] if within else [(0, len(text))]
    runs = (match[0][:MOST_CHARACTERS] for place in places for match in pattern.finditer(text, *place))
    return [*islice(runs, MOST_RUNS)]


def _as_text(decode: Callable[[str], bytes], run: str) -> str:
    """Decode a run; return nothing where that is no text."""
    try:
        said = decode(run).decode("utf-8")
    except ValueError:
        return ""
    letters = sum(character.isalpha() or character in " \n" for character in said)
    return said if said.isprintable() or letters >= _SHORT_TEXT * len(said) else ""


def _from_base64(run: str) -> bytes:
    plain = "".join(run.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _from_base32(run: str) -> bytes:
    plain = run.rstrip("=")
    return base64.b32decode(plain + "=" * (-len(plain) % 8))


def _from_hex(run: str) -> bytes:
    return bytes.fromhex(re.sub(r"0x|\\x|[ :,]", "", run))


def _from_binary(run: str) -> bytes:
    return bytes(int(octet, 2) for octet in re.findall("[01]{8}", run))


def _from_decimal(run: str) -> bytes:
    return bytes(int(number) for number in re.findall(r"\d+", run))


def _unescaped(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return chr(code) if code <= sys.maxunicode else ""


def _may_be_a_sum(base: str) -> bool:
    return any(sign in base for sign in ("+", "&", " . ", *_TOGETHER))


def _assembled(base: str) -> str:
    """Return what parts with names give together: ``a = "ign", b = "ore"``, in the order of their sum."""
    parts = {match[1] or match[3]: match[2] or match[4] for match in _ASSIGNED.finditer(base)}
    if len(parts) < 2:  # noqa: PLR2004  (one part is whole)
        return ""
    for match in _SUM.finditer(base):
        names = re.findall(r"\w+", match[0])
        if len(names) > 1 and all(name in parts for name in names):
            return "".join([parts[name] for name in names])
    return "".join(parts.values()) if any(word in base for word in _TOGETHER) else ""


def _rewritten(base: str) -> Iterator[str]:
    """Yield readings of a whole folded text: letters apart, digits for letters, another order, another alphabet."""
    if _SINGLES.search(base) and (joined := _excerpt(_APART, _joined, base)):
        yield joined
    elif len(_INSIDE.findall(base)) > 2 + base.count(" ") / 4:  # a few are hyphens
        short = _LONG_NAME.sub(" ", base)
        if len(_INSIDE.findall(short)) > 2 + base.count(" ") / 4:
            yield _INSIDE.sub("", short)
    if "*" in base and len(_MARKED.findall(base)) > 1:
        yield base.replace("*", "")
    lines = base.count("\n")
    if lines >= FEWEST_LINES and len(base) < (lines + 1) * LONGEST_LINE and _is_in_lines(base, lines):
        yield " ".join(base.split())
    if _GLUED.search(_long_pieces(base)) and (cut := _excerpt(_GLUED, _cut, base)):
        yield cut
    gaps = base.count(" ")
    if len(_DIGIT_FOR_LETTER.findall(base)) > 1 + gaps / 40 and len(_LEET.findall(base)) > 1 + gaps / 16:
        yield _LEET_RUN.sub(_without_digits, base)
        if "1" in base:
            yield _LEET_RUN.sub(lambda match: _without_digits(match, "l"), base)
    if (base.count("=") > 1 or _IS_QUOTED.search(base)) and _may_be_a_sum(base) and (assembled := _assembled(base)):
        yield assembled
    yield from _other_words(base)


def _is_in_lines(base: str, lines: int) -> bool:
    return len(base.split()) < (lines + 1) * MOST_OF_A_LINE


def _without_digits(match: re.Match[str], one: str = "i") -> str:
    """Put letters in the place of digits in a word that has letters."""
    word = match[0]
    return word if word.isdigit() else word.replace("11", "ll").replace("1", one).translate(LEET)


def _excerpt(pattern: re.Pattern[str], change: Callable[[str], str], base: str) -> str:
    """Return what stands near the runs of a pattern that change, with what they change to; nothing, if none does."""
    parts: list[str] = []
    at = 0
    for match in islice(pattern.finditer(base), MOST_CHANGES):
        changed = change(match[0])
        if changed != match[0]:
            start = match.start()
            if start - at > 2 * NEAR:
                parts += [base[at : at + NEAR] if parts else "", "\n", base[start - NEAR : start], changed]
            else:
                parts += [base[at:start], changed]
            at = match.end()
    return "".join([*parts, base[at : at + NEAR]]) if parts else ""


def _cut(run: str) -> str:
    """Cut letters into words, if most are parts of known words: other languages have long words of their own."""
    run = run[:LONGEST_CUT]
    words = cut_words(run).split()
    known = sum(len(word) for word in words if len(word) > 2 and word in VOCABULARY)  # noqa: PLR2004  (a few of two stand in any run)
    return " ".join(words) if known >= MOST_OF_A_RUN * len(run) else run


def _joined(run: str) -> str:
    """Join letters that stand apart."""
    run = run[:LONGEST_APART]
    if sum(map(str.isalpha, run)) < FEWEST_APART:
        return run
    words = ["".join(filter(str.isalnum, word)) for word in _GAPS.split(run)]
    return " ".join([cut_words(word[:LONGEST_CUT]) for word in words])


def _other_words(base: str) -> Iterator[str]:
    """Yield the text read backwards, or with letters moved on, where that gives more common words."""
    sample = base[:SAMPLE]
    rough = sample.split()
    if len([word for word in rough if word in COMMON]) > max(len(rough) / 4, 2):
        return
    words = _WORD.findall(sample)
    if len(words) < 3:  # noqa: PLR2004  (too few to tell)
        return
    kinds = set(words)
    known = len(kinds & COMMON)
    if known > len(kinds) / 4:
        return
    listed = " ".join(sorted(kinds))
    if len(COMMON.intersection(listed[::-1].split())) > max(known, 1):
        yield base[::-1]
        yield " ".join([word[::-1] for word in base.split()])
    if len(COMMON.intersection(listed.translate(ROT13).split())) > max(known, 1):
        yield base.translate(ROT13)
    elif known == 0 and not _FEWEST_VOWELS < len(_VOWEL.findall(listed)) / len(listed) < _MOST_VOWELS:
        yield from _shifted(base, kinds)


def _shifted(base: str, kinds: set[str]) -> Iterator[str]:
    """Yield the text with its letters moved on in the alphabet, if that gives English."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    few = sorted(kinds)[:40]
    tables = [str.maketrans(letters, letters[shift:] + letters[:shift]) for shift in range(1, 26)]
    tables.append(str.maketrans(letters, letters[::-1]))
    count, number = max((sum(word.translate(table) in COMMON for word in few), -at) for at, table in enumerate(tables))
    if count > max(2, len(few) / 4):
        yield base.translate(tables[-number])

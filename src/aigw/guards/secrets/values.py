"""Judges values: what stands in the place of a secret, what is written like words, and what looks random."""

from __future__ import annotations

import math
import re
from typing import Final

_LOOKED_AT: Final = 128
"""Characters of a value that are enough to judge it by."""
_BITS: Final = (0.0, *(count * math.log2(count) for count in range(1, _LOOKED_AT + 1)))

# Each branch of the patterns that are searched for begins with a character, so that `re` skips what none begins with.
_PLAIN_STAND_INS: Final = ("xxxx", "XXX", "000000", "123456789", "abcdefg", "abcd1234", "1a2b3c4d")
_STAND_IN: Final = re.compile(
    rf"[$#][{{(]|\{{[{{%]|%\(|<[^>]*>|\*\*\*|\.\.\.|…|••|___|----|\#\#\#|\?\?\?|{'|'.join(_PLAIN_STAND_INS)}"
)
_STANDS_ALONE: Final = re.compile(r"<|\{[^}]*\}$|\[[^\]]*\]?$|\$[A-Za-z_]|%\w+%?$|@\w+@?$|:\w+$|&\w+$|![A-Za-z]+$")
_STAND_IN_WORD: Final = re.compile(
    r"""
    y our (?: (?<![a-z0-9]your) | [-_ ]?(?:own|api|key|token|secret|pass|access|client) )
    | c (?: hange_?-?(?:me|it|this) | afebabe )
    | d (?: ummy | eadbeef )
    | e (?: xample | ncrypted )
    | f (?: ake (?: (?<![a-z0-9]fake) | [-_ ]?(?:own|api|key|token|secret|pass|access|client) ) | ixme | oo_?bar )
    | g oes[-_ ]?here
    | i nsert[-_ ]
    | l orem
    | m (?: ock (?: (?<![a-z0-9]mock) | [-_ ]?(?:own|api|key|token|secret|pass|access|client) ) | asked )
    | p (?: ut (?<![a-z0-9]put) | lace_?-?holder )
    | r e (?: dact | moved | place[-_ ] )
    | s (?: ome (?<![a-z0-9]some) | ample | [ae]me[-_]?(?:pass|secret|token|key) )
    | t odo (?<![a-z0-9]todo)
    | -here$ | _here$ | \ here$
    | (?: m y|t(?:he|est|op)|s(?:ome|uper|trong|ecure)|a ny|n ew|o ld|r eal|b ad|g ood|v ery ) [-_ ]* (?: super[-_ ]? )?
      (?: secret|pass|password|passwd|token|api|key|apikey|api[-_ ]key )
      (?: [-_ ]* (?: key|token|value|here|word|secret|password|goes|string|\d{1,4} ) )* $
    """,
    re.VERBOSE,
)
_STEMS: Final = (
    *("your", "change", "cafebabe", "dummy", "deadbeef", "example", "encrypted", "fake", "fixme", "foo", "here"),
    *("insert", "lorem", "mock", "masked", "put", "place", "redact", "removed", "some", "sample", "same", "seme"),
    *("todo", "pass", "token", "secret", "api", "key"),
)
"""What every match of `_STAND_IN_WORD` has one of: to look for each takes half the time."""
_STANDS_ALONE_WORD: Final = re.compile(
    r"""
    test (?:ing)? [-_]? (?: pass|password|token|key|secret|user )? \d* $
    | (?: api|access|secret|auth|private|client ) [-_ ]? (?: key|token|secret|id|password ) (?: [-_ ]?\d+ )? $
    | (?: admin|user|root|db )? [-_]? (?: pass|passwd|password|passwort|secret|token|key|pwd ) [-_]? \d{0,2} $
    | enc\[ | enc\( | !?vault: | ssm: | op:// | arn: | projects/ | secretref | keyref | file: | data:
    | (?: none|null|nil|true|false|undefined|unset|empty|blank|string|str|int|bool|bytes|object|secret|void|number
        | value|optional|required|default|na|n/a|tbd|yes|no|on|off|auto|missing|invalid|unknown|disabled|enabled|env
        | pass|1?password|test ) $
    """,
    re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.|!\.)[A-Za-z_$][\w$]*)+[\[(;,)]*$")
_REFERENCE: Final = re.compile(
    r"""
    [A-Za-z_$][\w$.:>-]*+[(\[]                                                      # a call, or an index
    | (?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)*/?$ | [A-Za-z]:\\ | [a-z][a-z0-9+.-]{1,12}://            # a path, an address
    | (?:r|b|f|u|rb|br)?["'`]
    """,
    re.VERBOSE,
)
_FILE: Final = re.compile(
    r"[\w.-]+(?:/[\w.-]+)*\.(?:war|zip|gz|tar|jar|exe|png|jpg|svg|pdf|py|js|ts|json|ya?ml|txt|pem|key|crt|cer|env|html?"
    r"|md|cfg|ini|conf|sh|go|rb|java|php|xml|toml|log|gpg|p12|jks)$"
)
_HASHED: Final = re.compile(
    r"\$(?:1|2[abxy]?|5|6|y|apr1|argon2\w*|scrypt|pbkdf2[\w-]*|bcrypt\w*|md5|sha\d+)\$"
    r"|\{(?:SSHA|SHA|MD5|CRYPT|bcrypt|noop)\}|(?:sha\d{1,3}|md5|pbkdf2|argon2|bcrypt|scrypt)[-_:$=]|SCRAM-SHA",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_LENGTH_OF_UUID: Final = 36
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")
_FIGURES: Final = re.compile(r"[A-Za-z]\d+(?=[A-Za-z])")
_VOWELS: Final = re.compile(r"[aeiouyAEIOUY]")
_HARSH: Final = re.compile(r"[^aeiouyAEIOUY]{5}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[:.]\d\d|v?\d+(?:\.\d+)+")
_BEGINS_DATE: Final = frozenset("0123456789v")


def entropy(value: str) -> float:
    """Return the entropy of the characters, in bits for each; of its first 128."""
    value = value[:_LOOKED_AT]
    length = len(value)
    return math.log2(length) - sum([_BITS[value.count(char)] for char in set(value)]) / length if length else 0.0


def has_entropy(value: str, bits: float) -> bool:
    """Tell whether the entropy of the characters is so much at least, mostly from how many different ones there are."""
    value = value[:_LOOKED_AT]
    length = len(value)
    if not length:
        return bits <= 0
    least = math.log2(length) - _BITS[length - len(set(value)) + 1] / length  # all others are the same character
    return least >= bits or entropy(value) >= bits


def is_placeholder(value: str) -> bool:
    """Tell whether this stands where a secret should be filled in, or says where one comes from."""
    value = value[:_LOOKED_AT]
    if len(set(value[:4])) < 4 and len(set(value)) < min(4, len(value)):  # noqa: PLR2004  (the same few characters)
        return True
    if value.isalnum():
        for plain in _PLAIN_STAND_INS:
            if plain in value:
                return True
    elif _STAND_IN.search(value) or _STANDS_ALONE.match(value):
        return True
    low = value.lower()
    if _STANDS_ALONE_WORD.match(low):
        return True
    for stem in _STEMS:
        if stem in low:
            return _STAND_IN_WORD.search(low) is not None
    return False


def is_reference(value: str, *, quoted: bool = False) -> bool:
    """Tell whether this is code or a place: an attribute (not in quotes), a call, a path."""
    value = value[: _LOOKED_AT * 2]
    has_dot = "." in value
    if not quoted and (has_dot or ":" in value or ">" in value) and _ATTRIBUTE.match(value):
        return True
    return bool(_REFERENCE.match(value) or (has_dot and _FILE.match(value)))


def is_hashed(value: str) -> bool:
    """Tell whether this is a hash of a password, which is not the password."""
    return bool(_HASHED.match(value))


def is_uuid(value: str) -> bool:
    """Tell whether this is a UUID."""
    return len(value) == _LENGTH_OF_UUID and _UUID.fullmatch(value) is not None


def is_date(value: str) -> bool:
    """Tell whether this begins as a date, a time or a version does."""
    return value[:1] in _BEGINS_DATE and _DATE.fullmatch(value) is not None


def is_wordy(value: str) -> bool:
    """Tell whether this is made of words, such as an identifier, rather than of random characters."""
    value = value[:_LOOKED_AT]
    words, letters = _words_and_letters(value)
    if words > max(1, letters / 3.6) or letters < len(value) * 0.55:  # mostly pieces, or digits and signs
        return False
    if len(_FIGURES.findall(value)) >= 3:  # noqa: PLR2004  (words have numbers at their end)
        return False
    readable = 0
    for word in _WORDS.findall(value):
        if len(word) >= 3:  # noqa: PLR2004  (shorter ones stand in random texts too)
            share = len(_VOWELS.findall(word)) / len(word)
            if 0.15 <= share <= 0.75 and not _HARSH.search(word):  # noqa: PLR2004
                readable += len(word)
    return readable >= letters * 0.7


def _words_and_letters(value: str) -> tuple[int, int]:
    """Count the matches of `_WORDS`, and their letters: for ASCII by how lower and upper case follow each other."""
    if not value.isascii():
        words = _WORDS.findall(value)
        return len(words), sum(map(len, words))
    cases = b"0" + value.encode().translate(_CASES)
    begun = cases.count(b"0A") + cases.count(b"aA") + cases.count(b"0a") + cases.count(b"AAa")
    return begun, cases.count(b"a") + cases.count(b"A")


def classes(value: str) -> int:
    """Count the kinds of characters: lower case, upper case, digits, signs."""
    if not value.isascii():
        return sum(pattern.search(value) is not None for pattern in _CLASSES)
    kinds = value.encode().translate(_KINDS)
    return (b"a" in kinds) + (b"A" in kinds) + (b"0" in kinds) + (b"_" in kinds)


_CLASSES: Final = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", r"[\W_]")))
_KINDS: Final = bytes(
    next(ord(kind) for kind, pattern in zip("aA0_", _CLASSES, strict=True) if code > 127 or pattern.match(chr(code)))  # noqa: PLR2004  (ASCII)
    for code in range(256)
)
"""For each ASCII character `a`, `A`, `0`, or `_` for a sign."""
_CASES: Final = _KINDS.replace(b"_", b"0")


def is_random(value: str, bits: float) -> bool:
    """Tell whether the characters look drawn by chance.

    Args:
        value: the value.
        bits: the least entropy of its characters. Short values, which cannot have so much, need four fifths of what
            they could have.
    """
    value = value[:_LOOKED_AT]
    if not has_entropy(value, min(bits, 0.8 * math.log2(max(2, len(value))))):
        return False
    return not is_wordy(value)


def is_strong(value: str) -> bool:
    """Tell whether this looks like a password wherever it stands: it has letters and digits in no usual order.

    A word, a word with a number, a version, a date, a call, an e-mail address, or a path does not.
    """
    if not 6 <= len(value) <= _LOOKED_AT or not value.isprintable():  # noqa: PLR2004  (shorter is no password)
        return False
    if not (HAS_DIGIT.search(value) and _HAS_LETTER.search(value)):
        return False
    if not value.isascii() and classes(value) < 2:  # noqa: PLR2004
        return False
    if _USUAL.fullmatch(value):
        return False
    if not value.isalnum() and (is_date(value) or is_reference(value) or is_hashed(value)):  # which have signs
        return False
    return not is_placeholder(value)


HAS_DIGIT: Final = re.compile(r"\d")
_HAS_LETTER: Final = re.compile(r"[^\W\d_]")
_USUAL: Final = re.compile(
    r"""
    [A-Za-z]{1,4}[-_.]?\d+(?:[.:-]\d+)*[A-Za-z]{0,2}             # SHA-256, utf8, v1.2
    | (?:[A-Za-z][a-z]*|[A-Z]+)[-_./:]\d+(?:[.-]\w{1,4})*          # python3.11, Section-4, covid-19
    | \d+(?:[.,:/-]\d+)*(?:[-_]?[A-Za-z]{1,8}|%|°C)[.)]?          # 10ms, 3.5GB, 2nd, 100-fold
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                              # an address
    | [\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}(?:[:/].*)?                 # a host, a file
    | (?:[A-Za-z]+\d{0,3}[-_./])+[A-Za-z]*\d{0,4}                # an identifier of words and numbers
    | [A-Z][A-Za-z]{1,3}\d[A-Za-z0-9]{0,5}                      # a formula
    | \d[\w,.'()\[\]-]*-\w[\w,.'()-]*                 # a chemical name
    | [\[({"'].* | .*\)\[.* | 0[xX][0-9a-fA-F]+ | _[A-Za-z]\w*
    | [a-z][a-z0-9]*(?:_[a-z0-9]+)+ | [A-Z]+[0-9]*(?:_[A-Z0-9]+)+                # names in programs
    | \w*_\w*(?:\.\w+)+.* | \w*[A-Za-z][24](?:[A-Z][a-z]+)+[A-Z]?
    | [A-Za-z_][\w.]*=\w+ | .*\.\w+\(.*
    """,
    re.VERBOSE,
)

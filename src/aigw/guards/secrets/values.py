"""Judges values: what stands in the place of a secret, what is written like words, and what looks random."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_LOOKED_AT: Final = 128
"""Characters of a value that are enough to judge it by."""

_PLACEHOLDER: Final = re.compile(
    r"""
    \$\{ | \$\( | \{\{ | \{% | %\( | <[^>]*> | ^< | ^\{[^}]*\}$ | ^\[[^\]]*\]?$ | ^\$[A-Za-z_] | ^%\w+%?$
           | ^@\w+@?$ | ^:\w+$ | ^&\w+$
    | x{4,} | X{3,} | \*{3,} | \.{3,} | … | •{2,} | _{3,} | -{4,} | \#{3,} | \?{3,} | 0{6,}
           | (?:123456789|abcdefg|abcd1234|1a2b3c4d)
    | (?i: (?<![A-Za-z0-9])(?:your|todo|fake|mock|some|put)
           | (?:your|fake|mock)[-_ ]?(?:own|api|key|token|secret|pass|access|client)
         | example | place_?-?holder | change_?-?(?:me|it|this) | change(?:me|it) | dummy | redact | masked | removed
         | sample | insert[-_ ] | replace[-_ ] | fixme | lorem | foobar | foo_?bar
           | s[ae]me[-_]?(?:pass|secret|token|key)
         | (?:my|the|some|any|new|old|real|super|bad|good|test|top|very|strong
           |secure)[-_ ]*(?:super[-_ ]?)?(?:secret|pass|password|passwd|token|api|key|apikey|api[-_ ]key)
              (?:[-_ ]*(?:key|token|value|here|word|secret|password|goes|string|\d{1,4}))*$
         | ^test(?:ing)?[-_]?(?:pass|password|token|key|secret|user)?\d*$ | goes[-_ ]?here | [-_ ]here$
           | deadbeef | cafebabe
         | ^(?:api|access|secret|auth|private|client)[-_ ]?(?:key|token|secret|id|password)(?:[-_ ]?\d+)?$
         | ^(?:admin|user|root|db)?[-_]?(?:pass|passwd|password|passwort|secret|token|key|pwd)[-_]?\d{0,2}$
         | encrypted | ^enc\[ | ^enc\( | ^!?vault: | ^ssm: | ^op:// | ^arn: | ^projects/ | ^secretref | ^keyref
           | ^file: | ^data: )
    | ^(?i: none | null | nil | true | false | undefined | unset | empty | blank | string | str | int | bool
           | bytes | object | secret
         | void | number | value | optional | required | default | na | n/a | tbd | yes | no | on | off | auto
           | missing | invalid
         | unknown | disabled | enabled | env | pass | password | test )$
    """,
    re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.|!\.)[A-Za-z_$][\w$]*)+[\[(;,)]*$")
_REFERENCE: Final = re.compile(
    r"""
    [A-Za-z_$][\w$.:>-]*[(\[]                                                      # a call, or an index
    | (?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)*/?$ | [A-Za-z]:\\ | [a-z][a-z0-9+.-]{1,12}://            # a path, an address
    | [\w.-]+(?:/[\w.-]+)*\.(?:war|zip|gz|tar|jar|exe|png|jpg|svg|pdf|py|js|ts|json|ya?ml|txt|pem|key|crt|cer|env
           |html?|md|cfg|ini|conf|sh|go|rb|java|php|xml|toml|log|gpg|p12|jks)$
    | (?:r|b|f|u|rb|br)?["'`]
    """,
    re.VERBOSE,
)
_HASHED: Final = re.compile(
    r"\$(?:1|2[abxy]?|5|6|y|apr1|argon2\w*|scrypt|pbkdf2[\w-]*|bcrypt\w*|md5|sha\d+)\$"
    r"|\{(?:SSHA|SHA|MD5|CRYPT|bcrypt|noop)\}|(?:sha\d{1,3}|md5|pbkdf2|argon2|bcrypt|scrypt)[-_:$=]|SCRAM-SHA",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")
_FIGURES: Final = re.compile(r"(?<=[A-Za-z])\d+(?=[A-Za-z])")
_VOWELS: Final = re.compile(r"[aeiouyAEIOUY]")
_HARSH: Final = re.compile(r"[^aeiouyAEIOUY]{5}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[:.]\d\d|v?\d+(?:\.\d+)+")


def entropy(value: str) -> float:
    """Return the entropy of the characters, in bits for each; of its first 128."""
    value = value[:_LOOKED_AT]
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values()) if length else 0.0


def is_placeholder(value: str) -> bool:
    """Tell whether this stands where a secret should be filled in, or says where one comes from."""
    if len(set(value[:_LOOKED_AT])) < min(4, len(value)):
        return True
    return bool(_PLACEHOLDER.search(value, 0, _LOOKED_AT))


def is_reference(value: str, *, quoted: bool = False) -> bool:
    """Tell whether this is code or a place: an attribute (not in quotes), a call, a path."""
    if not quoted and _ATTRIBUTE.match(value, 0, _LOOKED_AT * 2):
        return True
    return bool(_REFERENCE.match(value, 0, _LOOKED_AT * 2))


def is_hashed(value: str) -> bool:
    """Tell whether this is a hash of a password, which is not the password."""
    return bool(_HASHED.match(value))


def is_uuid(value: str) -> bool:
    """Tell whether this is a UUID."""
    return bool(_UUID.fullmatch(value))


def is_date(value: str) -> bool:
    """Tell whether this begins as a date, a time or a version does."""
    return bool(_DATE.fullmatch(value))


def is_wordy(value: str) -> bool:
    """Tell whether this is made of words, such as an identifier, rather than of random characters."""
    value = value[:_LOOKED_AT]
    if len(_FIGURES.findall(value)) >= 3:  # noqa: PLR2004  (words have numbers at their end)
        return False
    words = _WORDS.findall(value)
    letters = sum(map(len, words))
    if letters < len(value) * 0.55:  # mostly digits and signs
        return False
    readable = 0
    for word in words:
        if len(word) >= 3:  # noqa: PLR2004  (shorter ones stand in random texts too)
            share = len(_VOWELS.findall(word)) / len(word)
            if 0.15 <= share <= 0.75 and not _HARSH.search(word):  # noqa: PLR2004
                readable += len(word)
    return readable >= letters * 0.7 and len(words) <= max(1, letters / 3.6)


def classes(value: str) -> int:
    """Count the kinds of characters: lower case, upper case, digits, signs."""
    return (
        any("a" <= char <= "z" for char in value)
        + any("A" <= char <= "Z" for char in value)
        + any("0" <= char <= "9" for char in value)
        + any(not char.isalnum() for char in value)
    )


def is_random(value: str, bits: float) -> bool:
    """Tell whether the characters look drawn by chance.

    Args:
        value: the value.
        bits: the least entropy of its characters. Short values, which cannot have so much, need four fifths of what
            they could have.
    """
    value = value[:_LOOKED_AT]
    if entropy(value) < min(bits, 0.8 * math.log2(max(2, len(value)))):
        return False
    return not is_wordy(value)


def is_strong(value: str) -> bool:
    """Tell whether this looks like a password wherever it stands: it has letters and digits in no usual order.

    A word, a word with a number, a version, a date, a call, an e-mail address, or a path does not.
    """
    if not 6 <= len(value) <= _LOOKED_AT or not value.isprintable():  # noqa: PLR2004  (shorter is no password)
        return False
    if classes(value) < 2 or is_placeholder(value) or is_date(value):  # noqa: PLR2004
        return False
    if not any(char.isdigit() for char in value) or not any(char.isalpha() for char in value):
        return False
    return not (_USUAL.fullmatch(value) or is_reference(value) or is_hashed(value))


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

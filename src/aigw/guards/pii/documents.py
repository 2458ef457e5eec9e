"""National numbers with letters, and passports and driving licences behind words that name them."""

# ruff: noqa: E501, PLR2004  (a pattern a line; the numbers of published rules)
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.checksums import luhn, weighted
from aigw.guards.pii.national_checks import is_day, nir_key
from aigw.guards.pii.rule import Sight, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping


_LETTERS_ES: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_FIRST_ES: Final = str.maketrans("KLMXYZ", "000012")
"""What the first letter of numbers of foreigners, children and citizens abroad stands for."""
_CHECK_FI: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_ODD_IT: Final = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23), strict=True)
)  # fmt: skip
_CURP: Final = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_NHI: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_CN_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _spanish(value: str) -> bool:
    number = value.translate(_FIRST_ES) if value[0].isalpha() else value
    return _LETTERS_ES[int(number[:-1]) % 23] == value[-1]


def _italian(value: str) -> bool:
    total = sum(_ODD_IT[c] for c in value[:15:2])
    total += sum(int(c) if c.isdigit() else ord(c) - 65 for c in value[1:15:2])
    return chr(65 + total % 26) == value[15]


def _finnish(value: str) -> bool:
    return is_day(value[2:4], value[:2]) and _CHECK_FI[int(value[:6] + value[7:10]) % 31] == value[10]


def _singaporean(value: str) -> bool:
    total = weighted(value[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(value[0], "XWUTRQPNMLK")
    return letters[total % 11 if value[0] != "M" else 10 - total % 11] == value[8]


def _chinese(value: str) -> bool:
    is_dated = value[6:8] in {"18", "19", "20"} and is_day(value[10:12], value[12:14])
    return is_dated and "10X98765432"[weighted(value[:17], _CN_WEIGHTS) % 11] == value[17]


def _mexican(value: str) -> bool:
    total = sum(_CURP.index(c) * (18 - place) for place, c in enumerate(value[:17]))
    return is_day(value[6:8], value[8:10]) and str((10 - total % 10) % 10) == value[17]


def _irish(value: str) -> bool:
    total = weighted(value[:7], (8, 7, 6, 5, 4, 3, 2))
    total += (ord(value[8]) - 64) * 9 if value[8:] and value[8] != "W" else 0
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == value[7]


def _chilean(value: str) -> bool:
    total = sum(int(d) * (2 + place % 6) for place, d in enumerate(reversed(value[:-1])))
    return (
        "0123456789K0"[(11 - total % 11) % 11 if total % 11 else 0] == value[-1]
        if 11 - total % 11 != 10
        else value[-1] == "K"
    )


def _hong_kong(value: str) -> bool:
    letters = [ord(c) - 55 for c in value if c.isalpha() and c != value[-1]] or [ord(value[0]) - 55]
    letters = ([36] if len(letters) == 1 else []) + letters
    digits = [int(c) for c in value[-7:-1]]
    total = sum(v * w for v, w in zip([*letters, *digits], range(9, 1, -1), strict=True))
    return "0123456789A"[(11 - total % 11) % 11] == value[-1]


def _taiwanese(value: str) -> bool:
    code = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0]) + 10
    return (code // 10 + code % 10 * 9 + weighted(value[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _new_zealand(value: str) -> bool:
    total = sum((_NHI.find(c) + 1 or int(c)) * weight for c, weight in zip(value[:6], range(7, 1, -1), strict=True))
    return total % 11 > 0 and (11 - total % 11) % 10 == int(value[6])


def _corsican(value: str) -> bool:
    return nir_key(value[:13].replace("2A", "19").replace("2B", "18"), value[13:])


def _always(value: str) -> bool:  # noqa: ARG001  (its shape is all that there is)
    return True


_PLAIN: Final = re.compile(r"[ .()-]")

# name: country, pattern, check, whether words of context are needed
_DOCUMENTS: Final[dict[str, tuple[str, str, Callable[[str], bool], bool]]] = {
    "nino": ("GB", r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]", _always, False),
    "dni": ("ES", r"\d{8}[ -]?[A-HJ-NP-TV-Z]|\d{2}\.\d{3}\.\d{3}-?[A-HJ-NP-TV-Z]", _spanish, False),
    "nie": ("ES", r"[KLMXYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", _spanish, False),
    "codice": ("IT", r"[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", _italian, False),
    "hetu": ("FI", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _finnish, False),
    "pan": ("IN", r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", _always, False),
    "nric": ("SG", r"[STFGM]\d{7}[A-Z]", _singaporean, False),
    "cn": ("CN", r"[1-9]\d{16}[0-9X]", _chinese, False),
    "curp": ("MX", r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d", _mexican, False),
    "rfc": ("MX", r"[A-ZÑ&]{4}[ -]?\d{6}[ -]?[A-Z0-9]{3}", lambda value: is_day(value[6:8], value[8:10]), True),
    "pps": ("IE", r"\d{7}[A-W][A-IW]?", _irish, True),
    "rut": ("CL", r"\d{1,2}\.\d{3}\.\d{3}-[0-9K]", _chilean, False),
    "rut_plain": ("CL", r"\d{7,8}-[0-9K]", _chilean, True),
    "hkid": ("HK", r"[A-Z]{1,2}\d{6}\([0-9A]\)", _hong_kong, False),
    "nhi": ("NZ", r"[A-HJ-NP-Z]{3}\d{4}", _new_zealand, True),
    "tw": ("TW", r"[A-Z][1289]\d{8}", _taiwanese, True),
    "nir": ("FR", r"[12][ ]?\d{2}[ ]?\d{2}[ ]?2[AB][ ]?\d{3}[ ]?\d{3}[ ]?\d{2}", _corsican, False),
    "snr": ("SE", r"\d{6}\+\d{4}", lambda value: luhn(value.replace("+", "")), False),
    "mbi": ("US", r"[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y]\d-[AC-HJKMNP-RT-Y]{2}\d{2}", _always, False),
    "dvla": ("GB", r"[A-Z9]{5}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}", _always, False),
}  # fmt: skip

_DIGITS_FIRST: Final = frozenset({"dni", "hetu", "cn", "pps", "rut", "rut_plain", "nir", "snr", "mbi"})
"""What begins with a digit; a driving licence of the United Kingdom may."""
_SMALL: Final = frozenset({"nino", "dni", "nie"})
"""What is also written in small letters."""

COUNTRIES: Final = frozenset({row[0] for row in _DOCUMENTS.values()})

_FIRST_DIGIT: Final = re.compile(
    r"[0-9](?:(?<![A-Za-z0-9_].)(?<![A-Za-z0-9][/.-].)"
    r"(?:(?=[0-9]{5}(?:[0-9]{0,2}[ -]?[A-Za-z]|[0-9]{1,2}-[0-9]|[0-9]{11}[0-9Xx]|[+-][0-9]{3})|[0-9]?\.[0-9]{3}\.)"
    r"|(?=[A-Za-z][0-9A-Za-z][0-9]-)|(?<=[12])(?= ?[0-9]{2} ?[0-9]{2} ?2[ABab]))"
    r"|(?<=[A-Za-zÑñ& -].)(?=[0-9][ -]?[0-9]{2}|(?<=[A-Za-z]{6}.)[0-9][A-Za-z])"
    r"(?:(?<![ -].)|(?<=[A-Za-zÑñ&]..)(?<![A-Za-z]{3}..)))"
)
"""The first digit of all of them, which is several times faster to search for than their shapes, or for letters."""
_LETTERS: Final = re.compile(r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9][/.-])[A-Za-zÑñ&]{1,6}[ -]?$")
_MOST_LETTERS: Final = 7
_NEITHER: Final = "Ññ&"
"""Letters of some names, which also stand before a value."""
_BEFORE_DIGITS: Final = re.compile(r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9][/.-])")

_PASSPORT: Final = re.compile(
    r"(?<![A-Za-z0-9_/-])(?:[A-Z]{1,2}[ ]?[0-9]{6,8}|[0-9]{8,9}|[0-9]{2}[A-Z]{2}[0-9]{5}|[A-Z]{3}[0-9]{7}|[A-Z]{2}[0-9]{5}[A-Z]{2}"
    r"|(?=[A-Z]{1,8}[0-9])[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}[0-9]?)(?![A-Za-z0-9_/-])"
)
_LICENCE: Final = re.compile(
    r"(?<![A-Za-z0-9_/-])(?:[A-Z][0-9]{5,14}|[A-Z]{2}[0-9]{3,7}[A-Z]?|[0-9]{7,12}|[A-Z][0-9]{3}-[0-9]{4}-[0-9]{4}|[A-Z][0-9]{4}-[0-9]{5}-[0-9]{5}"
    r"|[A-Z][0-9]{2}[0-9A-Z]{6}[0-9][0-9A-Z]|U1[0-9A-Z]{7}[A-Z]|[A-Z][0-9]{3}-[0-9]{3}-[0-9]{2}-[0-9]{3}-[0-9]|[0-9]{3}-[0-9]{3}-[0-9]{3}|[0-9]{2}-[0-9]{3}-[0-9]{4})(?![A-Za-z0-9_/-])"
)
_NEAR: Final = 40


def _beginnings(text: str, low: int, at: int) -> Iterator[int]:
    """Yield where a value with a digit may begin: at the letters before it, or with itself."""
    if low > at:
        return
    if letters := _LETTERS.search(text, low, at):
        yield letters.start()
        if text[letters.start()] in _NEITHER and letters.end() - letters.start() > 1:
            yield letters.start() + 1
    if _BEFORE_DIGITS.match(text, at):
        yield at


def _either(parts: Mapping[str, str]) -> re.Pattern[str]:
    """Return a pattern for any of some numbers, by their names."""
    pattern = "|".join(f"(?P<{name}>{part})" for name, part in parts.items()) or "(?!)"
    return re.compile(rf"(?:{pattern})(?![A-Za-z0-9_]|[-/][A-Za-z0-9])", re.IGNORECASE)


class Documents:
    """Finds national numbers with letters.

    Args:
        countries: whose numbers are known.
    """

    def __init__(self, countries: Container[str]) -> None:
        known = {name: row[1] for name, row in _DOCUMENTS.items() if row[0] in countries}
        self._letters_first = _either({name: part for name, part in known.items() if name not in _DIGITS_FIRST})
        self._digits_first = _either({name: part for name, part in known.items() if name in _DIGITS_FIRST | {"dvla"}})
        self._any = bool(known)

    def __call__(self, sight: Sight) -> None:
        """Add what is found."""
        if not self._any:
            return
        text, done = sight.text, sight.low
        for digit in _FIRST_DIGIT.finditer(text, sight.low, sight.high):
            for start in _beginnings(text, max(done, digit.start() - _MOST_LETTERS), digit.start()):
                pattern = self._digits_first if text[start].isdigit() else self._letters_first
                if match := pattern.match(text, start, sight.high):
                    done = match.end()
                    sight.seen.append((start, done))
                    self._read(match.lastgroup or "", start, done, sight)
                    break

    @staticmethod
    def _read(name: str, start: int, end: int, sight: Sight) -> None:
        country, _, is_valid, needs_context = _DOCUMENTS[name]
        written = sight.text[start:end]
        about = sight.topics(start)
        is_named = country in about or about.about("id") or about.about("tax")
        is_written = written == written.upper() or name == "cn" or (name in _SMALL and written == written.lower())
        if not is_named and (needs_context or about.get("other", 9) == 0 or not is_written):
            return
        value = _PLAIN.sub("", written).upper() if name not in {"hetu", "snr"} else written.upper()
        if is_valid(value) or (name == "dni" and "." in written and _chilean(value)):
            sight.found.append(Value(start, end, "NATIONAL_ID", 0.9 if is_named else 0.75))


def find_named_documents(sight: Sight) -> None:
    """Find passports and driving licences: numbers in the shapes of many countries, right behind words that name them."""
    for topic, pattern in (("passport", _PASSPORT), ("licence", _LICENCE)):
        for match in sight.matches_behind(topic, _NEAR, pattern):
            about = sight.topics(match.start(), _NEAR)
            if topic in about and about[topic] <= about.get("other", 9) and about[topic] <= about.get("phone", 9):
                sight.found.append(Value(match.start(), match.end(), "NATIONAL_ID", 0.65))

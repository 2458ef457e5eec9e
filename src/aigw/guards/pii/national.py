"""National numbers of digits: who gives them out, what they look like, and how they are checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from aigw.guards.pii import national_checks as check
from aigw.guards.pii.checksums import luhn, mod_11_10, verhoeff
from aigw.guards.pii.rule import Value
from aigw.guards.pii.words import NATIONAL_NAMED

if TYPE_CHECKING:
    from collections.abc import Container

    from aigw.guards.pii.numbers import Window
    from aigw.guards.pii.words import Topics


@dataclass(frozen=True, slots=True)
class Number:
    """A national number of digits.

    Args:
        country: who gives it out, as ISO 3166 writes it.
        count: how many digits it has.
        is_valid: its check digits and other rules.
        shapes: the lengths of its groups when it is written in groups.
        strong: a shape, with its separators, that needs no words of context; ``"*"`` for any.
        topics: the topics that name it, next to that of its country.
        kind: what it is reported as.
    """

    country: str
    count: int
    is_valid: Callable[[str], bool]
    shapes: tuple[str, ...] = ()
    strong: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    kind: str = "NATIONAL_ID"


def _sin(digits: str) -> bool:
    return digits[0] != "8" and luhn(digits)


def _aadhaar(digits: str) -> bool:
    return digits[0] not in "01" and verhoeff(digits) and digits != digits[::-1]


_NUMBERS: Final = (
    Number("US", 9, check.ssn, ("3-2-4", "3 2 4", "3.2.4", "3-6", "5-4"), ("3-2-4",), ("ssn",), "US_SSN"),
    Number("US", 9, check.itin, ("3-2-4", "3 2 4"), ("3-2-4",), ("itin", "tax", "ssn")),
    Number("US", 10, check.npi, (), (), ("npi",)),
    Number("GB", 10, check.nhs, ("3 3 4", "3-3-4")),
    Number("DE", 11, check.steuer_id, ("2 3 3 3", "3 3 3 2"), (), ("tax",)),
    Number("FR", 15, check.nir, ("1 2 2 2 3 3 2", "13 2", "1-2-2-2-3-3-2"), ("*",)),
    Number("NL", 9, check.bsn, ("4.2.3", "3 3 3", "3.3.3", "3-3-3")),
    Number("BE", 11, check.belgian, ("2.2.2-3.2", "6-3-2", "6-3.2", "6 3 2"), ("2.2.2-3.2", "6-3.2")),
    Number("PL", 11, check.pesel),
    Number("SE", 10, check.personnummer, ("6-4",), ("6-4",)),
    Number("SE", 12, check.personnummer, ("8-4",), ("8-4",)),
    Number("NO", 11, check.norwegian, ("6 5",), ("*",)),
    Number("DK", 10, check.day_first, ("6-4", "6 4")),
    Number("PT", 9, check.nif_pt, ("3 3 3",)),
    Number("BR", 11, check.cpf, ("3.3.3-2", "9-2", "3-3-3-2"), ("3.3.3-2", "9-2")),
    Number("BR", 14, check.cnpj, ("2.3.3/4-2",), ("2.3.3/4-2",)),
    Number("IN", 12, _aadhaar, ("4 4 4", "4-4-4"), ("4 4 4",)),
    Number("AU", 9, check.tfn, ("3 3 3", "3-3-3"), (), ("tax",)),
    Number("AU", 9, check.acn, ("3 3 3",)),
    Number("AU", 10, check.medicare, ("4 5 1", "4-5-1"), ("4 5 1",)),
    Number("AU", 11, check.abn, ("2 3 3 3",)),
    Number("CA", 9, _sin, ("3-3-3", "3 3 3")),
    Number("ZA", 13, check.south_african, ("6 4 3", "6 4 2 1"), (), ("id",)),
    Number("KR", 13, check.rrn, ("6-7",), ("6-7",)),
    Number("TR", 11, check.turkish),
    Number("CH", 13, check.ahv, ("3.4.4.2", "3 4 4 2"), ("*",)),
    Number("AT", 10, check.svnr, ("4 6", "4-6")),
    Number("CZ", 10, check.rodne, ("6/4",), ("6/4",)),
    Number("RO", 13, check.cnp),
    Number("BG", 10, check.egn),
    Number("AR", 11, check.cuit, ("2-8-1",), ("2-8-1",)),
    Number("IL", 9, check.israeli, ("8-1",)),
    Number("HR", 11, mod_11_10),
    Number("TH", 13, check.thai, ("1-4-5-2-1", "1 4 5 2 1"), ("1-4-5-2-1",)),
    Number("JP", 12, check.my_number, ("4 4 4", "4-4-4")),
    Number("RU", 11, check.snils, ("3-3-3 2", "3-3-3-2"), ("3-3-3 2",)),
    Number("RU", 12, check.inn),
    Number("EE", 11, check.baltic),
    Number("LT", 11, check.baltic),
    Number("LV", 11, check.latvian, ("6-5",)),
    Number("GR", 11, check.amka),
    Number("GR", 9, check.afm),
    Number("IS", 10, check.kennitala, ("6-4",)),
    Number("SI", 13, check.jmbg),
    Number("RS", 13, check.jmbg),
    Number("HU", 9, check.taj, ("3 3 3", "3-3-3")),
    Number("EC", 10, check.cedula, ("9-1",)),
    Number("UA", 10, check.rnokpp),
)

COUNTRIES: Final = frozenset({number.country for number in _NUMBERS})

_STRONG: Final = 0.8
_NAMED: Final = 0.9
_UNSURE: Final = frozenset({"ssn", "tax", "id", "itin"})


class NationalNumbers:
    """Reads windows of digits as national numbers.

    Args:
        countries: whose numbers are known.
    """

    def __init__(self, countries: Container[str]) -> None:
        written: dict[str, list[_Written]] = {}
        for number in _NUMBERS:
            if number.country in countries:
                for shape in (str(number.count), *number.shapes):
                    written.setdefault(shape, []).append(_Written(number, shape))
        self._written = {shape: tuple(numbers) for shape, numbers in written.items()}
        self.lengths = frozenset(tuple(map(int, re.findall("[0-9]+", shape))) for shape in written)
        """How long the groups of the known numbers are."""
        self.shapes = {
            shape: (any(one.is_strong for one in ones), reduce(or_, (one.bits for one in ones)))
            for shape, ones in written.items()
        }
        """Their shapes with separators: whether a number has it that needs no words which name it, and the bits of such
        words."""

    def read(self, window: Window) -> Value | None:
        """Read a window as a national number."""
        named = window.run.named
        for written in self._written[window.shape]:
            if not (written.is_strong or written.bits & named) or not written.is_valid(window.digits):
                continue
            score = _score(written, window)
            if score:
                return Value(window.start, window.end, written.kind, score)
        return None


class _Written:
    """A number in one of its shapes.

    Args:
        number: the number.
        shape: the shape.
    """

    __slots__ = ("bits", "is_plain", "is_strong", "is_valid", "kind", "names")

    def __init__(self, number: Number, shape: str) -> None:
        self.is_plain = shape == str(number.count)
        self.is_strong = shape in number.strong or "*" in number.strong
        self.names = frozenset((number.country, *number.topics))
        self.bits = reduce(or_, (NATIONAL_NAMED.get(name, 0) for name in self.names))
        self.is_valid = number.is_valid
        self.kind = number.kind


def _is_named(names: frozenset[str], about: Topics) -> bool:
    other = about.get("other", 99)
    return any(topic in about and about[topic] <= other + (topic not in _UNSURE) for topic in names)


def _score(written: _Written, window: Window) -> float:
    """Tell how sure a number is whose check digits are right."""
    about = window.run.topics
    is_named = written.bits & window.run.named and _is_named(written.names, about)
    if not is_named:
        if not written.is_strong or about.get("other", 9) == 0 or (written.is_plain and "phone" in about):
            return 0.0
        if window.is_part:
            return 0.0
    return _NAMED if is_named else _STRONG

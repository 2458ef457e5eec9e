"""National numbers of digits: who gives them out, what they look like, and how they are checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

from aigw.guards.pii import national_checks as check
from aigw.guards.pii.accounts import follows_account
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
        is_named_by_country: whether all words count that name a number of its country.
    """

    country: str
    count: int
    is_valid: Callable[[str], bool]
    shapes: tuple[str, ...] = ()
    strong: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    kind: str = "NATIONAL_ID"
    is_named_by_country: bool = True


def _sin(digits: str) -> bool:
    return digits[0] != "8" and luhn(digits)


def _aadhaar(digits: str) -> bool:
    return digits[0] not in "01" and verhoeff(digits) and digits != digits[::-1]


_NUMBERS: Final = (
    Number("US", 9, check.ssn, ("3-2-4", "3 2 4", "3.2.4", "3-6", "5-4"), ("3-2-4",), ("ssn",), "US_SSN"),
    Number("US", 9, check.itin, ("3-2-4", "3 2 4"), ("3-2-4",), ("itin", "tax", "ssn")),
    Number("US", 10, check.npi, (), (), ("npi",)),
    Number("GB", 10, check.nhs, ("3 3 4", "3-3-4")),
    Number("DE", 11, check.steuer_id, ("2 3 3 3", "3 3 3 2"), (), ("tax", "id")),
    Number("FR", 15, check.nir, ("1 2 2 2 3 3 2", "13 2", "1-2-2-2-3-3-2"), ("*",)),
    Number("NL", 9, check.bsn, ("4.2.3", "3 3 3", "3.3.3", "3-3-3")),
    Number("BE", 11, check.belgian, ("2.2.2-3.2", "6-3-2", "6-3.2", "6 3 2"), ("2.2.2-3.2", "6-3.2"), ("id",)),
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
    Number("AT", 10, check.svnr, ("4 6", "4-6"), ("4 6", "4-6")),
    Number("CZ", 10, check.rodne, ("6/4",), ("6/4",)),
    Number("RO", 13, check.cnp),
    Number("BG", 10, check.egn),
    Number("AR", 11, check.cuit, ("2-8-1",), ("2-8-1",)),
    Number("CO", 10, check.nit, ("9-1", "3.3.3-1"), ("3.3.3-1",)),
    Number("CO", 10, check.any_digits, ("1.3.3.3",), (), ("cedula",), is_named_by_country=False),
    Number("CO", 8, check.any_digits, ("2.3.3",), (), ("cedula",), is_named_by_country=False),
    Number("IL", 9, check.israeli, ("8-1",)),
    Number("MY", 12, check.mykad, ("6-2-4", "6 2 4"), ("6-2-4",)),
    Number("ID", 16, check.nik, ("6-6-4", "6 6 4", "4 4 4 4", "4-4-4-4")),
    Number("NZ", 8, check.ird, ("2-3-3", "2 3 3")),
    Number("NZ", 9, check.ird, ("3-3-3", "3 3 3")),
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
NAMED: Final = 0.9
"""How sure a number is that its words name."""
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
        self._strong = {shape: tuple(one for one in ones if one.is_strong) for shape, ones in written.items()}
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
        named, shape = window.run.named, window.frame.shape
        best, least = None, 0
        for written in self._written[shape] if self.shapes[shape][1] & named else self._strong[shape]:
            if not (written.is_strong or written.bits & named) or not written.is_valid(window.digits):
                continue
            score, rank = _score(written, window)
            if score and (best is None or (score, -rank) > (best.score, -least)):
                best, least = Value(window.start, window.end, written.kind, score), rank
        return best


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
        self.names = frozenset((number.country, *number.topics) if number.is_named_by_country else number.topics)
        self.bits = reduce(or_, (NATIONAL_NAMED.get(name, 0) for name in self.names))
        self.is_valid = number.is_valid
        self.kind = number.kind


def _rank(names: frozenset[str], about: Topics) -> int | None:
    """Return how near the nearest word stands that names a number, if none of another purpose is much nearer."""
    other = about.get("other", 99)
    ranks = [about[topic] for topic in names if topic in about and about[topic] <= other + (topic not in _UNSURE)]
    return min(ranks, default=None)


def _score(written: _Written, window: Window) -> tuple[float, int]:
    """Tell how sure a number is whose check digits are right, and how near its name is."""
    about = window.run.topics
    rank = _rank(written.names, about) if written.bits & window.run.named else None
    if rank is not None:
        return NAMED, rank
    if not written.is_strong or about.get("other", 9) == 0 or (written.is_plain and "phone" in about):
        return 0.0, 0
    return (0.0 if window.is_part or follows_account(window.run.text, window.start) else _STRONG), 0

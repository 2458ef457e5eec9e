"""Check digits and dates of national numbers, as their authorities publish them. All take ASCII digits without gaps."""

# ruff: noqa: PLR2004  (the numbers of published rules)
from __future__ import annotations

from typing import Final

from aigw.guards.pii.checksums import luhn, mod_11_10, weighted

_MOST_DAYS: Final = 31
_MOST_MONTHS: Final = 12


def is_day(month: str, day: str) -> bool:
    """Check a month and a day."""
    return 1 <= int(month) <= _MOST_MONTHS and 1 <= int(day) <= _MOST_DAYS


def ssn(digits: str) -> bool:
    """United States: no area 000, 666 or from 900, no group 00, no serial 0000."""
    return digits[0] != "9" and digits[:3] not in {"000", "666"} and digits[3:5] != "00" and digits[5:] != "0000"


def itin(digits: str) -> bool:
    """United States, taxpayers without an SSN: a nine, and a group from the ranges of the IRS."""
    group = int(digits[3:5])
    return digits[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99)


def npi(digits: str) -> bool:
    """United States, providers of health care: Luhn behind 80840."""
    return digits[0] in "12" and luhn("80840" + digits)


def nhs(digits: str) -> bool:
    """United Kingdom, health service."""
    return (11 - weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(digits[9])


def steuer_id(digits: str) -> bool:
    """Germany, tax: one digit of the first ten twice or thrice, MOD 11,10."""
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    return digits[0] != "0" and counts[-1] in {2, 3} and counts[-2] == 1 and mod_11_10(digits)


def nir(digits: str) -> bool:
    """France: sex, year, month, department, and 97 minus the remainder."""
    month = int(digits[3:5])
    return digits[0] in "123478" and (1 <= month <= 12 or 20 <= month <= 42) and nir_key(digits[:13], digits[13:])


def nir_key(number: str, key: str) -> bool:
    """France: the key alone."""
    return 97 - int(number) % 97 == int(key)


def bsn(digits: str) -> bool:
    """Netherlands: the test of eleven."""
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and int(digits) > 0


def belgian(digits: str) -> bool:
    """Belgium: 97 minus the remainder, with a two in front since 2000."""
    key = int(digits[9:])
    return int(digits[2:4]) % 20 <= _MOST_MONTHS and key in {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}


def pesel(digits: str) -> bool:
    """Poland: a date with the century in its month."""
    total = weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1))
    return total % 10 == 0 and is_day(str(int(digits[2:4]) % 20), digits[4:6])


def personnummer(digits: str) -> bool:
    """Sweden: a date, or one with sixty days more, and Luhn."""
    digits = digits[-10:]
    return is_day(digits[2:4], str(int(digits[4:6]) % 60)) and luhn(digits)


def norwegian(digits: str) -> bool:
    """Norway: a date and two check digits."""
    return (
        is_day(digits[2:4] if int(digits[2]) < 4 else str(int(digits[2:4]) - 40), str(int(digits[:2]) % 40))
        and weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def day_first(digits: str) -> bool:
    """Denmark: a date of day, month, year. The check digit is not used since 2007."""
    return is_day(digits[2:4], digits[:2])


def nif_pt(digits: str) -> bool:
    """Portugal, tax."""
    check = 11 - weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return digits[0] in "1235689" and (0 if check > 9 else check) == int(digits[8])


def _two_checks(digits: str, first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    checks = [weighted(digits, weights) % 11 for weights in (first, second)]
    return [0 if check < 2 else 11 - check for check in checks] == [int(digits[-2]), int(digits[-1])]


def cpf(digits: str) -> bool:
    """Brazil, persons."""
    return len(set(digits)) > 1 and _two_checks(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2), (11, 10, 9, 8, 7, 6, 5, 4, 3, 2))


def cnpj(digits: str) -> bool:
    """Brazil, companies."""
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return len(set(digits)) > 1 and _two_checks(digits, weights[1:], weights)


def tfn(digits: str) -> bool:
    """Australia, tax."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def medicare(digits: str) -> bool:
    """Australia, health."""
    return digits[0] in "23456" and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def abn(digits: str) -> bool:
    """Australia, businesses."""
    return (weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def acn(digits: str) -> bool:
    """Australia, companies."""
    return (10 - weighted(digits, (8, 7, 6, 5, 4, 3, 2, 1)) % 10) % 10 == int(digits[8])


def south_african(digits: str) -> bool:
    """South Africa: a date, citizenship, Luhn."""
    return is_day(digits[2:4], digits[4:6]) and digits[10] in "012" and luhn(digits)


def rrn(digits: str) -> bool:
    """Korea: a date, and sex and century. The check digit is not used since 2020."""
    return is_day(digits[2:4], digits[4:6]) and digits[6] in "12345678"


def ahv(digits: str) -> bool:
    """Switzerland: 756 and the check digit of EAN-13."""
    return digits.startswith("756") and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def svnr(digits: str) -> bool:
    """Austria: the check digit stands fourth, and a date last. Months from 13 are used where a day is full."""
    total = weighted(digits[:3] + digits[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6))
    is_dated = 1 <= int(digits[4:6]) <= _MOST_DAYS and 1 <= int(digits[6:8]) <= 15
    return digits[0] != "0" and is_dated and total % 11 == int(digits[3])


def rodne(digits: str) -> bool:
    """Czechia and Slovakia: a date with fifty months more for women, divisible by eleven."""
    month = int(digits[2:4]) % 50 % 20
    return is_day(str(month), digits[4:6]) and (
        int(digits) % 11 == 0 or (int(digits[:9]) % 11 == 10 and digits[9] == "0")
    )


def cnp(digits: str) -> bool:
    """Romania."""
    check = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return is_day(digits[3:5], digits[5:7]) and digits[0] != "0" and (1 if check == 10 else check) == int(digits[12])


def egn(digits: str) -> bool:
    """Bulgaria."""
    month = str(int(digits[2:4]) % 20)
    return is_day(month, digits[4:6]) and weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(digits[9])


def cuit(digits: str) -> bool:
    """Argentina. Ten is written as nine."""
    check = -weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return digits[:2] in {"20", "23", "24", "27", "30", "33", "34"} and min(check, 9) == int(digits[10])


def nit(digits: str) -> bool:
    """Colombia, tax."""
    remainder = weighted(digits, (41, 37, 29, 23, 19, 17, 13, 7, 3)) % 11
    return (remainder if remainder < 2 else 11 - remainder) == int(digits[9])


def any_digits(digits: str) -> bool:
    """Colombia, citizens: no check digit."""
    return digits[0] != "0" and len(set(digits)) > 2


_PLACES_MY: Final = frozenset(
    f"{code:02}" for code in (*range(1, 17), *range(21, 69), 71, 72, *range(74, 80), *range(82, 94), 98, 99)
)


def mykad(digits: str) -> bool:
    """Malaysia: a date and a place of birth. No check digit is published."""
    return is_day(digits[2:4], digits[4:6]) and digits[6:8] in _PLACES_MY


def nik(digits: str) -> bool:
    """Indonesia: a province, a date with forty days more for women, a serial. There is no check digit."""
    is_placed = 11 <= int(digits[:2]) <= 96 and digits[12:] != "0000"
    return is_placed and is_day(digits[8:10], str(int(digits[6:8]) % 40))


def ird(digits: str) -> bool:
    """New Zealand, tax: a second round of weights where the first leaves ten."""
    digits = digits.zfill(9)
    check = -weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    if check == 10:
        check = -weighted(digits, (7, 4, 3, 2, 5, 2, 7, 6)) % 11
    return 10_000_000 < int(digits) < 150_000_000 and check == int(digits[8])


def israeli(digits: str) -> bool:
    """Israel: Luhn, from the left."""
    return luhn(digits) and int(digits) > 0


def thai(digits: str) -> bool:
    """Thailand."""
    return digits[0] in "12345678" and (11 - weighted(digits, tuple(range(13, 1, -1))) % 11) % 10 == int(digits[12])


def my_number(digits: str) -> bool:
    """Japan."""
    remainder = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if remainder <= 1 else 11 - remainder) == int(digits[11])


def snils(digits: str) -> bool:
    """Russia, pensions."""
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, 1)) % 101 % 100 == int(digits[9:])


def inn(digits: str) -> bool:
    """Russia, tax of persons."""
    return (
        weighted(digits, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(digits[10])
        and weighted(digits, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) % 11 % 10 == int(digits[11])
    )  # fmt: skip


def baltic(digits: str) -> bool:
    """Estonia and Lithuania: sex and century, a date, and a check digit in two rounds."""
    check = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return digits[0] in "12345678" and is_day(digits[3:5], digits[5:7]) and check == int(digits[10])


def latvian(digits: str) -> bool:
    """Latvia: a date and a check digit; since 2017 the number begins with 32 and says nothing."""
    check = (1 + weighted(digits, (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11 % 10
    return digits[:2] == "32" or (is_day(digits[2:4], digits[:2]) and check == int(digits[10]))


def amka(digits: str) -> bool:
    """Greece, social security: a date and Luhn."""
    return is_day(digits[2:4], digits[:2]) and luhn(digits)


def afm(digits: str) -> bool:
    """Greece, tax."""
    return weighted(digits, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(digits[8]) and int(digits) > 0


def kennitala(digits: str) -> bool:
    """Iceland: a date, a check digit, and the century."""
    is_dated = is_day(digits[2:4], str(int(digits[:2]) % 40))
    return is_dated and digits[9] in "890" and weighted(digits, (3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def jmbg(digits: str) -> bool:
    """Slovenia, Serbia and their neighbours: a date, and a check digit of eleven."""
    check = 11 - weighted(digits, (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return is_day(digits[2:4], digits[:2]) and (0 if check > 9 else check) == int(digits[12])


def taj(digits: str) -> bool:
    """Hungary, health."""
    return weighted(digits, (3, 7, 3, 7, 3, 7, 3, 7)) % 10 == int(digits[8])


def cedula(digits: str) -> bool:
    """Ecuador: a province, and Luhn."""
    return 1 <= int(digits[:2]) <= 24 and digits[2] in "012345" and luhn(digits)


def rnokpp(digits: str) -> bool:
    """Ukraine, tax of persons."""
    return weighted(digits, (-1, 5, 7, 9, 4, 6, 10, 5, 7)) % 11 % 10 == int(digits[9])


def turkish(digits: str) -> bool:
    """Turkey."""
    odd, even = sum(map(int, digits[0:9:2])), sum(map(int, digits[1:8:2]))
    return (
        digits[0] != "0"
        and (odd * 7 - even) % 10 == int(digits[9])
        and sum(map(int, digits[:10])) % 10 == int(digits[10])
    )

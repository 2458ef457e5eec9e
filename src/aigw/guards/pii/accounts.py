"""International bank account numbers, and addresses of crypto currencies."""

# ruff: noqa: PLR0911, SIM905  (patterns; one kind of address a step; lists of words)
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.checksums import RIPPLE, base58, base58check, bech32, mod_97
from aigw.guards.pii.rule import Sight, Value

if TYPE_CHECKING:
    from re import Match

_LENGTHS: Final = {
    country: int(length)
    for length, countries in {
        "15": "NO", "16": "BE", "18": "DK FO FK FI GL NL SD", "19": "MK SI", "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV", "22": "BG BH CR DE GB GE IE ME RS VA", "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG", "25": "AO CV GW LY MZ PT ST", "26": "DZ IR IS TR",
        "27": "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD",
        "28": "AL AZ BF BJ BY CI CY DO GT HU HN LB MA ML NE NI PL SN SV TG",
        "29": "BR EG PS QA UA", "30": "JO KW MU YE", "31": "MT SC",
        "32": "LC", "33": "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
"""How many characters the IBAN of a country has, in the registry of SWIFT or not."""

_ALL_DIGITS: Final = frozenset(
    "AT BE BA HR CZ DK EE FI DE HU IS XK LT ME MN NO PL PT RS SK SI SO ES SE TL VA CR EG".split()
)
_NO_GAPS: Final = str.maketrans("", "", " .-")

IBAN_HEAD: Final = re.compile(
    r"[0-9](?<=[A-Za-z -].)[0-9](?=[ .-]?[A-Za-z0-9])"
    r"(?:(?<=[A-Za-z]{2}..)(?<![A-Za-z0-9]..[0-9]{2})|(?<=[A-Za-z]{2}[ -]..)(?<![A-Za-z0-9]...[0-9]{2}))"
)
"""The check digits behind the country: digits are rarer than letters, so these are searched for."""
_BODIES: Final = {
    length: re.compile(rf"[A-Za-z]{{2}}(?:[ .-]{{0,2}}[A-Za-z0-9]){{{length - 2}}}(?![A-Za-z0-9])")
    for length in sorted(set(_LENGTHS.values()))
}
_IBAN_REACH: Final = 110

_IN_ACCOUNT: Final = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})[0-9]{2}[ -]?(?:[A-Za-z0-9]{4}[ -]){0,7}$")
_LONGEST_PART: Final = 44

_BASE58: Final = "1-9A-HJ-NP-Za-km-z"
_COIN: Final = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?P<eth>0x[0-9a-fA-F]{{40}})|(?P<check>[13LMDTXA92mn][{_BASE58}]{{25,34}})|(?P<xrp>r[{_BASE58}]{{24,34}})"
    r"|(?P<bech>(?:bc|tb|ltc|addr|cosmos|osmo|bnb|stake|dgb|vtc)1[02-9ac-hj-np-z]{8,100}|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{8,87})"
    rf"|(?P<xmr>[48][0-9AB][{_BASE58}]{{93}})|(?P<sol>[{_BASE58}]{{43,44}})|(?P<short>[{_BASE58}]{{32,42}}))(?![A-Za-z0-9])"
)
LONG_WORD: Final = re.compile(r"[A-Za-z0-9]{25,}")
_VERSIONS: Final = frozenset({0x00, 0x05, 0x1E, 0x16, 0x30, 0x32, 0x41, 0x4C, 0x10, 0x6F, 0xC4, 0x3A, 0x17})
"""Bitcoin, Dogecoin, Litecoin, Tron, Dash, and the test network."""
_PAYLOAD: Final = 21
_KEY: Final = 32


def find_iban(sight: Sight, head: Match[str]) -> None:
    """Find an international bank account number (ISO 13616): the length of the country, and a right checksum.

    Args:
        sight: the island.
        head: what it may begin with, a match of `IBAN_HEAD`.
    """
    text, at = sight.text, head.start()
    start = at - (3 if text[at - 1] in " -" else 2)
    length = _LENGTHS.get(text[start : start + 2].upper())
    if length is None or start < sight.low:
        return
    body = _BODIES[length].match(text, start, min(sight.high, start + _IBAN_REACH))
    if body is None:
        return
    value = body[0].translate(_NO_GAPS)
    if _is_possible(value) and mod_97(value[4:] + value[:4]):
        sight.found.append(Value(start, body.end(), "IBAN", 1.0))
        sight.seen.append((start, body.end()))


def follows_account(text: str, at: int) -> bool:
    """Tell whether groups stand before a place as in an account number: digits there are no number of their own.

    Args:
        text: the text.
        at: the place, behind a space or dash.
    """
    if text[max(0, at - 1) : at] not in {" ", "-"} or not text[max(0, at - 5) : at - 1].isalnum():
        return False
    head = _IN_ACCOUNT.search(text, max(0, at - _LONGEST_PART), at)
    return head is not None and head[1].upper() in _LENGTHS


def _is_possible(value: str) -> bool:
    """Tell whether there are digits where the country has nothing else."""
    return value[:2].upper() not in _ALL_DIGITS or value[2:].isdigit()


def find_coin(sight: Sight, word: Match[str]) -> None:
    """Find an address of a crypto currency, by its checksum where it has one.

    Args:
        sight: the island.
        word: what it may be, a match of `LONG_WORD`.
    """
    match = _COIN.fullmatch(sight.text, *word.span())
    if match is None:
        return
    score = _coin_score(match.lastgroup or "", match[0], sight, match.start())
    if score:
        sight.found.append(Value(match.start(), match.end(), "CRYPTO", score))


def _coin_score(name: str, value: str, sight: Sight, at: int) -> float:
    if name == "eth":
        return 0.95 if len(set(value)) > 4 or "wallet" in sight.topics(at) else 0.0  # noqa: PLR2004  (no constant of a test)
    if name == "bech":
        return 1.0 if bech32(value) else 0.0
    if name == "xmr":
        return 0.9 if not value.isalnum() or not value.isdigit() else 0.0
    checked = base58check(value)
    if len(checked) == _PAYLOAD and checked[0] in _VERSIONS:
        return 1.0
    if name == "xrp" and base58check(value, RIPPLE)[:1] == b"\0":
        return 1.0
    if name in {"sol", "short", "check", "xrp"} and "wallet" in sight.topics(at):
        return 0.8 if len(base58(value)) == _KEY and not value.isalpha() else 0.0
    return 0.0

"""Addresses of networks: IPv4, IPv6, MAC."""

# ruff: noqa: E501  (patterns)
from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.rule import Sight, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Match, Pattern


# What must not stand before it is looked at behind the first digit: such a pattern is searched many times faster.
IPV4: Final = re.compile(
    r"[0-9](?<![A-Za-z0-9.].)(?<![A-Za-z0-9_]_.)[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![A-Za-z0-9]|_[A-Za-z0-9_]|\.[0-9])"
)
_IN_IPV6: Final = re.compile(r":[0-9A-Fa-f]{0,4}:$")
"""What stands before the last part of an IPv6 address; before another colon is a name, as in ``src:10.0.0.1``."""
_LONGEST_GROUP: Final = 6
_MOST_OF_AN_OCTET: Final = 255
_IPV6: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?<![A-Za-z0-9_]_)(?<!::)(?<!\b[0-9A-Fa-f]:)(?<!\b[0-9A-Fa-f]{2}:)(?<!\b[0-9A-Fa-f]{3}:)(?<!\b[0-9A-Fa-f]{4}:)"
    r"(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:])[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?<=:[0-9])(?:\.[0-9]{1,3}){3}"
    r"|(?<=:[0-9]{2})(?:\.[0-9]{1,3}){3}|(?<=:[0-9]{3})(?:\.[0-9]{1,3}){3})?(?P<zone>%[A-Za-z0-9._~-]{1,16}(?<![.]))?(?![A-Za-z0-9:]|_[A-Za-z0-9_])"
)
_MAC: Final = re.compile(
    r"(?<![A-Za-z0-9.-])(?<![A-Za-z0-9_]_)(?<!\b[0-9A-Fa-f]{2}:)(?<!::)(?:[0-9A-Fa-f]{2}(?P<by>[:-])[0-9A-Fa-f]{2}(?:(?P=by)[0-9A-Fa-f]{2}){4}(?:(?P=by)[0-9A-Fa-f]{2}){0,2}"
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![A-Za-z0-9:]|_[A-Za-z0-9_]|[.-][A-Za-z0-9])"
)
_BARE_MAC: Final = re.compile(
    r"(?<![A-Za-z0-9_.:-])(?=[0-9]{0,11}[A-Fa-f])(?=[A-Fa-f]{0,11}[0-9])[0-9A-Fa-f]{12}(?![A-Za-z0-9_]|[.:-][A-Za-z0-9])"
)
_MAC_NEAR: Final = 24
_PRODUCT: Final = re.compile(r"(?:^|[^/\w])[\w.-]*?([A-Za-z][A-Za-z0-9_]*)/$")
_VERSION: Final = re.compile(
    r"(?:\b(?:v|ver|version|release|build|firmware|section|chapter|clause|oid|§)\.?[ :=\"']{0,3}|\bv\.? ?|(?:[=~^><]=|[~^]) ?)$",
    re.IGNORECASE,
)
_MARKS: Final = " :=\"'."
_ENDS: Final = frozenset("vrned§~^><")
"""What stands between such a word and its number, and how those words end: most texts end otherwise."""
_PRIVATE: Final = re.compile(r"10\.|127\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.")
_VERSION_NEAR: Final = 24


def find_ipv4(sight: Sight) -> None:
    """Find IPv4 addresses; four numbers that are called a version are none."""
    for match in sight.matches(IPV4):
        if max(map(int, match[0].split("."))) > _MOST_OF_AN_OCTET:
            continue
        before = sight.text[max(0, match.start() - _VERSION_NEAR) : match.start()]
        if before.endswith(":") and _IN_IPV6.search(before[-_LONGEST_GROUP:]):
            continue
        if not _is_version(sight, match.start(), before):
            sight.found.append(Value(match.start(), match.end(), "IP", 0.9))


def _is_version(sight: Sight, start: int, before: str) -> bool:
    if before.endswith("/"):
        product = _PRODUCT.search(before)
        return product is not None and product[1].lower() not in {"localhost", "host", "ip", "node", "addr"}
    is_marked = before.rstrip(_MARKS)[-1:].lower() in _ENDS or "=" in before[-3:]
    if is_marked and _VERSION.search(before):
        return True
    return not _PRIVATE.match(sight.text, start) and sight.topics(start, _VERSION_NEAR).get("version") == 0


COLON: Final = re.compile(r":(?=:|[0-9A-Fa-f]{1,4}:(?::|[0-9A-Fa-f]{1,4}:(?::|[0-9A-Fa-f]{1,4}:)))")
PAIR: Final = re.compile(r"[:.-](?=[0-9A-Fa-f](?:[0-9A-Fa-f][:-](?:[0-9A-Fa-f]{2}[:-]){3}|(?<=\..)[0-9A-Fa-f]{3}\.))")
"""The first separator of all of them: there are more times and dates than addresses."""
_HEXADECIMAL: Final = frozenset("0123456789ABCDEFabcdef")


def _starting(sight: Sight, pattern: Pattern[str], mark: Pattern[str], most: int) -> Iterator[Match[str]]:
    """Yield the matches of a pattern that begins with hexadecimal digits before a mark.

    Marks are rare, and hexadecimal digits are not: this is many times faster than to search for the pattern.
    """
    text, done = sight.text, sight.low
    for hit in mark.finditer(text, sight.low, sight.high):
        colon = start = hit.start()
        while start > done and colon - start < most and text[start - 1] in _HEXADECIMAL:
            start -= 1
        if start >= done and (match := pattern.match(text, start, sight.high)):
            sight.seen.append(match.span())
            done = match.end()
            yield match


def find_ipv6(sight: Sight) -> None:
    """Find IPv6 addresses: compressed, with IPv4 at their end, with a zone."""
    text = sight.text
    for match in _starting(sight, _IPV6, COLON, 4):
        end = match.end()
        if text[end - 1] == ":" and text[end - 2] != ":":
            end -= 1
        try:
            IPv6Address(text[match.start() : end])
        except AddressValueError:
            continue
        if not _is_slice(sight, match.start(), end):
            sight.found.append(Value(match.start(), end, "IP", 0.95))


def _is_slice(sight: Sight, start: int, end: int) -> bool:
    """Tell whether it is rather a slice of Python, a name with two colons, or a time."""
    text = sight.text
    value = text[start:end]
    digits = sum(character.isdigit() for character in value)
    if len(value.replace(":", "")) > 4 and (digits or value.count(":") > 4):  # noqa: PLR2004  (one full group, and more)
        return False
    if text[max(0, start - 3) : start] == "//[" or "ip" in sight.topics(start):
        return False
    if text[max(0, start - 1) : start] == "[":
        return text[end : end + 2] != "]:"
    return not digits


def find_macs(sight: Sight) -> None:
    """Find MAC addresses: six or eight pairs with colons or dashes, or three groups of four with dots."""
    for match in _starting(sight, _MAC, PAIR, 4):
        value = match[0]
        if match["by"] == ":" or not value.replace("-", "").isdigit() or "mac" in sight.topics(match.start()):
            if match["by"] is None and value.replace(".", "").isdigit():
                continue
            if len(value) not in {14, 17, 23}:
                continue
            sight.found.append(Value(match.start(), match.end(), "MAC", 0.96))


def find_named_macs(sight: Sight) -> None:
    """Find MAC addresses without separators, right behind words that name them."""
    for match in sight.matches_behind("mac", _MAC_NEAR, _BARE_MAC):
        if sight.topics(match.start(), _MAC_NEAR).get("mac") == 0:
            sight.found.append(Value(match.start(), match.end(), "MAC", 0.8))

"""Addresses of networks: IPv4, IPv6, MAC."""

# ruff: noqa: E501, SIM905  (patterns; a list of words)
from __future__ import annotations

import re
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
_LONGEST_OF_IPV6: Final = 4
_GROUPS: Final = 8
_MOST_OF_AN_OCTET: Final = 255
_IPV6: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?<![A-Za-z0-9_]_)(?<!::)(?<!\b[0-9A-Fa-f]:)(?<!\b[0-9A-Fa-f]{2}:)(?<!\b[0-9A-Fa-f]{3}:)(?<!\b[0-9A-Fa-f]{4}:)"
    r"(?=[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:])[0-9A-Fa-f:]{2,39}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){3}|(?<=:[0-9])(?:\.[0-9]{1,3}){3}"
    r"|(?<=:[0-9]{2})(?:\.[0-9]{1,3}){3}|(?<=:[0-9]{3})(?:\.[0-9]{1,3}){3})?(?P<zone>%[A-Za-z0-9._~-]{1,16}(?<![.]))?(?![A-Za-z0-9:]|_[A-Za-z0-9_])"
)
_MAC: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?<![A-Za-z0-9.-]-)(?<![A-Za-z0-9_]_)(?<!\b[0-9A-Fa-f]{2}:)(?<!::)(?:[0-9A-Fa-f]{2}(?P<by>[:-])[0-9A-Fa-f]{2}(?:(?P=by)[0-9A-Fa-f]{2}){4}(?:(?P=by)[0-9A-Fa-f]{2}){0,2}"
    r"|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![A-Za-z0-9:]|_[A-Za-z0-9_]|[.-][A-Za-z0-9])"
)
_BARE_MAC: Final = re.compile(
    r"(?<![A-Za-z0-9_.:-])(?=[0-9]{0,11}[A-Fa-f])(?=[A-Fa-f]{0,11}[0-9])[0-9A-Fa-f]{12}(?![A-Za-z0-9_]|[.:-][A-Za-z0-9])"
)
_MAC_NEAR: Final = 24
_MACHINES: Final = frozenset({"localhost", "host", "ip", "node", "addr"})
_PRODUCT: Final = re.compile(r"(?:^|[^/\w])[\w.-]*?([A-Za-z][A-Za-z0-9_]*)/$")
_CALLED: Final = re.compile(r"[ :=\"'.(>]{0,5}([A-Za-z\u00a7]{1,24})(?![A-Za-z0-9_])")
"""The word before an address, both read backwards."""
_VERSION_WORDS: Final = frozenset(
    "v ver version versions release build firmware section chapter clause oid \u00a7 pip semver sdk jdk jre gcc clang llvm".split()
)
"""What no address stands right behind."""
_OPERATORS: Final = frozenset("=~^>")
_OPERATOR: Final = re.compile(r"(?:[=~^><]=|[~^]>?) ?$")
_SOFTWARE: Final = frozenset(
    """policy schema spec patch kernel rev revision hotfix edition plugin package library openssl php ruby python java chrome
    firefox numpy rails django npm gem cargo yarn apt crate dependency""".split()
)
"""What has versions: four numbers as small as those of versions are one right behind it."""
_PACKAGES: Final = frozenset("package plugin library module dependency crate npm pip gem cargo yarn apt".split())
"""What has versions behind a name of its own."""
_RESOLVERS: Final = frozenset({(1, 1, 1, 1), (1, 0, 0, 1), (8, 8, 8, 8), (8, 8, 4, 4), (9, 9, 9, 9), (4, 2, 2, 2)})
"""Small numbers that are addresses everybody knows."""
_IMAGES: Final = frozenset({"image", "pull", "run"})
"""What has versions behind a name and a colon."""
_MOVED: Final = re.compile(r"(?:upgrad|downgrad|updat|bump|replac|pinn|roll)[a-z]{0,4}")
_WORD: Final = re.compile(r"[A-Za-z][\w.+/-]*")
_MARKS: Final = " :=\"'.(>"
_MOST_MARKS: Final = 5
_CLASSES: Final = 7
"""Of enzymes: behind ``EC`` stand four numbers, too."""
_SMALL: Final = 31
_FILE: Final = re.compile(
    r"[-.](?:(?:py|cp)[0-9]|(?i:alpha|beta|rc|dev|snapshot|preview|final|lts)\b|(?:\w{1,12}[-.]){0,2}(?:tar|tgz|zip|whl|gz|bz2|xz|7z|jar|deb|rpm|exe|msi|dmg|apk|iso|gem|egg|nupkg|vsix|xpi|so|dll)\b)"
)
"""How a version or the name of a file goes on."""
_PRIVATE: Final = re.compile(r"10\.|127\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.")
_VERSION_NEAR: Final = 24
_LONGEST_PHRASE: Final = 48


def find_ipv4(sight: Sight, match: Match[str]) -> None:
    """Find an IPv4 address; four numbers that are called a version are none.

    Args:
        sight: the island.
        match: four numbers, a match of `IPV4`.
    """
    numbers = tuple(map(int, match[0].split(".")))
    if max(numbers) > _MOST_OF_AN_OCTET:
        return
    text, start = sight.text, match.start()
    before = text[start - 1 : start]
    if before == ":" and _IN_IPV6.search(text, max(0, start - _LONGEST_GROUP), start):
        return
    if not _is_version(sight, match, before, numbers):
        sight.found.append(Value(start, match.end(), "IP", 0.9))


def _is_version(sight: Sight, match: Match[str], mark: str, numbers: tuple[int, ...]) -> bool:
    """Tell whether it clearly is a version, a section or the like: no address may be missed.

    Args:
        sight: where it stands.
        match: the four numbers.
        mark: the character before them.
        numbers: what they are.
    """
    text, start = sight.text, match.start()
    if mark == "/":
        product = _PRODUCT.search(text[max(0, start - _VERSION_NEAR) : start])
        return product is not None and product[1].lower() not in _MACHINES
    near = text[max(0, start - _MOST_MARKS - 1) : start].rstrip(_MARKS)[-1:]
    if near.isalpha() or near == "\u00a7":
        called = _CALLED.match(text[max(0, start - _VERSION_NEAR) : start][::-1])
        word = called[1][::-1].lower() if called else ""
        if word in _VERSION_WORDS or word.endswith("version") or (word == "ec" and numbers[0] <= _CLASSES):
            return True
    if not _OPERATORS.isdisjoint(text[max(0, start - 2) : start]) and _OPERATOR.search(text, max(0, start - 4), start):
        return "ip" not in sight.topics(start, _VERSION_NEAR)
    if _PRIVATE.match(text, start):
        return False
    end = match.end()
    is_file = text[end : end + 1] in {"-", "."} and _FILE.match(text, end, sight.high) is not None
    is_small = max(numbers) <= _SMALL and (not near.isdigit() or mark == "(")
    if is_file or (is_small and _is_software(sight, start, numbers)):
        return True
    return sight.topics(start, _VERSION_NEAR).get("version") == 0


def _is_software(sight: Sight, start: int, numbers: tuple[int, ...]) -> bool:
    """Tell whether the words before small numbers name what has versions, and none names what has addresses."""
    before = sight.text[max(0, start - _LONGEST_PHRASE) : start]
    words = _WORD.findall(before.lower())[-4:]
    if not words or "ip" in sight.topics(start, _LONGEST_PHRASE):
        return False
    *others, last = words
    if last.rstrip(".") in _SOFTWARE or (last.startswith("lib") and len(last) > len("lib")):
        return True
    if numbers in _RESOLVERS:
        return False
    if last in {"to", "from", "with"}:
        return any(map(_MOVED.fullmatch, others))
    return not (_IMAGES if before.endswith(":") else _PACKAGES).isdisjoint(others[-2:])


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
        address = text[match.start() : end].partition("%")[0]
        if _is_ipv6(address) and not _is_slice(sight, match.start(), end):
            sight.found.append(Value(match.start(), end, "IP", 0.95))


def _is_ipv6(address: str) -> bool:
    """Tell whether hexadecimal digits, colons and what may be an IPv4 address at the end are one of RFC 4291."""
    groups = address.split(":")
    count = len(groups)
    if "." in groups[-1]:
        numbers = groups[-1].split(".")
        if any(int(number) > _MOST_OF_AN_OCTET or (number[0] == "0" and number != "0") for number in numbers):
            return False
        count += 1
        groups[-1] = "0"
    if max(map(len, groups)) > _LONGEST_OF_IPV6:
        return False
    head, gap, tail = address.partition("::")
    if not gap:
        return count == _GROUPS and "" not in groups
    is_once = "::" not in tail and not tail.startswith(":")
    count -= groups.count("")
    return is_once and count < _GROUPS and not head.startswith(":") and not tail.endswith(":")


def _is_slice(sight: Sight, start: int, end: int) -> bool:
    """Tell whether it is rather a slice of Python, a name with two colons, or a time."""
    text = sight.text
    value = text[start:end]
    if value == "::" and text[end : end + 1] in {"", "\n"}:  # how paragraphs end before an example
        return True
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
        about = sight.topics(match.start(), _MAC_NEAR)
        rank = about.get("mac")
        if rank == 0 or (rank == 1 and about.get("wallet") == 0):  # "address" may stand between
            sight.found.append(Value(match.start(), match.end(), "MAC", 0.8))

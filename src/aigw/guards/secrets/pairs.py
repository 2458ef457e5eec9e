"""Finds passwords by the user that stands before them: in calls, in sentences, in lists, and the members of JWKs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.judged import judge_assigned
from aigw.guards.secrets.seen import GAPS, matches, occurrences
from aigw.guards.secrets.values import classes, is_random, is_strong
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.secrets.seen import Seen

_LIKELY: Final = 0.7
_LONGEST: Final = 200

_CALLS: Final = ("auth", "login", "credential", "connect", "pdo(", "pw_set", "signin", "sign_in")
_CALL: Final = re.compile(
    r"""
    \w{0,20}=?[ ]?[(\[]\s{0,4}
    (?: (?: [^\s"'(),]{1,40} | "[^"\n]{1,60}" | '[^'\n]{1,60}' ) ,\s{0,4} ){0,2}?
    ["'][\w.@+\\-]{1,60}["'],\s{0,4} ["'](?P<password>[^\s"'\x7f-\xa0\u0590-\U0010ffff]{4,80})["']
    """,
    re.VERBOSE,
)
_LOGINS: Final = (
    ("login", re.compile("login")),
    ("log", re.compile("log(?:[ -]in|ged in)")),
    ("sign", re.compile("sign[ -]?in")),
    ("cred", re.compile("cred")),
    ("user", re.compile("user[/:]pass")),
)
"""Marks by which to look, and what is looked for."""
_TELLING: Final = re.compile(
    rf"""
    [A-Za-z/: -]{{0,24}}? (?: s | ential | entials | name )?
    (?: [ ]?[:=] | [ ](?:is|are|with|as|using|ist|sind|mit) )[ ]
    (?: (?:user|username|the[ ]user|account)[ ] )?
    ["'`]?(?P<user>[A-Za-z][\w.@+-]{{0,40}})["'`]?
    (?: [ ]?[/|][ ]? | [ ](?:and|with|und|mit|et|y|e)[ ] | [ ] | , [ ]? | :[ ]? )
    ["'`]?(?P<password>[^{GAPS}"'`<>]{{4,80}})
    """,
    re.VERBOSE,
)
_PASSWORD_FILE: Final = re.compile(
    r":(?<=[\w*\]]:)(?:\d{2,5}|\*):[\w.*-]{1,60}:[\w.@*-]{1,60}:"
    rf"(?P<password>[^{GAPS}:\"'`<>]{{4,100}})(?![^{GAPS}\"'`])"
)
_PASS: Final = " pass "  # noqa: S105  (a word)
_PASSED: Final = re.compile(rf" pass [\"'`]?(?P<password>[^{GAPS}\"'`<>]{{6,80}})")
_SLASH: Final = " / "
_PAIR: Final = re.compile(
    rf"(?:(?<=[:\n(\"'`])|(?<=[:(\n][ ])|\A)(?P<user>[a-z][\w.@+-]{{1,40}}) / (?P<password>[^{GAPS}\"'`<>]{{8,80}})"
)
_LONGEST_USER: Final = 44
_NUMBERED: Final = re.compile(r"[A-Za-z]+\d{1,4}\W?")
_MEMBER: Final = re.compile(r"\"(?P<name>[dpqk]|d[pq]|qi)\"[ ]?:\s{0,4}\"(?P<value>[A-Za-z0-9_-]{22,700})\"")
_LONGEST_MEMBER: Final = 720
_EXACT: Final = frozenset((43, 64, 76, 86, 88, 171, 256, 342, 512, 683))
"""Lengths of the numbers of keys in base64: 256 bits and more."""
_OF_KEY: Final = re.compile(r"\"(?:kty|crv|AQAB|use|kid|alg|key_ops)\"")


def find_pairs(seen: Seen, begin: int) -> Iterator[Span]:
    """Yield passwords that stand behind a user, and the private members of keys in JSON.

    Args:
        seen: the text.
        begin: where to begin to look, which is before where passwords may begin.
    """
    text = seen.text
    if text.find("',", begin) >= 0 or text.find('",', begin) >= 0:
        yield from _in_calls(seen, begin)
    for mark, logins in _LOGINS:
        for at in occurrences(seen.low, mark, begin):
            login = logins.match(seen.low, at)
            match = _TELLING.match(text, login.end()) if login else None
            if match and _is_told(match):
                yield _span(match)
    yield from _in_lists(text, begin)
    yield from _members(text, begin)


def _in_lists(text: str, begin: int) -> Iterator[Span]:
    for at in occurrences(text, _PASS, begin, shared=1):
        if (match := _PASSED.match(text, at)) and _is_alone(match["password"].rstrip(".,;)")):
            yield _span(match)
    for match in matches(_PASSWORD_FILE, text, begin, _LONGEST):
        if is_strong(match["password"]):
            yield Span(match.start("password"), match.end("password"), "PASSWORD", _LIKELY)
    for at in occurrences(text, _SLASH, begin):
        pair = _PAIR.search(text, max(0, at - _LONGEST_USER), at + 84)
        if pair and pair.end("user") == at and _is_alone(pair["password"].rstrip(".,;)")):
            yield _span(pair)


def _members(text: str, begin: int) -> Iterator[Span]:
    """Yield the private members of keys in JSON (RFC 7517), by their names, lengths and neighbours."""
    for match in matches(_MEMBER, text, begin, _LONGEST_MEMBER):
        value = match["value"]
        is_key = len(value) in _EXACT or _OF_KEY.search(text, max(0, match.start() - 180), match.start())
        if is_key and is_random(value, 3.0) and classes(value) >= 3:  # noqa: PLR2004
            yield Span(match.start("value"), match.end("value"), "PRIVATE_KEY", _LIKELY)


def _in_calls(seen: Seen, begin: int) -> Iterator[Span]:
    for mark in _CALLS:
        for at in occurrences(seen.low, mark, begin):
            match = _CALL.match(seen.text, at + len(mark) - (mark[-1] == "("))
            if match and _is_argument(match):
                yield Span(match.start("password"), match.end("password"), "PASSWORD", _LIKELY)


def _span(match: re.Match[str]) -> Span:
    start = match.start("password")
    return Span(start, start + len(match["password"].rstrip(".,;)")), "PASSWORD", _LIKELY)


def _is_argument(match: re.Match[str]) -> bool:
    password = match["password"]
    return judge_assigned(password, '"', "password", "password", "=", bits=3.0)[0] > 0.5  # noqa: PLR2004


def _is_told(match: re.Match[str]) -> bool:
    password = match["password"].rstrip(".,;)")
    return is_strong(password) and classes(password) >= 3 and not _NUMBERED.fullmatch(password)  # noqa: PLR2004


def _is_alone(password: str) -> bool:
    return is_strong(password) and classes(password) >= 3 and not _NUMBERED.fullmatch(password)  # noqa: PLR2004

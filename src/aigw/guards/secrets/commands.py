"""Finds passwords that commands are given: by a flag that means one to that command, by place, or through a pipe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.judged import judge_assigned
from aigw.guards.secrets.seen import GAPS, matches, occurrences
from aigw.guards.secrets.values import is_placeholder, is_strong
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKED_BACK: Final = 160
"""Characters before a flag in which its command begins; with the flag and a quote that is less than `REACH`."""
_HELD: Final = 80
_LONGEST: Final = 200
_LIKELY: Final = 0.7
_GUESS: Final = 0.5

_BARE: Final = rf"[^{GAPS}\"'`|;&<>]{{4,100}}"
_GIVEN: Final = rf"(?:\"(?P<double>[^\"\n{GAPS}]{{4,100}})\"|'(?P<single>[^'\n{GAPS}]{{4,100}})'|(?P<bare>{_BARE}))"
_FLAG: Final = re.compile(
    rf"""
    [ ]-(?P<flag> pw | passin | passout | pass | storepass | keypass | srcstorepass | deststorepass | destkeypass
        | [akpPwU] | (?=[bcimBdspv]{{0,4}}b)[bcimBdspv]{{1,4}} )
    (?P<space>[ ]{{0,3}})
    (?: (?<=[ ])pass: | (?<=-U[ ])["']?[\w.\\/@-]{{1,60}}%                                # openssl, smbclient
      | (?: (?<=b[ ]) | (?<=b[cims][ ]) )\S{{1,40}}[ ]{{1,2}}\S{{1,40}}[ ]{{1,2}} )?          # htpasswd: a file, a user
    {_GIVEN} (?![^{GAPS}"'`|;&<>)])
    """,
    re.VERBOSE,
)
_BREAKS: Final = re.compile("[\n|;]")
_SEPARATE, _GLUED = frozenset([" "]), frozenset([""])
_EITHER: Final = _SEPARATE | _GLUED
_STORE: Final = "storepass keypass srcstorepass deststorepass destkeypass"
_TAKES: Final = tuple(
    (tuple(marks.split()), re.compile(rf"(?<![\w-])(?:{commands})(?:\.exe)? "), frozenset(flags.split()), spaces)
    for marks, commands, flags, spaces in (
        ("redis-cli", "redis-cli", "a", _SEPARATE),
        ("sshpass", "sshpass", "p", _EITHER),
        ("mysql mariadb", "mysql(?:dump|admin|import|sh|show|check)?|mariadb(?:-dump|-admin)?", "p", _GLUED),
        ("7z rar", "7za?|rar|unrar", "p", _GLUED),
        ("login", r"(?:[\w-]+ (?:[\w-]+ )?)?login", "p", _SEPARATE),
        ("cqlsh psexec evil-winrm nxc mapexec", "cqlsh|psexec|evil-winrm|nxc|crackmapexec", "p", _SEPARATE),
        ("mongo", "mongo(?:sh|dump|restore|export|import|stat|files)?", "p", _SEPARATE),
        ("openssl", "openssl", "k pass passin passout", _SEPARATE),
        ("keytool jarsigner", "keytool|jarsigner", _STORE, _SEPARATE),
        ("sqlcmd bcp osql tsql", "sqlcmd|bcp|osql|tsql", "P", _EITHER),
        ("ipmitool mosquitto zip", "ipmitool|mosquitto_[ps]ub|unzip|zip", "P", _EITHER),
        ("ldap", "ldap(?:search|modify|add|delete|whoami|passwd|compare)", "w", _SEPARATE),
        ("plink pscp psftp putty", "plink|pscp|psftp|putty", "pw", _SEPARATE),
        ("smbclient rpcclient net winexe", "smbclient|rpcclient|net|winexe", "U", _SEPARATE),
        ("htpasswd", "htpasswd", "b", _SEPARATE),
    )
)
"""Parts of the names of commands, the names, the flags by which they take a password, and whether it stands apart."""

_USER: Final = re.compile(
    r"-(?<=[\s\"']-)(?:u|-user|-proxy-user|U)(?:[ =]{1,2}[\"']?|[\"'])[\w.@+-]{1,60}:"
    r"(?P<password>[^\s\"'`/\x00-\x20\x7f-\xa0\u0590-\U0010ffff]{4,100})"
)
_SECURE_STRING: Final = re.compile(
    rf"ConvertTo-SecureString(?: -String)? [\"'](?P<password>[^{GAPS}\"'`]{{6,100}})[\"']"
)
_PLACED: Final = (
    ("ConvertTo-Sec", 0, _SECURE_STRING),
    (
        "rabbitmqctl ",
        0,
        re.compile(rf"rabbitmqctl (?:add_user|change_password) \S{{1,40}} [\"']?(?P<password>{_BARE})"),
    ),
    (
        "sqlplus ",
        0,
        re.compile(
            rf"sqlplus (?:-\w+ ){{0,3}}[\"']?\w{{1,30}}/[\"']?(?P<password>[^{GAPS}\"'`@/]{{4,60}})(?=@|[\"']|\s|\Z)"
        ),
    ),
    (" /p:", 0, re.compile(rf" /p:[\"']?(?P<password>{_BARE})")),
    (" /user:", 0, re.compile(rf" /user:\S{{1,40}} (?P<password>(?![/-])[^{GAPS}\"'`|;&<>:]{{4,60}})")),
    (" /user:", 61, re.compile(rf" (?P<password>[^{GAPS}\"'`|;&<>:\\/]{{4,60}})(?= /user:)")),
    ("net user ", 0, re.compile(rf"net user \S{{1,40}} (?P<password>(?![/-])[^{GAPS}\"'`|;&<>:]{{4,60}})")),
)
"""What is given by place: characters that are looked for, how far before them it may begin, and how it is written."""

_PIPE: Final = re.compile(r" \| (?:chpasswd|sudo -S|docker login|podman login|helm registry login)")
_PIPED: Final = re.compile(
    rf"(?:(?<=[\s\"'])[\w.-]{{1,30}}:)?(?<=[\s\"':])(?P<password>[^{GAPS}\"'`:]{{4,60}})[\"']?\Z"
)
_LONGEST_PIPE: Final = 30

_NO_PASSWORD: Final = re.compile(
    r"(?i)^\$|\$[({]|[{}<>*]|%\(|^x+$|^\.+$|^[\d.:-]+$|^(?:pass|password|passwd|pwd|secret|token|user|pw|p|\[.*|my_?password"
    r"|your_?password)$"
)


def find_given(text: str, begin: int) -> Iterator[Span]:
    """Yield the passwords that commands are given.

    Args:
        text: the text.
        begin: where to begin to look, which is before where passwords may begin.
    """
    for match in matches(_USER, text, begin, _LONGEST):
        password = match["password"]
        if not _NO_PASSWORD.search(password) and _is_given(password):
            yield Span(match.start("password"), match.end("password"), "PASSWORD", _LIKELY)
    for at in occurrences(text, " -", begin):
        given = _FLAG.match(text, at)
        if given and given.lastgroup and _is_taken(text, at, given):
            yield Span(given.start(given.lastgroup), given.end(given.lastgroup), "PASSWORD", _LIKELY)
    for pipe in matches(_PIPE, text, begin, _LONGEST_PIPE):
        piped = _PIPED.search(text, max(0, pipe.start() - 70), pipe.start())
        if piped and is_strong(piped["password"]):
            yield Span(piped.start("password"), piped.end("password"), "PASSWORD", _LIKELY)
    for mark, before, pattern in _PLACED:
        for at in occurrences(text, mark, begin):
            placed = (
                pattern.search(text, max(0, at - before), at + len(mark) + 1) if before else pattern.match(text, at)
            )
            if placed and is_strong(placed["password"]):
                yield Span(placed.start("password"), placed.end("password"), "PASSWORD", _LIKELY)


def _is_taken(text: str, at: int, given: re.Match[str]) -> bool:
    """Tell whether the command on the line takes a password by this flag, and this looks like one."""
    flag = "b" if "b" in given["flag"] else given["flag"]
    before = _BREAKS.split(text[max(0, at - _LOOKED_BACK) : at + 1])[-1]
    is_command = any(
        flag in flags
        and given["space"][:1] in spaces
        and any(map(before.__contains__, marks))
        and command.search(before)
        for marks, command, flags, spaces in _TAKES
    )
    password = given[given.lastgroup or 0]
    return is_command and not _NO_PASSWORD.search(password) and _is_given(password)


def _is_given(password: str) -> bool:
    if (password.isalpha() and password.islower()) or is_placeholder(password):
        return False
    score, _ = judge_assigned(password, '"', "password", "password", "--", bits=0)
    return score > _GUESS or is_strong(password)

"""Addresses of mail, and addresses with a password inside."""

# ruff: noqa: E501, SIM905  (patterns, and lists of words)
from __future__ import annotations

import re
from typing import Final

from aigw.guards.pii.rule import Sight, Value

_MOST_LOCAL: Final = 128
_MOST_QUOTED: Final = 66
_LOCAL: Final = re.compile(r"[\w.!#$%&'*+^~-]{1,128}")
_QUOTED: Final = re.compile(r'"[^"\\\s,;<>{}\[\]|]{1,64}"')
_DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[^\W_]|-(?=[^\W_]|-)){0,62}[.\u3002\uff61]){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[^\W\d_]{2,24})(?![A-Za-z0-9]|-[A-Za-z0-9])"
)
_ASCII_DOMAIN: Final = re.compile(
    r"(?:[A-Za-z0-9À-ɏ](?:[A-Za-z0-9À-ɏ]|-(?=[A-Za-z0-9À-ɏ]|-)){0,62}\.){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24})"
    r"(?![A-Za-z0-9À-ɏ]|-[A-Za-z0-9])"
)
_LITERAL: Final = re.compile(r"\[(?:IPv6:[0-9A-Fa-f:.]{2,45}|[0-9]{1,3}(?:\.[0-9]{1,3}){3})\]")
_COMMON: Final = frozenset(
    "com org net edu gov mil int io co ai app dev info biz me us uk de fr es it nl be ch at se no fi dk pl pt br in au ca "
    "jp cn kr ru eu mx ar cl za nz ie il tr gr cz hu ro ua sg hk tw th my id ph vn online site xyz tech example test "
    "local invalid localhost cloud email".split()
)
_NAMES: Final = frozenset("example test local localhost online site cloud email tech".split())
"""Those that stand before other top levels, too."""
_FILES: Final = frozenset(
    "png jpg jpeg gif svg webp avif ico css scss js mjs ts tsx jsx map json yml yaml html".split()
)
_RESOLUTION: Final = re.compile(r"[0-9](?:\.[0-9])?x\b")
_NOT_LATIN: Final = re.compile("[\u0e00-\u0e7f\u2e80-\u9fff\uac00-\ud7a3]")

_CREDENTIALS: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<user>[^\s:/@\"'<>?#,;{}\[\]|]{0,64}):(?P<password>[^\s/\"'<>,;{}\[\]|]{1,128})"
    r"@(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[\w.-]{0,127}\w)(?::[0-9]{1,5})?"
)
_SCHEME: Final = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}$")
_MOST_SCHEME: Final = 21
_SHORTEST_SCHEME: Final = 5
"""With ``://`` behind it; what follows that is who logs in there, and no address of mail."""
_PLACEHOLDER: Final = re.compile(r"^[$%]|^\*+$|^x+$|^\.+$")


def find_emails(sight: Sight) -> None:
    """Find addresses of mail: RFC 5321 in shape, with letters of all scripts, quoted local parts and address literals."""
    text, at = sight.text, sight.low - 1
    while (at := text.find("@", at + 1, sight.high)) >= 0:
        end = _domain(text, at + 1, sight.high)
        if end < 0:
            continue
        local, first = _local(text, sight.low, at)
        sight.seen.append((first, at + 1))
        if local >= 0 and not _is_code(text, local, at, end, sight.high):
            if text[local] == "_" and text[end : end + 1] == "_":
                local += 1
            sight.found.append(Value(local, end, "EMAIL", 1.0))
            sight.seen.append((local, end))


def _local(text: str, low: int, at: int) -> tuple[int, int]:
    """Return where the part before the ``@`` begins, or -1; also where all begins that it could be."""
    if at > low and text[at - 1] == '"':
        first = max(low, at - _MOST_QUOTED)
        start = text.rfind('"', first, at - 1)
        return (start if start >= 0 and _QUOTED.fullmatch(text, start, at) else -1), first
    backwards = text[max(low, at - _MOST_LOCAL) : at][::-1]
    run = _LOCAL.match(backwards)
    if run is None:
        return -1, at
    first = at - run.end()
    if backwards[0] == ".":
        return -1, first
    part = backwards[: run.end()][::-1]
    part = part[part.rfind("..") + 2 :] if ".." in part else part
    if not part.isascii() and part[-1].isascii():  # text without spaces goes over into an address
        foreign = [match.end() for match in _NOT_LATIN.finditer(part)]
        part = part[foreign[-1] :] if foreign else part
    while part and not (part[0].isalnum() or part[0] == "_"):
        part = part[1:]
    start = at - len(part)
    return (start if part and (start == 0 or text[start - 1] != "@") else -1), first


def _domain(text: str, start: int, high: int) -> int:
    """Return where the part behind the ``@`` ends, or -1."""
    match = _ASCII_DOMAIN.match(text, start, high) or (None if text.isascii() else _DOMAIN.match(text, start, high))
    if match is None:
        literal = _LITERAL.match(text, start, high) if text[start : start + 1] == "[" else None
        return literal.end() if literal else -1
    labels = match[0].split(".")
    while len(labels) > 2 and _begins_a_sentence(labels[-2], labels[-1]):  # noqa: PLR2004  (a name and a top)
        labels.pop()
    return start + len(".".join(labels))


def _begins_a_sentence(top: str, label: str) -> bool:
    """Tell whether what stands behind a top level is rather the next sentence, without a space."""
    if top.lower() not in _COMMON or label.lower() in _COMMON:
        return False
    return (label[0].isupper() and top.islower()) or (len(label) > 2 and top not in _NAMES)  # noqa: PLR2004  (a country)


def _is_code(text: str, start: int, at: int, end: int, high: int) -> bool:
    """Tell what only looks like an address: a file for high resolution, a repository, a product of matrices."""
    behind = text[end : min(end + 1, high)]
    if behind == "(" and text[end - 1].isalpha() and text[end : end + 2] != "( ":
        return True
    if _RESOLUTION.match(text, at + 1, end) and text[start:end].rpartition(".")[2].lower() in _FILES:
        return True
    if behind == ":":  # as scp and git write the places of files
        next_ = text[end + 1 : min(end + 2, high)]
        return next_ in {"/", "~"} or (text[start:at] == "git" and not next_.isspace())
    return behind != "@" and text.startswith("://", start - 3) and start > _SHORTEST_SCHEME


def find_credentials(sight: Sight) -> None:
    """Find ``scheme://user:password@host``, without the path."""
    text, done, at = sight.text, sight.low, sight.low
    while (at := text.find("://", at + 1, sight.high)) >= 0:
        scheme = _SCHEME.search(text, max(done, at - _MOST_SCHEME), at)
        match = _CREDENTIALS.match(text, scheme.start(), sight.high) if scheme else None
        if match is None:
            continue
        done = match.end()
        sight.seen.append(match.span())
        if not _PLACEHOLDER.search(match["password"]):
            sight.found.append(Value(match.start(), match.end(), "URL_CREDENTIALS", 1.0))

"""Lines that hang together: each names the hash of the one before it, so that a change shows.

A line is a JSON object: its number ``seq``, the record, the ``hash`` of the line before it as ``previous``, and last
its own ``hash``: SHA-256 over the bytes of the line before that member, or HMAC-SHA-256 with a key. Without a key
whoever can write the file can also write a chain of his own; with one he cannot, as long as he does not know it. Lines
that are missing at the end show only to somebody who has noted the newest hash elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aigw.checks import text
from aigw.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from aigw.audit.record import AuditRecord

FEWEST_KEY_BYTES: Final = 16

_HEX: Final = 64
_MARK: Final = b',"hash":"'
_TAIL: Final = len(_MARK) + _HEX + len(b'"}')


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a chain, to which the next line is added.

    Args:
        seq: number of its last line; 0 where there is none.
        hash: hash of that line; empty where there is none.
    """

    seq: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with a file.

    Args:
        line: number of the line in the file, from 1.
        problem: what is wrong.
    """

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found.

    Args:
        records: whole lines whose own hash is right.
        last: the newest hash. Note it elsewhere: it shows later whether lines at the end are gone.
        flaws: what is wrong, in the order of the lines; empty if nothing is.
    """

    records: int
    last: str
    flaws: tuple[Flaw, ...]


def key_bytes(name: str, key: str | bytes | None) -> bytes:
    """Take a key; empty for none.

    Raises:
        ConfigError: it is no key, or too short to be one.
    """
    if key is None:
        return b""
    given = key if isinstance(key, bytes) else text(name, key).encode()
    if len(given) < FEWEST_KEY_BYTES:
        raise ConfigError(f"{name} must have at least {FEWEST_KEY_BYTES} bytes; secrets.token_hex(32) makes a good one")
    return given


def link(record: AuditRecord, end: Link, key: bytes) -> tuple[bytes, Link]:
    """Write the line of a record, and return it with the new end of the chain."""
    content = {"seq": end.seq + 1, **asdict(record), "previous": end.hash}
    written = json.dumps(content, separators=(",", ":"), ensure_ascii=False, default=_text)
    body = written.encode(errors="replace")[:-1]  # half of a surrogate pair in a label must not cost the record
    own = _hash(body, key)
    return body + _MARK + own.encode() + b'"}\n', Link(end.seq + 1, own)


def end_of(line: bytes) -> Link | None:
    """Read where a chain ends, of its last line; ``None`` if that is no line of a chain."""
    content = _content(line)
    return None if content is None else Link(content["seq"], content["hash"])


def verify(path: str | os.PathLike[str], key: str | bytes | None = None, *, last: str | None = None) -> Verification:
    """Look whether a file is as it was written.

    Args:
        path: the file.
        key: the key that it was written with, if there was one.
        last: a hash that was noted before and must occur: if it does not, lines are gone.

    Raises:
        ConfigError: the file cannot be read, or the key is none.
    """
    file, secret = Path(path), key_bytes("verify(key)", key)
    try:
        with file.open("rb") as lines:
            return _verify(lines, secret, last)
    except OSError as error:
        raise ConfigError(f"the audit file {str(file)!r} cannot be read: {error.strerror}") from error


def _verify(lines: Iterable[bytes], key: bytes, last: str | None) -> Verification:
    flaws: list[Flaw] = []
    end, count, number, seen = Link(), 0, 0, last is None or last == ""
    for number, line in enumerate(lines, 1):
        content = _content(line)
        if content is None:
            flaws.append(Flaw(number, "not a whole record"))
            continue
        if not hmac.compare_digest(content["hash"], _hash(line.rstrip(b"\n")[:-_TAIL], key)):
            flaws.append(Flaw(number, "changed, or written with another key"))
        else:
            count += 1
        if content["previous"] != end.hash:
            flaws.append(Flaw(number, "does not follow on the record before it"))
        elif content["seq"] != end.seq + 1:
            flaws.append(Flaw(number, f"is number {content['seq']}, not {end.seq + 1}"))
        end = Link(content["seq"], content["hash"])
        seen = seen or hmac.compare_digest(end.hash, last or "")
    if not seen:
        flaws.append(Flaw(number, "the record with the noted hash is not there"))
    return Verification(count, end.hash, tuple(flaws))


def _content(line: bytes) -> dict[str, Any] | None:
    """Decode a line; ``None`` if it is not one."""
    if not line.endswith(b"}\n") or line[-_TAIL - 1 :][: len(_MARK)] != _MARK:
        return None
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    wanted = {"seq": int, "previous": str, "hash": str}
    if not isinstance(content, dict) or any(type(content.get(name)) is not kind for name, kind in wanted.items()):
        return None
    return content


def _hash(body: bytes, key: bytes) -> str:
    return hmac.new(key, body, hashlib.sha256).hexdigest() if key else hashlib.sha256(body).hexdigest()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

"""Finds values that are assigned to a name, or said to be it: in files, code, commands, headers, and sentences."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aigw.aside import breathe
from aigw.guards.secrets.behind import places
from aigw.guards.secrets.judged import MOST, judge_assigned, judge_said
from aigw.guards.secrets.names import QUALIFIERS, kind_of
from aigw.guards.secrets.reading import Reading
from aigw.guards.secrets.seen import AT_ONCE, GAPS, REACH
from aigw.guards.secrets.values import HAS_DIGIT, is_strong
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aigw.guards.secrets.reading import Asked
    from aigw.guards.secrets.seen import Seen

MARKS: Final = (
    *("pass", "pw", "pswd", "secret", "token", "key", "auth", "cred", "bearer", "pin", "psk", "identified", "sas"),
    *("contrase", "kennwort", "senha", "wachtwoord", "haslo", "paro", "adgangskode", "salasana", "heslo", "sifre"),
    *("clave", "sandi", "chiave"),
)
"""Parts of the names of secrets, in lower case; `paro` is that of `parola`."""
MORE_MARKS: Final = tuple(
    (mark[at], mark)
    for mark, at in (
        *(("hasło", 3), ("lösenord", 1), ("jelszó", 5), ("şifre", 0), ("schlüssel", 4), ("clé", 2)),
        *(("пароль", 0), ("ключ", 2), ("密码", 0), ("密碼", 0), ("密钥", 0), ("口令", 0)),
        *(("パスワード", 0), ("비밀번호", 1), ("암호", 0)),
        *(("mật khẩu", 1), ("รหัสผ่าน", 4), ("كلمة المرور", 3), ("كلمة السر", 3), ("رمز عبور", 2), ("पासवर्ड", 2)),
        *(("סיסמה", 1), ("סיסמא", 1), ("κωδικός πρόσβασης", 0)),
    )
)
"""More, each with a character in it: to look for one character takes a tenth of the time."""

_LONGEST_NAME: Final = 24
_LONGEST_KNOWN: Final = 20
_MOST_KNOWN: Final = 1024
_LONGEST_REST: Final = 40
_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyz0123456789_.-$"
_REST: Final = re.compile(rf"[A-Za-z0-9_.$\-\u00c0-\u058f]{{0,{_LONGEST_REST}}}+")

_WORD: Final = re.compile(r"(?s:(?:.*[\s\"'`(])?([A-Za-z\u00c0-\u058f]{2,20}) )")

_JOINED: Final = re.compile(
    r"""
    (?=[ ,;=!]) [,;]? (?: [ ] (?:is|was|as|for|=) [ ] (?: (?:the|my|your|our|his|her|their|its|a|new|old) [ ] )?
                (?: [\w-]{1,16} [ ] ){0,3}
            | [ ]? [!=]={1,2} [ ]? (?:\$|this\.|self\.)? )
    \Z
    """,
    re.VERBOSE,
)
_BEFORE_NAME: Final = frozenset(" =$.")
_QUOTES: Final = frozenset("\"'`")
_IN_QUERY: Final = frozenset("?&")
_LAST_LETTER: Final = "\u058f"
"""The characters behind it need no spaces between words: a name that begins with one has nothing before it."""
_LONGEST_JOINED: Final = 120
"""Characters without a gap that may stand between a name and its value."""
_LOOKED_AT: Final = 512
"""Characters of a value that it is judged by."""
_SHORTEST: Final = {"password": 4, "pin": 4}
_SHORTEST_KEY: Final = 8
_REST_AFTER: Final = 32
"""Names that are read between two rests."""
_NEVER_BEFORE: Final = frozenset(["key", "pin"])
_SHORTEST_JOINED: Final = 8
"""Characters of a value with what joins it to the name behind it."""
_JOINING: Final = ("=", " is ", " was ", " as ", " for ")
_UP_TO_WORD: Final = re.compile(f".*[{GAPS}\"'`]", re.DOTALL)
_LONGEST_SAID: Final = 100
_KEYS_OF: Final = frozenset(["clé", "cle", "clave", "chiave", "chave", "ключ"])
_API: Final = re.compile(
    r"[ ](?:(?:de|del|da|do|для)[ ]|d['\u2019])?(?:l['\u2019]|la[ ])?(?:API|api)\b(?: secrète| secreta)?"
)
AHEAD: Final = 80
"""How many characters behind a value the name may begin that tells what it is."""

_WHOLE: Final = frozenset(["identified", "mật khẩu"])
"""Names of passwords of which no single word is one."""
_STATEMENT: Final = re.compile(r"[A-Za-z_][\w.]{0,60}+(?:=[A-Za-z_]|\()")


class Assigned:
    """Finds values by the names that stand before them, and in sentences also behind them.

    Args:
        bits: the least entropy of keys and tokens, in bits for each character.
    """

    def __init__(self, bits: float) -> None:
        self._bits = bits
        self._kind_of_known = lru_cache(_MOST_KNOWN)(_kind_of)

    def find(self, seen: Seen, begin: int, start: int, known: frozenset[int] = frozenset()) -> tuple[list[Span], int]:
        """Find values.

        Args:
            seen: the text.
            begin: where to begin to look for names.
            start: where values may begin.
            known: where tokens of providers begin, which are surer than any value: they are not judged again.

        Returns:
            The values, and the place where one begins whose quotes are still open, or else the length of the text.
        """
        text, low = seen.text, seen.low
        found: list[Span] = []
        still_open = len(text)
        reading = Reading(seen, known)
        deep = done = 0  # names within a value that is surely one are not read, if theirs would only be a part of it
        for number, (name, end) in enumerate(_names(seen, begin)):
            if number % _REST_AFTER == 0:
                breathe()
            if deep < name and end < done:
                continue
            written = text[name:end]
            before = text[name - 1 : name]
            kind = self._kind(reading, name, written, before)
            if not kind or text.startswith("---", end) or (before == ":" and text.startswith("::", name - 2)):
                continue
            opened, after = self._after(reading, name, written, low[name:end], kind)
            if opened is not None and opened < still_open and opened <= name + REACH:
                still_open = opened
            if after is not None and after.start <= name + REACH:
                found.append(after)
                if after.score >= MOST and text[after.start - 1] not in _QUOTES:
                    deep, done = after.start + AHEAD + _LONGEST_SAID, after.end - _LONGEST_JOINED
            if before in _BEFORE_NAME and kind not in _NEVER_BEFORE:
                said = _before(reading, name, kind)
                if said is not None:
                    found.append(said)
        return [span for span in found if span.start >= start], still_open

    def _kind(self, reading: Reading, name: int, written: str, before: str) -> str:
        """Tell what a name means; that of two words is read with both."""
        # Only what is surely the name of something is kept in memory: a secret may have such a word in it.
        if len(written) <= _LONGEST_KNOWN and (written.isalpha() or written.replace("_", "").isalpha()):
            kind = self._kind_of_known(written)
        elif (kind := reading.kinds.get(written, "?")) == "?":
            kind = reading.kinds[written] = _kind_of(written)
        if kind != "key":
            return kind
        if before in _IN_QUERY:
            return "secret"
        if before == " " and (first := _WORD.fullmatch(reading.text, max(0, name - 24), name)):
            word = first[1]
            if word in QUALIFIERS:
                return self._kind_of_known(word + " " + written.lower())
            if not word.islower():
                return kind_of(word + " " + written)
        return kind

    def _after(self, reading: Reading, name: int, written: str, low: str, kind: str) -> tuple[int | None, Span | None]:
        """Read the value behind a name: where it begins if its quotes are still open, and what it is."""
        text = reading.text
        end = name + len(written)
        if _has_none(text, end, written):
            return None, None
        if low in _KEYS_OF and (use := _API.match(text, end)):  # what some languages say behind it: "la clé d'API"
            end, kind = use.end(), "secret"
            written = text[name:end]
            low = written.lower()
        least = _SHORTEST.get(kind, _SHORTEST_KEY)
        value, read = None, -1
        # The nearest first: what stands there must not depend on what follows it.
        for at, how, is_assigned in places(reading, name, end, low, kind):
            if at != read:
                value, read = reading.value(at), at
            if value is None:
                continue
            start, stop, quote, is_open = value
            if is_open:
                return start, None
            whole = text[start : min(stop, start + _LOOKED_AT)]
            is_word = not quote and ((not is_assigned and whole.isalpha()) or _is_statement(whole))
            if is_word or stop - start < least:
                continue
            if start in reading.known:
                break
            meant = "secret" if kind == "key" and how == "()" else kind
            score, label = self._judge(reading, (whole, quote, meant, written, how), is_assigned=is_assigned)
            if score:
                return None, Span(start, stop, label, score)
        return None, None

    def _judge(self, reading: Reading, asked: Asked, *, is_assigned: bool) -> tuple[float, str]:
        """Judge a value, but the same one not twice."""
        judged = reading.judged_assigned if is_assigned else reading.judged_said
        if (answer := judged.get(asked)) is None:
            judge = judge_assigned if is_assigned else judge_said
            answer = judged[asked] = judge(*asked, bits=self._bits)
        return answer


def _has_none(text: str, end: int, written: str) -> bool:
    """Tell of a name that it is that of a method of a secret, or that a statement stands behind it."""
    next_ = text[end : end + 1]
    if next_ == "=":
        return _STATEMENT.match(text, end + 1) is not None
    return next_ == "(" and "." in written and not kind_of(written.rpartition(".")[2])


def _is_statement(value: str) -> bool:
    return ("(" in value or "=" in value) and _STATEMENT.match(value) is not None


def _kind_of(name: str) -> str:
    return "password" if name.lower() in _WHOLE else kind_of(name)


def _marks_of(low: str) -> Iterable[str]:
    if low.isascii():
        return MARKS
    return (*MARKS, *[mark for char, mark in MORE_MARKS if char in low])


def _names(seen: Seen, begin: int) -> list[tuple[int, int]]:
    """Return where names begin and end that have a mark in them."""
    low, text = seen.low, seen.text
    found: list[tuple[int, int]] = []
    done: set[int] = set()
    is_long = len(low) > AT_ONCE
    for mark in _marks_of(low):
        if is_long:
            breathe()
        length = len(mark)
        is_alone = mark[0] > _LAST_LETTER
        hit = low.find(mark, begin)
        while hit >= 0:
            least = hit + length
            if low.startswith(mark, least):  # said twice in a row: the last one counts
                hit = least
                continue
            rest = _REST.match(text, least)
            assert rest is not None, "it matches nothing, too"
            end = rest.end()
            while end > least and text[end - 1] in ".-$":
                end -= 1
            if end not in done:
                done.add(end)
                first = hit if is_alone else max(0, end - _LONGEST_NAME - _LONGEST_REST)
                found.append((first + len(low[first:hit].rstrip(_NAME_CHARS)), end))
                if len(found) % _REST_AFTER == 0:
                    breathe()
            hit = low.find(mark, hit + 1)
    found.sort()  # so that what is known of the text is of use for the next one
    return found


def _before(reading: Reading, name: int, kind: str) -> Span | None:
    """Read the value before a name: "hunter2 is the password"; the cheapest questions come first."""
    text = reading.text
    low = max(0, name - AHEAD + 1)
    line = text.rfind("\n", low, name) + 1  # it is joined to it within its line
    ahead = text[line or low : name]
    if len(ahead) < _SHORTEST_JOINED and line:
        return None
    for word in _JOINING:
        if word in ahead:
            break
    else:
        return None
    first = max(0, low - _LONGEST_SAID - 1)
    all_before = text[first:name]
    if all_before not in reading.before:
        reading.before[all_before] = _strong_before(all_before, len(all_before) - len(ahead))
    place = reading.before[all_before]
    if place is None or (kind != "password" and place[1] - place[0] < 12):  # noqa: PLR2004
        return None
    return Span(first + place[0], first + place[1], "PASSWORD" if kind == "password" else "API_KEY", 0.7)


def _strong_before(text: str, ahead: int) -> tuple[int, int] | None:
    """Return where a password stands in a text, which is joined to what follows the text from a place ahead on."""
    if not HAS_DIGIT.search(text):
        return None  # as every strong value has one
    joined = _JOINED.search(text, ahead)
    if joined is None:
        return None
    end = joined.start()
    if text[end - 1 : end] in _QUOTES:
        end -= 1
    low = max(0, end - _LONGEST_SAID - 1)
    gap = _UP_TO_WORD.match(text, low, end)
    if gap is None and low:
        return None
    start = gap.end() if gap else low
    value = text[start:end].rstrip(".,;:")
    return (start, start + len(value)) if is_strong(value) else None

"""Finds values that are assigned to a name, or said to be it: in files, code, commands, headers, and sentences."""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.guards.secrets.judged import Value, judge_assigned, judge_said
from aigw.guards.secrets.names import QUALIFIERS, kind_of
from aigw.guards.secrets.reading import Reading
from aigw.guards.secrets.seen import GAPS, REACH
from aigw.guards.secrets.values import HAS_DIGIT, is_strong
from aigw.guards.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.secrets.seen import Seen

MARKS: Final = (
    *("pass", "pwd", "pswd", "pw", "secret", "token", "key", "auth", "cred", "bearer", "pin", "identified", "sas"),
    *("contraseña", "contrasena", "kennwort", "senha", "wachtwoord", "hasło", "haslo", "parol", "parool", "lösenord"),
    *("adgangskode", "salasana", "heslo", "jelszó", "пароль", "şifre", "sifre", "clave", "schlüssel", "sandi"),
    *("密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "密钥", "clé", "ключ"),
    "chiave",
)
"""Parts of the names of secrets, in lower case."""
_ASCII_MARKS: Final = tuple(filter(str.isascii, MARKS))

_LONGEST_NAME: Final = 24
_LONGEST_KNOWN: Final = 20
_MOST_KNOWN: Final = 1024
_LONGEST_REST: Final = 40
_LONGEST_VALUE: Final = 512
_LONGEST_QUOTED: Final = 300
_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyz0123456789_.-$"
_REST: Final = re.compile(rf"[A-Za-z0-9_.$\-\u00c0-\u058f]{{0,{_LONGEST_REST}}}+")

_WORD: Final = re.compile(r"(?s:(?:.*[\s\"'`(])?([A-Za-z\u00c0-\u058f]{2,20})[ -])")

_ASSIGN: Final = re.compile(
    r"""
    (?: \\{0,3}["'`\])] | \[\w{0,8}\] | \*{1,2} | [?!]
      | ["'`]?[,]?\s{0,40}["'`]?(?:value|Value|VALUE|content)["'`]?(?=\s?[=:]) ){0,3}
    (?: [ ]?\([^()\n]{1,30}\) )?                                                       # password (temporary): ...
    (?: [ \t]{0,4}:[ \t]{0,2}[A-Za-z_][\w.\[\]|?]{0,30}(?=[ \t]{0,4}=)                     # password: str = ...
      | [ \t]{1,3}(?:string|String|str|text|TEXT)(?=[ \t]{0,4}:?=) )?
    [ \t]{0,12}
    (?P<sign> := | => | %3[dD] | ={1,3} | !={1,2} | \?\??= | \|\|=? | \.= | \+= | <- | :{1,2}=? | -> | →
      | \uff1a | >\s{0,40} | ,(?=[ ]{0,4}\\?["'`]) | \(?\(\s{0,4}(?=["'`\\]) | [ \t](?=["'`]) | [ ]?\|[ ]? )
    (?P<space> [ \t]{0,12}) [(@]?
    (?: (?:rb?|br?|b|u|f|L|str|String|Some|bytes|encode|
        (?P<decoded>(?:\w{1,10}\.)?(?:fromhex|unhexlify|b64decode|DecodeString|atob)))?\(?(?=\\{0,3}["'`]) )?
    """,
    re.VERBOSE,
)
_SCHEME: Final = re.compile(
    r"\\?[\"'`]?(?:bearer|basic|token|digest|ntlm|apikey|api-key|key|ssws|geniekey|bot|oauth|jwt|splunk"
    r"|negotiate)[ ]+(?:token=)?(?:[\"'][ ]?[+.][ ]?(?=[\"']))?(?=\S)",
    re.IGNORECASE,
)
_LONGEST_SCHEME: Final = 14
_FLAG: Final = re.compile(r"[ \t]{1,4}(?:pass:)?")
_SQL: Final = re.compile(
    r"\s{1,4}(?:with\s{1,4}\S{1,30}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?(?:values\s{1,4})?", re.IGNORECASE
)
_SAID: Final = re.compile(
    rf"""
    (?P<quote>["'`*)]{{0,2}})
    (?P<between> (?: [ \t]{{1,2}} (?! (?:is|was|are) \b) [^{GAPS}"'`:=]{{1,24}} ){{0,7}}? )
    (?: [ \t]? (?P<sign>:|=|→|->|\u2013|\u2014) [ \t\n]{{1,3}}
      | [ \t]{{1,2}} (?i:
            (?:is|was|are|been|got) (?:[ ](?:now|just|since|been))? [ ]
                (?:changed|set|reset|updated|rotated|switched) [ ](?:back[ ])?to
          | is|was|are|will[ ]be|is[ ]going[ ]to[ ]be|to|as|called|equals|reads|says|still|be|on|-|\u2013|\u2014|:|=
          | ist|lautet|war|auf|es|era|est|c'est|é|è|foi|är|er|jest|это
        )
        (?:[ ](?:now|still|currently|just|simply|literally|set[ ]to|temporarily|actually|always|this|jetzt|ahora))?
        [ ]?[:=]? [ \t\n]{{1,3}}
      | ['\u2019]s [ ] )
    """,
    re.VERBOSE,
)
_SAID_DIRECTLY: Final = re.compile(
    r"[\"'`*]{0,2}(?:[ ](?:of|named|like|number|no\.?|code)|[ ](?:от|для|к|на)[ ][\w-]{2,20})?"
    r"[ \t\n(\u3000是は為为는은가이を\uff1a]{1,2}"
)
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
_JOINING: Final = re.compile(" (?:is|was|as|for) ")
_UP_TO_WORD: Final = re.compile(f".*[{GAPS}\"'`]", re.DOTALL)
_LONGEST_SAID: Final = 100
_KEYS_OF: Final = frozenset(["clé", "cle", "clave", "chiave", "chave", "ключ"])
_API: Final = re.compile(
    r"[ ](?:(?:de|del|da|do|для)[ ]|d['\u2019])?(?:l['\u2019]|la[ ])?(?:API|api)\b(?: secrète| secreta)?"
)
_VERBS: Final = frozenset(["pass", "clave", "sandi", "bearer"])
AHEAD: Final = 80
"""How many characters behind a value the name may begin that tells what it is."""

_UNQUOTED: Final = re.compile(f"[^{GAPS}\"'`<;,|]{{1,{_LONGEST_VALUE}}}")
_BREAK: Final = re.compile(
    r"\\+[nrtu\"'`]|&(?=[\w.-]+=)|&(?:amp|quot|lt|gt|#\d+);|/(?=[A-Za-z]{2,20}[:=])|\*\*|\}\}|\\$|%26(?=\w+%3[dD])"
)
_STATEMENT: Final = re.compile(r"[A-Za-z_][\w.]{0,60}+(?:=[A-Za-z_]|\()")
_QUOTED: Final = {
    quote: re.compile(rf"(?:[^{quote}\\\n]|\\[^{quote}\n]|\\\\){{1,{_LONGEST_QUOTED}}}") for quote in "\"'`"
}


class Found(NamedTuple):
    """A value of which it is to be told whether it is a secret.

    Args:
        start: where it begins.
        end: where it ends.
        quoted: it stands in quotes.
        open: the text ended before its quotes did.
    """

    start: int
    end: int
    quoted: bool
    open: bool = False


def read_value(text: str, at: int) -> Found | None:
    """Read the value that begins at a place, with or without quotes."""
    begin = at
    while text[begin : begin + 1] == "\\" and begin - at < 4:  # noqa: PLR2004
        begin += 1
    quote = text[begin : begin + 1]
    if quote and quote in "\"'`":
        escapes = begin - at
        if text.startswith(quote * 3, begin):
            begin += 2
        body = _QUOTED[quote].match(text, begin + 1)
        if body is None:
            return None if begin + 1 < len(text) else Found(begin + 1, begin + 1, quoted=True, open=True)
        end = body.end()
        is_cut = end >= len(text) or (end == len(text) - 1 and text[end] == "\\")  # a backslash needs what follows
        if is_cut and end - begin <= _LONGEST_QUOTED:
            return Found(begin + 1, end, quoted=True, open=True)
        if text[end : end + 1] == "\\" or text[end : end + 1] == quote:
            end -= len(body[0]) - len(body[0].rstrip("\\")) if escapes else 0
            return Found(begin + 1, end, quoted=True)
        at = begin + 1
    elif begin > at:
        return None
    body = _UNQUOTED.match(text, at)
    if body is None:
        return None
    end = body.end()
    if stop := _BREAK.search(text, at, end):
        end = stop.start()
    return Found(at, _trimmed(text, at, end), quoted=False)


def _trimmed(text: str, start: int, end: int) -> int:
    while end > start:
        last = text[end - 1]
        if last in ".,:*_\\" or (
            last in ")]}" and text.count(_OPENING[last], start, end) < text.count(last, start, end)
        ):
            end -= 1
        else:
            break
    return end


_OPENING: Final = {")": "(", "]": "[", "}": "{"}


class Assigned:
    """Finds values by the names that stand before them, and in sentences also behind them.

    Args:
        bits: the least entropy of keys and tokens, in bits for each character.
    """

    def __init__(self, bits: float) -> None:
        self._bits = bits
        self._kind_of_known = lru_cache(_MOST_KNOWN)(kind_of)

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
        text = seen.text
        found: list[Span] = []
        still_open = len(text)
        reading = Reading(seen, known)
        for name, end in self._names(seen, begin):
            kind = self._kind(text, name, end)
            if not kind or (text[name - 1 : name] == ":" and text.startswith("::", name - 2)):
                continue
            value, after = self._after(reading, name, *_with_its_use(text, name, end, kind))
            if value is not None and value.open and value.start < still_open and value.start <= name + REACH:
                still_open = value.start
            if after is not None and start <= after.start <= name + REACH:
                found.append(after)
            if text[name - 1 : name] in _BEFORE_NAME and kind not in {"key", "pin"}:
                before = self._before(text, name, kind)
                if before is not None and before.start >= start:
                    found.append(before)
        return found, still_open

    def _names(self, seen: Seen, begin: int) -> Iterator[tuple[int, int]]:
        """Yield where names begin and end that have a mark in them."""
        low, text = seen.low, seen.text
        done: set[int] = set()
        for mark in _ASCII_MARKS if low.isascii() else MARKS:
            hit = low.find(mark, begin)
            while hit >= 0:
                if low.startswith(mark, hit + len(mark)):  # said twice in a row: the last one counts
                    hit += len(mark)
                    continue
                rest = _REST.match(text, hit + len(mark))
                assert rest is not None, "it matches nothing, too"
                end = rest.end()
                while text[end - 1] in ".-$" and end > hit + len(mark):
                    end -= 1
                if end not in done:
                    done.add(end)
                    least = max(0, end - _LONGEST_NAME - _LONGEST_REST)
                    yield least + len(low[least:hit].rstrip(_NAME_CHARS)), end
                hit = low.find(mark, hit + 1)

    def _kind(self, text: str, name: int, end: int) -> str:
        """Tell what a name means; that of two words is read with both."""
        written = text[name:end]
        if written.lower() == "identified":
            return "password"
        # Only what is surely the name of something is kept in memory: a secret may have such a word in it.
        is_plain = len(written) <= _LONGEST_KNOWN and written.replace("_", "").isalpha()
        kind = self._kind_of_known(written) if is_plain else kind_of(written)
        if kind == "key" and text[name - 1 : name] in {"?", "&"}:
            return "secret"
        if kind == "key" and (before := _WORD.fullmatch(text, max(0, name - 24), name)):
            word = before[1]
            if not word.islower() or word in QUALIFIERS:
                kind = kind_of(word + " " + written)
        return kind

    def _after(self, reading: Reading, name: int, end: int, kind: str) -> tuple[Found | None, Span | None]:
        """Read the value behind a name."""
        text = reading.text
        written = text[name:end]
        if "." in written and text[end : end + 1] == "(" and not kind_of(written.rpartition(".")[2]):
            return None, None  # a method of a secret
        # The nearest first: what stands there must not depend on what follows it.
        for at, how, is_assigned in _places(reading, name, end, kind):
            if _STATEMENT.match(text, at):
                continue
            value = read_value(text, at)
            if value is None:
                continue
            if value.open or value.start in reading.known:
                return value, None
            if value.end > value.start:
                whole = Value(text[value.start : value.end], value.quoted)
                meant = "secret" if kind == "key" and how == "()" else kind
                asked = (whole, meant, written, how, is_assigned)
                if (judged := reading.judged.get(asked)) is None:
                    judge = judge_assigned if is_assigned else judge_said
                    judged = reading.judged[asked] = judge(whole, meant, written, how, self._bits)
                score, label = judged
                if score:
                    return value, Span(value.start, value.end, label, score)
        return None, None

    def _before(self, text: str, name: int, kind: str) -> Span | None:  # noqa: PLR0911  (the cheapest questions first)
        """Read the value before a name: "hunter2 is the password"."""
        low = max(0, name - AHEAD + 1)
        ahead = text[low:name]
        if not HAS_DIGIT.search(text, max(0, low - _LONGEST_SAID - 1), name):
            return None  # as every strong value has one
        if "=" not in ahead and _JOINING.search(ahead) is None:
            return None
        joined = _JOINED.search(text, low, name)
        if joined is None:
            return None
        end = joined.start()
        if text[end - 1 : end] in {'"', "'", "`"}:
            end -= 1
        low = max(0, end - _LONGEST_SAID - 1)
        gap = _UP_TO_WORD.match(text, low, end)
        if gap is None and low:
            return None
        start = gap.end() if gap else low
        value = text[start:end].rstrip(".,;:")
        if not is_strong(value):
            return None
        if kind != "password" and len(value) < 12:  # noqa: PLR2004
            return None
        return Span(start, start + len(value), "PASSWORD" if kind == "password" else "API_KEY", 0.7)


def _with_its_use(text: str, name: int, end: int, kind: str) -> tuple[int, str]:
    """Return where a name ends, with what some languages say behind it, and what it means: "la clé d'API"."""
    if text[name:end].lower() in _KEYS_OF and (use := _API.match(text, end)):
        return use.end(), "secret"
    return end, kind


def _places(reading: Reading, name: int, end: int, kind: str) -> list[tuple[int, str, bool]]:
    """Return where values of a name may begin, how they are joined to it, and whether by an assignment."""
    text = reading.text
    places: list[tuple[int, str, bool]] = []
    if assigned := _place_assigned(text, name, end):
        places.append((*assigned, True))
    is_said = _may_be_said(text, end) and reading.may_say(kind, end)
    if is_said and text[name:end].lower() not in _VERBS:
        if directly := _SAID_DIRECTLY.match(text, end):
            places.append((directly.end(), "directly", False))
        if reading.tells.is_near(end) and (said := _SAID.match(text, end)):
            places.append((said.end(), "said", False))
    return places if len(places) < 2 else sorted(places, key=_PLACE)  # noqa: PLR2004  (nothing to sort)


_PLACE: Final = itemgetter(0)


def _may_be_said(text: str, end: int) -> bool:
    """Tell at little cost whether a sentence may go on behind a name: not where it is assigned to, or called."""
    next_ = text[end : end + 1]
    return next_ != "(" and (next_ not in {"=", ":"} or text[end + 1 : end + 2].isspace())


def _place_assigned(text: str, name: int, end: int) -> tuple[int, str] | None:  # noqa: PLR0911  (a table as a function)
    """Return where what is assigned to a name begins, and by which sign, with a space if one follows it."""
    written = text[name:end].lower()
    if written == "identified":
        by = _SQL.match(text, end)
        return (by.end(), " ") if by else None
    if assign := _ASSIGN.match(text, end):
        sign = assign["sign"].strip()
        if not sign and written == "pass":
            return None  # a verb
        if "\n" in assign["sign"] and text[text.rfind("\n", 0, name) + 1 : name].strip() != "<":
            return None  # it only stands in brackets
        if assign["decoded"]:
            return assign.end(), "()"
        is_one_word = text.find(" ", assign.end(), assign.end() + _LONGEST_SCHEME) < 0
        scheme = None if is_one_word else _SCHEME.match(text, assign.end())
        return (scheme or assign).end(), sign if not assign["space"] else sign + " "
    if text[name : name + 1] == "-" and (flag := _FLAG.match(text, end)):
        return flag.end(), "--"
    return None

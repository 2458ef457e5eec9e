"""Where values stand behind a name: assigned to it, said to be it, or right behind it."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from aigw.guards.secrets.seen import GAPS

if TYPE_CHECKING:
    from aigw.guards.secrets.reading import Reading

_ASSIGN: Final = re.compile(
    r"""
    (?: \\{0,3}["'`\])] | \[\w{0,8}\] | \*{1,2} | [?!]
      | ["'`]?[,]?\s{0,40}["'`]?(?:value|Value|VALUE|content)["'`]?(?=\s?[=:]) ){0,3}
    (?: [ ]?\([^()\n]{1,30}\) )?                                                       # password (temporary): ...
    (?: [ \t]{0,4}:[ \t]{0,2}[A-Za-z_][A-Za-z0-9_.\[\]|?]{0,30}(?=[ \t]{0,4}=)                     # password: str = ...
      | [ \t]{1,3}(?:string|String|str|text|TEXT)(?=[ \t]{0,4}:?=) )?
    [ \t]{0,12}
    (?P<sign> := | => | %3[dD] | ={1,3} | !={1,2} | \?\??= | \|\|=? | \.= | \+= | <- | :{1,3}=? | -> | →
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
    (?P<between> (?: [ \t]{{1,2}} (?! (?:is|was|are) \b) [^{GAPS}"'`:=]{{1,24}}+ ){{0,7}}? )
    (?: [ \t]? (?P<sign>:|=|→|->|\u2013|\u2014) [ \t\n]{{1,3}}
      | [ \t]{{1,2}} (?i:
            (?:is|was|are|been|got) (?:[ ](?:now|just|since|been))? [ ]
                (?:changed|set|reset|updated|rotated|switched) [ ](?:back[ ])?to
          | is|was|are|will[ ]be|is[ ]going[ ]to[ ]be|to|as|called|equals|reads|says|still|be|on|-|\u2013|\u2014|:|=
          | ist|lautet|war|auf|es|era|est|c'est|é|è|foi|är|er|jest|это|là|هي|هو|है|είναι|הוא|היא
        )
        (?:[ ](?:now|still|currently|just|simply|literally|set[ ]to|temporarily|actually|always|this|jetzt|ahora))?
        [ ]?[:=]? [ \t\n]{{1,3}}
      | ['\u2019]s [ ] )
    """,
    re.VERBOSE,
)
_SAID_DIRECTLY: Final = re.compile(
    r"[\"'`*]{0,2}(?:[ ](?:of|named|like|number|no\.?|code)|[ ](?:от|для|к|на)[ ][\w-]{2,20})?"
    r"(?:คือ ?|[ \t\n(\u3000是は為为는은가이を\uff1a]{1,2}+)(?![A-Za-z]{1,30}+(?:[\s,;]|[.:]\s))"  # a word is none
)
_VERBS: Final = frozenset(["pass", "clave", "sandi", "bearer"])


def places(reading: Reading, name: int, end: int, low: str, kind: str) -> list[tuple[int, str, bool]]:
    """Return where values of a name may begin, how they are joined to it, and whether by an assignment.

    Args:
        reading: the text.
        name: where the name begins.
        end: where it ends.
        low: it in lower case.
        kind: what it means.
    """
    text = reading.text
    found: list[tuple[int, str, bool]] = []
    if assigned := _place_assigned(text, name, end, low):
        found.append((*assigned, True))
    next_ = text[end : end + 1]  # a sentence does not go on where something is assigned to it, or it is called
    if next_ not in _GOES_ON or (next_ in _SIGNS and not text[end + 1 : end + 2].isspace()):
        return found
    if low not in _VERBS and (kind == "password" or reading.has_digit(end)):
        directly = _SAID_DIRECTLY.match(text, end)
        if directly and text[directly.end() : directly.end() + 1] not in _SIGNS:
            found.append((directly.end(), "directly", False))
        if reading.may_tell(end):
            if said := _SAID.match(text, end):
                found.append((said.end(), "said", False))
            else:
                reading.untold += 1
    if (len(found) > 1 and found[0][0] > found[-1][0]) or len(found) > 2:  # noqa: PLR2004
        found.sort(key=_PLACE)
    return found


_PLACE: Final = itemgetter(0)
_WORDS: Final = frozenset("abcdefghijklmnopqruvwxyzABCDEFGHIJKLMNOPQRUVWXYZ")
"""How words begin that are none of those that may stand before a sign, `str` and `text`."""
_SIGNS: Final = frozenset("=:")
_GOES_ON: Final = frozenset(" \t\n\"'`*):=→-\u2013\u2014\u2019\u3000是は為为는은가이を\uff1aค")
"""What a sentence may go on with behind a name."""


def _place_assigned(text: str, name: int, end: int, low: str) -> tuple[int, str] | None:  # noqa: PLR0911  (a table as a function)
    """Return where what is assigned to a name begins, and by which sign, with a space if one follows it."""
    if low == "identified":
        by = _SQL.match(text, end)
        return (by.end(), " ") if by else None
    is_in_sentence = text[end : end + 1] == " " and text[end + 1 : end + 2] in _WORDS
    if not is_in_sentence and (assign := _ASSIGN.match(text, end)):
        sign = assign["sign"].strip()
        if not sign and low == "pass":
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

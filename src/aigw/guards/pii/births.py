"""Dates of birth: dates behind words such as "born" and "DOB" in many languages."""

# ruff: noqa: E501, RUF001, SIM905  (a format a line, in many languages)
from __future__ import annotations

import re
from typing import Final

from aigw.guards.pii.rule import Sight, Value

_MONTHS: Final = (
    "jan(?:uary|uar|vier|eiro)?|feb(?:ruary|ruar|ruari|braio|rero)?|fév(?:rier)?|fev(?:ereiro)?|mar(?:ch|s|zo|ço|et)?|märz|maart|mrt"
    "|apr(?:il|ile)?|abr(?:il)?|avr(?:il)?|may|mai|mayo|maggio|maio|mei|maj|jun[ei]?|juin|giugno|junho|junio|jul[yi]?|juil(?:let)?|luglio|julho|julio"
    "|aug(?:ust|ustus|usti)?|août|aout|agosto|ago|sept?(?:ember|embre|iembre)?|set(?:embre|embro|tembre)?|oct(?:ober|obre|ubre)?"
    "|okt(?:ober)?|ott(?:obre)?|out(?:ubro)?|nov(?:ember|embre|iembre|embro)?|de[czs](?:ember|embre|iembre|embro|embar)?|dic(?:iembre|embre)?|dez(?:ember|embro)?|enero|ene"
    "|gennaio|gen|januari|januar|februari|oktober|desember|janvier|février|décembre|déc"
    "|январ[ья]|феврал[ья]|март[а]?|апрел[ья]|ма[йя]|июн[ья]|июл[ья]|август[а]?|сентябр[ья]|октябр[ья]|ноябр[ья]|декабр[ья]"
    "|ianuarie|februarie|martie|aprilie|iunie|iulie|septembrie|octombrie|noiembrie|decembrie"
    "|ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık"
    "|ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince"
    "|(?:tammi|helmi|maalis|huhti|touko|kesä|heinä|elo|syys|loka|marras|joulu)kuuta"
    "|február|március|április|május|június|július|augusztus|szeptember|október|január"
    "|ιανουαρίου|φεβρουαρίου|μαρτίου|απριλίου|μαΐου|ιουνίου|ιουλίου|αυγούστου|σεπτεμβρίου|οκτωβρίου|νοεμβρίου|δεκεμβρίου"
    "|січня|лютого|березня|квітня|травня|червня|липня|серпня|вересня|жовтня|листопада|грудня|януари|февруари|април|юни|юли|септември|октомври|ноември|декември"
    "|siječnja|veljače|ožujka|travnja|svibnja|lipnja|srpnja|kolovoza|rujna|studenoga"
    "|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
)
_YEAR: Final = r"(?:1[89][0-9]{2}|20[0-4][0-9])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DATE: Final = re.compile(
    rf"(?<![A-Za-z0-9_])(?<![0-9][./-])(?=[0-9]{{1,4}}(?:[-./ ]|st|nd|rd|th|er|[ºª年년]|[a-z]{{3}}[0-9]{{4}})|[0-9]{{8}}(?![0-9])|[^\W\d_]{{3,12}}\.?[ -][0-9])(?:"
    rf"{_YEAR}(?P<a>[-./]){_MONTH}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[-./]|\. |/ ){_MONTH}(?P=b){_YEAR}"
    rf"|{_MONTH}(?P<c>[-./]){_DAY}(?P=c){_YEAR}"
    rf"|{_DAY}(?P<d>[-./]){_MONTH}(?P=d)'?[0-9]{{2}}|{_MONTH}(?P<e>[-./]){_DAY}(?P=e)'?[0-9]{{2}}"
    rf"|{_DAY}(?:st|nd|rd|th|er|º|ª|\.)?(?: of| de| di| do| d[.]?)?[ -](?:{_MONTHS})\.?,?(?: de| del| do)?[ -](?:{_YEAR}|'?[0-9]{{2}}(?=[^0-9]|$))"
    rf"|(?:{_MONTHS})\.?[ -]{_DAY}(?:st|nd|rd|th)?,?[ -]{{1,2}}{_YEAR}"
    rf"|{_DAY}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec){_YEAR}"
    rf"|{_YEAR}\.?[ -](?:{_MONTHS})\.?[ -]{_DAY}"
    rf"|{_YEAR} ?年 ?{_MONTH} ?月 ?{_DAY} ?日|{_YEAR}년 ?{_MONTH}월 ?{_DAY}일|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|{_YEAR}\. ?{_MONTH}\. ?{_DAY}"
    rf")(?![A-Za-z0-9_]|[./-][0-9])",
    re.IGNORECASE,
)
_HEAD: Final = re.compile(
    r"[0-9](?<![A-Za-z0-9_].)(?:(?:(?<=[^\W\d_][ -].)|(?<=[^\W\d_]\.[ -].))(?=[0-9]?(?:st|nd|rd|th)?,?[ -]{1,2}[12])"
    r"|(?<![0-9][./-].)(?=[0-9]{0,3}(?:[-./][ -]?(?:[0-9]{1,2}[-./]|[^\W\d_])| [^\W\d_]|[^\W\d_])|[0-9]{7}))"
)
"""The first digit of all dates: there are fewer digits than letters."""


def _beginnings(months: str) -> frozenset[str]:
    """Return the first two letters of names."""
    return frozenset(name[:2] for name in months.replace("(?:", "").split("|") if name[:2].isalpha())


_BEGINNINGS: Final = _beginnings(_MONTHS)
_NAME: Final = re.compile(r"[ -]\.?([^\W\d_]{3,12})(?![A-Za-z0-9_])")
"""A word and what may stand behind it, read backwards."""
_LONGEST_NAME: Final = 16


def _month(text: str, low: int, at: int) -> int:
    """Return where a word begins that may be the name of a month, right before a place; -1 if there is none."""
    name = _NAME.match(text[max(low, at - _LONGEST_NAME) : at][::-1])
    return at - name.end() if name and name[1][:-3:-1].lower() in _BEGINNINGS else -1


_CLOSE: Final = 60
_LONGEST_DATE: Final = 32
_SAID_BEHIND: Final = frozenset(
    "geboren született születésű doğumlu doğumluyum рождения р народження syntynyt född født urodzony urodzona narozen narozená 生まれ 出生".split()
)
"""Words of birth that stand behind a date as often as before one."""
_BEFORE_IT: Final = re.compile(r"(?:ákvor)? {0,2}(?:(?:\.[гр]|адог|\.) {0,2})?(?=[0-9日])")
"""What may stand between a date and such a word, read backwards, as years are named in some languages."""
_GOES_ON: Final = re.compile(r" ?[:=]| (?:am|le|on|w dniu|dnia|dne)\b|.{0,3}[0-9]", re.IGNORECASE)
"""The word belongs to another date that follows it."""


def find_births(sight: Sight) -> None:
    """Find dates behind words of birth, or shortly before them in the same phrase (``DOB``)."""
    for match in sight.matches_behind("birth", _CLOSE, _DATE, (_HEAD, _month)):
        about = sight.topics(match.start(), _CLOSE)
        rank = about.get("birth")
        if rank is not None and rank <= min(about.get("phone", 9), 1):
            sight.found.append(Value(match.start(), match.end(), "DATE_OF_BIRTH", 0.85))
    for end, start in sight.words.behind("birth", sight.low, sight.high, 0):
        if sight.text[start:end].lower() in _SAID_BEHIND and not _GOES_ON.match(sight.text, end, sight.high):
            _find_before(sight, start, end)


def _find_before(sight: Sight, start: int, end: int) -> None:
    """Find a date right before a word of birth."""
    low = max(sight.low, start - _LONGEST_DATE)
    between = _BEFORE_IT.match(sight.text[low:start][::-1])
    if between is None:
        return
    last = start - between.end()
    for match in _DATE.finditer(sight.text, low, last):
        if match.end() == last:
            sight.seen.append((match.start(), end))
            sight.found.append(Value(match.start(), last, "DATE_OF_BIRTH", 0.85))

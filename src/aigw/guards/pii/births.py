"""Dates of birth: dates behind words such as "born" and "DOB" in many languages."""

# ruff: noqa: E501, RUF001  (a format a line, in many languages)
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
    "|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia"
)
_YEAR: Final = r"(?:1[89][0-9]{2}|20[0-4][0-9])"
_DAY: Final = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
_DATE: Final = re.compile(
    rf"(?<![A-Za-z0-9_])(?<![0-9][./-])(?=[0-9]{{1,4}}(?:[-./ ]|st|nd|rd|th|er|[ºª年년]|[a-z]{{3}}[0-9]{{4}})|[0-9]{{8}}(?![0-9])|[^\W\d_]{{3,10}}\.?[ -][0-9])(?:"
    rf"{_YEAR}(?P<a>[-./]){_MONTH}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[-./]|\. |/ ){_MONTH}(?P=b){_YEAR}"
    rf"|{_MONTH}(?P<c>[-./]){_DAY}(?P=c){_YEAR}"
    rf"|{_DAY}(?P<d>[-./]){_MONTH}(?P=d)'?[0-9]{{2}}|{_MONTH}(?P<e>[-./]){_DAY}(?P=e)'?[0-9]{{2}}"
    rf"|{_DAY}(?:st|nd|rd|th|er|º|ª|\.)?(?: of| de| di| do| d[.]?)?[ -](?:{_MONTHS})\.?,?(?: de| del| do)?[ -](?:{_YEAR}|'?[0-9]{{2}}(?=[^0-9]|$))"
    rf"|(?:{_MONTHS})\.?[ -]{_DAY}(?:st|nd|rd|th)?,?[ -]{{1,2}}{_YEAR}"
    rf"|{_DAY}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec){_YEAR}"
    rf"|{_YEAR}[ -](?:{_MONTHS})\.?[ -]{_DAY}"
    rf"|{_YEAR} ?年 ?{_MONTH} ?月 ?{_DAY} ?日|{_YEAR}년 ?{_MONTH}월 ?{_DAY}일|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])|{_YEAR}\. ?{_MONTH}\. ?{_DAY}"
    rf")(?![A-Za-z0-9_]|[./-][0-9])",
    re.IGNORECASE,
)
_HEAD: Final = re.compile(
    r"[0-9A-Za-z\u0080-\U0010ffff](?<![A-Za-z0-9_].)(?<![0-9][./-].)"
    r"(?:(?<=[0-9])(?=[0-9]{0,3}(?:[-./][ -]?(?:[0-9]{1,2}[-./]|[^\W\d_])| [^\W\d_]|[^\W\d_])|[0-9]{7})"
    r"|(?<=[^\W\d_])(?=[^\W\d_]{2,9}\.?[ -][0-9]))"
)
"""How dates begin: a class of characters, since such a pattern is searched many times faster than one without case."""
_CLOSE: Final = 60


def find_births(sight: Sight) -> None:
    """Find dates behind words of birth, or shortly before them in the same phrase (``DOB``)."""
    for match in sight.matches_behind("birth", _CLOSE, _DATE, _HEAD):
        about = sight.topics(match.start(), _CLOSE)
        rank = about.get("birth")
        if rank is not None and rank <= min(about.get("phone", 9), 1):
            sight.found.append(Value(match.start(), match.end(), "DATE_OF_BIRTH", 0.85))

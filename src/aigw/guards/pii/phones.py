"""Telephone numbers: international, national in the shapes of many countries, and others behind words of context.

Sources: ITU-T E.123 (notation), E.164 (country codes, at most 15 digits), and the numbering plans of the countries.
"""

# ruff: noqa: E501, SIM102  (the formats of a country a line; a question a step)
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.accounts import follows_account
from aigw.guards.pii.rule import Value
from aigw.guards.pii.topics import TOPICS
from aigw.guards.pii.words import PHONE_NAMED

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from re import Pattern

    from aigw.guards.pii.numbers import Run, Window

_CODES: Final = re.compile(
    r"1|7|2(?:0|7|1[12368]|[2-6][0-9]|9[01789])|3(?:[0-469]|5[0-9]|7[0-8]|8[0-35-79])|4(?:[013-9]|2[013])"
    r"|5(?:[1-8]|0[0-9]|9[0-9])|6(?:[0-6]|7[02-9]|8[0-35-9]|9[0-2])"
    r"|8(?:[1246]|0[08]|5[0-9]|7[08]|8[0-368])|9(?:[0-58]|6[0-8]|7[0-79]|9[2-68])"
)
_LENGTHS: Final = {
    "1": (10, 10), "7": (10, 10), "20": (8, 10), "27": (9, 9), "30": (10, 10), "31": (9, 9), "32": (8, 9), "33": (9, 9),
    "34": (9, 9), "36": (8, 9), "39": (6, 11), "40": (9, 9), "41": (9, 9), "44": (7, 10), "45": (8, 8), "46": (7, 10),
    "47": (8, 8), "48": (9, 9), "49": (6, 12), "52": (10, 11), "55": (10, 11), "56": (9, 9), "57": (10, 10),
    "60": (8, 10), "61": (9, 9), "63": (9, 10), "64": (8, 10), "65": (8, 8), "66": (8, 9), "81": (9, 10), "82": (8, 10),
    "84": (9, 10), "86": (10, 11), "90": (10, 10), "91": (10, 10), "92": (9, 10), "234": (8, 10), "254": (9, 9),
    "351": (9, 9), "353": (7, 9), "358": (6, 10), "380": (9, 9), "420": (9, 9), "421": (9, 9), "852": (8, 8),
    "886": (8, 9), "966": (8, 9), "971": (8, 9), "972": (8, 9),
}  # fmt: skip
"""How many digits follow the code of a country; elsewhere from 6 to 12."""
_ANY_LENGTH: Final = (6, 12)

_SHAPES: Final = {
    "US": r"(?:001-|1-)?\d{3}-\d{3}-\d{4}",
    "GB": r"020-\d{8}|02\d-\d{4}-\d{4}|01\d{3}-\d{5,6}|01\d{3}-\d{3}-\d{3}|01\d{2}-\d{3}-\d{4}|07\d{3}-\d{6}|07\d{3}-\d{3}-\d{3}"
    r"|07\d{9}|(?:020[378]|011[3-8]|01[2-69]1)\d{7}|0[38]\d{2}-\d{3}-\d{4}|0[38]\d{3}-\d{3}-\d{3,4}|0[389]\d{3}-\d{2}-\d{2}-\d{2}|07\d{2}-\d{4}-\d{4}|0\d{3}-\d{3}-\d{4}",
    "DE": r"0[1-9]\d{1,4}-\d{4,9}|0[1-9]\d{1,4}-\d{2,5}(?:-\d{2,4}){1,3}|0[1-9]\d{8}|01[567]\d{8,9}|01[567]\d-\d{7,8}",
    "FR": r"0[1-9](?:-\d{2}){4}|0[1-9]\d{2}-\d{3}-\d{3}|0[1-9]\d{2}-\d{2}-\d{2}-\d{2}",
    "ES": r"[679]\d{2}-\d{2}-\d{2}-\d{2}|9\d-\d{3}-\d{2}-\d{2}",
    "IT": r"0\d{1,3}-\d{5,8}|0\d{1,3}-\d{3,4}-\d{3,4}|3\d{2}-\d{6,7}|3\d{2}-\d{3}-\d{4}",
    "NL": r"06-\d{8}|0\d{2}-\d{7}|0\d{3}-\d{6}|06-\d{2}-\d{2}-\d{2}-\d{2}|06-\d{4}-\d{4}|0\d{2}-\d{3}-\d{2}-\d{2}|0\d{2}-\d{3}-\d{4}",
    "BE": r"0\d{1,2}-\d{3}-\d{2}-\d{2}|04\d{2}-\d{2}-\d{2}-\d{2}|04\d{2}-\d{3}-\d{3}|0\d{2}-\d{2}-\d{2}-\d{2}|04\d{2}-\d{6}",
    "CH": r"0\d{2}-\d{3}-\d{2}-\d{2}",
    "AT": r"06\d{2}-\d{6,8}|06\d{2}-\d{3,4}-\d{3,4}",
    "SE": r"0\d{1,3}-\d{2,3}-\d{2}-\d{2}|0\d{1,2}-\d{3}-\d{3}-\d{2}|0\d{1,3}-\d{5,7}|0\d{1,2}-\d{3}-\d{2,3}",
    "FI": r"0[45]\d-\d{6,8}|0[45]\d-\d{3,4}-\d{3,4}|0\d-\d{3,4}-\d{3,4}",
    "PL": r"0\d{2}-\d{3}-\d{2}-\d{2}",
    "IE": r"08\d-\d{3}-\d{4}|01-\d{3}-\d{4}|0\d{1,2}-\d{3}-\d{4}|08\d-\d{7}",
    "AU": r"04\d{2}-\d{3}-\d{3}|0[2378]-\d{4}-\d{4}|1[38]00-\d{3}-\d{3}",
    "NZ": r"02\d-\d{3}-\d{3,4}|0[34679]-\d{3}-\d{4}",
    "JP": r"0\d-\d{4}-\d{4}|0\d{2}-\d{3,4}-\d{4}|0\d{3}-\d{2}-\d{4}",
    "KR": r"01[016-9]-\d{3,4}-\d{4}|0\d{1,2}-\d{3,4}-\d{4}",
    "CN": r"1[3-9]\d-\d{4}-\d{4}|0\d{2,3}-\d{7,8}",
    "IN": r"[6-9]\d{4}-\d{5}|0\d{2,4}-\d{6,8}|0[6-9]\d{4}-\d{5}",
    "BR": r"\d{2}-9\d{4}-\d{4}|0800-\d{3}-\d{4}",
    "RU": r"[78]-\d{3}-\d{3}-\d{2}-\d{2}|8-800-\d{3}-\d{4}|8-\d{3}-\d{3}-\d{4}",
    "UA": r"0\d{2}-\d{3}-\d{2}-\d{2}|0\d{2}-\d{3}-\d{4}",
    "IL": r"0\d{1,2}-\d{7}|0\d{1,2}-\d{3}-\d{4}|0\d{1,2}-\d{3}-\d{2}-\d{2}",
    "TR": r"0\d{3}-\d{3}-\d{2}-\d{2}|0\d{3}-\d{3}-\d{4}",
    "ZA": r"0\d{2}-\d{3}-\d{4}",
    "TW": r"09\d{2}-\d{3}-\d{3}|0\d-\d{4}-\d{4}|0\d-\d{3,4}-\d{4}",
    "PH": r"09\d{2}-\d{3}-\d{4}",
    "ID": r"08\d{2}-\d{3,4}-\d{3,5}|0\d{2,3}-\d{6,8}",
    "MY": r"01\d-\d{3,4}-\d{4}|0\d-\d{4}-\d{4}",
    "VN": r"0\d{2}-\d{3}-\d{4}|0\d{3}-\d{3}-\d{3}",
    "NG": r"0[789]\d{2}-\d{3}-\d{4}",
    "KE": r"07\d{2}-\d{6}|07\d{2}-\d{3}-\d{3}",
    "AR": r"011-\d{4}-\d{4}|0\d{2,4}-15-\d{4}-\d{4}",
    "HU": r"06-\d{1,2}-\d{3}-\d{3,4}",
    "PT": r"[29]\d-\d{3}-\d{2}-\d{2}",
}
"""National numbers that are hardly anything else, with every separator written as a dash."""

LENGTHS: Final = frozenset(
    {(3, 3, 4), (1, 3, 3, 4), (3, 2, 2, 2), (2, 3, 2, 2), (3, 6), (3, 7), (3, 4, 4), (5, 5), (2, 5, 4),
     (1, 3, 3, 2, 2), (4, 3, 3)}
)  # fmt: skip
"""How national numbers of those shapes are grouped that do not begin with a zero."""

COUNTRIES: Final = frozenset(_SHAPES)

_NO_PHONES: Final = frozenset({(3, 2, 4), (4, 4)})
"""An SSN that is none, and two numbers of four digits: how only words of context let telephone numbers be grouped."""

_IN_CONTEXT: Final = 0.85
_IN_SHAPE: Final = 0.7
_IN_ANY_SHAPE: Final = 0.6
"""How sure a national number is in a shape of a country behind words of context, or without; and behind such words in a
shape that no country has."""

_DATE: Final = re.compile(r"(?:\d{1,2}-\d{1,2}-(?:19|20)\d\d|(?:19|20)\d\d-\d{1,2}-\d{1,2})(?:-|$)")
_EXTENSION: Final = re.compile(
    r"(?: ?(?:x|X)\.? ?|,? {0,2}(?:ext(?:ension|n)?\.?|Ext(?:ension|n)?\.?|EXT\.?|доб\.|poste|Durchwahl|DW|ramal|int\.)[: ]{0,2}| ?# ?|;ext=)"
    r"[0-9]{1,6}(?![A-Za-z0-9_]|-[0-9])"
)
_BRACKETS: Final = re.compile(r"\([0-9]{2,5}\)")
_UNIT: Final = re.compile(
    r" ?(?:%|€|\$|£|°|(?:USD|EUR|GBP|bytes?|[kKMG]i?B|ms|kg|km|rows|px|people|units|pcs|items)\b)"
)
_GOES_ON: Final = frozenset(" xX,;#%€$£°")
"""How units and extensions begin."""
_FRACTION: Final = re.compile(r"[0-9]{1,3}\.[0-9]{4,6}|[0-9]+\.[0-9]{1,2}")
_PLACE: Final = re.compile(r"[A-Za-z.]\s{1,3}$")
_IN_STATE: Final = re.compile(
    r"(?:\b[A-Z]{2}|,\s?[A-Z][a-z]{3,12}(?: [A-Z][a-z]{3,12})?|\b[A-Z]\.[A-Z]\.),?[\s#*/;]{1,16}$"
)
_NAME: Final = re.compile(r"([A-Za-z]+|[0-9])-$")
"""What a number is the end of, as in ``CVE-2024-1234``."""
_LONGEST_NAME: Final = 24
_PAGES: Final = 200
_LONGEST_STATE: Final = 44
"""What stands before the postal code of a place, which may have the shape of a telephone number."""


_ANY_DIGIT: Final = re.compile(r"\[[^]]*\]|\\d|[0-9](?![0-9,]*\})")
"""A digit in a pattern, or a class of digits; how often is none."""
_NO_DIGITS: Final = re.compile(r"\(0\)|[^0-9]")


def _alternatives(shapes: str) -> list[str]:
    """Take shapes apart where a bar stands outside of brackets."""
    return re.split(r"\|(?![^(]*\))", shapes)


def _beginning(digit: str, shapes: list[str]) -> Pattern[str] | None:
    """Return a pattern for the shapes that can begin with a digit: to try all of them takes several times longer."""
    fitting = [shape for shape in shapes if _may_begin(shape, digit)]
    return re.compile(f"(?!00(?!1-))(?:{'|'.join(fitting)})") if fitting else None


def _may_begin(shape: str, digit: str) -> bool:
    first = re.match(r"\[[^]]*\]|[0-9]", shape)
    return first is None or re.match(first[0], digit) is not None


class Phones:
    """Reads windows of digits as telephone numbers.

    Args:
        countries: whose national shapes are known without context.
    """

    def __init__(self, countries: Container[str]) -> None:
        shapes = [shape for country, all_ in _SHAPES.items() if country in countries for shape in _alternatives(all_)]
        self._shapes = [_beginning(digit, shapes) for digit in "0123456789"]
        with_zero = [_ANY_DIGIT.sub("9", shape) for shape in shapes if _may_begin(shape, "0")]
        self._with_zero = re.compile("|".join(with_zero) or "-")

    def read_international(self, run: Run) -> tuple[Value, int] | None:
        """Read the number behind a plus or ``00``; return also how many of the groups it took."""
        digits, head = run.part(0), run.head
        text, first, gaps = run.text, run.start + len(head), run.plan.gaps
        plus = "+" in head
        for prefix in () if plus else ("00", "011"):
            if digits.startswith(prefix) and _is_prefix(prefix, digits, run):
                first, plus = first + len(prefix), True
                break
        if not plus or ("+" not in head and follows_account(text, run.start + len(head))):
            return None
        for count in _counts(run, first - run.start - len(head)):
            end = run.place(count - 1)[1]
            if self._is_international(text[first:end], has_plus="+" in head):
                start = run.start if "+" in head else run.start + len(head)
                if start < run.start + len(head) and head[0] == "(" and not (gaps and gaps[0].startswith(")")):
                    start += 1
                return _phone(run, start, end, 0.9 if "+" in head else 0.75), count
        return None

    def with_zero(self, shape: str) -> bool:
        """Tell whether a number that begins with a zero may have a shape.

        Args:
            shape: the groups, with dashes between them and nines for all digits.
        """
        return self._with_zero.fullmatch(shape) is not None

    @staticmethod
    def _is_international(written: str, *, has_plus: bool) -> bool:
        digits = _NO_DIGITS.sub("", written)
        code = _CODES.match(digits)
        if code is None:
            return False
        low, high = _LENGTHS.get(code[0], _ANY_LENGTH)
        national = digits[code.end() :]
        counts = {len(national), len(national) - national.startswith("0")}
        if "." in written and ("/" in written or _FRACTION.fullmatch(written)):
            return False
        if not has_plus and (low, high) == _ANY_LENGTH and written.isdigit():
            return False
        return any(low <= count <= high for count in counts) and len(set(digits)) > 1

    def read(self, window: Window) -> Value | None:
        """Read a window as a national number, or as any number behind words of context."""
        digits, run, frame = window.digits, window.run, window.frame
        wanted = run.named & PHONE_NAMED != 0
        brackets = frame.is_bracketed and self._is_code(window)
        if not wanted and digits[0] != "0" and frame.lengths not in LENGTHS and not brackets:
            return None
        shape = window.dashed
        score = self._score(window, shape, wanted=wanted, brackets=brackets)
        if not score or digits.count(digits[0]) == len(digits):
            return None
        if self._is_else(window, shape) or (not wanted and self._is_piece(window)):
            return None
        start, end = window.start - brackets, window.end
        if not brackets and window.first == 0 and "+" in run.head:
            start = run.text.index("+", run.start)
        if run.text[end : end + 1] in _GOES_ON and _UNIT.match(run.text, end, run.high):
            return None
        return _phone(run, start, end, score)

    @classmethod
    def _is_else(cls, window: Window, shape: str) -> bool:
        """Tell whether it is a date, a row of numbers, pages from one to another, a postal code, or the end of a name."""
        style, text, start = window.frame.style, window.run.text, window.start
        if text[start - 1 : start] == "-" and (name := _NAME.search(text, max(0, start - _LONGEST_NAME), start)):
            return "phone" not in TOPICS.get(name[1], ())
        if style.is_range and 0 < int(shape[-window.lengths[1] :]) - int(shape[: window.lengths[0]]) < _PAGES:
            return True
        if (style.is_date and _DATE.match(shape)) or (style.is_row and _is_counting(shape)):
            return True
        return style.is_postal and cls._is_postal(window)

    @staticmethod
    def _is_piece(window: Window) -> bool:
        """Tell whether it may be a piece of something longer, or what only words of context let be a telephone number."""
        if window.lengths in _NO_PHONES or (window.is_rest if window.digits[0] == "0" else window.is_part):
            return True
        text, start = window.run.text, window.start
        is_glued = text[start - 1 : start] in {".", "/"} and text[max(0, start - 2) : start - 1].isalnum()
        return is_glued or follows_account(text, start)

    @staticmethod
    def _is_postal(window: Window) -> bool:
        """Tell whether it rather is the postal code of a place in the United States, or one in Brazil; it looks so."""
        text, start = window.run.text, window.start
        if window.lengths == (5, 3) or _IN_STATE.search(text, max(0, start - _LONGEST_STATE), start):
            return True
        return not window.run.named & PHONE_NAMED and _PLACE.search(text, max(0, start - 4), start) is not None

    def _score(self, window: Window, shape: str, *, wanted: bool, brackets: bool) -> float:
        # A shape that does not begin with a zero has lengths of its own, which are faster to compare.
        shapes = self._shapes[int(shape[0])] if shape[0] == "0" or window.lengths in LENGTHS else None
        is_known = shapes is not None and shapes.fullmatch(shape) is not None
        if not (is_known or brackets or wanted):
            return 0.0
        style = window.frame.style
        if style.is_wide:
            return 0.0
        if is_known and self._is_regular(window, shape, wanted=wanted):
            return _IN_CONTEXT if wanted else _IN_SHAPE
        if brackets and _BRACKETS.match(window.run.text, window.start - 1) and 8 <= len(window.digits) <= 12:  # noqa: PLR2004
            if max(window.lengths) <= 9 and all(length >= 2 for length in window.lengths):  # noqa: PLR2004
                return _IN_CONTEXT if wanted else 0.65
        if wanted and not (len(window.digits) > 13 and window.digits[0] not in "0+1"):  # noqa: PLR2004
            is_odd = style.is_dotted or not style.is_even
            return 0.0 if is_odd or _BAD_CONTEXT_SHAPE.fullmatch(shape) else _IN_ANY_SHAPE
        return 0.0

    @staticmethod
    def _is_regular(window: Window, shape: str, *, wanted: bool) -> bool:
        """Tell whether a shape without context is convincing: few kinds of separators, and possible digits."""
        gaps, style = window.frame.gaps, window.frame.style
        if not style.has_one_mark:
            return False
        if wanted or not gaps:
            return shape not in _ROWS
        if shape[0] != "0" and set(gaps) == {" "} and _NANP_LIKE.fullmatch(shape):
            return _NANP.fullmatch(shape) is not None
        return "." not in style.marks or len(gaps) > 1

    @staticmethod
    def _is_code(window: Window) -> bool:
        """Tell whether the bracket before the first group belongs to the number: it closes inside."""
        gaps = window.frame.gaps
        if not gaps or not gaps[0].startswith(")"):
            return False
        before = window.run.text[max(0, window.start - 2) : window.start - 1]
        return not (before.isascii() and before.isalnum())


def _is_prefix(prefix: str, group: str, run: Run) -> bool:
    """Tell whether what the first group begins with is dialled for another country: 011 also begins codes of cities."""
    if len(group) == len(prefix):
        return len(run.plan.groups) > 1
    return prefix != "011" or len(group) > _LONGEST_WITH_ZERO


def most(window: Window) -> float:
    """Return the best score that a window can have as a national number."""
    if not window.run.named & PHONE_NAMED:
        return _IN_SHAPE
    is_known = window.digits[0] == "0" or window.frame.is_bracketed or window.lengths in LENGTHS
    return _IN_CONTEXT if is_known else _IN_ANY_SHAPE


def _phone(run: Run, start: int, end: int, score: float) -> Value:
    extension = _EXTENSION.match(run.text, end, run.high) if run.text[end : end + 1] in _GOES_ON else None
    return Value(start, extension.end() if extension else end, "PHONE", score)


_LONGEST_WITH_ZERO: Final = 11
_ROWS: Final = frozenset({"0123456789", "01234567890", "0987654321"})
_NANP: Final = re.compile(r"(?:1-)?[2-9]\d{2}-[2-9]\d{2}-\d{4}")
_NANP_LIKE: Final = re.compile(r"(?:1-)?\d{3}-\d{3}-\d{4}")
_BAD_CONTEXT_SHAPE: Final = re.compile(
    r"\d-\d{1,3}-\d{1,3}|\d{1,2}-\d{1,2}-\d{2,4}|(?:19|20)\d\d-(?:19|20)\d\d|\d{4}-\d{2}-\d{2}.*|\d{3}-\d{2}-\d{4}"
)


def _counts(run: Run, prefix: int) -> Iterator[int]:
    """Yield how many groups a number may take, the most first; it ends only where a space follows.

    Args:
        run: the groups.
        prefix: how many digits stand before the code of the country.
    """
    plan = run.plan
    count = min(len(plan.groups), 10)
    digits = run.digits[: plan.digits[count]]
    low, high = 1, 16  # E.164, and a zero in brackets
    if not run.has_bracket:
        code = _CODES.match(digits, prefix)
        if code is None:
            return
        low, high = _LENGTHS.get(code[0], _ANY_LENGTH)
        behind = code.end() - prefix
        low, high = low + behind, min(16, high + behind + (digits[code.end() : code.end() + 1] == "0"))
    left = len(digits) - prefix
    while left >= low:
        if left <= high and (count == len(plan.groups) or " " in plan.gaps[count - 1]):
            yield count
        count -= 1
        left -= plan.lengths[count]


def _is_counting(shape: str) -> bool:
    """Tell whether the groups are a row such as 01 02 03 04 05."""
    row = list(map(int, shape.split("-")))
    step = row[1] - row[0]
    return abs(step) <= 11 and row == [row[0] + step * place for place in range(len(row))]  # noqa: PLR2004  (11, 22, 33)

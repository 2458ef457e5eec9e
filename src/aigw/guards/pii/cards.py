"""Payment cards: ISO/IEC 7812 numbers of 12 to 19 digits, with the ranges of the networks and the check digit."""

# ruff: noqa: E501  (a network a line)
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from aigw.guards.pii.rule import Value

if TYPE_CHECKING:
    from aigw.guards.pii.numbers import Window

_NETWORKS: Final = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"  # Discover
    r"|35[0-9]{14,17}|(?:2131|1800)[0-9]{11}"  # JCB
    r"|3(?:0[0-59]|[68][0-9])[0-9]{11,16}"  # Diners Club
    r"|(?:62|81)[0-9]{14,17}"  # UnionPay
    r"|220[0-4][0-9]{12,15}"  # Mir
    r"|(?:60|82|508)[0-9]{13,14}|9792[0-9]{12}|63[67][0-9]{13}|5019[0-9]{12}|67[0-9]{14}|1[0-9]{14}"
    r"|(?:5018|5020|5038|5[678][0-9]{2}|6304|6390|6759|676[1-3]|0604)[0-9]{8,15}"  # Maestro
)
SHAPES: Final = frozenset(
    {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (8, 8), (4, 4, 5), (6, 13), (4, 4, 4), (4, 5, 6),
     (4, 4, 4, 2), (4, 4, 4, 3), (4, 4, 4, 5), (6, 6, 4), (6, 10), (4, 12), (4, 4, 8), (8, 4, 4), (4, 15), (6, 6, 6)}
)  # fmt: skip
_OF_A_UUID: Final = re.compile(r"-[0-9A-Fa-f]{4}-$")
"""What stands before the last group of a UUID."""
_PLAUSIBLE: Final = re.compile(r"[1-9][0-9]{11,18}")
_LEAST: Final = 12
LENGTHS: Final = range(_LEAST, 20)
"""How many digits a card has that is written without gaps."""
_USUAL: Final = 16
_SHORT: Final = 13
_RIGHT_BEFORE: Final = 12


def read_card(window: Window) -> Value | None:
    """Read a window as a card. It has enough digits, and its check digit is right: see `Run.windows`."""
    digits, lengths = window.digits, window.lengths
    if len(lengths) > 1 and not _is_grouped(window, lengths):
        return None
    if (
        window.first
        and len(digits) != _USUAL
        and window.run.plan.lengths[window.first - 1 : window.first] == lengths[:1]
    ):
        return None  # the end of a longer number
    if len(set(digits)) == 1 or _OF_A_UUID.search(window.run.text, max(0, window.start - 6), window.start):
        return None
    about = window.run.topics
    if _NETWORKS.fullmatch(digits) and (digits[0] != "1" or digits.startswith("1800") or "card" in about):
        score = 0.99 if "card" in about else 0.95
        if len(lengths) == 1 and about.get("other", 9) == 0 and _is_rather(window):
            score = 0.6 if "card" in about else 0.0
    elif _PLAUSIBLE.fullmatch(digits) and about.about("card"):
        score = 0.8
    else:
        return None
    return Value(window.start, window.end, "CREDIT_CARD", score) if score else None


def _is_rather(window: Window) -> bool:
    """Tell whether a word right before it names a number of something else, of which one in ten have the check digit."""
    count = len(window.digits)
    if count >= _USUAL or (count > _SHORT and window.digits[0] == "3"):
        return False
    return window.run.topics_near(_RIGHT_BEFORE).get("other") == 0


def _is_grouped(window: Window, lengths: tuple[int, ...]) -> bool:
    gaps = {gap.strip() for gap in window.frame.gaps}
    if len(gaps) > 1 or not gaps <= {"", "-", "."} or any(len(gap) > 3 for gap in window.frame.gaps):  # noqa: PLR2004  (" - ")
        return False
    return lengths in SHAPES or (min(lengths[:-1]) >= 3 and max(lengths) <= 6 and "card" in window.run.topics)  # noqa: PLR2004

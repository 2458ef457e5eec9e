"""`Pii`: finds personal data in texts, whole or while they grow."""

# ruff: noqa: E501  (patterns)

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.aside import breathe
from aigw.errors import ConfigError
from aigw.guards.pii import cards, documents, national, phones
from aigw.guards.pii.accounts import IBAN_HEAD, LONG_WORD, find_coin, find_iban
from aigw.guards.pii.births import find_births
from aigw.guards.pii.cards import read_card
from aigw.guards.pii.clean import Clean, clean, decided
from aigw.guards.pii.custom import Custom, CustomRule
from aigw.guards.pii.gates import by_digits, near, stretches
from aigw.guards.pii.islands import REACH, calm, is_open, islands
from aigw.guards.pii.mail import find_credentials, find_emails
from aigw.guards.pii.network import COLON, IPV4, PAIR, find_ipv4, find_ipv6, find_macs, find_named_macs
from aigw.guards.pii.numbers import Runs
from aigw.guards.pii.plans import CARD, NATIONAL, PHONE, Shapes
from aigw.guards.pii.rule import Sight, Value
from aigw.guards.pii.words import Words
from aigw.guards.span import Span

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aigw.guards.pii.gates import Stretch
    from aigw.guards.pii.numbers import Run, Window

    Plugin = Callable[[str], Iterable[Any]]
    """Gets one line of text, and returns spans: `Span`, or ``(start, end, kind)``, or ``(start, end, kind, score)``."""

KINDS: Final = (
    "EMAIL",
    "PHONE",
    "CREDIT_CARD",
    "IBAN",
    "US_SSN",
    "NATIONAL_ID",
    "IP",
    "MAC",
    "CRYPTO",
    "DATE_OF_BIRTH",
    "URL_CREDENTIALS",
)
"""What `Pii` finds by itself."""

LOCALES: Final = frozenset(phones.COUNTRIES | national.COUNTRIES | documents.COUNTRIES)
"""The countries whose national numbers and telephone numbers are known."""

_CONTEXT: Final = 2400
"""The context of rules, with ten hidden characters and marks such as ``(at)`` for each that is seen."""

_SLICE: Final = 16_384
_LARGE: Final = 2 * _SLICE
"""Characters beyond which a text is read in slices."""

_BREATH: Final = 16
"""After how many islands, runs and values there is a rest."""

_SURE: Final = 0.95
"""A card, which a shorter one that begins in the same place is not better than."""


_MARKED: Final = ((COLON, find_ipv6), (PAIR, find_macs))
"""What stands in everything that some rules find."""

_BEGUN: Final = ((LONG_WORD, find_coin), (IPV4, find_ipv4), (IBAN_HEAD, find_iban))
"""What everything begins with that other rules find."""


class Pii:
    """Finds personal data by its shape, its check digits, and the words before it. Standard library only.

    >>> [(span.kind, span.start, span.end) for span in Pii().find("call +44 20 7946 0958")]
    [('PHONE', 5, 21)]

    A `StreamDetector`: what it finds in a text that grows is what it finds in the whole.

    Args:
        kinds: which of `KINDS` are reported; by default all. Values of other kinds are still recognised, so a card is
            never reported as a telephone number. What `custom` and `plugins` find is always reported.
        locales: countries (ISO 3166, such as ``"DE"``) whose national numbers and national telephone numbers are known;
            by default all of `LOCALES`. International telephone numbers are found everywhere.
        custom: patterns of your own by the kind to report, as a regular expression or a `Custom`, which says how long
            a match may be.
        allow: values that are never personal data, such as the address of your support: texts (compared without
            regard to case), or compiled patterns that match the whole value.
        plugins: functions from a text to spans, for what patterns cannot find: names, addresses, places. They get one
            line at a time, so in a stream a line is held until it ends.
        min_score: what the detector is less sure of is left out.
    """

    context: int = _CONTEXT
    default_action = "mask"

    def __init__(
        self,
        kinds: Iterable[str] | None = None,
        *,
        locales: Iterable[str] | None = None,
        custom: Mapping[str, str | re.Pattern[str] | Custom] | None = None,
        allow: Iterable[str | re.Pattern[str]] = (),
        plugins: Sequence[Plugin] = (),
        min_score: float = 0.5,
    ) -> None:
        chosen = KINDS if kinds is None else _names("kinds", kinds, KINDS)
        countries = LOCALES if locales is None else frozenset(_names("locales", locales, sorted(LOCALES)))
        if not 0 <= min_score <= 1:
            raise ConfigError(f"min_score must be between 0 and 1, not {min_score!r}")
        if isinstance(allow, str):
            raise ConfigError("allow must be a list of values and patterns, not one string")
        for plugin in plugins:
            if not callable(plugin):
                raise ConfigError(f"plugins must be functions from a text to spans, not {plugin!r}")
        self._left_out = frozenset(KINDS) - frozenset(chosen)
        self._custom = [
            CustomRule(kind, value if isinstance(value, Custom) else Custom(value))
            for kind, value in (custom or {}).items()
        ]
        allowed = list(allow)
        self._allowed = frozenset([value.casefold() for value in allowed if isinstance(value, str)])
        self._allowed_patterns = [value for value in allowed if not isinstance(value, str)]
        self._is_choosy = bool(allowed)
        self._plugins = list(plugins)
        self._min_score = min_score
        self.is_quick = not self._custom and not self._plugins
        """Whether it ends soon for any text: patterns and functions of the user may not."""
        self._phones = phones.Phones(countries)
        self._national = national.NationalNumbers(countries)
        self._documents = documents.Documents(countries)
        self._runs = Runs(
            Shapes(
                {
                    CARD: {*cards.SHAPES, *((length,) for length in cards.LENGTHS)},
                    NATIONAL: self._national.lengths,
                    PHONE: phones.LENGTHS,
                },
                self._national.shapes,
                self._phones.with_zero,
            )
        )

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find personal data, in order of place; spans do not overlap.

        Args:
            text: the text.
            start: return only spans that begin here or later.
        """
        spans: list[Span] = []
        base = 0
        while len(text) - start > _LARGE:
            found, cut = self._slice(text[base : start + _SLICE], start - base)
            if cut <= start - base:
                break  # nothing is decided before a line of its own ends, or a plugin would have to see less than one
            spans += [Span(span.start + base, span.end + base, span.kind, span.score) for span in found]
            start = base + cut
            base = max(0, start - self.context)
        rest = text[base:]
        seen = clean(rest)
        raw, _ = self._look(seen, rest, start - base)
        found = self._reported(seen, raw, start - base)
        return (
            spans + [Span(span.start + base, span.end + base, span.kind, span.score) for span in found]
            if base
            else spans + found
        )

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided, whatever comes after it.

        Args:
            text: the text so far.
            start: what it returned before.
        """
        end = decided(text)
        if end <= start:
            return start
        seen = clean(text[:end])
        begin = seen.place(start)
        cut, low = _settled(seen.text, begin)
        if self._custom or self._plugins:
            raw, crossing = self._look(seen, text[:end], start, is_noted=True)
            return self._cut(text, seen, start, cut, [*crossing, *((value.start, value.end) for value in raw)])
        if low is None:
            return seen.original(cut) if cut > begin else start
        sight = Sight(seen.text, low, len(seen.text), Words(seen.text), is_noted=True)
        self._search([sight])
        return self._cut(text, seen, start, cut, sight.seen)

    def _cut(self, text: str, seen: Clean, start: int, cut: int, crossing: list[tuple[int, int]]) -> int:
        """Move a cut back to where nothing is that it would cross, and return it as a place in the original."""
        cut = min([cut, *[len(seen.text) - rule.max_length for rule in self._custom]])
        cut = _uncrossed(cut, crossing)
        cut = seen.original(cut) if cut > seen.place(start) else start
        if self._plugins:
            cut = text.rfind("\n", 0, cut) + 1
        return max(start, cut)

    def _slice(self, text: str, start: int) -> tuple[list[Span], int]:
        """Find what is decided in the beginning of a large text, and how far that is.

        A search of one pattern through a large text is one call that no other thread can interrupt.
        """
        text = text[: decided(text)]
        if len(text) <= start:
            return [], start
        breathe()
        seen = clean(text)
        raw, crossing = self._look(seen, text, start, is_noted=True)
        breathe()
        cut, _ = _settled(seen.text, seen.place(start))
        crossing += [(value.start, value.end) for value in raw]
        cut = self._cut(text, seen, start, cut, crossing)
        return [span for span in self._reported(seen, raw, start) if span.start < cut], cut

    def _reported(self, seen: Clean, raw: list[Value], start: int) -> list[Span]:
        """Choose among values, and return where they stand in the original."""
        spans: list[Span] = []
        for place, (low, high, kind, score) in enumerate(_resolved(raw)):
            if place % _BREATH == 0:
                breathe()
            if kind in self._left_out or (self._is_choosy and self._is_allowed(seen.text[low:high])):
                continue
            if seen.is_edited:
                low, high = seen.original(low), seen.original(high - 1) + 1  # noqa: PLW2901  (places in the original)
            if low >= start:
                spans.append(Span(low, high, kind, score))
        return spans

    def _look(
        self, seen: Clean, text: str, start: int, *, is_noted: bool = False
    ) -> tuple[list[Value], list[tuple[int, int]]]:
        """Return all candidates from a place on, and what was taken for one."""
        begin = seen.place(start)
        raw: list[Value] = []
        crossing: list[tuple[int, int]] = []
        words = Words(seen.text)
        islands_ = (Sight(seen.text, low, high, words, is_noted) for low, high in islands(seen.text, begin))
        for sight in self._search(islands_):
            raw += sight.found
            crossing += sight.seen
        for rule in self._custom:
            raw += [Value(span.start, span.end, span.kind, span.score) for span in rule.find(seen.text, begin)]
        if self._plugins:
            raw += self._ask(seen, text, start)
        return [span for span in raw if span.score >= self._min_score], crossing

    def _search(self, islands_: Iterable[Sight]) -> list[Sight]:
        """Look for everything in islands, and return those that may have something.

        Family by family, which takes a fifth less time than island by island: patterns stay in the caches of a processor.
        """
        sights, numbers, longer, longest = by_digits(islands_)
        close = stretches(sights)
        breathe()
        for stretch in close:
            stretch.look_up()
        breathe()
        for sight in sights:
            if sight.has("@"):
                find_credentials(sight)
                find_emails(sight)
        _find_rare(close)
        for find, where in (
            (find_births, near(numbers, "birth")), (find_named_macs, near(numbers, "mac")), (self._documents, longer),
            (documents.find_named_documents, near(longer, "passport", "licence")),
        ):  # fmt: skip
            breathe()
            for sight in where:
                find(sight)
        self._read_all(longest)
        return sights

    def _read_all(self, sights: Iterable[Sight]) -> None:
        """Read all runs of digits in islands."""
        work = 0
        for sight in sights:
            for run in self._runs(sight):
                self._read(run, sight)
                work += 1
                if work % _BREATH == 0:
                    breathe()
            work += 1
            if work % _BREATH == 0:
                breathe()

    def _read(self, run: Run, sight: Sight) -> None:
        """Read a run of digits as cards, national and telephone numbers, whatever fits best from each beginning."""
        taken = 0
        if run.is_abroad and (international := self._phones.read_international(run)):
            span, taken = international
            sight.found.append(span)
        for first, frames in run.plan.starts:
            if first < taken:
                continue
            best: Value | None = None
            for window in run.windows(first, frames):
                if best is not None and window.kinds == PHONE and best.score >= phones.most(window):
                    continue
                read = self._read_window(window)
                if read is not None and (best is None or read.score > best.score):
                    best, taken = read, window.frame.end
                    if read.score >= _SURE:
                        break
            if best is not None:
                sight.found.append(best)

    def _read_window(self, window: Window) -> Value | None:
        """Read groups of digits as what their shape lets them be."""
        kinds = window.kinds
        card = read_card(window) if kinds & CARD else None
        if kinds & NATIONAL and (card is None or card.score <= _SURE):
            number = self._national.read(window)
            if number is not None and (card is None or number.score >= national.NAMED):
                return number
        return card or (self._phones.read(window) if kinds & PHONE else None)

    def _ask(self, seen: Clean, text: str, start: int) -> list[Value]:
        """Ask the plugins, line by line."""
        found: list[Value] = []
        at = start
        for line in text[start:].split("\n"):
            for plugin in self._plugins if line else ():
                found += [_span(one, at, seen) for one in plugin(line)]
            at += len(line) + 1
        return found

    def _is_allowed(self, value: str) -> bool:
        if self._allowed and value.casefold() in self._allowed:
            return True
        return any(pattern.fullmatch(value) for pattern in self._allowed_patterns)


def _names(argument: str, values: Iterable[str], known: Sequence[str]) -> list[str]:
    if isinstance(values, str):
        raise ConfigError(f"{argument} must be a list of names, not the string {values!r}")
    names = list(values)
    for name in names:
        if name not in known:
            raise ConfigError(f"{argument} must be among {', '.join(known)}, not {name!r}")
    return names


def _span(one: Any, at: int, seen: Clean) -> Value:
    """Read what a plugin returned, as a span of the clean text."""
    span = one if isinstance(one, Span) else Span(*one)
    return Value(seen.place(at + span.start), seen.place(at + span.end), span.kind, span.score)


def _find_rare(close: Sequence[Stretch]) -> None:
    """Find what begins with, or has inside, what stands in few texts."""
    for pattern, find in _MARKED:
        breathe()
        for stretch in close:
            for sight in stretch.holding(pattern):
                find(sight)
    for pattern, read in _BEGUN:
        breathe()
        for stretch in close:
            for sight, match in stretch.matches(pattern):
                read(sight, match)


def _resolved(values: list[Value]) -> list[Value]:
    """Leave out values that overlap with a better one, in one pass: a higher score, a longer one, the earlier one."""
    chosen: list[Value] = []
    for value in sorted(values):
        if not chosen or value.start >= chosen[-1].end:
            chosen.append(value)
        elif (value.score, value.end - value.start) > (chosen[-1].score, chosen[-1].end - chosen[-1].start):
            chosen[-1] = value
    return chosen


def _settled(text: str, begin: int) -> tuple[int, int | None]:
    """Return how far a clean text is decided; also where an island begins that is too long to wait for its end."""
    low = high = begin
    for low, high in islands(text, begin):  # noqa: B007  (the last is wanted)
        pass
    if high == begin or not is_open(text, high):
        return calm(text, high), None
    if len(text) - low <= REACH:
        return low, None
    return max(low, len(text) - REACH), low


def _uncrossed(cut: int, spans: list[tuple[int, int]]) -> int:
    """Move a cut back to where it crosses nothing."""
    for begin, end in sorted(spans, reverse=True):
        if begin < cut < end:
            cut = begin
    return cut

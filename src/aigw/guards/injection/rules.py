"""`Rules`: what attacks say, as short patterns over the classes of words, and a few over the text itself.

Each rule has a score: at and above one half it decides alone, below it only counts as evidence for the model.
Everything is linear in the length of the text: all repetitions are bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.aside import breathe
from aigw.guards.injection.mention import Mentions
from aigw.guards.injection.text_rules import text_rules
from aigw.guards.injection.words import word_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.guards.injection.words import Words


class Hit(NamedTuple):
    """A rule that fits.

    Args:
        rule: its name.
        score: from 0 to 1.
    """

    rule: str
    score: float


class Fit(NamedTuple):
    """A rule that fits somewhere, before the model was asked.

    Args:
        rule: its name.
        score: from 0 to 1.
        needs: what the model must score at least, of the text or of what stands around, for it to decide.
        place: where it fits the folded text, if it needs anything.
    """

    rule: str
    score: float
    needs: float = 0.0
    place: tuple[int, int] = (0, 0)

    @property
    def is_quoting(self) -> bool:
        """Whether the words are mentioned, or stand in quotation marks that nothing is said of."""
        return self.rule.endswith(IN_QUOTES) or self.needs >= AGREED_IN_MARKS


class _WordRule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    score: float
    is_imperative: bool = True


def _rule(name: str, pattern: str, score: float, *, imperative: bool = True) -> _WordRule:
    """Make a rule; ``~`` in a pattern is any word of the same sentence."""
    return _WordRule(name, re.compile(pattern.replace("~", "[^|]")), score, imperative)


WORD_RULES: Final = (
    _rule("override", "[IJ]~{0,4}?(?:[PA]~{0,3}?[NK]|[NK]~{0,2}?P)", 0.9),
    _rule("override", "[IJ]~{0,2}?Y~{0,2}?[NK]", 0.85),
    _rule("override", "J~{0,2}?Y~{0,2}?E|JA~?Y?~?E", 0.6),
    _rule("override", "(?:P~{0,2}A?~?|AP~?|PA~?|Y[PSA]|A)[NK]~{0,3}?[IJ]", 0.8),
    _rule("override-foreign", "J~{0,3}?[NE]", 0.45),
    _rule("override-what-was-said", "[IJ]~{0,3}?(?:P~{0,2}?n|n~{0,2}?P|[Aa]~{0,3}?[nP])", 0.45),
    _rule("forget-everything", "[IJ]a~?P|[IJ]a~{0,4}?Y~{0,3}?(?:[NKnE]|P|Z)", 0.75),
    _rule("override-some", "[IJ]~{0,3}?[NK]", 0.3),
    _rule("unfollow", "X~{0,3}?F~{0,3}?(?:[PAYS]~{0,2}?[NK]|[NK]~{0,2}?P)", 0.85),
    _rule("unfollow", "(?:[PAY]~?|PA|AP)[NK]~{0,2}?(?:FX|XF|F~X)|FY[NK]~{0,2}X", 0.8),
    _rule("unfollow", "(?:XF|FX|[IJ])(?!~{0,2}O)~{0,8}[|]?~{0,5}O|FXN?[|]?~?O", 0.55),
    _rule("unfollow-some", "X~{0,2}?F~{0,2}?[NKE]", 0.4),
    _rule("extract", "R(?:[^|U]{0,4}?|~?U~{0,2}?Y)~?S~?K(?!~{0,2}U)", 0.8),
    _rule("extract", "R~{0,4}?Y~{0,2}?(?:K|[SP]~?[NK]|n~{0,2}?S)", 0.8, imperative=False),
    _rule("extract", "Y~?(?:[PS]~?[NK]|[NK]~?[PS])~{0,6}[|][^|]?R", 0.7, imperative=False),
    _rule("extract", "R~?nS(?!~?U)|R~{0,3}?KS(?!~?U)|R~{0,2}?NS~?Y", 0.6, imperative=False),
    _rule("extract", "Y?SK[^|U]{0,3}?R(?!~{0,3}U)", 0.6),
    _rule("extract-some", "R~{0,3}?Y[^|]{0,2}?N", 0.45, imperative=False),
    _rule("extract-some", "R~{0,2}?(?:[Aa]~{0,2}?P|n~{0,2}?P)", 0.3),
    _rule("unbound", "(?:[XV]~{0,4}?E|M)~{0,8}(?:M|[XV]E|[XV]~E)", 0.4, imperative=False),
    _rule(
        "machine-unbound",
        "[YBT]~{0,5}?Q~{0,4}V~{0,2}?[EN]|[EN]~?VQ|B~{0,6}(?:V~{0,2}?[EN]|E~?V)|BXNF|BXE",
        0.6,
        imperative=False,
    ),
    _rule("persona", "(?:T|YU)~{0,12}?(?:M|[XV]~{0,3}?[EN])", 0.4, imperative=False),
    _rule("persona-addressed", "Y[^|]{0,2}(?:T|U)~{0,8}?M", 0.4, imperative=False),
    _rule("new-orders", "B~{0,4}?Y~{0,3}?(?:T|N|Z)|YB~{0,2}N|B[NK]", 0.3, imperative=False),
    _rule("story-of-harm", "T~{0,20}W~{0,24}?H|W~{0,16}H~{0,16}D|W~{0,16}D~{0,16}H", 0.2, imperative=False),
)

_CLAIMED: Final = re.compile(r"(?:U[^Y|]{0,3}|(?<!Y)(?<!Y.)t|NQ)$")
_FORBIDDEN: Final = re.compile(r"(?:(?:^|[^U])X[^|YX]?|UU)$")
"""What stands before words that are forbidden to show, or that others may show."""
_ARTICLE: Final = re.compile(
    r"\bthis (?:article|paper|post|report|chapter)\b|\bresearchers?\b|\bthe (?:study|authors)\b|\bvendors?\b"
    r"|white ?paper"
)
ABOUT: Final = 0.7
"""What a weak score is multiplied with in a text that says that it is an article."""
WEAK: Final = 0.7
IN_QUOTES: Final = ", quoted"
"""Ends the names of rules that fit words which are mentioned."""
MENTIONED: Final = 0.4
"""What a score is multiplied with where the words are quoted and talked about, not used."""
DOUBTED: Final = 0.5
"""The same where the model is sure of the contrary."""
AGREED: Final = 0.1
"""What the model must score at least for words to decide; it knows too little of those of other scripts."""
AGREED_IN_MARKS: Final = 0.9
"""The same for words in quotation marks that nothing is said of."""
_OF_FORM: Final = frozenset(
    (
        *("chat-token", "fake-system-message", "fake-turn", "affirmative-start", "hijacked-output"),
        *("image-exfiltration", "note-to-model", "from-the-user", "decode-and-obey", "translate-and-obey"),
        *("turned-task", "many-shot"),
    )
)
"""Rules on how a text is made, which the model knows little of."""
MOST_FITS: Final = 64
MANY_SHOTS: Final = 6
"""Turns that a prompt brings along, and words of harm in them, which make it an attempt to teach by example."""
_TURN: Final = re.compile(r"^[ \t#*<\[]{0,4}(?:human|user|q|question|h|u)[ \t]?[:>\]]", re.MULTILINE)


def rules(words: Words, mentions: Mentions | None = None) -> list[Fit]:
    """Return the rules that fit a text, each once with its best score.

    Args:
        words: the text.
        mentions: what is mentioned in it; by default it may be an article.
    """
    found: dict[str, Fit] = {}
    for fit in _fits(words, mentions or Mentions(words.folded)):
        known = found.get(fit.rule)
        if known is None or (fit.score, -fit.needs) > (known.score, -known.needs):
            found[fit.rule] = fit
    fits = [*found.values()]
    is_article = any(fit.score < WEAK for fit in fits) and _ARTICLE.search(words.folded) is not None
    return [fit._replace(score=fit.score * ABOUT) if is_article and fit.score < WEAK else fit for fit in fits]


def _fits(words: Words, mentions: Mentions) -> Iterator[Fit]:
    folded, letters = words.folded, "".join(words.letters)
    places: list[tuple[int, int]] = []
    for rule in WORD_RULES:
        breathe()
        for number, match in enumerate(rule.pattern.finditer(letters)):
            if number == MOST_FITS:
                break
            before = letters[max(0, match.start() - 4) : match.start()]
            if (_CLAIMED if rule.is_imperative else _FORBIDDEN).search(before) or (
                rule.name == "extract" and _FORBIDDEN.search(before)
            ):
                yield Fit(f"{rule.name}-told", min(rule.score, 0.3))
                continue
            places = places or word_places(words)
            start, end = places[match.start()][0], places[match.end() - 1][1]
            yield _weighed(rule.name, rule.score, mentions, start, end)
    if letters.count("H") >= MANY_SHOTS and len(_TURN.findall(folded)) >= MANY_SHOTS:
        yield Fit("many-shot", 0.6)
    for name, score, start, end in text_rules(words):
        yield _weighed(name, score, mentions, start, end)


def _weighed(name: str, score: float, mentions: Mentions, start: int, end: int) -> Fit:
    """Return a rule for where it fits: it is another one where the words are mentioned."""
    if mentions.has(start, end) or (name == "chat-token" and mentions.is_in_code(start)):
        return Fit(name + IN_QUOTES, score * MENTIONED)
    if name in _OF_FORM:
        return Fit(name, score)
    return Fit(name, score, _needed(mentions, start, end), (start, end))


def _needed(mentions: Mentions, start: int, end: int) -> float:
    """Return what the model must score for words at a place to decide; nothing where they stand alone."""
    if not mentions.have_company(start, end):
        return 0.0
    if mentions.are_marked(start, end):
        return AGREED_IN_MARKS
    return AGREED if mentions.are_ascii(start, end) else 0.0

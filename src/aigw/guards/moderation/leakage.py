"""`Leakage`: an answer that repeats the system prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from aigw.checks import at_least
from aigw.guards.moderation.folded import Folded
from aigw.guards.normalise import fold
from aigw.guards.normalise_decoders import readings
from aigw.guards.span import Span

if TYPE_CHECKING:
    from aigw.call import Call

_WORD: Final = re.compile(r"[^\W_]+")


class Leakage:
    """Finds runs of words of the system prompt in what the model says, as ``SYSTEM_PROMPT``.

    What the user himself has said may be repeated. Case, punctuation and other alphabets do not matter; in an answer
    that is encoded (base64, reversed and the like) all of it is found.

    Args:
        words: how many words in a row are too many. A system prompt with fewer must not be repeated as a whole.

    Raises:
        ConfigError: the argument makes no sense.
    """

    default_where: ClassVar[str] = "answer"
    default_action: ClassVar[str] = "block"

    def __init__(self, words: int = 8) -> None:
        self._words = at_least("Leakage(words)", words, 3)

    def for_call(self, call: Call) -> Leakage | _Repeated | None:
        """Return what looks for the system prompt of a call; ``None`` where it has none."""
        prompts = [_words(one.text) for one in call.messages if one.role in {"system", "developer"}]
        said = [_words(one.text) for one in call.messages if one.role == "user"]
        count = min([self._words, *(len(prompt) for prompt in prompts if prompt)])
        own = _runs(said, count)
        secret = _runs(prompts, count) - own
        return _Repeated(secret, count) if secret else None

    def find(self, text: str, start: int = 0) -> list[Span]:  # noqa: ARG002  (the protocol has it)
        """Find nothing: without a call there is no system prompt."""
        return []


class _Repeated:
    """Finds runs of words.

    Args:
        runs: the runs.
        count: words of each.
    """

    def __init__(self, runs: set[tuple[str, ...]], count: int) -> None:
        self._runs = runs
        self._count = count

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find the runs that stand in a text; neighbours are one find."""
        folded = Folded(text)
        words = [(match[0], *match.span()) for match in _WORD.finditer(folded.text)]
        found: list[Span] = []
        for number in range(len(words) - self._count + 1):
            run = words[number : number + self._count]
            if tuple([word for word, _, _ in run]) not in self._runs:
                continue
            first, end = folded.span(run[0][1], run[-1][2])
            if found and first <= found[-1].end:
                first = found.pop().start
            found.append(Span(first, end, "SYSTEM_PROMPT"))
        if not found and any(_runs([_words(reading)], self._count) & self._runs for reading in readings(text)):
            found = [Span(0, len(text), "SYSTEM_PROMPT", 0.9)]
        return [span for span in found if span.start >= start]


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _runs(texts: list[list[str]], count: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + count]) for words in texts for at in range(len(words) - count + 1)}

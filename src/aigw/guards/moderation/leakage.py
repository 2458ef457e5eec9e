"""`Leakage`: an answer that repeats the system prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from aigw.checks import at_least
from aigw.guards.moderation.disguises import ROT13, shingles
from aigw.guards.moderation.folded import REACH
from aigw.guards.moderation.letters import Needles, letters_of
from aigw.guards.moderation.seen import decided, found_in
from aigw.guards.normalise import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aigw.call import Call
    from aigw.guards.moderation.seen import Seen
    from aigw.guards.span import Span

_SYSTEM: Final = frozenset({"system", "developer"})

FEWEST: Final = 3
"""Words that a system prompt must have to be looked for: fewer are said by chance."""

RECENT: Final = 16
"""System prompts whose needles are kept ready."""

MOST_CODED: Final = 20_000
"""Characters of a system prompt that are looked for in codes as well."""

LONG: Final = 4000
"""Characters of a conversation that are soon made ready."""

_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that are written without spaces: each character counts as a word."""

_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


class Leakage:
    """Finds runs of words of the system prompt in what the model says, as ``SYSTEM_PROMPT``.

    What the user himself has said may be repeated. Letters and digits alone are compared: case, punctuation, other
    alphabets and letters written apart do not matter. It is also found reversed, in rot13, and its first
    20,000 characters in base64 and hexadecimal code. Watches streams.

    Args:
        words: how many words in a row are too many. A system prompt with fewer must not be repeated as a whole; one
            with fewer than three is not looked for.

    Raises:
        ConfigError: the argument makes no sense.
    """

    default_where: ClassVar[str] = "answer"
    default_action: ClassVar[str] = "block"

    def __init__(self, words: int = 8) -> None:
        self._words = at_least("Leakage(words)", words, FEWEST)
        self._recent: tuple[Prompts, ...] = ()

    def for_call(self, call: Call) -> Repeated | None:
        """Return what looks for the system prompt of a call; ``None`` where it has none."""
        texts = tuple([text for one in call.messages if one.role in _SYSTEM and (text := one.text)])
        if not texts:
            return None
        prompts = next((one for one in self._recent if one.texts == texts), None)
        if prompts is None:
            prompts = Prompts(texts, self._words)
            # Replaced as a whole, so that threads see one or the other; whoever loses makes its own once more.
            self._recent = (prompts, *self._recent[: RECENT - 1])
        return Repeated(prompts, [text for one in call.messages if one.role == "user" and (text := one.text)])

    def find(self, text: str, start: int = 0) -> list[Span]:  # noqa: ARG002  (the protocol has it)
        """Find nothing: without a call there is no system prompt."""
        return []


class Prompts:
    """The system prompts of a call, and what of them must not be said, made when it is first looked for.

    Args:
        texts: their texts.
        words: how many words in a row are too many.
    """

    def __init__(self, texts: tuple[str, ...], words: int) -> None:
        self.texts = texts
        self.length = sum(map(len, texts))
        self._words = words
        self._needles: Needles | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the needles are made."""
        return self._needles is not None

    @property
    def needles(self) -> Needles:
        """What to look for."""
        if self._needles is None:
            self._needles = Needles(self._made())
        return self._needles

    def _made(self) -> Iterator[str]:
        for text in self.texts:
            folded = fold(text)
            for spelled in (folded, folded.translate(ROT13)):
                words = [letters for word in _WORD.findall(spelled) if (letters := letters_of(word))]
                count = min(self._words, len(words))
                if count < FEWEST:
                    break
                for at in range(len(words) - count + 1):
                    run = "".join(words[at : at + count])
                    yield run
                    yield run[::-1]
            else:
                yield from shingles(text[:MOST_CODED])


class Repeated:
    """Finds what an answer repeats of a system prompt: a `StreamDetector` for one call.

    Args:
        prompts: the system prompts.
        said: what the user has said.
    """

    context: int = REACH

    def __init__(self, prompts: Prompts, said: list[str]) -> None:
        self._prompts = prompts
        self._said = said
        self._letters: str | None = None
        self._length = sum(map(len, said))

    @property
    def is_quick(self) -> bool:
        """Whether all is ready that it takes, or soon will be."""
        return (self._prompts.is_ready or self._prompts.length <= LONG) and (
            self._letters is not None or self._length <= LONG
        )

    def find(self, text: str, start: int = 0) -> list[Span]:
        """Find what repeats the system prompt; neighbours are one find. See `aigw.guards.Detector`."""
        return found_in([_Runs(self)], text, start, self.context)

    def settled(self, text: str, start: int = 0) -> int:
        """Tell how far a text is decided, whatever comes after it; see `aigw.guards.StreamDetector`."""
        return decided([_Runs(self)], text, start)[0]

    @property
    def needles(self) -> Needles:
        """What must not be said."""
        return self._prompts.needles

    def may_say(self, needle: str) -> bool:
        """Tell whether the user has said it himself."""
        if self._letters is None:
            self._letters = "\n".join([letters_of(text) for text in self._said])
        return needle in self._letters or needle[::-1] in self._letters


class _Runs:
    """The finder of a `Repeated`."""

    context: int = REACH

    def __init__(self, repeated: Repeated) -> None:
        self._repeated = repeated

    def find(self, seen: Seen) -> Iterator[Span]:
        hits = self._repeated.needles.find(seen.letters.text)
        return seen.spans_of([hit for hit in hits if not self._repeated.may_say(hit.needle)], "SYSTEM_PROMPT")

    def begun(self, seen: Seen) -> int:
        return seen.place_of(self._repeated.needles.begun(seen.letters.text))

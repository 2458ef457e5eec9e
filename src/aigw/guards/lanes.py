"""`Lane`: what one text of an answer passes through while it comes: stages that watch it, hold it, restore it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from aigw.guards.scan import SHORT
from aigw.guards.span import best
from aigw.guards.window import StreamWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.call import Call
    from aigw.guards.rules import Found, Rule
    from aigw.guards.scan import Scanner
    from aigw.guards.span import Span, StreamDetector

EVERY: Final = 256
"""Characters after which a text that is not held back is looked at again, unless a sentence ends before."""
OVERLAP: Final = 512
"""Characters before them that are looked at once more."""

_SENTENCE: Final = re.compile(r"[.!?\u3002\uff01\uff1f]\s|\n")


class Stage(Protocol):
    """Something that a growing text passes through."""

    async def feed(self, text: str) -> str:
        """Take what came; return what may go on."""
        ...

    async def flush(self, text: str = "") -> str:
        """Take the last piece, which may be empty; return it with what was held back. Another text may begin then."""
        ...


class Lane:
    """The stages of one text, in their order."""

    __slots__ = ("_stages",)

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages

    async def feed(self, text: str) -> str:
        """Take what came; return what may go on."""
        for stage in self._stages:
            if not text:
                break
            text = await stage.feed(text)
        return text

    async def flush(self, text: str = "") -> str:
        """Take the last piece; return it with what was held back. What comes in one piece is looked at once."""
        for stage in self._stages:
            text = await stage.flush(text)
        return text


class Restoring:
    """Puts values in the place of their tokens.

    Args:
        watch: whose text it is.
        feed: restores a piece of a text.
        flush: returns what is left of it.
    """

    __slots__ = ("_feed", "_flush", "_watch")

    def __init__(self, watch: Watch, feed: Callable[[str], str], flush: Callable[[], str]) -> None:
        self._watch = watch
        self._feed = feed
        self._flush = flush

    async def feed(self, text: str) -> str:
        """Restore; hold back what may become a token."""
        return await self._watch.scanner.beside(self._watch.call, len(text), lambda: self._feed(text))

    async def flush(self, text: str = "") -> str:
        """Restore the rest, with what became no token."""
        return (await self.feed(text) if text else "") + self._flush()


class Watching:
    """Holds back only what may still become something that a stream detector finds.

    Args:
        watch: whose text it is, and what becomes of finds.
        rule: what to watch for.
        detector: what watches for it.
    """

    def __init__(self, watch: Watch, rule: Rule, detector: StreamDetector) -> None:
        self._watch = watch
        self._rule = rule
        self._detector = detector
        self._window: StreamWindow | None = StreamWindow((detector,))
        self._held = ""

    async def feed(self, text: str) -> str:
        """Return what is decided."""
        window = self._window
        if window is None:
            return text
        self._held += text
        return await self._decided(lambda: window.feed(text), len(text))

    async def flush(self, text: str = "") -> str:
        """Return the rest."""
        window = self._window
        if window is None:
            return text
        self._held += text
        rest = await self._decided(lambda: window.flush(text), len(self._held))
        if self._window is not None:
            self._window, self._held = StreamWindow((self._detector,)), ""
        return rest

    async def _decided(self, look: Callable[[], Sequence[tuple[str, Span | None]]], length: int) -> str:
        watch = self._watch
        try:
            is_quick = getattr(self._detector, "is_quick", False)
            if is_quick and (length <= SHORT or watch.call.ports.blocking):
                segments = look()
            else:
                segments = await watch.scanner.aside(watch.call, look)
        except Exception as error:  # noqa: BLE001  (whatever a detector raises, the user has said what then)
            watch.scanner.failed(watch.call, self._rule, error)
            held, self._held, self._window = self._held, "", None
            return held
        self._held = self._held[sum([len(text) for text, _ in segments]) :]
        return "".join([text if span is None else watch.judged(self._rule, text, span) for text, span in segments])


class Holding:
    """Holds a text back to its end, and has it looked at as a whole: for detectors that cannot watch a stream.

    Args:
        watch: whose text it is, and what becomes of finds.
        rules: what to look for.
    """

    def __init__(self, watch: Watch, rules: Sequence[Rule]) -> None:
        self._watch = watch
        self._rules = rules
        self._pieces: list[str] = []

    async def feed(self, text: str) -> str:
        """Keep it."""
        self._pieces.append(text)
        return ""

    async def flush(self, text: str = "") -> str:
        """Look at the whole, and return what may go on."""
        text = "".join([*self._pieces, text])
        self._pieces = []
        for rule in [one for one in self._rules if text or one.needs_whole]:
            found = await self._watch.look(rule, text)
            for one in found:  # all that is found there: what is masked may hide what would block
                if one.action != "mask":
                    self._watch.judged(rule, text[one.span.start : one.span.end], one.span)
            masked = best([one.span for one in found if one.action == "mask"])
            for span in reversed(masked):  # from the end, so that the places before it stay right
                text = (
                    text[: span.start] + self._watch.judged(rule, text[span.start : span.end], span) + text[span.end :]
                )
        return text


class Cutting:
    """Lets a text pass, looks at it sentence by sentence, and cuts it off where something is found.

    What was found may have been seen by then, in part: this is for those who would rather not wait.

    Args:
        watch: whose text it is, and what becomes of finds.
        rules: what to look for.
    """

    def __init__(self, watch: Watch, rules: Sequence[Rule]) -> None:
        self._watch = watch
        self._rules = rules
        self._seen = ""
        self._new = 0

    async def feed(self, text: str) -> str:
        """Look, if a sentence has ended or much has come; let it pass."""
        self._seen += text
        self._new += len(text)
        if self._new >= EVERY or _SENTENCE.search(self._seen, len(self._seen) - self._new):
            await self._look()
        return text

    async def flush(self, text: str = "") -> str:
        """Look at the rest."""
        self._seen += text
        self._new += len(text)
        if self._new:
            await self._look()
        self._seen = ""
        return text

    async def _look(self) -> None:
        first_new = len(self._seen) - self._new
        for rule in self._rules:
            for found in await self._watch.look(rule, self._seen):
                if found.span.end > first_new:
                    self._watch.judged(rule, self._seen[found.span.start : found.span.end], found.span)
        self._seen, self._new = self._seen[-OVERLAP:], 0


class Watch(Protocol):
    """What stages ask about the text that they stand in."""

    call: Call
    scanner: Scanner

    async def look(self, rule: Rule, text: str) -> Sequence[Found]:
        """Find what a rule wants to find in a whole text."""
        ...

    def judged(self, rule: Rule, text: str, span: Span) -> str:
        """Return what stands in the place of a find.

        Raises:
            Objection: nothing does: the answer must not go on.
        """
        ...

"""`Scanner`: runs the detectors of a guard over texts, each text once, and none so long that it holds up a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from aigw.aside import Aside, TooSlow, breathe
from aigw.guards.remembered import Remembered
from aigw.guards.rules import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aigw.call import Call
    from aigw.guards.places import Kind, Place
    from aigw.guards.rules import Examiner, Rule
    from aigw.guards.span import Span

T = TypeVar("T")

SHORT: Final = 2000
"""Characters that all detectors together look through in about two milliseconds."""

SPAN: Final = 4
"""Characters that could be looked through in the time that a find takes."""


class Piece(NamedTuple):
    """A text, and where it stands.

    Args:
        place: the place.
        text: the text.
        kind: what kind of text it is.
    """

    place: Place
    text: str
    kind: Kind = "text"

    def spans(self, detector: Any) -> Sequence[Span]:
        """Let a detector look at it."""
        if self.kind == "json":
            from aigw.guards.json_text import find_in_json

            return find_in_json(detector, self.text)
        found: Sequence[Span] = detector.find(self.text)
        return found


class DetectorFailed(Exception):
    """A detector raised something, or took too long; the cause says what, and may quote the text."""


OnFailure = Literal["block", "allow"]


class Scanner:
    """Looks for what the rules of a guard want to find.

    Args:
        name: name of the guard, in traces.
        rules: the rules.
        timeout: seconds that a detector may take for the texts of a call.
        on_failure: ``block`` has `scan` raise where a detector fails, ``allow`` has it go on without.
    """

    def __init__(self, name: str, rules: Sequence[Rule], timeout: float, on_failure: OnFailure) -> None:
        self._name = name
        self._rules = rules
        self._timeout = timeout
        self._on_failure = on_failure
        self._remembered: Remembered[tuple[Span, ...]] = Remembered()
        self._aside = Aside()

    async def scan(self, call: Call, pieces: Sequence[Piece], rules: Sequence[Rule] | None = None) -> list[Found]:
        """Find what the rules want to find, in the order of the rules.

        Args:
            call: the call that the texts belong to.
            pieces: the texts.
            rules: only these rules.

        Raises:
            DetectorFailed: one of them failed, or was too slow.
        """
        found: list[Found] = []
        for rule in self._rules if rules is None else rules:
            numbered = [(number, piece) for number, piece in enumerate(pieces) if piece.place in rule.places]
            if numbered:
                looked = await self._look(call, rule, [piece for _, piece in numbered])
                found += await self._told(call, rule, numbered, looked)
        return found

    async def _told(
        self, call: Call, rule: Rule, pieces: Sequence[tuple[int, Piece]], spans: Sequence[Sequence[Span]]
    ) -> list[Found]:
        """Tell what is to become of what was found; there may be thousands of finds."""
        return await self.beside(call, SPAN * sum(map(len, spans)), lambda: _found(rule, pieces, spans))

    async def aside(self, call: Call, work: Callable[[], T]) -> T:
        """Do what would hold up a loop in a thread."""
        return await self._aside.run(call.ports, work, self._timeout)

    async def beside(self, call: Call, length: int, work: Callable[[], T]) -> T:
        """Do something with texts of this length: in a thread, where it would hold up a loop.

        Raises:
            DetectorFailed: it was not done in time.
        """
        if call.ports.blocking or length <= SHORT:
            return work()
        try:
            return await self.aside(call, work)
        except TooSlow as error:
            raise DetectorFailed(str(error)) from error

    def failed(self, call: Call, rule: Rule, error: Exception) -> None:
        """Decide what becomes of a call whose detector failed.

        Raises:
            DetectorFailed: it is to fail as well.
        """
        failure = DetectorFailed(f"{rule.name}: {type(error).__name__}")
        if self._on_failure == "block":
            raise failure from error
        call.note(self._name, "failed", f"{failure}; goes on without")

    async def _look(self, call: Call, rule: Rule, pieces: Sequence[Piece]) -> Sequence[Sequence[Span]]:
        """Let one rule look at its texts."""
        try:
            places: set[Place] = {piece.place for piece in pieces}
            detectors = {place: rule.looks(call, place) for place in places}
            if rule.for_call is None and not any(getattr(one, "depends_on_call", False) for one in detectors.values()):
                return await self._new(call, rule, pieces)
            if None not in detectors.values():
                return await self._all(call, rule, [(detectors[piece.place], piece) for piece in pieces])
        except Exception as error:  # noqa: BLE001  (whatever a detector raises, the user has said what then)
            self.failed(call, rule, error)
        return [()] * len(pieces)

    async def _new(self, call: Call, rule: Rule, pieces: Sequence[Piece]) -> list[Sequence[Span]]:
        """Look at the texts that were not looked at before."""
        length = sum([len(one.text) for one in pieces])
        keys = await self.beside(
            call,
            length,
            lambda: [self._remembered.key(one.text, one.kind, id(rule.at(one.place))) for one in pieces],
        )
        known: dict[Any, Sequence[Span] | None] = {key: self._remembered.get(key) for key in keys}
        new = {key: piece for key, piece in zip(keys, pieces, strict=True) if known[key] is None}
        if new:
            jobs = [(rule.at(piece.place), piece) for piece in new.values()]
            for key, found in zip(new, await self._all(call, rule, jobs), strict=True):
                known[key] = spans = tuple(found)
                self._remembered.put(key, spans)
        return [known[key] or () for key in keys]

    async def _all(self, call: Call, rule: Rule, jobs: Sequence[tuple[Any, Piece]]) -> Sequence[Sequence[Span]]:
        if rule.is_examiner:
            return _checked(await self._examine(call, jobs[0][0], [piece.text for _, piece in jobs]))

        def work() -> Sequence[Sequence[Span]]:
            return _checked([piece.spans(detector) for detector, piece in jobs])

        is_quick = all(getattr(detector, "is_quick", rule.is_quick) for detector, _ in jobs)
        if is_quick and (call.ports.blocking or sum(len(piece.text) for _, piece in jobs) <= SHORT):
            return work()
        return await self._aside.run(call.ports, work, min(self._timeout, max(call.remaining(), 0.0)))

    async def _examine(self, call: Call, examiner: Examiner, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """Ask an examiner, beside the call: one that does not keep to its deadline is left."""
        limit = call.clock.now() + self._timeout
        asked = call.evolve(deadline=limit if call.deadline is None else min(limit, call.deadline))

        async def ask() -> Sequence[Sequence[Span]]:
            return await examiner.examine(asked, texts)

        branch = call.ports.spawn(ask)
        over = call.ports.flag()
        branch.when_over(over.set)
        try:
            if not await over.wait(max(asked.remaining(), 0.0)):
                raise TooSlow(f"not done within {self._timeout:g} s")
        finally:
            branch.cancel()
        found = branch.result()
        if len(found) != len(texts):
            raise ValueError(f"it told of {len(found)} texts, and was asked about {len(texts)}")
        return found


def _found(rule: Rule, pieces: Sequence[tuple[int, Piece]], spans: Sequence[Sequence[Span]]) -> list[Found]:
    """Tell what is to become of what was found."""
    found: list[Found] = []
    for (number, piece), ones in zip(pieces, spans, strict=True):
        for span in ones:
            breathe()
            found.append(Found(span, rule.action(span.kind), piece.place, number))
    return found


def _checked(found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Span]]:
    """Refuse what is no span, as long as it is clear whose mistake it is."""
    for spans in found:
        for span in spans:
            breathe()
            if not (isinstance(span.start, int) and isinstance(span.end, int) and isinstance(span.kind, str)):
                raise TypeError("it told of something that is no Span")
    return found

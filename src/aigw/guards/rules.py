"""`Rule`: what a detector looks at, and what becomes of what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args, runtime_checkable

from aigw.errors import ConfigError
from aigw.guards.encoded import Decoding
from aigw.guards.places import ANSWER, PROMPT, Place
from aigw.guards.span import Detector, Span, can_watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aigw.call import Call

Action = Literal["mask", "block", "flag"]
Actions = Action | Mapping[str, Action]
Where = Literal["prompt", "everything"] | Place


@runtime_checkable
class Examiner(Protocol):
    """A detector that waits: it asks a provider, or another service, through the ports of the call."""

    async def examine(self, call: Call, texts: Sequence[str]) -> Sequence[Sequence[Span]]:
        """Find what is in each of some texts.

        Args:
            call: the call that they belong to, for its ports and its deadline.
            texts: the texts.
        """
        ...


class Found(NamedTuple):
    """Something that a rule found.

    Args:
        span: where, in its text.
        action: what is to become of it.
        place: where the text stands.
        number: the place of the text among those of the prompt, or of the answer.
    """

    span: Span
    action: Action
    place: Place
    number: int = 0


class Rule:
    """A detector, where it looks, and what becomes of what it finds.

    A detector may say itself where it looks by default (``default_where``) and what suits what it finds
    (``default_action``); give another detector for texts of one place (``for_place(place)``), or for one call
    (``for_call(call)``, ``None`` for nothing to look for). It may say that it ends soon for any text (``is_quick``);
    that it cannot watch a stream although it has the methods (``streams = False``); that a part of a text tells it
    nothing, but that there is no text tells something, so that a stream must be held for it (``needs_whole``); that it
    looks only at what is said, not at fields beside it (``skips_labels``); that what it finds in a text depends on the
    rest of the call, so that it must not be remembered (``depends_on_call``).

    Args:
        detector: the detector.
        where: the places; ``None`` for what it says itself, else the prompt.
        action: the action, or one for each kind, with ``"*"`` for the others; ``None`` for what it says itself, else
            ``block``.

    Raises:
        ConfigError: something makes no sense.
    """

    def __init__(self, detector: Any, where: Where | Iterable[Where] | None, action: Actions | None) -> None:
        if isinstance(detector, type) or not isinstance(detector, (Detector, Examiner)):
            raise ConfigError(
                f"Guard({detector!r}): not a detector: it has no find(text, start) and no examine(call, texts)"
            )
        self.detector = detector
        self.name = type(detector).__name__
        self.places = frozenset(_places(getattr(detector, "default_where", "prompt") if where is None else where))
        self._action: Actions = getattr(detector, "default_action", "block") if action is None else action
        for one in self._action.values() if isinstance(self._action, Mapping) else [self._action]:
            if one not in get_args(Action):
                raise ConfigError(f"Guard(action) must be 'mask', 'block', 'flag' or a mapping from kinds, not {one!r}")
        for_place = getattr(detector, "for_place", None)
        self._by_place: dict[Place, Any] = {}
        if for_place is not None:
            self._by_place = {place: for_place(place) for place in self.places}
        elif isinstance(detector, Detector) and getattr(detector, "default_action", "") == "mask":
            # Values are the same in whatever code; other detectors know best what they look through.
            decoding = Decoding(detector)
            self._by_place = {place: decoding for place in self.places if place in PROMPT}
        self.for_call: Any = getattr(detector, "for_call", None)
        self.is_examiner = isinstance(detector, Examiner)
        """It asks somebody else."""
        self.is_quick: bool = getattr(detector, "is_quick", False)
        """It ends for sure, and soon: a short text need not be taken to a thread."""
        self.needs_whole: bool = getattr(detector, "needs_whole", False)
        """A part of a text tells it nothing."""
        self.skips_labels: bool = getattr(detector, "skips_labels", False)
        """It looks only at what is said."""

    def at(self, place: Place) -> Any:
        """Return the detector for texts of a place."""
        return self._by_place.get(place, self.detector)

    def looks(self, call: Call, place: Place) -> Any:
        """Return the detector for texts of a place in one call; ``None`` where there is nothing to look for."""
        return self.at(place) if self.for_call is None else self.for_call(call)

    def action(self, kind: str) -> Action:
        """Tell what is to become of a find."""
        if isinstance(self._action, Mapping):
            return self._action.get(kind) or self._action.get("*", "flag")
        return self._action

    @property
    def masks(self) -> bool:
        """Whether anything that it finds is masked."""
        return self._action == "mask" or (isinstance(self._action, Mapping) and "mask" in self._action.values())

    @property
    def only_masks(self) -> bool:
        """Whether whatever it finds is masked."""
        return self._action == "mask" or (isinstance(self._action, Mapping) and {*self._action.values()} == {"mask"})

    def __repr__(self) -> str:
        return f"{self.name} in {', '.join(place for place in (*PROMPT, *ANSWER) if place in self.places)}"


def watches_streams(detector: Any) -> bool:
    """Tell whether a detector can watch a text while it comes."""
    return can_watch(detector) and getattr(detector, "streams", True)


def _places(where: Where | Iterable[Where]) -> Iterable[Place]:
    known = {"prompt": PROMPT, "everything": (*PROMPT, *ANSWER), **{place: (place,) for place in get_args(Place)}}
    names = (where,) if isinstance(where, str) else tuple(where)
    for name in names:
        if name not in known:
            raise ConfigError(f"Guard(where) must be one of {', '.join(map(repr, known))}, or several, not {name!r}")
    if not names:
        raise ConfigError("Guard(where) names no place; leave it out for the places that suit the detector")
    return [place for name in names for place in known[name]]

"""What a call says that a wire format cannot: refused, or left out with a note in the trace. Never lost in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.errors import NoCapableTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.call import Call

_NOTHING: Final[Mapping[str, Any]] = {}


class Losses:
    """Decides what becomes of the things that one format cannot say of one call.

    Args:
        call: the call; notes go to its trace.
        wire: name of the format.
        strict: ``None``, the default, refuses to lose content and leaves tuning out; ``True`` refuses to lose anything;
            ``False`` leaves out both.
    """

    __slots__ = ("_call", "_noted", "_strict", "wire")

    def __init__(self, call: Call, wire: str, strict: bool | None = None) -> None:  # noqa: FBT001  (three-valued)
        self._call = call
        self._strict = strict
        self._noted = False
        self.wire = wire
        """Name of the format."""

    def content(self, what: str) -> None:
        """Something that the model should read or do would be lost: ``"an image in a tool result"``.

        Raises:
            NoCapableTarget: unless the target was told not to be strict.
        """
        if self._strict is None or self._strict:
            raise NoCapableTarget(f"the format {self.wire} cannot express {what}", policy=self.wire)
        self.note(what)

    def tuning(self, what: str) -> None:
        """A parameter that only tunes the answer would be lost: ``"seed"``.

        Raises:
            NoCapableTarget: if the target was told to be strict.
        """
        if self._strict:
            raise NoCapableTarget(f"the format {self.wire} cannot express {what}", policy=self.wire)
        self.note(what)

    def note(self, what: str, action: str = "left out") -> None:
        """Write into the trace what is not sent as it was said; other actions are ``emulated`` and ``changed``."""
        self._call.note(self.wire, action, what)

    def own(self, extra: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
        """Return the unknown fields that may be sent: those of this format, or those that the user wrote by hand.

        Fields of another format are left out; that is noted once for a call.

        Args:
            extra: fields that aigw does not model.
            origin: the ``wire`` of the call or message that they belong to.
        """
        if not extra or not origin or origin == self.wire:
            return extra
        if not self._noted:
            self._noted = True
            self.note(f"fields that only {origin} knows: {', '.join(sorted(extra))}")
        return _NOTHING

    def knows(self, origin: str) -> bool:
        """Tell whether an `Other` part or tool of a message or call with this ``wire`` means something here."""
        return not origin or origin == self.wire

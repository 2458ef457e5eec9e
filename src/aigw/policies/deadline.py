"""`Deadline`: the time that a whole call may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aigw.call import UNSET
from aigw.checks import seconds as check_seconds
from aigw.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from aigw.call import Call
    from aigw.policy import Next
    from aigw.reply import Reply


class Deadline:
    """Bounds a whole call: all its attempts and all its waits.

    It does not interrupt anything by itself: it sets ``call.deadline``, and whatever waits below obeys it. What the
    caller says himself (``chat(…, timeout=5)``, ``timeout=None`` for no limit) replaces it. Of two the earlier
    one counts.

    Place it outside `Retry`, because it is meant for all attempts together; for each there is `AttemptTimeout`.

    Args:
        seconds: the time, also as a `timedelta`.
        shadow: set no deadline, only write into the trace that a call would have exceeded it.

    Raises:
        DeadlineExceeded: (from a call) the time is over.
    """

    outside: ClassVar[Mapping[str, str]] = {
        "Retry": "it bounds all attempts together; to bound each attempt use AttemptTimeout"
    }

    def __init__(self, seconds: float | timedelta = 60.0, *, shadow: bool = False) -> None:
        self.seconds = check_seconds("Deadline(seconds)", seconds)
        self.shadow = shadow

    def __repr__(self) -> str:
        return f"Deadline({self.seconds:g}{', shadow=True' if self.shadow else ''})"

    async def handle(self, call: Call, inner: Next) -> Reply:
        """Set the deadline, unless the caller has set his own."""
        if self.shadow:
            return await self._watch(call, inner)
        if call.timeout is not UNSET:
            call = call.evolve(timeout=UNSET)  # his word replaces the outermost Deadline; inner ones hold as well
        else:
            deadline = call.clock.now() + self.seconds
            call = call.evolve(deadline=deadline if call.deadline is None else min(deadline, call.deadline))
        if call.remaining() <= 0:
            raise DeadlineExceeded("the time for the call was over before it began", policy="Deadline")
        return await inner(call)

    async def _watch(self, call: Call, inner: Next) -> Reply:
        """Let the call take its time, and tell if that was too long."""
        if call.timeout is not UNSET:  # his word would replace this one
            return await inner(call)
        began = call.clock.now()
        try:
            reply = await inner(call)
        except BaseException:
            self._note(call, began)
            raise
        reply.when_done(lambda _: self._note(call, began))
        return reply

    def _note(self, call: Call, began: float) -> None:
        took = call.clock.now() - began
        if took > self.seconds:
            call.note("Deadline", "would be exceeded", f"it took {took:.3g} s, {self.seconds:g} s are allowed")

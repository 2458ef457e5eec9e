"""What a call has really used, by the attempts in its trace: what policies that reserve settle with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.chunk import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.call import Call
    from aigw.trace import Attempt


class Used(NamedTuple):
    """What was used since a reservation.

    Args:
        attempts: the attempts that reached a provider and may have been charged, or counted against a quota.
        usage: their tokens, also guessed ones; `Usage.estimated` tells.
    """

    attempts: tuple[Attempt, ...]
    usage: Usage


def mark(call: Call) -> int:
    """Remember the place in the trace from which on a call is looked at."""
    return len(call.trace.events) if call.trace is not None else 0


def when_over(call: Call, earlier: int, settle: Callable[[], None]) -> None:
    """Call `settle` when all replies that the call has got are over, at once if they are.

    A policy inside may fail, or be cancelled, with a reply in its hand. The gateway closes that later, and only then
    its attempt is written down.

    Args:
        call: the call.
        earlier: how many replies it had got before.
        settle: what to do then.
    """
    for reply in (call.opened or ())[earlier:]:
        if reply.end is None:
            reply.when_done(lambda _: when_over(call, earlier, settle))
            return
    settle()


def used_since(call: Call, place: int, target: str | None = None) -> Used:
    """Tell what a call has used since `place`; see `mark`.

    Args:
        call: the call.
        place: where to begin.
        target: name of the target whose attempts are meant; ``None`` for those of all.
    """
    events = call.trace.events[place:] if call.trace is not None else ()
    attempts = tuple(
        event for event in events if event.type == "attempt" and target in (None, event.target) and _counts(event)
    )
    usage = Usage()
    for attempt in attempts:
        if attempt.usage is not None:
            usage += attempt.usage
    return Used(attempts, usage)


def _counts(attempt: Attempt) -> bool:
    """Whether the provider has seen it: it told what it used, answered with a status, or failed in its own way."""
    return attempt.usage is not None or attempt.status is not None or attempt.outcome in _ANSWERED


_ANSWERED: Final = frozenset(
    {"BadResponse", "ContentFiltered", "ContextTooLong", "Overloaded", "ProviderRateLimited", "ServerError", "TimedOut"}
)
"""Failures that only a provider which was reached can cause, also where they come without a status."""

"""`Running`: one attempt at one target, from its start until it is written into the trace.

What an attempt used, and so what is charged for it, is decided here alone: limits, budgets, costs and records all read
it in the trace.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from aigw.call import Cost
from aigw.errors import BadResponse, DeadlineExceeded, ProviderError, Refused, StreamInterrupted, TimedOut
from aigw.trace import Attempt

if TYPE_CHECKING:
    from aigw.call import Call
    from aigw.chunk import Usage
    from aigw.reply import End, Reply
    from aigw.routing.target import Target

_FREE: Final = Cost(Decimal(0), "")
_MAY_CHARGE: Final = (BadResponse, TimedOut)
"""Failures after which the provider may have computed something all the same."""


class Running:
    """One attempt while it runs: counted, and written down when it is over.

    Args:
        target: where it is made.
        call: the call.
    """

    __slots__ = ("_call", "_first", "_others", "_started", "_target", "reply")

    def __init__(self, target: Target, call: Call) -> None:
        self._target = target
        self._call = call
        self._started = call.clock.now()
        self._first: float | None = None
        self.reply: Reply | None = None
        self._others = target.begin()

    def commit(self) -> None:
        """Note the time of the first output."""
        now = self._call.clock.now()
        self._first = now - self._started
        if self._call.stream:
            self._target.began(self._first, now)

    def fail(self, error: BaseException) -> None:
        """It failed before there was a reply."""
        self._over(type(error).__name__, error, None)

    def done(self, end: End) -> None:
        """The reply is over."""
        self._over(end.outcome, end.error, end)

    def _over(self, outcome: str, error: BaseException | None, end: End | None) -> None:
        target, call = self._target, self._call
        target.end()
        if isinstance(error, ProviderError):
            error.target = target.name
        usage = self._used(error, end)
        now = call.clock.now()
        self._judge(error, end, usage, now)
        if self.reply is not None and self.reply.ask_quota is not None:
            target.told(self.reply.ask_quota, now)
        if call.trace is None:
            return
        cost = self._cost(usage)
        call.trace.add(
            Attempt(
                at=self._started - call.started,
                target=target.name,
                provider=target.provider.name,
                model=target.model,
                outcome="cancelled" if outcome == "CancelledError" else outcome,
                duration=now - self._started,
                time_to_first_chunk=self._first,
                usage=usage,
                status=error.status if isinstance(error, ProviderError) else None,
                reason=str(error) if isinstance(error, Exception) else "",
                cost=cost.usd if cost else None,
                prices=cost.prices if cost else "",
            )
        )
        self.reply = None  # which knows this object

    def _judge(self, error: BaseException | None, end: End | None, usage: Usage | None, now: float) -> None:
        """Let the target take note; what a caller did, a stream left early say, tells nothing of it."""
        seconds = now - self._started
        if end is not None and end.complete:
            first = self._first if self._call.stream else None
            output = usage.output if usage else 0
            self._target.answered(seconds, others=self._others, output=output, first=first, now=now)
            return
        cause = error.__cause__ if isinstance(error, StreamInterrupted) else error
        if isinstance(cause, ProviderError) and cause.target_fault:
            self._target.failed(seconds, now=now)

    def _used(self, error: BaseException | None, end: End | None) -> Usage | None:
        """Return what the provider charges for, a guess where it told nothing; ``None`` where it was nothing."""
        meter = self._call.metering
        usage = end.usage if end else None
        if usage is not None:
            return self._whole(usage, end)
        if meter is None or self._charged_nothing(error):
            return None
        return meter.guess(self._call, self.reply.delivered if self.reply else ())

    def _whole(self, usage: Usage, end: End | None) -> Usage:
        """Return what was told; of an answer that was cut, what came counts, because some tell it only at the end."""
        meter = self._call.metering
        if meter is None:
            return usage
        if end is None or end.complete or not end.committed or self.reply is None:
            meter.learn(self._call, self._target.model, usage)
            return usage
        came = meter.guess(self._call, self.reply.delivered)
        return replace(usage, output=max(usage.output, came.output), estimated=True)

    def _charged_nothing(self, error: BaseException | None) -> bool:
        """Tell whether the attempt failed before anything was computed: unreachable, or refused with a status."""
        if self._first is not None or error is None:
            return False
        cause = error.__cause__ if isinstance(error, DeadlineExceeded) else error  # which falls into what was sent
        return isinstance(cause or error, (Refused, ProviderError)) and not isinstance(cause, _MAY_CHARGE)

    def _cost(self, usage: Usage | None) -> Cost | None:
        """Return what the usage costs; nothing is known where it was guessed."""
        if usage is None:
            return _FREE
        meter = self._call.metering
        if usage.estimated or meter is None:
            return None
        return meter.cost(self._target.priced_as, self._target.model, usage)


def check_time(target: Target, call: Call) -> None:
    """Look whether there is time for an attempt.

    Raises:
        DeadlineExceeded: the time will be over before there is a first chunk, as half of the streams take lately.
    """
    left, usual = call.remaining(), target.usual_first_chunk(call.clock.now())
    if usual is not None and 0 < left < usual:
        reason = f"{left:.3g} s are left, and {target.name} takes {usual:.3g} s to begin an answer"
        call.note(target.name, "not started", reason)
        raise DeadlineExceeded(reason, policy="Deadline")

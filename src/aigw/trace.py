"""The trace of one call: what was decided and tried, as typed values, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from aigw.chunk import Usage
from aigw.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator


_EXACT: Final = Context(prec=120)
"""Wide enough for every sum, whatever context the application has set."""


@dataclass(frozen=True, slots=True)
class Decision(Value):
    """What a policy or a routing node decided.

    Args:
        at: seconds since the call began.
        by: the policy or node, by its name.
        action: one or two words, such as ``retry`` or ``moved on``.
        reason: why.
        wait: seconds that it waits before it goes on.
    """

    at: float
    by: str
    action: str
    reason: str = ""
    wait: float | None = None
    type: Literal["decision"] = "decision"


@dataclass(frozen=True, slots=True)
class Attempt(Value):
    """One try at one target, written down when it is over.

    Args:
        at: seconds since the call began when it started.
        target: name of the target.
        provider: name of its provider.
        model: the model that was asked for there.
        outcome: ``ok``; the class name of the error, such as ``TimedOut``; ``cancelled`` or ``abandoned``.
        duration: seconds that it took, until the end of the answer.
        time_to_first_chunk: seconds until the first output of any kind; ``None`` if none came.
        usage: what the provider counted. Where it told nothing and may have charged, a guess, marked ``estimated``;
            ``None`` where nothing was charged: it was not reached, or it refused.
        cost: of this attempt, in US dollars; zero where nothing was charged, ``None`` where it is not known.
        prices: version of the prices that `cost` was computed with.
        status: the HTTP status of a failure.
        reason: what the error said.
    """

    at: float
    target: str
    provider: str
    model: str
    outcome: str
    duration: float
    time_to_first_chunk: float | None = None
    usage: Usage | None = None
    status: int | None = None
    reason: str = ""
    cost: Decimal | None = None
    prices: str = ""
    type: Literal["attempt"] = "attempt"


Event = Decision | Attempt


@dataclass(slots=True)
class CallTrace(Value):
    """What happened in one call. Grows while the call runs.

    ``print(answer.trace)`` shows it as a table.

    Args:
        call_id: id of the call.
        route: name of the route that it took.
        events: decisions and attempts, in order.
        duration: seconds that the whole call took; ``None`` while it runs.
        principal: the `Principal` of the call, where a policy found out who asks; stays in this process.
    """

    _local: ClassVar[Mapping[str, Any]] = {"principal": True}

    call_id: str = ""
    route: str = ""
    events: list[Event] = field(default_factory=list)
    duration: float | None = None
    principal: Any = field(default=None, compare=False, repr=False)

    def add(self, event: Event) -> None:
        """Append an event. Safe from any thread."""
        self.events.append(event)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Only the attempts."""
        return tuple(event for event in self.events if isinstance(event, Attempt))

    @property
    def cost(self) -> Decimal | None:
        """What a call that is over has cost, in US dollars: the sum of all of its attempts, failed ones included.

        ``None`` where the cost of one is not known, and while the call runs. Zero where nothing was sent.
        """
        if self.duration is None:
            return None
        usd = Decimal(0)
        for event in self.events:
            if event.type == "attempt":
                if event.cost is None:
                    return None
                usd = _EXACT.add(usd, event.cost)
        return usd

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Only the decisions."""
        return tuple(event for event in self.events if isinstance(event, Decision))

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield a row of text for each event: when, who, what, and the rest."""
        for event in self.events:
            if isinstance(event, Decision):
                wait = f"waits {event.wait:.3g} s" if event.wait else ""
                yield _seconds(event.at), event.by, event.action, ", ".join(filter(None, (event.reason, wait)))
            else:
                yield _seconds(event.at), event.target, event.outcome, ", ".join(_facts(event))

    def __str__(self) -> str:
        table = [("at", "who", "what", "detail"), *self.rows()]
        widths = [max(len(row[column]) for row in table) for column in range(3)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]).rstrip()
            for row in table
        ]
        total = "" if self.duration is None else f", {self.duration:.3f} s"
        return "\n".join([f"call {self.call_id} on route {self.route!r}{total}", *lines])


def _seconds(at: float) -> str:
    return f"{at:.3f} s"


def _facts(attempt: Attempt) -> Iterator[str]:
    if attempt.reason:
        yield attempt.reason
    if attempt.time_to_first_chunk is not None:
        yield f"first chunk after {attempt.time_to_first_chunk:.3f} s"
    yield f"took {attempt.duration:.3f} s"
    if attempt.usage is not None:
        yield f"{attempt.usage.input} tokens in, {attempt.usage.output} out"
    if attempt.cost:
        yield f"${_shortest(attempt.cost)}"


def _shortest(usd: Decimal) -> str:
    """Leave out zeros at the end, but for cents."""
    whole, _, digits = f"{usd:f}".partition(".")
    return f"{whole}.{digits.rstrip('0').ljust(2, '0')}"

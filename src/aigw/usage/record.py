"""`UsageRecord`: what is written down of one call, when it is over."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from aigw.errors import AnswerBlocked, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aigw.call import Call
    from aigw.chunk import Usage
    from aigw.trace import Attempt

NANO: Final = Decimal("1e-9")
"""US dollars in a nano-dollar."""


NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})


class UsageRecord(NamedTuple):
    """One call: who made it, where it went, what it used, what it cost, and how it ended.

    It holds neither prompts nor answers, no keys, and no words of providers. Tokens and cost are those of all attempts,
    also of failed ones that were charged.

    Args:
        id: id of the call.
        started: when it began, in seconds since 1970.
        duration: seconds until it was over.
        time_to_first_chunk: seconds until the first output came from a provider; ``None`` if none did.
        operation: ``chat``, ``embeddings``, ``rerank`` or ``moderation``.
        asked: what the caller named: a route or ``provider/model``.
        route: name of the route that it took.
        principal: id of the principal; ``None`` for a call without one.
        team: the principal's team.
        tags: labels of the call, sorted.
        priority: how urgent it was.
        metadata: the caller's own labels.
        target: name of the target that answered, else of the last one tried; ``None`` if none was.
        provider: its provider.
        model: its model.
        input: tokens of the prompt, those read from and written to the provider's cache included.
        output: tokens of the answer, reasoning included.
        cached: input tokens read from the provider's cache; ``None`` where nobody told.
        cache_written: input tokens written to that cache; ``None`` where nobody told.
        reasoning: output tokens spent on reasoning; ``None`` where nobody told.
        estimated: some of the tokens were guessed.
        cost: nano-dollars; ``None`` where a part of it is not known. A call that used nothing cost 0.
        known_cost: nano-dollars of the part that is known.
        prices: versions of the prices, ``, `` between them where there were several.
        outcome: ``ok``, ``abandoned``, ``cancelled``, or the class name of the error.
        attempts: how many attempts there were.
        failures: those of them that failed, in order: target, outcome, and the HTTP status where there was one.
        refused_by: name of the policy that refused the call, or its answer; ``None`` if none did.
    """

    id: str
    started: float
    duration: float
    time_to_first_chunk: float | None = None
    operation: str = "chat"
    asked: str = ""
    route: str = ""
    principal: str | None = None
    team: str | None = None
    tags: tuple[str, ...] = ()
    priority: str = "standard"
    metadata: Mapping[str, str] = NO_LABELS
    target: str | None = None
    provider: str | None = None
    model: str | None = None
    input: int = 0
    output: int = 0
    cached: int | None = None
    cache_written: int | None = None
    reasoning: int | None = None
    estimated: bool = False
    cost: int | None = 0
    known_cost: int = 0
    prices: str = ""
    outcome: str = "ok"
    attempts: int = 0
    failures: tuple[str, ...] = ()
    refused_by: str | None = None


def record_of(call: Call, started: float, outcome: str, error: BaseException | None) -> UsageRecord:
    """Make the record of a call that is over. Keeps nothing of the call alive but its labels.

    Args:
        call: the call as the gateway started it.
        started: when, in seconds since 1970.
        outcome: ``ok``, ``abandoned``, or the class name of the error.
        error: what it ended with.
    """
    trace = call.trace
    assert trace is not None
    attempts = [event for event in trace.events if event.type == "attempt"]
    last = attempts[-1] if attempts else None
    if len(attempts) > 1:
        last = next((one for one in reversed(attempts) if one.time_to_first_chunk is not None), last)
    first = None if last is None or last.time_to_first_chunk is None else last.at + last.time_to_first_chunk
    principal = trace.principal or call.principal
    return UsageRecord(
        call.id,
        started,
        call.elapsed(),
        first,
        call.operation,
        call.model,
        trace.route,
        principal.id if principal is not None else None,
        principal.team if principal is not None else None,
        tuple(sorted(call.tags)) if call.tags else (),
        call.priority,
        call.metadata or NO_LABELS,
        last.target if last is not None else None,
        last.provider if last is not None else None,
        last.model if last is not None else None,
        *_used(attempts),
        _OUTCOMES.get(outcome, outcome),
        len(attempts),
        tuple([_told(one) for one in attempts if one.outcome != "ok"]),
        error.policy or None if isinstance(error, (Refused, AnswerBlocked)) else None,
    )


Used = tuple[int, int, int | None, int | None, int | None, bool, int | None, int, str]
"""The fields from `input` to `prices`."""


def _used(attempts: Sequence[Attempt]) -> Used:
    """Add up what attempts used and cost."""
    total: Usage | None = None
    nano, versions = 0, ""
    complete = True
    for attempt in attempts:
        if (usage := attempt.usage) is not None:
            total = usage if total is None else total + usage
        if attempt.cost is None:
            complete = False
        elif attempt.cost:
            nano += int((attempt.cost / NANO).to_integral_value(ROUND_HALF_EVEN))
        if attempt.prices and attempt.prices not in versions:
            versions = f"{versions}, {attempt.prices}" if versions else attempt.prices
    cost = nano if complete else None
    if total is None:
        return (0, 0, None, None, None, False, cost, nano, versions)
    kinds = (total.input, total.output, total.cached, total.cache_written, total.reasoning, total.estimated)
    return (*kinds, cost, nano, versions)


def _told(attempt: Attempt) -> str:
    status = f" {attempt.status}" if attempt.status is not None else ""
    return f"{attempt.target} {attempt.outcome}{status}"


_OUTCOMES: Final[Mapping[str, str]] = {"CancelledError": "cancelled", "GeneratorExit": "abandoned"}
"""What is nobody's failure: a task that was cancelled, and a coroutine that was thrown away."""

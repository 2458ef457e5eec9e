"""`AuditRecord`: who asked for what, what was decided about it, and where it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aigw.errors import AnswerBlocked, Refused
from aigw.trace import Event
from aigw.values import Value

if TYPE_CHECKING:
    from aigw.call import Call

_OUTCOMES: Final = {"CancelledError": "cancelled", "GeneratorExit": "abandoned"}
"""What is nobody's failure: a task that was cancelled, and a coroutine that was thrown away."""


@dataclass(frozen=True, slots=True)
class AuditRecord(Value):
    """One call. It holds neither prompts nor answers, no keys, and no words of providers.

    Args:
        id: id of the call, the one in its trace and its usage record.
        started: when it came to the policy.
        duration: seconds until it was over.
        operation: ``chat``, ``embeddings``, ``rerank`` or ``moderation``.
        asked: what the caller named: a route or ``provider/model``.
        route: name of the route that it took.
        principal: id of the principal; ``None`` for a call without one.
        team: the principal's team.
        roles: the principal's roles, sorted.
        tags: labels of the call, sorted.
        metadata: the caller's own labels.
        priority: how urgent it was.
        tools: names of the tools that the model was offered.
        outcome: ``ok``, ``abandoned``, ``cancelled``, or the class name of the error.
        refused_by: name of the policy that refused the call, or its answer; ``None`` if none did.
        events: what policies and routing decided, and the attempts, in order, as the trace has them.
    """

    id: str
    started: datetime
    duration: float
    operation: str = "chat"
    asked: str = ""
    route: str = ""
    principal: str | None = None
    team: str | None = None
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    priority: str = "standard"
    tools: tuple[str, ...] = ()
    outcome: str = "ok"
    refused_by: str | None = None
    events: tuple[Event, ...] = ()


def record_of(call: Call, started: float, duration: float, outcome: str, error: BaseException | None) -> AuditRecord:
    """Make the record of a call that is over.

    Args:
        call: the call as it came.
        started: when, in seconds since 1970.
        duration: seconds that it took.
        outcome: ``ok``, ``abandoned``, or the class name of the error.
        error: what it ended with.
    """
    trace = call.trace
    principal = (trace.principal if trace is not None else None) or call.principal
    return AuditRecord(
        id=call.id,
        started=datetime.fromtimestamp(started, UTC),
        duration=round(duration, 6),
        operation=call.operation,
        asked=call.model,
        route=call.route,
        principal=None if principal is None else principal.id,
        team=None if principal is None else principal.team,
        roles=() if principal is None else tuple(sorted(principal.roles)),
        tags=tuple(sorted(call.tags)),
        metadata=dict(call.metadata),
        priority=call.priority,
        tools=tuple(tool.name for tool in call.tools),
        outcome=_OUTCOMES.get(outcome, outcome),
        refused_by=error.policy or None if isinstance(error, (Refused, AnswerBlocked)) else None,
        events=tuple(_wordless(event) for event in trace.events) if trace is not None else (),
    )


def _wordless(event: Event) -> Event:
    """Leave out what a provider said of a failure: it may have repeated the prompt."""
    return replace(event, reason="") if event.type == "attempt" and event.reason else event

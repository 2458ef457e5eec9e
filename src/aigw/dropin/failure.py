"""From an error to what every API tells of it: a status, a kind, and when to come back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from aigw import errors
from aigw.errors import AigwError, AllTargetsFailed, ConfigError, ProviderError, Refused, SuspendedError

if TYPE_CHECKING:
    from collections.abc import Mapping

Told = TypeVar("Told")
Kind = Literal[
    "invalid_request",
    "context_length",
    "content_filter",
    "authentication",
    "permission",
    "not_found",
    "quota",
    "rate_limit",
    "overloaded",
    "server",
    "timeout",
]
"""What is wrong, in the words that the tables of the APIs are made of."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as an API tells it.

    Args:
        status: the HTTP status.
        kind: what is wrong.
        message: the words for people; no prompt text and no keys.
        code: a short word that says more than the kind.
        retry_after: seconds after which it may work.
        name: the class of the error.
        detail: the provider's own words, which stay in this process.
        trace: what had happened.
    """

    status: int
    kind: Kind
    message: str
    code: str | None = None
    retry_after: float | None = None
    name: str = "ConfigError"
    detail: str = ""
    trace: Any = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that tell SDKs what to do: not to try again, because the gateway has done that."""
        told = {"x-should-retry": "false", "x-aigw-error": self.name}
        if self.retry_after is not None and math.isfinite(self.retry_after):
            wait = max(self.retry_after, 0.0)
            told |= {"retry-after": str(math.ceil(wait)), "retry-after-ms": str(math.ceil(wait * 1000))}
        return told


class Rejected(Exception):
    """A request that is answered with an error before it becomes a call.

    Args:
        failure: what to tell.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


_OURS: Final[Mapping[type[AigwError], tuple[Kind, str | None]]] = {
    errors.AccessDenied: ("permission", "access_denied"),
    errors.PromptBlocked: ("permission", "prompt_blocked"),
    errors.AnswerBlocked: ("permission", "answer_blocked"),
    errors.RateLimited: ("rate_limit", None),
    errors.BudgetExceeded: ("quota", "budget_exceeded"),
    errors.QueueFull: ("overloaded", "queue_full"),
    errors.CircuitOpen: ("overloaded", "circuit_open"),
    errors.AuditUnavailable: ("server", "audit_unavailable"),
    errors.DeadlineExceeded: ("timeout", "deadline_exceeded"),
    errors.NoCapableTarget: ("invalid_request", "no_capable_target"),
}
"""What policies say. The status stands in the error."""

_THEIRS: Final[Mapping[type[AigwError], tuple[Kind, tuple[int, ...]]]] = {
    errors.BadRequest: ("invalid_request", (400, 409, 413, 422)),
    errors.ContextTooLong: ("context_length", (400, 413)),
    errors.ContentFiltered: ("content_filter", (400,)),
    errors.AuthenticationFailed: ("authentication", (401,)),
    errors.PermissionDenied: ("permission", (403,)),
    errors.NotFound: ("not_found", (404,)),
    errors.QuotaExhausted: ("quota", (429, 402)),
    errors.ProviderRateLimited: ("rate_limit", (429,)),
    errors.Overloaded: ("overloaded", (503, 529)),
    errors.ServerError: ("server", (502, 500, 503)),
    errors.Unreachable: ("server", (502,)),
    errors.TimedOut: ("timeout", (504, 408)),
    errors.BadResponse: ("server", (502,)),
}
"""What providers say, and the statuses that an SDK reads as this; the first one stands for all that are not listed."""


def failure_of(error: AigwError) -> Failure:
    """Tell an error."""
    if isinstance(error, AllTargetsFailed):
        return _of_all(error)
    told = _of_one(error)
    return replace(
        told,
        retry_after=getattr(error, "retry_after", None),
        name=type(error).__name__,
        detail=getattr(error, "detail", ""),
        trace=error.trace,
    )


def broken(error: Exception) -> Failure:
    """Tell an error that nobody raised on purpose; its words may hold anything."""
    return Failure(500, "server", f"something in the gateway broke: {type(error).__name__}", name=type(error).__name__)


def _of_one(error: AigwError) -> Failure:
    message = str(error)
    if isinstance(error, Refused | errors.AnswerBlocked):
        kind, code = _lookup(_OURS, error, ("permission", None))
        return Failure(error.status, kind, message, code)
    if isinstance(error, ProviderError):
        kind, statuses = _lookup(_THEIRS, error, ("server", (502,)))
        own = error.status
        return Failure(own if own is not None and own in statuses else statuses[0], kind, message, error.code)
    if isinstance(error, ConfigError) and not isinstance(error, SuspendedError):
        return Failure(400, "invalid_request", message)
    return Failure(502 if isinstance(error, errors.StreamInterrupted) else 500, "server", message)


def _of_all(error: AllTargetsFailed) -> Failure:
    """Tell what the targets agree on, or else that none can serve it now."""
    told = [failure_of(one) for one in error.exceptions if isinstance(one, AigwError)]
    first = told[0]
    if any(one.status != first.status for one in told):
        first = Failure(503, "overloaded", "") if error.retryable else Failure(502, "server", "")
    return replace(
        first,
        message=str(error),
        retry_after=error.retry_after,
        name=type(error).__name__,
        detail="\n".join(filter(None, (one.detail for one in told))),
        trace=error.trace,
    )


def _lookup(table: Mapping[type[AigwError], Told], error: AigwError, default: Told) -> Told:
    return next((table[kind] for kind in type(error).__mro__ if kind in table), default)

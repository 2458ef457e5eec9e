"""Every error that aigw raises, split by the question a caller asks.

::

    AigwError
    ├── ConfigError              wrong set-up; names the argument and what to do
    │   └── SuspendedError       a policy waited on an event loop inside a blocking gateway
    ├── Refused                  we said no              .policy .status .retry_after
    │   ├── AccessDenied      403   the principal may not do this
    │   ├── PromptBlocked     403   a guard found something that must not leave
    │   ├── RateLimited       429   a rate limit of ours is used up
    │   ├── BudgetExceeded    429   a budget of ours is used up
    │   ├── QueueFull         503   too many calls are waiting already
    │   ├── CircuitOpen       503   the target failed too often just now
    │   ├── AuditUnavailable  503   audit records cannot be written, and no call may go unrecorded
    │   ├── DeadlineExceeded  504   the time that the caller gave is over
    │   └── NoCapableTarget   400   no target of the route can serve this call
    ├── AnswerBlocked         403   the answer broke a rule; tokens were spent (.usage)
    ├── ProviderError            they failed   .provider .model .target .status .code .request_id
    │   │                                      .retry_after .retryable .target_fault .detail
    │   ├── BadRequest              the request is wrong, here and everywhere
    │   │   ├── ContextTooLong      more tokens than the model can take
    │   │   └── ContentFiltered     the provider's own filter refused the prompt
    │   ├── AuthenticationFailed    the key is wrong or missing
    │   ├── PermissionDenied        the key may not do this
    │   ├── NotFound                no such model or path at this provider
    │   ├── QuotaExhausted          the account has no money or quota left; waiting does not help
    │   ├── ProviderRateLimited     too fast; waiting helps
    │   ├── Overloaded              the provider has no capacity just now
    │   ├── ServerError             the provider broke
    │   ├── Unreachable             no connection, or closed before it answered
    │   ├── TimedOut                connected, but too slow
    │   └── BadResponse             an answer that is cut or makes no sense
    ├── AllTargetsFailed         an ExceptionGroup of the attempts
    └── StreamInterrupted        cut after the first output   .partial .usage .tool_calls

``str(error)`` never holds a key or prompt text. What the provider itself wrote stands in ``ProviderError.detail``: it
helps when debugging, may quote the prompt, and is therefore never part of the message. The original exception is
``__cause__``. Every error that leaves a gateway carries ``.trace``: what had happened until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.chunk import Usage
    from aigw.message import ToolCall
    from aigw.quota import QuotaHint
    from aigw.trace import CallTrace


class AigwError(Exception):
    """Base of every error that aigw raises on purpose."""

    trace: CallTrace | None = None
    """What had happened in the call until it failed; set by the gateway."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: most of these errors have keyword-only constructors."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(cls: type[AigwError], args: tuple[Any, ...], state: dict[str, Any]) -> AigwError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigError(AigwError):
    """The set-up is wrong. The message names the argument or the file's path, and what to do."""


class SuspendedError(ConfigError):
    """A policy waited on an event loop while a blocking gateway drove it; the message names the policy."""


class Refused(AigwError):
    """A policy of ours said no.

    Args:
        message: why, without prompt text.
        policy: name of the policy that refused.
        retry_after: seconds after which it may work, where that is known.
    """

    status: ClassVar[int] = 403
    """The HTTP status that says the same."""

    target: str | None = None
    """Name of the target whose own policies refused; ``None`` where the refusal holds for all."""

    alternatives: int = 0
    """How many other targets of its pool this call has not tried yet; set by `Balance`."""

    scope: str = ""
    """Whom a limit is for, such as ``principal alice``; empty where it holds for everybody, and for other refusals."""

    dimension: str = ""
    """What is limited, such as ``tokens_per_minute``; empty for other refusals."""

    def __init__(
        self,
        message: str,
        *,
        policy: str = "",
        retry_after: float | None = None,
        scope: str = "",
        dimension: str = "",
    ) -> None:
        super().__init__(message)
        self.policy = policy
        self.retry_after = retry_after
        self.scope = scope
        self.dimension = dimension


class AccessDenied(Refused):
    """The principal may not do this."""


class PromptBlocked(Refused):
    """A guard found something that must not leave."""


class RateLimited(Refused):
    """A rate limit of ours is used up."""

    status = 429


class BudgetExceeded(Refused):
    """A budget of ours is used up."""

    status = 429


class QueueFull(Refused):
    """Too many calls are waiting already."""

    status = 503


class CircuitOpen(Refused):
    """The target failed too often just now; it is left alone for a while."""

    status = 503


class AuditUnavailable(Refused):
    """Audit records cannot be written, and the set-up wants no call without one."""

    status = 503


class DeadlineExceeded(Refused):
    """The time that the caller gave is over.

    Raised before an attempt that could not finish in time, and when the deadline falls into an attempt: then something
    was sent, and ``__cause__`` is the `TimedOut` of that attempt.
    """

    status = 504


class NoCapableTarget(Refused):
    """No target of the route can serve this call."""

    status = 400


class AnswerBlocked(AigwError):
    """The answer broke a rule. Tokens were spent: see `usage`."""

    status: ClassVar[int] = 403

    def __init__(self, message: str, *, policy: str = "", usage: Usage | None = None) -> None:
        super().__init__(message)
        self.policy = policy
        self.usage = usage


class ProviderError(AigwError):
    """A provider failed, or refused the request.

    Args:
        message: what happened, in our words.
        provider: name of the provider.
        model: the model that was asked for there.
        status: its HTTP status, if it gave one.
        code: its error code or type, as it wrote it.
        request_id: its id of the request, for a support ticket.
        retry_after: seconds that it asked us to wait.
        detail: its own words. They may quote the prompt, so they are not part of ``str(error)``.
    """

    retryable: bool = False
    """The same request to the same target may succeed later; not where the provider says that it will not."""

    target_fault: ClassVar[bool] = False
    """The target is to blame, not the caller: another target may succeed."""

    target: str | None = None
    """Name of the target that failed; set by the target."""

    alternatives: int = 0
    """How many other targets of its pool this call has not tried yet; set by `Balance`."""

    quota: QuotaHint | None = None
    """What the provider told about its limits; ``None`` where it told nothing."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.detail = detail

    def __str__(self) -> str:
        where = "/".join(part for part in (self.provider, self.model) if part)
        facts = [f"status {self.status}" if self.status else "", f"code {self.code}" if self.code else ""]
        facts += [f"request {self.request_id}" if self.request_id else ""]
        facts += [f"retry after {self.retry_after:g} s" if self.retry_after is not None else ""]
        known = ", ".join(fact for fact in facts if fact)
        return f"{where + ': ' if where else ''}{self.args[0]}{f' ({known})' if known else ''}"


class BadRequest(ProviderError):
    """The request is wrong; it would be wrong at every target."""


class ContextTooLong(BadRequest):
    """The prompt has more tokens than the model can take."""


class ContentFiltered(BadRequest):
    """The provider's own filter refused the prompt."""


class AuthenticationFailed(ProviderError):
    """The key is wrong or missing."""

    target_fault = True


class PermissionDenied(ProviderError):
    """The key may not do this."""

    target_fault = True


class NotFound(ProviderError):
    """The provider knows no such model or path."""

    target_fault = True


class QuotaExhausted(ProviderError):
    """The account has no money or quota left. Waiting does not help, another target may."""

    target_fault = True


class ProviderRateLimited(ProviderError):
    """The provider says that we are too fast."""

    retryable = True
    target_fault = True


class Overloaded(ProviderError):
    """The provider has no capacity just now."""

    retryable = True
    target_fault = True


class ServerError(ProviderError):
    """The provider broke."""

    retryable = True
    target_fault = True


class Unreachable(ProviderError):
    """No connection, or the connection was closed before an answer came."""

    retryable = True
    target_fault = True


class TimedOut(ProviderError):
    """Connected, but too slow: no first chunk, a stall between chunks, or the attempt as a whole."""

    retryable = True
    target_fault = True


class BadResponse(ProviderError):
    """An answer that is cut off, is not what the format says, or does not fit the schema."""

    retryable = True
    target_fault = True


class AllTargetsFailed(AigwError, ExceptionGroup[AigwError]):
    """Every target that could be tried failed; `exceptions` has one error for each, in the order of the attempts."""

    def __new__(cls, message: str, errors: Sequence[AigwError]) -> Self:
        """Make the group; `ExceptionGroup` takes its arguments here."""
        return super().__new__(cls, message, errors)

    def __init__(self, message: str, errors: Sequence[AigwError]) -> None:
        super().__init__(message, errors)

    def __str__(self) -> str:
        return f"{self.message}: " + "; ".join(f"[{type(error).__name__}] {error}" for error in self.exceptions)

    def derive(self, excs: Sequence[Any], /) -> AllTargetsFailed:  # type: ignore[override]  # it holds only our errors
        """Keep the type when `split` or ``except*`` takes a part."""
        return AllTargetsFailed(self.message, excs)

    @property
    def retryable(self) -> bool:
        """At least one of the failures may go away by itself."""
        return any(getattr(error, "retryable", False) for error in self.exceptions)

    @property
    def retry_after(self) -> float | None:
        """The shortest wait in seconds that one of the targets asked for."""
        waits = [getattr(error, "retry_after", None) for error in self.exceptions]
        return min((wait for wait in waits if wait is not None), default=None)

    @property
    def targets(self) -> frozenset[str]:
        """Names of the targets that failed."""
        return frozenset[str]().union(*map(failed_targets, self.exceptions))


def failed_targets(error: BaseException) -> frozenset[str]:
    """Name the targets that this error blames; empty where it blames none."""
    if isinstance(error, AllTargetsFailed):
        return error.targets
    name = getattr(error, "target", None)
    return frozenset((name,)) if name else frozenset()


class StreamInterrupted(AigwError):
    """A stream was cut after its first output. It is never retried: the caller has seen a part of it.

    Args:
        message: what happened.
        partial: the text that the caller got, all of it.
        usage: the best known usage; ``None`` where the provider had not told any.
        tool_calls: the tool calls so far; the last one's arguments may be cut.
    """

    def __init__(
        self, message: str, *, partial: str = "", usage: Usage | None = None, tool_calls: tuple[ToolCall, ...] = ()
    ) -> None:
        super().__init__(message)
        self.partial = partial
        self.usage = usage
        self.tool_calls = tool_calls

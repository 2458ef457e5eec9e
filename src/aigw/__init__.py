"""aigw: an AI gateway inside the application.

>>> import aigw
>>> gateway = aigw.Gateway({"smart": aigw.Target("http://127.0.0.1:8000/v1", model="llama-3.3-70b")}, aigw.standard())
>>> gateway.explain("Why is the sky blue?").route
'smart'

Names are loaded when they are first used, so that ``import aigw`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aigw.access import KeyRecord, Role, VirtualKeys
    from aigw.answer import Answer, Choice, Embeddings, Ranking, Verdicts
    from aigw.call import UNSET, Call, Fence, Principal, Schema, Timeouts
    from aigw.chunk import Chunk, Ranked, ToolCallDelta, Usage, Verdict
    from aigw.dropin.context import context
    from aigw.errors import (
        AccessDenied,
        AigwError,
        AllTargetsFailed,
        AnswerBlocked,
        AuthenticationFailed,
        BadRequest,
        BadResponse,
        BudgetExceeded,
        CircuitOpen,
        ConfigError,
        ContentFiltered,
        ContextTooLong,
        DeadlineExceeded,
        NoCapableTarget,
        NotFound,
        Overloaded,
        PermissionDenied,
        PromptBlocked,
        ProviderError,
        ProviderRateLimited,
        QueueFull,
        QuotaExhausted,
        RateLimited,
        Refused,
        ServerError,
        StreamInterrupted,
        SuspendedError,
        TimedOut,
        Unreachable,
    )
    from aigw.explanation import Explanation
    from aigw.gateway import AsyncGateway, Gateway
    from aigw.message import File, Image, Message, Other, Reasoning, Text, Tool, ToolCall, ToolResult
    from aigw.policies import (
        Access,
        AttemptTimeout,
        Breaker,
        Budget,
        BudgetStanding,
        BudgetWarning,
        Concurrency,
        Deadline,
        Degrade,
        Guard,
        Hedge,
        Limit,
        Queue,
        RateLimit,
        Retry,
    )
    from aigw.policy import Policy
    from aigw.presets import standard
    from aigw.providers.capabilities import Capabilities
    from aigw.quota import Allowance, QuotaHint
    from aigw.reply import End, Reply
    from aigw.routing import Balance, Fallback, Target
    from aigw.stats import TargetStats
    from aigw.stream import AsyncStream, Stream
    from aigw.trace import Attempt, CallTrace, Decision
    from aigw.usage import MemoryUsage, SqliteUsage, UsageLog, UsageRecord, UsageRow, UsageTable

__all__ = [
    "UNSET",
    "Access",
    "AccessDenied",
    "AigwError",
    "AllTargetsFailed",
    "Allowance",
    "Answer",
    "AnswerBlocked",
    "AsyncGateway",
    "AsyncStream",
    "Attempt",
    "AttemptTimeout",
    "AuthenticationFailed",
    "BadRequest",
    "BadResponse",
    "Balance",
    "Breaker",
    "Budget",
    "BudgetExceeded",
    "BudgetStanding",
    "BudgetWarning",
    "Call",
    "CallTrace",
    "Capabilities",
    "Choice",
    "Chunk",
    "CircuitOpen",
    "Concurrency",
    "ConfigError",
    "ContentFiltered",
    "ContextTooLong",
    "Deadline",
    "DeadlineExceeded",
    "Decision",
    "Degrade",
    "Embeddings",
    "End",
    "Explanation",
    "Fallback",
    "Fence",
    "File",
    "Gateway",
    "Guard",
    "Hedge",
    "Image",
    "KeyRecord",
    "Limit",
    "MemoryUsage",
    "Message",
    "NoCapableTarget",
    "NotFound",
    "Other",
    "Overloaded",
    "PermissionDenied",
    "Policy",
    "Principal",
    "PromptBlocked",
    "ProviderError",
    "ProviderRateLimited",
    "Queue",
    "QueueFull",
    "QuotaExhausted",
    "QuotaHint",
    "Ranked",
    "Ranking",
    "RateLimit",
    "RateLimited",
    "Reasoning",
    "Refused",
    "Reply",
    "Retry",
    "Role",
    "Schema",
    "ServerError",
    "SqliteUsage",
    "Stream",
    "StreamInterrupted",
    "SuspendedError",
    "Target",
    "TargetStats",
    "Text",
    "TimedOut",
    "Timeouts",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolResult",
    "Unreachable",
    "Usage",
    "UsageLog",
    "UsageRecord",
    "UsageRow",
    "UsageTable",
    "Verdict",
    "Verdicts",
    "VirtualKeys",
    "context",
    "standard",
]

_HOMES: Final = {
    "KeyRecord": "aigw.access",
    "Role": "aigw.access",
    "VirtualKeys": "aigw.access",
    "Answer": "aigw.answer",
    "Choice": "aigw.answer",
    "Embeddings": "aigw.answer",
    "Ranking": "aigw.answer",
    "Verdicts": "aigw.answer",
    "Call": "aigw.call",
    "Fence": "aigw.call",
    "Principal": "aigw.call",
    "Schema": "aigw.call",
    "Timeouts": "aigw.call",
    "UNSET": "aigw.call",
    "Chunk": "aigw.chunk",
    "Ranked": "aigw.chunk",
    "ToolCallDelta": "aigw.chunk",
    "Usage": "aigw.chunk",
    "Verdict": "aigw.chunk",
    "context": "aigw.dropin.context",
    "AccessDenied": "aigw.errors",
    "AigwError": "aigw.errors",
    "AllTargetsFailed": "aigw.errors",
    "AnswerBlocked": "aigw.errors",
    "AuthenticationFailed": "aigw.errors",
    "BadRequest": "aigw.errors",
    "BadResponse": "aigw.errors",
    "BudgetExceeded": "aigw.errors",
    "CircuitOpen": "aigw.errors",
    "ConfigError": "aigw.errors",
    "ContentFiltered": "aigw.errors",
    "ContextTooLong": "aigw.errors",
    "DeadlineExceeded": "aigw.errors",
    "NoCapableTarget": "aigw.errors",
    "NotFound": "aigw.errors",
    "Overloaded": "aigw.errors",
    "PermissionDenied": "aigw.errors",
    "PromptBlocked": "aigw.errors",
    "ProviderError": "aigw.errors",
    "ProviderRateLimited": "aigw.errors",
    "QueueFull": "aigw.errors",
    "QuotaExhausted": "aigw.errors",
    "RateLimited": "aigw.errors",
    "Refused": "aigw.errors",
    "ServerError": "aigw.errors",
    "StreamInterrupted": "aigw.errors",
    "SuspendedError": "aigw.errors",
    "TimedOut": "aigw.errors",
    "Unreachable": "aigw.errors",
    "Explanation": "aigw.explanation",
    "AsyncGateway": "aigw.gateway",
    "Gateway": "aigw.gateway",
    "File": "aigw.message",
    "Image": "aigw.message",
    "Message": "aigw.message",
    "Other": "aigw.message",
    "Reasoning": "aigw.message",
    "Text": "aigw.message",
    "Tool": "aigw.message",
    "ToolCall": "aigw.message",
    "ToolResult": "aigw.message",
    "Access": "aigw.policies",
    "AttemptTimeout": "aigw.policies",
    "Breaker": "aigw.policies",
    "Budget": "aigw.policies",
    "BudgetStanding": "aigw.policies",
    "BudgetWarning": "aigw.policies",
    "Concurrency": "aigw.policies",
    "Deadline": "aigw.policies",
    "RateLimit": "aigw.policies",
    "Degrade": "aigw.policies",
    "Guard": "aigw.policies",
    "Hedge": "aigw.policies",
    "Limit": "aigw.policies",
    "Queue": "aigw.policies",
    "Retry": "aigw.policies",
    "Policy": "aigw.policy",
    "standard": "aigw.presets",
    "Capabilities": "aigw.providers.capabilities",
    "Allowance": "aigw.quota",
    "QuotaHint": "aigw.quota",
    "End": "aigw.reply",
    "Reply": "aigw.reply",
    "Balance": "aigw.routing",
    "Fallback": "aigw.routing",
    "Target": "aigw.routing",
    "TargetStats": "aigw.stats",
    "AsyncStream": "aigw.stream",
    "Stream": "aigw.stream",
    "Attempt": "aigw.trace",
    "CallTrace": "aigw.trace",
    "Decision": "aigw.trace",
    "MemoryUsage": "aigw.usage",
    "SqliteUsage": "aigw.usage",
    "UsageLog": "aigw.usage",
    "UsageRecord": "aigw.usage",
    "UsageRow": "aigw.usage",
    "UsageTable": "aigw.usage",
}


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelled name for granted

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'aigw' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]

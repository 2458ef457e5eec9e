"""Token counts and stop reasons, to and from ours.

On the wire ``inputTokens`` is what was neither read from the cache nor written to it; ours includes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTS: Final = frozenset({"inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"})

_REASONS: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}
_BACK: Final[Mapping[str, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
}

STOP_REASON: Final = "stopReason"
"""Where a stop reason that ours does not lead back to stands in ``Chunk.extra``."""


def read_reason(given: str) -> tuple[str, dict[str, Any]]:
    """Return our finish reason, and what to keep in ``Chunk.extra`` so that the original comes back."""
    reason = _REASONS.get(given, given)
    return reason, {} if _BACK.get(reason, reason) == given else {STOP_REASON: given}


def write_reason(reason: str) -> str:
    """Return the stop reason for ours."""
    return _BACK.get(reason, reason)


def parse_usage(data: Any) -> tuple[Usage | None, dict[str, Any]]:
    """Read token counts; return also those that `Usage` does not model."""
    if not isinstance(data, dict):
        return None, {}
    counts = {name: value for name in _COUNTS if type(value := data.get(name)) is int and value >= 0}
    if "inputTokens" not in counts or "outputTokens" not in counts:
        return None, rest(data, ())
    cached, written = counts.get("cacheReadInputTokens"), counts.get("cacheWriteInputTokens")
    whole = counts["inputTokens"] + (cached or 0) + (written or 0)
    usage = Usage(whole, counts["outputTokens"], cached, written)
    unknown = rest(data, _COUNTS)
    if unknown.get("totalTokens") == usage.total:
        del unknown["totalTokens"]
    return usage, unknown


def render_usage(usage: Usage, unknown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render token counts; what is not known stays out. The reverse of `parse_usage`."""
    rendered: dict[str, Any] = {
        "inputTokens": max(0, usage.input - (usage.cached or 0) - (usage.cache_written or 0)),
        "outputTokens": usage.output,
        "totalTokens": usage.total,
    }
    if usage.cached is not None:
        rendered["cacheReadInputTokens"] = usage.cached
    if usage.cache_written is not None:
        rendered["cacheWriteInputTokens"] = usage.cache_written
    return merge(rendered, unknown or {})

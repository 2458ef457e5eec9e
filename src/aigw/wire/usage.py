"""Token counts in the OpenAI format, to and from `Usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TOTALS: Final = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})
_DETAILS: Final = {
    "prompt_tokens_details": frozenset({"cached_tokens", "cache_write_tokens"}),
    "completion_tokens_details": frozenset({"reasoning_tokens"}),
}


def parse_usage(data: Any, *, has_output: bool = True) -> Usage | None:
    """Read token counts.

    Args:
        data: the ``usage`` of an answer.
        has_output: whether there are output tokens to count; embeddings have none.

    Returns:
        What the provider counted; ``None`` where it told nothing, or not both input and output.
    """
    if not isinstance(data, dict):
        return None
    prompt = count(data.get("prompt_tokens"))
    completion = count(data.get("completion_tokens"))
    if prompt is None or (completion is None and has_output):
        return None
    cached = written = reasoning = None
    if isinstance(details := data.get("prompt_tokens_details"), dict):
        cached = count(details.get("cached_tokens"))
        written = count(details.get("cache_write_tokens"))
    if cached is None:
        cached = count(data.get("prompt_cache_hit_tokens"))  # DeepSeek's own name for it
    if isinstance(details := data.get("completion_tokens_details"), dict):
        reasoning = count(details.get("reasoning_tokens"))
    if reasoning is None:
        reasoning = count(data.get("reasoning_tokens"))  # SGLang and Perplexity have it beside the totals
    output = completion or 0
    if reasoning and data.get("total_tokens") == prompt + output + reasoning:
        output += reasoning  # xAI counts it besides
    return Usage(prompt, output, cached, written, reasoning)


def usage_rest(data: Any) -> dict[str, Any]:
    """Return the counts (and costs) that `Usage` does not model, laid out as they came; empty where there are none."""
    return counts_rest(data, _TOTALS, _DETAILS)


def counts_rest(data: Any, totals: Collection[str], details: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Return what is left of token counts without those that are known; empty where nothing is.

    Args:
        data: the counts.
        totals: the known ones.
        details: objects among the counts, and what is known in them.
    """
    if not isinstance(data, dict):
        return {}
    left = rest(data, totals)
    for name, known in details.items():
        if isinstance(inner := left.get(name), dict):
            left[name] = rest(inner, known)
            if not left[name]:
                del left[name]
    return left


def render_usage(usage: Usage, unknown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render token counts; what is not known stays out.

    Args:
        usage: the counts.
        unknown: counts that `Usage` does not model, as `usage_rest` gave them.
    """
    rendered: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
    }
    details = {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_written}
    if known := {name: count for name, count in details.items() if count is not None}:
        rendered["prompt_tokens_details"] = known
    if usage.reasoning is not None:
        rendered["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return merge(rendered, unknown) if unknown else rendered


def count(value: Any) -> int | None:
    """Read one count; ``None`` for anything but a number of tokens."""
    return value if type(value) is int and value >= 0 else None

"""Token counts in the format of OpenAI Responses, to and from `Usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge
from aigw.wire.usage import count, counts_rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOTALS: Final = frozenset({"input_tokens", "output_tokens", "total_tokens"})
_DETAILS: Final = {
    "input_tokens_details": frozenset({"cached_tokens", "cache_write_tokens"}),
    "output_tokens_details": frozenset({"reasoning_tokens"}),
}


def parse_usage(data: Any) -> Usage | None:
    """Read token counts; ``None`` where the provider told nothing, or not both input and output."""
    if not isinstance(data, dict):
        return None
    given, made = count(data.get("input_tokens")), count(data.get("output_tokens"))
    if given is None or made is None:
        return None
    cached = written = reasoning = None
    if isinstance(details := data.get("input_tokens_details"), dict):
        cached, written = count(details.get("cached_tokens")), count(details.get("cache_write_tokens"))
    if isinstance(details := data.get("output_tokens_details"), dict):
        reasoning = count(details.get("reasoning_tokens"))
    return Usage(given, made, cached, written, reasoning)


def usage_rest(data: Any) -> dict[str, Any]:
    """Return the counts (and costs) that `Usage` does not model, laid out as they came; empty where there are none."""
    return counts_rest(data, _TOTALS, _DETAILS)


def render_usage(usage: Usage, unknown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render token counts.

    The format demands all of its counts, and strict clients insist on them: what is not known is written as 0.

    Args:
        usage: the counts.
        unknown: counts that `Usage` does not model, as `usage_rest` gave them.
    """
    rendered: dict[str, Any] = {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached or 0,
            "cache_write_tokens": usage.cache_written or 0,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": usage.total,
    }
    return merge(rendered, unknown) if unknown else rendered

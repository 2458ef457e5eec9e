"""Token counts in the format of OpenAI Responses, to and from `Usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest

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
    given, made = _count(data, "input_tokens"), _count(data, "output_tokens")
    if given is None or made is None:
        return None
    into, out = data.get("input_tokens_details"), data.get("output_tokens_details")
    return Usage(
        given,
        made,
        _count(into, "cached_tokens"),
        _count(into, "cache_write_tokens"),
        _count(out, "reasoning_tokens"),
    )


def usage_rest(data: Any) -> dict[str, Any]:
    """Return the counts (and costs) that `Usage` does not model, laid out as they came; empty where there are none."""
    if not isinstance(data, dict):
        return {}
    left = rest(data, _TOTALS)
    for name, known in _DETAILS.items():
        if isinstance(details := left.get(name), dict):
            left[name] = rest(details, known)
            if not left[name]:
                del left[name]
    return left


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


def _count(data: Any, name: str) -> int | None:
    value = data.get(name) if isinstance(data, dict) else None
    return value if type(value) is int and value >= 0 else None

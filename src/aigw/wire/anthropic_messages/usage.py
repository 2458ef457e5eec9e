"""Token counts in Anthropic's format, to and from `Usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest
from aigw.wire.usage import count

if TYPE_CHECKING:
    from collections.abc import Mapping

_INPUTS: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_COUNTS: Final = frozenset({*_INPUTS, "output_tokens"})
_DETAILS: Final = "output_tokens_details"


def parse_usage(data: Any) -> Usage | None:
    """Read token counts.

    In this format the input leaves out what was read from and written to the cache.

    Returns:
        What the provider counted; ``None`` where it told nothing, or not both input and output. No prompt has no tokens
        at all: an input of 0 is what servers write that have not counted.
    """
    if not isinstance(data, dict):
        return None
    fresh, cached, written = (count(data.get(name)) for name in _INPUTS)
    output = count(data.get("output_tokens"))
    total = (fresh or 0) + (cached or 0) + (written or 0)
    if not total or output is None:
        return None
    details = data.get(_DETAILS)
    reasoning = count(details.get("thinking_tokens")) if isinstance(details, dict) else None
    return Usage(total, output, cached, written, reasoning)


def usage_rest(data: Any) -> dict[str, Any]:
    """Return the counts that `Usage` does not model, laid out as they came; empty where there are none."""
    if not isinstance(data, dict):
        return {}
    left = rest(data, _COUNTS)
    if isinstance(details := left.get(_DETAILS), dict):
        left[_DETAILS] = rest(details, ("thinking_tokens",))
        if not left[_DETAILS]:
            del left[_DETAILS]
    return left


def render_usage(usage: Usage | None, unknown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render token counts. The format insists on input and output: both are 0 where they are not known.

    Args:
        usage: the counts.
        unknown: counts that `Usage` does not model, as `usage_rest` gave them.
    """
    known = usage or Usage()
    rendered: dict[str, Any] = {
        "input_tokens": max(known.input - (known.cached or 0) - (known.cache_written or 0), 0),
        "output_tokens": known.output,
    }
    if known.cached is not None:
        rendered["cache_read_input_tokens"] = known.cached
    if known.cache_written is not None:
        rendered["cache_creation_input_tokens"] = known.cache_written
    if known.reasoning is not None:
        rendered[_DETAILS] = {"thinking_tokens": known.reasoning}
    return merge(rendered, unknown) if unknown else rendered

"""Token counts in Cohere's formats, to and from `Usage`.

They count twice: ``tokens`` are those that the model read and wrote, ``billed_units`` leave out what Cohere adds to the
prompt. `Usage` holds the former, and the latter only where a server tells nothing else. Cohere declares all counts as
floats. Billed units, among them ``search_units``, stay among the counts that `Usage` does not model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTED: Final = ("input_tokens", "output_tokens")


def parse_usage(data: Any, *, has_output: bool = True) -> Usage | None:
    """Read token counts.

    Args:
        data: the ``usage`` of an answer, or the ``meta`` of an answer without text.
        has_output: whether there are output tokens to count; embeddings and rankings have none.

    Returns:
        What the provider counted; ``None`` where it told nothing, or not both input and output.
    """
    if not isinstance(data, dict):
        return None
    for name in ("tokens", "billed_units"):
        counts = data.get(name)
        if isinstance(counts, dict):
            given, made = (_count(counts.get(field)) for field in _COUNTED)
            if given is not None and (made is not None or not has_output):
                return Usage(given, made or 0, _count(data.get("cached_tokens")))
    return None


def usage_rest(data: Any) -> dict[str, Any]:
    """Return the counts that `Usage` does not model, laid out as they came; empty where there are none."""
    if not isinstance(data, dict):
        return {}
    left = rest(data, ("tokens", "cached_tokens"))
    if isinstance(tokens := data.get("tokens"), dict) and (unknown := rest(tokens, _COUNTED)):
        left["tokens"] = unknown
    return left


def render_usage(usage: Usage, unknown: Mapping[str, Any] | None = None, *, has_output: bool = True) -> dict[str, Any]:
    """Render token counts; what is not known stays out.

    Args:
        usage: the counts.
        unknown: counts that `Usage` does not model, as `usage_rest` gave them.
        has_output: whether there are output tokens to count.
    """
    rendered: dict[str, Any] = {"tokens": {"input_tokens": usage.input}}
    if has_output:
        rendered["tokens"]["output_tokens"] = usage.output
    if usage.cached is not None:
        rendered["cached_tokens"] = usage.cached
    return merge(rendered, unknown) if unknown else rendered


def _count(value: Any) -> int | None:
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and value >= 0 else None

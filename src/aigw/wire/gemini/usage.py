"""Token counts in Gemini's format, to and from `Usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aigw.chunk import Usage
from aigw.wire.fields import merge, rest
from aigw.wire.usage import count

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOLS: Final = "toolUsePromptTokenCount"
_TOTAL: Final = "totalTokenCount"
_KNOWN: Final = frozenset(
    {"promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount", _TOTAL}
)


def parse_usage(data: Any, *, has_output: bool = True) -> Usage | None:
    """Read token counts.

    The format leaves out counts that are zero. So an output that is not there is what the total leaves for it.

    Args:
        data: the ``usageMetadata`` of an answer.
        has_output: whether there are output tokens to count; embeddings have none.

    Returns:
        What the provider counted; ``None`` where it told nothing, or not both input and output.
    """
    if not isinstance(data, dict):
        return None
    prompt = count(data.get("promptTokenCount"))
    if prompt is None:
        return None
    entered = prompt + (count(data.get(_TOOLS)) or 0)
    answered, thought = count(data.get("candidatesTokenCount")), count(data.get("thoughtsTokenCount"))
    total = count(data.get(_TOTAL))
    if answered is not None:
        output = answered + (thought or 0)
    elif total is not None:
        output = max(total - entered, thought or 0)
    elif has_output:
        return None
    else:
        output = 0
    return Usage(entered, output, count(data.get("cachedContentTokenCount")), None, thought)


def usage_rest(data: Any, usage: Usage | None) -> dict[str, Any]:
    """Return the counts that `Usage` does not model, as they came; all of them where there is no usage.

    The input tokens that a tool of the server used are among them, although they are counted: see `render_usage`.
    """
    if not isinstance(data, dict):
        return {}
    if usage is None:
        return dict(data)
    left = rest(data, _KNOWN)
    total = data.get(_TOTAL)
    return left if total in (None, usage.total) else {**left, _TOTAL: total}


def render_usage(usage: Usage, unknown: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Render token counts; what is not known stays out.

    Args:
        usage: the counts.
        unknown: counts that `Usage` does not model, as `usage_rest` gave them.
    """
    of_tools = count(unknown.get(_TOOLS)) if unknown else None
    rendered: dict[str, Any] = {
        "promptTokenCount": max(usage.input - (of_tools or 0), 0),
        "candidatesTokenCount": max(usage.output - (usage.reasoning or 0), 0),
        _TOTAL: usage.total,
    }
    if usage.cached is not None:
        rendered["cachedContentTokenCount"] = usage.cached
    if usage.reasoning is not None:
        rendered["thoughtsTokenCount"] = usage.reasoning
    return merge(rendered, unknown) if unknown else rendered
